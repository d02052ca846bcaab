// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPayouts} from "./IPayouts.sol";

/// @title Rent lockbox: takes rent in, lets only settlement take it out
/// @notice Amounts are minor units of the facility's settlement token. Internal books only: tokens sent here without
/// `payRent` are nobody's rent. Conservation, per facility: collected - settled + fees owed + what accounts are owed
/// is held here; settled - fee = paid to tranches + owed to the gpuOperator (only where no tranche has units).
interface IRentLockbox is IPayouts {
    /// @param collected Rent received and not given back, cumulative.
    /// @param settled Rent paid out (fees included), cumulative; never above `collected` nor above what is
    /// attested and final (invariant 4).
    /// @param settledEpochs Number of leading epochs that settlements so far counted.
    struct Book {
        uint96 collected;
        uint96 settled;
        uint32 settledEpochs;
    }

    /// @notice Rent arrived.
    event RentPaid(
        uint64 indexed facilityId,
        bytes32 indexed lease,
        address indexed payer,
        uint256 amount,
        uint256 cumulativeCollected
    );
    /// @notice Rent that exceeded what was ever attested is owed back to its payer.
    event RentRefunded(uint64 indexed facilityId, address indexed payer, uint256 amount, uint256 cumulativeCollected);
    /// @notice `amount` of rent (fee included) was paid out. RevenueAccrued of each paid tranche follows.
    event Settled(
        uint64 indexed facilityId, uint32 settledEpochs, uint256 amount, uint256 fee, uint256 cumulativeSettled
    );
    /// @notice `amount` from bond or sale was paid to tranches. RevenueAccrued of each paid tranche follows.
    event Distributed(uint64 indexed facilityId, address indexed source, uint256 amount);
    /// @notice No tranche has units: the gpuOperator is owed what nobody else can get.
    event ResidualOwed(uint64 indexed facilityId, address indexed gpuOperator, uint256 amount);
    event FeesPaid(uint64 indexed facilityId, address indexed token, address indexed to, uint256 amount);

    error RentNotAccepted(uint64 facilityId);
    error AmountAboveLimit(uint256 amount, uint256 limit);
    error EpochAlreadySettled(uint64 facilityId, uint32 settledEpochs);
    error NothingToSettle(uint64 facilityId);
    error LengthsDiffer(uint256 facilityIds, uint256 epochs);
    error FacilitiesNotAscending(uint64 previous, uint64 next);
    error NotDistributor(address caller);
    error FacilityNotEnded(uint64 facilityId);
    error RefundAboveExcess(uint64 facilityId, uint256 amount, uint256 excess);
    error RefundAbovePaid(uint64 facilityId, address payer, uint256 amount, uint256 paid);

    /// @notice Pays rent for a lease by allowance. Caller: anybody (the payer). Takes rent while the facility is
    /// Funded or Delivering, and after default: late rent is owed to holders as long as the facility is not matured.
    /// @param lease keccak-256 of facility salt and lease id: the lease hash of the statements.
    /// @dev Emits RentPaid. Exact balance delta or SettlementShort.
    function payRent(uint64 facilityId, bytes32 lease, uint256 amount) external;

    /// @notice Pays `min(attested through the first `epochs` epochs, collected) - settled` down the waterfall.
    /// Caller: anybody.
    /// @param epochs Number of leading epochs to count, at least `settledEpochs`; all of them must be final, or
    /// IStatementRegistry.EpochNotFinal.
    /// @return amount What was settled, fee included.
    /// @dev Emits Settled, and TrancheToken emits RevenueAccrued per tranche that was paid. Fee rounds down.
    function settle(uint64 facilityId, uint32 epochs) external returns (uint256 amount);

    /// @notice `settle` of many facilities in one call, each once, in ascending order. Those with nothing to settle are
    /// passed over, so that two callers do not stop each other. Caller: anybody.
    /// @dev Emits Settled of each facility first, then RevenueAccrued of all tranches: revenue of facilities of one
    /// settlement token that stand together moves in one transfer.
    function settleMany(uint64[] calldata facilityIds, uint32[] calldata epochs) external;

    /// @notice Takes `amount` from the caller and pays it down the waterfall, without a fee: bonds and sale proceeds
    /// that fall to holders. Final epochs that are not settled yet are settled first, so that the coupons of every
    /// final epoch have fallen due before a junior gets anything (invariant 5). Caller: BondVault or PrimarySale.
    /// @dev Emits Distributed, and TrancheToken emits RevenueAccrued per tranche that was paid.
    function distribute(uint64 facilityId, uint256 amount) external;

    /// @notice Owes a payer rent that no statement will ever cover: paid twice, in excess, or for the wrong facility.
    /// Only once the facility matured or defaulted, only what exceeds everything posted, and never more than that
    /// payer paid. The payer takes it with `withdraw`. Caller: the treasury role.
    /// @dev Emits RentRefunded.
    function refundExcess(uint64 facilityId, address payer, uint256 amount) external;

    /// @notice Sends the fees of some facilities, each in its own token. Caller: the treasury role.
    /// @dev Emits FeesPaid for each facility that owes fees. A facility whose token fails is left out by its id.
    function takeFees(uint64[] calldata facilityIds, address to) external;

    function bookOf(uint64 facilityId) external view returns (Book memory);
    /// @notice Coupon that fell due and is not paid, minor units. What a tranche was paid stands in its events.
    function arrearsOf(uint256 id) external view returns (uint256);
    /// @notice Fees of a facility that the treasury has not taken.
    function feesOwed(uint64 facilityId) external view returns (uint256);
    /// @notice Rent of one payer, less what was refunded.
    function paidBy(uint64 facilityId, address payer) external view returns (uint256);
    /// @notice Amount that `settle(facilityId, epochsFinal)` would pay now; 0 if none.
    function settleable(uint64 facilityId) external view returns (uint256);
    /// @notice Rent that exceeds everything posted, or 0: what `refundExcess` may give back once the facility ended.
    function excessOf(uint64 facilityId) external view returns (uint256);
}
