// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IBondVault} from "../interfaces/IBondVault.sol";
import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {IStatementChallenges} from "../interfaces/IStatementChallenges.sol";
import {Faults} from "../libraries/Faults.sol";
import {UsageProof} from "../libraries/UsageProof.sol";
import {StatementStore} from "./StatementStore.sol";

/// @title Challenges, and what a proven fault does
/// @dev Never paused: a pause must not let a faulty statement become final. docs/decisions/0007 has the game.
abstract contract StatementChallenges is StatementStore, IStatementChallenges {
    mapping(bytes32 statementHash => Verdict) internal _verdicts;

    /// @inheritdoc IStatementChallenges
    function challengeLine(Statement calldata statement, ProvenLine calldata proven) external {
        bytes32 statementHash = _requireOpen(statement);
        _requireLine(statement, proven);
        _void(statement, statementHash, Faults.ofLine(statement, proven.line));
    }

    /// @inheritdoc IStatementChallenges
    function challengePair(Statement calldata statement, ProvenLine calldata first, ProvenLine calldata second)
        external
    {
        bytes32 statementHash = _requireOpen(statement);
        bytes32 firstLeaf = _requireLine(statement, first);
        bytes32 secondLeaf = UsageProof.leaf(second.line);
        require(UsageProof.verifyLeaf(statement.usageRoot, secondLeaf, second.proof), ProofInvalid(1));
        // One line twice shows nothing.
        Fault fault = firstLeaf == secondLeaf ? Fault.None : Faults.ofPair(first.line, second.line);
        _void(statement, statementHash, fault);
    }

    /// @inheritdoc IStatementChallenges
    function challengeDevice(
        Statement calldata statement,
        ProvenLine calldata proven,
        ProvenPledge[] calldata neighbours
    ) external {
        bytes32 statementHash = _requireOpen(statement);
        _requireLine(statement, proven);
        // A shortfall is of a lease, not of a device.
        bool absent =
            proven.line.kind != Faults.SHORTFALL && _isAbsent(statement.facilityId, proven.line.device, neighbours);
        _void(statement, statementHash, absent ? Fault.DeviceNotPledged : Fault.None);
    }

    /// @inheritdoc IStatementChallenges
    function challengeDoublePledge(
        Statement calldata statement,
        ProvenPledge calldata own,
        uint64 otherFacilityId,
        ProvenPledge calldata other
    ) external {
        bytes32 statementHash = _requireOpen(statement);
        uint64 facilityId = statement.facilityId;
        IFacilityRegistry.FacilityTerms memory ownTerms = facilityRegistry.termsOf(facilityId);
        IFacilityRegistry.FacilityTerms memory otherTerms = facilityRegistry.termsOf(otherFacilityId);
        require(UsageProof.verifyPledge(ownTerms.pledgeRoot, facilityId, own), ProofInvalid(0));
        require(UsageProof.verifyPledge(otherTerms.pledgeRoot, otherFacilityId, other), ProofInvalid(1));
        bool twice = own.device == other.device && ownTerms.windowStart < otherTerms.windowEnd
            && otherTerms.windowStart < ownTerms.windowEnd && _isEarlierPledge(otherFacilityId, facilityId);
        _void(statement, statementHash, twice ? Fault.DevicePledgedTwice : Fault.None);
    }

    /// @inheritdoc IStatementChallenges
    function slashPending(Statement calldata statement) external {
        bytes32 statementHash = hashStatement(statement);
        Verdict memory verdict = _verdicts[statementHash];
        require(verdict.pending > 0, NothingPending(statementHash));
        _verdicts[statementHash].pending = 0;
        facilityRegistry.bondVault().slash(statement.facilityId, _accountsOf(verdict.pending), verdict.challenger);
    }

    /// @inheritdoc IStatementChallenges
    function verdictOf(bytes32 statementHash) external view returns (Verdict memory) {
        return _verdicts[statementHash];
    }

    /// @dev Epochs fall back to `epoch`; the records above stay as left-overs. A statement barred here can never be
    /// posted again, so that nobody can bring a proven fault back with its public signatures.
    function _void(Statement calldata statement, bytes32 statementHash, Fault fault) private {
        uint64 facilityId = statement.facilityId;
        uint32 epoch = statement.epoch;
        require(fault != Fault.None, NoFault(facilityId, epoch));
        uint32 epochsPostedBefore = epochsPosted(facilityId);
        uint40 signers = _records[facilityId][epoch].signers;
        Stored memory last;
        if (epoch > 0) last = _records[facilityId][epoch - 1];
        _heads[facilityId] = Head(epoch, true, last.cumulativeAvailable, last.cumulativeGross);
        Verdict memory verdict = _verdicts[statementHash];
        uint40 due = (signers & ~verdict.charged) | verdict.pending;
        if (verdict.pending == 0) verdict.challenger = msg.sender;
        verdict.charged |= signers;
        verdict.pending = 0;
        verdict.barred = verdict.barred || fault != Fault.DevicePledgedTwice;
        _verdicts[statementHash] = verdict;
        emit StatementVoided(facilityId, epoch, fault, msg.sender, epochsPostedBefore);
        if (due > 0) _slash(facilityId, statementHash, due, verdict.challenger);
    }

    /// @dev A vault that refuses, or that a challenger starves of gas, must not keep the statement standing, nor free
    /// the attesters: what it did not take stays pending, and anybody can have it taken.
    function _slash(uint64 facilityId, bytes32 statementHash, uint40 due, address challenger) private {
        IBondVault vault = facilityRegistry.bondVault();
        if (address(vault) == address(0)) return;
        try vault.slash(facilityId, _accountsOf(due), challenger) {}
        catch {
            _verdicts[statementHash].pending = due;
            emit SlashPending(facilityId, statementHash, challenger);
        }
    }

    /// @dev Posted to the byte, not void, and not final: a settled epoch is final, so it can never be voided.
    function _requireOpen(Statement calldata statement) private view returns (bytes32 statementHash) {
        statementHash = _requireStored(statement);
        uint64 facilityId = statement.facilityId;
        uint32 epoch = statement.epoch;
        uint256 finalAt = _records[facilityId][epoch].postedAt + challengeWindow;
        require(block.timestamp < finalAt, ChallengeTooLate(facilityId, epoch, finalAt));
    }

    function _requireLine(Statement calldata statement, ProvenLine calldata proven)
        private
        pure
        returns (bytes32 leaf)
    {
        leaf = UsageProof.leaf(proven.line);
        require(UsageProof.verifyLeaf(statement.usageRoot, leaf, proven.proof), ProofInvalid(0));
    }

    /// @dev The pledge is sorted and numbered without gaps, so two neighbours with a device between them, or the first
    /// or last device on the wrong side of it, show that it is not there.
    function _isAbsent(uint64 facilityId, bytes32 device, ProvenPledge[] calldata neighbours)
        private
        view
        returns (bool)
    {
        IFacilityRegistry.FacilityTerms memory terms = facilityRegistry.termsOf(facilityId);
        uint256 count = neighbours.length;
        if (count == 0 || count > 2) return false;
        for (uint256 i = 0; i < count; ++i) {
            require(UsageProof.verifyPledge(terms.pledgeRoot, facilityId, neighbours[i]), ProofInvalid(i + 1));
        }
        ProvenPledge calldata first = neighbours[0];
        if (count == 1) {
            bool below = first.index == 0 && device < first.device;
            return below || (first.index == terms.deviceCount - 1 && device > first.device);
        }
        ProvenPledge calldata second = neighbours[1];
        bool adjacent = uint256(first.index) + 1 == second.index;
        return adjacent && first.device < device && device < second.device;
    }

    /// @dev A pledge stands from its offer until it is cancelled. Attesters of the later facility see the earlier offer
    /// before they sign anything; an offer that comes after theirs can never put them at fault.
    function _isEarlierPledge(uint64 otherFacilityId, uint64 facilityId) private view returns (bool) {
        IFacilityRegistry.FacilityState state = facilityRegistry.stateOf(otherFacilityId);
        if (state == IFacilityRegistry.FacilityState.Cancelled) return false;
        uint64 own = facilityRegistry.offeredAtBlock(facilityId);
        uint64 other = facilityRegistry.offeredAtBlock(otherFacilityId);
        return other < own || (other == own && otherFacilityId < facilityId);
    }
}
