// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttesterSet} from "./IAttesterSet.sol";

/// @title Statements: the attested rental cash flow of every facility, epoch by epoch
/// @notice A statement counts once k of n attesters signed it (EIP-712, domain "Rentroll Statements"
/// version "1", bound to chain and contract). Epochs of a facility are posted in order, each once,
/// and each names the hash of the one before.
interface IStatementRegistry is IAttesterSet {
    /// @param facilityId The facility.
    /// @param epoch Number from 0.
    /// @param epochStart First second of the epoch.
    /// @param epochEnd Second after the epoch.
    /// @param availableGpuSeconds GPU-seconds that the pledged devices could be used; at most capacity x time.
    /// @param billedGpuSeconds GPU-seconds of all usage lines of this epoch; at most capacity x time.
    /// @param grossRevenue Sum of the lines' charges, minor units of the settlement token.
    /// @param lineCount Number of lines under `usageRoot`.
    /// @param usageRoot Root over the lines; zero if there are none.
    /// @param evidenceHash SHA-256 of the evidence manifest.
    /// @param previousStatementHash Struct hash of the statement of `epoch - 1`; zero for epoch 0.
    /// @param topRenterBps Share of the largest renter in positive charges, basis points.
    /// @param committedBps Share of take-or-pay leases in positive charges, basis points.
    struct Statement {
        uint64 facilityId;
        uint32 epoch;
        uint64 epochStart;
        uint64 epochEnd;
        uint64 availableGpuSeconds;
        uint64 billedGpuSeconds;
        uint128 grossRevenue;
        uint32 lineCount;
        bytes32 usageRoot;
        bytes32 evidenceHash;
        bytes32 previousStatementHash;
        uint16 topRenterBps;
        uint16 committedBps;
    }

    /// @notice One line of a statement: the leaf of the usage tree, with its prefix sums.
    /// @param kind 0 usage, 1 delivered compute, 2 commitment shortfall, 3 SLA credit, 4 late usage, 5 void.
    /// @param device keccak-256 of the device's UUID text; zero where a line has none.
    /// @param lease keccak-256 of facility salt and lease id.
    /// @param start First second of the interval.
    /// @param end Second after the interval.
    /// @param gpuSeconds GPU-seconds that count for this epoch; 0 for kinds 2 to 5.
    /// @param charge Minor units; negative for credits and voids.
    /// @param cumulativeGpuSeconds Sum of `gpuSeconds` of lines 0 to `index`.
    /// @param cumulativeCharge Sum of `charge` of lines 0 to `index`.
    struct Line {
        uint64 facilityId;
        uint32 epoch;
        uint32 index;
        uint8 kind;
        bytes32 device;
        bytes32 lease;
        uint64 start;
        uint64 end;
        uint64 gpuSeconds;
        int128 charge;
        uint64 cumulativeGpuSeconds;
        int128 cumulativeCharge;
    }

    /// @param statementHash EIP-712 struct hash.
    /// @param postedAt Block time of posting; 0 if not posted.
    /// @param cumulativeAvailable Available GPU-seconds of epochs 0 to this one.
    /// @param cumulativeGross Gross revenue of epochs 0 to this one, minor units.
    struct StatementRecord {
        bytes32 statementHash;
        uint64 postedAt;
        uint64 cumulativeAvailable;
        uint128 cumulativeGross;
    }

    /// @notice A statement was posted with a quorum of attesters (ascending addresses).
    event StatementPosted(
        uint64 indexed facilityId,
        uint32 indexed epoch,
        bytes32 indexed statementHash,
        Statement statement,
        address[] attesters,
        uint128 cumulativeGross
    );

    error EpochOutOfOrder(uint64 facilityId, uint32 expected, uint32 actual);
    /// @dev The facility has no statement for `epoch`, or is not in a state that takes statements.
    error FacilityNotDelivering(uint64 facilityId);
    error EpochBeyondWindow(uint64 facilityId, uint32 epoch, uint32 epochCount);
    error EpochBoundsWrong(uint64 expectedStart, uint64 expectedEnd);
    error EpochNotOver(uint64 epochEnd, uint256 blockTime);
    error GpuSecondsAboveCapacity(uint64 gpuSeconds, uint256 capacity);
    error PreviousStatementWrong(bytes32 expected, bytes32 actual);
    /// @dev `field` names the member of `Statement` that contradicts the others.
    error StatementInvalid(string field);
    /// @dev A fault of this very statement was proven: it can never be posted again.
    error StatementBarred(uint64 facilityId, uint32 epoch, bytes32 statementHash);
    /// @dev Not posted, or void.
    error StatementUnknown(uint64 facilityId, uint32 epoch);
    error StatementHashWrong(bytes32 expected, bytes32 actual);
    error EpochNotFinal(uint64 facilityId, uint32 epoch);

    /// @notice Posts the next statement of a facility with at least `threshold` attestations, in strictly
    /// ascending order of attester. Caller: anybody.
    /// @dev Emits StatementPosted. A void epoch is posted again, and its record overwritten. Leans on invariant 6
    /// (once, in order, with quorum).
    function post(Statement calldata statement, Attestation[] calldata attestations) external;

    /// @notice EIP-712 struct hash of a statement.
    function hashStatement(Statement calldata statement) external pure returns (bytes32);
    /// @notice Digest that attesters sign.
    function statementDigest(Statement calldata statement) external view returns (bytes32);
    /// @notice What is stored of a posted statement; all zero if not posted or void.
    function statementOf(uint64 facilityId, uint32 epoch) external view returns (StatementRecord memory);
    /// @notice Number of statements posted, which is also the next epoch to post.
    function epochsPosted(uint64 facilityId) external view returns (uint32);
    /// @notice Number of leading epochs whose challenge window is over.
    function epochsFinal(uint64 facilityId) external view returns (uint32);
    /// @notice Whether `epoch` is posted and its challenge window is over.
    function isFinal(uint64 facilityId, uint32 epoch) external view returns (bool);
    /// @notice Totals of the first `epochs` epochs. Reverts with EpochNotFinal unless all of them are final.
    /// @dev One call and two slots: what settlement needs.
    function finalTotalsOf(uint64 facilityId, uint32 epochs)
        external
        view
        returns (uint64 cumulativeAvailable, uint128 cumulativeGross);
    /// @notice Attesters that signed a posted statement; empty if not posted or void.
    function signersOf(uint64 facilityId, uint32 epoch) external view returns (address[] memory);
    /// @notice Seconds between posting and finality.
    function challengeWindow() external view returns (uint64);
    /// @notice Until when a statement signed by `attester` may still be challenged: 0 if it never was a member, the
    /// largest uint64 while its membership has no end, else the end of its membership and a challenge window more.
    function liableUntil(address attester) external view returns (uint64);
    /// @notice Whether `line` stands under the root of a posted statement (OpenZeppelin StandardMerkleTree proof).
    /// @dev Reverts with StatementUnknown or StatementHashWrong when `statement` is not the posted one.
    function verifyLine(Statement calldata statement, Line calldata line, bytes32[] calldata proof)
        external
        view
        returns (bool);
}
