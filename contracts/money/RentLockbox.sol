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

    /// @notice What one call pays to tranches, one entry for each facility. Without a payment the entry stays empty.
    /// @dev What one call pays to tranches, one entry a facility. Without a payment the entry stays empty.
    /// @param accruals Revenue for the TrancheToken.
    /// @param settlementTokens Token of each entry.
    struct Batch {
        ITrancheToken.Accrual[] accruals;
        address[] settlementTokens;
    }

    uint256 private constant BPS = 10_000;
    /// @dev Keeps every accrual inside the accumulator's bound.
    uint256 private constant MAX_PAYMENT = type(uint48).max;
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
    /// @dev By seniority, one word. The last tranche has no coupon and so no arrears.
    mapping(uint64 facilityId => uint64[4]) private _arrears;

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
        require(amount <= MAX_PAYMENT, AmountAboveLimit(amount, MAX_PAYMENT));
        uint64 collected = SafeCast.toUint64(_ledgers[facilityId].collected + amount);
        _ledgers[facilityId].collected = collected;
        paidBy[facilityId][msg.sender] += amount;
        emit RentPaid(facilityId, lease, msg.sender, amount, collected);
        _pull(IERC20(facilityRegistry.settlementTokenOf(facilityId)), amount);
    }

    /// @inheritdoc IRentLockbox
    function settle(uint64 facilityId, uint32 epochs) external nonReentrant returns (uint256 amount) {
        Ledger memory ledger = _ledgers[facilityId];
        require(epochs >= ledger.settledEpochs, EpochAlreadySettled(facilityId, ledger.settledEpochs));
        require(epochs > 0, NothingToSettle(facilityId));
        bool done;
        Batch memory batch = _newBatch(1);
        (amount, done) = _settle(facilityId, epochs, ledger, batch, 0);
        require(done, NothingToSettle(facilityId));
        _accrue(batch);
    }

    /// @inheritdoc IRentLockbox
    function settleMany(uint64[] calldata facilityIds, uint32[] calldata epochs) external nonReentrant {
        uint256 count = facilityIds.length;
        require(count == epochs.length, LengthsDiffer(count, epochs.length));
        Batch memory batch = _newBatch(count);
        uint64 previous = 0;
        for (uint256 i = 0; i < count; ++i) {
            uint64 facilityId = facilityIds[i];
            require(facilityId > previous, FacilitiesNotAscending(previous, facilityId));
            previous = facilityId;
            Ledger memory ledger = _ledgers[facilityId];
            if (epochs[i] > 0 && epochs[i] >= ledger.settledEpochs) {
                _settle(facilityId, epochs[i], ledger, batch, i);
            }
        }
        _accrue(batch);
    }

    /// @inheritdoc IRentLockbox
    function distribute(uint64 facilityId, uint256 amount) external nonReentrant {
        bool known = msg.sender == address(facilityRegistry.bondVault())
            || msg.sender == address(facilityRegistry.primarySale());
        require(known, NotDistributor(msg.sender));
        require(amount > 0, AmountZero());
        Ledger memory ledger = _ledgers[facilityId];
        uint32 epochs = statementRegistry.epochsFinal(facilityId);
        Batch memory batch = _newBatch(1);
        if (epochs > ledger.settledEpochs) {
            _settle(facilityId, epochs, ledger, batch, 0);
            _accrue(batch);
            batch = _newBatch(1);
        }
        IFacilityRegistry.SettlementTerms memory terms = facilityRegistry.settlementTermsOf(facilityId);
        emit Distributed(facilityId, msg.sender, amount);
        _payTranches(facilityId, terms, amount, 0, 0, batch, 0);
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
        require(to != address(0), ZeroRecipient());
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
        return valid && seniority < 4 ? _arrears[facilityId][seniority] : 0;
    }

    /// @inheritdoc IRentLockbox
    function settleable(uint64 facilityId) external view returns (uint256) {
        uint32 epochs = statementRegistry.epochsFinal(facilityId);
        return _due(facilityId, epochs, _ledgers[facilityId]);
    }

    /// @inheritdoc IRentLockbox
    function excessOf(uint64 facilityId) public view returns (uint256) {
        Ledger memory ledger = _ledgers[facilityId];
        uint32 posted = statementRegistry.epochsPosted(facilityId);
        uint256 attested = posted == 0 ? 0 : statementRegistry.statementOf(facilityId, posted - 1).cumulativeGross;
        return ledger.collected - Math.min(attested, ledger.collected);
    }

    /// @notice Books the settlement of one facility and emits Settled. The money moves later, in `_accrue`.
    /// @dev `epochs` is at least 1 and at least what is settled.
    /// @param facilityId The facility.
    /// @param epochs Number of leading epochs to count.
    /// @param ledger Running totals of the facility; updated and stored.
    /// @param batch What the call pays.
    /// @param batchIndex Entry of this facility in the batch.
    /// @return amount Minor units paid out, fee included; the fee is rounded down.
    /// @return done False if there is nothing to settle.
    function _settle(uint64 facilityId, uint32 epochs, Ledger memory ledger, Batch memory batch, uint256 batchIndex)
        private
        returns (uint256 amount, bool done)
    {
        amount = _due(facilityId, epochs, ledger);
        uint32 from = ledger.settledEpochs;
        if (amount == 0 && epochs == from) return (0, false);
        IFacilityRegistry.SettlementTerms memory terms = facilityRegistry.settlementTermsOf(facilityId);
        uint256 fee = amount * terms.feeBps / BPS;
        ledger.settled = SafeCast.toUint64(ledger.settled + amount);
        ledger.feesOwed = SafeCast.toUint64(ledger.feesOwed + fee);
        ledger.settledEpochs = epochs;
        _ledgers[facilityId] = ledger;
        emit Settled(facilityId, epochs, amount, fee, ledger.settled);
        _payTranches(facilityId, terms, amount - fee, from, epochs, batch, batchIndex);
        return (amount, true);
    }

    /// @notice What is both attested and collected, and not yet paid (invariant 4). Reverts with EpochNotFinal unless
    /// all epochs are final.
    /// @dev What is both attested and collected, and not yet paid: invariant 4. Reverts unless all epochs are final.
    /// @param facilityId The facility.
    /// @param epochs Number of leading epochs to count.
    /// @param ledger Running totals of the facility.
    /// @return Minor units.
    function _due(uint64 facilityId, uint32 epochs, Ledger memory ledger) private view returns (uint256) {
        (, uint256 attested) = statementRegistry.finalTotalsOf(facilityId, epochs);
        return Math.min(attested, ledger.collected) - ledger.settled;
    }

    /// @notice Lets the coupons of epochs `[from, to)` fall due, then books an amount down the waterfall (invariant 5).
    /// The money moves later, in `_accrue`.
    /// @dev Coupons of epochs `[from, to)` fall due, then `amount` goes down the waterfall: invariant 5. The money
    /// itself moves in `_accrue`.
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
        uint256[4] memory supplies = trancheToken.suppliesOf(facilityId, terms.trancheCount);
        uint256[4] memory due;
        uint64[4] storage stored = _arrears[facilityId];
        for (uint256 i = 0; i < 4; ++i) {
            if (terms.coupons[i] == 0) continue;
            uint256 perUnit = Waterfall.couponDueDown(terms.coupons[i], from, to, terms.epochCount);
            due[i] = stored[i] + perUnit * supplies[i];
        }
        (uint256[4] memory payments, uint256[4] memory arrears, uint256 left) = Waterfall.split(amount, due, supplies);
        for (uint256 i = 0; i < 4; ++i) {
            if (terms.coupons[i] > 0) stored[i] = SafeCast.toUint64(arrears[i]);
        }
        if (left > 0) {
            address gpuOperator = facilityRegistry.gpuOperatorOf(facilityId);
            owedTo[terms.settlementToken][gpuOperator] += left;
            emit ResidualOwed(facilityId, gpuOperator, left);
        } else if (amount > 0) {
            // The registry bounds epochLength to 24 bits.
            // forge-lint: disable-next-line(unsafe-typecast)
            batch.accruals[batchIndex] = ITrancheToken.Accrual(facilityId, uint24(terms.epochLength), payments);
            batch.settlementTokens[batchIndex] = terms.settlementToken;
        }
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
        if (approved != address(0)) trancheToken.accrue(batch.accruals);
    }

    /// @notice An empty batch.
    /// @param count Number of facilities.
    /// @return The batch.
    function _newBatch(uint256 count) private pure returns (Batch memory) {
        return Batch(new ITrancheToken.Accrual[](count), new address[](count));
    }
}
