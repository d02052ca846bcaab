// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttesterRegistry} from "./IAttesterRegistry.sol";
import {IPublications} from "./IPublications.sol";

/// @title Statements: the attested rental income of every facility, epoch by epoch
/// @notice A statement counts once `threshold` attesters signed it (EIP-712, domain "Rentroll Statements" version "1",
/// bound to chain and contract). Epochs of a facility are posted in order, each once, and each statement names the hash
/// of the one before. Amounts are minor units of the facility's settlement token, times UTC seconds.
interface IStatementRegistry is IPublications {
    /// @notice Totals of one facility and epoch; or, after the last epoch, the closing statement of the facility, which
    /// has late lines, voids and differences alone.
    /// @param facilityId The facility.
    /// @param epoch Number of the epoch, from 0; of the closing statement the number of epochs.
    /// @param epochStart First second of the epoch; of the closing statement the end of the last epoch.
    /// @param epochEnd Second after the epoch; of the closing statement the end of the seal, or of a facility that
    /// ended before that a time at most an epoch after its end.
    /// @param availableGpuSeconds GPU-seconds in which the pledged devices could be used; at most devices x epoch
    /// length.
    /// @param availableAdjustment What of earlier epochs turned out to have been available beyond what was stated, less
    /// what turned out not to; over all statements at least 0 and at most capacity.
    /// @param billedGpuSeconds GPU-seconds of all usage and delivery lines; at most devices x epoch length.
    /// @param grossRevenue Sum of the lines' charges, minor units; only the closing statement's may be below zero.
    /// @param lineCount Number of lines under `usageRoot`.
    /// @param usageRoot Merkle root over the lines; zero if there are none.
    /// @param evidenceHash SHA-256 of the evidence manifest.
    /// @param previousStatementHash Struct hash of the statement of `epoch - 1`; zero for epoch 0.
    /// @param topRenterBps Share of the largest renter in positive charges, basis points.
    /// @param committedBps Share of positive charges that a commitment or minimum covers, basis points.
    struct Statement {
        uint64 facilityId;
        uint32 epoch;
        uint64 epochStart;
        uint64 epochEnd;
        uint64 availableGpuSeconds;
        int64 availableAdjustment;
        uint64 billedGpuSeconds;
        int128 grossRevenue;
        uint32 lineCount;
        bytes32 usageRoot;
        bytes32 evidenceHash;
        bytes32 previousStatementHash;
        uint16 topRenterBps;
        uint16 committedBps;
    }

    /// @notice One line of a statement: the leaf of the usage tree, with its prefix sums.
    /// @param facilityId The facility.
    /// @param epoch Epoch of the statement.
    /// @param index Place of the line in the statement, from 0.
    /// @param kind 0 usage, 1 delivered compute, 2 late usage, 3 late delivery, 4 void; differences: 5 usage, 6 tier,
    /// 7 shortfall, 8 minimum, 9 SLA, 10 fixed item, 11 adjustment.
    /// @param subject keccak-256 of the device's UUID text for kinds 0 to 4, of the component's name ("usage", "tier",
    /// "shortfall", "minimum", "sla") for 5 to 9, of the fixed item or the fact for 10 and 11.
    /// @param lease keccak-256 of "rentroll/lease/1", the facility (8 bytes), a secret of the lease (32 bytes) and its
    /// id in UTF-8.
    /// @param start First second of the interval.
    /// @param end Second after the interval.
    /// @param gpuSeconds GPU-seconds that count for this epoch: the interval of kinds 0 and 1, 0 of all others.
    /// @param charge Minor units; at least 0 for kind 0, 0 for kinds 1 to 4, of either sign for differences.
    /// @param cumulativeGpuSeconds Sum of `gpuSeconds` of lines 0 to `index`.
    /// @param cumulativeCharge Sum of `charge` of lines 0 to `index`, minor units.
    struct Line {
        uint64 facilityId;
        uint32 epoch;
        uint32 index;
        uint8 kind;
        bytes32 subject;
        bytes32 lease;
        uint64 start;
        uint64 end;
        uint64 gpuSeconds;
        int128 charge;
        uint64 cumulativeGpuSeconds;
        int128 cumulativeCharge;
    }

    /// @notice What is stored of a posted statement.
    /// @param statementHash EIP-712 struct hash.
    /// @param postedAt Block time of posting, UTC seconds; 0 if not posted.
    /// @param cumulativeAvailable Available GPU-seconds of epochs 0 to this one, as known with this statement.
    /// @param cumulativeGross Gross revenue of epochs 0 to this one, minor units; never below zero, see `finalTotals`.
    struct StatementRecord {
        bytes32 statementHash;
        uint64 postedAt;
        uint64 cumulativeAvailable;
        uint128 cumulativeGross;
    }

    /// @notice A statement was posted with a quorum.
    /// @param facilityId The facility.
    /// @param epoch Number of the epoch, from 0.
    /// @param statementHash EIP-712 struct hash of the statement.
    /// @param statement The statement.
    /// @param attesters The attesters that signed it, in ascending order.
    /// @param cumulativeGross Gross revenue of epochs 0 to this one, minor units.
    event StatementPosted(
        uint64 indexed facilityId,
        uint32 indexed epoch,
        bytes32 indexed statementHash,
        Statement statement,
        address[] attesters,
        uint128 cumulativeGross
    );

    /// @notice A statement of a batch was not posted.
    /// @param facilityId The facility.
    /// @param epoch Number of the epoch, from 0.
    /// @param reason The error that a single posting would have reverted with.
    event StatementSkipped(uint64 indexed facilityId, uint32 indexed epoch, bytes reason);

    /// @notice A batch without statements.
    error BatchEmpty();

    /// @notice The statement's facility has another panel than the batch.
    /// @param facilityId The facility.
    /// @param panel Its panel.
    /// @param expected Panel of the batch.
    error PanelDiffers(uint64 facilityId, uint8 panel, uint8 expected);

    /// @notice Only this contract calls this function.
    /// @param caller The caller.
    error NotThisContract(address caller);

    /// @notice Statements of a facility are posted in order, without gaps.
    /// @param facilityId The facility.
    /// @param expected Epoch that must be posted next.
    /// @param actual Epoch of this statement.
    error EpochOutOfOrder(uint64 facilityId, uint32 expected, uint32 actual);

    /// @notice The facility takes no statements and no evidence: it is not Delivering; or it ended, and the epoch was
    /// not over by then, or the time for last statements is.
    /// @param facilityId The facility.
    error FacilityNotDelivering(uint64 facilityId);

    /// @notice The epoch lies after the delivery window.
    /// @param facilityId The facility.
    /// @param epoch Number of the epoch, from 0.
    /// @param epochCount Number of epochs in the window.
    error EpochBeyondWindow(uint64 facilityId, uint32 epoch, uint32 epochCount);

    /// @notice The statement's times are not those of its epoch.
    /// @param expectedStart First second of the epoch, UTC.
    /// @param expectedEnd Second after the epoch, UTC.
    error EpochBoundsWrong(uint64 expectedStart, uint64 expectedEnd);

    /// @notice The epoch has not ended yet.
    /// @param epochEnd Second after the epoch, UTC.
    /// @param blockTime Time of this block, UTC seconds.
    error EpochNotOver(uint64 epochEnd, uint256 blockTime);

    /// @notice More GPU-seconds are billed or available than the pledged devices have in an epoch.
    /// @param gpuSeconds GPU-seconds stated.
    /// @param capacity Devices x epoch length, GPU-seconds.
    error GpuSecondsAboveCapacity(uint64 gpuSeconds, uint256 capacity);

    /// @notice The statement does not name the one posted before it.
    /// @param expected Hash of the statement before; zero for epoch 0.
    /// @param actual Hash that this one names.
    error PreviousStatementWrong(bytes32 expected, bytes32 actual);

    /// @notice A member of the statement contradicts the others or is out of bounds.
    /// @dev `field` names the member of `Statement` that contradicts the others.
    /// @param field Name of the member.
    error StatementInvalid(string field);

    /// @notice A fault of this very statement was proven: it can never be posted again. Post a corrected one.
    /// @dev A fault of this very statement was proven: it can never be posted again.
    /// @param facilityId The facility.
    /// @param epoch Number of the epoch, from 0.
    /// @param statementHash EIP-712 struct hash of the statement.
    error StatementBarred(uint64 facilityId, uint32 epoch, bytes32 statementHash);

    /// @notice The epoch is not posted, or void.
    /// @dev Not posted, or void.
    /// @param facilityId The facility.
    /// @param epoch Number of the epoch, from 0.
    error StatementUnknown(uint64 facilityId, uint32 epoch);

    /// @notice Another statement is posted for this epoch.
    /// @param expected Hash of the posted statement.
    /// @param actual Hash of the statement given.
    error StatementHashWrong(bytes32 expected, bytes32 actual);

    /// @notice The facility has its closing statement: nothing is stated after it.
    /// @param facilityId The facility.
    error ClosingPosted(uint64 facilityId);

    /// @notice Posts the next statement of a facility; after the last epoch its closing statement, once the seal is
    /// over. The last epoch of a facility that ended is the last that was over then. A void epoch is posted again.
    /// Stopped by a pause, unless the facility ended: epochs that were over by then can be stated for an epoch and a
    /// day, see `statementsEndAt`. Caller: anybody who holds `threshold` signatures.
    /// @dev Emits StatementPosted. Leans on invariant 6 (once, in order, with a quorum). Reverts with any error of
    /// IStatementRegistry or IAttesterRegistry that fits, or with EnforcedPause.
    /// @param statement The statement.
    /// @param attestations At least `threshold` signatures, in strictly ascending order of attester.
    function post(Statement calldata statement, IAttesterRegistry.Attestation[] calldata attestations) external;

    /// @notice Posts the next statements of many facilities of one panel, under one set of signatures over their Merkle
    /// root. A statement that cannot be posted is skipped, and the others are not. Caller: anybody who holds the
    /// signatures.
    /// @dev Emits StatementPosted or StatementSkipped for each statement. The leaves of the root are the statements'
    /// struct hashes, of an OpenZeppelin StandardMerkleTree with one value a leaf, `bytes32`. Reverts with BatchEmpty,
    /// or as `IAttesterRegistry.checkQuorum` does.
    /// @param statements The statements, in ascending order of their leaves, so that the tree is the one that
    /// StandardMerkleTree makes. The panel is that of the first.
    /// @param attestations Signatures over `batchDigest` of the root, in strictly ascending order of attester.
    function postMany(Statement[] calldata statements, IAttesterRegistry.Attestation[] calldata attestations) external;

    /// @notice Posts a whole batch or nothing. Caller: this contract, which goes on one by one if that fails.
    /// @dev Emits StatementPosted. Reverts with NotThisContract, PanelDiffers, or as `post` does.
    /// @param statements The statements, as in `postMany`.
    /// @param attestations Signatures, as in `postMany`.
    function postTogether(Statement[] calldata statements, IAttesterRegistry.Attestation[] calldata attestations)
        external;

    /// @notice Posts one statement of a batch. Caller: this contract, which checked the signatures and catches what
    /// fails.
    /// @dev Emits StatementPosted. Reverts with NotThisContract, PanelDiffers, or as `post` does.
    /// @param statement The statement.
    /// @param panel Panel whose signatures were checked.
    /// @param attesters The signers.
    /// @param signers Their slots, one bit each.
    function postSigned(Statement calldata statement, uint8 panel, address[] calldata attesters, uint40 signers)
        external;

    /// @notice EIP-712 digest that attesters sign for a batch; it binds chain and contract.
    /// @param root Merkle root over the statements' struct hashes.
    /// @return The digest.
    function batchDigest(bytes32 root) external view returns (bytes32);

    /// @notice Merkle root over struct hashes of statements.
    /// @param statementHashes The hashes, in ascending order of their leaves.
    /// @return The root.
    function batchRoot(bytes32[] calldata statementHashes) external pure returns (bytes32);

    /// @notice EIP-712 struct hash of a statement.
    /// @param statement The statement.
    /// @return The hash.
    function hashStatement(Statement calldata statement) external pure returns (bytes32);

    /// @notice EIP-712 digest that attesters sign; it binds chain and contract.
    /// @param statement The statement.
    /// @return The digest.
    function statementDigest(Statement calldata statement) external view returns (bytes32);

    /// @notice What is stored of a posted statement; all zero if not posted or void.
    /// @param facilityId The facility.
    /// @param epoch Number of the epoch, from 0.
    /// @return The record.
    function statementOf(uint64 facilityId, uint32 epoch) external view returns (StatementRecord memory);

    /// @notice Number of epochs stated, which is also the number of the next statement. A closing statement is none.
    /// @param facilityId The facility.
    /// @return The number.
    function epochsPosted(uint64 facilityId) external view returns (uint32);

    /// @notice Number of leading epochs whose challenge window is over.
    /// @param facilityId The facility.
    /// @return The number.
    function epochsFinal(uint64 facilityId) external view returns (uint32);

    /// @notice Whether the closing statement is posted: nothing more will be stated.
    /// @param facilityId The facility.
    /// @return True if it is.
    function isClosingPosted(uint64 facilityId) external view returns (bool);

    /// @notice Whether the closing statement is posted and its challenge window is over.
    /// @param facilityId The facility.
    /// @return True if it is.
    function isClosingFinal(uint64 facilityId) external view returns (bool);

    /// @notice Whether `epoch` is posted and its challenge window is over.
    /// @param facilityId The facility.
    /// @param epoch Number of the epoch, from 0.
    /// @return True if it is.
    function isFinal(uint64 facilityId, uint32 epoch) external view returns (bool);

    /// @notice Gross revenue of everything posted, final or not, with a closing statement.
    /// @param facilityId The facility.
    /// @return Minor units.
    function postedGross(uint64 facilityId) external view returns (uint128);

    /// @notice Number of leading final epochs, and their totals. Whoever knows that some epochs are final, because it
    /// counted them before, starts the search there, and new ones cost no look at the old ones.
    /// @param facilityId The facility.
    /// @param from Number of leading epochs known to be final; a final epoch stays final.
    /// @dev Totals can fall: availability by an adjustment, revenue by a closing statement below zero, to zero at
    /// least.
    /// @return epochs Number of leading epochs whose challenge window is over; the closing statement is none.
    /// @return cumulativeAvailable Their available GPU-seconds, with the closing statement if it is final.
    /// @return cumulativeGross Their gross revenue, minor units, with the closing statement if it is final.
    function finalTotals(uint64 facilityId, uint32 from)
        external
        view
        returns (uint32 epochs, uint64 cumulativeAvailable, uint128 cumulativeGross);

    /// @notice Attesters that signed a posted statement; empty if not posted or void. Of a final statement a slot can
    /// have gone to another account since: its StatementPosted event names the signers for ever.
    /// @param facilityId The facility.
    /// @param epoch Number of the epoch, from 0.
    /// @return The accounts, in order of their slots.
    function signersOf(uint64 facilityId, uint32 epoch) external view returns (address[] memory);

    /// @notice Time between posting and finality.
    /// @return Seconds.
    function challengeWindow() external view returns (uint64);

    /// @notice Whether a line belongs to a posted statement (a proof of OpenZeppelin's StandardMerkleTree).
    /// @dev Reverts with StatementUnknown, or with StatementHashWrong if `statement` is not the posted one.
    /// @param statement The posted statement.
    /// @param line The line.
    /// @param proof Merkle proof of the line under the statement's `usageRoot`.
    /// @return True if it does.
    function verifyLine(Statement calldata statement, Line calldata line, bytes32[] calldata proof)
        external
        view
        returns (bool);
}
