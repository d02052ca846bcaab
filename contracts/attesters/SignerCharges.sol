// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {IAttesterDesk} from "../interfaces/IAttesterDesk.sol";
import {ISignerCharges} from "../interfaces/ISignerCharges.sol";
import {IStatementChallenges} from "../interfaces/IStatementChallenges.sol";
import {IStatementRegistry} from "../interfaces/IStatementRegistry.sol";
import {BatchRoot} from "../statements/BatchRoot.sol";
import {FaultRules} from "../statements/FaultRules.sol";
import {AttesterBonds} from "./AttesterBonds.sol";

/// @title Charges of attesters by the signatures that they gave
/// @notice Whoever signed a faulty statement, or two of one epoch, pays once for each of them.
/// @dev docs/decisions/0017 has the game.
abstract contract SignerCharges is AttesterBonds, ISignerCharges {
    using Address for address;

    /// @inheritdoc ISignerCharges
    mapping(bytes32 statementHash => address) public provenBy;

    /// @inheritdoc ISignerCharges
    function chargeSigners(
        IStatementRegistry.Statement calldata statement,
        bytes calldata proof,
        Signed calldata signed
    ) external {
        IStatementRegistry statements = facilityRegistry.statementRegistry();
        bytes32 statementHash = statements.hashStatement(statement);
        bool posted = _requireNotOpen(statements, statement, statementHash);
        if (!_challenges(statements).verdictOf(statementHash).barred && provenBy[statementHash] == address(0)) {
            IStatementChallenges.Fault fault = _judge(statements, statement, proof);
            provenBy[statementHash] = msg.sender;
            emit SignedFaultProven(statement.facilityId, statement.epoch, statementHash, fault, msg.sender);
            // Else its signers could pay half to themselves, post it, and leave challengers nothing to earn.
            if (!posted) _challenges(statements).bar(statement.facilityId, statementHash, fault, msg.sender);
        }
        address[] memory signers = _signersOf(statements, statement, statementHash, signed);
        _charge(statement.facilityId, statementHash, statementHash, signers);
    }

    /// @inheritdoc ISignerCharges
    function chargeEquivocation(
        IStatementRegistry.Statement calldata first,
        Signed calldata firstSigned,
        IStatementRegistry.Statement calldata second,
        Signed calldata secondSigned
    ) external {
        IStatementRegistry statements = facilityRegistry.statementRegistry();
        bytes32 firstHash = statements.hashStatement(first);
        bytes32 secondHash = statements.hashStatement(second);
        bool rivals = first.facilityId == second.facilityId && first.epoch == second.epoch
            && first.previousStatementHash == second.previousStatementHash && firstHash < secondHash;
        bool standing = !_challenges(statements).mayRepeat(first.facilityId) && !_isVoid(statements, firstHash)
            && !_isVoid(statements, secondHash);
        require(rivals && standing, NoEquivocation(firstHash, secondHash));
        address[] memory signers = _signersOf(statements, second, secondHash, secondSigned);
        bytes32 same = keccak256(abi.encode(signers));
        bool both = keccak256(abi.encode(_signersOf(statements, first, firstHash, firstSigned))) == same;
        require(both, SignersDiffer());
        _charge(second.facilityId, secondHash, equivocationOf(secondHash), signers);
    }

    /// @inheritdoc ISignerCharges
    function chargeShown(IStatementRegistry.Statement calldata statement, address[] calldata attesters) external {
        IStatementRegistry statements = facilityRegistry.statementRegistry();
        bytes32 statementHash = statements.hashStatement(statement);
        (uint64 facilityId, uint32 epoch) = (statement.facilityId, statement.epoch);
        bool proven = _challenges(statements).verdictOf(statementHash).barred || provenBy[statementHash] != address(0);
        require(proven, NoFault(facilityId, epoch));
        IAttesterDesk desk = facilityRegistry.attesterDesk();
        for (uint256 i = 0; i < attesters.length; ++i) {
            bool shown = desk.shownBy(facilityId, epoch, attesters[i]) == statementHash;
            require(shown && block.timestamp < liableUntil(attesters[i]), NotLiable(attesters[i]));
        }
        _charge(facilityId, statementHash, statementHash, attesters);
    }

    /// @inheritdoc ISignerCharges
    function equivocationOf(bytes32 statementHash) public pure returns (bytes32) {
        return keccak256(abi.encode(statementHash));
    }

    /// @notice Slashes accounts for a statement. Reverts with FacilityClosed or ChargedBefore.
    /// @param facilityId The facility.
    /// @param statementHash EIP-712 struct hash of the statement.
    /// @param charge What they pay for.
    /// @param signers The accounts.
    function _charge(uint64 facilityId, bytes32 statementHash, bytes32 charge, address[] memory signers) private {
        require(facilityRegistry.endingOf(facilityId).closedAt == 0, FacilityClosed(facilityId));
        uint256 charged = _slash(facilityId, statementHash, charge, signers, msg.sender);
        require(charged > 0, ChargedBefore(statementHash));
    }

    /// @notice Accounts that can still be slashed and signed a statement, alone or in a batch.
    /// @param statements The StatementRegistry.
    /// @param statement The statement.
    /// @param statementHash Its EIP-712 struct hash.
    /// @param signed Their signatures.
    /// @return The accounts, in ascending order.
    function _signersOf(
        IStatementRegistry statements,
        IStatementRegistry.Statement calldata statement,
        bytes32 statementHash,
        Signed calldata signed
    ) private view returns (address[] memory) {
        bytes32 digest = signed.batched
            ? statements.batchDigest(MerkleProof.processProofCalldata(signed.path, BatchRoot.leaf(statementHash)))
            : statements.statementDigest(statement);
        return _checkLiable(digest, signed.attestations);
    }

    /// @notice Reverts with ChallengeOpen while a statement is posted and can be challenged: that voids it too.
    /// @param statements The StatementRegistry.
    /// @param statement The statement.
    /// @param statementHash Its EIP-712 struct hash.
    /// @return posted Whether it is posted, and final.
    function _requireNotOpen(
        IStatementRegistry statements,
        IStatementRegistry.Statement calldata statement,
        bytes32 statementHash
    ) private view returns (bool posted) {
        (uint64 facilityId, uint32 epoch) = (statement.facilityId, statement.epoch);
        posted = statements.statementOf(facilityId, epoch).statementHash == statementHash;
        require(!posted || statements.isFinal(facilityId, epoch), ChallengeOpen(facilityId, epoch));
    }

    /// @notice Judges a statement by itself, posted or not. What depends on other facilities is no fault here.
    /// @param statements The StatementRegistry.
    /// @param statement The statement.
    /// @param proof Call of `ofLine`, `ofPair` or `ofDevice` of FaultRules about this statement.
    /// @return fault The rule that it breaks.
    function _judge(
        IStatementRegistry statements,
        IStatementRegistry.Statement calldata statement,
        bytes calldata proof
    ) private view returns (IStatementChallenges.Fault fault) {
        // A statement is static, so it stands first in the arguments of every rule.
        bytes memory words = abi.encode(statement);
        // Truncation picks the selector.
        // forge-lint: disable-next-line(unsafe-typecast)
        bytes4 rule = bytes4(proof);
        bool known = rule == FaultRules.ofLine.selector || rule == FaultRules.ofPair.selector
            || rule == FaultRules.ofDevice.selector;
        bool same =
            known && proof.length >= 4 + words.length && keccak256(proof[4:4 + words.length]) == keccak256(words);
        require(same, ProofForeign(rule));
        bytes memory answer = _challenges(statements).faultRules().functionStaticCall(proof);
        fault = abi.decode(answer, (IStatementChallenges.Fault));
        bool broken = fault != IStatementChallenges.Fault.None;
        require(broken, NoFault(statement.facilityId, statement.epoch));
    }

    /// @notice Whether a statement was void at any time.
    /// @param statements The StatementRegistry.
    /// @param statementHash EIP-712 struct hash of the statement.
    /// @return True if it was.
    function _isVoid(IStatementRegistry statements, bytes32 statementHash) private view returns (bool) {
        return _challenges(statements).verdictOf(statementHash).challenger != address(0);
    }

    /// @notice The StatementRegistry, as the judge of challenges.
    /// @param statements The StatementRegistry.
    /// @return The same contract.
    function _challenges(IStatementRegistry statements) private pure returns (IStatementChallenges) {
        return IStatementChallenges(address(statements));
    }
}
