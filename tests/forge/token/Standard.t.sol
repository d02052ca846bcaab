// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1155Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";
import {IERC1155MetadataURI} from "@openzeppelin/contracts/token/ERC1155/extensions/IERC1155MetadataURI.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {IERC7943MultiToken} from "../../../contracts/interfaces/IERC7943.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {ITrancheToken} from "../../../contracts/interfaces/ITrancheToken.sol";
import {TokenBase} from "./TokenBase.sol";

/// @title What every ERC-1155 does, at our token: the cases of OpenZeppelin's own suite
/// @notice | OpenZeppelin's case | here, or where it was before |
/// |---|---|
/// | balanceOf, balanceOfBatch: nothing held, zero account, in order, repeated, lengths | `test_balance_of*` |
/// | setApprovalForAll: set, told, ended, zero | `test_set_approval_for_all*` |
/// | safeTransferFrom: by the holder, by a spender; debit, credit, the rest, event | `test_transfer__*` |
/// | safeTransferFrom: above balance, to zero | `ComplianceTest`, `test_transfer__above_balance__*` |
/// | both: not approved, from zero | `test_*_not_approved__*`, `test_forced__from_zero__*` |
/// | safeBatchTransferFrom: the same, and lengths | `test_batch__*` |
/// | receiver: with data and without; each hook of its own | `ReceiversTest`, accepts |
/// | receiver: wrong value, message, nothing, error, panic, no such function | `ReceiversTest`, refuses |
/// | ERC-165 within 30,000 gas | `test_interfaces__within_30000_gas*` (and `ComplianceTest`) |
/// | mint, burn: event, amounts, zero account, more than there is, no such id | `test_mint__*`, `test_burn__*` |
/// | acceptance at a mint | `ReceiversTest` |
/// | URI | `SupplyTest`, `test_uri*` |
///
/// Ours by design: the operator of an offer or its sale mints, each burn has its reason, and both do one id at a time,
/// so there is no `mintBatch` and no `burnBatch`; whoever takes part is on the allow-list (`ComplianceTest`).
contract StandardTest is TokenBase {
    uint256 private constant NO_TRANCHE = SENIOR | 9;
    bytes private constant DATA = hex"f00dd00d";

    function setUp() public override {
        super.setUp();
        mint(ann, SENIOR, 1_000);
        mint(ann, JUNIOR, 2_000);
        mint(bob, JUNIOR, 500);
        // Cleo is a spender here, and nothing but eligible.
        allow(cleo);
    }

    // --- balances ------------------------------------------------------------------------------

    function test_balance_of__nothing_held__is_zero() public view {
        assertEq(token.balanceOf(cleo, SENIOR), 0, "no units");
        assertEq(token.balanceOf(ann, NO_TRANCHE), 0, "no such tranche");
        assertEq(token.balanceOf(address(0), SENIOR), 0, "the zero account asks for no revert");
        assertEq(token.balanceOf(ann, SENIOR), 1_000, "held");
    }

    function test_balance_of_batch__any_order__answers_in_it() public view {
        uint256[] memory found =
            token.balanceOfBatch(_accounts(bob, ann, address(0), ann), _four(JUNIOR, SENIOR, SENIOR, SENIOR));
        assertEq(found.length, 4, "as many as asked");
        assertEq(found[0], 500, "bob's");
        assertEq(found[1], 1_000, "ann's");
        assertEq(found[2], 0, "nobody's");
        assertEq(found[3], 1_000, "ann's again");
    }

    function test_balance_of_batch__lengths_differ__reverts() public {
        vm.expectRevert(_lengths(3, 4));
        token.balanceOfBatch(_accounts(ann, bob, ann, bob), new uint256[](3));
        vm.expectRevert(_lengths(5, 4));
        token.balanceOfBatch(_accounts(ann, bob, ann, bob), new uint256[](5));
    }

    // --- approval ------------------------------------------------------------------------------

    function test_set_approval_for_all__set_and_ended__is_told_and_answered() public {
        assertFalse(token.isApprovedForAll(ann, cleo), "not before");
        for (uint256 i = 0; i < 2; ++i) {
            bool approved = i == 0;
            vm.expectEmit(true, true, false, true, address(token));
            emit IERC1155.ApprovalForAll(ann, cleo, approved);
            vm.prank(ann);
            token.setApprovalForAll(cleo, approved);
            assertTrue(token.isApprovedForAll(ann, cleo) == approved, "as said");
        }
        assertFalse(token.isApprovedForAll(cleo, ann), "one way");
    }

    function test_set_approval_for_all__zero_spender__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IERC1155Errors.ERC1155InvalidOperator.selector, address(0)));
        vm.prank(ann);
        token.setApprovalForAll(address(0), true);
    }

    // --- one id --------------------------------------------------------------------------------

    function test_transfer__by_the_holder__moves_units_of_this_id_alone() public {
        _expectSingle(ann, ann, bob, JUNIOR, 2_000);
        send(ann, bob, JUNIOR, 2_000);
        assertEq(token.balanceOf(ann, JUNIOR), 0, "debited");
        assertEq(token.balanceOf(bob, JUNIOR), 2_500, "credited");
        assertEq(token.balanceOf(ann, SENIOR), 1_000, "the other id stays");
        assertEq(token.balanceOf(bob, SENIOR), 0, "and does not come");
    }

    function test_transfer__by_a_spender__is_told_as_its_and_costs_it_nothing() public {
        _approve(ann, cleo);
        _expectSingle(cleo, ann, bob, SENIOR, 1_000);
        vm.prank(cleo);
        token.safeTransferFrom(ann, bob, SENIOR, 1_000, DATA);
        assertEq(token.balanceOf(ann, SENIOR), 0, "debited");
        assertEq(token.balanceOf(bob, SENIOR), 1_000, "credited");
        assertEq(token.balanceOf(cleo, SENIOR), 0, "not the spender's");
    }

    /// @dev Nobody can be approved by the zero account, so that units come from it by a mint alone.
    function test_transfer__not_approved__reverts_for_one_and_for_many() public {
        address[2] memory holders = [ann, address(0)];
        for (uint256 i = 0; i < 2; ++i) {
            bytes memory missing =
                abi.encodeWithSelector(IERC1155Errors.ERC1155MissingApprovalForAll.selector, cleo, holders[i]);
            vm.expectRevert(missing);
            vm.prank(cleo);
            token.safeTransferFrom(holders[i], bob, SENIOR, 1, "");
            vm.expectRevert(missing);
            vm.prank(cleo);
            token.safeBatchTransferFrom(holders[i], bob, two(SENIOR, JUNIOR), two(1, 1), "");
        }
    }

    /// @dev The one way by which somebody else's units move without approval asks for a sender, too.
    function test_forced__from_zero__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IERC1155Errors.ERC1155InvalidSender.selector, address(0)));
        vm.prank(enforcer);
        token.forcedTransfer(address(0), bob, SENIOR, 1);
    }

    // --- many ids ------------------------------------------------------------------------------

    function test_batch__by_holder_or_spender__moves_all_and_tells_once() public {
        _approve(ann, cleo);
        address[2] memory callers = [ann, cleo];
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectEmit(true, true, true, true, address(token));
            emit IERC1155.TransferBatch(callers[i], ann, bob, two(SENIOR, JUNIOR), two(500, 1_000));
            vm.prank(callers[i]);
            token.safeBatchTransferFrom(ann, bob, two(SENIOR, JUNIOR), two(500, 1_000), "");
        }
        assertEq(token.balanceOf(ann, SENIOR) + token.balanceOf(ann, JUNIOR), 0, "debited");
        assertEq(token.balanceOf(bob, SENIOR), 1_000, "credited");
        assertEq(token.balanceOf(bob, JUNIOR), 2_500, "both");
        assertEq(token.balanceOf(cleo, SENIOR) + token.balanceOf(cleo, JUNIOR), 0, "not the spender's");
    }

    function test_batch__one_entry_above_balance__moves_none() public {
        vm.expectRevert(
            abi.encodeWithSelector(IERC1155Errors.ERC1155InsufficientBalance.selector, ann, 2_000, 2_001, JUNIOR)
        );
        vm.prank(ann);
        token.safeBatchTransferFrom(ann, bob, two(SENIOR, JUNIOR), two(1, 2_001), "");
        assertEq(token.balanceOf(ann, SENIOR), 1_000, "the good entry neither");
    }

    function test_batch__lengths_differ_or_to_zero__reverts() public {
        vm.expectRevert(_lengths(1, 2));
        vm.prank(ann);
        token.safeBatchTransferFrom(ann, bob, one(SENIOR), two(1, 1), "");
        vm.expectRevert(_lengths(2, 1));
        vm.prank(ann);
        token.safeBatchTransferFrom(ann, bob, two(SENIOR, JUNIOR), one(1), "");
        vm.expectRevert(_refusal(address(0)));
        vm.prank(ann);
        token.safeBatchTransferFrom(ann, address(0), two(SENIOR, JUNIOR), two(1, 1), "");
    }

    // --- ERC-165 -------------------------------------------------------------------------------

    /// @dev ERC-165 allows an answer 30,000 gas.
    function test_interfaces__within_30000_gas__are_answered() public view {
        bytes4[5] memory ids = [
            type(IERC165).interfaceId,
            type(IERC1155).interfaceId,
            type(IERC1155MetadataURI).interfaceId,
            type(IERC7943MultiToken).interfaceId,
            bytes4(0xffffffff)
        ];
        for (uint256 i = 0; i < 5; ++i) {
            (bool success, bytes memory answer) =
                address(token).staticcall{gas: 30_000}(abi.encodeCall(IERC165.supportsInterface, (ids[i])));
            assertTrue(success && answer.length == 32, "answered");
            assertTrue(abi.decode(answer, (bool)) == (i < 4), "as announced");
        }
    }

    // --- mint and burn -------------------------------------------------------------------------

    /// @dev No public mint: the operator of an offer or its sale, one id at a time.
    function test_mint__by_the_operator__is_told_as_a_transfer_from_zero() public {
        _expectSingle(gpuOperator, address(0), bob, SENIOR, 30);
        mint(bob, SENIOR, 30);
        assertEq(token.balanceOf(bob, SENIOR), 30, "credited");
        vm.expectRevert(_refusal(address(0)));
        mint(address(0), SENIOR, 1);
    }

    /// @dev The holder burns what expired, the sale what it pays back, the desk what is delivered: the event's
    /// operator is who called.
    function test_burn__by_each_way__is_told_as_a_transfer_to_zero() public {
        facilities.link(address(token), address(sale), address(bonds), address(desk), address(statements));
        setState(IFacilityRegistry.FacilityState.Cancelled);
        _expectSingle(ann, ann, address(0), JUNIOR, 30);
        vm.prank(ann);
        token.burnExpired(JUNIOR, 30);
        _expectSingle(address(sale), ann, address(0), JUNIOR, 40);
        vm.prank(address(sale));
        token.burnForRefund(ann, JUNIOR, 40);
        setState(IFacilityRegistry.FacilityState.Funded);
        _expectSingle(address(desk), ann, address(0), JUNIOR, 50);
        _takeDelivery(desk, ann, JUNIOR, 50, "lease");
        assertEq(token.balanceOf(ann, JUNIOR), 2_000 - 120, "debited");
        assertEq(token.totalSupply(JUNIOR), 2_500 - 120, "gone");
        assertEq(token.balanceOf(address(0), JUNIOR), 0, "the zero account gets nothing");
    }

    /// @dev The zero account holds nothing, so that there is no error of its own; of what is no tranche nothing expires.
    function test_burn__more_than_held_or_of_nobody__reverts() public {
        setState(IFacilityRegistry.FacilityState.Cancelled);
        _expectShort(ann, 1_000, 1_001);
        vm.prank(ann);
        token.burnExpired(SENIOR, 1_001);
        vm.expectRevert(abi.encodeWithSelector(ITrancheToken.UnitsNotExpired.selector, uint256(99) << 8));
        vm.prank(ann);
        token.burnExpired(uint256(99) << 8, 1);
        facilities.link(address(token), address(sale), address(bonds), address(desk), address(statements));
        vm.startPrank(address(sale));
        _expectShort(ann, 1_000, 1_001);
        token.burnForRefund(ann, SENIOR, 1_001);
        _expectShort(address(0), 0, 1);
        token.burnForRefund(address(0), SENIOR, 1);
        vm.stopPrank();
    }

    // --- what is expected ----------------------------------------------------------------------

    function _expectSingle(address operator, address from, address to, uint256 id, uint256 value) private {
        vm.expectEmit(true, true, true, true, address(token));
        emit IERC1155.TransferSingle(operator, from, to, id, value);
    }

    function _expectShort(address holder, uint256 held, uint256 wanted) private {
        bytes4 short = IERC1155Errors.ERC1155InsufficientBalance.selector;
        vm.expectRevert(abi.encodeWithSelector(short, holder, held, wanted, SENIOR));
    }

    function _refusal(address receiver) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IERC1155Errors.ERC1155InvalidReceiver.selector, receiver);
    }

    function _lengths(uint256 ids, uint256 values) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IERC1155Errors.ERC1155InvalidArrayLength.selector, ids, values);
    }

    function _approve(address holder, address spender) private {
        vm.prank(holder);
        token.setApprovalForAll(spender, true);
    }

    function _accounts(address a, address b, address c, address d) private pure returns (address[] memory list) {
        list = new address[](4);
        (list[0], list[1], list[2], list[3]) = (a, b, c, d);
    }

    function _four(uint256 a, uint256 b, uint256 c, uint256 d) private pure returns (uint256[] memory list) {
        list = new uint256[](4);
        (list[0], list[1], list[2], list[3]) = (a, b, c, d);
    }
}
