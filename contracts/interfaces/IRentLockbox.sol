// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

/// @title Rent lockbox: takes rent in, lets only settlement take it out
/// @notice Amounts are minor units of the facility's settlement token. Internal books only: tokens sent here
/// without `payRent` are nobody's rent.
interface IRentLockbox {
    /// @param collected Rent received, cumulative.
    /// @param settled Rent paid out (fees included), cumulative; never above `collected` nor above what is
    /// attested and final (invariant 4).
    /// @param settledEpochs Number of leading epochs that settlements so far counted.
    struct Book {
        uint96 collected;
        uint96 settled;
        uint32 settledEpochs;
    }

    /// @param couponDue Coupon that fell due so far, cumulative.
    /// @param paid Revenue accrued to the tranche, cumulative.
    struct TrancheBook {
        uint128 couponDue;
        uint128 paid;
    }

    event RentPaid(
        uint64 indexed facilityId,
        bytes32 indexed lease,
        address indexed payer,
        uint256 amount,
        uint256 cumulativeCollected
    );
    event Settled(
        uint64 indexed facilityId, uint32 settledEpochs, uint256 amount, uint256 fee, uint256 cumulativeSettled
    );
    event Distributed(uint64 indexed facilityId, address indexed source, uint256 amount);
    event FeesPaid(address indexed token, address indexed to, uint256 amount);

    error RentNotAccepted(uint64 facilityId);
    error AmountZero();
    error AmountAboveLimit(uint256 amount, uint256 limit);
    error SettlementShort(uint256 expected, uint256 received);
    error EpochNotFinal(uint64 facilityId, uint32 epoch);
    error EpochAlreadySettled(uint64 facilityId, uint32 settledEpochs);
    error NothingToSettle(uint64 facilityId);
    error ZeroRecipient();
    error NotDistributor(address caller);

    /// @notice Pays rent for a lease by allowance. Caller: anybody (the payer). Takes rent while the facility is
    /// Funded or Delivering; late rent too, as long as the facility is not matured.
    /// @param lease keccak-256 of facility salt and lease id: the lease hash of the statements.
    function payRent(uint64 facilityId, bytes32 lease, uint256 amount) external;

    /// @notice Pays `min(attested through the first `epochs` epochs, collected) - settled` down the waterfall.
    /// Caller: anybody.
    /// @param epochs Number of leading epochs to count, at least `settledEpochs`; all of them must be final.
    /// @return amount What was settled, fee included.
    /// @dev Emits Settled, and TrancheToken emits RevenueAccrued per tranche that was paid. Fee rounds down.
    function settle(uint64 facilityId, uint32 epochs) external returns (uint256 amount);

    /// @notice Takes `amount` from the caller and pays it down the waterfall, without a fee: bonds and sale proceeds that
    /// fall to holders. Caller: BondVault or PrimarySale.
    /// @dev Emits Distributed, and TrancheToken emits RevenueAccrued per tranche that was paid.
    function distribute(uint64 facilityId, uint256 amount) external;

    /// @notice Sends the fees of one token. Caller: the treasury role.
    function takeFees(address token, address to) external returns (uint256 amount);

    function bookOf(uint64 facilityId) external view returns (Book memory);
    function trancheBookOf(uint256 id) external view returns (TrancheBook memory);
    function feesOwed(address token) external view returns (uint256);
    /// @notice Amount that `settle(facilityId, epochsFinal)` would pay now; 0 if none.
    function settleable(uint64 facilityId) external view returns (uint256);
}
