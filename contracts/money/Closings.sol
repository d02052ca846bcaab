// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IDeliveryDesk} from "../interfaces/IDeliveryDesk.sol";
import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {IPrimarySale} from "../interfaces/IPrimarySale.sol";
import {IRentLockbox} from "../interfaces/IRentLockbox.sol";
import {ClosingRules} from "./ClosingRules.sol";
import {Settlements} from "./Settlements.sol";
import {Waterfall} from "./Waterfall.sol";

/// @title Lockbox, part 2: bond and unearned proceeds of an ended facility
/// @notice Brings both here, shares them once, and shares rent that comes later. `ClosingRules` has the formula.
abstract contract Closings is Settlements {
    using SafeCast for uint256;

    /// @notice What the bond paid in place of renters, and got back: one word, read only once a facility is closed.
    /// @param advanced Attested rent that the bond paid at the closing, minor units.
    /// @param reimbursed Rent that came later and went where the bond would have gone, minor units.
    struct Late {
        uint64 advanced;
        uint64 reimbursed;
    }

    /// @dev Time for deliveries of the last statements to be served.
    uint256 private constant SERVING = 1 days;
    /// @dev Money of a closing streams for an epoch, but at least for so long.
    uint256 private constant MIN_SPAN = 1 days;

    ClosingRules private immutable _rules;

    mapping(uint64 facilityId => Late) internal _late;
    mapping(uint64 facilityId => Claims) private _claims;
    mapping(uint64 facilityId => uint128[4]) private _voucherPools;
    /// @inheritdoc IRentLockbox
    mapping(uint256 voucherId => uint256) public paidToVoucher;

    /// @notice Creates the judge of shares.
    constructor() {
        _rules = new ClosingRules();
    }

    /// @inheritdoc IRentLockbox
    function payVoucher(uint256 voucherId) external returns (uint256 amount) {
        (IDeliveryDesk.Voucher memory voucher, uint256 whole) = _voucherShare(voucherId);
        amount = whole - paidToVoucher[voucherId];
        require(amount > 0, NothingForVoucher(voucherId));
        paidToVoucher[voucherId] = whole;
        owedTo[facilityRegistry.settlementTokenOf(voucher.facilityId)][voucher.holder] += amount;
        emit VoucherPaid(voucherId, voucher.facilityId, voucher.holder, amount);
    }

    /// @inheritdoc IRentLockbox
    function payableToVoucher(uint256 voucherId) external view returns (uint256) {
        (, uint256 whole) = _voucherShare(voucherId);
        return whole - paidToVoucher[voucherId];
    }

    /// @inheritdoc IRentLockbox
    function voucherPoolsOf(uint64 facilityId) external view returns (uint128[4] memory) {
        return _voucherPools[facilityId];
    }

    /// @inheritdoc IRentLockbox
    function closingRules() external view returns (address) {
        return address(_rules);
    }

    /// @inheritdoc IRentLockbox
    function claimsOf(uint64 facilityId) external view returns (Claims memory) {
        return _claims[facilityId];
    }

    /// @inheritdoc IRentLockbox
    function advanceOf(uint64 facilityId) external view returns (uint256 advanced, uint256 reimbursed) {
        return (_late[facilityId].advanced, _late[facilityId].reimbursed);
    }

    /// @inheritdoc IRentLockbox
    function closableFrom(uint64 facilityId) public view returns (uint64) {
        uint64 statementsEndAt = statementRegistry.statementsEndAt(facilityId);
        if (statementsEndAt == 0 || _ledgers[facilityId].closed) return 0;
        // Times of blocks, and periods of at most a window.
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint64(statementsEndAt + SERVING);
    }

    /// @notice Shares bond and unearned proceeds of a facility that is settled, and emits FacilityClosed. The money of
    /// holders moves later, in `_accrue`.
    /// @param facilityId The facility.
    /// @param batch What the call pays; one entry.
    function _close(uint64 facilityId, Batch memory batch) internal {
        IFacilityRegistry.SettlementTerms memory terms = facilityRegistry.settlementTermsOf(facilityId);
        uint256 unpaid = _unpaid(facilityId);
        ClosingRules.Facts memory facts = _facts(facilityId, terms, unpaid);
        _ledgers[facilityId].closed = true;
        facilityRegistry.markClosed(facilityId);
        Closing memory closing = _collect(facilityId, terms.settlementToken, facts);
        uint256[4] memory payments;
        // What was settled so far has 64 bits, and so has what is advanced.
        closing.advanced = Math.min(Math.min(closing.bond, unpaid), type(uint64).max - _ledgers[facilityId].settled);
        if (closing.advanced > 0) {
            _late[facilityId].advanced = closing.advanced.toUint64();
            payments = _payOut(facilityId, terms, closing.advanced, _ledgers[facilityId].settledEpochs);
        }
        facts.bond = closing.bond - closing.advanced;
        (ClosingRules.Shares memory paid, ClosingRules.Shares memory claims) = _rules.share(facts);
        closing.missingGpuSeconds = facts.missingGpuSeconds;
        (closing.toUnits, closing.toVouchers) = (paid.units, paid.vouchers);
        (closing.toTreasury, closing.toOperator) = (paid.treasury, paid.gpuOperator);
        Claims memory open = _store(facilityId, claims);
        emit FacilityClosed(facilityId, closing, open);
        _book(facilityId, terms, paid, payments, batch, 0);
    }

    /// @notice Shares rent that replaces what the bond advanced, and emits LateRentShared.
    /// @param facilityId The facility; it is closed.
    /// @param terms What settlement reads of the facility.
    /// @param amount Minor units; 0 changes nothing.
    /// @param payments What the same call pays to tranches already, by seniority, minor units.
    /// @param batch What the call pays.
    /// @param batchIndex Entry of this facility in the batch.
    function _shareLate(
        uint64 facilityId,
        IFacilityRegistry.SettlementTerms memory terms,
        uint256 amount,
        uint256[4] memory payments,
        Batch memory batch,
        uint256 batchIndex
    ) internal {
        ClosingRules.Shares memory paid;
        if (amount > 0) {
            _late[facilityId].reimbursed += amount.toUint64();
            ClosingRules.Shares memory claims;
            (paid, claims) = _rules.spend(amount, _stored(facilityId));
            _store(facilityId, claims);
            emit LateRentShared(facilityId, amount, paid.units, paid.vouchers, paid.treasury, paid.gpuOperator);
        }
        _book(facilityId, terms, paid, payments, batch, batchIndex);
    }

    /// @notice Brings bond and unreleased proceeds here.
    /// @param facilityId The facility.
    /// @param settlementToken Its token.
    /// @param facts Gets what the sale says.
    /// @return closing Gets what came.
    function _collect(uint64 facilityId, address settlementToken, ClosingRules.Facts memory facts)
        private
        returns (Closing memory closing)
    {
        uint256 before = IERC20(settlementToken).balanceOf(address(this));
        closing.bond = facilityRegistry.bondVault().surrender(facilityId);
        IPrimarySale.Surrendered memory sold = facilityRegistry.primarySale().surrender(facilityId);
        closing.escrow = sold.escrow;
        _requireReceived(IERC20(settlementToken), before, closing.bond + closing.escrow);
        (facts.proceeds, facts.unearned, facts.unsigned) = (sold.proceeds, sold.unearned, sold.unsigned);
        (facts.escrow, facts.unitPrices) = (sold.escrow, sold.unitPrices);
    }

    /// @notice Books shares: units and vouchers by tranche, the treasury's with the fees, the rest to the gpuOperator.
    /// @param facilityId The facility.
    /// @param terms What settlement reads of the facility.
    /// @param paid The shares.
    /// @param payments What the same call pays to tranches already, by seniority, minor units.
    /// @param batch What the call pays.
    /// @param batchIndex Entry of this facility in the batch.
    function _book(
        uint64 facilityId,
        IFacilityRegistry.SettlementTerms memory terms,
        ClosingRules.Shares memory paid,
        uint256[4] memory payments,
        Batch memory batch,
        uint256 batchIndex
    ) private {
        for (uint256 i = 0; i < terms.trancheCount; ++i) {
            payments[i] += paid.units[i];
            if (paid.vouchers[i] > 0) _voucherPools[facilityId][i] += paid.vouchers[i].toUint128();
        }
        if (paid.treasury > 0) _ledgers[facilityId].feesOwed += paid.treasury.toUint64();
        if (paid.gpuOperator > 0) _oweOperator(facilityId, terms.settlementToken, paid.gpuOperator);
        // An epoch has 24 bits, and a day fewer.
        // forge-lint: disable-next-line(unsafe-typecast)
        uint24 span = uint24(Math.max(terms.epochLength, MIN_SPAN));
        _addAccrual(facilityId, terms.settlementToken, payments, span, batch, batchIndex);
    }

    /// @notice Stores what is still owed after a closing.
    /// @param facilityId The facility.
    /// @param claims What each is owed.
    /// @return open The same, as it is stored.
    function _store(uint64 facilityId, ClosingRules.Shares memory claims) private returns (Claims memory open) {
        for (uint256 i = 0; i < 4; ++i) {
            open.units[i] = claims.units[i].toUint128();
            open.vouchers[i] = claims.vouchers[i].toUint128();
        }
        open.treasury = claims.treasury.toUint128();
        _claims[facilityId] = open;
    }

    /// @notice What is still owed after a closing.
    /// @param facilityId The facility.
    /// @return claims What each is owed.
    function _stored(uint64 facilityId) private view returns (ClosingRules.Shares memory claims) {
        Claims memory open = _claims[facilityId];
        for (uint256 i = 0; i < 4; ++i) {
            claims.units[i] = open.units[i];
            claims.vouchers[i] = open.vouchers[i];
        }
        claims.treasury = open.treasury;
    }

    /// @notice What a closing depends on, without the sale and the bond.
    /// @param facilityId The facility.
    /// @param terms What settlement reads of the facility.
    /// @param unpaid Attested rent that nobody paid, minor units.
    /// @return facts The facts.
    function _facts(uint64 facilityId, IFacilityRegistry.SettlementTerms memory terms, uint256 unpaid)
        private
        view
        returns (ClosingRules.Facts memory facts)
    {
        Ledger memory ledger = _ledgers[facilityId];
        (uint32 epochs, uint64 available,) = statementRegistry.finalTotals(facilityId, 0);
        uint256 stated = facilityRegistry.promisedGpuSeconds(facilityId, epochs);
        uint256 known =
            facilityRegistry.promisedGpuSeconds(facilityId, statementRegistry.opennessOf(facilityId).firstOpen);
        facts.missingGpuSeconds = stated - Math.min(stated, available)
            + facilityRegistry.promisedGpuSeconds(facilityId, terms.epochCount) - known;
        facts.ratePerGpuHour = facilityRegistry.bondVault().bondTermsOf(facilityId).ratePerGpuHour;
        facts.feeBps = terms.feeBps;
        facts.openGpuSeconds = facilityRegistry.deliveryDesk().openGpuSecondsOf(facilityId);
        facts.openUnitSeconds = facilityRegistry.deliveryDesk().openUnitSecondsOf(facilityId);
        // First as if all attested rent were paid, for the coupons of final epochs; then all later coupons fall due.
        Waterfall.Ranks memory ranks = _fallDue(facilityId, terms, epochs, epochs);
        Waterfall.split(unpaid - _feeDown(ledger.settled, unpaid, terms.feeBps), ranks);
        for (uint256 i = 0; i < ranks.last; ++i) {
            uint256 perUnit = Waterfall.couponDueDown(terms.coupons[i], epochs, terms.epochCount, terms.epochCount);
            ranks.due[i] += perUnit * ranks.supplies[i];
            ranks.unsoldDue[i] += perUnit * terms.unsold[i];
        }
        facts.ranks = ranks;
    }

    /// @notice Attested rent that is not settled.
    /// @param facilityId The facility; everything posted is final.
    /// @return Minor units.
    function _unpaid(uint64 facilityId) private view returns (uint256) {
        return _postedGross(facilityId) - _ledgers[facilityId].settled;
    }

    /// @notice Rent of all posted statements of a facility.
    /// @param facilityId The facility.
    /// @return Minor units.
    function _postedGross(uint64 facilityId) internal view returns (uint256) {
        uint32 posted = statementRegistry.epochsPosted(facilityId);
        return posted == 0 ? 0 : statementRegistry.statementOf(facilityId, posted - 1).cumulativeGross;
    }

    /// @notice All that a voucher is paid of its tranche's pool: in proportion to what it is open for.
    /// @param voucherId The voucher.
    /// @return voucher The voucher.
    /// @return whole Minor units, rounded down; 0 before the closing.
    function _voucherShare(uint256 voucherId)
        private
        view
        returns (IDeliveryDesk.Voucher memory voucher, uint256 whole)
    {
        IDeliveryDesk desk = facilityRegistry.deliveryDesk();
        voucher = desk.voucherOf(voucherId);
        uint256 pool = _voucherPools[voucher.facilityId][voucher.seniority];
        uint256 open = voucher.owedGpuSeconds - voucher.servedGpuSeconds;
        // A pool is filled only for open vouchers.
        if (pool > 0) whole = pool * open / desk.openGpuSecondsOf(voucher.facilityId)[voucher.seniority];
    }
}
