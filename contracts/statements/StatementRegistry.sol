// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {IStatementRegistry} from "../interfaces/IStatementRegistry.sol";
import {Attesters} from "./Attesters.sol";
import {StatementChallenges} from "./StatementChallenges.sol";
import {StatementStore} from "./StatementStore.sol";

/// @title Attested statements
/// @notice Posted in order, each once, with a quorum; void when a fault is proven.
contract StatementRegistry is StatementChallenges {
    using SafeCast for uint256;

    uint256 private constant BPS = 10_000;

    /// @notice Deploys an empty registry, and the judge of proofs with it.
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
    function post(Statement calldata statement, Attestation[] calldata attestations) external {
        Head memory head = _heads[statement.facilityId];
        require(
            statement.epoch == head.epochsPosted,
            EpochOutOfOrder(statement.facilityId, head.epochsPosted, statement.epoch)
        );
        _checkAgainstTerms(statement);
        _checkContents(statement);
        _checkPrevious(statement);
        bytes32 statementHash = hashStatement(statement);
        bool barred = head.voidedAt != 0 && _verdicts[statementHash].barred;
        require(!barred, StatementBarred(statement.facilityId, statement.epoch, statementHash));
        (address[] memory attesters, uint40 signers) = _checkQuorum(_hashTypedDataV4(statementHash), attestations);
        uint96 cumulativeGross = _append(statement, head, statementHash, signers);
        emit StatementPosted(
            statement.facilityId, statement.epoch, statementHash, statement, attesters, cumulativeGross
        );
    }

    /// @notice Stores a statement behind the ones before it.
    /// @dev Field by field from the stack, see `_setHead`.
    /// @param statement The statement.
    /// @param head Totals of the facility so far.
    /// @param statementHash EIP-712 struct hash of the statement.
    /// @param signers Slots of its signers, one bit each.
    /// @return cumulativeGross Gross revenue up to this epoch, minor units.
    function _append(Statement calldata statement, Head memory head, bytes32 statementHash, uint40 signers)
        private
        returns (uint96 cumulativeGross)
    {
        uint32 epoch = statement.epoch;
        uint64 cumulativeAvailable = head.cumulativeAvailable + statement.availableGpuSeconds;
        cumulativeGross = head.cumulativeGross + uint256(statement.grossRevenue).toUint96();
        _setHead(
            statement.facilityId, epoch + 1, head.voidedAt, head.voidedThrough, cumulativeAvailable, cumulativeGross
        );
        Stored storage record = _records[statement.facilityId][epoch];
        uint40 postedAt = _timeAfter(0);
        record.statementHash = statementHash;
        record.postedAt = postedAt;
        record.cumulativeAvailable = cumulativeAvailable;
        record.cumulativeGross = cumulativeGross;
        record.signers = signers;
    }

    /// @notice Reverts with PreviousStatementWrong unless a statement names the one before, so that a void one takes
    /// all later ones with it.
    /// @dev Each statement names the one before, so that a void one takes all later ones with it.
    /// @param statement The statement.
    function _checkPrevious(Statement calldata statement) private view {
        uint32 epoch = statement.epoch;
        bytes32 expected = epoch == 0 ? bytes32(0) : _records[statement.facilityId][epoch - 1].statementHash;
        bytes32 actual = statement.previousStatementHash;
        require(actual == expected, PreviousStatementWrong(expected, actual));
    }

    /// @notice Reverts unless epoch, times and GPU-seconds fit the facility's terms, and the epoch is over.
    /// @param statement The statement.
    function _checkAgainstTerms(Statement calldata statement) private view {
        uint64 facilityId = statement.facilityId;
        IFacilityRegistry.EpochTerms memory terms = facilityRegistry.epochTermsOf(facilityId);
        _requirePostable(facilityId, statement.epochEnd, terms);
        (uint64 epochStart, uint64 epochEnd) = _requireOver(facilityId, statement.epoch, terms);
        bool bounds = statement.epochStart == epochStart && statement.epochEnd == epochEnd;
        require(bounds, EpochBoundsWrong(epochStart, epochEnd));
        uint256 capacity = uint256(terms.deviceCount) * terms.epochLength;
        uint64 billed = statement.billedGpuSeconds;
        require(billed <= capacity, GpuSecondsAboveCapacity(billed, capacity));
        uint64 available = statement.availableGpuSeconds;
        require(available <= capacity, GpuSecondsAboveCapacity(available, capacity));
    }

    /// @notice Reverts with StatementInvalid if the statement contradicts itself.
    /// @param statement The statement.
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
