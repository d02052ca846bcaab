// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DealBase} from "./DealBase.sol";

/// @title The table of docs/DEAL.md, row by row, to the minor unit
contract DealTest is DealBase {
    function test_deal__sold_out_all_delivered__performance() public {
        _found(_soldOut(100));
        _deliverAll();
        _mature();
        _close();
        _expect(2_200_000, 2_800_000, 160);
        _sweep(0);
    }

    /// Finding F1: the operator of the attack got 40 and the bond, ann nothing.
    function test_deal__nothing_delivered__holders_get_what_performance_pays() public {
        _found(_soldOut(100));
        _default();
        _close();
        _expect(2_200_000, 2_800_000, 60);
        _sweep(0);
    }

    function test_deal__two_epochs_then_default__bond_makes_them_whole() public {
        _twoEpochsThenDefault(100);
        _expect(2_200_000, 2_800_000, 110);
        _sweep(0);
    }

    function test_deal__two_epochs_then_default__small_bond_pays_seniors_first() public {
        _twoEpochsThenDefault(10);
        _expect(2_200_000, 2_000_000, 36);
        _sweep(0);
    }

    function test_deal__half_in_every_epoch__as_a_default_at_half() public {
        _halfInEveryEpoch(100);
        _expect(2_200_000, 2_800_000, 110);
        _sweep(0);
    }

    function test_deal__half_in_every_epoch__small_bond() public {
        _halfInEveryEpoch(10);
        _expect(2_200_000, 2_000_000, 36);
        _sweep(0);
    }

    /// Finding F18: the operator matured in front of late rent, and no rent ever came.
    function test_deal__rent_paid_after_the_closing__is_still_rent() public {
        _found(_soldOut(30));
        for (uint256 e = 0; e < EPOCHS; ++e) {
            _post(5 hours, 5 * RATE);
        }
        _seal(0);
        lockbox.settle(FACILITY);
        facilities.noticeUnpaid(FACILITY);
        vm.warp(_now() + 90 days);
        facilities.mature(FACILITY);
        _close();
        _pay(50 * USDC);
        lockbox.settle(FACILITY);
        vm.warp(_now() + 1 days);
        _expect(2_200_000, 2_800_000, 40);
        _sweep(0);
    }

    function test_deal__half_promised__hours_beyond_the_promise_earn_nothing_in_advance() public {
        Deal memory deal = _soldOut(100);
        deal.promisedPpm = 500_000;
        _found(deal);
        _deliver(10);
        _deliver(10);
        _default();
        _close();
        _expect(2_200_000, 1_550_000, 135);
        _sweep(0);
    }

    function test_deal__partly_sold_all_delivered__unsold_units_rank_behind() public {
        _found(Deal(10, 5, 100 * USDC, 1_000_000, 0));
        _deliverAll();
        _mature();
        _close();
        _expect(2_200_000, 2_800_000, 189);
        _sweep(0);
    }

    function test_deal__partly_sold_default_at_half__what_falls_on_unsold_stays_in_the_bond() public {
        _found(Deal(10, 5, 100 * USDC, 1_000_000, 0));
        _deliver(10);
        _deliver(10);
        _default();
        _close();
        _expect(2_200_000, 2_800_000, 139);
        _sweep(0);
    }

    function test_deal__partly_sold_default_at_half__small_bond() public {
        _found(Deal(10, 5, 10 * USDC, 1_000_000, 0));
        _deliver(10);
        _deliver(10);
        _default();
        _close();
        _expect(2_200_000, 2_800_000, 49);
        _sweep(0);
    }

    /// Finding F6: a voucher was a free put on the bond, paid before every senior.
    function test_deal__vouchers_never_served__get_what_their_hours_cost() public {
        _found(_soldOut(100));
        uint256 voucher = _takeDelivery(desk, ann, SENIOR, 5, "voucher");
        assertEq(desk.voucherOf(voucher).owedGpuSeconds, 4.4 hours, "hours");
        _deliver(10);
        _deliver(10);
        _default();
        _close();
        assertEq(lockbox.payVoucher(voucher), 11 * USDC, "vouchers");
        assertEq(_operatorInAll(), 110 * USDC, "operator");
        assertEq(_unit(SENIOR), 2_200_000, "senior");
        assertEq(_unit(JUNIOR), 2_800_000, "junior");
        _sweep(1);
    }

    /// The operator promises that GPUs are available, not that anybody rents them.
    function test_deal__all_available_nobody_rents__nothing_is_paid_and_nothing_missing() public {
        _found(_soldOut(100));
        for (uint256 e = 0; e < EPOCHS; ++e) {
            _post(10 hours, 0);
        }
        vm.warp(_now() + CHALLENGE_WINDOW);
        _mature();
        _close();
        _expect(0, 0, 160);
        _sweep(0);
    }

    /// Rent that neither renters nor the bond paid stands for nothing: damages pay seniors' coupons first.
    function test_deal__rent_never_paid__the_bond_pays_it_as_rent() public {
        _found(_soldOut(30));
        for (uint256 e = 0; e < EPOCHS; ++e) {
            _post(5 hours, 5 * RATE);
        }
        _seal(0);
        facilities.noticeUnpaid(FACILITY);
        vm.warp(_now() + 90 days);
        facilities.mature(FACILITY);
        _close();
        _expect(2_200_000, 500_000, 36);
        _sweep(0);
    }

    /// Every hash published in the transaction before the closing: too late, nothing can be published after the end.
    function test_deal__published_before_the_closing__is_too_late() public {
        _found(_soldOut(100));
        _default();
        vm.expectRevert();
        vm.prank(gpuOperator);
        statements.publish(FACILITY, 0, "hash");
        _close();
        _expect(2_200_000, 2_800_000, 60);
    }

    function _deliverAll() private {
        for (uint256 e = 0; e < EPOCHS; ++e) {
            _deliver(10);
        }
    }

    function _mature() private {
        _seal(0);
        facilities.mature(FACILITY);
    }

    function _twoEpochsThenDefault(uint256 bond) private {
        _found(_soldOut(bond));
        _deliver(10);
        _deliver(10);
        _default();
        _close();
    }

    function _halfInEveryEpoch(uint256 bond) private {
        _found(_soldOut(bond));
        for (uint256 e = 0; e < EPOCHS; ++e) {
            _deliver(5);
        }
        _mature();
        _close();
    }

    function _expect(uint256 senior, uint256 junior, uint256 operator) private view {
        assertEq(_operatorInAll(), operator * USDC, "operator");
        assertEq(_unit(SENIOR), senior, "senior");
        assertEq(_unit(JUNIOR), junior, "junior");
    }
}
