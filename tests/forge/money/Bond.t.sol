// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBondVault} from "../../../contracts/interfaces/IBondVault.sol";
import {IPayouts} from "../../../contracts/interfaces/IPayouts.sol";
import {MoneyBase} from "./MoneyBase.sol";

contract BondTest is MoneyBase {
    function setUp() public {
        _deploy();
        _offer(7, address(dollar), _twoTranches());
        _bond(7, 1_000_000);
    }

    function test_setTerms__wrong__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IBondVault.NotGpuOperator.selector, uint64(7), address(this)));
        vault.setTerms(7, _bondTerms());
        vm.expectRevert(abi.encodeWithSelector(IBondVault.TermsFrozen.selector, uint64(7)));
        vm.prank(gpuOperator);
        vault.setTerms(7, _bondTerms());
        _offer(8, address(dollar), _twoTranches());
        vm.startPrank(gpuOperator);
        token.mint(ann, _id(8, 1), 1);
        vm.expectRevert(abi.encodeWithSelector(IBondVault.TermsFrozen.selector, uint64(8)));
        vault.setTerms(8, _bondTerms());
        vm.stopPrank();
    }

    function test_deposit__wrong__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IBondVault.DepositNotAccepted.selector, uint64(9)));
        vault.deposit(9, 1);
        vm.expectRevert(abi.encodeWithSelector(IPayouts.AmountZero.selector));
        vault.deposit(7, 0);
    }

    /// All promised hours at the rate must fit what a closing can stream to one tranche.
    function test_setTerms__rate_above_what_a_closing_can_pay__reverts() public {
        _offer(8, address(dollar), _twoTranches());
        // 142,560 GPU-seconds are promised: the least rate that is too high.
        uint256 tooHigh = ((uint256(1) << 63) * 3_600 + 142_559) / 142_560;
        // Below 2^58.
        // forge-lint: disable-next-line(unsafe-typecast)
        uint64 rate = uint64(tooHigh);
        vm.startPrank(gpuOperator);
        vm.expectRevert(abi.encodeWithSelector(IBondVault.RateAboveLimit.selector, uint64(8), rate));
        vault.setTerms(8, IBondVault.BondTerms(0, rate));
        vault.setTerms(8, IBondVault.BondTerms(0, rate - 1));
        vm.stopPrank();
        assertEq(vault.bondTermsOf(8).ratePerGpuHour, rate - 1, "the highest");
    }

    /// Nothing is paid for missing hours before the closing, so the bond never falls in mid-life.
    function test_bond__nothing_delivered__never_falls_before_the_closing() public {
        _fund();
        for (uint32 e = 0; e < EPOCHS; ++e) {
            _postFinal(7, 0, 0);
            lockbox.settle(7);
            assertEq(vault.bondOf(7), 1_000_000, "while it delivers");
        }
        _seal(7, 0);
        facilities.mature(7);
        vm.warp(lockbox.closableFrom(7) - 1);
        assertEq(vault.bondOf(7), 1_000_000, "after its end");
        vm.expectEmit(true, true, true, true, address(vault));
        emit IBondVault.BondSurrendered(7, 1_000_000);
        _close(7);
        assertEq(vault.bondOf(7), 0, "with the closing, all of it");
        assertEq(dollar.balanceOf(address(vault)), 0, "nothing is left");
        // 39.6 hours at 0.070001 are 2,772,039: more than the bond, so all of it is the holders'.
        assertEq(token.claimable(ann, _id(7, 0)) + token.claimable(bob, _id(7, 1)), 1_000_000, "to holders");
    }

    function test_surrender__anybody_but_the_lockbox__reverts() public {
        _fund();
        address[4] memory callers = [address(this), gpuOperator, address(sale), address(facilities)];
        for (uint256 i = 0; i < callers.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IBondVault.NotRentLockbox.selector, callers[i]));
            vm.prank(callers[i]);
            vault.surrender(7);
        }
        vm.startPrank(address(lockbox));
        assertEq(vault.surrender(7), 1_000_000, "all");
        assertEq(vault.surrender(7), 0, "once");
        vm.stopPrank();
        assertEq(dollar.balanceOf(address(lockbox)), 1_000_000, "sent");
    }

    function test_release__any_state_but_cancelled__reverts() public {
        bytes memory needed = abi.encodeWithSelector(IBondVault.BondStillNeeded.selector, uint64(7));
        vm.expectRevert(needed);
        vault.release(7);
        _fund();
        vm.expectRevert(needed);
        vault.release(7);
        for (uint32 e = 0; e < EPOCHS; ++e) {
            _postFinal(7, 0, 36_000);
        }
        lockbox.settle(7);
        _seal(7, 0);
        facilities.mature(7);
        vm.expectRevert(needed);
        vault.release(7);
        vm.expectRevert(abi.encodeWithSelector(IBondVault.DepositNotAccepted.selector, uint64(7)));
        vault.deposit(7, 1);
        _close(7);
        vm.expectRevert(needed);
        vault.release(7);
        // Everything was delivered: the closing gives the bond back.
        vm.prank(gpuOperator);
        assertEq(lockbox.withdraw(address(dollar), gpuOperator), 1_000_000, "the operator's");
    }

    function test_release__offer_cancelled__once() public {
        vm.prank(gpuOperator);
        facilities.cancel(7);
        vm.expectRevert(abi.encodeWithSelector(IBondVault.DepositNotAccepted.selector, uint64(7)));
        vault.deposit(7, 1);
        vm.expectEmit(true, true, true, true, address(vault));
        emit IBondVault.BondReleased(7, gpuOperator, 1_000_000);
        assertEq(vault.release(7), 1_000_000, "all");
        vm.expectRevert(abi.encodeWithSelector(IBondVault.NothingDue.selector, uint64(7)));
        vault.release(7);
        vm.prank(gpuOperator);
        vault.withdraw(address(dollar), gpuOperator);
        assertEq(dollar.balanceOf(address(vault)), 0, "nothing is left");
    }

    function _fund() private {
        _fund(7);
    }

    function _fund(uint64 facilityId) private {
        vm.startPrank(gpuOperator);
        token.mint(ann, _id(facilityId, 0), 16);
        token.mint(bob, _id(facilityId, 1), 24);
        facilities.fund(facilityId);
        vm.stopPrank();
        vm.warp(START);
    }
}
