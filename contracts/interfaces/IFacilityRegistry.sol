// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttesterDesk} from "./IAttesterDesk.sol";
import {IAttesterRegistry} from "./IAttesterRegistry.sol";
import {IBondVault} from "./IBondVault.sol";
import {IDeliveryDesk} from "./IDeliveryDesk.sol";
import {IEndings} from "./IEndings.sol";
import {IOperatorRecords} from "./IOperatorRecords.sol";
import {IPledgeRegistry} from "./IPledgeRegistry.sol";
import {IPrimarySale} from "./IPrimarySale.sol";
import {IRefundDesk} from "./IRefundDesk.sol";
import {IRentLockbox} from "./IRentLockbox.sol";
import {IStatementRegistry} from "./IStatementRegistry.sol";
import {ITrancheToken} from "./ITrancheToken.sol";

/// @title Facilities: which GPU capacity is pledged, by whom, for which window and on which terms
/// @notice Times are UTC seconds, amounts are minor units of the facility's settlement token (micros for a 6-decimal
/// stablecoin), capacity is counted in whole GPUs.
interface IFacilityRegistry is IEndings, IOperatorRecords {
    /// @notice Life cycle of a facility.
    /// @param None No facility has this id.
    /// @param Offered The terms are fixed; units may be minted or sold.
    /// @param Funded Minting has ended; the delivery window has not begun.
    /// @param Delivering The window has begun. Reached by time alone: a Funded facility delivers from `windowStart` on.
    /// @param Matured Every epoch is final, and paid or noticed as unpaid for 90 days.
    /// @param Cancelled The offer was withdrawn or expired, or its sale failed. An offer expires by time alone: it is
    /// Cancelled from `expiresAt` on.
    /// @param Defaulted An epoch was neither stated nor published for too long.
    /// @param Stopped Nobody ended the facility until its long stop, so anybody did.
    enum FacilityState {
        None,
        Offered,
        Funded,
        Delivering,
        Matured,
        Cancelled,
        Defaulted,
        Stopped
    }

    /// @notice Terms of a facility, fixed by its offer.
    /// @param gpuOperator Account that runs the GPUs; the only one that may offer and fund this facility, and mint
    /// where there is no sale.
    /// @param settlementToken Stablecoin in which rent is paid and revenue is claimed.
    /// @param gpuClass SKU as left-aligned ASCII, for example "H100-SXM5-80GB".
    /// @param site Data centre as left-aligned ASCII.
    /// @param windowStart First second of the delivery window; later than the offer.
    /// @param windowEnd Second after the delivery window; a whole number of epochs after `windowStart`.
    /// @param expiresAt UTC second from which an offer that was not funded is cancelled; later than the offer, and at
    /// most three days after `windowStart`.
    /// @param epochLength Length of an epoch, seconds.
    /// @param deviceCount Number of pledged devices: the leaves under `pledgeRoot`.
    /// @param promisedAvailabilityPpm Promised share of `deviceCount` x window, parts per million.
    /// @param feeBps Protocol fee on every settlement, basis points.
    /// @param attesterFeeBps Share of that fee that attesters earn by their duties, basis points of the fee.
    /// @param patienceSeconds Time after its end in which an epoch may be neither stated nor published before anybody
    /// may give notice of default; an epoch and 1 to 90 days.
    /// @param sealSeconds Time after `windowEnd` in which facts of the window can still be stated, by the closing
    /// statement at its end; above 0, at most 90 days.
    /// @param longStopSeconds Time after `windowEnd` and the seal from which anybody may stop a facility that nobody
    /// ended; 90 to 365 days.
    /// @param pledgeRoot Merkle root over `(facilityId, index, device)`, devices in ascending order.
    /// @param termsHash SHA-256 of the published terms document.
    struct FacilityTerms {
        address gpuOperator;
        address settlementToken;
        bytes32 gpuClass;
        bytes32 site;
        uint64 windowStart;
        uint64 windowEnd;
        uint64 expiresAt;
        uint32 epochLength;
        uint32 deviceCount;
        uint32 promisedAvailabilityPpm;
        uint16 feeBps;
        uint16 attesterFeeBps;
        uint32 patienceSeconds;
        uint32 sealSeconds;
        uint32 longStopSeconds;
        bytes32 pledgeRoot;
        bytes32 termsHash;
    }

    /// @notice Terms of one tranche.
    /// @param unitCap Most units (GPU-hours) that may ever exist of this tranche.
    /// @param couponPerUnit Minor units that one unit earns over the whole window before junior tranches are paid.
    /// Above 0 for every tranche but the last, which takes the rest and has 0.
    struct TrancheTerms {
        uint40 unitCap;
        uint64 couponPerUnit;
    }

    /// @notice What posting a statement must know of a facility; all zero if it is unknown.
    /// @param state State in this block.
    /// @param windowStart First second of the delivery window.
    /// @param windowEnd Second after the delivery window.
    /// @param epochLength Length of an epoch, seconds.
    /// @param sealSeconds Time after `windowEnd` in which facts of the window can still be stated.
    /// @param deviceCount Number of pledged devices.
    /// @param panel Number of the panel of attesters whose signatures count.
    struct EpochTerms {
        FacilityState state;
        uint64 windowStart;
        uint64 windowEnd;
        uint32 epochLength;
        uint32 sealSeconds;
        uint32 deviceCount;
        uint8 panel;
    }

    /// @notice The contracts around the register, named once.
    /// @param statementRegistry Holds attested statements.
    /// @param trancheToken Holds units and their revenue.
    /// @param rentLockbox Takes rent and settles it.
    /// @param primarySale Sells units.
    /// @param bondVault Holds bonds.
    /// @param deliveryDesk Issues vouchers.
    /// @param attesterRegistry Knows the attesters and their panels.
    /// @param pledgeRegistry Holds approved pledges.
    /// @param attesterDesk Books attesters' duties, rejects evidence, splits fees.
    /// @param refundDesk Says to whom rent above what is attested goes back.
    struct Links {
        IStatementRegistry statementRegistry;
        ITrancheToken trancheToken;
        IRentLockbox rentLockbox;
        IPrimarySale primarySale;
        IBondVault bondVault;
        IDeliveryDesk deliveryDesk;
        IAttesterRegistry attesterRegistry;
        IPledgeRegistry pledgeRegistry;
        IAttesterDesk attesterDesk;
        IRefundDesk refundDesk;
    }

    /// @notice What a settlement must know of a facility.
    /// @param settlementToken Stablecoin in which rent is paid and revenue is claimed.
    /// @param feeBps Protocol fee on every settlement, basis points.
    /// @param epochLength Length of an epoch, seconds.
    /// @param epochCount Number of epochs in the window.
    /// @param trancheCount Number of tranches, 1 to 4.
    /// @param coupons `couponPerUnit` by seniority, minor units; 0 for the last tranche and beyond it.
    /// @param unsold Units under the cap that were never minted, by seniority, GPU-hours; fixed when the facility is
    /// funded. What falls on them is the gpuOperator's.
    struct SettlementTerms {
        address settlementToken;
        uint16 feeBps;
        uint32 epochLength;
        uint32 epochCount;
        uint8 trancheCount;
        uint64[4] coupons;
        uint40[4] unsold;
    }

    /// @notice A facility entered the register in state Offered. Tranche `i` of the list has seniority `i`.
    /// @param facilityId The facility.
    /// @param gpuOperator The account that runs the facility's GPUs.
    /// @param panel Number of the panel of attesters whose signatures count for it.
    /// @param terms Terms of the facility.
    /// @param tranches Terms of its tranches, most senior first.
    event FacilityOffered(
        uint64 indexed facilityId,
        address indexed gpuOperator,
        uint8 panel,
        FacilityTerms terms,
        TrancheTerms[] tranches
    );

    /// @notice Governance removed an offer that was not funded. Its sale, if there is one, pays back.
    /// @param facilityId The facility.
    event OfferRemoved(uint64 indexed facilityId);

    /// @notice The stored state of a facility changed. Delivering is never stored: it follows from Funded and the time.
    /// That an offer expired follows from the time too, and is stored only if somebody calls `expire`.
    /// @param facilityId The facility.
    /// @param state The new state.
    event FacilityStateChanged(uint64 indexed facilityId, FacilityState state);

    /// @notice A token was allowed or forbidden as settlement token of new facilities.
    /// @param token Address of the ERC-20 token.
    /// @param allowed True if new facilities may name it.
    event SettlementTokenAllowed(address indexed token, bool allowed);

    /// @notice The id is 0 or taken. Choose another one.
    /// @param facilityId The facility.
    error FacilityExists(uint64 facilityId);

    /// @notice No facility has this id.
    /// @param facilityId The facility.
    error FacilityUnknown(uint64 facilityId);

    /// @notice The facility is not in the state that this call needs.
    /// @param facilityId The facility.
    /// @param actual The state that it is in.
    error FacilityStateWrong(uint64 facilityId, FacilityState actual);

    /// @notice Only the facility's gpuOperator (or its sale, where there is one) may do this; an offer must name its
    /// sender.
    /// @param facilityId The facility.
    /// @param caller The account that called.
    error NotGpuOperator(uint64 facilityId, address caller);

    /// @notice New facilities may not name this token, or it has not 6 decimals.
    /// @param token Address of the ERC-20 token.
    error SettlementTokenNotAllowed(address token);

    /// @notice A term is out of bounds.
    /// @dev `field` names the member of `FacilityTerms` or `TrancheTerms` that is out of bounds.
    /// @param field Member of `FacilityTerms` or `TrancheTerms` that is, or "tranches" if their number is.
    error TermsInvalid(string field);

    /// @notice A facility is funded only when somebody holds a unit of it. Mint or sell one first.
    /// @param facilityId The facility.
    error FacilityEmpty(uint64 facilityId);

    /// @notice The facility is no offer that has expired: it is in another state, or `expiresAt` is still to come.
    /// @param facilityId The facility.
    error OfferNotExpired(uint64 facilityId);

    /// @notice No bond terms were set: they are part of every deal. Set them in the BondVault.
    /// @param facilityId The facility.
    error BondTermsMissing(uint64 facilityId);

    /// @notice The other contracts were named already; that happens once.
    error AlreadyLinked();

    /// @notice None of the contracts may be zero.
    error LinkMissing();

    /// @notice The attesters of the facility's panel have not approved its pledge.
    /// @param facilityId The facility.
    error PledgeNotApproved(uint64 facilityId);

    /// @notice The bond is below `requiredBond`. Deposit into the BondVault first.
    /// @param facilityId The facility.
    error BondInsufficient(uint64 facilityId);

    /// @notice The facility has a sale, which alone can fund it, and alone cancel it once a unit is sold: finalize the
    /// sale.
    /// @param facilityId The facility.
    error SaleRunning(uint64 facilityId);

    /// @notice All unit caps together exceed the GPU-hours of the window (invariant 1).
    /// @param units Sum of the caps, GPU-hours.
    /// @param capacityHours `deviceCount` x window in whole hours, rounded down.
    error UnitsAboveCapacity(uint256 units, uint256 capacityHours);

    /// @notice Puts a facility on the register. Caller: an account with the gpuOperator role that is
    /// `terms.gpuOperator`.
    /// @dev Emits FacilityOffered and FacilityStateChanged. All caps together never exceed `deviceCount` x window in
    /// whole hours (invariant 1). Reverts with FacilityExists, NotGpuOperator, SettlementTokenNotAllowed, TermsInvalid
    /// UnitsAboveCapacity, FacilityReservedBefore, or as `IAttesterRegistry.offerPanel` does.
    /// @param facilityId New id, above 0; one that nobody else reserved.
    /// @param terms Terms of the facility.
    /// @param tranches Terms of its 1 to 4 tranches, most senior first.
    function offer(uint64 facilityId, FacilityTerms calldata terms, TrancheTerms[] calldata tranches) external;

    /// @notice Ends minting, and fixes for good how many units of each tranche are unsold. A tranche may be wholly
    /// unsold, but not all of them; bond terms must be set, and the bond sufficient. Caller: the facility's
    /// gpuOperator, or its sale where there is one.
    /// @dev Emits FacilityStateChanged(Funded). Reverts with FacilityUnknown, NotGpuOperator, SaleRunning,
    /// FacilityStateWrong, FacilityEmpty, BondTermsMissing, BondInsufficient or PledgeNotApproved.
    /// @param facilityId The facility.
    function fund(uint64 facilityId) external;

    /// @notice Withdraws an offer. Caller: the facility's gpuOperator, where it has a sale only while nothing is sold;
    /// or the sale when it failed (buyers are then refunded). Units that were placed privately had no price: their
    /// holders get no money for them and can burn them.
    /// @dev Emits FacilityStateChanged(Cancelled). Reverts with FacilityUnknown, NotGpuOperator, FacilityStateWrong or
    /// SaleRunning.
    /// @param facilityId The facility.
    function cancel(uint64 facilityId) external;

    /// @notice Records that an offer expired. It is Cancelled from `expiresAt` on also without this call. Caller:
    /// anybody.
    /// @dev Emits FacilityStateChanged(Cancelled). Reverts with OfferNotExpired.
    /// @param facilityId The facility.
    function expire(uint64 facilityId) external;

    /// @notice Removes an offer that is not funded, so that it claims no devices: its state is Cancelled. Caller: the
    /// governance role, which waits.
    /// @dev Emits OfferRemoved and FacilityStateChanged(Cancelled). Reverts with FacilityStateWrong.
    /// @param facilityId The facility.
    function remove(uint64 facilityId) external;

    /// @notice Allows or forbids a token, of 6 decimals, as settlement token of new facilities; those that name
    /// it already keep it. Caller: the governance role.
    /// @dev Emits SettlementTokenAllowed. Reverts with SettlementTokenNotAllowed.
    /// @param token Address of the ERC-20 token.
    /// @param allowed True to allow it.
    function setSettlementToken(address token, bool allowed) external;

    /// @notice Names the other contracts, once. Caller: the governance role.
    /// @dev Reverts with AlreadyLinked or LinkMissing.
    /// @param links The contracts.
    function link(Links calldata links) external;

    /// @notice State in this block; Delivering, and Cancelled of an offer that expired, follow from the block's time.
    /// @param facilityId The facility.
    /// @return The state; None if the facility is unknown.
    function stateOf(uint64 facilityId) external view returns (FacilityState);

    /// @notice Terms as offered. Reverts with FacilityUnknown.
    /// @param facilityId The facility.
    /// @return The terms.
    function termsOf(uint64 facilityId) external view returns (FacilityTerms memory);

    /// @notice What posting a statement checks, in one storage word.
    /// @dev All zero, state `None`, for an unknown facility.
    /// @param facilityId The facility.
    /// @return The terms; all zero (state None) if the facility is unknown.
    function epochTermsOf(uint64 facilityId) external view returns (EpochTerms memory);

    /// @notice What a settlement needs. Reverts with FacilityUnknown.
    /// @param facilityId The facility.
    /// @return The terms.
    function settlementTermsOf(uint64 facilityId) external view returns (SettlementTerms memory);

    /// @notice Available GPU-seconds that the operator promised for the first epochs, rounded down.
    /// @param facilityId The facility.
    /// @param epochs Number of leading epochs.
    /// @return GPU-seconds.
    function promisedGpuSeconds(uint64 facilityId, uint32 epochs) external view returns (uint256);

    /// @notice Terms of every tranche, most senior first. Reverts with FacilityUnknown.
    /// @param facilityId The facility.
    /// @return The terms of each tranche.
    function tranchesOf(uint64 facilityId) external view returns (TrancheTerms[] memory);

    /// @notice Most units of one tranche.
    /// @param facilityId The facility.
    /// @param seniority Rank of the tranche, from 0.
    /// @return Units (GPU-hours); 0 if there is no such tranche.
    function trancheCapOf(uint64 facilityId, uint8 seniority) external view returns (uint40);

    /// @notice The account that runs a facility's GPUs.
    /// @param facilityId The facility.
    /// @return The account; zero if the facility is unknown.
    function gpuOperatorOf(uint64 facilityId) external view returns (address);

    /// @notice The stablecoin of a facility.
    /// @param facilityId The facility.
    /// @return The token; zero if the facility is unknown.
    function settlementTokenOf(uint64 facilityId) external view returns (address);

    /// @notice Share of a facility's fee that attesters earn.
    /// @param facilityId The facility.
    /// @return Basis points of the fee; 0 if the facility is unknown.
    function attesterFeeBpsOf(uint64 facilityId) external view returns (uint16);

    /// @notice Number of epochs in the delivery window. Reverts with FacilityUnknown.
    /// @param facilityId The facility.
    /// @return The number.
    function epochCountOf(uint64 facilityId) external view returns (uint32);

    /// @notice The contract that holds attested statements.
    /// @return Its address; zero before `link`.
    function statementRegistry() external view returns (IStatementRegistry);

    /// @notice The contract that holds units and their revenue.
    /// @return Its address; zero before `link`.
    function trancheToken() external view returns (ITrancheToken);

    /// @notice The contract that takes rent and settles it.
    /// @return Its address; zero before `link`.
    function rentLockbox() external view returns (IRentLockbox);

    /// @notice The contract that sells units.
    /// @return Its address; zero before `link`.
    function primarySale() external view returns (IPrimarySale);

    /// @notice The contract that holds bonds.
    /// @return Its address; zero before `link`.
    function bondVault() external view returns (IBondVault);

    /// @notice The contract that issues vouchers.
    /// @return Its address; zero before `link`.
    function deliveryDesk() external view returns (IDeliveryDesk);

    /// @notice The contract that knows the attesters and their panels.
    /// @return Its address; zero before `link`.
    function attesterRegistry() external view returns (IAttesterRegistry);

    /// @notice The contract that holds approved pledges.
    /// @return Its address; zero before `link`.
    function pledgeRegistry() external view returns (IPledgeRegistry);

    /// @notice The contract that books attesters' duties, rejects evidence and splits fees.
    /// @return Its address; zero before `link`.
    function attesterDesk() external view returns (IAttesterDesk);

    /// @notice The contract that says to whom rent above what is attested goes back.
    /// @return Its address; zero before `link`.
    function refundDesk() external view returns (IRefundDesk);

    /// @notice Whether new facilities may name `token`.
    /// @param token Address of the ERC-20 token.
    /// @return True if they may.
    function isSettlementToken(address token) external view returns (bool);
}
