// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPayouts} from "./IPayouts.sol";

/// @title Primary sale: units for stablecoin at a fixed price, proceeds released with attested delivery
/// @notice Amounts are minor units of the facility's settlement token; units are whole GPU-hours. Units are minted when
/// they are bought, and unsold ones never. If the sale fails, buyers get exactly the price back. The sale counts only
/// what its own functions took in: it holds proceeds - released - returned of every facility, and what accounts are
/// owed. Every change of these numbers is in an event, so that they can be rebuilt from events alone.
interface IPrimarySale is IPayouts {
    /// @notice State of a facility's sale.
    /// @param None The facility has no sale.
    /// @param Open Units are, or will be, for sale.
    /// @param Successful The floor was reached: the facility is funded and proceeds are released with delivery.
    /// @param Refunding The sale failed: buyers get the price of their units back.
    enum SaleState {
        None,
        Open,
        Successful,
        Refunding
    }

    /// @notice Terms of a sale, fixed when it opens.
    /// @param opensAt First UTC second in which units are sold.
    /// @param closesAt UTC second from which no units are sold; at most the facility's `windowStart`, and before its
    /// offer expires.
    /// @param floorProceeds Proceeds that buyers other than the gpuOperator must pay, or all are refunded, minor units.
    /// @param upFrontBps Share of the proceeds that the gpuOperator may take from `windowStart` on, basis points.
    /// @param unitPrices Price of one unit by seniority, minor units above zero; one entry for each tranche. That of a
    /// tranche with a coupon is at most the coupon, which is all that its unit is ever paid.
    struct SaleTerms {
        uint64 opensAt;
        uint64 closesAt;
        uint64 floorProceeds;
        uint16 upFrontBps;
        uint64[] unitPrices;
    }

    /// @notice Running totals of a sale.
    /// @param state State of the sale.
    /// @param soldUnits Units sold and not refunded.
    /// @param proceeds Price of those units, minor units.
    /// @param counted Proceeds that count towards the floor: of all purchases but the gpuOperator's own, minor units.
    /// It stays as it was when the sale ends.
    /// @param released Part of the proceeds credited to the gpuOperator so far, minor units.
    /// @param returned Part of the proceeds that went to the RentLockbox when the facility was closed, minor units.
    struct SaleBook {
        SaleState state;
        uint40 soldUnits;
        uint96 proceeds;
        uint96 counted;
        uint96 released;
        uint96 returned;
    }

    /// @notice What a closing must know of a sale; all zero if the facility has no successful one.
    /// @param proceeds Price of the units sold, minor units.
    /// @param unearned Part of it that delivery did not earn, minor units.
    /// @param unsigned Part of `unearned` that belongs to epochs which are published and not stated, rounded down.
    /// @param escrow Part of the proceeds that was not released: what is sent, minor units.
    /// @param unitPrices Price of one unit by seniority, minor units.
    struct Surrendered {
        uint256 proceeds;
        uint256 unearned;
        uint256 unsigned;
        uint256 escrow;
        uint256[4] unitPrices;
    }

    /// @notice A sale was opened. Its first units are sold at `terms.opensAt`.
    /// @param facilityId The facility.
    /// @param terms Terms of the sale.
    event SaleOpened(uint64 indexed facilityId, SaleTerms terms);

    /// @notice Units were sold.
    /// @param facilityId The facility.
    /// @param buyer The account that paid and received the units.
    /// @param id Tranche of the units.
    /// @param units Units sold.
    /// @param cost Minor units paid.
    /// @param proceeds Proceeds of the sale after it, minor units (cumulative).
    event UnitsSold(
        uint64 indexed facilityId,
        address indexed buyer,
        uint256 indexed id,
        uint256 units,
        uint256 cost,
        uint256 proceeds
    );

    /// @notice Units of a failed sale were burned, and their price paid back.
    /// @param facilityId The facility.
    /// @param buyer The account that had bought them.
    /// @param id Tranche of the units.
    /// @param units Units burned.
    /// @param amount Minor units paid for them.
    /// @param to The account that received the money.
    event UnitsRefunded(
        uint64 indexed facilityId, address indexed buyer, uint256 indexed id, uint256 units, uint256 amount, address to
    );

    /// @notice A sale reached its floor, and the facility was funded.
    /// @param facilityId The facility.
    /// @param soldUnits Units sold.
    /// @param proceeds Price of those units, minor units.
    /// @param upFront Part that the gpuOperator may take from `windowStart` on, minor units, rounded down.
    event SaleSucceeded(uint64 indexed facilityId, uint256 soldUnits, uint256 proceeds, uint256 upFront);

    /// @notice A sale failed; buyers get the price of their units back.
    /// @param facilityId The facility.
    /// @param counted Proceeds that counted towards the floor, minor units.
    /// @param floorProceeds Proceeds that had to count, minor units.
    event SaleFailed(uint64 indexed facilityId, uint256 counted, uint256 floorProceeds);

    /// @notice Proceeds were credited to the gpuOperator; `withdraw` takes them.
    /// @param facilityId The facility.
    /// @param gpuOperator The account that runs the facility's GPUs.
    /// @param amount Minor units credited now.
    /// @param released Minor units credited so far (cumulative).
    event ProceedsReleased(uint64 indexed facilityId, address indexed gpuOperator, uint256 amount, uint256 released);

    /// @notice Proceeds that were not released went to the RentLockbox, which closes the facility and pays them out.
    /// @param facilityId The facility.
    /// @param amount Minor units.
    /// @param unearned Minor units of the proceeds that delivery did not earn.
    event ProceedsSurrendered(uint64 indexed facilityId, uint256 amount, uint256 unearned);

    /// @notice Only the facility's gpuOperator may open its sale.
    /// @param facilityId The facility.
    /// @param caller The account that called.
    error NotGpuOperator(uint64 facilityId, address caller);

    /// @notice The facility has, or had, a sale.
    /// @param facilityId The facility.
    error SaleExists(uint64 facilityId);

    /// @notice A sale opens only while the facility is Offered.
    /// @param facilityId The facility.
    error FacilityNotOffered(uint64 facilityId);

    /// @notice A sale opens only while no unit exists.
    /// @param id A tranche that has units.
    error UnitsAlreadyMinted(uint256 id);

    /// @notice A term of the sale is out of bounds, or another term of the deal forbids such a sale.
    /// @dev Beside members of `SaleTerms`: "couponPerUnit" if a unit with a coupon would cost more than the coupon;
    /// "promisedAvailabilityPpm" if nothing is promised, so that nothing can be earned; "bondTerms" if none were set;
    /// "ratePerGpuHour" if all promised hours at the bond's rate are worth less than the proceeds at cap less those up
    /// front.
    /// @param field Member of `SaleTerms`, `TrancheTerms`, `FacilityTerms` or `BondTerms`.
    error SaleTermsInvalid(string field);

    /// @notice The sale has not been opened, or has ended.
    /// @param facilityId The facility.
    /// @param actual State of the sale.
    error SaleNotOpen(uint64 facilityId, SaleState actual);

    /// @notice Units are sold only between these times.
    /// @param opensAt First second of the sale, UTC.
    /// @param closesAt Second after the sale, UTC.
    /// @param blockTime Time of this block, UTC seconds.
    error SaleOutsideHours(uint64 opensAt, uint64 closesAt, uint256 blockTime);

    /// @notice The sale has not closed, nor is it sold out with its floor reached, so it cannot be finalized yet.
    /// @param facilityId The facility.
    error SaleStillOpen(uint64 facilityId);

    /// @notice A sale does not succeed in the block of a purchase. Finalize it in the next one.
    /// @param facilityId The facility.
    error BoughtInThisBlock(uint64 facilityId);

    /// @notice The floor is reached but the bond is below its minimum. Deposit into the BondVault, or wait until
    /// `windowStart` for the sale to fail.
    /// @param facilityId The facility.
    error BondInsufficient(uint64 facilityId);

    /// @notice The floor is reached but the attesters of the facility's panel have not approved its pledge. Have it
    /// approved, or wait until `windowStart` for the sale to fail.
    /// @param facilityId The facility.
    error PledgeNotApproved(uint64 facilityId);

    /// @notice No facility with a sale has this tranche.
    /// @param id The id asked for.
    error TrancheUnknown(uint256 id);

    /// @notice More units than there are: to buy, or to be refunded.
    /// @param id The tranche.
    /// @param units Units asked for.
    /// @param left Units that are left to buy, or that the account bought and was not refunded for.
    error UnitsAboveCap(uint256 id, uint256 units, uint256 left);

    /// @notice The number of units must be above zero.
    error UnitsZero();

    /// @notice The price exceeds what the buyer is willing to pay.
    /// @param cost The price, minor units.
    /// @param maxCost The buyer's limit, minor units.
    error CostAboveLimit(uint256 cost, uint256 maxCost);

    /// @notice Prices are paid back only after the sale failed.
    /// @param facilityId The facility.
    error NotRefunding(uint64 facilityId);

    /// @notice No further proceeds have been earned by delivery, or the facility is not Delivering.
    /// @param facilityId The facility.
    error NothingToRelease(uint64 facilityId);

    /// @notice Only the RentLockbox takes proceeds, at a closing.
    /// @param caller The account that called.
    error NotRentLockbox(address caller);

    /// @notice Opens the sale of a whole offer. Caller: the facility's gpuOperator, while it is Offered, has bond terms
    /// and no unit. All promised hours at the bond's rate must be worth at least the proceeds at cap less those up
    /// front, and a unit with a coupon cost at most its coupon.
    /// @dev Emits SaleOpened. All units at their prices stay below 2^54 minor units. Reverts with NotGpuOperator,
    /// SaleExists, FacilityNotOffered, UnitsAlreadyMinted or SaleTermsInvalid.
    /// @param facilityId The facility.
    /// @param terms Terms of the sale.
    function open(uint64 facilityId, SaleTerms calldata terms) external;

    /// @notice Buys units for the caller, who has approved the price. Caller: an eligible buyer.
    /// @dev Emits UnitsSold. The TrancheToken refuses a buyer that is not eligible. Reverts with SaleNotOpen,
    /// TrancheUnknown, SaleOutsideHours, UnitsZero, UnitsAboveCap, CostAboveLimit or SettlementShort.
    /// @param id Tranche of the units.
    /// @param units Units to buy.
    /// @param maxCost Most that the buyer pays, minor units.
    /// @return cost Minor units paid: units x price.
    function buy(uint256 id, uint256 units, uint256 maxCost) external returns (uint256 cost);

    /// @notice As `buy`, with an ERC-2612 permit over `maxCost`. A permit that somebody else used first, or that is
    /// invalid, does not stop the purchase as long as the allowance exists (ATTACKS 28). Caller: an eligible buyer.
    /// @dev Emits UnitsSold. Reverts as `buy`.
    /// @param id Tranche of the units.
    /// @param units Units to buy.
    /// @param maxCost Most that the buyer pays, minor units; the value of the permit.
    /// @param deadline Last UTC second of the permit.
    /// @param v Signature of the permit, recovery id.
    /// @param r Signature of the permit, first half.
    /// @param s Signature of the permit, second half.
    /// @return cost Minor units paid: units x price.
    function buyWithPermit(uint256 id, uint256 units, uint256 maxCost, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
        returns (uint256 cost);

    /// @notice Buys units for an account that signed an ERC-3009 authorization of exactly the price to this contract.
    /// Its nonce must be `purchaseNonce(id, units, salt)`, so that nobody can use it for another purchase. Caller:
    /// anybody.
    /// @dev Emits UnitsSold. Reverts as `buy` (without CostAboveLimit), or as the token does.
    /// @param buyer The account that pays and receives the units; it must be eligible.
    /// @param id Tranche of the units.
    /// @param units Units to buy.
    /// @param validAfter UTC second after which the authorization may be used.
    /// @param validBefore UTC second before which it must be used.
    /// @param salt Number that the buyer chose, to tell equal purchases apart.
    /// @param signature The authorization's signature. 65 bytes r, s, v go to the token's (v, r, s) function; anything
    /// else to its `bytes` function, for contract wallets of tokens that have one.
    /// @return cost Minor units paid: units x price.
    function buyWithAuthorization(
        address buyer,
        uint256 id,
        uint256 units,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 salt,
        bytes calldata signature
    ) external returns (uint256 cost);

    /// @notice Ends a sale that has closed, or is sold out with its floor reached. If the floor is reached, the bond
    /// sufficient and the pledge approved, the facility is funded; what was not sold is never minted. The sale fails,
    /// and cancels the facility, if the floor is missed, or if bond or approval are still missing at `windowStart`
    /// (before that the call reverts with BondInsufficient or PledgeNotApproved). It also fails if the offer expired,
    /// was removed, or the gpuOperator cancelled it. So buyers always get out. Success depends on nothing that the
    /// gpuOperator's account, its registration or a role could refuse. Caller: anybody.
    /// @dev Emits SaleSucceeded or SaleFailed. Reverts with SaleNotOpen, SaleStillOpen, BondInsufficient,
    /// PledgeNotApproved or BoughtInThisBlock.
    /// @param facilityId The facility.
    function finalize(uint64 facilityId) external;

    /// @notice Burns units that the caller bought and pays exactly their price, after the sale failed. What became of
    /// the caller's eligibility does not matter, nor do a freeze or a pause. Caller: a buyer.
    /// @dev Emits UnitsRefunded. Reverts with RecipientInvalid, UnitsZero, NotRefunding, TrancheUnknown or
    /// UnitsAboveCap.
    /// @param id Tranche of the units.
    /// @param units Units to be refunded.
    /// @param to The account that receives the money.
    /// @return amount Minor units paid: units x price.
    function refund(uint256 id, uint256 units, address to) external returns (uint256 amount);

    /// @notice As `refund`, for a buyer that signed. Caller: the WalletDesk, see `IWalletDesk.refundBySig`.
    /// @dev Emits UnitsRefunded. Reverts as `refund`, or with NotWalletDesk.
    /// @param buyer The account that bought the units.
    /// @param id Tranche of the units.
    /// @param units Units to take back.
    /// @param to The account that receives the money.
    /// @return amount Minor units paid: units x price.
    function refundFor(address buyer, uint256 id, uint256 units, address to) external returns (uint256 amount);

    /// @notice Refunds everything that an account bought of a tranche, to that account itself, after the sale failed.
    /// Caller: anybody.
    /// @dev Emits UnitsRefunded. Reverts as `refund`.
    /// @param buyer The account that bought the units.
    /// @param id Tranche of the units.
    /// @return amount Minor units paid: units x price.
    function refundTo(address buyer, uint256 id) external returns (uint256 amount);

    /// @notice Credits proceeds to the gpuOperator, from `windowStart` on: the up-front share, and the rest in
    /// proportion to the available GPU-seconds of final epochs, up to those promised of these epochs, over those
    /// promised of the whole window. Rounded down on the cumulative. Should availability fall, what is released stays
    /// released. Only while the facility is Delivering: its closing releases the rest. The gpuOperator takes the money
    /// with `withdraw`. Caller: anybody.
    /// @dev Emits ProceedsReleased. Reverts with NothingToRelease.
    /// @param facilityId The facility.
    /// @return amount Minor units credited now.
    function release(uint64 facilityId) external returns (uint256 amount);

    /// @notice Releases what delivery earned, and sends the rest of the proceeds to the RentLockbox. Caller: the
    /// RentLockbox, once, when it closes the facility.
    /// @dev Emits ProceedsReleased and ProceedsSurrendered, each if it is above 0. Reverts with NotRentLockbox.
    /// @param facilityId The facility.
    /// @return What was sold, not earned, and sent.
    function surrender(uint64 facilityId) external returns (Surrendered memory);

    /// @notice Running totals of a facility's sale; all zero if it has none.
    /// @param facilityId The facility.
    /// @return The totals.
    function bookOf(uint64 facilityId) external view returns (SaleBook memory);

    /// @notice Terms of a facility's sale; all zero if it has none.
    /// @param facilityId The facility.
    /// @return The terms.
    function saleTermsOf(uint64 facilityId) external view returns (SaleTerms memory);

    /// @notice Whether units of a facility are minted by the sale alone.
    /// @param facilityId The facility.
    /// @return True if it has, or had, a sale.
    function hasSale(uint64 facilityId) external view returns (bool);

    /// @notice What `release` would credit to the gpuOperator now, rounded down.
    /// @param facilityId The facility.
    /// @return Minor units; 0 if nothing.
    function releasable(uint64 facilityId) external view returns (uint256);

    /// @notice Nonce of an ERC-3009 authorization for one purchase: keccak-256 of the ABI encoding of all three
    /// arguments.
    /// @param id Tranche of the units.
    /// @param units Units to buy.
    /// @param salt Number that the buyer chose.
    /// @return The nonce.
    function purchaseNonce(uint256 id, uint256 units, bytes32 salt) external pure returns (bytes32);
}
