// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IAttesterDesk} from "../interfaces/IAttesterDesk.sol";
import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {IRentLockbox} from "../interfaces/IRentLockbox.sol";
import {IWalletDesk} from "../interfaces/IWalletDesk.sol";
import {Payouts} from "../money/Payouts.sol";
import {Duties} from "./Duties.sol";

/// @title Attester desk
/// @notice Splits each facility's fees between its attesters, by duties done, and the treasury.
/// @dev What a duty earns never depends on who else did one: only then it never pays to keep others' work from being
/// booked. docs/decisions/0019 has the reasons.
contract AttesterDesk is Duties, Payouts, AccessManaged {
    using SafeERC20 for IERC20;
    using SafeCast for uint256;

    /// @notice Fees of one facility: one word.
    /// @param fees Fees that came so far, minor units.
    /// @param released What went to the treasury for duties that nobody did, minor units.
    /// @param duties Duties booked, in `PARTS`.
    struct Pot {
        uint64 fees;
        uint64 released;
        uint128 duties;
    }

    /// @notice What one attester did for one facility: one word.
    /// @param duties Duties booked, in `PARTS`.
    /// @param paid What it was paid, minor units.
    struct Pay {
        uint128 duties;
        uint64 paid;
    }

    uint256 private constant BPS = 10_000;

    /// @inheritdoc IAttesterDesk
    mapping(address token => uint256) public treasuryOwed;
    mapping(uint64 facilityId => Pot) private _pots;
    mapping(uint64 facilityId => mapping(address attester => Pay)) private _pays;

    /// @notice Deploys the desk.
    /// @param authority AccessManager that holds the roles.
    /// @param facilities The register, and through it the other contracts.
    /// @param wallets The contract that is told who acts.
    constructor(address authority, IFacilityRegistry facilities, IWalletDesk wallets)
        AccessManaged(authority)
        Duties(facilities)
        Payouts(wallets)
    {}

    /// @inheritdoc IAttesterDesk
    function collect(uint64 facilityId) external nonReentrant returns (uint256 amount) {
        IRentLockbox lockbox = facilityRegistry.rentLockbox();
        amount = lockbox.feesOwed(facilityId);
        if (amount == 0) return 0;
        address token = facilityRegistry.settlementTokenOf(facilityId);
        uint256 before = _pots[facilityId].fees;
        uint256 share = facilityRegistry.attesterFeeBpsOf(facilityId);
        uint256 toAttesters = (before + amount) * share / BPS - before * share / BPS;
        _pots[facilityId].fees = (before + amount).toUint64();
        treasuryOwed[token] += amount - toAttesters;
        emit FeesSplit(facilityId, token, toAttesters, amount - toAttesters);
        uint256 balance = IERC20(token).balanceOf(address(this));
        lockbox.passFees(facilityId);
        _requireReceived(IERC20(token), balance, amount);
    }

    /// @inheritdoc IAttesterDesk
    function pay(uint64 facilityId, address attester) external nonReentrant returns (uint256 amount) {
        address token = facilityRegistry.settlementTokenOf(facilityId);
        Pay memory account = _pays[facilityId][attester];
        uint256 earned = _earned(facilityId, _pots[facilityId].fees, account.duties);
        amount = earned - account.paid;
        require(amount > 0, NothingOwed(token, attester));
        _pays[facilityId][attester].paid = earned.toUint64();
        owedTo[token][attester] += amount;
        emit AttesterPaid(facilityId, attester, amount, earned);
    }

    /// @inheritdoc IAttesterDesk
    function releaseUnearned(uint64 facilityId) external nonReentrant returns (uint256 amount) {
        uint256 ends = _bookingEnds(facilityId);
        require(ends != 0 && block.timestamp >= ends, DutiesOpen(facilityId));
        address token = facilityRegistry.settlementTokenOf(facilityId);
        Pot memory pot = _pots[facilityId];
        uint256 unearned = _earned(facilityId, pot.fees, PARTS * statementsDue(facilityId) - pot.duties);
        amount = unearned - pot.released;
        require(amount > 0, NothingOwed(token, address(this)));
        _pots[facilityId].released = unearned.toUint64();
        treasuryOwed[token] += amount;
        emit UnearnedReleased(facilityId, amount);
    }

    /// @inheritdoc IAttesterDesk
    function takeFees(address token, address to) external restricted nonReentrant returns (uint256 amount) {
        _requireRecipient(to);
        amount = treasuryOwed[token];
        require(amount > 0, NothingOwed(token, msg.sender));
        treasuryOwed[token] = 0;
        emit FeesTaken(token, to, amount);
        IERC20(token).safeTransfer(to, amount);
    }

    /// @inheritdoc IAttesterDesk
    function dutiesOf(uint64 facilityId, address attester) external view returns (uint256) {
        return _pays[facilityId][attester].duties;
    }

    /// @inheritdoc IAttesterDesk
    function earnedOf(uint64 facilityId, address attester) external view returns (uint256) {
        uint256 fees = _pots[facilityId].fees + facilityRegistry.rentLockbox().feesOwed(facilityId);
        return _earned(facilityId, fees, _pays[facilityId][attester].duties);
    }

    /// @inheritdoc IAttesterDesk
    function paidTo(uint64 facilityId, address attester) external view returns (uint256) {
        return _pays[facilityId][attester].paid;
    }

    /// @inheritdoc IAttesterDesk
    function feesOf(uint64 facilityId) external view returns (uint256) {
        return _pots[facilityId].fees;
    }

    /// @inheritdoc IAttesterDesk
    function releasedOf(uint64 facilityId) external view returns (uint256) {
        return _pots[facilityId].released;
    }

    /// @notice Counts a duty for an attester, and for the facility.
    /// @param facilityId The facility.
    /// @param attester The attester.
    /// @param part Its part of a statement, in `PARTS`.
    function _count(uint64 facilityId, address attester, uint256 part) internal override {
        // A window has below 2^32 statements of 2^48 each.
        // forge-lint: disable-next-line(unsafe-typecast)
        uint128 duty = uint128(part);
        _pays[facilityId][attester].duties += duty;
        _pots[facilityId].duties += duty;
    }

    /// @notice What duties earn: their part of all statements that are due, of attesters' share of the fees.
    /// @param facilityId The facility.
    /// @param fees Fees so far, minor units.
    /// @param duties Duties, in `PARTS`.
    /// @return Minor units, rounded down.
    function _earned(uint64 facilityId, uint256 fees, uint256 duties) private view returns (uint256) {
        uint256 share = fees * facilityRegistry.attesterFeeBpsOf(facilityId) / BPS;
        return share * duties / (PARTS * statementsDue(facilityId));
    }
}
