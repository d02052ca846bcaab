// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttesterRegistry} from "../../../contracts/interfaces/IAttesterRegistry.sol";
import {IEndings} from "../../../contracts/interfaces/IEndings.sol";
import {ISignerCharges} from "../../../contracts/interfaces/ISignerCharges.sol";
import {IStatementChallenges} from "../../../contracts/interfaces/IStatementChallenges.sol";
import {IStatementRegistry} from "../../../contracts/interfaces/IStatementRegistry.sol";
import {BatchRoot} from "../../../contracts/statements/BatchRoot.sol";
import {FaultRules} from "../../../contracts/statements/FaultRules.sol";
import {UsageProof} from "../../../contracts/statements/UsageProof.sol";
import {Setup} from "../statements/Setup.sol";

/// @title Signatures that no challenge reaches cost the same, once for each statement (docs/DEAL.md)
contract ChargesTest is Setup {
    address private constant HUNTER = address(0x4117);

    /// @dev A statement of one line that counts a second too many, or is right; `salt` makes statements differ.
    function _made(uint32 epoch, uint256 salt, bool faulty)
        private
        view
        returns (IStatementRegistry.Statement memory statement, IStatementChallenges.ProvenLine memory proven)
    {
        statement = _statement(epoch, bytes32(0), 1);
        IStatementRegistry.Line memory line = proven.line;
        (line.facilityId, line.epoch, line.lease) = (FACILITY, epoch, bytes32(salt));
        (line.start, line.end) = (statement.epochStart, statement.epochStart + 60);
        line.gpuSeconds = line.cumulativeGpuSeconds = faulty ? 61 : 60;
        line.charge = line.cumulativeCharge = 41_500;
        (statement.billedGpuSeconds, statement.grossRevenue) = (line.gpuSeconds, 41_500);
        statement.usageRoot = UsageProof.leaf(line);
    }

    function _proof(IStatementRegistry.Statement memory statement, IStatementChallenges.ProvenLine memory proven)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeCall(FaultRules.ofLine, (statement, proven));
    }

    /// @dev All three sign it alone.
    function _all(IStatementRegistry.Statement memory statement) private view returns (ISignerCharges.Signed memory) {
        return ISignerCharges.Signed(false, new bytes32[](0), _sign(statement));
    }

    function _one(IStatementRegistry.Statement memory statement, uint256 which)
        private
        view
        returns (ISignerCharges.Signed memory signed)
    {
        signed.attestations = new IAttesterRegistry.Attestation[](1);
        signed.attestations[0] = _sign(statement)[which];
    }

    function _bond(uint256 which) private view returns (uint256) {
        return attesters.bondOf(vm.addr(attesterKeys[which]));
    }

    function _charge(
        IStatementRegistry.Statement memory statement,
        bytes memory proof,
        ISignerCharges.Signed memory signed
    ) private {
        vm.prank(HUNTER);
        attesters.chargeSigners(statement, proof, signed);
    }

    /// @notice Finding F21: whoever challenges its own earliest fault frees nobody of the later ones.
    function test_charge__statements_that_fell_with_an_earlier_one__cost_as_much() public {
        vm.warp(WINDOW_START + 3 * uint256(EPOCH_LENGTH));
        IStatementRegistry.Statement[3] memory statements;
        IStatementChallenges.ProvenLine[3] memory proofs;
        for (uint32 e = 0; e < 3; ++e) {
            (statements[e], proofs[e]) = _made(e, e, true);
            registry.post(statements[e], _sign(statements[e]));
            previous = registry.hashStatement(statements[e]);
        }
        vm.prank(vm.addr(attesterKeys[0]));
        registry.challengeLine(statements[1], proofs[1]);
        assertEq(_bond(0), ATTESTER_BOND - SLASH, "its own");
        vm.prank(vm.addr(attesterKeys[0]));
        registry.challengeLine(statements[0], proofs[0]);
        vm.expectEmit(true, true, true, true, address(attesters));
        emit ISignerCharges.SignedFaultProven(
            FACILITY, 2, registry.hashStatement(statements[2]), IStatementChallenges.Fault.GpuSecondsWrong, HUNTER
        );
        _charge(statements[2], _proof(statements[2], proofs[2]), _all(statements[2]));
        for (uint256 i = 0; i < 3; ++i) {
            assertEq(_bond(i), ATTESTER_BOND - 3 * SLASH, "all three");
        }
        assertEq(attesters.owedTo(address(attesters.bondToken()), HUNTER), 3 * SLASH / 2, "half to who showed it");
        ISignerCharges.Signed memory again = _all(statements[2]);
        bytes32 hash = registry.hashStatement(statements[2]);
        vm.expectRevert(abi.encodeWithSelector(ISignerCharges.ChargedBefore.selector, hash));
        attesters.chargeSigners(statements[2], "", again);
    }

    /// @notice Finding F23: a guilty signer whose signature was kept out of the posting pays when it is shown.
    function test_charge__signature_that_was_not_posted__costs_as_much() public {
        (IStatementRegistry.Statement memory statement, IStatementChallenges.ProvenLine memory proven) =
            _made(0, 1, true);
        vm.warp(statement.epochEnd);
        registry.post(statement, _signed(registry.statementDigest(statement)));
        ISignerCharges.Signed memory third = _one(statement, 2);
        vm.expectRevert(abi.encodeWithSelector(ISignerCharges.ChallengeOpen.selector, FACILITY, uint32(0)));
        attesters.chargeSigners(statement, "", third);
        registry.challengeLine(statement, proven);
        assertEq(_bond(2), ATTESTER_BOND, "not yet");
        // The fault stands proven: nothing more is to be shown than the signature.
        _charge(statement, "", third);
        assertEq(_bond(2), ATTESTER_BOND - SLASH, "charged");
        assertEq(_bond(0), ATTESTER_BOND - SLASH, "the others once");
    }

    function test_charge__final_or_never_posted__costs_as_much() public {
        (IStatementRegistry.Statement memory statement, IStatementChallenges.ProvenLine memory proven) =
            _made(0, 1, true);
        _post(statement);
        vm.warp(block.timestamp + CHALLENGE_WINDOW);
        _charge(statement, _proof(statement, proven), _all(statement));
        assertEq(_bond(1), ATTESTER_BOND - SLASH, "too late to void, not to pay");
        assertTrue(attesters.isCharged(registry.hashStatement(statement), vm.addr(attesterKeys[1])), "charged");
        (IStatementRegistry.Statement memory other, IStatementChallenges.ProvenLine memory otherProven) =
            _made(1, 2, true);
        _charge(other, _proof(other, otherProven), _one(other, 1));
        assertEq(_bond(1), ATTESTER_BOND - 2 * SLASH, "signed is enough");
        assertEq(_bond(0), ATTESTER_BOND - SLASH, "only who signed");
    }

    function test_charge__honest_foreign_or_of_other_facilities__reverts() public {
        (IStatementRegistry.Statement memory statement, IStatementChallenges.ProvenLine memory proven) =
            _made(0, 1, false);
        ISignerCharges.Signed memory signed = _all(statement);
        bytes memory proof = _proof(statement, proven);
        vm.expectRevert(abi.encodeWithSelector(ISignerCharges.NoFault.selector, FACILITY, uint32(0)));
        attesters.chargeSigners(statement, proof, signed);
        (IStatementRegistry.Statement memory bad, IStatementChallenges.ProvenLine memory badLine) = _made(0, 2, true);
        bytes memory foreign = _proof(bad, badLine);
        vm.expectRevert(abi.encodeWithSelector(ISignerCharges.ProofForeign.selector, FaultRules.ofLine.selector));
        attesters.chargeSigners(statement, foreign, signed);
        bytes4 rule = FaultRules.ofPledges.selector;
        vm.expectRevert(abi.encodeWithSelector(ISignerCharges.ProofForeign.selector, rule));
        attesters.chargeSigners(statement, bytes.concat(rule, abi.encode(statement)), signed);
        vm.expectRevert(abi.encodeWithSelector(ISignerCharges.ProofForeign.selector, FaultRules.ofLine.selector));
        attesters.chargeSigners(statement, abi.encodePacked(FaultRules.ofLine.selector), signed);
        ISignerCharges.Signed memory none = ISignerCharges.Signed(false, new bytes32[](0), signed.attestations);
        none.attestations = new IAttesterRegistry.Attestation[](0);
        vm.expectRevert(abi.encodeWithSelector(IAttesterRegistry.QuorumMissing.selector, 0, 1));
        attesters.chargeSigners(bad, foreign, none);
        // Signatures over the honest statement are none over the bad one.
        address first = vm.addr(attesterKeys[0]);
        vm.expectRevert(abi.encodeWithSelector(IAttesterRegistry.SignatureInvalid.selector, first));
        attesters.chargeSigners(bad, foreign, signed);
    }

    function test_charge__facility_closed_or_attester_gone__reverts() public {
        (IStatementRegistry.Statement memory statement, IStatementChallenges.ProvenLine memory proven) =
            _made(0, 1, true);
        ISignerCharges.Signed memory signed = _one(statement, 0);
        bytes memory proof = _proof(statement, proven);
        address member = vm.addr(attesterKeys[0]);
        address[] memory rest = new address[](1);
        rest[0] = vm.addr(attesterKeys[1]);
        attesters.setPanel(1, rest);
        attesters.setAttester(member, false);
        facilities.setEnding(FACILITY, IEndings.Ending(1, 2, 3, 0));
        vm.expectRevert(abi.encodeWithSelector(ISignerCharges.FacilityClosed.selector, FACILITY));
        attesters.chargeSigners(statement, proof, signed);
        facilities.setEnding(FACILITY, IEndings.Ending(1, 2, 0, 0));
        vm.prank(member);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAttesterRegistry.AttesterLiable.selector, member, uint64(block.timestamp + CHALLENGE_WINDOW)
            )
        );
        attesters.withdrawBond(member);
        vm.warp(block.timestamp + CHALLENGE_WINDOW);
        vm.expectRevert(abi.encodeWithSelector(IAttesterRegistry.NotLiable.selector, member));
        attesters.chargeSigners(statement, proof, signed);
        vm.prank(member);
        assertEq(attesters.withdrawBond(member), ATTESTER_BOND, "whole");
    }

    /// @notice Rule 18: a leaf with its path counts as a signature.
    function test_charge__signed_in_a_batch__costs_as_much() public {
        (IStatementRegistry.Statement memory statement, IStatementChallenges.ProvenLine memory proven) =
            _made(0, 1, true);
        bytes32 leaf = BatchRoot.leaf(registry.hashStatement(statement));
        bytes32[] memory path = new bytes32[](1);
        path[0] = BatchRoot.leaf(keccak256("another facility's statement"));
        bytes32 root = leaf < path[0] ? keccak256(bytes.concat(leaf, path[0])) : keccak256(bytes.concat(path[0], leaf));
        ISignerCharges.Signed memory signed = ISignerCharges.Signed(true, path, _signed(registry.batchDigest(root)));
        _charge(statement, _proof(statement, proven), signed);
        assertEq(_bond(0) + _bond(1), 2 * (ATTESTER_BOND - SLASH), "both");
    }

    /// @notice Fault (ix): two statements of one epoch behind the same one; each further one costs once more.
    function test_equivocation__two_and_three_statements__cost_one_and_two() public {
        IStatementRegistry.Statement[] memory list = _ordered(3);
        _equivocate(list[0], list[1]);
        assertEq(_bond(0), ATTESTER_BOND - SLASH, "one");
        _equivocate(list[0], list[2]);
        assertEq(_bond(0), ATTESTER_BOND - 2 * SLASH, "two");
        bytes32 hash = registry.hashStatement(list[2]);
        (ISignerCharges.Signed memory a, ISignerCharges.Signed memory b) = (_all(list[1]), _all(list[2]));
        vm.expectRevert(abi.encodeWithSelector(ISignerCharges.ChargedBefore.selector, hash));
        attesters.chargeEquivocation(list[1], a, list[2], b);
    }

    function _equivocate(IStatementRegistry.Statement memory first, IStatementRegistry.Statement memory second)
        private
    {
        (ISignerCharges.Signed memory a, ISignerCharges.Signed memory b) = (_all(first), _all(second));
        vm.prank(HUNTER);
        attesters.chargeEquivocation(first, a, second, b);
    }

    /// @dev Honest statements of epoch 0, in order of their hashes.
    function _ordered(uint256 count) private view returns (IStatementRegistry.Statement[] memory list) {
        list = new IStatementRegistry.Statement[](count);
        for (uint256 i = 0; i < count; ++i) {
            (list[i],) = _made(0, i, false);
            for (uint256 j = i; j > 0; --j) {
                if (registry.hashStatement(list[j]) > registry.hashStatement(list[j - 1])) break;
                (list[j], list[j - 1]) = (list[j - 1], list[j]);
            }
        }
    }

    function test_equivocation__that_is_none__reverts() public {
        IStatementRegistry.Statement[] memory list = _ordered(2);
        _none(list[1], list[0]);
        _none(list[0], list[0]);
        IStatementRegistry.Statement memory later = list[1];
        later.previousStatementHash = keccak256("another past");
        _none(list[0], later);
        list = _ordered(2);
        (ISignerCharges.Signed memory a, ISignerCharges.Signed memory b) = (_one(list[0], 0), _one(list[1], 1));
        vm.expectRevert(abi.encodeWithSelector(ISignerCharges.SignersDiffer.selector));
        attesters.chargeEquivocation(list[0], a, list[1], b);
    }

    function _none(IStatementRegistry.Statement memory first, IStatementRegistry.Statement memory second) private {
        (bytes32 one, bytes32 two) = (registry.hashStatement(first), registry.hashStatement(second));
        (ISignerCharges.Signed memory a, ISignerCharges.Signed memory b) = (_all(first), _all(second));
        vm.expectRevert(abi.encodeWithSelector(ISignerCharges.NoEquivocation.selector, one, two));
        attesters.chargeEquivocation(first, a, second, b);
    }

    /// @notice Honest attesters sign another statement once the first is void: nobody can charge them for that.
    function test_equivocation__one_of_them_void__reverts() public {
        (IStatementRegistry.Statement memory faulty, IStatementChallenges.ProvenLine memory proven) = _made(0, 1, true);
        _post(faulty);
        registry.challengeLine(faulty, proven);
        previous = bytes32(0);
        (IStatementRegistry.Statement memory honest,) = _made(0, 2, false);
        bool inOrder = registry.hashStatement(faulty) < registry.hashStatement(honest);
        if (inOrder) _none(faulty, honest);
        else _none(honest, faulty);
    }
}
