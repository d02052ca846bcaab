// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttesterRegistry} from "./IAttesterRegistry.sol";
import {IStatementChallenges} from "./IStatementChallenges.sol";
import {IStatementRegistry} from "./IStatementRegistry.sol";

/// @title Charges: signatures that a challenge does not reach
/// @notice A challenge slashes those whose signatures were posted. Here anybody shows the other ones: of the same
/// statement, of one that fell with an earlier one, of one that was never posted, or of two that contradict each other.
interface ISignerCharges {
    /// @notice Signatures of attesters over a statement, alone or in a batch.
    /// @param batched Whether they signed a batch that holds it.
    /// @param path Merkle proof of the statement's leaf under the batch's root; empty if not batched.
    /// @param attestations Attesters and signatures, in strictly ascending order of attester.
    struct Signed {
        bool batched;
        bytes32[] path;
        IAttesterRegistry.Attestation[] attestations;
    }

    /// @notice A fault was proven of a signed statement that is final, or is not or no longer posted: then it never can
    /// be again.
    /// @param facilityId The facility.
    /// @param epoch Number of the epoch, from 0.
    /// @param statementHash EIP-712 struct hash of the statement.
    /// @param fault The rule that the statement breaks.
    /// @param challenger The account that proved it.
    event SignedFaultProven(
        uint64 indexed facilityId,
        uint32 indexed epoch,
        bytes32 indexed statementHash,
        IStatementChallenges.Fault fault,
        address challenger
    );

    /// @notice The facility is closed: nothing can be charged any more.
    /// @param facilityId The facility.
    error FacilityClosed(uint64 facilityId);

    /// @notice The proofs are valid, but the proven lines break no rule.
    /// @param facilityId The facility.
    /// @param epoch Number of the epoch, from 0.
    error NoFault(uint64 facilityId, uint32 epoch);

    /// @notice The proof is none of one statement alone, or speaks of another statement.
    /// @param rule Selector that the proof begins with.
    error ProofForeign(bytes4 rule);

    /// @notice The statement is posted and can be challenged, which voids it and costs the same.
    /// @param facilityId The facility.
    /// @param epoch Number of the epoch, from 0.
    error ChallengeOpen(uint64 facilityId, uint32 epoch);

    /// @notice All of these signers were charged for this statement before.
    /// @param statementHash EIP-712 struct hash of the statement.
    error ChargedBefore(bytes32 statementHash);

    /// @notice No equivocation: the statements are not of one facility, epoch and previous statement, or not in order
    /// of their hashes; or one of them is void, or a void of the facility lets statements be signed anew.
    /// @param first Hash of the first statement.
    /// @param second Hash of the second statement.
    error NoEquivocation(bytes32 first, bytes32 second);

    /// @notice The two statements were not signed by the same accounts. Show only those that signed both.
    error SignersDiffer();

    /// @notice Charges attesters that signed a statement with a provable fault and were not charged for it: because
    /// their signature was not the one posted, because the statement fell with an earlier one, or because it was never
    /// posted. Until the facility is closed, and a challenge window after the attester left. Caller: anybody.
    /// @dev Emits SignedFaultProven if nobody proved the fault before, and AttesterSlashed. Reverts with ChallengeOpen,
    /// ProofForeign, ProofInvalid, NoFault, FacilityClosed, ChargedBefore, or as `IAttesterRegistry.checkLiable` does.
    /// @param statement The statement.
    /// @param proof Call of `ofLine`, `ofPair` or `ofDevice` of `faultRules` about it; not read if it is barred
    /// already.
    /// @param signed Signatures of the attesters.
    function chargeSigners(
        IStatementRegistry.Statement calldata statement,
        bytes calldata proof,
        Signed calldata signed
    ) external;

    /// @notice Charges attesters that signed two statements of one facility, epoch and previous statement, neither of
    /// which is void. Until the facility is closed, and a challenge window after the attester left. Caller: anybody.
    /// @dev Emits AttesterSlashed. Reverts with NoEquivocation, SignersDiffer, FacilityClosed, ChargedBefore, or as
    /// `IAttesterRegistry.checkLiable` does.
    /// @param first The statement with the lower hash.
    /// @param firstSigned Signatures over it.
    /// @param second The statement with the higher hash: for this one they pay.
    /// @param secondSigned Signatures over it, by the same attesters.
    function chargeEquivocation(
        IStatementRegistry.Statement calldata first,
        Signed calldata firstSigned,
        IStatementRegistry.Statement calldata second,
        Signed calldata secondSigned
    ) external;

    /// @notice Charges attesters that showed their signature over a statement with a proven fault at the AttesterDesk:
    /// what stands there is not asked for again, so a contract attester cannot take its word back. Until the facility
    /// is closed, and a challenge window after the attester left. Caller: anybody.
    /// @dev Emits AttesterSlashed. Reverts with NoFault, NotLiable, FacilityClosed or ChargedBefore.
    /// @param statement The statement.
    /// @param attesters Who showed a signature over it.
    function chargeShown(IStatementRegistry.Statement calldata statement, address[] calldata attesters) external;

    /// @notice What `isCharged` of the AttesterRegistry knows an equivocation by. It is a charge of its own: whoever
    /// paid for it still pays for a fault of the statement, so that a challenge of it never earns nothing.
    /// @param statementHash EIP-712 struct hash of the second statement.
    /// @return The charge.
    function equivocationOf(bytes32 statementHash) external pure returns (bytes32);

    /// @notice Account that first proved the fault of a statement here.
    /// @param statementHash EIP-712 struct hash of the statement.
    /// @return The account; zero if nobody did.
    function provenBy(bytes32 statementHash) external view returns (address);
}
