// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {IStatementChallenges} from "../interfaces/IStatementChallenges.sol";
import {FaultRules} from "./FaultRules.sol";
import {Publications} from "./Publications.sol";

/// @title Challenges, and what a proven fault does
/// @notice A proven fault voids the statement and every later one of its facility, and slashes those whose signatures
/// were posted. ISignerCharges reaches the other signers.
/// @dev Never paused: a pause must not let a faulty statement become final. docs/decisions/0006 and 0017 have the game.
abstract contract StatementChallenges is Publications, IStatementChallenges {
    using Address for address;

    FaultRules private immutable _rules;

    mapping(bytes32 statementHash => Verdict) internal _verdicts;
    /// @inheritdoc IStatementChallenges
    mapping(uint64 facilityId => bool) public mayRepeat;

    /// @notice Creates the judge of proofs.
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
    function challengeDoublePledge(
        Statement calldata statement,
        ProvenPledge calldata,
        uint64,
        uint32,
        ProvenPledge calldata
    ) external {
        _challenge(statement, FaultRules.ofPledges.selector);
    }

    /// @inheritdoc IStatementChallenges
    function bar(uint64 facilityId, bytes32 statementHash, Fault fault, address challenger) external {
        require(msg.sender == address(attesterRegistry), NotAttesterRegistry(msg.sender));
        _verdicts[statementHash] = Verdict(challenger, fault, true);
        // A posting asks for verdicts only of a facility with a void, so that all others save the look.
        if (_heads[facilityId].voidedAt == 0) _heads[facilityId].voidedAt = 1;
    }

    /// @inheritdoc IStatementChallenges
    function faultRules() external view returns (address) {
        return address(_rules);
    }

    /// @inheritdoc IStatementChallenges
    function verdictOf(bytes32 statementHash) external view returns (Verdict memory) {
        return _verdicts[statementHash];
    }

    /// @notice Judges a challenge; a proven fault voids the epoch and slashes its signers.
    /// @dev Open to challenge is what is posted to the byte, not void, and not final. A settled epoch is final, so it
    /// can never be voided. The judge takes the same arguments as the challenge: they are passed on as they came. A
    /// statement barred here can never be posted again, so that nobody can bring a proven fault back with its public
    /// signatures.
    /// @param statement The posted statement.
    /// @param rule Function of FaultRules that judges.
    function _challenge(Statement calldata statement, bytes4 rule) private {
        (Stored storage record, bytes32 statementHash) = _requireStored(statement);
        uint64 facilityId = statement.facilityId;
        uint32 epoch = statement.epoch;
        uint256 finalAt = record.postedAt + challengeWindow;
        require(block.timestamp < finalAt, ChallengeTooLate(facilityId, epoch, finalAt));
        Fault fault = _ask(statement, bytes.concat(rule, msg.data[4:]));
        uint40 signers = record.signers;
        emit StatementVoided(facilityId, epoch, fault, msg.sender, _statementsPosted(facilityId));
        _rewind(facilityId, epoch, _voidedThrough(facilityId, epoch, epochsPosted(facilityId)));
        bool barred = fault != Fault.DevicePledgedTwice;
        if (!barred) mayRepeat[facilityId] = true;
        _verdicts[statementHash] = Verdict(msg.sender, fault, barred);
        attesterRegistry.slash(facilityId, statementHash, attesterRegistry.accountsOf(signers), msg.sender);
    }

    /// @notice Sets the number of posted epochs back to the void one, and totals to what they were before it. Records
    /// stay as left-overs.
    /// @param facilityId The facility.
    /// @param epoch Number of the void statement.
    /// @param voidedThrough Number of leading epochs that stay published.
    function _rewind(uint64 facilityId, uint32 epoch, uint32 voidedThrough) private {
        (uint64 available, uint88 gross) = (0, 0);
        if (epoch > 0) {
            Stored storage before = _records[facilityId][epoch - 1];
            (available, gross) = (before.cumulativeAvailable, before.cumulativeGross);
        }
        // Windows end before 2106.
        // forge-lint: disable-next-line(unsafe-typecast)
        _setHead(facilityId, epoch, uint32(block.timestamp), voidedThrough, available, false, gross);
    }

    /// @notice Asks the judge. Reverts with NoFault if no rule is broken.
    /// @param statement The statement.
    /// @param question Call of a function of FaultRules.
    /// @return fault The rule that is broken.
    function _ask(Statement calldata statement, bytes memory question) private view returns (Fault fault) {
        fault = abi.decode(address(_rules).functionStaticCall(question), (Fault));
        require(fault != Fault.None, NoFault(statement.facilityId, statement.epoch));
    }
}
