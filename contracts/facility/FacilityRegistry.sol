// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IEndings} from "../interfaces/IEndings.sol";
import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {IOperatorRecords} from "../interfaces/IOperatorRecords.sol";
import {IStatementRegistry} from "../interfaces/IStatementRegistry.sol";
import {FacilityLinks} from "./FacilityLinks.sol";
import {FacilityStore} from "./FacilityStore.sol";
import {OfferTerms} from "./OfferTerms.sol";

/// @title Register of facilities, their terms and their life cycle
/// @notice From offer to closing: every state of a facility, and who may bring it about.
contract FacilityRegistry is FacilityLinks {
    using FacilityStore for FacilityStore.Facility;

    /// @dev From the notice that revenue is unpaid to when the facility may mature without it.
    uint256 private constant RECEIVABLE_LIFE = 90 days;
    /// @dev The cure of a default, beside the facility's own epoch.
    uint256 private constant CURE = 1 days;

    /// @inheritdoc IOperatorRecords
    mapping(address gpuOperator => bytes32) public ledgerKeyOf;
    /// @inheritdoc IOperatorRecords
    mapping(uint64 facilityId => address) public reservedBy;
    mapping(uint64 facilityId => FacilityStore.Facility) private _facilities;
    /// @inheritdoc IEndings
    mapping(uint64 facilityId => mapping(uint32 epoch => uint64)) public defaultNoticedAt;

    /// @notice Deploys an empty register; `link` names the other contracts.
    /// @param authority AccessManager that holds the roles.
    constructor(address authority) AccessManaged(authority) {}

    /// @inheritdoc IFacilityRegistry
    function offer(uint64 facilityId, FacilityTerms calldata terms, TrancheTerms[] calldata tranches)
        external
        restricted
    {
        FacilityStore.Facility storage facility = _facilities[facilityId];
        require(facilityId != 0 && facility.schedule.state == FacilityState.None, FacilityExists(facilityId));
        _requireFree(facilityId);
        require(terms.gpuOperator == msg.sender, NotGpuOperator(facilityId, msg.sender));
        require(isSettlementToken[terms.settlementToken], SettlementTokenNotAllowed(terms.settlementToken));
        OfferTerms.check(terms);
        OfferTerms.check(terms, tranches);
        uint8 panel = attesterRegistry.offerPanel();
        facility.write(terms, tranches, panel);
        emit FacilityOffered(facilityId, msg.sender, panel, terms, tranches);
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
        require(pledgeRegistry.isApproved(facilityId), PledgeNotApproved(facilityId));
        _facilities[facilityId].fixUnsold(supplies);
        _facilities[facilityId].progress.fundedAt = uint40(block.timestamp);
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
    function remove(uint64 facilityId) external restricted {
        _requireState(facilityId, FacilityState.Offered);
        emit OfferRemoved(facilityId);
        _setState(facilityId, FacilityState.Cancelled);
    }

    /// @inheritdoc IOperatorRecords
    function setLedgerKey(bytes32 ledgerKey) external {
        ledgerKeyOf[msg.sender] = ledgerKey;
        emit LedgerKeySet(msg.sender, ledgerKey);
    }

    /// @inheritdoc IOperatorRecords
    function reserve(uint64 facilityId) external restricted {
        require(stateOf(facilityId) == FacilityState.None, FacilityExists(facilityId));
        _requireFree(facilityId);
        reservedBy[facilityId] = msg.sender;
        emit FacilityReserved(facilityId, msg.sender);
    }

    /// @inheritdoc IEndings
    function mature(uint64 facilityId) external {
        _requireState(facilityId, FacilityState.Delivering);
        (bool attested, uint256 unpaid) = _unpaid(facilityId);
        require(attested, NotMature(facilityId));
        if (unpaid > 0) {
            uint256 noticedAt = _facilities[facilityId].progress.unpaidNoticedAt;
            require(noticedAt != 0 && block.timestamp >= noticedAt + RECEIVABLE_LIFE, NotMature(facilityId));
            emit ReceivableWrittenOff(facilityId, unpaid);
        }
        _end(facilityId, FacilityState.Matured);
    }

    /// @inheritdoc IEndings
    function noticeUnpaid(uint64 facilityId) external {
        _requireState(facilityId, FacilityState.Delivering);
        (bool attested, uint256 unpaid) = _unpaid(facilityId);
        FacilityStore.Progress storage progress = _facilities[facilityId].progress;
        require(attested && unpaid > 0 && progress.unpaidNoticedAt == 0, NothingUnpaid(facilityId));
        progress.unpaidNoticedAt = uint40(block.timestamp);
        emit UnpaidNoticed(facilityId, unpaid, uint64(block.timestamp + RECEIVABLE_LIFE));
    }

    /// @inheritdoc IEndings
    function noticeDefault(uint64 facilityId, uint32 epoch) external {
        _requireState(facilityId, FacilityState.Delivering);
        IStatementRegistry.Openness memory open = _requireOpen(facilityId, epoch);
        FacilityStore.Schedule memory schedule = _facilities[facilityId].schedule;
        FacilityStore.Progress memory progress = _facilities[facilityId].progress;
        uint256 epochEnd = schedule.windowStart + (uint256(epoch) + 1) * schedule.epochLength;
        uint256 since = Math.max(Math.max(epochEnd, progress.fundedAt), open.voidedAt);
        // A notice in the block of a rejection would not count.
        uint256 overdueFrom = Math.max(since + progress.patienceSeconds, uint256(open.rejectedAt) + 1);
        require(block.timestamp >= overdueFrom, EpochNotOverdue(facilityId, epoch, overdueFrom));
        uint64 noticedAt = defaultNoticedAt[facilityId][epoch];
        require(!_counts(noticedAt, open), DefaultNoticedBefore(facilityId, epoch, noticedAt));
        defaultNoticedAt[facilityId][epoch] = uint64(block.timestamp);
        emit DefaultNoticed(facilityId, epoch, msg.sender, uint64(block.timestamp + _cureOf(schedule)));
    }

    /// @inheritdoc IEndings
    function declareDefault(uint64 facilityId, uint32 epoch) external {
        _requireState(facilityId, FacilityState.Delivering);
        IStatementRegistry.Openness memory open = _requireOpen(facilityId, epoch);
        uint64 noticedAt = defaultNoticedAt[facilityId][epoch];
        require(_counts(noticedAt, open), DefaultNotNoticed(facilityId, epoch));
        uint256 cureUntil = noticedAt + _cureOf(_facilities[facilityId].schedule);
        require(block.timestamp >= cureUntil, CureRunning(facilityId, epoch, cureUntil));
        emit DefaultDeclared(facilityId, epoch, msg.sender);
        _end(facilityId, FacilityState.Defaulted);
    }

    /// @inheritdoc IEndings
    function stop(uint64 facilityId) external {
        _requireState(facilityId, FacilityState.Delivering);
        FacilityStore.Schedule memory schedule = _facilities[facilityId].schedule;
        uint256 sealedAt = uint256(schedule.windowEnd) + schedule.sealSeconds;
        uint256 stopsFrom = sealedAt + _facilities[facilityId].progress.longStopSeconds;
        require(block.timestamp >= stopsFrom, LongStopAhead(facilityId, stopsFrom));
        _end(facilityId, FacilityState.Stopped);
    }

    /// @inheritdoc IEndings
    function markClosed(uint64 facilityId) external {
        require(msg.sender == address(rentLockbox), NotRentLockbox(msg.sender));
        _facilities[facilityId].progress.closedAt = uint40(block.timestamp);
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
        return EpochTerms(
            state,
            schedule.windowStart,
            schedule.windowEnd,
            schedule.epochLength,
            schedule.sealSeconds,
            schedule.deviceCount,
            schedule.panel
        );
    }

    /// @inheritdoc IEndings
    function endingOf(uint64 facilityId) external view returns (Ending memory) {
        FacilityStore.Progress memory progress = _facilities[facilityId].progress;
        return Ending(progress.fundedAt, progress.endedAt, progress.closedAt, progress.unpaidNoticedAt);
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
    function attesterFeeBpsOf(uint64 facilityId) external view returns (uint16) {
        return _facilities[facilityId].progress.attesterFeeBps;
    }

    /// @inheritdoc IFacilityRegistry
    function epochCountOf(uint64 facilityId) external view returns (uint32) {
        _requireKnown(facilityId);
        return _facilities[facilityId].money.epochCount;
    }

    /// @notice Stores a facility's state and emits FacilityStateChanged.
    /// @param facilityId The facility.
    /// @param next The new state.
    function _setState(uint64 facilityId, FacilityState next) private {
        _facilities[facilityId].schedule.state = next;
        emit FacilityStateChanged(facilityId, next);
    }

    /// @notice Ends a facility in this block: stores its state and time, and emits FacilityStateChanged.
    /// @param facilityId The facility.
    /// @param ended The state that it ends in.
    function _end(uint64 facilityId, FacilityState ended) private {
        _facilities[facilityId].progress.endedAt = uint40(block.timestamp);
        _setState(facilityId, ended);
    }

    /// @notice What renters still owe once everything is attested.
    /// @dev That it is settled does not matter: the closing settles first, and nobody can put an ending off by paying a
    /// minor unit in front of it.
    /// @param facilityId The facility.
    /// @return attested Whether every epoch and the closing statement are final.
    /// @return unpaid Attested revenue that no renter paid, minor units; 0 unless `attested`.
    function _unpaid(uint64 facilityId) private view returns (bool attested, uint256 unpaid) {
        // While a facility delivers, only the statement after all of its epochs closes it.
        attested = statementRegistry.isClosingFinal(facilityId);
        if (!attested) return (false, 0);
        (,, uint256 gross) = statementRegistry.finalTotals(facilityId, _facilities[facilityId].money.epochCount);
        uint256 collected = rentLockbox.bookOf(facilityId).collected;
        unpaid = gross - Math.min(gross, collected);
    }

    /// @notice Reverts with EpochNotOpen unless an epoch of the window is neither stated nor published.
    /// @param facilityId The facility.
    /// @param epoch The epoch.
    /// @return open What the StatementRegistry says of the facility.
    function _requireOpen(uint64 facilityId, uint32 epoch)
        private
        view
        returns (IStatementRegistry.Openness memory open)
    {
        open = statementRegistry.opennessOf(facilityId);
        bool inside = epoch >= open.firstOpen && epoch < _facilities[facilityId].money.epochCount;
        require(inside, EpochNotOpen(facilityId, epoch));
    }

    /// @notice Whether a notice counts: no void and no rejection came after it, nor in its block.
    /// @dev Whoever voids or rejects an epoch gives its operator a whole patience or cure, so that several steps of a
    /// default never fit one transaction (ATTACKS 42).
    /// @param noticedAt UTC second of the notice; 0 if there was none.
    /// @param open What the StatementRegistry says of the facility.
    /// @return True if it does.
    function _counts(uint64 noticedAt, IStatementRegistry.Openness memory open) private pure returns (bool) {
        return noticedAt > open.voidedAt && noticedAt > open.rejectedAt;
    }

    /// @notice Time between notice and default.
    /// @param schedule The facility's schedule.
    /// @return Seconds: an epoch and a day.
    function _cureOf(FacilityStore.Schedule memory schedule) private pure returns (uint256) {
        return schedule.epochLength + CURE;
    }

    /// @notice Whether the caller is the sale of this facility.
    /// @param facilityId The facility.
    /// @return True if it is.
    function _isSale(uint64 facilityId) private view returns (bool) {
        return msg.sender == address(primarySale) && primarySale.hasSale(facilityId);
    }

    /// @notice Reverts with FacilityReservedBefore if another account reserved the number.
    /// @param facilityId The number.
    function _requireFree(uint64 facilityId) private view {
        address holder = reservedBy[facilityId];
        require(holder == address(0) || holder == msg.sender, FacilityReservedBefore(facilityId, holder));
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
