// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

/// @title Primary sale: units for stablecoin at a fixed price, proceeds released with attested delivery
/// @notice Amounts are minor units of the facility's settlement token; units are whole GPU-hours. Units are minted at
/// purchase; while the sale is not successful they can be given back for exactly their price.
interface IPrimarySale {
    enum SaleState {
        None,
        Open,
        Successful,
        Refunding
    }

    /// @param opensAt First second in which units are sold.
    /// @param closesAt Second from which no units are sold; at most the facility's windowStart.
    /// @param floorUnits Units of all tranches together that must be sold, or buyers are refunded.
    /// @param upFrontBps Share of the proceeds that the gpuOperator may take at success.
    /// @param unitPrices Price of one unit by seniority, one entry a tranche, above zero.
    struct SaleTerms {
        uint64 opensAt;
        uint64 closesAt;
        uint40 floorUnits;
        uint16 upFrontBps;
        uint64[] unitPrices;
    }

    /// @param soldUnits Units sold and not refunded. @param proceeds Price of those units.
    /// @param released Paid or owed to the gpuOperator so far. @param seized Paid to holders instead.
    struct SaleBook {
        SaleState state;
        uint40 soldUnits;
        uint96 proceeds;
        uint96 released;
        uint96 seized;
    }

    event SaleOpened(uint64 indexed facilityId, SaleTerms terms);
    event UnitsSold(
        uint64 indexed facilityId,
        address indexed buyer,
        uint256 indexed id,
        uint256 units,
        uint256 cost,
        uint256 proceeds
    );
    event UnitsRefunded(
        uint64 indexed facilityId, address indexed holder, uint256 indexed id, uint256 units, uint256 amount
    );
    event SaleSucceeded(uint64 indexed facilityId, uint256 soldUnits, uint256 proceeds, uint256 upFront);
    event SaleFailed(uint64 indexed facilityId, uint256 soldUnits, uint256 floorUnits);
    event UnitsRetained(uint64 indexed facilityId, address indexed gpuOperator, uint256 indexed id, uint256 units);
    event ProceedsReleased(uint64 indexed facilityId, address indexed gpuOperator, uint256 amount, uint256 released);
    event ProceedsSeized(uint64 indexed facilityId, uint256 amount);

    error NotGpuOperator(uint64 facilityId, address caller);
    error SaleExists(uint64 facilityId);
    error SaleTermsInvalid(string field);
    error SaleNotOpen(uint64 facilityId, SaleState actual);
    error SaleOutsideHours(uint64 opensAt, uint64 closesAt, uint256 blockTime);
    error SaleStillOpen(uint64 facilityId);
    error UnitsAboveCap(uint256 id, uint256 units, uint256 left);
    error UnitsZero();
    error CostAboveLimit(uint256 cost, uint256 maxCost);
    error SettlementShort(uint256 expected, uint256 received);
    error NotRefunding(uint64 facilityId);
    error NothingToRelease(uint64 facilityId);
    error AuthorizationMismatch();

    /// @notice Opens the sale of a whole offer. Caller: its gpuOperator, while Offered and nothing is minted.
    function open(uint64 facilityId, SaleTerms calldata terms) external;
    /// @notice Buys units for the caller by allowance; cost = units x price, never above `maxCost`.
    function buy(uint256 id, uint256 units, uint256 maxCost) external returns (uint256 cost);
    /// @notice The same with an ERC-2612 permit. A permit that somebody used first does not stop the purchase.
    function buyWithPermit(uint256 id, uint256 units, uint256 maxCost, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
        returns (uint256 cost);
    /// @notice The same for `buyer` with an ERC-3009 authorization to this contract over exactly the cost; its nonce must
    /// be keccak-256 of (id, units, salt), so that nobody can use it for another purchase. Caller: anybody.
    function buyWithAuthorization(
        address buyer,
        uint256 id,
        uint256 units,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 salt,
        bytes calldata signature
    ) external returns (uint256 cost);
    /// @notice Ends the sale: success mints unsold units to the gpuOperator and funds the facility, a missed floor (or a
    /// bond still missing at windowStart) cancels it. Caller: anybody, once sold out or closed.
    function finalize(uint64 facilityId) external;
    /// @notice Burns units of the caller for their price after the sale failed or the facility was cancelled.
    function refund(uint256 id, uint256 units) external returns (uint256 amount);
    /// @notice Pays the gpuOperator what attested delivery has earned: the up-front share, and the rest in proportion to
    /// final attested available GPU-seconds over those promised. Caller: anybody.
    function release(uint64 facilityId) external returns (uint256 amount);
    /// @notice Sends what can no longer be released (default, or the rest at maturity) to holders down the waterfall.
    function seize(uint64 facilityId) external returns (uint256 amount);

    function bookOf(uint64 facilityId) external view returns (SaleBook memory);
    function saleTermsOf(uint64 facilityId) external view returns (SaleTerms memory);
    /// @notice Whether units of a facility are minted by the sale alone.
    function hasSale(uint64 facilityId) external view returns (bool);
}
