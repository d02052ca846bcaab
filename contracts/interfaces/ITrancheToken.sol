// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IInvestorRegistry} from "./IInvestorRegistry.sol";
import {ITrancheMetadata} from "./ITrancheMetadata.sol";
import {IWalletDesk} from "./IWalletDesk.sol";

/// @title Units of tranches and the revenue that they earn
/// @notice ERC-1155. One id is one tranche of a facility, `id = facilityId << 8 | seniority`; one unit is one GPU-hour,
/// whole numbers only. Revenue accrues per unit and streams over time, whatever becomes of the facility; holders take
/// it with `claim`. Amounts are minor units of the facility's settlement token; X24 values are minor units with 24
/// fractional bits; times are UTC seconds. Eligibility and freezes decide who may hold and move units (invariant 7).
/// They never touch claims: what an account earned stays its own, and it alone decides where it is paid.
interface ITrancheToken {
    /// @notice What one account holds of one tranche.
    /// @param accPaidX24 Revenue per unit up to which this position has been credited, X24.
    /// @param owedX24 Revenue earned and not claimed, X24.
    /// @param units GPU-hours held.
    /// @param flags Bit 0: a frozen amount is set, in a storage word of its own. Bit 1: acts of the holder are told to
    /// the WalletDesk. Bit 2: the holder claimed here before.
    /// @param settlement Number of the settlement token in the token's list, so that a claim needs no look-up by
    /// facility; 0 before the first units came.
    struct Position {
        uint72 accPaidX24;
        uint96 owedX24;
        uint40 units;
        uint8 flags;
        uint40 settlement;
    }

    /// @notice Revenue stream of one tranche.
    /// @param accX24 Revenue per unit that had vested at `streamEnd - streamSpan`, X24.
    /// @param pendingX24 Revenue that vests evenly over the `streamSpan` seconds before `streamEnd`, with the
    /// remainders of all earlier divisions, X24.
    /// @param streamEnd UTC second at which everything pending has vested; zero until the facility is funded.
    /// @param streamSpan Seconds over which `pendingX24` vests.
    /// @param supply Units in circulation.
    struct Tranche {
        uint72 accX24;
        uint88 pendingX24;
        uint32 streamEnd;
        uint24 streamSpan;
        uint40 supply;
    }

    /// @notice Revenue of one facility on its way in.
    /// @param facilityId The facility.
    /// @param span Seconds over which the revenue streams.
    /// @param amounts Minor units by seniority; a tranche with 0 is skipped.
    struct Accrual {
        uint64 facilityId;
        uint24 span;
        uint256[4] amounts;
    }

    /// @notice Units of a tranche that no longer circulate: minted = supply + delivered + expired + refunded.
    /// @param delivered Units burned for compute.
    /// @param expired Units burned by holders after the facility ended.
    /// @param refunded Units given back for their price; they may be minted again.
    struct Burned {
        uint64 delivered;
        uint64 expired;
        uint64 refunded;
    }

    /// @notice Why units were burned.
    /// @param Delivered For compute, see `burnForDelivery`.
    /// @param Expired By their holder after the offer was cancelled, see `burnExpired`.
    /// @param Refunded For their price after a sale failed, see `burnForRefund`.
    enum BurnReason {
        Delivered,
        Expired,
        Refunded
    }

    /// @notice Revenue arrived for a tranche.
    /// @param id The tranche.
    /// @param source The contract that it came from.
    /// @param amount Minor units.
    /// @param unvested Revenue that streams after it, minor units, rounded up.
    /// @param streamEnd UTC second at which all of it has vested.
    event RevenueAccrued(
        uint256 indexed id, address indexed source, uint256 amount, uint256 unvested, uint64 streamEnd
    );

    /// @notice A tranche could not take revenue: its units earned the most that a unit can, it has none, or the
    /// facility is not funded. The source keeps the money and decides whose it is.
    /// @param id The tranche.
    /// @param source The contract that it came from.
    /// @param amount Minor units.
    event RevenueFlowedOn(uint256 indexed id, address indexed source, uint256 amount);

    /// @notice A holder claimed revenue of one tranche.
    /// @param holder The account that earned it.
    /// @param to The account that received it.
    /// @param id The tranche.
    /// @param amount Minor units.
    event RevenueClaimed(address indexed holder, address indexed to, uint256 indexed id, uint256 amount);

    /// @notice A holder claimed revenue of none or several tranches.
    /// @param holder The account that earned it.
    /// @param to The account that received it.
    /// @param ids The tranches asked for.
    /// @param amounts Minor units of each; may be 0.
    event RevenueClaimedBatch(address indexed holder, address indexed to, uint256[] ids, uint256[] amounts);

    /// @notice A revenue source was allowed or forbidden.
    /// @param source The account.
    /// @param allowed True if it may accrue revenue.
    event RevenueSourceSet(address indexed source, bool allowed);

    /// @notice Units left circulation. Follows the TransferSingle of the burn.
    /// @param holder The account that held them.
    /// @param id The tranche.
    /// @param units Units burned.
    /// @param reason Why.
    event UnitsBurned(address indexed holder, uint256 indexed id, uint256 units, BurnReason reason);

    /// @notice The registry that every move asks changed.
    /// @param investorRegistry The registry; zero means no restriction.
    event InvestorRegistrySet(address indexed investorRegistry);

    /// @notice Only a revenue source that governance allowed may accrue revenue.
    /// @param caller The account that called.
    error NotRevenueSource(address caller);

    /// @notice Only the FacilityRegistry may activate tranches.
    /// @param caller The account that called.
    error NotFacilityRegistry(address caller);

    /// @notice Units do not move before the facility is funded; those of a cancelled offer never do.
    /// @param id The tranche.
    error UnitsLocked(uint256 id);

    /// @notice Only the PrimarySale may burn units for a refund.
    /// @param caller The account that called.
    error NotPrimarySale(address caller);

    /// @notice Only the DeliveryDesk may burn units for compute. Call `takeDelivery` there.
    /// @param caller The account that called.
    error NotDeliveryDesk(address caller);

    /// @notice Units are minted only while the facility is Offered, by its sale or, where it has none, by its
    /// gpuOperator.
    /// @param id The tranche.
    /// @param caller The account that called.
    error MintNotAllowed(uint256 id, address caller);

    /// @notice The tranche's cap would be exceeded.
    /// @param id The tranche.
    /// @param units Units that would circulate.
    /// @param cap Most units of the tranche.
    error UnitsAboveCap(uint256 id, uint256 units, uint256 cap);

    /// @notice The number of units must be above zero.
    error UnitsZero();

    /// @notice The settlement token moved less, or more, than it was told to: it takes a fee, rebases or lies.
    /// @param expected Minor units that were to arrive.
    /// @param received Minor units that arrived.
    error SettlementShort(uint256 expected, uint256 received);

    /// @notice Only the WalletDesk may watch positions, or claim for a wallet that cannot.
    /// @param caller The account that called.
    error NotWalletDesk(address caller);

    /// @notice Revenue cannot be sent to the zero address, to a contract of ours or to a settlement token, where it
    /// would be nobody's. Name another receiver.
    /// @param to The receiver named.
    error RecipientInvalid(address to);

    /// @notice The facility has not ended, or its units can be given back to the sale for their price.
    /// @dev The facility has not ended, or its units are refunded by the sale.
    /// @param id The tranche.
    error UnitsNotExpired(uint256 id);

    /// @notice Units are burned for a refund only while the facility is Offered or Cancelled.
    /// @param id The tranche.
    error RefundNotOpen(uint256 id);

    /// @notice Mints units while the facility is Offered, up to the tranche's cap. The receiver must be eligible.
    /// Stopped by a pause. Caller: the PrimarySale if the facility has a sale, else its gpuOperator.
    /// @dev Emits TransferSingle. Reverts with MintNotAllowed, UnitsAboveCap, EnforcedPause or ERC7943CannotReceive.
    /// @param to The account that receives the units.
    /// @param id The tranche.
    /// @param units Units to mint.
    function mint(address to, uint256 id, uint256 units) external;

    /// @notice Lets the units of a facility move, from now on for ever. Caller: the FacilityRegistry, when it is
    /// funded.
    /// @dev No event of its own: it comes with FacilityStateChanged(Funded). Reverts with NotFacilityRegistry.
    /// @param facilityId The facility.
    /// @param count Number of its tranches, with or without units.
    function activate(uint64 facilityId, uint256 count) external;

    /// @notice Burns units of a buyer who gets their price back, while the facility is Offered or Cancelled. Neither a
    /// pause nor a freeze nor the buyer's eligibility stops it: the money is the buyer's own. Caller: the PrimarySale.
    /// @dev Emits TransferSingle and UnitsBurned. Reverts with NotPrimarySale, RefundNotOpen, UnitsZero or
    /// ERC1155InsufficientBalance.
    /// @param holder The buyer.
    /// @param id The tranche.
    /// @param units Units to burn.
    function burnForRefund(address holder, uint256 id, uint256 units) external;

    /// @notice Burns units of a holder who takes delivery, see `IDeliveryDesk.takeDelivery`. Revenue earned so far
    /// stays owed (invariant 3). Stopped by a pause. Caller: the DeliveryDesk.
    /// @dev Emits TransferSingle and UnitsBurned. Reverts with NotDeliveryDesk, EnforcedPause, UnitsZero or an ERC-7943
    /// error.
    /// @param holder The account that holds them.
    /// @param id The tranche.
    /// @param units Units to burn.
    function burnForDelivery(address holder, uint256 id, uint256 units) external;

    /// @notice Burns the caller's units after the offer was cancelled without a sale: they had no price and earn
    /// nothing. Units of a funded facility never expire. Stopped by a pause. Caller: a holder.
    /// @dev Emits TransferSingle and UnitsBurned. Reverts with EnforcedPause, UnitsNotExpired, UnitsZero or an ERC-7943
    /// error.
    /// @param id The tranche.
    /// @param units Units to burn.
    function burnExpired(uint256 id, uint256 units) external;

    /// @notice Pays the caller's vested revenue of some tranches, rounded down; the fraction stays owed. Never paused,
    /// and open to frozen and ineligible accounts. Caller: a holder.
    /// @dev Emits RevenueClaimed for one id (nothing if there is nothing to pay), RevenueClaimedBatch otherwise. A
    /// repeated id pays once. Consecutive ids of one settlement token are paid in one transfer. If a settlement token
    /// fails, the whole call fails: claim its ids in a call of their own. Reverts with RecipientInvalid.
    /// @param ids The tranches.
    /// @param to The account that receives the money.
    /// @return paid Minor units paid in all, over all settlement tokens.
    function claim(uint256[] calldata ids, address to) external returns (uint256 paid);

    /// @notice As `claim`, for a holder that signed, was recovered or has a beneficiary. Caller: the WalletDesk, see
    /// `IWalletDesk.claimBySig` and `IWalletDesk.collectRevenue`, which knows whether it is an act of the holder.
    /// @dev Events as `claim`. Reverts with NotWalletDesk or RecipientInvalid.
    /// @param holder The account whose revenue is paid.
    /// @param ids The tranches.
    /// @param to The account that receives the money.
    /// @return paid Minor units paid in all, over all settlement tokens.
    function claimFor(address holder, uint256[] calldata ids, address to) external returns (uint256 paid);

    /// @notice Has acts of a holder in some positions told to the WalletDesk, until it acts in them. Caller: the
    /// WalletDesk, which emits PositionsWatched.
    /// @dev Reverts with NotWalletDesk.
    /// @param account The holder.
    /// @param ids The tranches.
    function watch(address account, uint256[] calldata ids) external;

    /// @notice Takes money from the caller and streams it to the holders of each tranche. New money is blended with
    /// what still streams, weighted by amount, so that a tiny payment cannot change when a stream ends. Caller: a
    /// revenue source.
    /// @dev Emits RevenueAccrued for each amount that a tranche took, and RevenueFlowedOn for what it could not: that
    /// is not taken from the caller. Consecutive facilities of one settlement token are paid in one transfer. Reverts
    /// with NotRevenueSource, or with SettlementShort unless the balance grows by exactly the sum.
    /// @param accruals Revenue of each facility.
    /// @return flowedOn Minor units of each accrual that its tranches could not take; empty if they took everything.
    function accrue(Accrual[] calldata accruals) external returns (uint256[] memory flowedOn);

    /// @notice Allows or forbids a revenue source. Caller: the governance role.
    /// @dev Emits RevenueSourceSet.
    /// @param source The account.
    /// @param allowed True to allow it.
    function setRevenueSource(address source, bool allowed) external;

    /// @notice Names the registry that every move asks. Caller: the governance role.
    /// @dev Emits InvestorRegistrySet. Asks the registry once, so that a wrong address reverts here.
    /// @param registry The registry; zero means no restriction.
    function setInvestorRegistry(IInvestorRegistry registry) external;

    /// @notice Names the contract that answers `uri` and `contractURI`. Caller: the governance role.
    /// @dev Emits ContractURIUpdated.
    /// @param metadata The contract; zero means the base URI.
    function setMetadata(ITrancheMetadata metadata) external;

    /// @notice What `claim` would pay an account now, rounded down.
    /// @param account The account.
    /// @param id The tranche.
    /// @return Minor units.
    function claimable(address account, uint256 id) external view returns (uint256);

    /// @notice Revenue of a tranche that still streams, rounded up.
    /// @param id The tranche.
    /// @return Minor units.
    function unvested(uint256 id) external view returns (uint256);

    /// @notice Units of a tranche in circulation.
    /// @param id The tranche.
    /// @return Units (GPU-hours).
    function totalSupply(uint256 id) external view returns (uint256);

    /// @notice Units in circulation of the first tranches of a facility.
    /// @param facilityId The facility.
    /// @param count Number of tranches to read, at most 4.
    /// @return Units by seniority; 0 beyond `count`.
    function suppliesOf(uint64 facilityId, uint256 count) external view returns (uint256[4] memory);

    /// @notice Units of a tranche that no longer circulate.
    /// @param id The tranche.
    /// @return Their number, by reason.
    function burnedOf(uint256 id) external view returns (Burned memory);

    /// @notice What an account holds of a tranche, as stored: revenue since its last move is not yet in `owedX24`.
    /// @param account The account.
    /// @param id The tranche.
    /// @return The position.
    function positionOf(address account, uint256 id) external view returns (Position memory);

    /// @notice The revenue stream of a tranche, as stored.
    /// @param id The tranche.
    /// @return The stream.
    function trancheOf(uint256 id) external view returns (Tranche memory);

    /// @notice The contract that is told when a watched holder acts.
    /// @return The WalletDesk.
    function walletDesk() external view returns (IWalletDesk);

    /// @notice Whether an account may accrue revenue.
    /// @param source The account.
    /// @return True if it may.
    function isRevenueSource(address source) external view returns (bool);

    /// @notice The registry that every move asks.
    /// @return The registry; zero means no restriction.
    function investorRegistry() external view returns (IInvestorRegistry);

    /// @notice Token in which revenue of a facility is claimed.
    /// @param facilityId The facility.
    /// @return The token; zero before the facility's first mint.
    function settlementTokenOf(uint64 facilityId) external view returns (address);
}
