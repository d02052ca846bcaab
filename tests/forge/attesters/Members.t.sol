// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {AttesterRegistry} from "../../../contracts/attesters/AttesterRegistry.sol";
import {IAttesterRegistry} from "../../../contracts/interfaces/IAttesterRegistry.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IPayouts} from "../../../contracts/interfaces/IPayouts.sol";
import {IWalletDesk} from "../../../contracts/interfaces/IWalletDesk.sol";
import {Setup} from "../statements/Setup.sol";

/// @title Members and panels, when newcomers count before removals take effect
contract MembersTest is Setup {
    uint256 private constant ACCOUNTS = 9;

    function _delays() internal pure virtual override returns (uint32 activation, uint32 removal) {
        return (300, 700);
    }

    /// @notice ATTACKS 19: now and at every later time, whatever is scheduled, a panel has 2k - 1 seats, all of active
    /// members, and needs k signatures; each account that counts has a slot of its own.
    function testFuzz_membership__random_history__panels_are_always_full(uint256 seed) public {
        for (uint256 step = 0; step < 24; ++step) {
            uint256 dice = uint256(keccak256(abi.encode(seed, step)));
            address account = vm.addr(1 + dice % ACCOUNTS);
            uint256 action = (dice >> 16) % 8;
            if (action < 2) vm.warp(block.timestamp + (dice >> 32) % 900);
            else if (action < 4) _try(abi.encodeCall(attesters.setAttester, (account, true)));
            else if (action < 6) _try(abi.encodeCall(attesters.setAttester, (account, false)));
            else _try(abi.encodeCall(attesters.setPanel, (uint8(1 + (dice >> 40) % 3), _some(dice >> 48))));
            _checkFuture();
        }
    }

    function _try(bytes memory data) private {
        (bool done,) = address(attesters).call(data);
        done;
    }

    /// @dev One, three or five accounts in order.
    function _some(uint256 dice) private pure returns (address[] memory seats) {
        return _addressesOf(_inOrder(1 + 2 * (dice % 3), 1 + (dice >> 8) % 5));
    }

    function _checkFuture() private {
        uint256 present = block.timestamp;
        // The longest delay is 700 seconds.
        for (uint256 ahead = 0; ahead <= 1_000; ahead += 50) {
            vm.warp(present + ahead);
            for (uint8 panel = 1; panel <= attesters.panelCount(); ++panel) {
                (address[] memory seats, uint8 threshold) = attesters.panelOf(panel);
                require(seats.length == (threshold == 0 ? 0 : 2 * uint256(threshold) - 1), "2k - 1 seats");
                for (uint256 i = 0; i < seats.length; ++i) {
                    (uint40 from, uint40 until) = attesters.attesterPeriodOf(seats[i]);
                    require(from <= block.timestamp && block.timestamp < until, "an empty seat");
                }
            }
        }
        vm.warp(present);
        for (uint8 slot = 0; attesters.attesterAt(slot) != address(0); ++slot) {
            for (uint8 other = 0; other < slot; ++other) {
                require(attesters.attesterAt(other) != attesters.attesterAt(slot), "one slot each");
            }
        }
    }

    /// @notice Finding F29: one signature and a posting with it in one block.
    function test_setPanel__fewer_seats__waits_as_long_as_a_new_member() public {
        uint256 from = block.timestamp + attesters.activationDelay();
        address[] memory one = _addressesOf(_inOrder(1, 1));
        vm.expectEmit(true, true, true, true, address(attesters));
        // A time of this century.
        // forge-lint: disable-next-line(unsafe-typecast)
        emit IAttesterRegistry.PanelSet(1, one, 1, uint40(from));
        attesters.setPanel(1, one);
        vm.warp(from - 1);
        (, uint8 threshold) = attesters.panelOf(1);
        assertEq(threshold, 2, "not yet");
        vm.warp(from);
        (, threshold) = attesters.panelOf(1);
        assertEq(threshold, 1, "now");
    }

    /// @notice A later change takes the place of one that waits; until then the old seats hold.
    function test_setPanel__while_one_waits__replaces_it() public {
        uint256 delay = attesters.activationDelay();
        attesters.setPanel(1, _addressesOf(_inOrder(1, 1)));
        vm.warp(block.timestamp + delay - 1);
        attesters.setPanel(1, _addressesOf(_inOrder(1, 2)));
        vm.warp(block.timestamp + delay - 1);
        (address[] memory seats,) = attesters.panelOf(1);
        assertEq(seats.length, 3, "the first never came");
        vm.warp(block.timestamp + 1);
        (seats,) = attesters.panelOf(1);
        assertEq(seats[0], vm.addr(2), "the second did");
    }

    /// @notice Rule 14: also after an attester leaves no panel has an empty seat.
    function test_setAttester__seated__gives_the_seat_first_and_stays_until_then() public {
        address leaving = vm.addr(attesterKeys[0]);
        (uint256 activation, uint256 removal) = (attesters.activationDelay(), attesters.removalDelay());
        vm.expectRevert(abi.encodeWithSelector(IAttesterRegistry.AttesterSeated.selector, leaving, uint8(1)));
        attesters.setAttester(leaving, false);
        _join(vm.addr(7));
        vm.warp(block.timestamp + activation);
        address[] memory next = _withSeven();
        uint256 decided = block.timestamp;
        attesters.setPanel(1, next);
        attesters.setAttester(leaving, false);
        (, uint40 until) = attesters.attesterPeriodOf(leaving);
        assertEq(until, decided + (removal > activation ? removal : activation), "not before its seat is another's");
        // Decided anew a second before, the new seats would hold only after it left.
        vm.warp(decided + activation - 1);
        bool stays = until >= block.timestamp + activation;
        if (!stays) vm.expectRevert(abi.encodeWithSelector(IAttesterRegistry.AttesterLeaves.selector, leaving, until));
        attesters.setPanel(1, next);
        if (stays) return;
        // Whoever decides anew keeps it until then.
        attesters.setAttester(leaving, true);
        attesters.setPanel(1, next);
    }

    /// @dev The first seat goes to key 7.
    function _withSeven() private view returns (address[] memory seats) {
        uint256[] memory keys = new uint256[](3);
        (keys[0], keys[1], keys[2]) = (7, attesterKeys[1], attesterKeys[2]);
        for (uint256 i = 1; i < 3 && vm.addr(keys[i]) < vm.addr(keys[i - 1]); ++i) {
            (keys[i], keys[i - 1]) = (keys[i - 1], keys[i]);
        }
        return _addressesOf(keys);
    }

    function test_changes__that_break_the_rules__revert() public {
        vm.expectRevert(abi.encodeWithSelector(IAttesterRegistry.NotAttester.selector, address(0)));
        attesters.setAttester(address(0), true);
        address member = vm.addr(attesterKeys[0]);
        vm.expectRevert(abi.encodeWithSelector(IAttesterRegistry.AlreadyAttester.selector, member));
        attesters.setAttester(member, true);
        address stranger = vm.addr(99);
        vm.expectRevert(abi.encodeWithSelector(IAttesterRegistry.NotAttester.selector, stranger));
        attesters.setAttester(stranger, false);
        vm.expectRevert(abi.encodeWithSelector(IAttesterRegistry.NotAttester.selector, stranger));
        vm.prank(stranger);
        attesters.setUrl("https://example.org");
        address[] memory seats = new address[](2);
        vm.expectRevert(abi.encodeWithSelector(IAttesterRegistry.SeatsNotOdd.selector, 2));
        attesters.setPanel(1, seats);
        vm.expectRevert(abi.encodeWithSelector(IAttesterRegistry.SeatsNotOdd.selector, 0));
        attesters.setPanel(1, new address[](0));
        seats = _addressesOf(attesterKeys);
        (seats[0], seats[1]) = (seats[1], seats[0]);
        vm.expectRevert(abi.encodeWithSelector(IAttesterRegistry.AttestersNotAscending.selector, seats[0], seats[1]));
        attesters.setPanel(1, seats);
        seats = new address[](1);
        seats[0] = stranger;
        vm.expectRevert(abi.encodeWithSelector(IAttesterRegistry.NotAttester.selector, stranger));
        attesters.setPanel(1, seats);
        vm.expectRevert(abi.encodeWithSelector(IAttesterRegistry.PanelUnknown.selector, uint8(3), uint8(1)));
        attesters.setPanel(3, seats);
        vm.expectRevert(abi.encodeWithSelector(IAttesterRegistry.PanelUnknown.selector, uint8(0), uint8(1)));
        attesters.setPanel(0, seats);
        vm.expectRevert(abi.encodeWithSelector(IAttesterRegistry.PanelUnknown.selector, uint8(2), uint8(1)));
        attesters.setOfferPanel(2);
    }

    /// @notice A new panel waits, too: nobody offers with seats that nobody saw coming.
    function test_setOfferPanel__seats_that_wait__reverts() public {
        attesters.setPanel(2, _addressesOf(_inOrder(1, 1)));
        // forge-lint: disable-next-line(unsafe-typecast)
        uint40 from = uint40(block.timestamp + attesters.activationDelay());
        vm.expectRevert(abi.encodeWithSelector(IAttesterRegistry.PanelNotInForce.selector, uint8(2), from));
        attesters.setOfferPanel(2);
        vm.warp(from);
        attesters.setOfferPanel(2);
        assertEq(attesters.offerPanel(), 2, "offers get it");
    }

    /// @notice Finding M11: forty at a time, not in the life of the contract; a slot waits until nobody is charged
    /// through it.
    function test_slots__all_taken__free_a_challenge_window_after_one_left() public {
        for (uint256 i = 3; i < 40; ++i) {
            attesters.setAttester(vm.addr(1_000 + i), true);
        }
        address late = vm.addr(2_000);
        bytes memory full = abi.encodeWithSelector(IAttesterRegistry.AttesterSlotsFull.selector, 40);
        vm.expectRevert(full);
        attesters.setAttester(late, true);
        address left = vm.addr(1_005);
        _bondAttester(left, 77);
        attesters.setAttester(left, false);
        (, uint40 until) = attesters.attesterPeriodOf(left);
        vm.warp(until + CHALLENGE_WINDOW - 1);
        vm.expectRevert(full);
        attesters.setAttester(late, true);
        vm.warp(until + CHALLENGE_WINDOW);
        attesters.setAttester(late, true);
        assertEq(attesters.attesterAt(5), late, "its slot");
        assertEq(attesters.liableUntil(left), 0, "nothing can be charged");
        vm.prank(left);
        assertEq(attesters.withdrawBond(left), 77, "its bond stays its own");
    }

    function test_setUrl__member__is_kept() public {
        address member = vm.addr(attesterKeys[0]);
        vm.expectEmit(true, true, true, true, address(attesters));
        emit IAttesterRegistry.AttesterUrlSet(member, "https://a.example");
        vm.prank(member);
        attesters.setUrl("https://a.example");
        assertEq(keccak256(bytes(attesters.urlOf(member))), keccak256("https://a.example"), "url");
    }
}

/// @title The same when removals take effect before the newcomers count
contract MembersQuickRemovalTest is MembersTest {
    function _delays() internal pure override returns (uint32 activation, uint32 removal) {
        return (700, 150);
    }
}

/// @title Whose signatures count
contract QuorumTest is Setup {
    bytes32 private constant DIGEST = keccak256("digest");

    function test_quorum__of_another_panel_or_without_a_bond__reverts() public {
        attesters.setPanel(2, _addressesOf(_inOrder(1, 1)));
        IAttesterRegistry.Attestation[] memory signed = _signed(DIGEST);
        address other = signed[0].attester == vm.addr(1) ? signed[1].attester : signed[0].attester;
        vm.expectRevert(abi.encodeWithSelector(IAttesterRegistry.NotOnPanel.selector, other, uint8(2)));
        attesters.checkQuorum(2, DIGEST, signed);
        vm.expectRevert(abi.encodeWithSelector(IAttesterRegistry.QuorumMissing.selector, 2, 0));
        attesters.checkQuorum(3, DIGEST, signed);
        attesters.checkQuorum(1, DIGEST, signed);
        address poor = vm.addr(9);
        attesters.setAttester(poor, true);
        address[] memory one = new address[](1);
        one[0] = poor;
        attesters.setPanel(1, one);
        uint256[] memory keys = new uint256[](1);
        keys[0] = 9;
        signed = _signedBy(DIGEST, keys, 1);
        _bondAttester(poor, SLASH - 1);
        vm.expectRevert(
            abi.encodeWithSelector(IAttesterRegistry.BondBelowMinimum.selector, poor, SLASH - 1, uint256(SLASH))
        );
        attesters.checkQuorum(1, DIGEST, signed);
        assertFalse(attesters.isAttester(poor), "not yet");
        _bondAttester(poor, 1);
        attesters.checkQuorum(1, DIGEST, signed);
        assertTrue(attesters.isAttester(poor), "now");
        assertEq(attesters.attesterCount(), 4, "four");
    }

    function test_bonds__wrong_terms_callers_or_amounts__revert() public {
        address coin = address(attesters.bondToken());
        address authority = attesters.authority();
        IFacilityRegistry register = attesters.facilityRegistry();
        for (uint96 slash = 0; slash < 3; slash += 2) {
            vm.expectRevert(abi.encodeWithSelector(IAttesterRegistry.BondTermsInvalid.selector, 1, slash));
            new AttesterRegistry(authority, register, IERC20(coin), 1, slash, 0, 0, IWalletDesk(address(0)));
        }
        vm.expectRevert(abi.encodeWithSelector(IPayouts.AmountZero.selector));
        attesters.depositBond(address(this), 0);
        vm.expectRevert(abi.encodeWithSelector(IAttesterRegistry.NotStatementRegistry.selector, address(this)));
        attesters.slash(FACILITY, DIGEST, new address[](0), address(this));
        vm.expectRevert(abi.encodeWithSelector(IPayouts.NothingOwed.selector, coin, address(this)));
        attesters.takeSlashed(address(1));
        vm.expectRevert(abi.encodeWithSelector(IPayouts.RecipientInvalid.selector, address(0)));
        attesters.takeSlashed(address(0));
        vm.expectRevert(abi.encodeWithSelector(IPayouts.NothingOwed.selector, coin, address(this)));
        attesters.withdrawBond(address(1));
    }

    /// @notice ATTACKS 24: half to the challenger, the rest to the treasury; a spent bond gives what is left.
    function test_slash__spent_bond__gives_what_is_left_and_once() public {
        address[] memory guilty = new address[](2);
        (guilty[0], guilty[1]) = (vm.addr(attesterKeys[0]), vm.addr(attesterKeys[1]));
        vm.startPrank(address(registry));
        for (uint256 i = 0; i < 6; ++i) {
            // Five faults are in a bond.
            assertEq(attesters.slash(FACILITY, bytes32(i), guilty, address(0xC)), 2, "charged");
        }
        assertEq(attesters.slash(FACILITY, bytes32(0), guilty, address(0xC)), 0, "once for a statement");
        vm.stopPrank();
        assertEq(attesters.bondOf(guilty[0]), 0, "spent");
        assertEq(attesters.owedTo(address(attesters.bondToken()), address(0xC)), 5 * SLASH, "half of ten");
        assertEq(attesters.slashedForTreasury(), 5 * SLASH, "the rest");
        assertEq(attesters.takeSlashed(address(0xD)), 5 * SLASH, "taken");
    }
}
