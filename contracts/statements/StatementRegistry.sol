// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IAttesterRegistry} from "../interfaces/IAttesterRegistry.sol";
import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {IStatementRegistry} from "../interfaces/IStatementRegistry.sol";
import {BatchRoot} from "./BatchRoot.sol";
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
    /// @param attesters Knows the attesters and their panels.
    /// @param challengeWindow_ Seconds between posting and finality.
    constructor(address authority, IFacilityRegistry facilities, IAttesterRegistry attesters, uint64 challengeWindow_)
        StatementStore(authority, facilities, attesters, challengeWindow_)
    {}

    /// @inheritdoc IStatementRegistry
    function post(Statement calldata statement, IAttesterRegistry.Attestation[] calldata attestations) external {
        bytes32 statementHash = hashStatement(statement);
        (Head memory head, uint8 panel) = _check(statement, statementHash);
        (address[] memory attesters, uint40 signers) =
            attesterRegistry.checkQuorum(panel, _hashTypedDataV4(statementHash), attestations);
        _append(statement, head, statementHash, attesters, signers);
    }

    /// @inheritdoc IStatementRegistry
    function postMany(Statement[] calldata statements, IAttesterRegistry.Attestation[] calldata attestations) external {
        require(statements.length > 0, BatchEmpty());
        bytes memory words = msg.data[4:];
        // solhint-disable-next-line avoid-low-level-calls
        (bool done,) = address(this).call(bytes.concat(this.postTogether.selector, words));
        if (done) return;
        (uint8 panel, address[] memory attesters, uint40 signers) =
            _checkBatch(statements, _hashesOf(statements), attestations);
        for (uint256 i = 0; i < statements.length; ++i) {
            try this.postSigned(statements[i], panel, attesters, signers) {
                continue;
            } catch (bytes memory reason) {
                emit StatementSkipped(statements[i].facilityId, statements[i].epoch, reason);
            }
        }
    }

    /// @inheritdoc IStatementRegistry
    function postTogether(Statement[] calldata statements, IAttesterRegistry.Attestation[] calldata attestations)
        external
    {
        _requireSelf();
        bytes32[] memory hashes = _hashesOf(statements);
        (uint8 panel, address[] memory attesters, uint40 signers) = _checkBatch(statements, hashes, attestations);
        for (uint256 i = 0; i < statements.length; ++i) {
            _postSigned(statements[i], hashes[i], panel, attesters, signers);
        }
    }

    /// @inheritdoc IStatementRegistry
    function postSigned(Statement calldata statement, uint8 panel, address[] calldata attesters, uint40 signers)
        external
    {
        _requireSelf();
        _postSigned(statement, hashStatement(statement), panel, attesters, signers);
    }

    /// @inheritdoc IStatementRegistry
    function batchRoot(bytes32[] calldata statementHashes) external pure returns (bytes32) {
        require(statementHashes.length > 0, BatchEmpty());
        return BatchRoot.over(statementHashes);
    }

    /// @notice Posts one statement of a batch whose signatures were checked.
    /// @param statement The statement.
    /// @param statementHash Its EIP-712 struct hash.
    /// @param panel Panel whose signatures were checked.
    /// @param attesters The signers.
    /// @param signers Their slots, one bit each.
    function _postSigned(
        Statement calldata statement,
        bytes32 statementHash,
        uint8 panel,
        address[] memory attesters,
        uint40 signers
    ) private {
        (Head memory head, uint8 own) = _check(statement, statementHash);
        require(own == panel, PanelDiffers(statement.facilityId, own, panel));
        _append(statement, head, statementHash, attesters, signers);
    }

    /// @notice Reverts with NotThisContract unless this contract calls itself.
    function _requireSelf() private view {
        require(msg.sender == address(this), NotThisContract(msg.sender));
    }

    /// @notice Struct hashes of statements.
    /// @param statements The statements.
    /// @return hashes Their EIP-712 struct hashes, in the same order.
    function _hashesOf(Statement[] calldata statements) private pure returns (bytes32[] memory hashes) {
        hashes = new bytes32[](statements.length);
        for (uint256 i = 0; i < statements.length; ++i) {
            hashes[i] = hashStatement(statements[i]);
        }
    }

    /// @notice Checks the signatures over a batch. Reverts as `IAttesterRegistry.checkQuorum` does.
    /// @param statements The statements; the panel is that of the first.
    /// @param hashes Their struct hashes.
    /// @param attestations Signatures over the batch's digest.
    /// @return panel Panel whose signatures were checked.
    /// @return attesters The signers.
    /// @return signers Their slots, one bit each.
    function _checkBatch(
        Statement[] calldata statements,
        bytes32[] memory hashes,
        IAttesterRegistry.Attestation[] calldata attestations
    ) private view returns (uint8 panel, address[] memory attesters, uint40 signers) {
        panel = facilityRegistry.epochTermsOf(statements[0].facilityId).panel;
        bytes32 digest = batchDigest(BatchRoot.over(hashes));
        (attesters, signers) = attesterRegistry.checkQuorum(panel, digest, attestations);
    }

    /// @notice Everything that a posting asks of a statement but its signatures.
    /// @param statement The statement.
    /// @param statementHash Its EIP-712 struct hash.
    /// @return head Totals of the facility so far.
    /// @return panel Panel whose signatures count.
    function _check(Statement calldata statement, bytes32 statementHash)
        private
        view
        returns (Head memory head, uint8 panel)
    {
        head = _heads[statement.facilityId];
        require(
            statement.epoch == head.epochsPosted,
            EpochOutOfOrder(statement.facilityId, head.epochsPosted, statement.epoch)
        );
        require(!head.closingPosted, ClosingPosted(statement.facilityId));
        panel = _checkAgainstTerms(statement, head);
        _checkContents(statement, head.closingPosted);
        _checkPrevious(statement);
        bool barred = head.voidedAt != 0 && _verdicts[statementHash].barred;
        require(!barred, StatementBarred(statement.facilityId, statement.epoch, statementHash));
        head.cumulativeGross = _grossAfter(head.cumulativeGross, statement.grossRevenue);
    }

    /// @notice Stores a statement behind the ones before it, and emits StatementPosted.
    /// @dev Field by field from the stack, see `_setHead`.
    /// @param statement The statement.
    /// @param head Totals of the facility with it.
    /// @param statementHash EIP-712 struct hash of the statement.
    /// @param attesters Its signers.
    /// @param signers Their slots, one bit each.
    function _append(
        Statement calldata statement,
        Head memory head,
        bytes32 statementHash,
        address[] memory attesters,
        uint40 signers
    ) private {
        uint32 epoch = statement.epoch;
        bool closing = head.closingPosted;
        uint64 cumulativeAvailable = head.cumulativeAvailable;
        uint88 cumulativeGross = head.cumulativeGross;
        _setHead(
            statement.facilityId,
            closing ? epoch : epoch + 1,
            head.voidedAt,
            head.voidedThrough,
            cumulativeAvailable,
            closing,
            cumulativeGross
        );
        Stored storage record = _records[statement.facilityId][epoch];
        record.statementHash = statementHash;
        // 40 bits of seconds last 34,000 years.
        // forge-lint: disable-next-line(unsafe-typecast)
        record.postedAt = uint40(block.timestamp);
        record.cumulativeAvailable = cumulativeAvailable;
        record.cumulativeGross = cumulativeGross;
        record.signers = signers;
        emit StatementPosted(statement.facilityId, epoch, statementHash, statement, attesters, cumulativeGross);
    }

    /// @notice Gross revenue with one more statement. A closing statement below zero lowers it, to zero at least: what
    /// of it is settled already stays paid.
    /// @param before Gross revenue so far, minor units.
    /// @param grossRevenue Of the statement, minor units.
    /// @return Minor units.
    function _grossAfter(uint88 before, int128 grossRevenue) private pure returns (uint88) {
        int256 sum = int256(uint256(before)) + grossRevenue;
        // Not below zero here.
        // forge-lint: disable-next-line(unsafe-typecast)
        return sum < 0 ? 0 : uint256(sum).toUint88();
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

    /// @notice Reverts unless number, times and GPU-seconds fit the facility's terms, and the time is over.
    /// @param statement The statement.
    /// @param head Totals before it; gets the available GPU-seconds with it, and whether it is the closing statement,
    /// which has no capacity of its own.
    /// @return panel Panel whose signatures count.
    function _checkAgainstTerms(Statement calldata statement, Head memory head) private view returns (uint8 panel) {
        IFacilityRegistry.EpochTerms memory terms = facilityRegistry.epochTermsOf(statement.facilityId);
        head.closingPosted = _checkTimes(statement, terms);
        uint256 ofEpoch = uint256(terms.deviceCount) * terms.epochLength;
        uint256 capacity = head.closingPosted ? 0 : ofEpoch;
        uint64 billed = statement.billedGpuSeconds;
        require(billed <= capacity, GpuSecondsAboveCapacity(billed, capacity));
        uint64 available = statement.availableGpuSeconds;
        require(available <= capacity, GpuSecondsAboveCapacity(available, capacity));
        int256 sum = int256(uint256(head.cumulativeAvailable)) + int256(uint256(available));
        sum += statement.availableAdjustment;
        // All epochs of a window have below 2^64 GPU-seconds: 2^32 devices over 2^32 seconds.
        // forge-lint: disable-start(unsafe-typecast)
        bool fits = sum >= 0 && uint256(sum) <= ofEpoch * statement.epoch + capacity;
        require(fits, StatementInvalid("availableAdjustment"));
        head.cumulativeAvailable = uint64(uint256(sum));
        // forge-lint: disable-end(unsafe-typecast)
        return terms.panel;
    }

    /// @notice Reverts with StatementInvalid if the statement contradicts itself.
    /// @param statement The statement.
    /// @param closing Whether it is the closing statement: only that may be below zero.
    function _checkContents(Statement calldata statement, bool closing) private pure {
        bool empty = statement.lineCount == 0;
        require(empty == (statement.usageRoot == bytes32(0)), StatementInvalid("usageRoot"));
        require(!empty || statement.billedGpuSeconds == 0, StatementInvalid("billedGpuSeconds"));
        int128 most = empty ? int128(0) : int128(uint128(type(uint64).max));
        int128 gross = statement.grossRevenue;
        bool revenueFits = gross <= most && gross >= (closing ? -most : int128(0));
        require(revenueFits, StatementInvalid("grossRevenue"));
        require(statement.evidenceHash != bytes32(0), StatementInvalid("evidenceHash"));
        require(statement.topRenterBps <= BPS, StatementInvalid("topRenterBps"));
        require(statement.committedBps <= BPS, StatementInvalid("committedBps"));
    }
}
