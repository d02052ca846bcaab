// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPayouts} from "./IPayouts.sol";

/// @title Rent lockbox: takes rent in and lets only settlement take it out
/// @notice Amounts are minor units of the facility's settlement token. The lockbox counts only what its own functions
/// took in: tokens sent here without `payRent` are nobody's rent. Conservation, per facility: it holds collected +
/// advanced - reimbursed - settled + fees owed + what accounts and vouchers are owed; settled - fee = paid to tranches
/// + credited to the gpuOperator; and bond + escrow of a closing = advanced + all its shares.
interface IRentLockbox is IPayouts {
    /// @notice Running totals of a facility's rent.
    /// @param collected Rent received and not given back, minor units, cumulative.
    /// @param settled Rent paid out (fees included), minor units, cumulative; never above what is attested and final,
    /// nor above `collected` and what the bond advanced at the closing (invariant 4).
    /// @param settledEpochs Number of leading epochs that settlements so far have counted.
    struct Book {
        uint96 collected;
        uint96 settled;
        uint32 settledEpochs;
    }

    /// @notice What a closing did. Amounts are minor units, arrays by seniority. bond + escrow = advanced + all shares.
    /// @param missingGpuSeconds Promised and not delivered, GPU-seconds.
    /// @param bond The bond as it was.
    /// @param escrow Sale proceeds as they were, without what delivery earned.
    /// @param advanced Part of the bond that paid attested rent in place of renters: it is in Settled.
    /// @param toUnits Shares of units in circulation.
    /// @param toVouchers Shares of vouchers for what they are open.
    /// @param toTreasury Fee on what was missing.
    /// @param toOperator The rest.
    struct Closing {
        uint256 missingGpuSeconds;
        uint256 bond;
        uint256 escrow;
        uint256 advanced;
        uint256[4] toUnits;
        uint256[4] toVouchers;
        uint256 toTreasury;
        uint256 toOperator;
    }

    /// @notice What stays owed after a closing, minor units by seniority: late rent pays it.
    /// @param units To units in circulation.
    /// @param vouchers To vouchers.
    /// @param treasury To the treasury.
    struct Claims {
        uint256[4] units;
        uint256[4] vouchers;
        uint256 treasury;
    }

    /// @notice Rent arrived.
    /// @param facilityId The facility.
    /// @param lease Lease hash that the payment is for.
    /// @param payer The account that paid.
    /// @param amount Minor units.
    /// @param cumulativeCollected Rent of the facility after it, minor units.
    event RentPaid(
        uint64 indexed facilityId,
        bytes32 indexed lease,
        address indexed payer,
        uint256 amount,
        uint256 cumulativeCollected
    );

    /// @notice Rent that exceeds everything attested was credited back to its payer; `withdraw` takes it.
    /// @param facilityId The facility.
    /// @param payer The account that had paid.
    /// @param amount Minor units.
    /// @param cumulativeCollected Rent of the facility after it, minor units.
    event RentRefunded(uint64 indexed facilityId, address indexed payer, uint256 amount, uint256 cumulativeCollected);

    /// @notice Rent was paid out. RevenueAccrued of each tranche that was paid follows.
    /// @param facilityId The facility.
    /// @param settledEpochs Number of leading epochs counted so far.
    /// @param amount Minor units paid out, fee included.
    /// @param fee Protocol fee in `amount`, minor units.
    /// @param cumulativeSettled Minor units paid out so far.
    event Settled(
        uint64 indexed facilityId, uint32 settledEpochs, uint256 amount, uint256 fee, uint256 cumulativeSettled
    );

    /// @notice A facility was closed: its bond and unearned proceeds are shared. RevenueAccrued of each tranche that
    /// was paid follows, and ResidualOwed for the gpuOperator.
    /// @param facilityId The facility.
    /// @param closing What was shared.
    /// @param claims What stays owed.
    event FacilityClosed(uint64 indexed facilityId, Closing closing, Claims claims);

    /// @notice Rent that came after the closing went to claims: in place of what the bond had advanced, or before
    /// it ran down the waterfall.
    /// @param facilityId The facility.
    /// @param amount Minor units.
    /// @param toUnits Shares of units in circulation, by seniority.
    /// @param toVouchers Shares of vouchers, by seniority.
    /// @param toTreasury Fee on what was missing.
    /// @param toOperator The rest.
    event LateRentShared(
        uint64 indexed facilityId,
        uint256 amount,
        uint256[4] toUnits,
        uint256[4] toVouchers,
        uint256 toTreasury,
        uint256 toOperator
    );

    /// @notice A voucher's holder is owed money for what was not served; `withdraw` takes it.
    /// @param voucherId The voucher.
    /// @param facilityId The facility.
    /// @param holder The voucher's holder.
    /// @param amount Minor units.
    event VoucherPaid(uint256 indexed voucherId, uint64 indexed facilityId, address indexed holder, uint256 amount);

    /// @notice The gpuOperator was credited with money that fell on unsold units, on nobody, or on units that
    /// already earned the most that a unit can; or with its rest of a closing, or of late rent. `withdraw` takes it.
    /// @param facilityId The facility.
    /// @param gpuOperator The account that runs the facility's GPUs.
    /// @param amount Minor units.
    event ResidualOwed(uint64 indexed facilityId, address indexed gpuOperator, uint256 amount);

    /// @notice A facility of a batch could not be settled; the others were. Settle it alone to see why.
    /// @param facilityId The facility.
    event SettlementSkipped(uint64 indexed facilityId);

    /// @notice A facility's fees went to the AttesterDesk, which splits them between attesters and treasury.
    /// @param facilityId The facility.
    /// @param token The facility's settlement token.
    /// @param amount Minor units.
    event FeesPassed(uint64 indexed facilityId, address indexed token, uint256 amount);

    /// @notice Only the RefundDesk gives rent back.
    /// @param caller The account that called.
    error NotRefundDesk(address caller);

    /// @notice Only the AttesterDesk takes fees.
    /// @param caller The account that called.
    error NotAttesterDesk(address caller);

    /// @notice Rent is accepted only from the funding on.
    /// @param facilityId The facility.
    error RentNotAccepted(uint64 facilityId);

    /// @notice The payment exceeds what the facility's books can hold, 64 bits of rent in all; or, once it is closed,
    /// what is attested and unpaid.
    /// @param amount The payment, minor units.
    /// @param limit Most that can still be paid, minor units.
    error AmountAboveLimit(uint256 amount, uint256 limit);

    /// @notice No rent is both attested and collected beyond what was paid out, and no new epoch is final.
    /// @param facilityId The facility.
    error NothingToSettle(uint64 facilityId);

    /// @notice Only the lockbox itself may do this.
    /// @param caller The account that called.
    error NotThisContract(address caller);

    /// @notice The facility cannot be closed now: it has not ended, is closed already, or statements and deliveries may
    /// still come.
    /// @param facilityId The facility.
    /// @param opensAt UTC second from which it can be closed; 0 if it has not ended or is closed.
    error ClosingNotOpen(uint64 facilityId, uint64 opensAt);

    /// @notice There is nothing for this voucher: its facility is not closed, all of it was served, or all that there
    /// is was credited.
    /// @param voucherId The voucher.
    error NothingForVoucher(uint256 voucherId);

    /// @notice Rent is given back only after the facility is closed.
    /// @param facilityId The facility.
    error FacilityNotClosed(uint64 facilityId);

    /// @notice The refund exceeds the rent that no statement covers.
    /// @param facilityId The facility.
    /// @param amount Minor units asked for.
    /// @param excess Minor units that may be given back.
    error RefundAboveExcess(uint64 facilityId, uint256 amount, uint256 excess);

    /// @notice The refund exceeds what this payer paid.
    /// @param facilityId The facility.
    /// @param payer The account.
    /// @param amount Minor units asked for.
    /// @param paid Minor units that it paid, less refunds.
    error RefundAbovePaid(uint64 facilityId, address payer, uint256 amount, uint256 paid);

    /// @notice Pays rent for a lease by allowance, from the funding on: late rent is still rent. Once the facility is
    /// closed, up to what is attested and unpaid. Caller: anybody; the caller pays.
    /// @dev Emits RentPaid. Reverts with RentNotAccepted, AmountZero, AmountAboveLimit, or with SettlementShort unless
    /// the balance grows by exactly `amount`.
    /// @param facilityId The facility.
    /// @param lease Lease hash of the statements, as `IStatementRegistry.Line` has it.
    /// @param amount Minor units.
    function payRent(uint64 facilityId, bytes32 lease, uint256 amount) external;

    /// @notice Pays `min(attested in final epochs, collected) - settled` down the waterfall. The coupons of all final
    /// epochs fall due first, whoever calls and whenever: nobody chooses which tranche is paid (invariant 5). Caller:
    /// anybody.
    /// @dev Emits Settled, LateRentShared for rent that the bond had advanced, ResidualOwed for what falls on unsold
    /// units, on nobody or beyond a bound, and the TrancheToken emits RevenueAccrued of each tranche that was paid. The
    /// fee is rounded down on the cumulative, so that many small settlements pay the fee of a large one. Reverts with
    /// NothingToSettle.
    /// @param facilityId The facility.
    /// @return amount Minor units paid out, fee included.
    function settle(uint64 facilityId) external returns (uint256 amount);

    /// @notice `settle` of many facilities in one call. Facilities with nothing to settle are passed over, and one that
    /// cannot be settled stops no other. Caller: anybody.
    /// @dev Emits Settled of each facility first, then RevenueAccrued of all tranches: money of consecutive facilities
    /// with one settlement token moves in one transfer. If that fails, each facility is settled by itself, and
    /// SettlementSkipped names those that cannot be.
    /// @param facilityIds The facilities.
    function settleMany(uint64[] calldata facilityIds) external;

    /// @notice Settles facilities all or none: a step of `settleMany`. Caller: the lockbox itself.
    /// @dev Events as `settleMany`, without SettlementSkipped. Reverts with NotThisContract, or as a settlement token
    /// does.
    /// @param facilityIds The facilities.
    function settleTogether(uint64[] calldata facilityIds) external;

    /// @notice Closes an ended facility, once: shares its bond and unearned proceeds, as docs/DEAL.md says. Settles
    /// first. The bond pays attested and unpaid rent, as rent; then bond and proceeds pay what missing hours cost, by
    /// rank; the rest is the gpuOperator's. Holders' money streams for an epoch, but at least for a day. Caller:
    /// anybody, from `closableFrom` on.
    /// @dev Emits Settled, FacilityClosed and ResidualOwed, and the TrancheToken emits RevenueAccrued. Reverts with
    /// ClosingNotOpen or SettlementShort.
    /// @param facilityId The facility.
    function close(uint64 facilityId) external;

    /// @notice Credits a voucher's holder with its part of what the closing, and rent since then, gave to the vouchers
    /// of its tranche: in proportion to open GPU-seconds, rounded down. The holder takes it with `withdraw`. Caller:
    /// anybody.
    /// @dev Emits VoucherPaid. Reverts with NothingForVoucher, or with IDeliveryDesk.VoucherUnknown.
    /// @param voucherId The voucher.
    /// @return amount Minor units credited now.
    function payVoucher(uint256 voucherId) external returns (uint256 amount);

    /// @notice Credits rent back to its payer that no statement will ever cover: paid twice, too much, or for the wrong
    /// facility. Only after the facility is closed, at most what exceeds everything posted, and at most what
    /// that payer paid. The payer takes it with `withdraw`. Caller: the RefundDesk, which says who is paid.
    /// @dev Emits RentRefunded. Reverts with NotRefundDesk, FacilityNotClosed, AmountZero, RefundAboveExcess or
    /// RefundAbovePaid.
    /// @param facilityId The facility.
    /// @param payer The account that had paid.
    /// @param amount Minor units.
    function refundExcess(uint64 facilityId, address payer, uint256 amount) external;

    /// @notice Sends a facility's fees to the AttesterDesk. Caller: the AttesterDesk, see `IAttesterDesk.collect`.
    /// @dev Emits FeesPassed. Reverts with NotAttesterDesk.
    /// @param facilityId The facility.
    function passFees(uint64 facilityId) external;

    /// @notice Running totals of a facility's rent.
    /// @param facilityId The facility.
    /// @return The totals.
    function bookOf(uint64 facilityId) external view returns (Book memory);

    /// @notice Coupon that fell due on the units of a tranche and is not paid. Arrears belong to units: those of a unit
    /// that is burned lapse. What a tranche was paid is in its events.
    /// @param id The tranche.
    /// @return Minor units, rounded down.
    function arrearsOf(uint256 id) external view returns (uint256);

    /// @notice Coupon that fell due on the unsold units of a tranche and is not paid: owed to the gpuOperator.
    /// @param id The tranche.
    /// @return Minor units.
    function unsoldArrearsOf(uint256 id) external view returns (uint256);

    /// @notice Fees of a facility that the AttesterDesk has not collected.
    /// @param facilityId The facility.
    /// @return Minor units.
    function feesOwed(uint64 facilityId) external view returns (uint256);

    /// @notice Rent that one payer paid for a facility, less refunds.
    /// @param facilityId The facility.
    /// @param payer The account.
    /// @return Minor units.
    function paidBy(uint64 facilityId, address payer) external view returns (uint256);

    /// @notice What `settle` would pay out now.
    /// @param facilityId The facility.
    /// @return Minor units, fee included; 0 if nothing.
    function settleable(uint64 facilityId) external view returns (uint256);

    /// @notice From when a facility can be closed: a day after the last statement that can come, or can be voided.
    /// @param facilityId The facility.
    /// @return UTC second; 0 while it has not ended, and once it is closed.
    function closableFrom(uint64 facilityId) external view returns (uint64);

    /// @notice The contract that computes shares: anybody can ask it what a closing would give.
    /// @return Address of the ClosingRules.
    function closingRules() external view returns (address);

    /// @notice What stays owed after a closing.
    /// @param facilityId The facility.
    /// @return The claims; all zero before the closing.
    function claimsOf(uint64 facilityId) external view returns (Claims memory);

    /// @notice What the bond paid of attested rent at the closing, up to what delivered hours are worth at its rate;
    /// and what of later rent went to claims. Rent that neither renters nor the bond paid stands for nothing in a
    /// closing.
    /// @param facilityId The facility.
    /// @return advanced Minor units that the bond paid.
    /// @return reimbursed Minor units of later rent that went to claims.
    function advanceOf(uint64 facilityId) external view returns (uint256 advanced, uint256 reimbursed);

    /// @notice All that vouchers of each tranche got, credited or not.
    /// @param facilityId The facility.
    /// @return Minor units by seniority; 0 before the closing.
    function voucherPoolsOf(uint64 facilityId) external view returns (uint256[4] memory);

    /// @notice What `payVoucher` would credit now. Reverts with IDeliveryDesk.VoucherUnknown.
    /// @param voucherId The voucher.
    /// @return Minor units.
    function payableToVoucher(uint256 voucherId) external view returns (uint256);

    /// @notice What was credited for a voucher so far.
    /// @param voucherId The voucher.
    /// @return Minor units.
    function paidToVoucher(uint256 voucherId) external view returns (uint256);

    /// @notice Rent that exceeds everything posted: what `refundExcess` may give back after the facility is closed.
    /// @param facilityId The facility.
    /// @return Minor units; 0 if none.
    function excessOf(uint64 facilityId) external view returns (uint256);
}
