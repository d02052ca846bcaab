// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {IRentLockbox} from "../interfaces/IRentLockbox.sol";
import {IStatementRegistry} from "../interfaces/IStatementRegistry.sol";
import {ITrancheToken} from "../interfaces/ITrancheToken.sol";
import {TrancheId} from "../token/TrancheId.sol";
import {Closings} from "./Closings.sol";
import {Settlements} from "./Settlements.sol";

/// @title Rent lockbox, part 3: what anybody can call
/// @notice Anybody pays rent in; settlement alone takes it out. When the facility has ended, closing pays out the rest.
contract RentLockbox is Closings {
    using SafeERC20 for IERC20;

    /// @inheritdoc IRentLockbox
    mapping(uint64 facilityId => mapping(address payer => uint256)) public paidBy;

    /// @notice Deploys an empty lockbox. It has no role: nobody can take money out by being somebody.
    /// @param facilities Register that names terms, operators and the other contracts.
    /// @param statements Registry that says what is attested and final.
    /// @param token Token whose holders are paid.
    constructor(IFacilityRegistry facilities, IStatementRegistry statements, ITrancheToken token)
        Settlements(facilities, statements, token)
    {}

    /// @inheritdoc IRentLockbox
    function payRent(uint64 facilityId, bytes32 lease, uint256 amount) external nonReentrant {
        IFacilityRegistry.FacilityState state = facilityRegistry.stateOf(facilityId);
        bool refused = state == IFacilityRegistry.FacilityState.None;
        refused = refused || state == IFacilityRegistry.FacilityState.Offered;
        refused = refused || state == IFacilityRegistry.FacilityState.Cancelled;
        require(!refused, RentNotAccepted(facilityId));
        require(amount > 0, AmountZero());
        uint64 collected = _ledgers[facilityId].collected;
        uint256 limit = type(uint64).max - collected;
        if (_ledgers[facilityId].closed) {
            uint256 attested = statementRegistry.postedGross(facilityId);
            limit = Math.min(limit - _late[facilityId].advanced, _less(attested, collected));
        }
        require(amount <= limit, AmountAboveLimit(amount, limit));
        // Below the limit.
        // forge-lint: disable-next-line(unsafe-typecast)
        collected += uint64(amount);
        _ledgers[facilityId].collected = collected;
        paidBy[facilityId][msg.sender] += amount;
        emit RentPaid(facilityId, lease, msg.sender, amount, collected);
        _pull(IERC20(facilityRegistry.settlementTokenOf(facilityId)), amount);
    }

    /// @inheritdoc IRentLockbox
    function settle(uint64 facilityId) external nonReentrant returns (uint256 amount) {
        Batch memory batch = _newBatch(1);
        bool done;
        (amount, done) = _settle(facilityId, batch, 0);
        require(done, NothingToSettle(facilityId));
        _accrue(batch);
    }

    /// @inheritdoc IRentLockbox
    function settleMany(uint64[] calldata facilityIds) external {
        // The reason is not read: a hostile token could answer with more data than a block has gas for.
        try this.settleTogether(facilityIds) {
            return;
        } catch {
            uint64[] memory single = new uint64[](1);
            for (uint256 i = 0; i < facilityIds.length; ++i) {
                single[0] = facilityIds[i];
                try this.settleTogether(single) {
                    continue;
                } catch {
                    emit SettlementSkipped(single[0]);
                }
            }
        }
    }

    /// @inheritdoc IRentLockbox
    function settleTogether(uint64[] calldata facilityIds) external nonReentrant {
        require(msg.sender == address(this), NotThisContract(msg.sender));
        uint256 count = facilityIds.length;
        Batch memory batch = _newBatch(count);
        for (uint256 i = 0; i < count; ++i) {
            _settle(facilityIds[i], batch, i);
        }
        _accrue(batch);
    }

    /// @inheritdoc IRentLockbox
    function close(uint64 facilityId) external nonReentrant {
        uint64 opensAt = closableFrom(facilityId);
        require(opensAt != 0 && block.timestamp >= opensAt, ClosingNotOpen(facilityId, opensAt));
        Batch memory batch = _newBatch(1);
        (, bool settled) = _settle(facilityId, batch, 0);
        if (settled) {
            _accrue(batch);
            batch = _newBatch(1);
        }
        _close(facilityId, batch);
        _accrue(batch);
    }

    /// @inheritdoc IRentLockbox
    function refundExcess(uint64 facilityId, address payer, uint256 amount) external {
        require(msg.sender == address(facilityRegistry.refundDesk()), NotRefundDesk(msg.sender));
        require(_ledgers[facilityId].closed, FacilityNotClosed(facilityId));
        require(amount > 0, AmountZero());
        uint256 excess = excessOf(facilityId);
        require(amount <= excess, RefundAboveExcess(facilityId, amount, excess));
        uint256 paid = paidBy[facilityId][payer];
        require(amount <= paid, RefundAbovePaid(facilityId, payer, amount, paid));
        // Excess is a part of what was collected.
        // forge-lint: disable-next-line(unsafe-typecast)
        uint64 collected = uint64(_ledgers[facilityId].collected - amount);
        _ledgers[facilityId].collected = collected;
        paidBy[facilityId][payer] = paid - amount;
        owedTo[facilityRegistry.settlementTokenOf(facilityId)][payer] += amount;
        emit RentRefunded(facilityId, payer, amount, collected);
    }

    /// @inheritdoc IRentLockbox
    function passFees(uint64 facilityId) external nonReentrant {
        require(msg.sender == address(facilityRegistry.attesterDesk()), NotAttesterDesk(msg.sender));
        uint256 amount = _ledgers[facilityId].feesOwed;
        _ledgers[facilityId].feesOwed = 0;
        address token = facilityRegistry.settlementTokenOf(facilityId);
        emit FeesPassed(facilityId, token, amount);
        IERC20(token).safeTransfer(msg.sender, amount);
    }

    /// @inheritdoc IRentLockbox
    function bookOf(uint64 facilityId) external view returns (Book memory) {
        Ledger memory ledger = _ledgers[facilityId];
        return Book(ledger.collected, ledger.settled, ledger.settledEpochs);
    }

    /// @inheritdoc IRentLockbox
    function feesOwed(uint64 facilityId) external view returns (uint256) {
        return _ledgers[facilityId].feesOwed;
    }

    /// @inheritdoc IRentLockbox
    function arrearsOf(uint256 id) external view returns (uint256) {
        (uint64 facilityId, uint8 seniority, bool valid) = TrancheId.unpack(id);
        if (!valid || seniority > 2) return 0;
        return _arrearsNow(_coupons[facilityId][seniority], trancheToken.totalSupply(id));
    }

    /// @inheritdoc IRentLockbox
    function unsoldArrearsOf(uint256 id) external view returns (uint256) {
        (uint64 facilityId, uint8 seniority, bool valid) = TrancheId.unpack(id);
        return valid && seniority < 3 ? _coupons[facilityId][seniority].unsoldArrears : 0;
    }

    /// @inheritdoc IRentLockbox
    function settleable(uint64 facilityId) external view returns (uint256) {
        Due memory due = _due(facilityId, _ledgers[facilityId]);
        return due.amount + due.late + due.further;
    }

    /// @inheritdoc IRentLockbox
    function excessOf(uint64 facilityId) public view returns (uint256) {
        Ledger memory ledger = _ledgers[facilityId];
        // What is settled is here no more, also where a closing statement lowered what is attested.
        return _less(ledger.collected, Math.max(statementRegistry.postedGross(facilityId), ledger.settled));
    }

    /// @notice Books the settlement of one facility and emits Settled. The money moves later, in `_accrue`.
    /// @param facilityId The facility.
    /// @param batch What the call pays.
    /// @param batchIndex Entry of this facility in the batch.
    /// @return amount Minor units paid out, fee included.
    /// @return done False if there is nothing to settle.
    function _settle(uint64 facilityId, Batch memory batch, uint256 batchIndex)
        private
        returns (uint256 amount, bool done)
    {
        Ledger memory ledger = _ledgers[facilityId];
        Due memory due = _due(facilityId, ledger);
        amount = due.amount + due.late + due.further;
        if (amount == 0 && due.epochs == ledger.settledEpochs) return (0, false);
        IFacilityRegistry.SettlementTerms memory terms = facilityRegistry.settlementTermsOf(facilityId);
        if (ledger.closed) {
            _settleClosed(facilityId, terms, due, batch, batchIndex);
        } else {
            uint256[4] memory payments = _payOut(facilityId, terms, amount, due.epochs);
            // The registry bounds epochLength to 24 bits.
            // forge-lint: disable-next-line(unsafe-typecast)
            uint24 span = uint24(terms.epochLength);
            _addAccrual(facilityId, terms.settlementToken, payments, span, batch, batchIndex);
        }
        return (amount, true);
    }

    /// @notice What is both attested and collected, and not yet paid (invariant 4).
    /// @param facilityId The facility.
    /// @param ledger Running totals of the facility.
    /// @return due What a settlement pays out.
    function _due(uint64 facilityId, Ledger memory ledger) private view returns (Due memory due) {
        uint256 attested;
        (due.epochs,, attested) = statementRegistry.finalTotals(facilityId, ledger.settledEpochs);
        if (ledger.closed) _dueClosed(facilityId, ledger, attested, due);
        // A closing statement can lower what is attested below what is settled: that stays paid.
        else due.amount = _less(Math.min(attested, ledger.collected), ledger.settled);
    }
}
