// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IInvestorRegistry} from "./IInvestorRegistry.sol";
import {ITrancheMetadata} from "./ITrancheMetadata.sol";

/// @title Tranche units and the revenue that they earn
/// @notice ERC-1155. One id is one tranche of a facility, `id = facilityId << 8 | seniority`; one unit is
/// one GPU-hour, whole numbers only. Revenue accrues per unit and streams over time; holders take it with
/// `claim`. Amounts are minor units of the facility's settlement token; X32 values carry 32 fractional bits.
/// Eligibility and freezes rule who may hold and move units (invariant 7). They never rule claims: what an account
/// earned stays its own, and it alone says where it is paid.
interface ITrancheToken {
    /// @param accPaidX32 Tranche accumulator up to which this position is settled.
    /// @param owedX32 Revenue earned and not claimed.
    /// @param units GPU-hours held.
    /// @param flags Bit 0: a frozen amount is set, and stands in a word of its own.
    /// @param settlement Number of the settlement token in the token's list, so that a claim needs no look-up by
    /// facility; 0 before the first units came.
    struct Position {
        uint72 accPaidX32;
        uint96 owedX32;
        uint40 units;
        uint8 flags;
        uint40 settlement;
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

    /// @notice Revenue of one facility on its way in.
    /// @param span Seconds over which it streams.
    /// @param amounts By seniority; a tranche with 0 is passed over.
    struct Accrual {
        uint64 facilityId;
        uint24 span;
        uint256[4] amounts;
    }

    /// @notice Units of a tranche that no longer circulate: minted = supply + delivered + expired + refunded.
    /// @param delivered Burned for compute. @param expired Burned by holders after the facility ended.
    /// @param refunded Burned for their price; they may be minted again.
    struct Burned {
        uint64 delivered;
        uint64 expired;
        uint64 refunded;
    }

    /// @notice Why units were burned.
    enum BurnReason {
        Delivered,
        Expired,
        Refunded
    }

    /// @notice Revenue arrived for a tranche. `unvested` and `streamEnd` describe the stream after it.
    event RevenueAccrued(
        uint256 indexed id, address indexed source, uint256 amount, uint256 unvested, uint64 streamEnd
    );
    /// @notice `holder` took `amount` of one tranche; it was sent to `to`.
    event RevenueClaimed(address indexed holder, address indexed to, uint256 indexed id, uint256 amount);
    /// @notice The same for a claim of none or several ids: `amounts[i]` is of `ids[i]`, and may be zero.
    event RevenueClaimedBatch(address indexed holder, address indexed to, uint256[] ids, uint256[] amounts);
    /// @notice What still streamed vested at once: at maturity, or because the last units were burned.
    event StreamVested(uint256 indexed id, uint256 amount);
    /// @notice `source` may, or may no longer, accrue revenue.
    event RevenueSourceSet(address indexed source, bool allowed);
    /// @notice Units left circulation. Follows the TransferSingle of the burn.
    event UnitsBurned(address indexed holder, uint256 indexed id, uint256 units, BurnReason reason);
    /// @notice Units were burned for compute: GPU-hours owed under `voucherId` of the delivery desk.
    event DeliveryTaken(
        address indexed holder, uint256 indexed id, uint256 units, bytes32 indexed deliveryRef, uint256 voucherId
    );
    /// @notice The registry asked at every move; zero is no restriction.
    event InvestorRegistrySet(address indexed investorRegistry);

    /// @notice Transfers, mints and deliveries stopped, or go on.
    event Paused(address account);
    event Unpaused(address account);

    error EnforcedPause();
    error PauseUnchanged(bool paused);
    error NotRevenueSource(address caller);
    error NotFacilityRegistry(address caller);
    error NotPrimarySale(address caller);
    error MintNotAllowed(uint256 id, address caller);
    error UnitsAboveCap(uint256 id, uint256 units, uint256 cap);
    error UnitsZero();
    error AmountAboveLimit(uint256 amount, uint256 limit);
    error SettlementShort(uint256 expected, uint256 received);
    error ZeroRecipient();
    /// @dev Revenue for a tranche that nobody holds would be nobody's.
    error TrancheWithoutUnits(uint256 id);
    error DeadlinePassed(uint256 deadline, uint256 blockTime);
    error SignatureInvalid(address holder);
    /// @dev The facility has not ended, or its units are refunded by the sale.
    error UnitsNotExpired(uint256 id);
    error RefundNotOpen(uint256 id);

    /// @notice Mints units. Caller: PrimarySale if the facility has a sale, else its gpuOperator; while the facility is
    /// `Offered`, up to the tranche's cap. The receiver must be eligible. Stopped by pause.
    function mint(address to, uint256 id, uint256 units) external;

    /// @notice Burns units of a buyer who gets their price back. Caller: PrimarySale, while the facility is `Offered`
    /// or `Cancelled`. Not stopped by pause; frozen units and ineligible holders are.
    /// @dev Emits UnitsBurned. Accrued revenue stays owed.
    function burnForRefund(address holder, uint256 id, uint256 units) external;

    /// @notice Burns the caller's units for compute, one GPU-hour each, and issues a voucher. While the facility is
    /// `Funded` or `Delivering`, before `windowEnd`. Stopped by pause.
    /// @param deliveryRef Lease hash that the delivery lines of statements will carry.
    /// @dev Emits UnitsBurned and DeliveryTaken. Accrued revenue stays owed (invariant 3). The delivery desk refuses,
    /// with DeliveryClosed, what is too early or too late.
    function takeDelivery(uint256 id, uint256 units, bytes32 deliveryRef) external returns (uint256 voucherId);

    /// @notice Burns the caller's units after the facility matured, defaulted, or was cancelled without a sale. Units
    /// burned earn nothing any more, also of a bond or proceeds that come later; what they earned stays owed.
    /// @dev Emits UnitsBurned.
    function burnExpired(uint256 id, uint256 units) external;

    /// @notice Pays the caller's vested revenue of every id to `to`, rounded down; the fraction stays owed.
    /// @dev Emits RevenueClaimed for one id (unless there is nothing to pay), RevenueClaimedBatch for several. Never
    /// paused, and open to frozen and ineligible accounts. Repeated ids pay once. Ids of one settlement token that
    /// stand together are paid in one transfer; a settlement token that fails makes the whole call fail, so claim its
    /// ids apart from others.
    function claim(uint256[] calldata ids, address to) external returns (uint256 paid);

    /// @notice The same for `holder`, who signed `Claim(address holder,uint256[] ids,address to,uint256 nonce,uint256
    /// deadline)` (EIP-712, domain "Rentroll Units" version "1") by ECDSA or ERC-1271. Caller: anybody.
    /// @param deadline Last second in which the signature counts.
    function claimBySig(address holder, uint256[] calldata ids, address to, uint256 deadline, bytes calldata signature)
        external
        returns (uint256 paid);

    /// @notice Takes all amounts from the caller and streams each to the holders of its tranche over `span` seconds,
    /// blended with what still streams so that a dust amount moves nobody's end. Caller: a revenue source.
    /// @dev Emits RevenueAccrued for each amount. Facilities of one settlement token that stand together are taken in
    /// one transfer: exact balance delta or SettlementShort. Reverts if a tranche that gets something has no units.
    function accrue(Accrual[] calldata accruals) external;

    /// @notice Vests at once what still streams. Caller: the facility registry, at maturity.
    function vest(uint256 id) external;

    /// @notice Allows or forbids a revenue source. Caller: the governance role.
    function setRevenueSource(address source, bool allowed) external;
    /// @notice Names the registry that every move asks; zero is no restriction. Caller: the governance role.
    /// @dev Emits InvestorRegistrySet. Asks the registry once, so that a wrong address reverts here.
    function setInvestorRegistry(IInvestorRegistry registry) external;
    /// @notice Names the contract that answers `uri` and `contractURI`; zero is the base URI. Caller: governance.
    /// @dev Emits ContractURIUpdated.
    function setMetadata(ITrancheMetadata metadata) external;

    /// @notice Vested and unclaimed revenue of `account`, rounded down: what `claim` would pay now.
    function claimable(address account, uint256 id) external view returns (uint256);
    /// @notice Revenue of the tranche that still streams, rounded up.
    function unvested(uint256 id) external view returns (uint256);
    function totalSupply(uint256 id) external view returns (uint256);
    /// @notice `totalSupply` of the first `count` tranches of a facility, four at most; 0 beyond.
    function suppliesOf(uint64 facilityId, uint256 count) external view returns (uint256[4] memory);
    function burnedOf(uint256 id) external view returns (Burned memory);
    function positionOf(address account, uint256 id) external view returns (Position memory);
    function trancheOf(uint256 id) external view returns (Tranche memory);
    function isRevenueSource(address source) external view returns (bool);
    function investorRegistry() external view returns (IInvestorRegistry);
    /// @notice Settlement token in which revenue of a facility is claimed; zero before its first mint.
    function settlementTokenOf(uint64 facilityId) external view returns (address);
}
