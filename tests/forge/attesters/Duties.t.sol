// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttesterDesk} from "../../../contracts/interfaces/IAttesterDesk.sol";
import {IAttesterRegistry} from "../../../contracts/interfaces/IAttesterRegistry.sol";
import {IEndings} from "../../../contracts/interfaces/IEndings.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {ISignerCharges} from "../../../contracts/interfaces/ISignerCharges.sol";
import {IStatementChallenges} from "../../../contracts/interfaces/IStatementChallenges.sol";
import {IStatementRegistry} from "../../../contracts/interfaces/IStatementRegistry.sol";
import {MockContractAttester} from "../../../contracts/mocks/MockContractAttester.sol";
import {BatchRoot} from "../../../contracts/statements/BatchRoot.sol";
import {UsageProof} from "../../../contracts/statements/UsageProof.sol";
import {Setup} from "../statements/Setup.sol";

/// @title A seat's duty for a statement is booked once, by signature or refusal, whatever others did (docs/DEAL.md)
contract DutiesTest is Setup {
    /// @dev A statement by one of three seats.
    uint256 private constant THIRD = 166_966_608_033_225 / 3;
    uint32 private constant SEAL_SECONDS = 1 hours;

    function setUp() public override {
        super.setUp();
        IFacilityRegistry.FacilityTerms memory terms = facilities.termsOf(FACILITY);
        terms.sealSeconds = SEAL_SECONDS;
        facilities.setFacility(FACILITY, terms, IFacilityRegistry.FacilityState.Funded, 1);
    }

    function test_book__posted_and_shown__each_once() external {
        IStatementRegistry.Statement memory statement = _posted(0, 2);
        bytes memory early = abi.encodeWithSelector(IAttesterDesk.StatementNotFinal.selector, FACILITY, uint32(0));
        vm.expectRevert(early);
        attesterDesk.book(FACILITY, 0);
        vm.expectEmit(true, true, true, true, address(attesterDesk));
        emit IAttesterDesk.SignatureShown(FACILITY, 0, _attester(2), registry.hashStatement(statement));
        attesterDesk.showSignatures(statement, _shown(statement, 2));
        // One that was posted gains nothing by being shown.
        attesterDesk.showSignatures(statement, _shown(statement, 0));
        vm.warp(vm.getBlockTimestamp() + CHALLENGE_WINDOW);
        vm.expectEmit(true, true, true, true, address(attesterDesk));
        emit IAttesterDesk.DutyBooked(FACILITY, 0, _attester(0));
        attesterDesk.book(FACILITY, 0);
        for (uint256 i = 0; i < 3; ++i) {
            assertEq(attesterDesk.dutiesOf(FACILITY, _attester(i)), THIRD, "a third each");
        }
        assertTrue(attesterDesk.isBooked(FACILITY, 0) && !attesterDesk.isBooked(FACILITY, 1), "this one");
        vm.expectRevert(abi.encodeWithSelector(IAttesterDesk.BookedBefore.selector, FACILITY, uint32(0)));
        attesterDesk.book(FACILITY, 0);
    }

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

    /// Who signed a statement that is void did no duty by it, posted or shown; the next one counts.
    function test_book__void__counts_for_nothing() external {
        IStatementRegistry.Statement memory faulty = _posted(0, 2);
        attesterDesk.showSignatures(faulty, _shown(faulty, 2));
        _void(faulty);
        vm.warp(vm.getBlockTimestamp() + CHALLENGE_WINDOW);
        vm.expectRevert(abi.encodeWithSelector(IAttesterDesk.StatementNotFinal.selector, FACILITY, uint32(0)));
        attesterDesk.book(FACILITY, 0);
        IStatementRegistry.Statement memory right = _statement(0, bytes32(0), 0);
        (right.billedGpuSeconds, right.grossRevenue) = (0, 0);
        registry.post(right, _signedBy(registry.statementDigest(right), attesterKeys, 2));
        _bookFinal(0);
        assertEq(attesterDesk.dutiesOf(FACILITY, _attester(0)), THIRD, "once, for the one that stands");
        assertEq(attesterDesk.dutiesOf(FACILITY, _attester(2)), 0, "signed only what is void");
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

    /// The next account in a slot is not paid for what the last one signed.
    function test_book__slot_is_anothers__not_booked() external {
        _posted(0, 3);
        vm.warp(vm.getBlockTimestamp() + CHALLENGE_WINDOW);
        for (uint160 i = 0; i < 37; ++i) {
            attesters.setAttester(address(0x10000 + i), true);
        }
        // Another takes the third seat; then it can leave, and its slot is free a challenge window later.
        address[] memory seated = new address[](3);
        (seated[0], seated[1], seated[2]) = (address(0x10000), _attester(0), _attester(1));
        attesters.setPanel(1, seated);
        attesters.setAttester(_attester(2), false);
        vm.warp(vm.getBlockTimestamp() + CHALLENGE_WINDOW);
        attesters.setAttester(address(this), true);
        assertEq(attesters.attesterAt(2), address(this), "the slot is taken");
        attesterDesk.book(FACILITY, 0);
        assertEq(attesterDesk.dutiesOf(FACILITY, _attester(1)), THIRD, "stayed");
        assertEq(attesterDesk.dutiesOf(FACILITY, address(this)), 0, "signed nothing");
    }

    /// Whose seats count is fixed when a statement is posted: no later panel takes or dilutes what was earned.
    function test_book__seats_change_before_it__those_of_the_posting_count() external {
        _posted(0, 3);
        vm.warp(vm.getBlockTimestamp() + 1);
        address[] memory seated = new address[](1);
        seated[0] = _attester(2);
        attesters.setPanel(1, seated);
        attesterDesk.refuse(FACILITY, 0, _one(0, 2));
        _bookFinal(0);
        for (uint256 i = 0; i < 3; ++i) {
            assertEq(attesterDesk.dutiesOf(FACILITY, _attester(i)), THIRD, "a third each");
        }
    }

    /// Who joins the panel after the posting is paid nothing for refusing it, and takes nothing from its signers.
    function test_book__new_seats_refuse_what_stands__signers_are_paid() external {
        uint256[] memory late = _inOrder(3, 0x77);
        for (uint256 i = 0; i < 3; ++i) {
            _join(vm.addr(late[i]));
        }
        _posted(0, 3);
        vm.warp(vm.getBlockTimestamp() + 1);
        attesters.setPanel(1, _addressesOf(late));
        for (uint256 i = 0; i < 3; ++i) {
            attesterDesk.refuse(FACILITY, 0, _oneOf(0, late[i]));
        }
        _bookFinal(0);
        assertEq(attesterDesk.dutiesOf(FACILITY, _attester(0)), THIRD, "signed");
        assertEq(attesterDesk.dutiesOf(FACILITY, vm.addr(late[0])), 0, "had no seat then");
    }

    /// A panel that leaves refuses everything; the one that states it in its place is paid.
    function test_book__leaving_panel_refused__the_next_one_is_paid() external {
        uint256[] memory late = _inOrder(3, 0x77);
        vm.warp(WINDOW_START + EPOCH_LENGTH);
        for (uint256 i = 0; i < 3; ++i) {
            _join(vm.addr(late[i]));
            attesterDesk.refuse(FACILITY, 0, _one(0, i));
        }
        attesters.setPanel(1, _addressesOf(late));
        vm.warp(vm.getBlockTimestamp() + 1);
        IStatementRegistry.Statement memory statement = _statement(0, bytes32(0), 0);
        (statement.billedGpuSeconds, statement.grossRevenue) = (0, 0);
        registry.post(statement, _signedBy(registry.statementDigest(statement), late, 3));
        _bookFinal(0);
        for (uint256 i = 0; i < 3; ++i) {
            assertEq(attesterDesk.dutiesOf(FACILITY, vm.addr(late[i])), THIRD, "stated it");
            assertEq(attesterDesk.dutiesOf(FACILITY, _attester(i)), 0, "left it");
        }
    }

    /// What was never stated is booked at the closing: refusals, and signatures that found no second one.
    function test_book__never_stated__at_the_closing_for_its_seats() external {
        vm.warp(WINDOW_START + EPOCH_LENGTH);
        IStatementRegistry.Statement memory statement = _statement(0, keccak256("root"), 3);
        attesterDesk.showSignatures(statement, _shown(statement, 0));
        attesterDesk.refuse(FACILITY, 0, _one(0, 1));
        bytes memory open = abi.encodeWithSelector(IAttesterDesk.StatementNotFinal.selector, FACILITY, uint32(0));
        vm.expectRevert(open);
        attesterDesk.book(FACILITY, 0);
        uint256 end = WINDOW_START + 2 * EPOCH_LENGTH;
        vm.warp(end);
        _ending(end, end);
        // Another panel sits by now: whose seats held when the epoch ended did it.
        address[] memory seated = new address[](1);
        seated[0] = _attester(2);
        attesters.setPanel(1, seated);
        attesterDesk.book(FACILITY, 0);
        assertEq(attesterDesk.dutiesOf(FACILITY, _attester(0)), THIRD, "signed alone");
        assertEq(attesterDesk.dutiesOf(FACILITY, _attester(1)), THIRD, "refused");
        assertEq(attesterDesk.dutiesOf(FACILITY, _attester(2)), 0, "said nothing");
        attesterDesk.book(FACILITY, 2);
        vm.expectRevert(abi.encodeWithSelector(IAttesterDesk.StatementNotDue.selector, FACILITY, uint32(3)));
        attesterDesk.book(FACILITY, 3);
    }

    /// An attester that left and came back into its own slot did what it did.
    function test_book__left_and_came_back__is_paid() external {
        _posted(0, 3);
        address[] memory seated = new address[](1);
        seated[0] = _attester(0);
        vm.warp(vm.getBlockTimestamp() + 1);
        attesters.setPanel(1, seated);
        attesters.setAttester(_attester(2), false);
        vm.warp(vm.getBlockTimestamp() + 1);
        attesters.setAttester(_attester(2), true);
        (uint40 activeFrom,) = attesters.attesterPeriodOf(_attester(2));
        assertEq(activeFrom, vm.getBlockTimestamp(), "a new membership");
        _bookFinal(0);
        assertEq(attesterDesk.dutiesOf(FACILITY, _attester(2)), THIRD, "in its old slot");
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

    function test_book__ninety_days_after_the_closing__too_late() external {
        _posted(0, 2);
        _warpFinal();
        uint64 closedAt = uint64(vm.getBlockTimestamp());
        _ending(closedAt, closedAt);
        vm.warp(closedAt + 90 days);
        vm.expectRevert(abi.encodeWithSelector(IAttesterDesk.DutiesEnded.selector, FACILITY, closedAt + 90 days));
        attesterDesk.book(FACILITY, 0);
        vm.warp(closedAt + 90 days - 1);
        attesterDesk.book(FACILITY, 0);
    }

    function _ending(uint256 endedAt, uint256 closedAt) private {
        // Times of blocks.
        // forge-lint: disable-next-line(unsafe-typecast)
        facilities.setEnding(FACILITY, IEndings.Ending(1, uint40(endedAt), uint40(closedAt), 0));
    }

    function _attester(uint256 which) private view returns (address) {
        return vm.addr(attesterKeys[which]);
    }

    /// @dev Signed and posted by the first of the panel; it says a second too many of its only line.
    function _posted(uint32 epoch, uint256 signers) private returns (IStatementRegistry.Statement memory statement) {
        IStatementRegistry.Line memory line = _line(epoch);
        statement = _statement(epoch, UsageProof.leaf(line), 1);
        (statement.billedGpuSeconds, statement.grossRevenue) = (line.gpuSeconds, line.charge);
        vm.warp(statement.epochEnd);
        registry.post(statement, _signedBy(registry.statementDigest(statement), attesterKeys, signers));
    }

    function _line(uint32 epoch) private pure returns (IStatementRegistry.Line memory line) {
        uint64 start = WINDOW_START + uint64(epoch) * EPOCH_LENGTH;
        (line.facilityId, line.epoch, line.start, line.end) = (FACILITY, epoch, start, start + 60);
        (line.gpuSeconds, line.cumulativeGpuSeconds) = (61, 61);
        (line.charge, line.cumulativeCharge) = (41_500, 41_500);
    }

    function _void(IStatementRegistry.Statement memory statement) private {
        registry.challengeLine(statement, IStatementChallenges.ProvenLine(_line(statement.epoch), new bytes32[](0)));
    }

    function _shown(IStatementRegistry.Statement memory statement, uint256 which)
        private
        view
        returns (ISignerCharges.Signed memory signed)
    {
        signed.attestations = new IAttesterRegistry.Attestation[](1);
        signed.attestations[0] = _sign(statement)[which];
    }

    function _one(uint32 epoch, uint256 which) private view returns (IAttesterDesk.Refusal[] memory refusals) {
        refusals = new IAttesterDesk.Refusal[](1);
        refusals[0] = _refusal(FACILITY, epoch, keccak256("evidence"), attesterKeys[which]);
    }

    function _oneOf(uint32 epoch, uint256 key) private view returns (IAttesterDesk.Refusal[] memory refusals) {
        refusals = new IAttesterDesk.Refusal[](1);
        refusals[0] = _refusal(FACILITY, epoch, keccak256("evidence"), key);
    }

    function _sorted(address a, address b, address c) private pure returns (address[] memory list) {
        list = new address[](3);
        (list[0], list[1], list[2]) = (a, b, c);
        for (uint256 i = 0; i < 3; ++i) {
            for (uint256 j = i + 1; j < 3; ++j) {
                if (list[j] < list[i]) (list[i], list[j]) = (list[j], list[i]);
            }
        }
    }

    function _signAgain(IAttesterDesk.Refusal memory refusal, uint32 epoch, uint256 which) private view {
        refusal.signature = sign(attesterKeys[which], attesterDesk.refusalDigest(FACILITY, epoch, refusal));
    }

    function _notDue(uint32 epoch) private {
        IAttesterDesk.Refusal[] memory refusals = _one(epoch, 1);
        vm.expectRevert(abi.encodeWithSelector(IAttesterDesk.StatementNotDue.selector, FACILITY, epoch));
        attesterDesk.refuse(FACILITY, epoch, refusals);
    }

    function _warpFinal() private {
        vm.warp(vm.getBlockTimestamp() + CHALLENGE_WINDOW);
    }

    function _bookFinal(uint32 epoch) private {
        _warpFinal();
        attesterDesk.book(FACILITY, epoch);
    }
}
