// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBondVault} from "./IBondVault.sol";
import {IDeliveryDesk} from "./IDeliveryDesk.sol";
import {IPrimarySale} from "./IPrimarySale.sol";
import {IRentLockbox} from "./IRentLockbox.sol";
import {IStatementRegistry} from "./IStatementRegistry.sol";
import {ITrancheToken} from "./ITrancheToken.sol";

/// @title Facilities: what GPU capacity was pledged, by whom, for which window and on which terms
/// @notice Times are UTC seconds, amounts are minor units of the facility's settlement token
/// (micros for a 6-decimal stablecoin), capacity is counted in whole GPUs.
interface IFacilityRegistry {
    /// @notice Life cycle. `Delivering` is reached by time alone: a funded facility delivers from `windowStart` on.
    enum FacilityState {
        None,
        Offered,
        Funded,
        Delivering,
        Matured,
        Cancelled,
        Defaulted
    }

    /// @param gpuOperator Runs the GPUs; the only account that may offer, mint and fund this facility.
    /// @param settlementToken Allow-listed stablecoin in which rent is paid and revenue is claimed.
    /// @param gpuClass SKU as left-aligned ASCII, for example "H100-SXM5-80GB".
    /// @param site Data centre as left-aligned ASCII.
    /// @param windowStart First second of the delivery window.
    /// @param windowEnd Second after the delivery window; a whole number of epochs after `windowStart`.
    /// @param epochLength Seconds of one epoch.
    /// @param deviceCount Number of pledged devices: the leaves under `pledgeRoot`.
    /// @param promisedAvailabilityPpm Promised share of `deviceCount` x window, parts per million.
    /// @param feeBps Protocol fee on every settlement, basis points.
    /// @param pledgeRoot Root over `(facilityId, index, device)`, devices in ascending order.
    /// @param termsHash SHA-256 of the published terms document.
    struct FacilityTerms {
        address gpuOperator;
        address settlementToken;
        bytes32 gpuClass;
        bytes32 site;
        uint64 windowStart;
        uint64 windowEnd;
        uint32 epochLength;
        uint32 deviceCount;
        uint32 promisedAvailabilityPpm;
        uint16 feeBps;
        bytes32 pledgeRoot;
        bytes32 termsHash;
    }

    /// @param unitCap Most units (GPU-hours) that may ever be minted of this tranche.
    /// @param couponPerUnit Minor units that one unit earns over the whole window before juniors are paid.
    /// Must be 0 for the last tranche, which takes the residual.
    struct TrancheTerms {
        uint40 unitCap;
        uint64 couponPerUnit;
    }

    /// @notice What posting a statement must know of a facility; all zero if it is unknown.
    /// @param state State now.
    /// @param windowStart First second of the delivery window.
    /// @param windowEnd Second after the delivery window.
    /// @param epochLength Seconds of one epoch.
    /// @param deviceCount Number of pledged devices.
    struct EpochTerms {
        FacilityState state;
        uint64 windowStart;
        uint64 windowEnd;
        uint32 epochLength;
        uint32 deviceCount;
    }

    /// @notice The contracts around the register, named once.
    struct Links {
        IStatementRegistry statementRegistry;
        ITrancheToken trancheToken;
        IRentLockbox rentLockbox;
        IPrimarySale primarySale;
        IBondVault bondVault;
        IDeliveryDesk deliveryDesk;
    }

    /// @notice Why a facility defaulted.
    enum DefaultReason {
        StatementsMissing,
        BondMissing
    }

    /// @notice What a settlement reads of a facility: two words.
    /// @param coupons `couponPerUnit` by seniority; the last tranche's, and all beyond it, are 0.
    struct SettlementTerms {
        address settlementToken;
        uint16 feeBps;
        uint32 epochLength;
        uint32 epochCount;
        uint8 trancheCount;
        uint64[4] coupons;
    }

    /// @notice Somebody declared a default on an objective condition.
    event DefaultDeclared(uint64 indexed facilityId, address indexed caller, DefaultReason reason);
    /// @notice A facility entered the register in state `Offered`. Tranche `i` has seniority `i`.
    event FacilityOffered(
        uint64 indexed facilityId, address indexed gpuOperator, FacilityTerms terms, TrancheTerms[] tranches
    );
    /// @notice The stored state of a facility changed.
    event FacilityStateChanged(uint64 indexed facilityId, FacilityState state);
    /// @notice A facility matured though `amount` of attested revenue was never paid.
    event ReceivableWrittenOff(uint64 indexed facilityId, uint256 amount);
    /// @notice A settlement token may, or may no longer, be named by new facilities.
    event SettlementTokenAllowed(address indexed token, bool allowed);

    error FacilityExists(uint64 facilityId);
    error FacilityUnknown(uint64 facilityId);
    error FacilityStateWrong(uint64 facilityId, FacilityState actual);
    error NotGpuOperator(uint64 facilityId, address caller);
    error SettlementTokenNotAllowed(address token);
    /// @dev `field` names the member of `FacilityTerms` or `TrancheTerms` that is out of bounds.
    error TermsInvalid(string field);
    error TrancheEmpty(uint64 facilityId, uint256 seniority);
    error UnitsMinted(uint64 facilityId, uint256 seniority);
    /// @dev An epoch is not final or not settled, or a receivable is left that is not old enough to be written off.
    error NotMature(uint64 facilityId);
    error AlreadyLinked();
    error LinkMissing();
    error NotInDefault(uint64 facilityId);
    error BondInsufficient(uint64 facilityId);
    error SaleRunning(uint64 facilityId);
    error UnitsAboveCapacity(uint256 units, uint256 capacityHours);

    /// @notice Puts a facility on the register. Caller: an account with the operator role that is `terms.gpuOperator`.
    /// @dev Emits FacilityOffered and FacilityStateChanged. The caps of all tranches together never
    /// exceed `deviceCount` x window in whole hours (invariant 1).
    function offer(uint64 facilityId, FacilityTerms calldata terms, TrancheTerms[] calldata tranches) external;

    /// @notice Ends minting. Caller: the facility's gpuOperator, or the sale where there is one. Every tranche must
    /// hold at least one unit, and the bond must be sufficient.
    /// @dev Emits FacilityStateChanged(Funded).
    function fund(uint64 facilityId) external;

    /// @notice Withdraws an offer. Caller: the facility's gpuOperator while no unit is minted, or the sale that failed
    /// (its buyers are refunded).
    /// @dev Emits FacilityStateChanged(Cancelled).
    function cancel(uint64 facilityId) external;

    /// @notice Ends a facility whose every epoch is final and settled, and vests what still streams. Caller: anybody.
    /// A receivable (attested revenue that no renter paid) keeps a facility open for 90 days after `windowEnd`; from
    /// then on it may be matured with what is left written off, so that an insolvent renter cannot hold bond and sale
    /// proceeds for ever. Late rent is taken until the facility matured, not after.
    /// @dev Emits FacilityStateChanged(Matured), and ReceivableWrittenOff where a receivable is left.
    function mature(uint64 facilityId) external;

    /// @notice Declares default of a delivering facility when no valid statement is posted `defaultAfterEpochs` epochs
    /// after one was due (the statement of epoch `e` is due at the end of `e`), or when the bond is below its minimum
    /// for longer than its grace. What still streams vests at once. Caller: anybody.
    /// @dev Emits DefaultDeclared and FacilityStateChanged(Defaulted). Reverts with NotInDefault.
    function declareDefault(uint64 facilityId) external;

    /// @notice Allows a token with at most 6 decimals for new facilities. Caller: the governance role.
    /// @dev Emits SettlementTokenAllowed.
    function setSettlementToken(address token, bool allowed) external;

    /// @notice Names the other contracts, once. Caller: the governance role.
    function link(Links calldata links) external;

    /// @notice State now, with `Delivering` derived from the block's time.
    function stateOf(uint64 facilityId) external view returns (FacilityState);
    /// @notice Terms as offered. Reverts with FacilityUnknown.
    function termsOf(uint64 facilityId) external view returns (FacilityTerms memory);
    /// @notice What a posting checks, in one word: the window, the epoch length in seconds, the GPUs, and the state
    /// now.
    /// @dev All zero, state `None`, for an unknown facility.
    function epochTermsOf(uint64 facilityId) external view returns (EpochTerms memory);
    /// @notice What a settlement needs. Reverts with FacilityUnknown.
    function settlementTermsOf(uint64 facilityId) external view returns (SettlementTerms memory);
    /// @notice Promised available GPU-seconds of the first `epochs` epochs, rounded down.
    function promisedGpuSeconds(uint64 facilityId, uint32 epochs) external view returns (uint256);
    /// @notice Terms of every tranche, most senior first. Reverts with FacilityUnknown.
    function tranchesOf(uint64 facilityId) external view returns (TrancheTerms[] memory);
    /// @notice Most units of one tranche; 0 if there is no such tranche.
    function trancheCapOf(uint64 facilityId, uint8 seniority) external view returns (uint40);
    /// @notice gpuOperator of a facility; zero if unknown.
    function gpuOperatorOf(uint64 facilityId) external view returns (address);
    /// @notice Settlement token of a facility; zero if unknown.
    function settlementTokenOf(uint64 facilityId) external view returns (address);
    /// @notice Number of epochs in the delivery window. Reverts with FacilityUnknown.
    function epochCountOf(uint64 facilityId) external view returns (uint32);
    /// @notice Block in which a facility was offered: of two pledges of one device the earlier counts.
    function offeredAtBlock(uint64 facilityId) external view returns (uint64);
    function statementRegistry() external view returns (IStatementRegistry);
    function trancheToken() external view returns (ITrancheToken);
    function rentLockbox() external view returns (IRentLockbox);
    function primarySale() external view returns (IPrimarySale);
    function bondVault() external view returns (IBondVault);
    function deliveryDesk() external view returns (IDeliveryDesk);
    /// @notice Whether new facilities may name `token`.
    function isSettlementToken(address token) external view returns (bool);
}
