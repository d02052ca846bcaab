// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {IBondVault} from "../interfaces/IBondVault.sol";
import {IStatementChallenges} from "../interfaces/IStatementChallenges.sol";
import {FaultRules} from "./FaultRules.sol";
import {Publications} from "./Publications.sol";

/// @title Challenges, and what a proven fault does
/// @notice A proven fault voids the statement and every later one of its facility, and slashes its signers.
/// @dev Never paused: a pause must not let a faulty statement become final. docs/decisions/0006 has the game.
abstract contract StatementChallenges is Publications, IStatementChallenges {
    using Address for address;

    FaultRules private immutable _rules;

    mapping(bytes32 statementHash => Verdict) internal _verdicts;

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

    /// @notice Judges a challenge; a proven fault voids the epoch and slashes its signers.
    /// @dev Open to challenge is what is posted to the byte, not void, and not final. A settled epoch is final, so it
    /// can never be voided. The judge takes the same arguments as the challenge: they are passed on as they came.
    /// @param statement The posted statement.
    /// @param rule Function of FaultRules that judges.
    function _challenge(Statement calldata statement, bytes4 rule) private {
        (Stored storage record, bytes32 statementHash) = _requireStored(statement);
        uint64 facilityId = statement.facilityId;
        uint32 epoch = statement.epoch;
        uint256 finalAt = record.postedAt + challengeWindow;
        require(block.timestamp < finalAt, ChallengeTooLate(facilityId, epoch, finalAt));
        bytes memory answer = address(_rules).functionStaticCall(bytes.concat(rule, msg.data[4:]));
        Fault fault = abi.decode(answer, (Fault));
        require(fault != Fault.None, NoFault(facilityId, epoch));
        uint32 posted = epochsPosted(facilityId);
        emit StatementVoided(facilityId, epoch, fault, msg.sender, posted);
        _rewind(statement, record, _voidedThrough(facilityId, epoch, posted));
        _charge(facilityId, statementHash, record.signers, fault != Fault.DevicePledgedTwice);
    }

    /// @notice Sets the number of posted epochs back to the void one, and totals to what they were before it. Records
    /// stay as left-overs.
    /// @dev Epochs fall back to the void one, and totals to what they were before it; the records stay as left-overs.
    /// `statement` is what `record` holds the hash of.
    /// @param statement The statement whose hash `record` holds.
    /// @param record What is stored of it.
    /// @param voidedThrough Number of leading epochs that stay published.
    function _rewind(Statement calldata statement, Stored storage record, uint32 voidedThrough) private {
        uint64 available = record.cumulativeAvailable - statement.availableGpuSeconds;
        // Posting added the same number to the same total. Windows end before 2106.
        // forge-lint: disable-start(unsafe-typecast)
        uint96 gross = record.cumulativeGross - uint96(statement.grossRevenue);
        _setHead(statement.facilityId, statement.epoch, uint32(block.timestamp), voidedThrough, available, gross);
        // forge-lint: disable-end(unsafe-typecast)
    }

    /// @notice Stores the verdict and slashes signers that were not slashed for this statement before.
    /// @dev A statement barred here can never be posted again, so that nobody can bring a proven fault back with its
    /// public signatures.
    /// @param facilityId The facility.
    /// @param statementHash EIP-712 struct hash of the statement.
    /// @param signers Slots of the signers, one bit each.
    /// @param barred Whether the statement can never be posted again.
    function _charge(uint64 facilityId, bytes32 statementHash, uint40 signers, bool barred) private {
        Verdict storage verdict = _verdicts[statementHash];
        uint40 charged = verdict.charged;
        uint40 pending = verdict.pending;
        uint40 due = (signers & ~charged) | pending;
        address challenger = pending == 0 ? msg.sender : verdict.challenger;
        charged |= signers;
        barred = barred || verdict.barred;
        verdict.challenger = challenger;
        verdict.charged = charged;
        verdict.pending = 0;
        verdict.barred = barred;
        if (due > 0) _slash(facilityId, statementHash, due, challenger);
    }

    /// @notice Has the vault slash some attesters; nothing happens without a vault.
    /// @dev A vault that fails, or that a challenger starves of gas, must neither keep the statement valid nor free the
    /// attesters: what it did not take stays pending, and anybody can have it taken.
    /// @param facilityId The facility.
    /// @param statementHash EIP-712 struct hash of the statement.
    /// @param due Slots of the attesters, one bit each.
    /// @param challenger The account that proved the fault.
    function _slash(uint64 facilityId, bytes32 statementHash, uint40 due, address challenger) private {
        IBondVault vault = facilityRegistry.bondVault();
        if (address(vault) == address(0)) return;
        try vault.slash(facilityId, _accountsOf(due), challenger) {
            return;
        } catch {
            _verdicts[statementHash].pending = due;
            emit SlashPending(facilityId, statementHash, challenger);
        }
    }
}
