// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1155Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {ITrancheToken} from "../../../contracts/interfaces/ITrancheToken.sol";
import {IWalletDesk} from "../../../contracts/interfaces/IWalletDesk.sol";
import {IWalletProposals} from "../../../contracts/interfaces/IWalletProposals.sol";
import {EscrowMock, HostileReceiver, WalletMock} from "../../../contracts/mocks/Receivers.sol";
import {HostileDollar, RevenueBase} from "./RevenueBase.sol";

/// @dev The delegate of an EIP-7702 account that knows neither ERC-1271 nor ERC-1155.
contract Delegate {}

/// @title Revenue: claims by call and by signature, contracts that hold units
contract RevenueTest is RevenueBase {
    bytes32 private constant CLAIM_TYPEHASH =
        keccak256("Claim(address holder,uint256[] ids,address to,uint256 nonce,uint256 deadline)");

    function test_claim__ids_of_two_tokens__pays_each_in_its_own() public {
        accrue(SENIOR, 1_000, 0);
        accrue(OTHER, 500, 0);
        accrue(JUNIOR, 4_000, 0);
        uint256[] memory ids = new uint256[](4);
        (ids[0], ids[1], ids[2], ids[3]) = (SENIOR, OTHER, JUNIOR, JUNIOR);
        vm.prank(ann);
        assertEq(token.claim(ids, cleo), 4_500, "repeated ids pay once");
        assertEq(dollar.balanceOf(cleo), 4_000, "dollars");
        assertEq(_hostile.balanceOf(cleo), 500, "others");
        vm.prank(ann);
        assertEq(token.claim(ids, cleo), 0, "nothing twice");
        vm.prank(ann);
        assertEq(token.claim(one(JUNIOR), cleo), 0, "nothing twice, one id");
        assertEq(token.settlementTokenOf(G), address(_hostile), "view");
        assertEq(token.settlementTokenOf(99), address(0), "no units yet");
    }

    /// @dev ATTACKS 11: the failure of one settlement token stays with its facility, and loses nothing.
    function test_claim__one_token_blocked__others_pay_apart() public {
        accrue(SENIOR, 1_000, 0);
        accrue(OTHER, 500, 0);
        _hostile.setBlocked(true);
        vm.expectRevert(abi.encodeWithSelector(HostileDollar.Blocked.selector));
        vm.prank(ann);
        token.claim(two(SENIOR, OTHER), ann);
        vm.prank(ann);
        assertEq(token.claim(one(SENIOR), ann), 1_000, "apart");
        _hostile.setBlocked(false);
        vm.prank(ann);
        assertEq(token.claim(one(OTHER), ann), 500, "later");
    }

    /// @dev ATTACKS 5, 11: a settlement token that calls back can neither claim nor accrue.
    function test_claim__token_calls_back__cannot_enter() public {
        accrue(OTHER, 500, 0);
        _hostile.setCall(address(token), abi.encodeCall(token.claim, (one(OTHER), ann)));
        vm.prank(ann);
        token.claim(one(OTHER), ann);
        assertFalse(_hostile.callSucceeded(), "guarded");
        _hostile.setCall(address(token), abi.encodeCall(token.accrue, (accruals(OTHER, 1, 0))));
        accrue(OTHER, 500, 0);
        assertFalse(_hostile.callSucceeded(), "guarded");
    }

    /// @dev ATTACKS 45: nor to the token itself, where it would be nobody's.
    function test_claim__recipient_invalid__reverts() public {
        accrue(JUNIOR, 4_000, 0);
        address[2] memory wrong = [address(0), address(token)];
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(abi.encodeWithSelector(ITrancheToken.RecipientInvalid.selector, wrong[i]));
            vm.prank(ann);
            token.claim(one(JUNIOR), wrong[i]);
        }
        assertEq(token.claimable(ann, JUNIOR), 3_000, "all there");
    }

    /// @dev ATTACKS 3.
    function test_claim__transfer_then_claim_again__pays_once() public {
        accrue(JUNIOR, 4_000, 0);
        vm.prank(ann);
        token.claim(one(JUNIOR), ann);
        send(ann, bob, JUNIOR, 300);
        assertEq(token.claimable(bob, JUNIOR), 1_000, "bob has his own");
        assertEq(token.claimable(ann, JUNIOR), 0, "ann has nothing more");
    }

    /// @dev ATTACKS 14, 17: claims never depend on eligibility, freeze or pause.
    function test_claim__frozen_and_ineligible__still_pays() public {
        accrue(JUNIOR, 4_000, 0);
        freeze(ann, JUNIOR, 300);
        setInvestor(ann, false, false);
        token.pause();
        vm.prank(ann);
        assertEq(token.claim(one(JUNIOR), cleo), 3_000, "earned");
    }

    function test_claim_by_sig__good__pays_where_the_holder_said() public {
        accrue(JUNIOR, 4_000, 0);
        bytes memory signature = _signed(ANN_KEY, ann, one(JUNIOR), cleo, 0, START);
        vm.prank(bob);
        assertEq(wallets.claimBySig(ann, one(JUNIOR), cleo, START, signature), 3_000, "paid");
        assertEq(dollar.balanceOf(cleo), 3_000, "to cleo");
        assertEq(wallets.nonces(ann), 1, "nonce used");
        // ATTACKS 18: not a second time.
        vm.expectRevert(_badSignature(ann));
        wallets.claimBySig(ann, one(JUNIOR), cleo, START, signature);
    }

    /// @dev ATTACKS 14, 18: nothing of what was signed can be changed.
    function test_claim_by_sig__anything_else_than_signed__reverts() public {
        bytes memory signature = _signed(ANN_KEY, ann, one(JUNIOR), cleo, 0, START);
        vm.expectRevert(_badSignature(ann));
        wallets.claimBySig(ann, one(JUNIOR), bob, START, signature);
        vm.expectRevert(_badSignature(ann));
        wallets.claimBySig(ann, one(SENIOR), cleo, START, signature);
        vm.expectRevert(_badSignature(ann));
        wallets.claimBySig(ann, two(JUNIOR, SENIOR), cleo, START, signature);
        vm.expectRevert(_badSignature(ann));
        wallets.claimBySig(ann, one(JUNIOR), cleo, START + 1, signature);
        vm.expectRevert(_badSignature(bob));
        wallets.claimBySig(bob, one(JUNIOR), cleo, START, signature);
        vm.expectRevert(_badSignature(ann));
        wallets.claimBySig(ann, one(JUNIOR), cleo, START, "");
        vm.chainId(999);
        vm.expectRevert(_badSignature(ann));
        wallets.claimBySig(ann, one(JUNIOR), cleo, START, signature);
        vm.chainId(31_337);
        vm.warp(START + 1);
        vm.expectRevert(abi.encodeWithSelector(IWalletDesk.DeadlinePassed.selector, START, START + 1));
        wallets.claimBySig(ann, one(JUNIOR), cleo, START, signature);
    }

    /// @dev TOOLCHAIN, EIP-7702: code that knows no ERC-1271 does not make the key's signature worthless.
    function test_claim_by_sig__delegated_account__signs_with_its_key() public {
        accrue(JUNIOR, 4_000, 0);
        vm.etch(ann, type(Delegate).runtimeCode);
        bytes memory signature = _signed(ANN_KEY, ann, one(JUNIOR), cleo, 0, START);
        assertEq(wallets.claimBySig(ann, one(JUNIOR), cleo, START, signature), 3_000, "paid");
    }

    function test_wallet__two_owners__hold_and_claim_by_signature() public {
        WalletMock wallet = new WalletMock(ann, bob);
        allow(address(wallet));
        send(ann, address(wallet), JUNIOR, 200);
        accrue(JUNIOR, 4_000, 0);
        bytes32 digest = _digest(address(wallet), one(JUNIOR), cleo, 0, START);
        vm.expectRevert(_badSignature(address(wallet)));
        wallets.claimBySig(address(wallet), one(JUNIOR), cleo, START, sign(ANN_KEY, digest));
        bytes memory both = bytes.concat(sign(ANN_KEY, digest), sign(BOB_KEY, digest));
        assertEq(wallets.claimBySig(address(wallet), one(JUNIOR), cleo, START, both), 2_000, "paid");

        vm.prank(ann);
        wallet.execute(address(token), abi.encodeCall(token.safeTransferFrom, (address(wallet), bob, JUNIOR, 200, "")));
        assertEq(token.balanceOf(bob, JUNIOR), 300, "moves them too");
    }

    /// @dev ATTACKS 15: what accrues to units in an escrow is the escrow's; only it can claim, once, exactly.
    function test_escrow__holds_units__earns_for_its_time_and_claims() public {
        EscrowMock escrow = new EscrowMock(token);
        allow(address(escrow));
        accrue(JUNIOR, 4_000, 100);
        vm.warp(START + 50);
        vm.prank(ann);
        token.safeBatchTransferFrom(ann, address(escrow), two(JUNIOR, JUNIOR), two(100, 200), "");
        vm.warp(START + 75);
        escrow.giveBack(ann, JUNIOR, 300);
        vm.warp(START + 100);
        assertEq(token.claimable(address(escrow), JUNIOR), 750, "a quarter of the time");
        assertEq(escrow.collect(one(JUNIOR), cleo), 750, "claimed by the escrow alone");
        assertEq(token.claimable(ann, JUNIOR), 2_250, "the rest is ann's");
    }

    /// @dev ATTACKS 5, OpenZeppelin #2956: everything is in place when the receiver is called.
    function test_receiver__reads_inside_its_callback__sees_the_end_state() public {
        HostileReceiver receiver = _receiver(HostileReceiver.Mode.ReadInside);
        accrue(JUNIOR, 4_000, 0);
        send(ann, address(receiver), JUNIOR, 100);
        assertEq(receiver.seenUnits(), 100, "its units");
        assertEq(receiver.seenSenderUnits(), 200, "the sender's");
        assertEq(receiver.seenSupply(), 400, "supply");
        assertEq(receiver.seenClaimable(), 0, "nothing earned yet");
        mint(address(receiver), JUNIOR, 5);
        assertEq(receiver.seenSupply(), 405, "supply at a mint");
        assertEq(receiver.seenUnits(), 105, "units at a mint");
        vm.prank(ann);
        token.safeBatchTransferFrom(ann, address(receiver), two(JUNIOR, JUNIOR), two(10, 10), "");
        assertEq(receiver.seenUnits(), 125, "after the last entry of a batch");
        assertEq(receiver.seenSenderUnits(), 180, "of both");
    }

    /// @dev ATTACKS 5: re-entry moves and claims what is there, and nothing more.
    function test_receiver__re_enters__gains_nothing() public {
        HostileReceiver receiver = _receiver(HostileReceiver.Mode.SendBack);
        accrue(JUNIOR, 4_000, 0);
        send(ann, address(receiver), JUNIOR, 100);
        assertEq(token.balanceOf(ann, JUNIOR), 300, "sent back");
        receiver.set(HostileReceiver.Mode.ClaimInside);
        send(ann, address(receiver), JUNIOR, 100);
        accrue(JUNIOR, 4_000, 0);
        send(ann, address(receiver), JUNIOR, 100);
        assertEq(dollar.balanceOf(address(receiver)), 1_000, "its own share, once");
        assertEq(token.claimable(ann, JUNIOR), 3_000 + 2_000, "ann's");
        assertEq(token.claimable(bob, JUNIOR), 2_000, "bob's");
    }

    /// @dev ATTACKS 6: a receiver that refuses stops only what is sent to it.
    function test_receiver__refuses__nothing_moves() public {
        HostileReceiver receiver = _receiver(HostileReceiver.Mode.Revert);
        vm.expectRevert(abi.encodeWithSelector(HostileReceiver.Refused.selector));
        send(ann, address(receiver), JUNIOR, 1);
        receiver.set(HostileReceiver.Mode.WrongAnswer);
        bytes memory invalid = abi.encodeWithSelector(IERC1155Errors.ERC1155InvalidReceiver.selector, address(receiver));
        vm.expectRevert(invalid);
        send(ann, address(receiver), JUNIOR, 1);
        vm.expectRevert(invalid);
        mint(address(receiver), JUNIOR, 1);
        assertEq(token.balanceOf(ann, JUNIOR), 300, "all there");
        send(ann, bob, JUNIOR, 1);
    }

    function test_token__out_of_money__reverts_and_keeps_the_claim() public {
        accrue(JUNIOR, 4_000, 0);
        vm.prank(address(token));
        assertTrue(dollar.transfer(cleo, 4_000), "moved");
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, address(token), 0, 3_000)
        );
        vm.prank(ann);
        token.claim(one(JUNIOR), ann);
        assertEq(token.claimable(ann, JUNIOR), 3_000, "ATTACKS 12: not marked as paid");
    }

    function _receiver(HostileReceiver.Mode mode) private returns (HostileReceiver receiver) {
        receiver = new HostileReceiver();
        receiver.set(mode);
        allow(address(receiver));
    }

    function _badSignature(address holder) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IWalletProposals.SignatureInvalid.selector, holder);
    }

    function _digest(address holder, uint256[] memory ids, address to, uint256 nonce, uint256 deadline)
        private
        view
        returns (bytes32)
    {
        bytes32 idsHash = keccak256(abi.encodePacked(ids));
        bytes32 structHash = keccak256(abi.encode(CLAIM_TYPEHASH, holder, idsHash, to, nonce, deadline));
        return keccak256(abi.encodePacked("\x19\x01", wallets.DOMAIN_SEPARATOR(), structHash));
    }

    function _signed(uint256 key, address holder, uint256[] memory ids, address to, uint256 nonce, uint256 deadline)
        private
        view
        returns (bytes memory)
    {
        return sign(key, _digest(holder, ids, to, nonce, deadline));
    }
}
