// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IStatementRegistry} from "./IStatementRegistry.sol";

/// @title Challenges: proofs that a posted statement breaks a rule
/// @notice Anybody may challenge a statement until its challenge window ends, with public evidence alone: the
/// statement, one or two of its lines with their proofs, and neighbours in the pledge. A proven fault voids the epoch
/// and every later one of the facility, and costs the attesters that signed it part of their bonds; half of that goes
/// to the challenger, the rest to the treasury. api/domain/statements/faults.py holds the same rules and finds what can
/// be proven.
/// @dev What no proof on-chain can show: a missing leaf, or one whose words exceed their types; a root without known
/// lines; usage that never happened; a charge other than the lease's price; a wrong `availableGpuSeconds`,
/// `topRenterBps`, `committedBps` or `evidenceHash`; a late line or a void of a record that does not exist, or that two
/// epochs state; the money of a difference. Attesters recompute all of these before they sign.
interface IStatementChallenges {
    /// @notice The rule that a statement breaks.
    /// @param None No rule is broken.
    /// @param LineForeign The line's facility or epoch is not the statement's.
    /// @param IndexBeyondCount `index` is not below `lineCount`.
    /// @param KindUnknown The line's kind is none of those that exist.
    /// @param IntervalEmpty The interval ends before or when it starts.
    /// @param IntervalOutside Usage or delivery outside the epoch; a late line or a void that is not of one earlier
    /// epoch; a difference outside window and seal.
    /// @param GpuSecondsWrong Usage and delivery must count exactly their interval, other kinds nothing.
    /// @param ChargeWrong Usage must not be negative; deliveries, late lines and voids must be zero.
    /// @param SubjectWrong A difference of usage, tier, shortfall, minimum or SLA does not name its component.
    /// @param SumsWrong Prefix sums do not follow from the line before, or from zero at index 0.
    /// @param TotalsWrong The last line does not carry the statement's totals.
    /// @param IndexRepeated Two lines have one index.
    /// @param LinesOutOfOrder A line with a higher index sorts before another, or is equal to it.
    /// @param LinesOverlap One device is used or delivered twice in one second.
    /// @param DeviceNotPledged A line names a device that the pledge of its time does not hold.
    /// @param DevicePledgedTwice A card was pledged earlier to another facility for the same time.
    enum Fault {
        None,
        LineForeign,
        IndexBeyondCount,
        KindUnknown,
        IntervalEmpty,
        IntervalOutside,
        GpuSecondsWrong,
        ChargeWrong,
        SubjectWrong,
        SumsWrong,
        TotalsWrong,
        IndexRepeated,
        LinesOutOfOrder,
        LinesOverlap,
        DeviceNotPledged,
        DevicePledgedTwice
    }

    /// @notice A line with its proof.
    /// @param line The line.
    /// @param proof Merkle proof of the line under the statement's `usageRoot`.
    struct ProvenLine {
        IStatementRegistry.Line line;
        bytes32[] proof;
    }

    /// @notice A pledged device with its proof.
    /// @param index Place of the device in the pledge, from 0.
    /// @param device keccak-256 of the device's UUID text.
    /// @param card The same of its card; equal to `device` for a whole card.
    /// @param fromEpoch First epoch in which the device is pledged.
    /// @param proof Merkle proof of all of these under the root of the facility's pledge.
    struct ProvenPledge {
        uint32 index;
        bytes32 device;
        bytes32 card;
        uint32 fromEpoch;
        bytes32[] proof;
    }

    /// @notice What was proven of one statement, posted or only signed.
    /// @param challenger Account that proved its newest fault; zero if none was proven.
    /// @param fault The rule that it breaks.
    /// @param barred Whether the statement can never be posted again.
    struct Verdict {
        address challenger;
        Fault fault;
        bool barred;
    }

    /// @notice A fault was proven: epochs `epoch` to `epochsPostedBefore - 1` of the facility are void.
    /// @param facilityId The facility.
    /// @param epoch Number of the epoch, from 0.
    /// @param fault The rule that the statement breaks.
    /// @param challenger The account that proved it.
    /// @param epochsPostedBefore Number of statements posted before the challenge.
    event StatementVoided(
        uint64 indexed facilityId,
        uint32 indexed epoch,
        Fault fault,
        address indexed challenger,
        uint32 epochsPostedBefore
    );

    /// @notice The statement's challenge window is over: it is final.
    /// @param facilityId The facility.
    /// @param epoch Number of the epoch, from 0.
    /// @param finalAt UTC second from which it is.
    error ChallengeTooLate(uint64 facilityId, uint32 epoch, uint256 finalAt);

    /// @notice The proofs are valid, but the proven lines break no rule. Ask `faultRules` before challenging.
    /// @dev The proven lines break no rule.
    /// @param facilityId The facility.
    /// @param epoch Number of the epoch, from 0.
    error NoFault(uint64 facilityId, uint32 epoch);

    /// @notice A proof does not lead to the root.
    /// @dev Line or pledge number `which` (from 0) does not stand under the root.
    /// @param which Number of the line or pledge in the call, from 0.
    error ProofInvalid(uint256 which);

    /// @notice Only the AttesterRegistry bars what is signed.
    /// @param caller The caller.
    error NotAttesterRegistry(address caller);

    /// @notice Proves a fault that one line shows by itself. Caller: anybody.
    /// @dev Emits StatementVoided, and AttesterSlashed for each signer whose signature was posted. Reverts with
    /// StatementUnknown if the epoch is not posted or already void, with StatementHashWrong if another statement is
    /// posted, and with ChallengeTooLate, ProofInvalid or NoFault.
    /// @param statement The posted statement.
    /// @param line The line.
    function challengeLine(IStatementRegistry.Statement calldata statement, ProvenLine calldata line) external;

    /// @notice Proves a fault that two lines show together. Caller: anybody.
    /// @dev Events and errors as `challengeLine`.
    /// @param statement The posted statement.
    /// @param first The line with the lower index.
    /// @param second The line with the higher index. For overlap and order the two need not be adjacent; for sums they
    /// must be.
    function challengePair(
        IStatementRegistry.Statement calldata statement,
        ProvenLine calldata first,
        ProvenLine calldata second
    ) external;

    /// @notice Proves that a line names a device that the pledge in force in the epoch of its start does not hold.
    /// Caller: anybody.
    /// @dev Events and errors as `challengeLine`. Attesters approve only pledges that are sorted and of the stated
    /// count.
    /// @param statement The posted statement.
    /// @param line The line.
    /// @param neighbours Two adjacent devices of the pledge around the line's device, or the first or last device
    /// alone; or the device itself, if it is pledged from a later epoch.
    function challengeDevice(
        IStatementRegistry.Statement calldata statement,
        ProvenLine calldata line,
        ProvenPledge[] calldata neighbours
    ) external;

    /// @notice Proves that the pledge of the statement's epoch holds a card that another facility's pledge holds at the
    /// same time. The other pledge must have been approved earlier, and its facility not be cancelled, nor have ended
    /// before that time. Caller: anybody.
    /// @dev Events and errors as `challengeLine`. The statement is not barred: it may be posted again, because the
    /// other facility may yet be cancelled.
    /// @param statement The posted statement.
    /// @param own The device in this facility's pledge.
    /// @param otherFacilityId The other facility.
    /// @param otherEpoch Epoch of the other facility that shares a second with the statement's.
    /// @param other The device in the other facility's pledge of that epoch.
    function challengeDoublePledge(
        IStatementRegistry.Statement calldata statement,
        ProvenPledge calldata own,
        uint64 otherFacilityId,
        uint32 otherEpoch,
        ProvenPledge calldata other
    ) external;

    /// @notice Keeps a signed statement with a proven fault from ever being posted: its signers paid already, so nobody
    /// would earn anything by a challenge. Caller: the AttesterRegistry, whose SignedFaultProven says so.
    /// @dev Reverts with NotAttesterRegistry. No void: openings, notices and periods stay as they are, but for
    /// `Openness.voidedAt`, which is 1 from then on if it was 0.
    /// @param facilityId The facility.
    /// @param statementHash EIP-712 struct hash of the statement.
    /// @param fault The rule that it breaks.
    /// @param challenger The account that proved it.
    function bar(uint64 facilityId, bytes32 statementHash, Fault fault, address challenger) external;

    /// @notice The FaultRules contract, which judges proofs. It can be asked before a challenge, at no cost.
    /// @return Its address.
    function faultRules() external view returns (address);

    /// @notice What challenges and charges decided about a statement; all zero if none succeeded.
    /// @param statementHash EIP-712 struct hash of the statement.
    /// @return The verdict.
    function verdictOf(bytes32 statementHash) external view returns (Verdict memory);

    /// @notice Whether a statement of the facility was ever void for a double pledge. Its statements, and those behind
    /// it, may be signed and posted once more, so two of one epoch are no equivocation.
    /// @param facilityId The facility.
    /// @return True if one was.
    function mayRepeat(uint64 facilityId) external view returns (bool);
}
