// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPayouts} from "./IPayouts.sol";

/// @title Rent lockbox: takes rent in and lets only settlement take it out
/// @notice Amounts are minor units of the facility's settlement token. The lockbox counts only what its own functions
/// took in: tokens sent here without `payRent` are nobody's rent. Conservation, per facility: it holds collected -
/// settled + fees owed + what accounts are owed; and settled - fee = paid to tranches + credited to the gpuOperator
/// (the latter only where no tranche has units).
interface IRentLockbox is IPayouts {
    /// @notice Running totals of a facility's rent.
    /// @param collected Rent received and not given back, minor units, cumulative.
    /// @param settled Rent paid out (fees included), minor units, cumulative; never above `collected` nor above what is
    /// attested and final (invariant 4).
    /// @param settledEpochs Number of leading epochs that settlements so far have counted.
    struct Book {
        uint96 collected;
        uint96 settled;
        uint32 settledEpochs;
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

    /// @notice Money of a bond or a sale was paid to tranches. RevenueAccrued of each tranche that was paid follows.
    /// @param facilityId The facility.
    /// @param source The contract that it came from.
    /// @param amount Minor units.
    event Distributed(uint64 indexed facilityId, address indexed source, uint256 amount);

    /// @notice The gpuOperator was credited with money that fell on unsold units, on nobody, or on units that
    /// already earned the most that a unit can; `withdraw` takes it.
    /// @param facilityId The facility.
    /// @param gpuOperator The account that runs the facility's GPUs.
    /// @param amount Minor units.
    event ResidualOwed(uint64 indexed facilityId, address indexed gpuOperator, uint256 amount);

    /// @notice A facility of a batch could not be settled; the others were. Settle it alone to see why.
    /// @param facilityId The facility.
    event SettlementSkipped(uint64 indexed facilityId);

    /// @notice The treasury took a facility's fees.
    /// @param facilityId The facility.
    /// @param token The facility's settlement token.
    /// @param to The account that received them.
    /// @param amount Minor units.
    event FeesPaid(uint64 indexed facilityId, address indexed token, address indexed to, uint256 amount);

    /// @notice Rent is accepted only while the facility is Funded, Delivering or Defaulted.
    /// @param facilityId The facility.
    error RentNotAccepted(uint64 facilityId);

    /// @notice The payment exceeds what the facility's books can hold, 64 bits of rent in all.
    /// @param amount The payment, minor units.
    /// @param limit Most that can still be paid, minor units.
    error AmountAboveLimit(uint256 amount, uint256 limit);

    /// @notice No rent is both attested and collected beyond what was paid out, and no new epoch is final.
    /// @param facilityId The facility.
    error NothingToSettle(uint64 facilityId);

    /// @notice Only the lockbox itself may do this.
    /// @param caller The account that called.
    error NotThisContract(address caller);

    /// @notice Only the BondVault and the PrimarySale may distribute money.
    /// @param caller The account that called.
    error NotDistributor(address caller);

    /// @notice Rent is given back only after the facility matured or defaulted.
    /// @param facilityId The facility.
    error FacilityNotEnded(uint64 facilityId);

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

    /// @notice Pays rent for a lease by allowance, while the facility is Funded, Delivering or Defaulted: late rent is
    /// owed to holders until the facility matures. Caller: anybody; the caller pays.
    /// @dev Emits RentPaid. Reverts with RentNotAccepted, AmountZero, AmountAboveLimit, or with SettlementShort unless
    /// the balance grows by exactly `amount`.
    /// @param facilityId The facility.
    /// @param lease Lease hash of the statements: keccak-256 of facility salt and lease id.
    /// @param amount Minor units.
    function payRent(uint64 facilityId, bytes32 lease, uint256 amount) external;

    /// @notice Pays `min(attested in final epochs, collected) - settled` down the waterfall. The coupons of all final
    /// epochs fall due first, whoever calls and whenever: nobody chooses which tranche is paid (invariant 5). Caller:
    /// anybody.
    /// @dev Emits Settled, ResidualOwed for what falls on unsold units, on nobody or beyond a bound, and the
    /// TrancheToken emits RevenueAccrued of each tranche that was paid. The fee is rounded down on the cumulative, so
    /// that many small settlements pay the fee of a large one. Reverts with NothingToSettle.
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

    /// @notice Takes money from the caller and pays it down the waterfall, without a fee: bonds and sale proceeds that
    /// go to holders. Nothing of it falls on unsold units: the rest goes to the lowest-ranking tranche that has units,
    /// and to the gpuOperator only where nobody holds a unit. Final epochs that are not settled yet are settled first,
    /// so that the coupons of every final epoch are due before a junior tranche gets anything (invariant 5).
    /// Caller: the BondVault or the PrimarySale.
    /// @dev Emits Distributed, and the TrancheToken emits RevenueAccrued of each tranche that was paid. Reverts with
    /// NotDistributor, AmountZero or SettlementShort.
    /// @param facilityId The facility.
    /// @param amount Minor units.
    function distribute(uint64 facilityId, uint256 amount) external;

    /// @notice Credits rent back to its payer that no statement will ever cover: paid twice, too much, or for the wrong
    /// facility. Only after the facility matured or defaulted, at most what exceeds everything posted, and at most what
    /// that payer paid. The payer takes it with `withdraw`. Caller: the treasury role.
    /// @dev Emits RentRefunded. Reverts with FacilityNotEnded, AmountZero, RefundAboveExcess or RefundAbovePaid.
    /// @param facilityId The facility.
    /// @param payer The account that had paid.
    /// @param amount Minor units.
    function refundExcess(uint64 facilityId, address payer, uint256 amount) external;

    /// @notice Sends the fees of some facilities, each in its own token. If one token fails the whole call fails: leave
    /// its facility out. Caller: the treasury role.
    /// @dev Emits FeesPaid for each facility that owes fees. Reverts with RecipientInvalid.
    /// @param facilityIds The facilities.
    /// @param to The account that receives the fees.
    function takeFees(uint64[] calldata facilityIds, address to) external;

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

    /// @notice Fees of a facility that the treasury has not taken.
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

    /// @notice Rent that exceeds everything posted: what `refundExcess` may give back after the facility ended.
    /// @param facilityId The facility.
    /// @return Minor units; 0 if none.
    function excessOf(uint64 facilityId) external view returns (uint256);
}
