// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

/// @title Tranche units and the revenue that they earn
/// @notice ERC-1155. One id is one tranche of a facility, `id = facilityId << 8 | seniority`; one unit is
/// one GPU-hour, whole numbers only. Revenue accrues per unit and streams over time; holders take it with
/// `claim`. Amounts are minor units of the facility's settlement token; X32 values carry 32 fractional bits.
interface ITrancheToken {
    /// @param accPaidX32 Tranche accumulator up to which this position is settled.
    /// @param owedX32 Revenue earned and not claimed.
    /// @param units GPU-hours held.
    /// @param flags Reserved: bit 0 frozen amount present.
    struct Position {
        uint72 accPaidX32;
        uint96 owedX32;
        uint40 units;
        uint8 flags;
    }

    /// @param accX32 Revenue per unit that vested up to `streamEnd - streamSpan`.
    /// @param pendingX32 Revenue that vests linearly over the last `streamSpan` seconds before `streamEnd`,
    /// with the remainder of all earlier divisions.
    /// @param streamEnd When everything pending has vested.
    /// @param streamSpan Seconds over which `pendingX32` vests.
    /// @param supply Units in circulation.
    struct Tranche {
        uint72 accX32;
        uint88 pendingX32;
        uint32 streamEnd;
        uint24 streamSpan;
        uint40 supply;
    }

    /// @notice Revenue arrived for a tranche. `unvested` and `streamEnd` describe the stream after it.
    event RevenueAccrued(
        uint256 indexed id, address indexed source, uint256 amount, uint256 unvested, uint64 streamEnd
    );
    /// @notice `holder` took `amount` of one tranche; it was sent to `to`.
    event RevenueClaimed(address indexed holder, address indexed to, uint256 indexed id, uint256 amount);
    /// @notice What still streamed vested at once, at maturity.
    event StreamVested(uint256 indexed id, uint256 amount);
    /// @notice `source` may, or may no longer, accrue revenue.
    event RevenueSourceSet(address indexed source, bool allowed);

    error NotRevenueSource(address caller);
    error NotFacilityRegistry(address caller);
    error MintNotAllowed(uint256 id, address caller);
    error UnitsAboveCap(uint256 id, uint256 units, uint256 cap);
    error AmountAboveLimit(uint256 amount, uint256 limit);
    error SettlementShort(uint256 expected, uint256 received);
    error ZeroRecipient();

    /// @notice Mints units. Caller: the gpuOperator, while the facility is `Offered`, up to the tranche's cap.
    function mint(address to, uint256 id, uint256 units) external;

    /// @notice Pays the caller's vested revenue of every id to `to`, rounded down; the fraction stays owed.
    /// @dev Emits RevenueClaimed for each id with a non-zero amount. Never paused. Repeated ids pay once.
    /// Ids of one settlement token that stand together are paid in one transfer.
    function claim(uint256[] calldata ids, address to) external returns (uint256 paid);

    /// @notice Takes `amount` from the caller and streams it to the holders over `span` seconds, blended with
    /// what still streams so that a dust amount moves nobody's end. Caller: a revenue source.
    /// @dev Emits RevenueAccrued. Exact balance delta or SettlementShort.
    function accrue(uint256 id, uint256 amount, uint24 span) external;

    /// @notice Vests at once what still streams. Caller: the facility registry, at maturity.
    function vest(uint256 id) external;

    /// @notice Allows or forbids a revenue source. Caller: the governance role.
    function setRevenueSource(address source, bool allowed) external;

    /// @notice Vested and unclaimed revenue of `account`, rounded down: what `claim` would pay now.
    function claimable(address account, uint256 id) external view returns (uint256);
    /// @notice Revenue of the tranche that still streams, rounded up.
    function unvested(uint256 id) external view returns (uint256);
    function totalSupply(uint256 id) external view returns (uint256);
    function positionOf(address account, uint256 id) external view returns (Position memory);
    function trancheOf(uint256 id) external view returns (Tranche memory);
    function isRevenueSource(address source) external view returns (bool);
}
