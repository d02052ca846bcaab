// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {IRentLockbox} from "../interfaces/IRentLockbox.sol";
import {IStatementRegistry} from "../interfaces/IStatementRegistry.sol";
import {ITrancheToken} from "../interfaces/ITrancheToken.sol";
import {TrancheId} from "../token/TrancheId.sol";
import {Waterfall} from "./Waterfall.sol";
import {Payouts} from "./Payouts.sol";

/// @title Rent lockbox
/// @notice Anybody pays rent in; settlement alone takes it out. api/domain/capital/settlement.py is the reference
/// model.
contract RentLockbox is IRentLockbox, AccessManaged, Payouts {
    using SafeERC20 for IERC20;

    /// @notice Running totals of a facility: one word. 64 bits hold 18 million million dollars of a 6-decimal token;
    /// more reverts.
    /// @dev One word. 64 bits hold 18 million million dollars of a 6-decimal token; more reverts.
    /// @param collected Rent received and not given back, minor units.
    /// @param settled Rent paid out, fees included, minor units.
    /// @param feesOwed Fees that the treasury has not taken, minor units.
    /// @param settledEpochs Number of leading epochs counted so far.
    struct Ledger {
        uint64 collected;
        uint64 settled;
        uint64 feesOwed;
        uint32 settledEpochs;
    }

    /// @notice What a tranche with a coupon is behind: one word.
    /// @param arrears Coupon that fell due on units in circulation and is not paid, minor units.
    /// @param unsoldArrears The same on unsold units; owed to the gpuOperator.
    /// @param units Units that `arrears` belong to. Who burns a unit takes its arrears along.
    struct Coupon {
        uint64 arrears;
        uint64 unsoldArrears;
        uint40 units;
    }

    /// @notice What one call pays to tranches, one entry for each facility. Without a payment the entry stays empty.
    /// @dev What one call pays to tranches, one entry a facility. Without a payment the entry stays empty.
    /// @param accruals Revenue for the TrancheToken.
    /// @param settlementTokens Token of each entry.
    struct Batch {
        ITrancheToken.Accrual[] accruals;
        address[] settlementTokens;
    }

    uint256 private constant BPS = 10_000;
    /// @dev An allowance of 256 one-bits is kept for ever by most tokens, also by those that count it in 96 bits. Where
    /// it is counted down it is renewed long before a batch could exceed it: no facility pays more than 2^64 at once.
    uint256 private constant LOW_ALLOWANCE = type(uint80).max;

    /// @notice Register that names terms, operators and the other contracts.
    IFacilityRegistry public immutable facilityRegistry;
    /// @notice Registry that says what is attested and final.
    IStatementRegistry public immutable statementRegistry;
    /// @notice Token whose holders are paid.
    ITrancheToken public immutable trancheToken;

    /// @inheritdoc IRentLockbox
    mapping(uint64 facilityId => mapping(address payer => uint256)) public paidBy;
    mapping(uint64 facilityId => Ledger) private _ledgers;
    /// @dev By seniority. The last tranche has no coupon.
    mapping(uint64 facilityId => Coupon[3]) private _coupons;

    /// @notice Deploys an empty lockbox.
    /// @param authority AccessManager that holds the roles.
    /// @param facilities Register that names terms, operators and the other contracts.
    /// @param statements Registry that says what is attested and final.
    /// @param token Token whose holders are paid.
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
        bool accepted = state == IFacilityRegistry.FacilityState.Funded;
        accepted = accepted || state == IFacilityRegistry.FacilityState.Delivering;
        accepted = accepted || state == IFacilityRegistry.FacilityState.Defaulted;
        require(accepted, RentNotAccepted(facilityId));
        require(amount > 0, AmountZero());
        uint64 collected = _ledgers[facilityId].collected;
        uint256 limit = type(uint64).max - collected;
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
    function distribute(uint64 facilityId, uint256 amount) external nonReentrant {
        bool known = msg.sender == address(facilityRegistry.bondVault())
            || msg.sender == address(facilityRegistry.primarySale());
        require(known, NotDistributor(msg.sender));
        require(amount > 0, AmountZero());
        Batch memory batch = _newBatch(1);
        (, bool settled) = _settle(facilityId, batch, 0);
        if (settled) {
            _accrue(batch);
            batch = _newBatch(1);
        }
        IFacilityRegistry.SettlementTerms memory terms = facilityRegistry.settlementTermsOf(facilityId);
        emit Distributed(facilityId, msg.sender, amount);
        _payHolders(facilityId, terms, amount, batch);
        _pull(IERC20(terms.settlementToken), amount);
        _accrue(batch);
    }

    /// @inheritdoc IRentLockbox
    function refundExcess(uint64 facilityId, address payer, uint256 amount) external restricted {
        IFacilityRegistry.FacilityState state = facilityRegistry.stateOf(facilityId);
        bool ended =
            state == IFacilityRegistry.FacilityState.Matured || state == IFacilityRegistry.FacilityState.Defaulted;
        require(ended, FacilityNotEnded(facilityId));
        require(amount > 0, AmountZero());
        uint256 excess = excessOf(facilityId);
        require(amount <= excess, RefundAboveExcess(facilityId, amount, excess));
        uint256 paid = paidBy[facilityId][payer];
        require(amount <= paid, RefundAbovePaid(facilityId, payer, amount, paid));
        uint64 collected = SafeCast.toUint64(_ledgers[facilityId].collected - amount);
        _ledgers[facilityId].collected = collected;
        paidBy[facilityId][payer] = paid - amount;
        owedTo[facilityRegistry.settlementTokenOf(facilityId)][payer] += amount;
        emit RentRefunded(facilityId, payer, amount, collected);
    }

    /// @inheritdoc IRentLockbox
    function takeFees(uint64[] calldata facilityIds, address to) external restricted nonReentrant {
        _requireRecipient(to);
        for (uint256 i = 0; i < facilityIds.length; ++i) {
            uint256 amount = _ledgers[facilityIds[i]].feesOwed;
            if (amount == 0) continue;
            _ledgers[facilityIds[i]].feesOwed = 0;
            address token = facilityRegistry.settlementTokenOf(facilityIds[i]);
            emit FeesPaid(facilityIds[i], token, to, amount);
            IERC20(token).safeTransfer(to, amount);
        }
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
    function settleable(uint64 facilityId) external view returns (uint256 amount) {
        (amount,) = _due(facilityId, _ledgers[facilityId]);
    }

    /// @inheritdoc IRentLockbox
    function excessOf(uint64 facilityId) public view returns (uint256) {
        Ledger memory ledger = _ledgers[facilityId];
        uint32 posted = statementRegistry.epochsPosted(facilityId);
        uint256 attested = posted == 0 ? 0 : statementRegistry.statementOf(facilityId, posted - 1).cumulativeGross;
        return ledger.collected - Math.min(attested, ledger.collected);
    }

    /// @notice Books the settlement of one facility and emits Settled. The money moves later, in `_accrue`.
    /// @param facilityId The facility.
    /// @param batch What the call pays.
    /// @param batchIndex Entry of this facility in the batch.
    /// @return amount Minor units paid out, fee included; the fee is rounded down on the cumulative.
    /// @return done False if there is nothing to settle.
    function _settle(uint64 facilityId, Batch memory batch, uint256 batchIndex)
        private
        returns (uint256 amount, bool done)
    {
        Ledger memory ledger = _ledgers[facilityId];
        uint32 from = ledger.settledEpochs;
        uint32 epochs;
        (amount, epochs) = _due(facilityId, ledger);
        if (amount == 0 && epochs == from) return (0, false);
        IFacilityRegistry.SettlementTerms memory terms = facilityRegistry.settlementTermsOf(facilityId);
        uint256 settled = ledger.settled + amount;
        uint256 fee = settled * terms.feeBps / BPS - ledger.settled * uint256(terms.feeBps) / BPS;
        // What is settled is at most what was collected, which has 64 bits; and a fee is a part of it.
        // forge-lint: disable-start(unsafe-typecast)
        ledger.settled = uint64(settled);
        ledger.feesOwed += uint64(fee);
        // forge-lint: disable-end(unsafe-typecast)
        ledger.settledEpochs = epochs;
        _ledgers[facilityId] = ledger;
        emit Settled(facilityId, epochs, amount, fee, settled);
        _payTranches(facilityId, terms, amount - fee, from, epochs, batch, batchIndex);
        return (amount, true);
    }

    /// @notice What is both attested and collected, and not yet paid (invariant 4).
    /// @param facilityId The facility.
    /// @param ledger Running totals of the facility.
    /// @return amount Minor units.
    /// @return epochs Number of leading final epochs.
    function _due(uint64 facilityId, Ledger memory ledger) private view returns (uint256 amount, uint32 epochs) {
        uint256 attested;
        (epochs,, attested) = statementRegistry.finalTotals(facilityId, ledger.settledEpochs);
        amount = Math.min(attested, ledger.collected) - ledger.settled;
    }

    /// @notice Lets the coupons of epochs `[from, to)` fall due, then books an amount down the waterfall (invariant 5).
    /// The money moves later, in `_accrue`.
    /// @param facilityId The facility.
    /// @param terms What settlement reads of the facility.
    /// @param amount Minor units to pay.
    /// @param from First epoch whose coupons fall due.
    /// @param to Epoch after the last one.
    /// @param batch What the call pays.
    /// @param batchIndex Entry of this facility in the batch.
    function _payTranches(
        uint64 facilityId,
        IFacilityRegistry.SettlementTerms memory terms,
        uint256 amount,
        uint256 from,
        uint256 to,
        Batch memory batch,
        uint256 batchIndex
    ) private {
        Waterfall.Ranks memory ranks = _fallDue(facilityId, terms, from, to);
        (uint256[4] memory payments, uint256 toOperator) = Waterfall.split(amount, ranks);
        for (uint256 i = 0; i < ranks.last; ++i) {
            _setBehind(_coupons[facilityId][i], ranks.due[i], ranks.unsoldDue[i], ranks.supplies[i]);
        }
        if (toOperator > 0) _oweOperator(facilityId, terms.settlementToken, toOperator);
        if (amount > toOperator) _addAccrual(facilityId, terms, payments, batch, batchIndex);
    }

    /// @notice Books recovered money down the waterfall to units in circulation alone: what its own failure set free
    /// never falls on the gpuOperator's unsold units. The rest goes to the lowest-ranking tranche that has units, above
    /// its coupon too; only where nobody holds a unit is it the gpuOperator's (ATTACKS 40).
    /// @param facilityId The facility.
    /// @param terms What settlement reads of the facility.
    /// @param amount Minor units to pay.
    /// @param batch What the call pays; one entry.
    function _payHolders(
        uint64 facilityId,
        IFacilityRegistry.SettlementTerms memory terms,
        uint256 amount,
        Batch memory batch
    ) private {
        Waterfall.Ranks memory ranks = _fallDue(facilityId, terms, 0, 0);
        uint256 withCoupon = ranks.last;
        uint256[4] memory unsoldDue = ranks.unsoldDue;
        uint256[4] memory nothing;
        uint40[4] memory none;
        (ranks.unsoldDue, ranks.unsold) = (nothing, none);
        while (ranks.last > 0 && ranks.supplies[ranks.last] == 0) --ranks.last;
        (uint256[4] memory payments, uint256 toOperator) = Waterfall.split(amount, ranks);
        ranks.due[ranks.last] -= Math.min(ranks.due[ranks.last], payments[ranks.last]);
        for (uint256 i = 0; i < withCoupon; ++i) {
            _setBehind(_coupons[facilityId][i], ranks.due[i], unsoldDue[i], ranks.supplies[i]);
        }
        if (toOperator > 0) _oweOperator(facilityId, terms.settlementToken, toOperator);
        else _addAccrual(facilityId, terms, payments, batch, 0);
    }

    /// @notice Puts a facility's payments into a batch.
    /// @param facilityId The facility.
    /// @param terms What settlement reads of the facility.
    /// @param payments Minor units by seniority.
    /// @param batch What the call pays.
    /// @param batchIndex Entry of this facility in the batch.
    function _addAccrual(
        uint64 facilityId,
        IFacilityRegistry.SettlementTerms memory terms,
        uint256[4] memory payments,
        Batch memory batch,
        uint256 batchIndex
    ) private pure {
        // The registry bounds epochLength to 24 bits.
        // forge-lint: disable-next-line(unsafe-typecast)
        batch.accruals[batchIndex] = ITrancheToken.Accrual(facilityId, uint24(terms.epochLength), payments);
        batch.settlementTokens[batchIndex] = terms.settlementToken;
    }

    /// @notice What the tranches are behind once the coupons of epochs `[from, to)` are due.
    /// @param facilityId The facility.
    /// @param terms What settlement reads of the facility.
    /// @param from First epoch whose coupons fall due.
    /// @param to Epoch after the last one.
    /// @return ranks What each tranche is behind.
    function _fallDue(uint64 facilityId, IFacilityRegistry.SettlementTerms memory terms, uint256 from, uint256 to)
        private
        view
        returns (Waterfall.Ranks memory ranks)
    {
        ranks.last = terms.trancheCount - 1;
        ranks.supplies = trancheToken.suppliesOf(facilityId, terms.trancheCount);
        ranks.unsold = terms.unsold;
        for (uint256 i = 0; i < ranks.last; ++i) {
            Coupon memory behind = _coupons[facilityId][i];
            uint256 perUnit = Waterfall.couponDueDown(terms.coupons[i], from, to, terms.epochCount);
            ranks.due[i] = _arrearsNow(behind, ranks.supplies[i]) + perUnit * ranks.supplies[i];
            ranks.unsoldDue[i] = behind.unsoldArrears + perUnit * terms.unsold[i];
        }
    }

    /// @notice Stores what a tranche is behind; a tranche that was and is behind nothing costs no write.
    /// @param behind Where it is stored.
    /// @param arrears Coupon not paid on units in circulation, minor units.
    /// @param unsoldArrears Coupon not paid on unsold units, minor units.
    /// @param units Units in circulation.
    function _setBehind(Coupon storage behind, uint256 arrears, uint256 unsoldArrears, uint256 units) private {
        if (arrears | unsoldArrears | behind.arrears | behind.unsoldArrears == 0) return;
        // All coupons of a tranche fit 64 bits, and a supply has 40.
        // forge-lint: disable-start(unsafe-typecast)
        behind.arrears = uint64(arrears);
        behind.unsoldArrears = uint64(unsoldArrears);
        behind.units = uint40(units);
        // forge-lint: disable-end(unsafe-typecast)
    }

    /// @notice Arrears of the units that are left: those of burned units lapsed with them.
    /// @param behind What the tranche is behind.
    /// @param units Units in circulation; never more than when `behind` was stored.
    /// @return Minor units, rounded down.
    function _arrearsNow(Coupon memory behind, uint256 units) private pure returns (uint256) {
        return behind.arrears == 0 ? 0 : behind.arrears * units / behind.units;
    }

    /// @notice Sends a batch to the TrancheToken.
    /// @dev All storage is written before: settlement tokens are called here for the first time.
    /// @param batch What the call pays.
    function _accrue(Batch memory batch) private {
        address approved = address(0);
        for (uint256 i = 0; i < batch.settlementTokens.length; ++i) {
            address settlementToken = batch.settlementTokens[i];
            if (settlementToken == approved || settlementToken == address(0)) continue;
            approved = settlementToken;
            IERC20 token = IERC20(settlementToken);
            if (token.allowance(address(this), address(trancheToken)) < LOW_ALLOWANCE) {
                token.forceApprove(address(trancheToken), type(uint256).max);
            }
        }
        if (approved == address(0)) return;
        uint256[] memory flowedOn = trancheToken.accrue(batch.accruals);
        for (uint256 i = 0; i < flowedOn.length; ++i) {
            if (flowedOn[i] > 0) _oweOperator(batch.accruals[i].facilityId, batch.settlementTokens[i], flowedOn[i]);
        }
    }

    /// @notice Credits money that falls on nobody to a facility's gpuOperator and emits ResidualOwed.
    /// @param facilityId The facility.
    /// @param settlementToken Its token.
    /// @param amount Minor units.
    function _oweOperator(uint64 facilityId, address settlementToken, uint256 amount) private {
        address gpuOperator = facilityRegistry.gpuOperatorOf(facilityId);
        owedTo[settlementToken][gpuOperator] += amount;
        emit ResidualOwed(facilityId, gpuOperator, amount);
    }

    /// @notice An empty batch.
    /// @param count Number of facilities.
    /// @return The batch.
    function _newBatch(uint256 count) private pure returns (Batch memory) {
        return Batch(new ITrancheToken.Accrual[](count), new address[](count));
    }
}
