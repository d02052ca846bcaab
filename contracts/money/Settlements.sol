// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {IRentLockbox} from "../interfaces/IRentLockbox.sol";
import {IStatementRegistry} from "../interfaces/IStatementRegistry.sol";
import {ITrancheToken} from "../interfaces/ITrancheToken.sol";
import {Waterfall} from "./Waterfall.sol";
import {Payouts} from "./Payouts.sol";

/// @title Lockbox, part 1: rent down the waterfall
/// @notice The books of rent, what tranches are behind, and how a payment reaches holders.
/// api/domain/capital/settlement.py is the reference model.
abstract contract Settlements is IRentLockbox, Payouts {
    using SafeERC20 for IERC20;

    /// @notice Running totals of a facility: one word. 64 bits hold 18 million million dollars of a 6-decimal token;
    /// more reverts.
    /// @param collected Rent received and not given back, minor units.
    /// @param settled Rent paid out, fees included, minor units; also what the bond paid of it at the closing.
    /// @param feesOwed Fees that the attester desk has not taken, minor units.
    /// @param settledEpochs Number of leading epochs counted so far.
    /// @param closed Whether the facility is closed: only then there is a `Late` word.
    struct Ledger {
        uint64 collected;
        uint64 settled;
        uint64 feesOwed;
        uint32 settledEpochs;
        bool closed;
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
    /// @param accruals Revenue for the TrancheToken.
    /// @param settlementTokens Token of each entry.
    struct Batch {
        ITrancheToken.Accrual[] accruals;
        address[] settlementTokens;
    }

    /// @notice What a settlement pays out, minor units.
    /// @param amount Rent, fee included.
    /// @param late Rent that replaces what the bond advanced at the closing.
    /// @param further Rent beyond that, which comes after the closing: claims come first.
    /// @param epochs Number of leading final epochs.
    struct Due {
        uint256 amount;
        uint256 late;
        uint256 further;
        uint32 epochs;
    }

    uint256 internal constant BPS = 10_000;
    /// @dev An allowance of 256 one-bits is kept for ever by most tokens, also by those that count it in 96 bits. Where
    /// it is counted down it is renewed long before a batch could exceed it: no facility pays more than 2^64 at once.
    uint256 private constant LOW_ALLOWANCE = type(uint80).max;

    /// @notice Register that names terms, operators and the other contracts.
    IFacilityRegistry public immutable facilityRegistry;
    /// @notice Registry that says what is attested and final.
    IStatementRegistry public immutable statementRegistry;
    /// @notice Token whose holders are paid.
    ITrancheToken public immutable trancheToken;

    mapping(uint64 facilityId => Ledger) internal _ledgers;
    /// @dev By seniority. The last tranche has no coupon.
    mapping(uint64 facilityId => Coupon[3]) internal _coupons;

    /// @notice Sets registers and token.
    /// @param facilities Register that names terms, operators and the other contracts.
    /// @param statements Registry that says what is attested and final.
    /// @param token Token whose holders are paid.
    constructor(IFacilityRegistry facilities, IStatementRegistry statements, ITrancheToken token)
        Payouts(token.walletDesk())
    {
        facilityRegistry = facilities;
        statementRegistry = statements;
        trancheToken = token;
    }

    /// @notice Books rent as paid out: less its fee, which is rounded down on the cumulative, it goes down the
    /// waterfall. Emits Settled. The money moves later, in `_accrue`.
    /// @param facilityId The facility.
    /// @param terms What settlement reads of the facility.
    /// @param amount Minor units.
    /// @param epochs Number of leading final epochs: the coupons of those that were not counted yet fall due first.
    /// @return payments What each tranche's holders get, by seniority, minor units.
    function _payOut(uint64 facilityId, IFacilityRegistry.SettlementTerms memory terms, uint256 amount, uint32 epochs)
        internal
        returns (uint256[4] memory payments)
    {
        Ledger memory ledger = _ledgers[facilityId];
        uint256 fee = _feeDown(ledger.settled, amount, terms.feeBps);
        uint256 settled = ledger.settled + amount;
        Waterfall.Ranks memory ranks = _fallDue(facilityId, terms, ledger.settledEpochs, epochs);
        // What is settled is at most what was collected or advanced, which has 64 bits; and a fee is a part of it.
        // forge-lint: disable-start(unsafe-typecast)
        ledger.settled = uint64(settled);
        ledger.feesOwed += uint64(fee);
        // forge-lint: disable-end(unsafe-typecast)
        ledger.settledEpochs = epochs;
        _ledgers[facilityId] = ledger;
        emit Settled(facilityId, epochs, amount, fee, settled);
        uint256 toOperator;
        (payments, toOperator) = Waterfall.split(amount - fee, ranks);
        for (uint256 i = 0; i < ranks.last; ++i) {
            _setBehind(_coupons[facilityId][i], ranks.due[i], ranks.unsoldDue[i], ranks.supplies[i]);
        }
        if (toOperator > 0) _oweOperator(facilityId, terms.settlementToken, toOperator);
    }

    /// @notice Fee on a payment of rent.
    /// @param settled Rent paid out before, minor units.
    /// @param amount Rent paid out now, minor units.
    /// @param feeBps Basis points.
    /// @return Minor units, rounded down on the cumulative.
    function _feeDown(uint256 settled, uint256 amount, uint256 feeBps) internal pure returns (uint256) {
        return (settled + amount) * feeBps / BPS - settled * feeBps / BPS;
    }

    /// @notice Puts a facility's payments into a batch; nothing happens without any.
    /// @param facilityId The facility.
    /// @param settlementToken Its token.
    /// @param payments Minor units by seniority.
    /// @param span Seconds over which they vest.
    /// @param batch What the call pays.
    /// @param batchIndex Entry of this facility in the batch.
    function _addAccrual(
        uint64 facilityId,
        address settlementToken,
        uint256[4] memory payments,
        uint24 span,
        Batch memory batch,
        uint256 batchIndex
    ) internal pure {
        if (payments[0] | payments[1] | payments[2] | payments[3] == 0) return;
        batch.accruals[batchIndex] = ITrancheToken.Accrual(facilityId, span, payments);
        batch.settlementTokens[batchIndex] = settlementToken;
    }

    /// @notice What the tranches are behind once the coupons of epochs `[from, to)` are due.
    /// @param facilityId The facility.
    /// @param terms What settlement reads of the facility.
    /// @param from First epoch whose coupons fall due.
    /// @param to Epoch after the last one.
    /// @return ranks What each tranche is behind.
    function _fallDue(uint64 facilityId, IFacilityRegistry.SettlementTerms memory terms, uint256 from, uint256 to)
        internal
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
    function _arrearsNow(Coupon memory behind, uint256 units) internal pure returns (uint256) {
        return behind.arrears == 0 ? 0 : behind.arrears * units / behind.units;
    }

    /// @notice Sends a batch to the TrancheToken.
    /// @dev All storage is written before: settlement tokens are called here for the first time.
    /// @param batch What the call pays.
    function _accrue(Batch memory batch) internal {
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
    function _oweOperator(uint64 facilityId, address settlementToken, uint256 amount) internal {
        address gpuOperator = facilityRegistry.gpuOperatorOf(facilityId);
        owedTo[settlementToken][gpuOperator] += amount;
        emit ResidualOwed(facilityId, gpuOperator, amount);
    }

    /// @notice An empty batch.
    /// @param count Number of facilities.
    /// @return The batch.
    function _newBatch(uint256 count) internal pure returns (Batch memory) {
        return Batch(new ITrancheToken.Accrual[](count), new address[](count));
    }
}
