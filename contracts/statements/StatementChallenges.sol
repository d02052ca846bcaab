// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {IBondVault} from "../interfaces/IBondVault.sol";
import {IStatementChallenges} from "../interfaces/IStatementChallenges.sol";
import {FaultRules} from "./FaultRules.sol";
import {StatementStore} from "./StatementStore.sol";

/// @title Challenges, and what a proven fault does
/// @dev Never paused: a pause must not let a faulty statement become final. docs/decisions/0007 has the game.
abstract contract StatementChallenges is StatementStore, IStatementChallenges {
    using Address for address;

    FaultRules private immutable _rules;

    mapping(bytes32 statementHash => Verdict) internal _verdicts;

    constructor() {
        _rules = new FaultRules(facilityRegistry);
    }

    /// @inheritdoc IStatementChallenges
    function challengeLine(Statement calldata statement, ProvenLine calldata) external {
        _challenge(statement, FaultRules.ofLine.selector);
    }

    /// @inheritdoc IStatementChallenges
    function challengePair(Statement calldata statement, ProvenLine calldata, ProvenLine calldata) external {
        _challenge(statement, FaultRules.ofPair.selector);
    }

    /// @inheritdoc IStatementChallenges
    function challengeDevice(Statement calldata statement, ProvenLine calldata, ProvenPledge[] calldata) external {
        _challenge(statement, FaultRules.ofDevice.selector);
    }

    /// @inheritdoc IStatementChallenges
    function challengeDoublePledge(Statement calldata statement, ProvenPledge calldata, uint64, ProvenPledge calldata)
        external
    {
        _challenge(statement, FaultRules.ofPledges.selector);
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
    function faultRules() external view returns (address) {
        return address(_rules);
    }

    /// @inheritdoc IStatementChallenges
    function verdictOf(bytes32 statementHash) external view returns (Verdict memory) {
        return _verdicts[statementHash];
    }

    /// @dev The judge takes the same arguments as the challenge: they are passed on as they came, not encoded again.
    function _challenge(Statement calldata statement, bytes4 rule) private {
        bytes32 statementHash = _requireOpen(statement);
        bytes memory answer = address(_rules).functionStaticCall(bytes.concat(rule, msg.data[4:]));
        _void(statement, statementHash, abi.decode(answer, (Fault)));
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
}
