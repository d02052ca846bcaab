// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IFacilityRegistry} from "./interfaces/IFacilityRegistry.sol";
import {IRentLockbox} from "./interfaces/IRentLockbox.sol";
import {IStatementRegistry} from "./interfaces/IStatementRegistry.sol";
import {ITrancheToken} from "./interfaces/ITrancheToken.sol";
import {TrancheId} from "./libraries/TrancheId.sol";
import {Waterfall} from "./libraries/Waterfall.sol";

/// @title Rent in by anybody, out by settlement alone
contract RentLockbox is IRentLockbox, AccessManaged, ReentrancyGuardTransient {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    uint256 private constant BPS = 10_000;
    /// @dev Keeps every cumulative far inside 96 bits and every accrual inside the accumulator's bound.
    uint256 private constant MAX_PAYMENT = type(uint48).max;

    IFacilityRegistry public immutable facilityRegistry;
    IStatementRegistry public immutable statementRegistry;
    ITrancheToken public immutable trancheToken;

    /// @inheritdoc IRentLockbox
    mapping(address token => uint256) public feesOwed;
    mapping(uint64 facilityId => Book) private _books;
    mapping(uint256 id => TrancheBook) private _trancheBooks;

    /// @param authority AccessManager that holds the roles.
    constructor(address authority, IFacilityRegistry facilities, IStatementRegistry statements, ITrancheToken token)
        AccessManaged(authority)
    {
        facilityRegistry = facilities;
        statementRegistry = statements;
        trancheToken = token;
    }

    /// @inheritdoc IRentLockbox
    function payRent(uint64 facilityId, bytes32 lease, uint256 amount) external nonReentrant {
        IFacilityRegistry.FacilityState state = facilityRegistry.stateOf(facilityId);
        bool accepted =
            state == IFacilityRegistry.FacilityState.Funded || state == IFacilityRegistry.FacilityState.Delivering;
        require(accepted, RentNotAccepted(facilityId));
        require(amount > 0, AmountZero());
        require(amount <= MAX_PAYMENT, AmountAboveLimit(amount, MAX_PAYMENT));
        Book storage book = _books[facilityId];
        uint96 collected = (book.collected + amount).toUint96();
        book.collected = collected;
        emit RentPaid(facilityId, lease, msg.sender, amount, collected);
        IERC20 token = IERC20(facilityRegistry.settlementTokenOf(facilityId));
        uint256 before = token.balanceOf(address(this));
        token.safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = token.balanceOf(address(this)) - before;
        require(received == amount, SettlementShort(amount, received));
    }

    /// @inheritdoc IRentLockbox
    function settle(uint64 facilityId, uint32 epochs) external nonReentrant returns (uint256 amount) {
        Book memory book = _books[facilityId];
        require(epochs >= book.settledEpochs, EpochAlreadySettled(facilityId, book.settledEpochs));
        require(epochs > 0, NothingToSettle(facilityId));
        require(statementRegistry.isFinal(facilityId, epochs - 1), EpochNotFinal(facilityId, epochs - 1));
        amount = _due(facilityId, epochs, book);
        require(amount > 0 || epochs > book.settledEpochs, NothingToSettle(facilityId));
        IFacilityRegistry.FacilityTerms memory terms = facilityRegistry.termsOf(facilityId);
        uint256 fee = amount * terms.feeBps / BPS;
        uint96 settled = (book.settled + amount).toUint96();
        _books[facilityId] = Book(book.collected, settled, epochs);
        feesOwed[terms.settlementToken] += fee;
        emit Settled(facilityId, epochs, amount, fee, settled);
        _distribute(facilityId, terms, amount - fee, book.settledEpochs, epochs);
    }

    /// @inheritdoc IRentLockbox
    function distribute(uint64, uint256) external view {
        revert NotDistributor(msg.sender);
    }

    /// @inheritdoc IRentLockbox
    function takeFees(address token, address to) external restricted nonReentrant returns (uint256 amount) {
        require(to != address(0), ZeroRecipient());
        amount = feesOwed[token];
        feesOwed[token] = 0;
        emit FeesPaid(token, to, amount);
        IERC20(token).safeTransfer(to, amount);
    }

    /// @inheritdoc IRentLockbox
    function bookOf(uint64 facilityId) external view returns (Book memory) {
        return _books[facilityId];
    }

    /// @inheritdoc IRentLockbox
    function trancheBookOf(uint256 id) external view returns (TrancheBook memory) {
        return _trancheBooks[id];
    }

    /// @inheritdoc IRentLockbox
    function settleable(uint64 facilityId) external view returns (uint256) {
        uint32 epochs = statementRegistry.epochsFinal(facilityId);
        return epochs == 0 ? 0 : _due(facilityId, epochs, _books[facilityId]);
    }

    /// @dev What is both attested and collected, and not yet paid: invariant 4.
    function _due(uint64 facilityId, uint32 epochs, Book memory book) private view returns (uint256) {
        uint256 attested = statementRegistry.statementOf(facilityId, epochs - 1).cumulativeGross;
        return Math.min(attested, book.collected) - book.settled;
    }

    /// @dev Coupons by seniority, the rest to the last tranche: invariant 5. At most four tranches.
    function _distribute(
        uint64 facilityId,
        IFacilityRegistry.FacilityTerms memory terms,
        uint256 left,
        uint32 fromEpochs,
        uint32 toEpochs
    ) private {
        IFacilityRegistry.TrancheTerms[] memory tranches = facilityRegistry.tranchesOf(facilityId);
        uint256 epochCount = (terms.windowEnd - terms.windowStart) / terms.epochLength;
        if (left > 0) IERC20(terms.settlementToken).forceApprove(address(trancheToken), left);
        for (uint256 i = 0; i < tranches.length; ++i) {
            // forge-lint: disable-next-line(unsafe-typecast)
            uint256 id = TrancheId.pack(facilityId, uint8(i));
            TrancheBook memory book = _trancheBooks[id];
            uint256 perUnit = Waterfall.couponDueDown(tranches[i].couponPerUnit, fromEpochs, toEpochs, epochCount);
            uint256 due = book.couponDue + perUnit * (perUnit == 0 ? 0 : trancheToken.totalSupply(id));
            uint256 payment = Waterfall.payment(left, due, book.paid, i + 1 == tranches.length);
            left -= payment;
            if (due == book.couponDue && payment == 0) continue;
            _trancheBooks[id] = TrancheBook(due.toUint128(), (book.paid + payment).toUint128());
            // The registry bounds epochLength to 24 bits.
            // forge-lint: disable-next-line(unsafe-typecast)
            if (payment > 0) trancheToken.accrue(id, payment, uint24(terms.epochLength));
        }
    }
}
