// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {IPublications} from "../interfaces/IPublications.sol";
import {StatementStore} from "./StatementStore.sol";

/// @title Published evidence, and until when statements can come
/// @notice What an epoch is before it is stated: open, published, or rejected.
abstract contract Publications is StatementStore {
    /// @notice How far a facility is published, and what was taken back: one word.
    /// @param epochs Number of leading epochs that were published; `Head.voidedThrough` has those that a void left so.
    /// @param lowestRejected Lowest epoch that was ever rejected, plus 1; 0 if there is none.
    /// @param rejections Number of rejections so far.
    /// @param rejectedAt UTC second of the last rejection.
    struct Published {
        uint32 epochs;
        uint32 lowestRejected;
        uint32 rejections;
        uint40 rejectedAt;
    }

    /// @dev Beside an epoch: time in which statements of an ended facility can come.
    uint256 private constant LAST_WORD = 1 days;
    /// @dev Voids put the end of statements off for so long at most.
    uint256 private constant MAX_VOID_DELAY = 30 days;

    mapping(uint64 facilityId => Published) private _published;
    mapping(uint64 facilityId => mapping(uint32 epoch => bytes32)) private _publishedHashes;
    /// @dev Epochs that can only be stated.
    mapping(uint64 facilityId => mapping(uint32 epoch => bool)) private _rejected;

    /// @inheritdoc IPublications
    function publish(uint64 facilityId, uint32 epoch, bytes32 evidenceHash) external {
        require(msg.sender == facilityRegistry.gpuOperatorOf(facilityId), NotGpuOperator(facilityId, msg.sender));
        require(evidenceHash != bytes32(0), EvidenceHashZero());
        Published storage published = _published[facilityId];
        uint32 next = _firstOpen(facilityId, published.epochs);
        require(epoch == next, PublicationOutOfOrder(facilityId, next, epoch));
        require(!_rejected[facilityId][epoch], EpochRejected(facilityId, epoch));
        IFacilityRegistry.EpochTerms memory terms = facilityRegistry.epochTermsOf(facilityId);
        bool delivering = terms.state == IFacilityRegistry.FacilityState.Delivering;
        require(delivering, FacilityNotDelivering(facilityId));
        _requireOver(facilityId, epoch, terms);
        published.epochs = epoch + 1;
        _publishedHashes[facilityId][epoch] = evidenceHash;
        emit EvidencePublished(facilityId, epoch, evidenceHash);
    }

    /// @inheritdoc IPublications
    function takeBack(uint64 facilityId, uint32 epoch, bytes32 evidenceHash, address[] calldata attesters) external {
        require(msg.sender == address(facilityRegistry.attesterDesk()), NotAttesterDesk(msg.sender));
        Published memory published = _published[facilityId];
        uint32 through = _firstOpen(facilityId, published.epochs);
        bool stands =
            epoch >= epochsPosted(facilityId) && epoch < through && publishedHashOf(facilityId, epoch) == evidenceHash;
        require(stands, NothingToReject(facilityId, epoch, publishedHashOf(facilityId, epoch)));
        uint32 lowest = published.lowestRejected;
        if (lowest == 0 || lowest > epoch) lowest = epoch + 1;
        _published[facilityId] = Published(epoch, lowest, published.rejections + 1, uint40(block.timestamp));
        if (_heads[facilityId].voidedThrough > epoch) _heads[facilityId].voidedThrough = epoch;
        _rejected[facilityId][epoch] = true;
        emit EvidenceRejected(facilityId, epoch, evidenceHash, attesters, through);
    }

    /// @inheritdoc IPublications
    function opennessOf(uint64 facilityId) external view returns (Openness memory) {
        Published memory published = _published[facilityId];
        uint32 firstOpen = _firstOpen(facilityId, published.epochs);
        return Openness(firstOpen, _heads[facilityId].voidedAt, published.rejectedAt, published.rejections);
    }

    /// @inheritdoc IPublications
    function publishedHashOf(uint64 facilityId, uint32 epoch) public view returns (bytes32) {
        return epoch < _published[facilityId].epochs ? _publishedHashes[facilityId][epoch] : bytes32(0);
    }

    /// @inheritdoc IPublications
    function statementsEndAt(uint64 facilityId) external view returns (uint64) {
        IFacilityRegistry.EpochTerms memory terms = facilityRegistry.epochTermsOf(facilityId);
        uint256 ended = facilityRegistry.endingOf(facilityId).endedAt;
        if (ended == 0) return 0;
        if (terms.state != IFacilityRegistry.FacilityState.Matured) {
            ended = _postableUntil(facilityId, ended, terms.epochLength);
        }
        uint32 statements = _statementsPosted(facilityId);
        uint256 final_ = statements == 0 ? 0 : _records[facilityId][statements - 1].postedAt + challengeWindow;
        // Times of blocks, and periods of at most a window.
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint64(Math.max(ended, final_));
    }

    /// @notice How many leading epochs a void leaves published: all that were stated. But an epoch whose evidence was
    /// rejected is open again, and with it all later ones: it can only be stated.
    /// @param facilityId The facility.
    /// @param first The first epoch that is void.
    /// @param posted Number of statements posted before the void.
    /// @return through The number.
    function _voidedThrough(uint64 facilityId, uint32 first, uint32 posted) internal returns (uint32 through) {
        through = _heads[facilityId].voidedThrough;
        if (posted > through) through = posted;
        uint32 barred = _published[facilityId].lowestRejected;
        if (barred == 0) return through;
        if (_rejected[facilityId][first]) barred = first + 1;
        if (barred <= first) return through;
        if (through >= barred) through = barred - 1;
        if (_published[facilityId].epochs >= barred) _published[facilityId].epochs = barred - 1;
    }

    /// @notice Reverts unless a statement can come now: the facility delivers and postings are not paused, or it ended,
    /// other than by maturity, and an epoch and a day since the end or the last void are not over.
    /// @param facilityId The facility.
    /// @param terms State and window of the facility.
    /// @return endedAt When it ended, UTC second; 0 while it delivers.
    function _requirePostable(uint64 facilityId, IFacilityRegistry.EpochTerms memory terms)
        private
        view
        returns (uint64 endedAt)
    {
        if (terms.state == IFacilityRegistry.FacilityState.Delivering) {
            _requireNotPaused();
            return 0;
        }
        bool ended = terms.state == IFacilityRegistry.FacilityState.Defaulted
            || terms.state == IFacilityRegistry.FacilityState.Stopped;
        require(ended, FacilityNotDelivering(facilityId));
        endedAt = facilityRegistry.endingOf(facilityId).endedAt;
        bool inTime = block.timestamp < _postableUntil(facilityId, endedAt, terms.epochLength);
        require(inTime, FacilityNotDelivering(facilityId));
    }

    /// @notice Checks the times of a statement whose number is next: an epoch that is over, or the closing statement
    /// behind the last epoch. Reverts with FacilityNotDelivering, EpochBoundsWrong or EpochNotOver.
    /// @dev The last epoch of an ended facility is the last that was over then. If it ended before its seal was over,
    /// late facts come for the grace of the terms document, which the chain cannot read: the closing statement ends
    /// after the facility, by at most an epoch. Attesters know the second.
    /// @param statement The statement.
    /// @param terms State and window of the facility.
    /// @return closing Whether it is the closing statement.
    function _checkTimes(Statement calldata statement, IFacilityRegistry.EpochTerms memory terms)
        internal
        view
        returns (bool closing)
    {
        uint64 facilityId = statement.facilityId;
        uint64 endedAt = _requirePostable(facilityId, terms);
        uint64 start = terms.windowStart + uint64(statement.epoch) * terms.epochLength;
        uint64 end = start + terms.epochLength;
        closing = end > terms.windowEnd || (endedAt != 0 && end > endedAt);
        if (closing) {
            // Nothing can be late where no epoch was over.
            require(statement.epoch > 0, FacilityNotDelivering(facilityId));
            end = terms.windowEnd + terms.sealSeconds;
            if (endedAt != 0 && endedAt < end) {
                end = statement.epochEnd > endedAt ? statement.epochEnd : endedAt + 1;
                if (end > endedAt + terms.epochLength) end = endedAt + terms.epochLength;
            }
        }
        require(statement.epochStart == start && statement.epochEnd == end, EpochBoundsWrong(start, end));
        _requirePast(end);
    }

    /// @notice Reverts with EpochBeyondWindow or EpochNotOver unless an epoch of the window is over.
    /// @param facilityId The facility.
    /// @param epoch The epoch.
    /// @param terms Window of the facility.
    function _requireOver(uint64 facilityId, uint32 epoch, IFacilityRegistry.EpochTerms memory terms) private view {
        uint64 epochEnd = terms.windowStart + (uint64(epoch) + 1) * terms.epochLength;
        if (epochEnd > terms.windowEnd) {
            uint64 epochCount = (terms.windowEnd - terms.windowStart) / terms.epochLength;
            // Windows are 32-bit numbers of seconds.
            // forge-lint: disable-next-line(unsafe-typecast)
            revert EpochBeyondWindow(facilityId, epoch, uint32(epochCount));
        }
        _requirePast(epochEnd);
    }

    /// @notice Reverts with EpochNotOver before the end of a period.
    /// @param end UTC second.
    function _requirePast(uint64 end) private view {
        require(block.timestamp >= end, EpochNotOver(end, block.timestamp));
    }

    /// @notice First epoch that is neither stated nor published.
    /// @param facilityId The facility.
    /// @param published Number of leading epochs published.
    /// @return The epoch.
    function _firstOpen(uint64 facilityId, uint32 published) private view returns (uint32) {
        Head storage head = _heads[facilityId];
        (uint32 posted, uint32 voided) = (head.epochsPosted, head.voidedThrough);
        if (posted > published) published = posted;
        return voided > published ? voided : published;
    }

    /// @notice From when an ended facility that did not mature takes no statement.
    /// @param facilityId The facility.
    /// @param endedAt When it ended.
    /// @param epochLength Length of its epochs, seconds.
    /// @return UTC second.
    function _postableUntil(uint64 facilityId, uint256 endedAt, uint256 epochLength) private view returns (uint256) {
        uint256 since = Math.max(endedAt, _heads[facilityId].voidedAt);
        return Math.min(since, endedAt + MAX_VOID_DELAY) + epochLength + LAST_WORD;
    }
}
