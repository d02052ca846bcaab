// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBondVault} from "../../../contracts/interfaces/IBondVault.sol";
import {IRentLockbox} from "../../../contracts/interfaces/IRentLockbox.sol";
import {IPayouts} from "../../../contracts/interfaces/IPayouts.sol";
import {IPrimarySale} from "../../../contracts/interfaces/IPrimarySale.sol";
import {HostileStablecoin} from "../../../contracts/mocks/HostileStablecoin.sol";
import {MoneyBase} from "./MoneyBase.sol";

/// @title ATTACKS 11 and 12: a bad token harms its own facility alone, and no payout is marked paid that was not
contract HostileTest is MoneyBase {
    HostileStablecoin private bad;

    function setUp() public {
        _deploy();
        bad = new HostileStablecoin();
        facilities.setSettlementToken(address(bad), true);
        _offer(9, address(bad), _twoTranches());
        _openSale(9);
        vm.warp(_saleTerms().opensAt);
        address[4] memory payers = [ann, bob, renter, gpuOperator];
        for (uint256 i = 0; i < payers.length; ++i) {
            bad.mint(payers[i], 1e12);
            vm.startPrank(payers[i]);
            bad.approve(address(sale), type(uint256).max);
            bad.approve(address(lockbox), type(uint256).max);
            bad.approve(address(vault), type(uint256).max);
            vm.stopPrank();
        }
    }

    function test_takes_fee__every_way_in__reverts() public {
        bad.setMode(HostileStablecoin.Mode.TakesFee);
        vm.expectRevert(abi.encodeWithSelector(IPayouts.SettlementShort.selector, SENIOR_PRICE, SENIOR_PRICE - 1));
        vm.prank(ann);
        sale.buy(_id(9, 0), 1, SENIOR_PRICE);
        vm.expectRevert(abi.encodeWithSelector(IPayouts.SettlementShort.selector, 7, 6));
        vm.prank(gpuOperator);
        vault.deposit(9, 7);
        bad.setMode(HostileStablecoin.Mode.Honest);
        _sell();
        bad.setMode(HostileStablecoin.Mode.TakesFee);
        vm.expectRevert(abi.encodeWithSelector(IPayouts.SettlementShort.selector, 7, 6));
        vm.prank(renter);
        lockbox.payRent(9, "", 7);
    }

    function test_returns_false__payouts__revert_and_stay_owed() public {
        _sell();
        uint256 owed = sale.release(9);
        bad.setMode(HostileStablecoin.Mode.ReturnsFalse);
        vm.expectPartialRevert(bytes4(keccak256("SafeERC20FailedOperation(address)")));
        vm.prank(gpuOperator);
        sale.withdraw(address(bad), gpuOperator);
        assertEq(sale.owedTo(address(bad), gpuOperator), owed, "still owed");
        bad.setMode(HostileStablecoin.Mode.Honest);
        vm.prank(gpuOperator);
        sale.withdraw(address(bad), gpuOperator);
    }

    function test_blocked_payee__loses_nothing__directs_elsewhere() public {
        _sell();
        uint256 owed = sale.release(9);
        bad.setBlocked(gpuOperator, true);
        vm.expectRevert(abi.encodeWithSelector(HostileStablecoin.AccountBlocked.selector, gpuOperator));
        vm.prank(gpuOperator);
        sale.withdraw(address(bad), gpuOperator);
        vm.prank(gpuOperator);
        sale.withdraw(address(bad), cleo);
        assertEq(bad.balanceOf(cleo), owed, "elsewhere");
    }

    function test_blocked_holder__refund_goes_elsewhere() public {
        vm.prank(ann);
        sale.buy(_id(9, 0), 3, 3 * SENIOR_PRICE);
        vm.warp(_saleTerms().closesAt);
        sale.finalize(9);
        bad.setBlocked(ann, true);
        vm.startPrank(ann);
        vm.expectRevert(abi.encodeWithSelector(HostileStablecoin.AccountBlocked.selector, ann));
        sale.refund(_id(9, 0), 3, ann);
        sale.refund(_id(9, 0), 3, cleo);
        vm.stopPrank();
        assertEq(bad.balanceOf(cleo), 3 * SENIOR_PRICE, "the exact price");
    }

    function test_stopped_token__other_facility__goes_on() public {
        _dueInBoth();
        vm.expectRevert(abi.encodeWithSelector(HostileStablecoin.TransfersStopped.selector));
        lockbox.settle(9);
        assertEq(lockbox.bookOf(9).settled, 0, "nothing is marked settled");
        lockbox.settle(7);
        vm.warp(vm.getBlockTimestamp() + EPOCH);
        vm.prank(ann);
        assertEq(token.claim(_ids(7, 1), ann), 990_000, "the good one pays");
        bad.setMode(HostileStablecoin.Mode.Honest);
        lockbox.settle(9);
    }

    /// ATTACKS 11: one hostile coin stops no other facility of a batch, wherever it stands in it.
    function test_settleMany__hostile_coin_in_the_batch__is_named_and_passed_over() public {
        _dueInBoth();
        uint64[] memory ids = new uint64[](2);
        (ids[0], ids[1]) = (9, 7);
        vm.expectEmit(true, true, true, true, address(lockbox));
        emit IRentLockbox.SettlementSkipped(9);

        lockbox.settleMany(ids);

        assertEq(lockbox.bookOf(7).settled, 1_000_000, "the good one");
        assertEq(lockbox.bookOf(9).settled, 0, "nothing is marked settled");
        bad.setMode(HostileStablecoin.Mode.Honest);
        lockbox.settleMany(ids);
        assertEq(lockbox.bookOf(9).settled, 1_000_000, "later");
    }

    function test_reenters__every_door__is_shut() public {
        _sell();
        uint256 owed = sale.release(9);
        bytes[4] memory calls = [
            abi.encodeCall(IPayouts.withdraw, (address(bad), address(bad))),
            abi.encodeCall(IPrimarySale.buy, (_id(9, 1), 1, type(uint256).max)),
            abi.encodeCall(IPrimarySale.release, (uint64(9))),
            abi.encodeCall(IPrimarySale.refundTo, (ann, _id(9, 1)))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            bad.reenter(address(sale), calls[i]);
            vm.prank(ann);
            require(bad.transfer(bob, 0), "sent");
        }
        bad.reenter(address(sale), calls[0]);
        vm.prank(gpuOperator);
        sale.withdraw(address(bad), cleo);
        require(!bad.reentrySucceeded(), "withdraw is shut");
        assertEq(bad.balanceOf(cleo), owed, "once");

        bad.reenter(address(lockbox), abi.encodeWithSignature("settle(uint64)", uint64(9)));
        vm.prank(renter);
        lockbox.payRent(9, "", 1_000_000);
        require(!bad.reentrySucceeded(), "settle is shut during payRent");
        bad.setMode(HostileStablecoin.Mode.Honest);
        _postFinal(9, 1_000_000, 36_000);
        bad.reenter(address(lockbox), abi.encodeWithSignature("settle(uint64)", uint64(9)));
        lockbox.settle(9);
        require(!bad.reentrySucceeded(), "settle is shut during settle");
        assertEq(bad.balanceOf(address(token)), 990_000, "settled once");
    }

    /// A coin that pays short, says no or stops: nothing of the closing stays, and it can be done later.
    function test_close__hostile_coin__moves_nothing_and_can_be_done_later() public {
        _sell();
        vm.prank(gpuOperator);
        vault.deposit(9, 5_000_000);
        _default(9, 0);
        vm.warp(lockbox.closableFrom(9));
        bad.setMode(HostileStablecoin.Mode.TakesFee);
        vm.expectPartialRevert(IPayouts.SettlementShort.selector);
        lockbox.close(9);
        bad.setMode(HostileStablecoin.Mode.ReturnsFalse);
        vm.expectPartialRevert(bytes4(keccak256("SafeERC20FailedOperation(address)")));
        lockbox.close(9);
        bad.setMode(HostileStablecoin.Mode.Reverts);
        vm.expectRevert(abi.encodeWithSelector(HostileStablecoin.TransfersStopped.selector));
        lockbox.close(9);
        assertEq(facilities.endingOf(9).closedAt, 0, "not closed");
        assertEq(vault.bondOf(9), 5_000_000, "the bond is there");
        assertEq(sale.bookOf(9).returned, 0, "and the proceeds");

        bad.setMode(HostileStablecoin.Mode.Honest);
        lockbox.close(9);
        assertEq(vault.bondOf(9) + bad.balanceOf(address(vault)), 0, "shared");
        assertEq(bad.balanceOf(address(sale)), sale.owedTo(address(bad), gpuOperator), "what is left is owed");
    }

    /// The coin is called when bond, proceeds and holders' money move: each time everything is shut.
    function test_close__coin_reenters__shares_once() public {
        _sell();
        vm.prank(gpuOperator);
        vault.deposit(9, 5_000_000);
        _default(9, 0);
        vm.warp(lockbox.closableFrom(9));
        uint256 fresh = vm.snapshotState();
        bytes[3] memory calls = [
            abi.encodeCall(IRentLockbox.close, (9)),
            abi.encodeCall(IRentLockbox.settle, (9)),
            abi.encodeCall(IPayouts.withdraw, (address(bad), cleo))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            bad.reenter(address(lockbox), calls[i]);
            lockbox.close(9);
            require(!bad.reentrySucceeded(), "the lockbox is shut");
            vm.revertToState(fresh);
        }
        bad.reenter(address(sale), abi.encodeCall(IPrimarySale.release, (uint64(9))));
        lockbox.close(9);
        require(!bad.reentrySucceeded(), "nothing is released beside the closing");
        vm.revertToState(fresh);
        bad.reenter(address(vault), abi.encodeCall(IBondVault.deposit, (uint64(9), 1)));
        lockbox.close(9);
        require(!bad.reentrySucceeded(), "no bond comes in between");
        uint256 owed = lockbox.owedTo(address(bad), gpuOperator) + lockbox.feesOwed(9);
        assertEq(bad.balanceOf(address(lockbox)), owed, "the lockbox holds what it owes");
    }

    /// @dev Facilities 7 and 9 have rent to settle, and the coin of 9 refuses to move.
    function _dueInBoth() private {
        _sell(7);
        vm.prank(renter);
        lockbox.payRent(9, "", 1_000_000);
        _pay(7, 1_000_000);
        bad.setMode(HostileStablecoin.Mode.Reverts);
        vm.warp(START + EPOCH);
        statements.post(9, 1_000_000, 36_000);
        statements.post(7, 1_000_000, 36_000);
        vm.warp(vm.getBlockTimestamp() + 600);
    }

    function _sell() private {
        vm.prank(ann);
        sale.buy(_id(9, 0), 16, type(uint256).max);
        vm.prank(bob);
        sale.buy(_id(9, 1), 24, type(uint256).max);
        _finalize(9);
        vm.warp(START);
    }

    /// @dev The same, after another facility was funded in an honest coin.
    function _sell(uint64 other) private {
        _offer(other, address(dollar), _oneTranche());
        _noBond(other);
        vm.startPrank(gpuOperator);
        token.mint(ann, _id(other, 0), 40);
        facilities.fund(other);
        vm.stopPrank();
        _sell();
    }
}
