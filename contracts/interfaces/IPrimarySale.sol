// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPayouts} from "./IPayouts.sol";

/// @title Primary sale: units for stablecoin at a fixed price, proceeds released with attested delivery
/// @notice Amounts are minor units of the facility's settlement token; units are whole GPU-hours. Units are minted at
/// purchase; while the sale is not successful they can be given back for exactly their price. Internal books only:
/// proceeds - released - seized of every facility, and what accounts are owed, are held here. Every change of a book
/// stands in an event, so that the books can be rebuilt from events alone.
interface IPrimarySale is IPayouts {
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
    /// @notice `buyer` paid `cost` for `units`. `proceeds` is the cumulative after it.
    event UnitsSold(
        uint64 indexed facilityId,
        address indexed buyer,
        uint256 indexed id,
        uint256 units,
        uint256 cost,
        uint256 proceeds
    );
    /// @notice `holder` gave `units` back for `amount`, which was sent to `to`.
    event UnitsRefunded(
        uint64 indexed facilityId, address indexed holder, uint256 indexed id, uint256 units, uint256 amount, address to
    );
    event SaleSucceeded(uint64 indexed facilityId, uint256 soldUnits, uint256 proceeds, uint256 upFront);
    event SaleFailed(uint64 indexed facilityId, uint256 soldUnits, uint256 floorUnits);
    /// @notice Unsold units went to the gpuOperator, free of charge.
    event UnitsRetained(uint64 indexed facilityId, address indexed gpuOperator, uint256 indexed id, uint256 units);
    /// @notice The gpuOperator is owed `amount` more; `released` is the cumulative after it.
    event ProceedsReleased(uint64 indexed facilityId, address indexed gpuOperator, uint256 amount, uint256 released);
    /// @notice `amount` went to holders down the waterfall.
    event ProceedsSeized(uint64 indexed facilityId, uint256 amount);

    error NotGpuOperator(uint64 facilityId, address caller);
    error SaleExists(uint64 facilityId);
    error FacilityNotOffered(uint64 facilityId);
    error UnitsAlreadyMinted(uint256 id);
    error SaleTermsInvalid(string field);
    error SaleNotOpen(uint64 facilityId, SaleState actual);
    error SaleOutsideHours(uint64 opensAt, uint64 closesAt, uint256 blockTime);
    error SaleStillOpen(uint64 facilityId);
    error BondInsufficient(uint64 facilityId);
    error TrancheUnknown(uint256 id);
    error UnitsAboveCap(uint256 id, uint256 units, uint256 left);
    error UnitsZero();
    error CostAboveLimit(uint256 cost, uint256 maxCost);
    error NotRefunding(uint64 facilityId);
    error NothingToRelease(uint64 facilityId);
    error NothingToSeize(uint64 facilityId);

    /// @notice Opens the sale of a whole offer. Caller: its gpuOperator, while Offered and nothing is minted.
    /// @dev Emits SaleOpened. All units at their prices stay below 2^54 minor units.
    function open(uint64 facilityId, SaleTerms calldata terms) external;
    /// @notice Buys units for the caller by allowance; cost = units x price, never above `maxCost`.
    /// @dev Emits UnitsSold. TrancheToken refuses a buyer that is not eligible.
    function buy(uint256 id, uint256 units, uint256 maxCost) external returns (uint256 cost);
    /// @notice The same with an ERC-2612 permit over `maxCost`. A permit that somebody used first, or that is no good,
    /// does not stop the purchase as long as the allowance is there (ATTACKS 28).
    function buyWithPermit(uint256 id, uint256 units, uint256 maxCost, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
        returns (uint256 cost);
    /// @notice The same for `buyer` with an ERC-3009 authorization to this contract over exactly the cost. Its nonce
    /// must be `purchaseNonce(id, units, salt)`, so that nobody can use it for another purchase. Caller: anybody.
    /// @param signature 65 bytes r, s, v go to the token's (v, r, s) function; others to its `bytes` function, for
    /// contract wallets of tokens that have one.
    function buyWithAuthorization(
        address buyer,
        uint256 id,
        uint256 units,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 salt,
        bytes calldata signature
    ) external returns (uint256 cost);
    /// @notice Ends the sale: success mints unsold units to the gpuOperator and funds the facility; a missed floor
    /// fails it, and so does a bond that is still missing at windowStart (before that: BondInsufficient). A facility
    /// that its gpuOperator cancelled, or that could not be funded for three days after windowStart for whatever
    /// reason, fails too, so that buyers always get out. Failure cancels the facility. Caller: anybody, once sold out
    /// or closed.
    /// @dev Emits SaleSucceeded and UnitsRetained, or SaleFailed.
    function finalize(uint64 facilityId) external;
    /// @notice Burns units of the caller for exactly their price, sent to `to`, after the sale failed. Caller: a
    /// holder.
    /// @dev Emits UnitsRefunded.
    function refund(uint256 id, uint256 units, address to) external returns (uint256 amount);
    /// @notice Owes the gpuOperator what attested delivery has earned: the up-front share, and the rest in proportion
    /// to final attested available GPU-seconds over those promised for the whole window, rounded down on the
    /// cumulative. Not after default. Caller: anybody.
    /// @dev Emits ProceedsReleased. The gpuOperator takes it with `withdraw`.
    function release(uint64 facilityId) external returns (uint256 amount);
    /// @notice Sends what can no longer be released to holders down the waterfall: after default everything
    /// unreleased, at maturity what delivery did not earn. Caller: anybody.
    /// @dev Emits ProceedsSeized.
    function seize(uint64 facilityId) external returns (uint256 amount);

    function bookOf(uint64 facilityId) external view returns (SaleBook memory);
    function saleTermsOf(uint64 facilityId) external view returns (SaleTerms memory);
    /// @notice Whether units of a facility are minted by the sale alone.
    function hasSale(uint64 facilityId) external view returns (bool);
    /// @notice What `release` would owe the gpuOperator now; 0 if nothing.
    function releasable(uint64 facilityId) external view returns (uint256);
    /// @notice Nonce of an ERC-3009 authorization for one purchase: keccak-256 of the ABI encoding of all three.
    function purchaseNonce(uint256 id, uint256 units, bytes32 salt) external pure returns (bytes32);
}
