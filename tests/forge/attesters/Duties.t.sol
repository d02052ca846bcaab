// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttesterDesk} from "../../../contracts/interfaces/IAttesterDesk.sol";
import {IStatementRegistry} from "../../../contracts/interfaces/IStatementRegistry.sol";
import {DutyBase} from "./DutyBase.sol";

/// @title A seat's duty for a statement is booked once, by signature or refusal, whatever others did (docs/DEAL.md)
contract DutiesTest is DutyBase {
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
}
