// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IDeliveryDesk} from "../interfaces/IDeliveryDesk.sol";
import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {IPrimarySale} from "../interfaces/IPrimarySale.sol";
import {IRentLockbox} from "../interfaces/IRentLockbox.sol";
import {ClosingRules} from "./ClosingRules.sol";
import {Settlements} from "./Settlements.sol";

/// @title Lockbox, part 2: bond and unearned proceeds of an ended facility
/// @notice Brings both here, shares them once, and shares rent that comes later. `ClosingRules` has the formula.
abstract contract Closings is Settlements {
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
    mapping(uint64 facilityId => ClosingRules.Shares) private _claims;
    mapping(uint64 facilityId => uint256[4]) private _voucherPools;
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
    function voucherPoolsOf(uint64 facilityId) external view returns (uint256[4] memory) {
        return _voucherPools[facilityId];
    }

    /// @inheritdoc IRentLockbox
    function closingRules() external view returns (address) {
        return address(_rules);
    }

    /// @inheritdoc IRentLockbox
    function claimsOf(uint64 facilityId) external view returns (Claims memory) {
        ClosingRules.Shares memory open = _claims[facilityId];
        return Claims(open.units, open.vouchers, open.treasury);
    }

    /// @inheritdoc IRentLockbox
    function advanceOf(uint64 facilityId) external view returns (uint256 advanced, uint256 reimbursed) {
        Late memory late = _late[facilityId];
        return (late.advanced, late.reimbursed);
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
        (ClosingRules.Facts memory facts, uint32 epochs) = _facts(facilityId, terms);
        uint256 unpaid = _payable(facilityId, facts);
        _ledgers[facilityId].closed = true;
        facilityRegistry.markClosed(facilityId);
        Closing memory closing = _collect(facilityId, terms.settlementToken, facts);
        closing.advanced = Math.min(closing.bond, unpaid);
        facts.ranks = _fallDue(facilityId, terms, epochs, epochs);
        uint256[4] memory arrears = facts.ranks.due;
        uint256[4] memory payments;
        // Also where nothing is advanced, if a tranche is behind: it brings arrears up to the units that are left.
        if (closing.advanced + arrears[0] + arrears[1] + arrears[2] > 0) {
            payments = _payOut(facilityId, terms, closing.advanced, epochs);
        }
        // What is payable has 64 bits.
        // forge-lint: disable-next-line(unsafe-typecast)
        _late[facilityId].advanced = uint64(closing.advanced);
        facts.bond = closing.bond - closing.advanced;
        // What is behind of final epochs; then the coupons of all later ones fall due.
        facts.ranks = _fallDue(facilityId, terms, epochs, epochs);
        arrears = facts.ranks.due;
        facts.ranks = _fallDue(facilityId, terms, epochs, terms.epochCount);
        (ClosingRules.Shares memory paid, ClosingRules.Shares memory claims, uint256[4] memory claimed) =
            _rules.share(facts);
        // Arrears that became claims are claims alone: rent that comes later does not pay them again.
        for (uint256 i = 0; i < facts.ranks.last; ++i) {
            // Never more than the arrears, which have 64 bits.
            // forge-lint: disable-next-line(unsafe-typecast)
            _coupons[facilityId][i].arrears -= uint64(Math.min(arrears[i], claimed[i]));
        }
        closing.missingGpuSeconds = facts.missingGpuSeconds;
        (closing.toUnits, closing.toVouchers) = (paid.units, paid.vouchers);
        (closing.toTreasury, closing.toOperator) = (paid.treasury, paid.gpuOperator);
        _claims[facilityId] = claims;
        emit FacilityClosed(facilityId, closing, Claims(claims.units, claims.vouchers, claims.treasury));
        _book(facilityId, terms, paid, payments, batch, 0);
    }

    /// @notice Pays out what came after the closing. Emits LateRentShared for what goes to claims, Settled for rent.
    /// @param facilityId The facility; it is closed.
    /// @param terms What settlement reads of the facility.
    /// @param due What is paid.
    /// @param batch What the call pays.
    /// @param batchIndex Entry of this facility in the batch.
    function _settleClosed(
        uint64 facilityId,
        IFacilityRegistry.SettlementTerms memory terms,
        Due memory due,
        Batch memory batch,
        uint256 batchIndex
    ) internal {
        ClosingRules.Shares memory paid;
        uint256 rent;
        (paid, _claims[facilityId], rent) = _rules.spend(due.late, due.further, _claims[facilityId]);
        uint256 toClaims = due.late + due.further - rent;
        if (toClaims > 0) {
            // A part of what was collected, which has 64 bits.
            // forge-lint: disable-next-line(unsafe-typecast)
            _late[facilityId].reimbursed += uint64(toClaims);
            emit LateRentShared(facilityId, toClaims, paid.units, paid.vouchers, paid.treasury, paid.gpuOperator);
        }
        uint256[4] memory payments;
        if (rent > 0) payments = _payOut(facilityId, terms, rent, due.epochs);
        _book(facilityId, terms, paid, payments, batch, batchIndex);
    }

    /// @notice What a closed facility has to pay out.
    /// @param facilityId The facility.
    /// @param ledger Running totals of the facility.
    /// @param attested Rent attested, minor units.
    /// @param due Gets the amounts.
    function _dueClosed(uint64 facilityId, Ledger memory ledger, uint256 attested, Due memory due) internal view {
        Late memory late = _late[facilityId];
        uint256 left = uint256(ledger.collected) + late.advanced - late.reimbursed - ledger.settled;
        due.late = Math.min(left, _less(late.advanced, late.reimbursed));
        // Of what is attested and not settled, some may have gone to claims before.
        uint256 toClaims = _less(late.reimbursed, late.advanced);
        // A closing statement can lower what is attested below what is settled.
        due.further = Math.min(left - due.late, _less(_less(attested, ledger.settled), toClaims));
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
            if (paid.vouchers[i] > 0) _voucherPools[facilityId][i] += paid.vouchers[i];
        }
        // A fee on damages, which the vault keeps below 2^63.
        // forge-lint: disable-next-line(unsafe-typecast)
        if (paid.treasury > 0) _ledgers[facilityId].feesOwed += uint64(paid.treasury);
        if (paid.gpuOperator > 0) _oweOperator(facilityId, terms.settlementToken, paid.gpuOperator);
        // An epoch has 24 bits, and a day fewer.
        // forge-lint: disable-next-line(unsafe-typecast)
        uint24 span = uint24(Math.max(terms.epochLength, MIN_SPAN));
        _addAccrual(facilityId, terms.settlementToken, payments, span, batch, batchIndex);
    }

    /// @notice What a closing depends on, without the sale, the bond and the tranches.
    /// @param facilityId The facility.
    /// @param terms What settlement reads of the facility.
    /// @return facts The facts.
    /// @return epochs Number of leading final epochs.
    function _facts(uint64 facilityId, IFacilityRegistry.SettlementTerms memory terms)
        private
        view
        returns (ClosingRules.Facts memory facts, uint32 epochs)
    {
        uint64 available;
        (epochs, available,) = statementRegistry.finalTotals(facilityId, 0);
        uint256 stated = facilityRegistry.promisedGpuSeconds(facilityId, epochs);
        uint32 published = statementRegistry.opennessOf(facilityId).firstOpen;
        facts.missingGpuSeconds = _less(stated, available)
            + facilityRegistry.promisedGpuSeconds(facilityId, terms.epochCount)
            - facilityRegistry.promisedGpuSeconds(facilityId, published);
        facts.availableGpuSeconds = available;
        facts.ratePerGpuHour = facilityRegistry.bondVault().bondTermsOf(facilityId).ratePerGpuHour;
        facts.feeBps = terms.feeBps;
        IDeliveryDesk desk = facilityRegistry.deliveryDesk();
        facts.servedGpuSeconds = desk.servedGpuSecondsOf(facilityId);
        facts.openGpuSeconds = desk.openGpuSecondsOf(facilityId);
        facts.openUnitSeconds = desk.openUnitSecondsOf(facilityId);
    }

    /// @notice Attested rent that nobody paid and that the bond may pay: up to what delivered hours are worth at its
    /// rate.
    /// @dev Attesters believe leases: what a friend of the gpuOperator owes and never pays must take nothing from
    /// damages. Hours that vouchers were served, or claim, earn no rent.
    /// @param facilityId The facility; everything posted is final.
    /// @param facts Hours and the rate.
    /// @return Minor units; together with what is settled they have 64 bits.
    function _payable(uint64 facilityId, ClosingRules.Facts memory facts) private view returns (uint256) {
        uint256 open = 0;
        for (uint256 i = 0; i < 4; ++i) {
            open += facts.openGpuSeconds[i];
        }
        uint256 others = facts.servedGpuSeconds + _less(open, facts.missingGpuSeconds);
        uint256 worth = _less(facts.availableGpuSeconds, others) * facts.ratePerGpuHour / 1 hours;
        uint256 most = Math.min(Math.min(statementRegistry.postedGross(facilityId), worth), type(uint64).max);
        return _less(most, _ledgers[facilityId].settled);
    }

    /// @notice What is left of an amount.
    /// @param amount The amount.
    /// @param part What is taken off.
    /// @return The rest; 0 if more is taken off than there is.
    function _less(uint256 amount, uint256 part) internal pure returns (uint256) {
        return amount > part ? amount - part : 0;
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
