// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IERC1155Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";
import {IERC1155MetadataURI} from "@openzeppelin/contracts/token/ERC1155/extensions/IERC1155MetadataURI.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {InvestorRegistry} from "../../../contracts/access/InvestorRegistry.sol";
import {IERC7943MultiToken} from "../../../contracts/interfaces/IERC7943.sol";
import {IInvestorRegistry} from "../../../contracts/interfaces/IInvestorRegistry.sol";
import {ITrancheToken} from "../../../contracts/interfaces/ITrancheToken.sol";
import {ITimedPause} from "../../../contracts/interfaces/ITimedPause.sol";
import {EscrowMock, HostileReceiver} from "../../../contracts/mocks/Receivers.sol";
import {Vm} from "../Vm.sol";
import {TokenBase} from "./TokenBase.sol";

/// @dev Answers nothing to anything.
contract Mute {
    fallback() external {}
}

/// @title Invariant 7: ineligible or frozen accounts neither receive nor send through any path
contract ComplianceTest is TokenBase {
    EscrowMock private _escrow;

    function setUp() public override {
        super.setUp();
        mint(ann, JUNIOR, 100);
        mint(bob, JUNIOR, 50);
        _escrow = new EscrowMock(token);
        vm.prank(ann);
        token.setApprovalForAll(address(_escrow), true);
    }

    function test_interfaces__erc165__are_announced() public view {
        assertEq(bytes32(type(IERC7943MultiToken).interfaceId), bytes32(bytes4(0x41c4fbad)), "ERC-7943 id");
        assertTrue(token.supportsInterface(0x41c4fbad), "ERC-7943");
        assertTrue(token.supportsInterface(type(IERC1155).interfaceId), "ERC-1155");
        assertTrue(token.supportsInterface(type(IERC1155MetadataURI).interfaceId), "metadata");
        assertTrue(token.supportsInterface(type(IERC165).interfaceId), "ERC-165");
        assertFalse(token.supportsInterface(0xffffffff), "nothing else");
    }

    /// @dev ATTACKS 40, 44: before funding nobody moves units, the enforcer neither; minting and burning go on.
    function test_transfer__before_funding__reverts_on_every_path() public {
        uint64 facility = 9;
        uint256 id = uint256(facility) << 8;
        offerLocked(facility, dollar);
        mint(ann, id, 10);
        bytes memory locked = abi.encodeWithSelector(ITrancheToken.UnitsLocked.selector, id);
        assertFalse(token.canTransfer(ann, bob, id, 1), "view");
        assertFalse(token.canTransfer(ann, bob, id, 0), "nor nothing");
        vm.expectRevert(locked);
        send(ann, bob, id, 1);
        vm.expectRevert(locked);
        vm.prank(ann);
        token.safeBatchTransferFrom(ann, bob, two(JUNIOR, id), two(1, 1), "");
        allow(address(_escrow));
        vm.expectRevert(locked);
        _escrow.trade(ann, bob, id, 1);
        vm.expectRevert(locked);
        vm.prank(enforcer);
        token.forcedTransfer(ann, bob, id, 1);
        vm.expectRevert(abi.encodeWithSelector(ITrancheToken.NotFacilityRegistry.selector, address(this)));
        token.activate(facility, 2);
        facilities.link(address(token), address(sale), address(bonds), address(desk), address(statements));
        sale.setSale(facility, true);
        vm.startPrank(address(sale));
        token.burnForRefund(ann, id, 4);
        token.mint(bob, id, 1);
        vm.stopPrank();

        // One tranche has units, the other never had any.
        facilities.activate(facility);
        assertTrue(token.canTransfer(ann, bob, id, 6), "view");
        send(ann, bob, id, 6);
        assertEq(token.balanceOf(bob, id), 7, "moved");
        assertEq(token.trancheOf(id).streamEnd, START, "since");
        assertEq(token.trancheOf(id | 1).streamEnd, START, "empty, and activated all the same");
        assertEq(token.trancheOf(id | 2).streamEnd, 0, "no tranche");
        assertEq(token.unvested(id), 0, "nothing streams");
    }

    /// @dev ATTACKS 1.
    function test_batch__same_id_twice__cannot_pass_a_freeze() public {
        freeze(ann, JUNIOR, 50);
        vm.expectRevert(_notFree(ann, 50, 0));
        vm.prank(ann);
        token.safeBatchTransferFrom(ann, bob, two(JUNIOR, JUNIOR), two(50, 50), "");

        vm.prank(ann);
        token.safeBatchTransferFrom(ann, bob, two(JUNIOR, JUNIOR), two(25, 25), "");
        assertEq(token.balanceOf(ann, JUNIOR), 50, "the frozen half stays");
    }

    /// @dev ATTACKS 1, 2: to oneself nothing moves, and frozen units do not move even so.
    function test_self_transfer__frozen__agrees_with_can_transfer() public {
        send(ann, ann, JUNIOR, 100);
        assertEq(token.balanceOf(ann, JUNIOR), 100, "nothing moved");
        assertEq(token.totalSupply(JUNIOR), 150, "nothing made");

        freeze(ann, JUNIOR, 1);
        assertFalse(token.canTransfer(ann, ann, JUNIOR, 100), "view");
        vm.expectRevert(_notFree(ann, 100, 99));
        send(ann, ann, JUNIOR, 100);
    }

    /// @dev ATTACKS 16, every side of every path.
    function test_transfer__one_side_ineligible__reverts_on_every_path() public {
        address[3] memory parties = [ann, bob, address(_escrow)];
        allow(address(_escrow));
        for (uint256 i = 0; i < 3; ++i) {
            setInvestor(parties[i], i == 1, i != 1);
            bytes memory reason = i == 1 ? _cannotReceive(bob) : _cannotSend(parties[i]);
            vm.expectRevert(reason);
            _escrow.trade(ann, bob, JUNIOR, 1);
            if (i < 2) {
                vm.expectRevert(reason);
                send(ann, bob, JUNIOR, 1);
                vm.expectRevert(reason);
                vm.prank(ann);
                token.safeBatchTransferFrom(ann, bob, two(JUNIOR, JUNIOR), two(1, 0), "");
                assertFalse(token.canTransfer(ann, bob, JUNIOR, 1), "view");
            }
            allow(parties[i]);
        }
        _escrow.trade(ann, bob, JUNIOR, 1);
        assertEq(token.balanceOf(bob, JUNIOR), 51, "all eligible");
    }

    /// @dev ATTACKS 16: approval is no eligibility, for single and for batch.
    function test_spender__without_an_entry__cannot_move() public {
        vm.expectRevert(_cannotSend(address(_escrow)));
        _escrow.trade(ann, bob, JUNIOR, 1);
        vm.expectRevert(abi.encodeWithSelector(IERC1155Errors.ERC1155MissingApprovalForAll.selector, cleo, ann));
        vm.prank(cleo);
        token.safeTransferFrom(ann, cleo, JUNIOR, 1, "");
    }

    /// @dev ATTACKS 16: an entry that runs out stops at its second, without a call by anybody.
    function test_entry__expired__stops_transfers_at_its_second() public {
        vm.prank(compliance);
        investors.setInvestor(ann, IInvestorRegistry.Investor(START + 100, 1, true, true));
        vm.warp(START + 99);
        send(ann, bob, JUNIOR, 1);
        vm.warp(START + 100);
        assertFalse(token.canSend(ann), "view");
        vm.expectRevert(_cannotSend(ann));
        send(ann, bob, JUNIOR, 1);
    }

    function test_mirror__copied_standings__spare_the_registry() public {
        vm.etch(address(investors), type(Mute).runtimeCode);
        send(ann, bob, JUNIOR, 1);
        assertFalse(token.canSend(ann), "a view of a broken registry does not revert");
        assertFalse(token.canReceive(ann), "nor does this");
        assertFalse(token.canTransfer(ann, bob, JUNIOR, 1), "nor this");
    }

    function test_mirror__only_the_registry_in_use__is_heard() public {
        InvestorRegistry second = new InvestorRegistry(address(authority));
        token.setInvestorRegistry(IInvestorRegistry(address(second)));
        vm.expectRevert(_cannotSend(ann));
        send(ann, bob, JUNIOR, 1);
        // The first registry is not asked any more: what it says counts for nothing, also later.
        allow(ann);
        allow(bob);
        token.mirrorInvestor(ann, type(uint64).max, type(uint64).max);
        vm.expectRevert(_cannotSend(ann));
        send(ann, bob, JUNIOR, 1);
        setInvestor(bob, false, false);
        token.setInvestorRegistry(IInvestorRegistry(address(investors)));
        vm.expectRevert(_cannotReceive(bob));
        send(ann, bob, JUNIOR, 1);
        allow(bob);
        send(ann, bob, JUNIOR, 1);
        investors.resync(ann);
        send(ann, bob, JUNIOR, 1);
    }

    function test_registry__zero__is_no_restriction() public {
        token.setInvestorRegistry(IInvestorRegistry(address(0)));
        assertEq(address(token.investorRegistry()), address(0), "none");
        assertTrue(token.canSend(cleo) && token.canReceive(cleo), "views");
        send(ann, cleo, JUNIOR, 1);
    }

    function test_registry__that_cannot_answer__is_refused() public {
        address mute = address(new Mute());
        vm.expectRevert();
        token.setInvestorRegistry(IInvestorRegistry(mute));
        vm.expectRevert();
        token.setInvestorRegistry(IInvestorRegistry(cleo));
    }

    /// @dev ATTACKS 17: absolute, above the balance, and what comes in later is withheld too.
    function test_freeze__above_the_balance__withholds_what_comes() public {
        freeze(ann, JUNIOR, 120);
        freeze(ann, JUNIOR, 130);
        assertEq(token.getFrozenTokens(ann, JUNIOR), 130, "absolute");
        send(bob, ann, JUNIOR, 40);
        vm.expectRevert(_notFree(ann, 11, 10));
        send(ann, bob, JUNIOR, 11);
        assertTrue(token.canTransfer(ann, bob, JUNIOR, 10), "view");
        assertFalse(token.canTransfer(ann, bob, JUNIOR, 11), "view");
        send(ann, bob, JUNIOR, 10);
        send(ann, bob, JUNIOR, 0);
        freeze(ann, JUNIOR, 0);
        assertEq(token.positionOf(ann, JUNIOR).flags, 0, "flag cleared");
        send(ann, bob, JUNIOR, 130);
    }

    /// @dev ATTACKS 17: not the balance but the rule; the base standard has the error for the balance.
    function test_transfer__above_balance__is_the_base_errors_matter() public {
        freeze(ann, JUNIOR, 50);
        assertTrue(token.canTransfer(bob, ann, JUNIOR, 51), "no rule forbids it");
        bytes4 short = IERC1155Errors.ERC1155InsufficientBalance.selector;
        vm.expectRevert(abi.encodeWithSelector(short, bob, 50, 51, JUNIOR));
        send(bob, ann, JUNIOR, 51);
        vm.expectRevert(abi.encodeWithSelector(short, ann, 100, 101, JUNIOR));
        send(ann, bob, JUNIOR, 101);
        vm.expectRevert(abi.encodeWithSelector(IERC1155Errors.ERC1155InvalidReceiver.selector, address(0)));
        send(ann, address(0), JUNIOR, 1);
        vm.expectRevert(abi.encodeWithSelector(IERC1155Errors.ERC1155InvalidArrayLength.selector, 2, 1));
        vm.prank(ann);
        token.safeBatchTransferFrom(ann, bob, two(JUNIOR, SENIOR), one(1), "");
    }

    /// @dev ATTACKS 17: Frozen, then the transfer, then ForcedTransfer; only the frozen units that are taken thaw.
    function test_forced__frozen_units__lowers_the_frozen_amount_first() public {
        freeze(ann, JUNIOR, 130);
        setInvestor(ann, false, false);
        token.pause();
        vm.recordLogs();
        vm.prank(enforcer);
        assertTrue(token.forcedTransfer(ann, bob, JUNIOR, 30), "answer");
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 3, "three events");
        assertEq(logs[0].topics[0], IERC7943MultiToken.Frozen.selector, "first");
        assertEq(logs[1].topics[0], IERC1155.TransferSingle.selector, "second");
        assertEq(logs[2].topics[0], IERC7943MultiToken.ForcedTransfer.selector, "third");
        assertEq(token.getFrozenTokens(ann, JUNIOR), 100, "as many as were taken");
        assertEq(token.balanceOf(ann, JUNIOR), 70, "taken");
        assertEq(token.balanceOf(bob, JUNIOR), 80, "given");

        freeze(ann, JUNIOR, 20);
        vm.prank(enforcer);
        token.forcedTransfer(ann, bob, JUNIOR, 50);
        assertEq(token.getFrozenTokens(ann, JUNIOR), 20, "free units first");
    }

    /// @dev ATTACKS 2, 16, 17.
    function test_forced__wrong_parties__revert() public {
        freeze(ann, JUNIOR, 100);
        setInvestor(bob, true, false);
        vm.expectRevert(_cannotReceive(bob));
        _force(ann, bob, 1);
        allow(bob);
        bytes4 cannot = IERC7943MultiToken.ERC7943CannotTransfer.selector;
        vm.expectRevert(abi.encodeWithSelector(cannot, ann, ann, JUNIOR, 1));
        _force(ann, ann, 1);
        vm.expectRevert(abi.encodeWithSelector(IERC1155Errors.ERC1155InvalidReceiver.selector, address(0)));
        _force(ann, address(0), 1);
        vm.expectRevert(abi.encodeWithSelector(IERC1155Errors.ERC1155InvalidSender.selector, address(0)));
        _force(address(0), bob, 1);
        bytes4 short = IERC1155Errors.ERC1155InsufficientBalance.selector;
        vm.expectRevert(abi.encodeWithSelector(short, ann, 100, 101, JUNIOR));
        _force(ann, bob, 101);
        assertEq(token.getFrozenTokens(ann, JUNIOR), 100, "still frozen");
        HostileReceiver hostile = new HostileReceiver();
        hostile.set(HostileReceiver.Mode.WrongAnswer);
        allow(address(hostile));
        vm.expectRevert(abi.encodeWithSelector(IERC1155Errors.ERC1155InvalidReceiver.selector, address(hostile)));
        _force(ann, address(hostile), 1);
    }

    /// @dev ATTACKS 4: what the units earned stays with whom they earned it for; the rest is the receiver's.
    function test_forced__revenue__stays_with_the_one_who_earned_it() public {
        accrue(JUNIOR, 150_000_000, 0);
        uint256 earned = token.claimable(ann, JUNIOR);
        freeze(ann, JUNIOR, 100);
        setInvestor(ann, false, false);
        _force(ann, bob, 100);
        assertEq(token.claimable(ann, JUNIOR), earned, "kept");
        vm.prank(ann);
        assertEq(token.claim(one(JUNIOR), cleo), earned, "and claimed, ineligible or not");
    }

    /// @dev ATTACKS 27.
    function test_pause__moves_stop__claims_and_views_go_on() public {
        accrue(JUNIOR, 150_000_000, 0);
        token.pause();
        assertTrue(token.paused(), "view");
        assertFalse(token.canTransfer(ann, bob, JUNIOR, 1), "view");
        assertTrue(token.canSend(ann), "eligibility is another matter");
        bytes memory stopped = abi.encodeWithSelector(ITimedPause.EnforcedPause.selector);
        vm.expectRevert(stopped);
        send(ann, bob, JUNIOR, 1);
        vm.expectRevert(stopped);
        vm.prank(ann);
        token.safeBatchTransferFrom(ann, bob, two(JUNIOR, JUNIOR), two(1, 1), "");
        vm.expectRevert(stopped);
        mint(ann, JUNIOR, 1);
        vm.expectRevert(stopped);
        vm.prank(address(desk));
        token.burnForDelivery(ann, JUNIOR, 1);
        vm.prank(ann);
        assertEq(token.claim(one(JUNIOR), ann), 100_000_000, "claims stay open");
        token.unpause();
        send(ann, bob, JUNIOR, 1);
    }

    /// @dev ATTACKS 26.
    function test_roles__stranger__is_refused() public {
        bytes[8] memory calls = [
            abi.encodeCall(token.forcedTransfer, (ann, cleo, JUNIOR, 1)),
            abi.encodeCall(token.setFrozenTokens, (ann, JUNIOR, 1)),
            abi.encodeCall(token.setRevenueSource, (cleo, true)),
            abi.encodeCall(token.setInvestorRegistry, (IInvestorRegistry(address(0)))),
            abi.encodeCall(token.setMetadata, (metadata)),
            abi.encodeCall(token.pause, ()),
            abi.encodeCall(token.unpause, ()),
            abi.encodeCall(token.setAuthority, (cleo))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            vm.prank(cleo);
            (bool success, bytes memory reason) = address(token).call(calls[i]);
            assertFalse(success, "refused");
            assertTrue(selectorOf(reason) == IAccessManaged.AccessManagedUnauthorized.selector, "by role");
        }
    }

    /// @dev ATTACKS 17: whatever they are asked.
    function testFuzz_views__any_arguments__never_revert(address a, address b, uint256 id, uint256 amount) public view {
        token.canSend(a);
        token.canReceive(b);
        token.canTransfer(a, b, id, amount);
        token.getFrozenTokens(a, id);
    }

    /// @dev A transfer by the holder succeeds exactly if the view and the balance say so.
    function testFuzz_can_transfer__agrees_with_transfer(uint8 rules, uint256 frozen, uint256 units) public {
        setInvestor(ann, rules & 1 == 0, true);
        setInvestor(bob, true, rules & 2 == 0);
        freeze(ann, JUNIOR, bound(frozen, 0, 150));
        if (rules & 4 != 0) token.pause();
        units = bound(units, 0, 120);
        bool expected = token.canTransfer(ann, bob, JUNIOR, units) && units <= 100;
        vm.prank(ann);
        (bool success,) = address(token).call(abi.encodeCall(token.safeTransferFrom, (ann, bob, JUNIOR, units, "")));
        assertTrue(success == expected, "view and transfer agree");
    }

    function _force(address from, address to, uint256 units) private {
        vm.prank(enforcer);
        token.forcedTransfer(from, to, JUNIOR, units);
    }

    function _cannotSend(address account) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IERC7943MultiToken.ERC7943CannotSend.selector, account);
    }

    function _cannotReceive(address account) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IERC7943MultiToken.ERC7943CannotReceive.selector, account);
    }

    function _notFree(address account, uint256 amount, uint256 unfrozen) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            IERC7943MultiToken.ERC7943InsufficientUnfrozenBalance.selector, account, JUNIOR, amount, unfrozen
        );
    }
}
