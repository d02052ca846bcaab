// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttesterRegistry} from "../../../contracts/interfaces/IAttesterRegistry.sol";
import {IEndings} from "../../../contracts/interfaces/IEndings.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IRentLockbox} from "../../../contracts/interfaces/IRentLockbox.sol";
import {IStatementRegistry} from "../../../contracts/interfaces/IStatementRegistry.sol";
import {DealBase} from "./DealBase.sol";

/// @dev Tries several calls in one transaction.
contract Atomic {
    function run(address[] calldata targets, bytes[] calldata calls) external {
        for (uint256 i = 0; i < targets.length; ++i) {
            // solhint-disable-next-line avoid-low-level-calls
            (bool done, bytes memory reason) = targets[i].call(calls[i]);
            if (done) continue;
            // solhint-disable-next-line no-inline-assembly
            assembly {
                revert(add(reason, 32), mload(reason))
            }
        }
    }
}

/// @title Who would gain from an ending, and does not (ATTACKS 40 to 46)
contract ClosingAttacksTest is DealBase {
    /// Finding F5: no terms, no attesters, ten years: everything was locked.
    function test_stop__everybody_silent__from_the_exact_second_all_money_moves() public {
        _found(_soldOut(100));
        uint256 from = START + EPOCHS * EPOCH + SEAL + LONG_STOP;
        vm.warp(from - 1);
        vm.expectRevert(abi.encodeWithSelector(IEndings.LongStopAhead.selector, FACILITY, from));
        facilities.stop(FACILITY);
        vm.warp(from);
        vm.prank(stranger);
        facilities.stop(FACILITY);
        _close();
        assertEq(_unit(SENIOR), 2_200_000, "senior");
        assertEq(_unit(JUNIOR), 2_800_000, "junior");
        _sweep(0);
    }

    /// Findings F2, F2b, F41: a pause or silent attesters cost an honest operator its bond.
    function test_publish__attesters_silent__no_default_and_no_damages() public {
        _found(_soldOut(100));
        statements.pause();
        for (uint32 e = 0; e < EPOCHS; ++e) {
            vm.warp(START + (e + 1) * EPOCH);
            _publish(e);
        }
        vm.warp(_now() + 30 days);
        for (uint32 e = 0; e < EPOCHS; ++e) {
            vm.expectRevert(abi.encodeWithSelector(IEndings.EpochNotOpen.selector, FACILITY, e));
            facilities.noticeDefault(FACILITY, e);
        }
        vm.warp(START + EPOCHS * EPOCH + SEAL + LONG_STOP);
        facilities.stop(FACILITY);
        _close();
        // Nothing is stated, so nothing is earned: the price goes back less what was up front, and the bond is whole.
        assertEq(_unit(SENIOR), 1_600_000, "senior: 80 % of the price");
        assertEq(_unit(JUNIOR), 800_000, "junior: 80 % of the price");
        assertEq(_operatorInAll(), 112 * USDC, "bond and what was up front");
        _sweep(0);
    }

    /// Evidence of nonsense is rejected by k attesters: then it is as if it had never been published.
    function test_reject__nonsense_published__is_a_default_like_any_other() public {
        _found(_soldOut(100));
        vm.warp(START + EPOCHS * EPOCH);
        for (uint32 e = 0; e < EPOCHS; ++e) {
            _publish(e);
        }
        _reject(0);
        _default();
        _close();
        assertEq(_unit(SENIOR), 2_200_000, "senior");
        assertEq(_unit(JUNIOR), 2_800_000, "junior");
        assertEq(_operatorInAll(), 60 * USDC, "operator");
    }

    /// Also after the end, until the closing.
    function test_reject__after_the_end__counts() public {
        _found(_soldOut(100));
        vm.warp(START + EPOCHS * EPOCH + SEAL + LONG_STOP);
        for (uint32 e = 0; e < EPOCHS; ++e) {
            _publish(e);
        }
        facilities.stop(FACILITY);
        vm.warp(lockbox.closableFrom(FACILITY));
        _reject(0);
        _close();
        assertEq(_operatorInAll(), 60 * USDC, "operator");
        assertEq(_unit(JUNIOR), 2_800_000, "junior");
    }

    /// Findings F3: void, default and seizure in one transaction.
    function test_declareDefault__several_steps_in_one_transaction__never() public {
        _found(_soldOut(100));
        _post(10 hours, 10 * RATE);
        vm.warp(START + EPOCH + 30 days);
        Atomic atomic = new Atomic();
        address[] memory targets = new address[](2);
        (targets[0], targets[1]) = (address(facilities), address(facilities));
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(facilities.noticeDefault, (FACILITY, 1));
        calls[1] = abi.encodeCall(facilities.declareDefault, (FACILITY, 1));
        uint256 cureUntil = _now() + EPOCH + 1 days;
        bytes memory running = abi.encodeWithSelector(IEndings.CureRunning.selector, FACILITY, uint32(1), cureUntil);
        vm.expectRevert(running);
        atomic.run(targets, calls);
        facilities.noticeDefault(FACILITY, 1);
        vm.warp(cureUntil - 1);
        vm.expectRevert(running);
        facilities.declareDefault(FACILITY, 1);
        // Cured in the last second.
        _publish(1);
        vm.warp(cureUntil);
        vm.expectRevert(abi.encodeWithSelector(IEndings.EpochNotOpen.selector, FACILITY, uint32(1)));
        facilities.declareDefault(FACILITY, 1);
        // An old notice does not help k attesters to a default in one transaction.
        _reject(1);
        vm.expectRevert(abi.encodeWithSelector(IEndings.DefaultNotNoticed.selector, FACILITY, uint32(1)));
        facilities.declareDefault(FACILITY, 1);
    }

    /// Attesters that reject an epoch in its notice's block: the operator still gets a whole cure of its own.
    function test_declareDefault__rejected_in_the_block_of_the_notice__needs_a_new_one() public {
        _found(_soldOut(100));
        _post(10 hours, 10 * RATE);
        vm.warp(START + EPOCH + 30 days);
        facilities.noticeDefault(FACILITY, 1);
        _publish(1);
        _reject(1);
        uint256 cureUntil = _now() + EPOCH + 1 days;
        vm.expectRevert(abi.encodeWithSelector(IEndings.EpochNotOverdue.selector, FACILITY, uint32(1), _now() + 1));
        facilities.noticeDefault(FACILITY, 1);
        vm.warp(cureUntil);
        vm.expectRevert(abi.encodeWithSelector(IEndings.DefaultNotNoticed.selector, FACILITY, uint32(1)));
        facilities.declareDefault(FACILITY, 1);
        facilities.noticeDefault(FACILITY, 1);
        assertEq(facilities.defaultNoticedAt(FACILITY, 1), _now(), "noticed anew");
    }

    /// A puppet cannot start the cure anew.
    function test_noticeDefault__again__keeps_the_first() public {
        _found(_soldOut(100));
        vm.warp(START + EPOCH + PATIENCE);
        facilities.noticeDefault(FACILITY, 0);
        uint64 noticedAt = facilities.defaultNoticedAt(FACILITY, 0);
        vm.warp(_now() + 1 hours);
        vm.expectRevert(abi.encodeWithSelector(IEndings.DefaultNoticedBefore.selector, FACILITY, uint32(0), noticedAt));
        facilities.noticeDefault(FACILITY, 0);
    }

    /// Finding F32: one minor unit in front of `mature`.
    function test_mature__dust_of_rent_in_front__changes_nothing() public {
        _found(_soldOut(100));
        for (uint256 e = 0; e < EPOCHS; ++e) {
            _post(10 hours, 10 * RATE);
        }
        _seal(0);
        facilities.noticeUnpaid(FACILITY);
        vm.warp(_now() + 90 days);
        _pay(1);
        facilities.mature(FACILITY);
        assertTrue(facilities.stateOf(FACILITY) == IFacilityRegistry.FacilityState.Matured, "matured");
    }

    /// Finding F8: the first caller after the last final second was paid for compute that was served.
    function test_close__before_its_time_or_twice__reverts() public {
        _found(_soldOut(100));
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.ClosingNotOpen.selector, FACILITY, uint64(0)));
        lockbox.close(FACILITY);
        for (uint256 e = 0; e < EPOCHS; ++e) {
            _deliver(10);
        }
        _seal(0);
        facilities.mature(FACILITY);
        // A day for deliveries to be served.
        uint64 opensAt = uint64(_now() + 1 days);
        assertEq(lockbox.closableFrom(FACILITY), opensAt, "a day after maturity");
        vm.warp(opensAt - 1);
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.ClosingNotOpen.selector, FACILITY, opensAt));
        lockbox.close(FACILITY);
        vm.warp(opensAt);
        lockbox.close(FACILITY);
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.ClosingNotOpen.selector, FACILITY, uint64(0)));
        lockbox.close(FACILITY);
    }

    /// Epochs that were over at the end are stated afterwards, paused or not; they lower what is missing.
    function test_post__after_the_end__counts_for_an_epoch_and_a_day() public {
        _found(_soldOut(100));
        _default();
        statements.pause();
        uint64 until = statements.statementsEndAt(FACILITY);
        assertEq(until, _now() + EPOCH + 1 days, "an epoch and a day");
        _pay(20 * RATE);
        _post(10 hours, 10 * RATE);
        vm.warp(until - 1);
        _post(10 hours, 10 * RATE);
        IStatementRegistry.Statement memory late = _statement(36_000, 0);
        IAttesterRegistry.Attestation[] memory signatures = _signed(statements.statementDigest(late));
        vm.warp(until);
        vm.expectRevert(abi.encodeWithSelector(IStatementRegistry.FacilityNotDelivering.selector, FACILITY));
        statements.post(late, signatures);
        assertEq(statements.statementsEndAt(FACILITY), until - 1 + CHALLENGE_WINDOW, "until the newest is final");
        _close();
        assertEq(_operatorInAll(), 110 * USDC, "as if they had been stated before");
        assertEq(_unit(JUNIOR), 2_800_000, "junior");
        _sweep(0);
    }

    /// Finding M15: first caller takes the bond. One closing has no second caller.
    function test_close__by_anybody__gives_the_same() public {
        _found(_soldOut(50));
        uint256 voucher = _takeDelivery(desk, bob, JUNIOR, 7, "voucher");
        _deliver(7);
        _default();
        vm.warp(lockbox.closableFrom(FACILITY));
        uint256 before = vm.snapshotState();
        address[3] memory callers = [gpuOperator, bob, stranger];
        uint256[3] memory first;
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(callers[i]);
            lockbox.close(FACILITY);
            vm.warp(_now() + 1 days);
            uint256[3] memory got = [_unit(SENIOR), _operatorInAll(), lockbox.payableToVoucher(voucher)];
            if (i == 0) first = got;
            for (uint256 j = 0; j < 3; ++j) {
                assertEq(got[j], first[j], "same for every caller");
            }
            vm.revertToState(before);
        }
    }

    /// @dev ATTACKS 13, 43: the money of a closing streams, so a borrowed unit earns nothing of it.
    function test_close__units_borrowed_for_one_transaction__gain_nothing() public {
        _found(_soldOut(100));
        _default();
        vm.warp(lockbox.closableFrom(FACILITY));
        lockbox.close(FACILITY);
        assertEq(token.claimable(ann, SENIOR), 0, "nothing at once");
        vm.prank(ann);
        token.safeTransferFrom(ann, bob, SENIOR, 10, "");
        vm.warp(_now() + 12 hours);
        assertEq(token.claimable(ann, SENIOR), 11 * USDC, "half of ten units' money");
    }

    /// Rent above the worth of its hours that comes after the closing is still rent, and pays no coupon a second time.
    function test_settle__dear_rent_after_the_closing__pays_no_coupon_twice() public {
        _found(_soldOut(100));
        _post(2 hours, 40 * USDC);
        _default();
        _close();
        // Two hours at the rate: 5. Missing hours pay all other coupons.
        (uint256 advanced,) = lockbox.advanceOf(FACILITY);
        assertEq(advanced, 5 * USDC, "the bond paid the worth of its hours");
        assertEq(_unit(SENIOR), 2_200_000, "the coupon");
        assertEq(lockbox.arrearsOf(SENIOR), 0, "arrears became claims");
        uint256 junior = _unit(JUNIOR);
        _pay(40 * USDC);
        lockbox.settle(FACILITY);
        vm.warp(_now() + 1 days);
        assertEq(_unit(SENIOR), 2_200_000, "no more than the coupon");
        assertEq(_unit(JUNIOR), junior + 1_750_000, "35 for juniors; 5 go where the bond's would have gone");
        _sweep(0);
    }

    /// Rent after the closing is taken only up to what is attested.
    function test_payRent__closed__up_to_what_is_attested() public {
        _found(_soldOut(30));
        for (uint256 e = 0; e < EPOCHS; ++e) {
            _post(5 hours, 5 * RATE);
        }
        vm.warp(START + EPOCHS * EPOCH + SEAL + LONG_STOP);
        facilities.stop(FACILITY);
        _close();
        dollar.mint(renter, 100 * USDC);
        vm.startPrank(renter);
        dollar.approve(address(lockbox), type(uint256).max);
        vm.expectRevert(
            abi.encodeWithSelector(IRentLockbox.AmountAboveLimit.selector, 50 * USDC + 1, uint256(50 * USDC))
        );
        lockbox.payRent(FACILITY, "lease", 50 * USDC + 1);
        lockbox.payRent(FACILITY, "lease", 20 * USDC);
        lockbox.payRent(FACILITY, "lease", 30 * USDC);
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.AmountAboveLimit.selector, uint256(1), uint256(0)));
        lockbox.payRent(FACILITY, "lease", 1);
        vm.stopPrank();
        lockbox.settle(FACILITY);
        vm.warp(_now() + 1 days);
        assertEq(_operatorInAll(), 40 * USDC, "operator");
        _sweep(0);
    }
}
