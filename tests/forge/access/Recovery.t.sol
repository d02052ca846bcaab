// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {ERC1155Holder} from "@openzeppelin/contracts/token/ERC1155/utils/ERC1155Holder.sol";
import {IDeliveryDesk} from "../../../contracts/interfaces/IDeliveryDesk.sol";
import {IERC7943MultiToken} from "../../../contracts/interfaces/IERC7943.sol";
import {IPayouts} from "../../../contracts/interfaces/IPayouts.sol";
import {ITrancheToken} from "../../../contracts/interfaces/ITrancheToken.sol";
import {IWalletDesk} from "../../../contracts/interfaces/IWalletDesk.sol";
import {IWalletProposals} from "../../../contracts/interfaces/IWalletProposals.sol";
import {TrancheToken} from "../../../contracts/token/TrancheToken.sol";
import {WalletBase} from "./WalletBase.sol";

/// @dev A new wallet that sends units on in its hook.
contract Runner is ERC1155Holder {
    address public immutable friend;

    constructor(address friend_) {
        friend = friend_;
    }

    function onERC1155Received(address, address, uint256 id, uint256 units, bytes memory)
        public
        override
        returns (bytes4)
    {
        TrancheToken(msg.sender).safeTransferFrom(address(this), friend, id, units, "");
        return this.onERC1155Received.selector;
    }

    function execute(IWalletDesk wallets, address wallet) external {
        wallets.execute(wallet);
    }
}

/// @title Recovery of a lost wallet: as a whole, in the open, and never of one that acts
contract RecoveryTest is WalletBase {
    bytes32 private constant CANCEL_TYPEHASH = keccak256("Cancel(address wallet,uint256 number)");

    /// @dev Units with what is frozen, revenue also of the wait, a voucher and its money, a payout: all of it follows.
    function test_recovery__lost_wallet__everything_follows() public {
        _found(_soldOut(100));
        vm.warp(START);
        uint256 voucher = _takeDelivery(desk, ann, SENIOR, 5, "lease of ann");
        vm.prank(enforcer);
        token.setFrozenTokens(ann, SENIOR, 4);
        _deliver(10);
        _proposed(ann, anew);
        _deliver(10);
        vm.warp(_now() + 7 days);
        uint256 due = token.claimable(ann, SENIOR);
        assertTrue(due > 0, "earned before and during the wait");
        _execute(ann);

        vm.startPrank(stranger);
        wallets.collectUnits(ann, _ids(SENIOR));
        wallets.collectRevenue(ann, _ids(SENIOR), anew);
        wallets.collectVouchers(ann, _ids(voucher));
        vm.stopPrank();

        assertEq(token.balanceOf(anew, SENIOR), 15, "units");
        assertEq(token.balanceOf(ann, SENIOR), 0, "none is left");
        assertEq(token.getFrozenTokens(anew, SENIOR), 4, "frozen still");
        assertEq(token.getFrozenTokens(ann, SENIOR), 0, "at one place");
        assertEq(dollar.balanceOf(anew), due, "revenue");
        assertEq(desk.voucherOf(voucher).holder, anew, "voucher");
        _end();
        _close();
        lockbox.payVoucher(voucher);
        assertTrue(lockbox.owedTo(address(dollar), anew) > 0, "the voucher's money");
        // A lease that was hers is the new wallet's: it can be ordered on again.
        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.VoucherOfAnother.selector, voucher, anew, ann));
        wallets.collectVouchers(ann, _ids(voucher));
    }

    /// @dev What was credited before the recovery, too; and it may be directed elsewhere by the new wallet alone.
    function test_recovery__money_owed__is_paid_to_the_new_wallet() public {
        uint256 owed = _voucherMoney();
        _recover(ann, anew);
        vm.expectRevert(abi.encodeWithSelector(IWalletDesk.ReceiverNotPayee.selector, anew, stranger));
        vm.prank(stranger);
        wallets.collectPayout(lockbox, address(dollar), ann, stranger);
        uint256 before = dollar.balanceOf(bob);
        vm.prank(anew);
        assertEq(wallets.collectPayout(lockbox, address(dollar), ann, bob), owed, "all");
        assertEq(dollar.balanceOf(bob) - before, owed, "where the new wallet said");
        // Nothing of bob's is touched by it.
        vm.expectRevert(abi.encodeWithSelector(IWalletProposals.NoPayee.selector, bob));
        wallets.collectPayout(lockbox, address(dollar), bob, bob);
        vm.expectRevert(abi.encodeWithSelector(IWalletProposals.NotOurContract.selector, stranger));
        wallets.collectPayout(IPayouts(stranger), address(dollar), ann, anew);
    }

    /// @dev Rule 12: units do not move before funding; the refund goes to the new wallet, whoever asks for it.
    function test_recovery__failed_sale__the_refund_follows() public {
        _offerAndBuy();
        _recover(ann, anew);
        vm.expectRevert(abi.encodeWithSelector(ITrancheToken.UnitsLocked.selector, SENIOR));
        wallets.collectUnits(ann, _ids(SENIOR));
        _expire();
        vm.prank(stranger);
        sale.refundTo(ann, SENIOR);
        assertEq(dollar.balanceOf(anew), 40 * USDC, "the exact price");
        assertEq(token.totalSupply(SENIOR), 0, "burned");
    }

    /// @dev A stranger must not send the refund home while home is said to be lost.
    function test_recovery__pending__nobody_sends_the_refund_to_the_lost_wallet() public {
        _offerAndBuy();
        _expire();
        _proposed(ann, anew);
        vm.expectRevert(abi.encodeWithSelector(IWalletProposals.RecoveryPending.selector, ann));
        vm.prank(stranger);
        sale.refundTo(ann, SENIOR);
        vm.prank(ann);
        sale.refund(SENIOR, 1, ann);
        assertFalse(_isPending(ann), "she acted");
        sale.refundTo(ann, SENIOR);
    }

    /// @dev After funding the same units follow as units.
    function test_recovery__before_funding__units_follow_after_it() public {
        _offerAndBuy();
        _recover(ann, anew);
        vm.roll(block.number + 1);
        vm.warp(START - 1_000);
        sale.finalize(FACILITY);
        wallets.collectUnits(ann, _ids(SENIOR));
        assertEq(token.balanceOf(anew, SENIOR), 20, "followed");
    }

    /// @dev A thief with both roles that lists quiet positions only gets nothing of a position that acts.
    function test_recovery__position_that_was_not_watched__is_not_taken() public {
        _found(_soldOut(100));
        vm.prank(bob);
        token.safeTransferFrom(bob, ann, JUNIOR, 10, "");
        _recover(ann, anew);
        wallets.watch(ann, _ids(JUNIOR));
        vm.warp(_now() + 7 days - 1);
        vm.prank(ann);
        token.safeTransferFrom(ann, bob, JUNIOR, 10, "");
        vm.prank(bob);
        token.safeTransferFrom(bob, ann, JUNIOR, 10, "");
        vm.warp(_now() + 1);
        vm.expectRevert(abi.encodeWithSelector(IWalletProposals.PositionNotQuiet.selector, ann, JUNIOR, uint64(0)));
        wallets.collectUnits(ann, _ids(JUNIOR));
        vm.expectRevert(abi.encodeWithSelector(IWalletProposals.PositionNotQuiet.selector, ann, JUNIOR, uint64(0)));
        wallets.collectRevenue(ann, _ids(JUNIOR), anew);
    }

    /// @dev What was watched for an earlier proposal, and acted in since, begins anew.
    function test_recovery__watched_before_an_act__begins_anew() public {
        _found(_soldOut(100));
        _proposed(ann, anew);
        vm.warp(_now() + 6 days);
        vm.prank(ann);
        token.safeTransferFrom(ann, bob, SENIOR, 1, "");
        vm.warp(_now() + 1 hours);
        _proposed(ann, anew);
        uint256 from = _now();
        assertEq(wallets.watchedSince(ann, SENIOR), from, "anew");
        vm.warp(_now() + 7 days);
        _execute(ann);
        wallets.collectUnits(ann, _ids(SENIOR));
        assertEq(token.balanceOf(anew, SENIOR), 19, "the rest");
    }

    /// @dev Acts are seen also between two proposals, and an unlisted position does not profit from an old watch.
    function test_recovery__acted_between_two_proposals__begins_anew() public {
        _found(_soldOut(100));
        uint256 number = _propose(ann, anew);
        vm.prank(enforcer);
        wallets.reject(ann, number);
        vm.warp(_now() + 1 days);
        vm.prank(ann);
        token.safeTransferFrom(ann, bob, SENIOR, 1, "");
        vm.warp(_now() + 1 days);
        vm.prank(compliance);
        wallets.proposeRecovery(ann, anew, _ids(JUNIOR));
        _confirm(ann);
        vm.warp(_now() + 7 days);
        _execute(ann);
        vm.expectRevert(abi.encodeWithSelector(IWalletProposals.PositionNotQuiet.selector, ann, SENIOR, uint64(0)));
        wallets.collectUnits(ann, _ids(SENIOR));
    }

    /// @dev Two roles, two accounts, a week, and the new wallet's own call.
    function test_recovery__one_alone__gets_nowhere() public {
        _found(_soldOut(100));
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, enforcer));
        vm.prank(enforcer);
        wallets.proposeRecovery(ann, anew, _ids(SENIOR));
        uint256 number = _propose(ann, anew);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, compliance));
        vm.prank(compliance);
        wallets.confirm(ann, number);
        authority.grantRole(ENFORCER, compliance, 0);
        vm.expectRevert(abi.encodeWithSelector(IWalletProposals.ConfirmerProposed.selector, compliance));
        vm.prank(compliance);
        wallets.confirm(ann, number);
        vm.warp(_now() + 8 days);
        vm.expectRevert(abi.encodeWithSelector(IWalletProposals.ProposalNotOpen.selector, ann, uint64(0)));
        vm.prank(anew);
        wallets.execute(ann);
        _confirm(ann);
        vm.expectRevert(abi.encodeWithSelector(IWalletProposals.AlreadyConfirmed.selector, ann, number));
        vm.prank(enforcer);
        wallets.confirm(ann, number);
        uint256 opensAt = _now() + 7 days;
        vm.warp(opensAt - 1);
        vm.expectRevert(abi.encodeWithSelector(IWalletProposals.ProposalNotOpen.selector, ann, uint64(opensAt)));
        vm.prank(anew);
        wallets.execute(ann);
        vm.warp(opensAt);
        vm.expectRevert(abi.encodeWithSelector(IWalletProposals.NotNewWallet.selector, anew, stranger));
        vm.prank(stranger);
        wallets.execute(ann);
        _allow(anew, false);
        vm.expectRevert(abi.encodeWithSelector(IWalletProposals.NewWalletNotEligible.selector, anew));
        vm.prank(anew);
        wallets.execute(ann);
        vm.expectRevert(abi.encodeWithSelector(IWalletDesk.NotRecovered.selector, ann));
        wallets.collectUnits(ann, _ids(SENIOR));
    }

    function test_recovery__not_executed_in_time__lapses() public {
        _found(_soldOut(100));
        uint256 number = _propose(ann, anew);
        vm.warp(_now() + 30 days);
        vm.expectRevert(abi.encodeWithSelector(IWalletProposals.ProposalUnknown.selector, ann, number));
        vm.prank(enforcer);
        wallets.confirm(ann, number);
        number = _proposed(ann, anew);
        vm.warp(_now() + 37 days);
        vm.expectRevert(abi.encodeWithSelector(IWalletProposals.ProposalUnknown.selector, ann, number));
        vm.prank(anew);
        wallets.execute(ann);
    }

    function test_recovery__taken_back__is_gone() public {
        _found(_soldOut(100));
        uint256 number = _proposed(ann, anew);
        vm.expectRevert(abi.encodeWithSelector(IWalletProposals.ProposalPending.selector, ann, number));
        vm.prank(compliance);
        wallets.proposeRecovery(ann, stranger, _ids(SENIOR));
        vm.expectRevert(abi.encodeWithSelector(IWalletProposals.NotProposer.selector, compliance, stranger));
        vm.prank(stranger);
        wallets.retract(ann, number);
        vm.prank(compliance);
        wallets.retract(ann, number);
        number = _proposed(ann, anew);
        vm.prank(enforcer);
        wallets.reject(ann, number);
        assertFalse(_isPending(ann), "rejected");
        bytes memory signature = sign(ANN_KEY, _digest(abi.encode(CANCEL_TYPEHASH, ann, number)));
        vm.expectRevert(abi.encodeWithSelector(IWalletProposals.ProposalUnknown.selector, ann, number));
        wallets.cancelBySig(ann, number, signature);
        number = _proposed(ann, anew);
        vm.expectRevert(abi.encodeWithSelector(IWalletProposals.SignatureInvalid.selector, ann));
        wallets.cancelBySig(ann, number, signature);
    }

    /// @dev Who may offer acts where nobody here looks; contracts of ours and recovered wallets are nobody's.
    function test_recovery__of_or_to_whom_it_must_not__is_refused() public {
        _found(_soldOut(100));
        address[4] memory wrong = [gpuOperator, address(0), address(token), address(lockbox)];
        for (uint256 i = 0; i < 4; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IWalletProposals.WalletInvalid.selector, wrong[i]));
            vm.prank(compliance);
            wallets.proposeRecovery(wrong[i], anew, _ids(SENIOR));
        }
        wrong = [ann, address(0), address(vault), address(dollar)];
        for (uint256 i = 0; i < 4; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IWalletProposals.WalletInvalid.selector, wrong[i]));
            vm.prank(compliance);
            wallets.proposeRecovery(ann, wrong[i], _ids(SENIOR));
        }
    }

    /// @dev The new wallet is lost as well: everything goes to the last one, and no circle is possible.
    function test_recovery__twice__the_last_wallet_gets_everything() public {
        _found(_soldOut(100));
        _recover(ann, anew);
        _recover(anew, renter);
        vm.expectRevert(abi.encodeWithSelector(IWalletProposals.WalletInvalid.selector, ann));
        vm.prank(compliance);
        wallets.proposeRecovery(renter, ann, _ids(SENIOR));
        vm.expectRevert(abi.encodeWithSelector(IWalletProposals.WalletInvalid.selector, ann));
        vm.prank(compliance);
        wallets.proposeRecovery(ann, bob, _ids(SENIOR));
        wallets.collectUnits(ann, _ids(SENIOR));
        assertEq(token.balanceOf(renter, SENIOR), 20, "the last one");
        assertEq(wallets.payeeOf(ann), renter, "and its refunds");
    }

    /// @dev Two that are recovered to each other at one time: the second is refused, or both would be nobody's.
    function test_recovery__to_a_wallet_that_was_recovered_meanwhile__is_refused() public {
        _found(_soldOut(100));
        _proposed(ann, anew);
        _proposed(anew, ann);
        vm.warp(_now() + 7 days);
        _execute(ann);
        vm.expectRevert(abi.encodeWithSelector(IWalletProposals.WalletInvalid.selector, ann));
        vm.prank(ann);
        wallets.execute(anew);
    }

    /// @dev Frozen before the units come: a hook that sends them on fails.
    function test_collect__frozen_units_to_a_wallet_that_runs__stay_frozen() public {
        _found(_soldOut(100));
        Runner runner = new Runner(stranger);
        _allow(address(runner), true);
        vm.prank(enforcer);
        token.setFrozenTokens(ann, SENIOR, 20);
        _proposed(ann, address(runner));
        vm.warp(_now() + 7 days);
        runner.execute(wallets, ann);
        vm.expectRevert(
            abi.encodeWithSelector(
                IERC7943MultiToken.ERC7943InsufficientUnfrozenBalance.selector, runner, SENIOR, uint256(20), uint256(0)
            )
        );
        wallets.collectUnits(ann, _ids(SENIOR));
        assertEq(token.getFrozenTokens(ann, SENIOR), 20, "nothing changed");
    }

    /// @dev One transaction for all of it.
    function test_multicall__executes_and_collects__at_once() public {
        _found(_soldOut(100));
        _proposed(ann, anew);
        vm.warp(_now() + 7 days);
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(wallets.execute, (ann));
        calls[1] = abi.encodeCall(wallets.collectUnits, (ann, _ids(SENIOR)));
        vm.prank(anew);
        wallets.multicall(calls);
        assertEq(token.balanceOf(anew, SENIOR), 20, "at once");
    }

    /// @dev The narrow doors open for the desk alone, and only our contracts say that somebody acted.
    function test_doors__anybody_else__is_refused() public {
        _found(_soldOut(100));
        _proposed(ann, anew);
        vm.startPrank(stranger);
        vm.expectRevert(abi.encodeWithSelector(ITrancheToken.NotWalletDesk.selector, stranger));
        token.claimFor(ann, _ids(SENIOR), stranger);
        vm.expectRevert(abi.encodeWithSelector(ITrancheToken.NotWalletDesk.selector, stranger));
        token.watch(ann, _ids(SENIOR));
        vm.expectRevert(abi.encodeWithSelector(IPayouts.NotWalletDesk.selector, stranger));
        lockbox.withdrawFor(ann, address(dollar), stranger);
        vm.expectRevert(abi.encodeWithSelector(IPayouts.NotWalletDesk.selector, stranger));
        sale.refundFor(ann, SENIOR, 1, stranger);
        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.NotWalletDesk.selector, stranger));
        desk.moveVouchers(ann, stranger, _ids(1));
        vm.expectRevert(abi.encodeWithSelector(IWalletProposals.NotOurContract.selector, stranger));
        wallets.noteAct(ann, true);
        vm.expectRevert(abi.encodeWithSelector(IWalletProposals.ProposalUnknown.selector, bob, uint256(0)));
        wallets.watch(bob, _ids(JUNIOR));
        vm.stopPrank();
    }

    /// @dev The offer ends by time alone, and its sale fails.
    function _expire() private {
        vm.warp(START + 1 days);
        sale.finalize(FACILITY);
    }
}
