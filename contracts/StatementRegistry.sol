// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IEpochTerms} from "./interfaces/IEpochTerms.sol";
import {IFacilityRegistry} from "./interfaces/IFacilityRegistry.sol";
import {IStatementRegistry} from "./interfaces/IStatementRegistry.sol";
import {Attesters} from "./statements/Attesters.sol";
import {StatementChallenges} from "./statements/StatementChallenges.sol";
import {StatementStore} from "./statements/StatementStore.sol";

/// @title Attested statements: in order, each once, with a quorum, void when a fault is proven
contract StatementRegistry is StatementChallenges {
    using SafeCast for uint256;

    uint256 private constant BPS = 10_000;

    /// @param authority AccessManager that holds the roles.
    /// @param facilities Register that names capacity and windows.
    /// @param challengeWindow_ Seconds between posting and finality.
    /// @param activationDelay_ Seconds before a new attester counts.
    /// @param removalDelay_ Seconds before a removed attester no longer counts.
    constructor(
        address authority,
        IFacilityRegistry facilities,
        uint64 challengeWindow_,
        uint32 activationDelay_,
        uint32 removalDelay_
    )
        AccessManaged(authority)
        Attesters(activationDelay_, removalDelay_)
        StatementStore(facilities, challengeWindow_)
    {}

    /// @inheritdoc IStatementRegistry
    function post(Statement calldata statement, Attestation[] calldata attestations) external whenNotPaused {
        uint64 facilityId = statement.facilityId;
        uint32 epoch = statement.epoch;
        Head memory head = _heads[facilityId];
        require(epoch == head.epochsPosted, EpochOutOfOrder(facilityId, head.epochsPosted, epoch));
        _checkAgainstTerms(statement);
        _checkContents(statement);
        bytes32 previous = epoch == 0 ? bytes32(0) : _records[facilityId][epoch - 1].statementHash;
        require(
            statement.previousStatementHash == previous,
            PreviousStatementWrong(previous, statement.previousStatementHash)
        );
        bytes32 statementHash = hashStatement(statement);
        bool barred = head.challenged && _verdicts[statementHash].barred;
        require(!barred, StatementBarred(facilityId, epoch, statementHash));
        (address[] memory attesters, uint40 signers) = _checkQuorum(_hashTypedDataV4(statementHash), attestations);
        head.epochsPosted = epoch + 1;
        head.cumulativeAvailable += statement.availableGpuSeconds;
        head.cumulativeGross += uint256(statement.grossRevenue).toUint96();
        _heads[facilityId] = head;
        _records[facilityId][epoch] =
            Stored(statementHash, _after(0), head.cumulativeAvailable, head.cumulativeGross, signers);
        emit StatementPosted(facilityId, epoch, statementHash, statement, attesters, head.cumulativeGross);
    }

    /// @notice Stops postings; challenges go on. Caller: the pauser role.
    function pause() external restricted {
        _pause();
    }

    /// @notice Resumes postings. Caller: the governance role.
    function unpause() external restricted {
        _unpause();
    }

    function _checkAgainstTerms(Statement calldata statement) private view {
        uint64 facilityId = statement.facilityId;
        IEpochTerms.EpochTerms memory terms = _epochTermsOf(facilityId);
        bool delivering = terms.state == IFacilityRegistry.FacilityState.Delivering;
        require(delivering, FacilityNotDelivering(facilityId));
        uint64 epochStart = terms.windowStart + uint64(statement.epoch) * terms.epochLength;
        uint64 epochEnd = epochStart + terms.epochLength;
        if (epochEnd > terms.windowEnd) {
            uint64 epochCount = (terms.windowEnd - terms.windowStart) / terms.epochLength;
            // Windows are 32-bit numbers of seconds.
            // forge-lint: disable-next-line(unsafe-typecast)
            revert EpochBeyondWindow(facilityId, statement.epoch, uint32(epochCount));
        }
        bool bounds = statement.epochStart == epochStart && statement.epochEnd == epochEnd;
        require(bounds, EpochBoundsWrong(epochStart, epochEnd));
        require(block.timestamp >= epochEnd, EpochNotOver(epochEnd, block.timestamp));
        uint256 capacity = uint256(terms.deviceCount) * terms.epochLength;
        uint64 billed = statement.billedGpuSeconds;
        require(billed <= capacity, GpuSecondsAboveCapacity(billed, capacity));
        uint64 available = statement.availableGpuSeconds;
        require(available <= capacity, GpuSecondsAboveCapacity(available, capacity));
    }

    function _checkContents(Statement calldata statement) private pure {
        bool empty = statement.lineCount == 0;
        require(empty == (statement.usageRoot == bytes32(0)), StatementInvalid("usageRoot"));
        require(!empty || statement.billedGpuSeconds == 0, StatementInvalid("billedGpuSeconds"));
        bool revenueFits = empty ? statement.grossRevenue == 0 : statement.grossRevenue <= type(uint64).max;
        require(revenueFits, StatementInvalid("grossRevenue"));
        require(statement.evidenceHash != bytes32(0), StatementInvalid("evidenceHash"));
        require(statement.topRenterBps <= BPS, StatementInvalid("topRenterBps"));
        require(statement.committedBps <= BPS, StatementInvalid("committedBps"));
    }
}
