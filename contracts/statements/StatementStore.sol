// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {TimedPause} from "../access/TimedPause.sol";
import {IAttesterRegistry} from "../interfaces/IAttesterRegistry.sol";
import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {IStatementRegistry} from "../interfaces/IStatementRegistry.sol";
import {ITimedPause} from "../interfaces/ITimedPause.sol";
import {UsageProof} from "./UsageProof.sol";

/// @title Posted statements
/// @notice What is stored of them, and when they are final.
abstract contract StatementStore is TimedPause, EIP712, IStatementRegistry {
    /// @notice `StatementRecord` in two words, with the signers.
    /// @dev `StatementRecord` in two slots, with the signers by attester slot.
    /// @param statementHash EIP-712 struct hash.
    /// @param postedAt Block time of posting, UTC seconds.
    /// @param cumulativeAvailable Available GPU-seconds of epochs 0 to this one.
    /// @param cumulativeGross Gross revenue of epochs 0 to this one, minor units.
    /// @param signers Slots of the attesters that signed, one bit each.
    struct Stored {
        bytes32 statementHash;
        uint40 postedAt;
        uint64 cumulativeAvailable;
        uint88 cumulativeGross;
        uint40 signers;
    }

    /// @notice Totals of all posted epochs of a facility: one word, so that posting reads one word less.
    /// @dev Totals of all posted epochs are kept here too, so that posting reads one slot less.
    /// @param epochsPosted Number of epochs stated.
    /// @param voidedAt UTC second of the last void; 0 if there was none, 1 if a signed statement was barred before.
    /// Ends of windows have 32 bits too.
    /// @param voidedThrough Number of leading epochs that a void left published.
    /// @param cumulativeAvailable Available GPU-seconds of all posted epochs.
    /// @param closingPosted Whether the closing statement is posted, behind the last epoch.
    /// @param cumulativeGross Gross revenue of all posted epochs, minor units.
    struct Head {
        uint32 epochsPosted;
        uint32 voidedAt;
        uint32 voidedThrough;
        uint64 cumulativeAvailable;
        bool closingPosted;
        uint88 cumulativeGross;
    }

    // solhint-disable-next-line gas-small-strings
    bytes32 private constant STATEMENT_TYPEHASH = keccak256(
        "Statement(uint64 facilityId,uint32 epoch,uint64 epochStart,uint64 epochEnd,"
        "uint64 availableGpuSeconds,int64 availableAdjustment,uint64 billedGpuSeconds,int128 grossRevenue,"
        "uint32 lineCount," "bytes32 usageRoot,bytes32 evidenceHash,bytes32 previousStatementHash,"
        "uint16 topRenterBps,uint16 committedBps)"
    );

    bytes32 private constant BATCH_TYPEHASH = keccak256("StatementBatch(bytes32 root)");

    /// @notice Register that names capacity and windows.
    IFacilityRegistry public immutable facilityRegistry;
    /// @notice Knows the attesters and their panels.
    IAttesterRegistry public immutable attesterRegistry;
    /// @inheritdoc IStatementRegistry
    uint64 public immutable challengeWindow;

    uint40 private _pausedUntil;
    mapping(uint64 facilityId => Head) internal _heads;
    /// @dev Other records than `_isPosted` says are left-overs of void statements: never read one without that check.
    mapping(uint64 facilityId => mapping(uint32 epoch => Stored)) internal _records;

    /// @notice Sets authority, registers and challenge window.
    /// @param authority AccessManager that holds the roles.
    /// @param facilities Register that names capacity and windows.
    /// @param attesters Knows the attesters and their panels.
    /// @param challengeWindow_ Seconds between posting and finality.
    constructor(address authority, IFacilityRegistry facilities, IAttesterRegistry attesters, uint64 challengeWindow_)
        AccessManaged(authority)
        EIP712("Rentroll Statements", "1")
    {
        facilityRegistry = facilities;
        attesterRegistry = attesters;
        challengeWindow = challengeWindow_;
    }

    /// @inheritdoc IStatementRegistry
    function hashStatement(Statement calldata statement) public pure returns (bytes32) {
        return keccak256(abi.encode(STATEMENT_TYPEHASH, statement));
    }

    /// @inheritdoc IStatementRegistry
    function statementDigest(Statement calldata statement) external view returns (bytes32) {
        return _hashTypedDataV4(hashStatement(statement));
    }

    /// @inheritdoc IStatementRegistry
    function batchDigest(bytes32 root) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(BATCH_TYPEHASH, root)));
    }

    /// @inheritdoc IStatementRegistry
    function statementOf(uint64 facilityId, uint32 epoch) external view returns (StatementRecord memory record) {
        if (!_isPosted(facilityId, epoch)) return record;
        Stored memory stored = _records[facilityId][epoch];
        return
            StatementRecord(stored.statementHash, stored.postedAt, stored.cumulativeAvailable, stored.cumulativeGross);
    }

    /// @inheritdoc IStatementRegistry
    function signersOf(uint64 facilityId, uint32 epoch) external view returns (address[] memory) {
        uint40 signers = _isPosted(facilityId, epoch) ? _records[facilityId][epoch].signers : 0;
        return attesterRegistry.accountsOf(signers);
    }

    /// @inheritdoc IStatementRegistry
    function epochsPosted(uint64 facilityId) public view returns (uint32) {
        return _heads[facilityId].epochsPosted;
    }

    /// @inheritdoc IStatementRegistry
    function epochsFinal(uint64 facilityId) external view returns (uint32) {
        return _finalSince(facilityId, 0, epochsPosted(facilityId));
    }

    /// @inheritdoc IStatementRegistry
    function isFinal(uint64 facilityId, uint32 epoch) public view returns (bool) {
        return _isPosted(facilityId, epoch) && _isOld(facilityId, epoch);
    }

    /// @inheritdoc IStatementRegistry
    function isClosingPosted(uint64 facilityId) external view returns (bool) {
        return _heads[facilityId].closingPosted;
    }

    /// @inheritdoc IStatementRegistry
    function isClosingFinal(uint64 facilityId) public view returns (bool) {
        Head storage head = _heads[facilityId];
        return head.closingPosted && _isOld(facilityId, head.epochsPosted);
    }

    /// @inheritdoc IStatementRegistry
    function postedGross(uint64 facilityId) external view returns (uint128) {
        return _heads[facilityId].cumulativeGross;
    }

    /// @inheritdoc IStatementRegistry
    function finalTotals(uint64 facilityId, uint32 from)
        external
        view
        returns (uint32 epochs, uint64 cumulativeAvailable, uint128 cumulativeGross)
    {
        Head storage head = _heads[facilityId];
        (uint32 posted, bool closing) = (head.epochsPosted, head.closingPosted);
        epochs = _finalSince(facilityId, from, posted);
        if (epochs == 0) return (0, 0, 0);
        // A closing statement has epochs before it, and all of them are final by then.
        closing = closing && epochs == posted && _isOld(facilityId, posted);
        Stored storage record = _records[facilityId][closing ? epochs : epochs - 1];
        return (epochs, record.cumulativeAvailable, record.cumulativeGross);
    }

    /// @inheritdoc IStatementRegistry
    function verifyLine(Statement calldata statement, Line calldata line, bytes32[] calldata proof)
        external
        view
        returns (bool)
    {
        _requireStored(statement);
        if (line.facilityId != statement.facilityId || line.epoch != statement.epoch) return false;
        return UsageProof.verify(statement.usageRoot, line, proof);
    }

    /// @inheritdoc ITimedPause
    function pausedUntil() public view override returns (uint256) {
        return _pausedUntil;
    }

    /// @notice Stores when a pause ends.
    /// @param until UTC second; 0 for now.
    function _setPausedUntil(uint256 until) internal override {
        // 40 bits of seconds last 34,000 years.
        // forge-lint: disable-next-line(unsafe-typecast)
        _pausedUntil = uint40(until);
    }

    /// @notice Number of statements that are posted and not void, with the closing one.
    /// @param facilityId The facility.
    /// @return The number.
    function _statementsPosted(uint64 facilityId) internal view returns (uint32) {
        Head storage head = _heads[facilityId];
        return head.closingPosted ? head.epochsPosted + 1 : head.epochsPosted;
    }

    /// @notice Whether a number is that of a statement that is posted and not void.
    /// @param facilityId The facility.
    /// @param epoch Number of an epoch, or of the closing statement.
    /// @return True if it is.
    function _isPosted(uint64 facilityId, uint32 epoch) private view returns (bool) {
        return epoch < _statementsPosted(facilityId);
    }

    /// @notice Whether the challenge window of a posted statement is over.
    /// @param facilityId The facility.
    /// @param epoch Its number.
    /// @return True if it is.
    function _isOld(uint64 facilityId, uint32 epoch) private view returns (bool) {
        return block.timestamp >= _records[facilityId][epoch].postedAt + challengeWindow;
    }

    /// @notice Number of leading final epochs.
    /// @dev Posting times never fall from epoch to epoch, so the first epoch that is not final is found in steps that
    /// double and then halve: few reads where few epochs are new, and few more after a long outage.
    /// @param facilityId The facility.
    /// @param from Number of leading epochs known to be final.
    /// @param posted Number of epochs stated.
    /// @return epochs The number.
    function _finalSince(uint64 facilityId, uint32 from, uint32 posted) private view returns (uint32 epochs) {
        epochs = from;
        uint32 step = 1;
        while (step <= posted - epochs && _isOld(facilityId, epochs + step - 1)) {
            epochs += step;
            step *= 2;
        }
        for (step /= 2; step > 0; step /= 2) {
            if (step <= posted - epochs && _isOld(facilityId, epochs + step - 1)) epochs += step;
        }
    }

    /// @notice Stores the totals of a facility.
    /// @dev Field by field from the stack: the compiler makes one write of it, and four of a struct in memory.
    /// @param facilityId The facility.
    /// @param epochs Number of epochs stated.
    /// @param voidedAt UTC second of the last void.
    /// @param voidedThrough Number of leading epochs that a void left published.
    /// @param cumulativeAvailable Available GPU-seconds of all posted epochs.
    /// @param closingPosted Whether the closing statement is posted.
    /// @param cumulativeGross Gross revenue of all posted epochs, minor units.
    function _setHead(
        uint64 facilityId,
        uint32 epochs,
        uint32 voidedAt,
        uint32 voidedThrough,
        uint64 cumulativeAvailable,
        bool closingPosted,
        uint88 cumulativeGross
    ) internal {
        Head storage head = _heads[facilityId];
        head.epochsPosted = epochs;
        head.voidedAt = voidedAt;
        head.voidedThrough = voidedThrough;
        head.cumulativeAvailable = cumulativeAvailable;
        head.closingPosted = closingPosted;
        head.cumulativeGross = cumulativeGross;
    }

    /// @notice Reverts with StatementUnknown or StatementHashWrong unless a statement is posted and not void, to the
    /// byte.
    /// @dev Reverts unless `statement` is posted and not void, to the byte.
    /// @param statement The statement.
    /// @return record What is stored of it.
    /// @return given Its struct hash.
    function _requireStored(Statement calldata statement) internal view returns (Stored storage record, bytes32 given) {
        uint64 facilityId = statement.facilityId;
        uint32 epoch = statement.epoch;
        require(_isPosted(facilityId, epoch), StatementUnknown(facilityId, epoch));
        record = _records[facilityId][epoch];
        bytes32 stored = record.statementHash;
        given = hashStatement(statement);
        require(given == stored, StatementHashWrong(stored, given));
    }
}
