// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttesterDesk} from "../../../contracts/interfaces/IAttesterDesk.sol";
import {IAttesterRegistry} from "../../../contracts/interfaces/IAttesterRegistry.sol";
import {ISignerCharges} from "../../../contracts/interfaces/ISignerCharges.sol";
import {IStatementRegistry} from "../../../contracts/interfaces/IStatementRegistry.sol";
import {MockContractAttester} from "../../../contracts/mocks/MockContractAttester.sol";
import {BatchRoot} from "../../../contracts/statements/BatchRoot.sol";
import {DutyBase} from "./DutyBase.sol";

/// @title What attesters say of a statement: signatures shown, refusals, when they can and what they cost
contract WordsTest is DutyBase {
    function test_showSignatures__final_or_another_statement__reverts() external {
        IStatementRegistry.Statement memory statement = _posted(0, 2);
        ISignerCharges.Signed memory signed = _shown(statement, 2);
        IStatementRegistry.Statement memory other = _statement(0, keccak256("other"), 3);
        bytes32 posted = registry.hashStatement(statement);
        bytes32 given = registry.hashStatement(other);
        vm.expectRevert(abi.encodeWithSelector(IAttesterDesk.StatementNotPosted.selector, posted, given));
        attesterDesk.showSignatures(other, signed);
        ISignerCharges.Signed memory wrong = _shown(other, 2);
        vm.expectRevert(abi.encodeWithSelector(IAttesterDesk.SignatureInvalid.selector, _attester(2)));
        attesterDesk.showSignatures(statement, wrong);
        signed.attestations[0].attester = address(this);
        vm.expectRevert(abi.encodeWithSelector(IAttesterRegistry.NotAttester.selector, address(this)));
        attesterDesk.showSignatures(statement, signed);
        signed = _shown(statement, 2);
        vm.warp(vm.getBlockTimestamp() + CHALLENGE_WINDOW);
        vm.expectRevert(abi.encodeWithSelector(IAttesterDesk.StatementFinal.selector, FACILITY, uint32(0)));
        attesterDesk.showSignatures(statement, signed);
    }

    /// A signature over a batch that holds the statement is one over the statement.
    function test_showSignatures__of_a_batch__counts() external {
        IStatementRegistry.Statement memory statement = _posted(0, 2);
        bytes32 leaf = BatchRoot.leaf(registry.hashStatement(statement));
        bytes32 sibling = keccak256("another leaf");
        bytes32 root = leaf < sibling ? keccak256(abi.encode(leaf, sibling)) : keccak256(abi.encode(sibling, leaf));
        ISignerCharges.Signed memory signed;
        signed.batched = true;
        signed.path = new bytes32[](1);
        signed.path[0] = sibling;
        signed.attestations = new IAttesterRegistry.Attestation[](1);
        signed.attestations[0] = _signedBy(registry.batchDigest(root), attesterKeys, 3)[2];
        attesterDesk.showSignatures(statement, signed);
        _bookFinal(0);
        assertEq(attesterDesk.dutiesOf(FACILITY, _attester(2)), THIRD, "counts");
    }

    function test_refuse__before_it_is_final__public_and_booked_once() external {
        IStatementRegistry.Statement memory statement = _posted(0, 2);
        IAttesterDesk.Refusal[] memory refusals = _one(0, 2);
        (refusals[0].statementHash, refusals[0].code) =
        (registry.hashStatement(statement), IAttesterDesk.RefusalCode.MemoryContradicted);
        _signAgain(refusals[0], 0, 2);
        vm.expectEmit(true, true, true, true, address(attesterDesk));
        emit IAttesterDesk.StatementRefused(
            FACILITY,
            0,
            _attester(2),
            registry.hashStatement(statement),
            keccak256("evidence"),
            bytes32(0),
            IAttesterDesk.RefusalCode.MemoryContradicted,
            "lines.csv:1"
        );
        attesterDesk.refuse(FACILITY, 0, refusals);
        assertTrue(attesterDesk.hasRefused(FACILITY, 0, _attester(2)), "kept");
        assertEq(attesterDesk.dutiesOf(FACILITY, _attester(2)), 0, "booked with the others");
        // Said once more it stays public, and counts no more; nor does signing it after all.
        attesterDesk.refuse(FACILITY, 0, refusals);
        attesterDesk.showSignatures(statement, _shown(statement, 2));
        _bookFinal(0);
        assertEq(attesterDesk.dutiesOf(FACILITY, _attester(2)), THIRD, "once");
        assertEq(attesterDesk.dutiesOf(FACILITY, _attester(1)), THIRD, "like a signature");
        vm.expectRevert(abi.encodeWithSelector(IAttesterDesk.StatementFinal.selector, FACILITY, uint32(0)));
        attesterDesk.refuse(FACILITY, 0, refusals);
    }

    function test_refuse__altered_in_any_word__reverts() external {
        vm.warp(WINDOW_START + EPOCH_LENGTH);
        IAttesterDesk.Refusal[] memory good = _one(0, 0);
        bytes memory invalid = abi.encodeWithSelector(IAttesterDesk.SignatureInvalid.selector, _attester(0));
        for (uint256 word = 0; word < 8; ++word) {
            IAttesterDesk.Refusal[] memory bad = _one(0, 0);
            if (word == 0) bad[0].statementHash = keccak256("x");
            if (word == 1) bad[0].evidenceHash = keccak256("x");
            if (word == 2) bad[0].previousStatementHash = keccak256("x");
            if (word == 3) bad[0].rejections = 1;
            if (word == 4) bad[0].code = IAttesterDesk.RefusalCode.EvidenceMissing;
            if (word == 5) bad[0].place = "x";
            if (word == 7) bad[0].until = 1;
            if (word == 6) bad[0].signature = _one(0, 1)[0].signature;
            vm.expectRevert(invalid);
            attesterDesk.refuse(FACILITY, 0, bad);
        }
        vm.warp(WINDOW_START + 2 * EPOCH_LENGTH);
        vm.expectRevert(invalid);
        attesterDesk.refuse(FACILITY, 1, good);
        attesterDesk.refuse(FACILITY, 0, good);
    }

    function test_refuse__without_reason_or_out_of_order__reverts() external {
        vm.warp(WINDOW_START + EPOCH_LENGTH);
        bytes memory invalid = abi.encodeWithSelector(IAttesterDesk.RefusalInvalid.selector);
        vm.expectRevert(invalid);
        attesterDesk.refuse(FACILITY, 0, new IAttesterDesk.Refusal[](0));
        IAttesterDesk.Refusal[] memory ofNothing = new IAttesterDesk.Refusal[](1);
        ofNothing[0] = _refusal(FACILITY, 0, bytes32(0), attesterKeys[0]);
        vm.expectRevert(invalid);
        attesterDesk.refuse(FACILITY, 0, ofNothing);
        IAttesterDesk.Refusal[] memory refusals = _one(0, 0);
        refusals[0].code = IAttesterDesk.RefusalCode.None;
        _signAgain(refusals[0], 0, 0);
        vm.expectRevert(invalid);
        attesterDesk.refuse(FACILITY, 0, refusals);
        refusals = _refusals(FACILITY, 0, keccak256("evidence"));
        (refusals[0], refusals[1]) = (refusals[1], refusals[0]);
        vm.expectRevert(
            abi.encodeWithSelector(IAttesterDesk.AttestersNotAscending.selector, _attester(1), _attester(0))
        );
        attesterDesk.refuse(FACILITY, 0, refusals);
        refusals = new IAttesterDesk.Refusal[](1);
        refusals[0] = _refusal(FACILITY, 0, keccak256("evidence"), 0xBAD);
        vm.expectRevert(abi.encodeWithSelector(IAttesterRegistry.NotAttester.selector, vm.addr(0xBAD)));
        attesterDesk.refuse(FACILITY, 0, refusals);
    }

    /// Nobody refuses what cannot be stated yet: an epoch that runs, a closing whose seal runs, or none at all.
    function test_refuse__not_due__reverts() external {
        _notDue(0);
        vm.warp(WINDOW_START + EPOCH_LENGTH - 1);
        _notDue(0);
        vm.warp(WINDOW_START + 4 * EPOCH_LENGTH);
        attesterDesk.refuse(FACILITY, 3, _one(3, 0));
        _notDue(4);
        _notDue(5);
        vm.warp(WINDOW_START + 4 * EPOCH_LENGTH + SEAL_SECONDS);
        attesterDesk.refuse(FACILITY, 4, _one(4, 0));
        _notDue(5);
        _ending(vm.getBlockTimestamp(), 2);
        IAttesterDesk.Refusal[] memory refusals = _one(0, 0);
        vm.expectRevert(abi.encodeWithSelector(IAttesterDesk.DutiesEnded.selector, FACILITY, uint64(2)));
        attesterDesk.refuse(FACILITY, 0, refusals);
    }

    function test_statementsDue__ended_early__its_epochs_and_the_closing() external {
        assertEq(attesterDesk.statementsDue(FACILITY), 5, "four epochs and the closing");
        uint64 end = WINDOW_START + 2 * EPOCH_LENGTH;
        _ending(end - 1, 0);
        assertEq(attesterDesk.statementsDue(FACILITY), 2, "one epoch was over");
        _ending(end, 0);
        assertEq(attesterDesk.statementsDue(FACILITY), 3, "two were");
        vm.warp(end);
        attesterDesk.refuse(FACILITY, 2, _one(2, 0));
        _notDue(3);
        _ending(WINDOW_START, 0);
        assertEq(attesterDesk.statementsDue(FACILITY), 1, "none was");
        _notDue(0);
    }

    /// Who lost its seat after a posting can still show that it signed; who never had one cannot.
    function test_showSignatures__seat_lost_meanwhile__counts() external {
        IStatementRegistry.Statement memory statement = _posted(0, 2);
        vm.warp(vm.getBlockTimestamp() + 1);
        address[] memory seated = new address[](1);
        seated[0] = _attester(0);
        attesters.setPanel(1, seated);
        attesterDesk.showSignatures(statement, _shown(statement, 2));
        _bookFinal(0);
        assertEq(attesterDesk.dutiesOf(FACILITY, _attester(2)), THIRD, "sat when it was posted");
    }

    /// A signature that stands here is charged without asking for it again.
    function test_chargeShown__contract_attester_that_takes_its_word_back__pays() external {
        MockContractAttester safe = new MockContractAttester();
        safe.setMood(MockContractAttester.Mood.Accepting);
        _join(address(safe));
        address[] memory seated = _sorted(_attester(0), _attester(1), address(safe));
        attesters.setPanel(1, seated);
        IStatementRegistry.Statement memory faulty = _posted(0, 2);
        ISignerCharges.Signed memory signed = _shown(faulty, 2);
        signed.attestations[0] = IAttesterRegistry.Attestation(address(safe), "");
        attesterDesk.showSignatures(faulty, signed);
        safe.setMood(MockContractAttester.Mood.Refusing);
        address[] memory shown = new address[](1);
        shown[0] = address(safe);
        vm.expectRevert(abi.encodeWithSelector(ISignerCharges.NoFault.selector, FACILITY, uint32(0)));
        attesters.chargeShown(faulty, shown);
        _void(faulty);
        uint256 bond = attesters.bondOf(address(safe));
        vm.prank(address(0x4117));
        attesters.chargeShown(faulty, shown);
        assertEq(attesters.bondOf(address(safe)), bond - SLASH, "pays");
        assertEq(attesters.owedTo(address(attesters.bondToken()), address(0x4117)), SLASH / 2, "half is the finder's");
        vm.expectPartialRevert(ISignerCharges.ChargedBefore.selector);
        attesters.chargeShown(faulty, shown);
        shown[0] = _attester(2);
        vm.expectRevert(abi.encodeWithSelector(IAttesterRegistry.NotLiable.selector, _attester(2)));
        attesters.chargeShown(faulty, shown);
    }
}
