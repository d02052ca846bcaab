// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPayouts} from "../../../contracts/interfaces/IPayouts.sol";
import {ITrancheToken} from "../../../contracts/interfaces/ITrancheToken.sol";
import {IWalletDesk} from "../../../contracts/interfaces/IWalletDesk.sol";
import {IWalletProposals} from "../../../contracts/interfaces/IWalletProposals.sol";
import {WalletMock} from "../../../contracts/mocks/Receivers.sol";
import {Pool, WalletBase} from "./WalletBase.sol";

/// @title Money of contracts that cannot claim, and money that a signature takes
contract BeneficiaryTest is WalletBase {
    uint256 private constant BOB_KEY = 0xB0B;
    bytes32 private constant WITHDRAW_TYPEHASH =
        keccak256("Withdraw(address source,address token,address account,address to,uint256 nonce,uint256 deadline)");

    Pool private _pool;

    function setUp() public override {
        super.setUp();
        bob = vm.addr(BOB_KEY);
        _allow(bob, true);
        _found(_soldOut(100));
        _pool = new Pool(token);
        _allow(address(_pool), true);
        vm.prank(ann);
        token.safeTransferFrom(ann, address(_pool), SENIOR, 10, "");
    }

    function _name(address wallet) private returns (uint256 number) {
        vm.prank(compliance);
        wallets.proposeBeneficiary(wallet, stranger);
        _confirm(wallet);
        return wallets.proposalOf(wallet).number;
    }

    function _named(address wallet) private {
        _name(wallet);
        vm.warp(_now() + 30 days);
        wallets.execute(wallet);
    }

    /// @dev Finding F37: revenue of a pool was nobody's. Now it is the beneficiary's; the units stay.
    function test_beneficiary__of_a_pool__gets_revenue_and_never_units() public {
        _named(address(_pool));
        vm.warp(START);
        _deliver(10);
        vm.warp(_now() + 1 days);
        uint256 due = token.claimable(address(_pool), SENIOR);
        assertTrue(due > 0, "earned");
        vm.prank(bob);
        assertEq(wallets.collectRevenue(address(_pool), _ids(SENIOR), stranger), due, "all of it");
        assertEq(dollar.balanceOf(stranger), due, "to the beneficiary");
        assertEq(token.balanceOf(address(_pool), SENIOR), 10, "units stay");
        vm.expectRevert(abi.encodeWithSelector(IWalletDesk.NotRecovered.selector, _pool));
        wallets.collectUnits(address(_pool), _ids(SENIOR));
        vm.expectRevert(abi.encodeWithSelector(IWalletDesk.NotRecovered.selector, _pool));
        wallets.collectVouchers(address(_pool), _ids(1));
        vm.expectRevert(abi.encodeWithSelector(IWalletDesk.ReceiverNotPayee.selector, stranger, bob));
        vm.prank(bob);
        wallets.collectRevenue(address(_pool), _ids(SENIOR), bob);
    }

    /// @dev A pool moves units all day: that is what it is for, and does not mean that it can claim.
    function test_beneficiary__pool_moves_units__stays() public {
        _name(address(_pool));
        _pool.give(bob, SENIOR, 3);
        vm.warp(_now() + 30 days);
        wallets.execute(address(_pool));
        _pool.give(bob, SENIOR, 3);
        assertEq(wallets.beneficiaryOf(address(_pool)), stranger, "stays");
    }

    /// @dev The first claim ends it, for ever, whether before, during or after the wait.
    function test_beneficiary__contract_claims_itself__never_again() public {
        bytes memory claim = abi.encodeCall(ITrancheToken.claim, (_ids(SENIOR), address(_pool)));
        uint256 number = _name(address(_pool));
        vm.expectEmit(true, true, true, true, address(wallets));
        emit IWalletProposals.ProposalVoided(address(_pool), number);
        _pool.call(address(token), claim);
        vm.expectRevert(abi.encodeWithSelector(IWalletProposals.ClaimsItself.selector, _pool));
        vm.prank(compliance);
        wallets.proposeBeneficiary(address(_pool), stranger);

        Pool other = _otherPool();
        _named(address(other));
        vm.warp(START);
        _deliver(10);
        vm.warp(_now() + 1 days);
        other.call(address(token), abi.encodeCall(ITrancheToken.claim, (_ids(SENIOR), bob)));
        assertEq(wallets.beneficiaryOf(address(other)), address(0), "removed");
        vm.expectRevert(abi.encodeWithSelector(IWalletProposals.NoPayee.selector, other));
        wallets.collectRevenue(address(other), _ids(SENIOR), stranger);
    }

    /// @dev A claim of a position in which there was nothing to claim says as much.
    function test_beneficiary__contract_claimed_before__is_refused() public {
        _pool.call(address(token), abi.encodeCall(ITrancheToken.claim, (_ids(JUNIOR), address(_pool))));
        assertTrue(wallets.tookMoney(address(_pool)), "it can");
        vm.expectRevert(abi.encodeWithSelector(IWalletProposals.ClaimsItself.selector, _pool));
        vm.prank(compliance);
        wallets.proposeBeneficiary(address(_pool), stranger);
    }

    function test_beneficiary__contract_cancels__never_again() public {
        _named(address(_pool));
        _pool.call(address(wallets), abi.encodeCall(IWalletProposals.cancel, ()));
        vm.expectRevert(abi.encodeWithSelector(IWalletProposals.NoPayee.selector, _pool));
        wallets.collectRevenue(address(_pool), _ids(SENIOR), stranger);
        vm.expectRevert(abi.encodeWithSelector(IWalletProposals.ClaimsItself.selector, _pool));
        vm.prank(compliance);
        wallets.proposeBeneficiary(address(_pool), stranger);
    }

    /// @dev An account with a key, one with delegated code (EIP-7702), and an address that has no code yet.
    function test_beneficiary__of_whoever_has_a_key_or_no_code__is_refused() public {
        vm.etch(bob, abi.encodePacked(bytes3(0xef0100), address(_pool)));
        address[3] memory wrong = [ann, bob, address(0xC0FFEE)];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IWalletProposals.ClaimsItself.selector, wrong[i]));
            vm.prank(compliance);
            wallets.proposeBeneficiary(wrong[i], stranger);
        }
    }

    /// @dev Named while it had other code: a delegation later ends it.
    function test_beneficiary__account_that_delegates_later__is_not_paid() public {
        _named(address(_pool));
        vm.etch(address(_pool), abi.encodePacked(bytes3(0xef0100), ann));
        vm.expectRevert(abi.encodeWithSelector(IWalletProposals.NoPayee.selector, _pool));
        wallets.collectRevenue(address(_pool), _ids(SENIOR), stranger);
    }

    /// @dev A Safe that never claimed has thirty days, and its signature is enough.
    function test_beneficiary__wallet_of_two_owners_signs__is_void() public {
        WalletMock wallet = new WalletMock(ann, bob);
        uint256 number = _name(address(wallet));
        vm.warp(_now() + 30 days - 1);
        bytes32 digest =
            _digest(abi.encode(keccak256("Cancel(address wallet,uint256 number)"), address(wallet), number));
        bytes memory both = bytes.concat(sign(ANN_KEY, digest), sign(BOB_KEY, digest));
        wallets.cancelBySig(address(wallet), number, both);
        vm.warp(_now() + 1);
        vm.expectRevert(abi.encodeWithSelector(IWalletProposals.ProposalUnknown.selector, wallet, number));
        wallets.execute(address(wallet));
        assertTrue(wallets.tookMoney(address(wallet)), "never again");
    }

    function test_beneficiary__removed_or_lost__is_paid_no_more() public {
        _named(address(_pool));
        vm.warp(START);
        _deliver(10);
        vm.prank(compliance);
        wallets.proposeRecovery(stranger, anew, _ids(SENIOR));
        _confirm(stranger);
        vm.warp(_now() + 7 days);
        _execute(stranger);
        wallets.collectRevenue(address(_pool), _ids(SENIOR), anew);
        assertTrue(dollar.balanceOf(anew) > 0, "the beneficiary's new wallet");
        vm.startPrank(enforcer);
        wallets.removeBeneficiary(address(_pool));
        vm.expectRevert(abi.encodeWithSelector(IWalletProposals.NoPayee.selector, _pool));
        wallets.removeBeneficiary(address(_pool));
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(IWalletProposals.NoPayee.selector, _pool));
        wallets.collectRevenue(address(_pool), _ids(SENIOR), anew);
    }

    /// @dev Voucher money of a holder that cannot call `withdraw`: by its signature, or by its beneficiary.
    function test_withdrawBySig__key_or_contract__pays_where_it_says_once() public {
        WalletMock wallet = new WalletMock(ann, bob);
        _allow(address(wallet), true);
        vm.prank(ann);
        token.safeTransferFrom(ann, address(wallet), SENIOR, 5, "");
        uint256 first = _takeDelivery(desk, address(wallet), SENIOR, 5, "lease of the wallet");
        uint256 second = _takeDelivery(desk, bob, JUNIOR, 5, "lease of bob");
        _default();
        _close();
        lockbox.payVoucher(first);
        lockbox.payVoucher(second);
        _withdrawBySig(address(wallet), true);
        _withdrawBySig(bob, false);
    }

    function _withdrawBySig(address account, bool both) private {
        uint256 owed = lockbox.owedTo(address(dollar), account);
        uint256 deadline = _now();
        bytes memory signature = _signWithdrawal(account, 0, both);
        vm.expectRevert(abi.encodeWithSelector(IWalletProposals.SignatureInvalid.selector, account));
        wallets.withdrawBySig(vault, address(dollar), account, anew, deadline, signature);
        uint256 before = dollar.balanceOf(anew);
        assertEq(wallets.withdrawBySig(lockbox, address(dollar), account, anew, deadline, signature), owed, "owed");
        assertEq(dollar.balanceOf(anew) - before, owed, "where it says");
        vm.expectRevert(abi.encodeWithSelector(IWalletProposals.SignatureInvalid.selector, account));
        wallets.withdrawBySig(lockbox, address(dollar), account, anew, deadline, signature);
        signature = _signWithdrawal(account, 1, both);
        vm.expectRevert(abi.encodeWithSelector(IPayouts.NothingOwed.selector, dollar, account));
        wallets.withdrawBySig(lockbox, address(dollar), account, anew, deadline, signature);
        vm.expectRevert(abi.encodeWithSelector(IWalletDesk.DeadlinePassed.selector, deadline - 1, deadline));
        wallets.withdrawBySig(lockbox, address(dollar), account, anew, deadline - 1, signature);
    }

    function _signWithdrawal(address account, uint256 nonce, bool both) private view returns (bytes memory) {
        bytes32 digest =
            _digest(abi.encode(WITHDRAW_TYPEHASH, lockbox, dollar, account, anew, nonce, vm.getBlockTimestamp()));
        bytes memory ofBob = sign(BOB_KEY, digest);
        return both ? bytes.concat(sign(ANN_KEY, digest), ofBob) : ofBob;
    }

    /// @dev L10: money that a contract of ours, or the coin, would get is nobody's.
    function test_recipient__contract_of_ours__is_refused() public {
        vm.warp(START);
        _deliver(10);
        vm.warp(_now() + 1 days);
        address[10] memory ours = [
            address(token),
            address(lockbox),
            address(sale),
            address(vault),
            address(desk),
            address(statements),
            address(facilities),
            address(wallets),
            address(investors),
            address(dollar)
        ];
        vm.startPrank(ann);
        for (uint256 i = 0; i < ours.length; ++i) {
            assertTrue(wallets.isOurs(ours[i]), "ours");
            vm.expectRevert(abi.encodeWithSelector(ITrancheToken.RecipientInvalid.selector, ours[i]));
            token.claim(_ids(SENIOR), ours[i]);
            vm.expectRevert(abi.encodeWithSelector(IPayouts.RecipientInvalid.selector, ours[i]));
            lockbox.withdraw(address(dollar), ours[i]);
            vm.expectRevert(abi.encodeWithSelector(IPayouts.RecipientInvalid.selector, ours[i]));
            sale.refund(SENIOR, 1, ours[i]);
        }
        vm.stopPrank();
        assertFalse(wallets.isOurs(address(_pool)), "theirs");
        assertFalse(wallets.isOurs(ann), "hers");
    }

    function _otherPool() private returns (Pool other) {
        other = new Pool(token);
        _allow(address(other), true);
        vm.prank(ann);
        token.safeTransferFrom(ann, address(other), SENIOR, 5, "");
    }
}
