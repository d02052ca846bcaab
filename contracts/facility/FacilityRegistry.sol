// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IBondVault} from "../interfaces/IBondVault.sol";
import {IDeliveryDesk} from "../interfaces/IDeliveryDesk.sol";
import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {IPrimarySale} from "../interfaces/IPrimarySale.sol";
import {IRentLockbox} from "../interfaces/IRentLockbox.sol";
import {IStatementRegistry} from "../interfaces/IStatementRegistry.sol";
import {ITrancheToken} from "../interfaces/ITrancheToken.sol";
import {FacilityStore} from "./FacilityStore.sol";
import {OfferTerms} from "./OfferTerms.sol";

/// @title Register of facilities, their terms and their life cycle
/// @notice Names the other contracts, so that each of them needs to know this register alone.
contract FacilityRegistry is IFacilityRegistry, AccessManaged {
    using FacilityStore for FacilityStore.Facility;

    uint256 private constant RECEIVABLE_LIFE = 90 days;
    uint8 private constant MAX_DECIMALS = 6;

    /// @inheritdoc IFacilityRegistry
    IStatementRegistry public statementRegistry;
    /// @inheritdoc IFacilityRegistry
    ITrancheToken public trancheToken;
    /// @inheritdoc IFacilityRegistry
    IRentLockbox public rentLockbox;
    /// @inheritdoc IFacilityRegistry
    IPrimarySale public primarySale;
    /// @inheritdoc IFacilityRegistry
    IBondVault public bondVault;
    /// @inheritdoc IFacilityRegistry
    IDeliveryDesk public deliveryDesk;

    /// @inheritdoc IFacilityRegistry
    mapping(address token => bool) public isSettlementToken;
    mapping(uint64 facilityId => FacilityStore.Facility) private _facilities;

    /// @notice Deploys an empty register; `link` names the other contracts.
    /// @param authority AccessManager that holds the roles.
    constructor(address authority) AccessManaged(authority) {}

    /// @inheritdoc IFacilityRegistry
    function link(Links calldata links) external restricted {
        require(address(trancheToken) == address(0), AlreadyLinked());
        bool named = address(links.statementRegistry) != address(0) && address(links.trancheToken) != address(0)
            && address(links.rentLockbox) != address(0) && address(links.primarySale) != address(0)
            && address(links.bondVault) != address(0) && address(links.deliveryDesk) != address(0);
        require(named, LinkMissing());
        statementRegistry = links.statementRegistry;
        trancheToken = links.trancheToken;
        rentLockbox = links.rentLockbox;
        primarySale = links.primarySale;
        bondVault = links.bondVault;
        deliveryDesk = links.deliveryDesk;
    }

    /// @inheritdoc IFacilityRegistry
    function setSettlementToken(address token, bool allowed) external restricted {
        require(!allowed || IERC20Metadata(token).decimals() <= MAX_DECIMALS, SettlementTokenNotAllowed(token));
        isSettlementToken[token] = allowed;
        emit SettlementTokenAllowed(token, allowed);
    }

    /// @inheritdoc IFacilityRegistry
    function offer(uint64 facilityId, FacilityTerms calldata terms, TrancheTerms[] calldata tranches)
        external
        restricted
    {
        FacilityStore.Facility storage facility = _facilities[facilityId];
        require(facilityId != 0 && facility.schedule.state == FacilityState.None, FacilityExists(facilityId));
        require(terms.gpuOperator == msg.sender, NotGpuOperator(facilityId, msg.sender));
        require(isSettlementToken[terms.settlementToken], SettlementTokenNotAllowed(terms.settlementToken));
        OfferTerms.check(terms);
        OfferTerms.check(terms, tranches);
        facility.write(terms, tranches);
        emit FacilityOffered(facilityId, msg.sender, terms, tranches);
        emit FacilityStateChanged(facilityId, FacilityState.Offered);
    }

    /// @inheritdoc IFacilityRegistry
    function fund(uint64 facilityId) external {
        if (!_isSale(facilityId)) {
            _requireGpuOperator(facilityId);
            require(!primarySale.hasSale(facilityId), SaleRunning(facilityId));
        }
        _requireState(facilityId, FacilityState.Offered);
        uint256[4] memory supplies = _supplies(facilityId);
        require(supplies[0] + supplies[1] + supplies[2] + supplies[3] > 0, FacilityEmpty(facilityId));
        require(bondVault.hasTerms(facilityId), BondTermsMissing(facilityId));
        require(bondVault.isSufficient(facilityId), BondInsufficient(facilityId));
        _facilities[facilityId].fixUnsold(supplies);
        _setState(facilityId, FacilityState.Funded);
        trancheToken.activate(facilityId, _facilities[facilityId].money.trancheCount);
    }

    /// @inheritdoc IFacilityRegistry
    function cancel(uint64 facilityId) external {
        if (!_isSale(facilityId)) {
            _requireGpuOperator(facilityId);
            require(primarySale.bookOf(facilityId).soldUnits == 0, SaleRunning(facilityId));
        }
        _requireState(facilityId, FacilityState.Offered);
        _setState(facilityId, FacilityState.Cancelled);
    }

    /// @inheritdoc IFacilityRegistry
    function expire(uint64 facilityId) external {
        // The stored state is still Offered: an offer that expired and was never recorded.
        bool offered = _facilities[facilityId].schedule.state == FacilityState.Offered;
        require(offered && stateOf(facilityId) == FacilityState.Cancelled, OfferNotExpired(facilityId));
        _setState(facilityId, FacilityState.Cancelled);
    }

    /// @inheritdoc IFacilityRegistry
    function mature(uint64 facilityId) external {
        _requireState(facilityId, FacilityState.Delivering);
        uint32 count = _facilities[facilityId].money.epochCount;
        IRentLockbox.Book memory book = rentLockbox.bookOf(facilityId);
        bool done = statementRegistry.epochsFinal(facilityId) == count && book.settledEpochs == count;
        require(done, NotMature(facilityId));
        (, uint256 attested) = statementRegistry.finalTotalsOf(facilityId, count);
        if (book.settled != attested) {
            bool old = block.timestamp >= _facilities[facilityId].schedule.windowEnd + RECEIVABLE_LIFE;
            // What is both attested and collected is paid out first: only rent that never came is written off.
            bool paidOut = book.settled == book.collected;
            require(old && paidOut, NotMature(facilityId));
            emit ReceivableWrittenOff(facilityId, attested - book.settled);
        }
        _setState(facilityId, FacilityState.Matured);
    }

    /// @inheritdoc IFacilityRegistry
    function declareDefault(uint64 facilityId) external {
        _requireState(facilityId, FacilityState.Delivering);
        IBondVault.BondTerms memory terms = bondVault.bondTermsOf(facilityId);
        DefaultReason reason = DefaultReason.StatementsMissing;
        if (!_statementsMissing(facilityId, terms.defaultAfterEpochs)) {
            reason = DefaultReason.BondMissing;
            uint256 since = bondVault.belowSince(facilityId);
            require(since != 0 && block.timestamp > since + terms.graceSeconds, NotInDefault(facilityId));
        }
        emit DefaultDeclared(facilityId, msg.sender, reason);
        _setState(facilityId, FacilityState.Defaulted);
    }

    /// @inheritdoc IFacilityRegistry
    function stateOf(uint64 facilityId) public view returns (FacilityState) {
        return _facilities[facilityId].stateNow();
    }

    /// @inheritdoc IFacilityRegistry
    function termsOf(uint64 facilityId) external view returns (FacilityTerms memory) {
        _requireKnown(facilityId);
        return _facilities[facilityId].terms();
    }

    /// @inheritdoc IFacilityRegistry
    function epochTermsOf(uint64 facilityId) external view returns (EpochTerms memory) {
        FacilityStore.Schedule memory schedule = _facilities[facilityId].schedule;
        FacilityState state = FacilityStore.stateNow(schedule);
        return EpochTerms(state, schedule.windowStart, schedule.windowEnd, schedule.epochLength, schedule.deviceCount);
    }

    /// @inheritdoc IFacilityRegistry
    function settlementTermsOf(uint64 facilityId) external view returns (SettlementTerms memory) {
        SettlementTerms memory terms = _facilities[facilityId].settlementTerms();
        require(terms.trancheCount > 0, FacilityUnknown(facilityId));
        return terms;
    }

    /// @inheritdoc IFacilityRegistry
    function promisedGpuSeconds(uint64 facilityId, uint32 epochs) external view returns (uint256) {
        return _facilities[facilityId].promisedDown(epochs);
    }

    /// @inheritdoc IFacilityRegistry
    function tranchesOf(uint64 facilityId) external view returns (TrancheTerms[] memory) {
        _requireKnown(facilityId);
        return _facilities[facilityId].tranches();
    }

    /// @inheritdoc IFacilityRegistry
    function trancheCapOf(uint64 facilityId, uint8 seniority) external view returns (uint40) {
        return seniority < OfferTerms.MAX_TRANCHES ? _facilities[facilityId].caps[seniority] : 0;
    }

    /// @inheritdoc IFacilityRegistry
    function gpuOperatorOf(uint64 facilityId) external view returns (address) {
        return _facilities[facilityId].gpuOperator;
    }

    /// @inheritdoc IFacilityRegistry
    function settlementTokenOf(uint64 facilityId) external view returns (address) {
        return _facilities[facilityId].money.settlementToken;
    }

    /// @inheritdoc IFacilityRegistry
    function epochCountOf(uint64 facilityId) external view returns (uint32) {
        _requireKnown(facilityId);
        return _facilities[facilityId].money.epochCount;
    }

    /// @inheritdoc IFacilityRegistry
    function offeredAtBlock(uint64 facilityId) external view returns (uint64) {
        return _facilities[facilityId].schedule.offeredAtBlock;
    }

    /// @notice Stores a facility's state and emits FacilityStateChanged.
    /// @param facilityId The facility.
    /// @param next The new state.
    function _setState(uint64 facilityId, FacilityState next) private {
        _facilities[facilityId].schedule.state = next;
        emit FacilityStateChanged(facilityId, next);
    }

    /// @notice Whether a valid statement is overdue for so long that it is a default.
    /// @dev The statement of epoch `posted` was due at that epoch's end; the default comes `patience` epochs later.
    /// @param facilityId The facility.
    /// @param patience Epochs that a statement may be overdue; 0 means never a default.
    /// @return True if it is.
    function _statementsMissing(uint64 facilityId, uint256 patience) private view returns (bool) {
        uint256 posted = statementRegistry.epochsPosted(facilityId);
        if (patience == 0 || posted >= _facilities[facilityId].money.epochCount) return false;
        FacilityStore.Schedule memory schedule = _facilities[facilityId].schedule;
        return block.timestamp >= schedule.windowStart + (posted + 1 + patience) * schedule.epochLength;
    }

    /// @notice Whether the caller is the sale of this facility.
    /// @param facilityId The facility.
    /// @return True if it is.
    function _isSale(uint64 facilityId) private view returns (bool) {
        return msg.sender == address(primarySale) && primarySale.hasSale(facilityId);
    }

    /// @notice Reverts with FacilityUnknown unless the facility was offered.
    /// @param facilityId The facility.
    function _requireKnown(uint64 facilityId) private view {
        require(_facilities[facilityId].schedule.state != FacilityState.None, FacilityUnknown(facilityId));
    }

    /// @notice Reverts with NotGpuOperator unless the caller is the facility's gpuOperator, or with FacilityUnknown.
    /// @param facilityId The facility.
    function _requireGpuOperator(uint64 facilityId) private view {
        _requireKnown(facilityId);
        require(_facilities[facilityId].gpuOperator == msg.sender, NotGpuOperator(facilityId, msg.sender));
    }

    /// @notice Reverts with FacilityStateWrong unless the facility is in a state.
    /// @param facilityId The facility.
    /// @param expected The state that it must be in.
    function _requireState(uint64 facilityId, FacilityState expected) private view {
        FacilityState actual = stateOf(facilityId);
        require(actual == expected, FacilityStateWrong(facilityId, actual));
    }

    /// @notice Units of each tranche in circulation.
    /// @param facilityId The facility.
    /// @return Units (GPU-hours) by seniority; 0 beyond the last tranche.
    function _supplies(uint64 facilityId) private view returns (uint256[4] memory) {
        return trancheToken.suppliesOf(facilityId, _facilities[facilityId].money.trancheCount);
    }
}
