// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IStatementRegistry} from "./IStatementRegistry.sol";

/// @title Challenges: proofs that a posted statement breaks a rule
/// @notice Anybody may challenge a statement until its challenge window is over, with nothing but public evidence: the
/// statement, one or two of its lines with their proofs, and neighbours in the pledge. A proven fault voids the epoch
/// and every later one of the facility, and charges the attesters that signed it: half of what their bond loses goes to
/// the challenger. api/domain/statements/faults.py holds the same rules and finds what can be proven.
/// @dev What no proof on-chain shows: a leaf that is missing or whose words exceed their types, a root without known
/// lines, usage that never happened, a charge that is not the lease's price, a wrong `availableGpuSeconds`,
/// `topRenterBps`, `committedBps` or `evidenceHash`, late usage or a void of a record that is not there or stated
/// twice in two epochs. Attesters recompute these before they sign.
interface IStatementChallenges {
    /// @notice The rule that a statement breaks.
    enum Fault {
        None,
        /// The line's facility or epoch is not the statement's.
        LineForeign,
        /// `index` is not below `lineCount`.
        IndexBeyondCount,
        KindUnknown,
        /// The interval ends before or when it starts.
        IntervalEmpty,
        /// Usage, delivery or shortfall outside the epoch; a credit outside the window so far; late usage or a void
        /// that is not of an earlier epoch.
        IntervalOutside,
        /// Usage and delivery count exactly their interval, other kinds count nothing.
        GpuSecondsWrong,
        /// Usage, shortfall and late usage are not below zero, delivery is zero, credits and voids are not above zero.
        ChargeWrong,
        /// A shortfall names a device.
        DeviceUnexpected,
        /// Prefix sums do not follow from the line before, or from nothing at index 0.
        SumsWrong,
        /// The last line does not carry the statement's totals.
        TotalsWrong,
        /// Two lines have one index.
        IndexRepeated,
        /// A line with a higher index sorts before, or is equal and no void.
        LinesOutOfOrder,
        /// One device is used or delivered twice in one second.
        LinesOverlap,
        /// A line names a device that the facility never pledged.
        DeviceNotPledged,
        /// A device was pledged earlier to a facility with an overlapping window.
        DevicePledgedTwice
    }

    /// @param line A line.
    /// @param proof Its proof under the statement's `usageRoot`.
    struct ProvenLine {
        IStatementRegistry.Line line;
        bytes32[] proof;
    }

    /// @param index Place of the device in the pledge.
    /// @param device The device.
    /// @param proof Proof of the two under the facility's `pledgeRoot`.
    struct ProvenPledge {
        uint32 index;
        bytes32 device;
        bytes32[] proof;
    }

    /// @param challenger Who is paid for the charges: who proved the newest fault, or, while a charge is pending, who
    /// proved that one.
    /// @param charged Signers charged so far, each once a statement: bit `slot` stands for `attesterAt(slot)`.
    /// @param pending Charged signers whose bond could not be taken yet, see `slashPending`.
    /// @param barred Whether the statement can never be posted again.
    struct Verdict {
        address challenger;
        uint40 charged;
        uint40 pending;
        bool barred;
    }

    /// @notice A fault was proven: epochs `epoch` to `epochsPostedBefore - 1` are void.
    event StatementVoided(
        uint64 indexed facilityId,
        uint32 indexed epoch,
        Fault fault,
        address indexed challenger,
        uint32 epochsPostedBefore
    );
    /// @notice The bond vault refused; `slashPending` can be called again.
    event SlashPending(uint64 indexed facilityId, bytes32 indexed statementHash, address indexed challenger);

    error ChallengeTooLate(uint64 facilityId, uint32 epoch, uint256 finalAt);
    /// @dev The proven lines break no rule.
    error NoFault(uint64 facilityId, uint32 epoch);
    /// @dev Line or pledge number `which` (from 0) does not stand under the root.
    error ProofInvalid(uint256 which);
    error NothingPending(bytes32 statementHash);

    /// @notice Proves a fault that one line shows. Caller: anybody.
    /// @dev Emits StatementVoided. Reverts with StatementUnknown when the epoch is not posted or already void, with
    /// StatementHashWrong when another statement stands there, with ChallengeTooLate, ProofInvalid or NoFault.
    function challengeLine(IStatementRegistry.Statement calldata statement, ProvenLine calldata line) external;

    /// @notice Proves a fault that two lines show together. Caller: anybody.
    /// @param first The line with the lower index. Overlap and order need not be adjacent; sums must be.
    /// @dev As `challengeLine`.
    function challengePair(
        IStatementRegistry.Statement calldata statement,
        ProvenLine calldata first,
        ProvenLine calldata second
    ) external;

    /// @notice Proves that a line names a device that the facility never pledged. Caller: anybody.
    /// @param neighbours Two adjacent devices of the pledge around the line's device, or the first or last alone.
    /// @dev As `challengeLine`. Leans on the pledge being sorted: attesters refuse a facility whose pledge is not.
    function challengeDevice(
        IStatementRegistry.Statement calldata statement,
        ProvenLine calldata line,
        ProvenPledge[] calldata neighbours
    ) external;

    /// @notice Proves that the facility pledged a device which another facility, offered earlier (same block: with the
    /// lower id) and not cancelled, pledged for an overlapping window. Caller: anybody.
    /// @dev As `challengeLine`, but the statement may be posted again: the other facility may yet be cancelled.
    function challengeDoublePledge(
        IStatementRegistry.Statement calldata statement,
        ProvenPledge calldata own,
        uint64 otherFacilityId,
        ProvenPledge calldata other
    ) external;

    /// @notice Takes the bonds of charged attesters that the vault refused to take before. Caller: anybody; the
    /// challenger's part goes to the challenger.
    function slashPending(IStatementRegistry.Statement calldata statement) external;

    /// @notice The FaultRules contract, the judge of proofs: to be asked before a challenge, at no cost.
    function faultRules() external view returns (address);
    /// @notice What was decided about a statement; all zero if it was never challenged.
    function verdictOf(bytes32 statementHash) external view returns (Verdict memory);
}
