// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBondVault} from "../../../contracts/interfaces/IBondVault.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IPayouts} from "../../../contracts/interfaces/IPayouts.sol";
import {IRentLockbox} from "../../../contracts/interfaces/IRentLockbox.sol";
import {MoneyBase} from "./MoneyBase.sol";

contract LockboxTest is MoneyBase {
    function setUp() public {
        _deploy();
        _funded(7, address(dollar), _twoTranches());
    }

    function test_settle__arrears_over_epochs__juniors_wait() public {
        _pay(7, 2_000_000);
        _postFinal(7, 1_000_000, 36_000);
        lockbox.settle(7);
        uint256 due = uint256(16) * (COUPON / 4);
        assertEq(lockbox.arrearsOf(_id(7, 0)), due - 990_000, "arrears after one epoch");
        assertEq(token.unvested(_id(7, 1)), 0, "junior");

        _pay(7, 40_000_000);
        _postFinal(7, 30_000_000, 36_000);
        lockbox.settle(7);
        uint256 throughTwo = uint256(16) * (COUPON * 2 / 4);
        assertEq(lockbox.arrearsOf(_id(7, 0)), 0, "arrears paid");
        uint256 net = 990_000 + 29_700_000;
        assertEq(token.unvested(_id(7, 1)), net - throughTwo, "the junior gets the residual");
        assertEq(lockbox.feesOwed(7), 310_000, "fees");
    }

    /// ATTACKS 10: a senior never gets more than its coupon.
    function test_settle__last_tranche_without_units__residual_to_the_gpuOperator() public {
        _burnAll(_id(7, 1));
        _pay(7, 40_000_000);
        _postFinal(7, 30_000_000, 36_000);
        lockbox.settle(7);
        uint256 coupon = uint256(16) * (COUPON / 4);
        assertEq(token.unvested(_id(7, 0)), coupon, "the senior gets its coupon");
        assertEq(token.unvested(_id(7, 1)), 0, "nobody there");
        assertEq(lockbox.owedTo(address(dollar), gpuOperator), 29_700_000 - coupon, "falls on nobody");
    }

    /// Unsold units' coupons come right behind the bought ones, and share the residual unit by unit.
    function test_settle__half_unsold__operator_gets_what_falls_on_unsold_units() public {
        _offer(8, address(dollar), _twoTranches());
        _noBond(8);
        vm.startPrank(gpuOperator);
        token.mint(ann, _id(8, 0), 4);
        token.mint(bob, _id(8, 1), 6);
        facilities.fund(8);
        vm.stopPrank();
        _pay(8, 40_000_000);
        uint256 perUnit = COUPON / 4;

        // Enough for the bought coupons and a part of the unsold ones.
        _postFinal(8, 2_000_000, 36_000);
        lockbox.settle(8);
        uint256 left = 1_980_000 - 4 * perUnit;
        assertEq(token.unvested(_id(8, 0)), 4 * perUnit, "bought seniors first");
        assertEq(lockbox.owedTo(address(dollar), gpuOperator), left, "then unsold ones");
        assertEq(lockbox.arrearsOf(_id(8, 0)), 0, "bought ones are behind nothing");
        assertEq(lockbox.unsoldArrearsOf(_id(8, 0)), 12 * perUnit - left, "unsold ones are");
        assertEq(token.unvested(_id(8, 1)), 0, "juniors wait for both");

        _postFinal(8, 30_000_000, 36_000);
        vm.warp(vm.getBlockTimestamp() + EPOCH);
        lockbox.settle(8);
        uint256 both = COUPON * 2 / 4;
        uint256 rest = 1_980_000 + 29_700_000 - 16 * both;
        assertEq(token.unvested(_id(8, 0)), 4 * (both - perUnit), "the second coupon");
        assertEq(token.unvested(_id(8, 1)), rest - rest * 18 / 24, "six of twenty-four juniors");
        assertEq(lockbox.owedTo(address(dollar), gpuOperator), 12 * both + rest * 18 / 24, "the rest");
    }

    /// Four epochs are final, the money came in the first: the caller once chose whether the senior got its coupons.
    function test_settle__after_an_outage__no_caller_chooses_who_is_paid() public {
        _pay(7, 40_000_000);
        _postFinal(7, 40_000_000, 36_000);
        for (uint256 e = 1; e < EPOCHS; ++e) {
            _postFinal(7, 0, 36_000);
        }

        vm.prank(bob);
        lockbox.settle(7);

        uint256 senior = uint256(16) * COUPON;
        assertEq(lockbox.bookOf(7).settledEpochs, EPOCHS, "all final epochs");
        assertEq(token.unvested(_id(7, 0)), senior, "every coupon first");
        assertEq(token.unvested(_id(7, 1)), 39_600_000 - senior, "then the residual");
    }

    /// Twenty settlements of 99 micros once paid no fee at all.
    function test_settle__many_small_ones__pay_the_fee_of_a_large_one() public {
        for (uint256 i = 0; i < 20; ++i) {
            _pay(7, 99);
            if (i == 0) _postFinal(7, 10_000, 36_000);
            lockbox.settle(7);
        }
        assertEq(lockbox.feesOwed(7), 19, "one per cent of 1,980");
    }

    /// ATTACKS 10
    function test_settle__no_units_at_all__owed_to_the_gpuOperator() public {
        _pay(7, 40_000_000);
        _postFinal(7, 1_000_000, 36_000);
        lockbox.settle(7);
        require(lockbox.arrearsOf(_id(7, 0)) > 0, "arrears before");
        _burnAll(_id(7, 0));
        _burnAll(_id(7, 1));
        _postFinal(7, 30_000_000, 36_000);
        lockbox.settle(7);
        assertEq(lockbox.arrearsOf(_id(7, 0)), 0, "arrears lapse");
        assertEq(lockbox.owedTo(address(dollar), gpuOperator), 29_700_000, "owed");

        vm.expectRevert(abi.encodeWithSelector(IPayouts.RecipientInvalid.selector, address(0)));
        vm.prank(gpuOperator);
        lockbox.withdraw(address(dollar), address(0));
        // ATTACKS 45: money in the lockbox that belongs to nobody could not be moved by any call.
        vm.expectRevert(abi.encodeWithSelector(IPayouts.RecipientInvalid.selector, address(lockbox)));
        vm.prank(gpuOperator);
        lockbox.withdraw(address(dollar), address(lockbox));
        vm.prank(gpuOperator);
        lockbox.withdraw(address(dollar), cleo);
        assertEq(dollar.balanceOf(cleo), 29_700_000, "paid where it asked for");
        vm.expectRevert(abi.encodeWithSelector(IPayouts.NothingOwed.selector, address(dollar), gpuOperator));
        vm.prank(gpuOperator);
        lockbox.withdraw(address(dollar), cleo);
    }

    function test_coupon__burned_units__accrue_no_more() public {
        _postFinal(7, 0, 36_000);
        lockbox.settle(7);
        uint256 first = lockbox.arrearsOf(_id(7, 0));
        _burn(ann, _id(7, 0), 8);
        _postFinal(7, 0, 36_000);
        lockbox.settle(7);
        assertEq(lockbox.arrearsOf(_id(7, 0)), first / 2 + 8 * (COUPON * 2 / 4 - COUPON / 4), "8 units less");
    }

    function test_arrears__half_of_the_units_burned__half_of_them_lapses() public {
        _postFinal(7, 0, 36_000);
        lockbox.settle(7);
        uint256 before = lockbox.arrearsOf(_id(7, 0));
        _burn(ann, _id(7, 0), 8);
        assertEq(lockbox.arrearsOf(_id(7, 0)), before / 2, "arrears belong to units");
        _pay(7, 40_000_000);
        _postFinal(7, 20_000_000, 36_000);
        lockbox.settle(7);
        uint256 due = before / 2 + 8 * (COUPON * 2 / 4 - COUPON / 4);
        assertEq(token.unvested(_id(7, 0)), due, "the others' arrears and coupons");
    }

    /// ATTACKS 28: callers that race do not stop each other.
    function test_settleMany__some_done_already__passes_over_them() public {
        _funded(8, address(dollar), _oneTranche());
        _pay(7, 5_000_000);
        _pay(8, 5_000_000);
        _postFinal(7, 1_000_000, 36_000);
        statements.post(8, 2_000_000, 36_000);
        vm.warp(vm.getBlockTimestamp() + 600);
        lockbox.settle(7);
        uint64[] memory ids = new uint64[](5);
        // One is settled already, two are unknown, one comes twice.
        (ids[0], ids[1], ids[2], ids[3], ids[4]) = (7, 9, 8, 8, 10);

        lockbox.settleMany(ids);

        assertEq(lockbox.bookOf(8).settled, 2_000_000, "the other one, once");
        assertEq(lockbox.bookOf(7).settled, 1_000_000, "once");
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.NothingToSettle.selector, uint64(7)));
        lockbox.settle(7);
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.NothingToSettle.selector, uint64(9)));
        lockbox.settle(9);
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.NotThisContract.selector, address(this)));
        lockbox.settleTogether(ids);
    }

    /// Invariant 5: the closing settles first, so that coupons of final epochs come before what missing hours cost.
    function test_close__unsettled_final_epochs__settles_them_first() public {
        _pay(7, 5_000_000);
        _postFinal(7, 5_000_000, 36_000);
        _default(7, 1);
        vm.warp(lockbox.closableFrom(7));
        lockbox.close(7);
        uint256 coupon = uint256(16) * (COUPON / 4);
        assertEq(token.unvested(_id(7, 0)), coupon, "senior first");
        assertEq(token.unvested(_id(7, 1)), 4_950_000 - coupon, "then junior");
        assertEq(lockbox.feesOwed(7), 50_000, "the fee of rent");
        assertEq(lockbox.bookOf(7).settledEpochs, 1, "settled on the way");
    }

    /// ATTACKS 40: what missing hours cost on units that nobody bought is no claim: it stays in the bond.
    function test_close__unsold_units__claim_nothing() public {
        vm.warp(START - 100_000);
        _offer(8, address(dollar), _twoTranches());
        _noBond(8);
        _depositBond(8, 9_000_000);
        vm.startPrank(gpuOperator);
        token.mint(ann, _id(8, 0), 4);
        facilities.fund(8);
        vm.stopPrank();
        _default(8, 0);
        vm.warp(lockbox.closableFrom(8));
        lockbox.close(8);

        // 39.6 hours at 0.070001, less the fee: less than the coupons of the four bought seniors.
        uint256 damages = uint256(142_560) * RATE / 3_600;
        uint256 fee = damages / 100;
        require(damages - fee < 4 * uint256(COUPON), "no unsold unit shares");
        assertEq(token.unvested(_id(8, 0)), damages - fee, "the seniors that were sold");
        assertEq(lockbox.feesOwed(8), fee, "fee");
        assertEq(lockbox.owedTo(address(dollar), gpuOperator), 9_000_000 - damages, "the rest of the bond");
        assertEq(lockbox.unsoldArrearsOf(_id(8, 0)), 0, "nothing was stated, nothing fell due");
    }

    /// The same with a rate at which the bought coupons are covered: what falls on unsold units stays the operator's.
    function test_close__damages_above_the_bought_coupons__rest_stays_in_the_bond() public {
        vm.warp(START - 100_000);
        _offer(8, address(dollar), _twoTranches());
        vm.startPrank(gpuOperator);
        vault.setTerms(8, IBondVault.BondTerms(0, 1_000_000));
        token.mint(ann, _id(8, 0), 4);
        token.mint(bob, _id(8, 1), 6);
        facilities.fund(8);
        vm.stopPrank();
        _depositBond(8, 50_000_000);
        _default(8, 0);
        vm.warp(lockbox.closableFrom(8));
        lockbox.close(8);

        uint256 net = 39_600_000 - 396_000;
        uint256 residual = net - 16 * uint256(COUPON);
        uint256 toJuniors = residual - residual * 18 / 24;
        assertEq(token.unvested(_id(8, 0)), 4 * uint256(COUPON), "bought seniors, their coupon");
        assertEq(token.unvested(_id(8, 1)), toJuniors, "six of twenty-four juniors");
        uint256 rest = 50_000_000 - 396_000 - 4 * uint256(COUPON) - toJuniors;
        assertEq(lockbox.owedTo(address(dollar), gpuOperator), rest, "what falls on unsold units");
    }

    /// ATTACKS 25
    function test_refundExcess__twice_paid__back_to_the_payer_alone() public {
        _pay(7, 50_000_000);
        _pay(7, 50_000_000);
        bytes memory open = abi.encodeWithSelector(IRentLockbox.FacilityNotClosed.selector, uint64(7));
        vm.expectRevert(open);
        vm.prank(address(refundDesk));
        lockbox.refundExcess(7, renter, 1);
        for (uint32 e = 0; e < EPOCHS; ++e) {
            _postFinal(7, 12_500_000, 36_000);
        }
        lockbox.settle(7);
        _seal(7, 0);
        facilities.mature(7);
        assertEq(lockbox.excessOf(7), 50_000_000, "excess");
        vm.expectRevert(open);
        vm.prank(address(refundDesk));
        lockbox.refundExcess(7, renter, 1);
        _close(7);

        vm.expectRevert(
            abi.encodeWithSelector(IRentLockbox.RefundAboveExcess.selector, uint64(7), 50_000_001, 50_000_000)
        );
        vm.prank(address(refundDesk));
        lockbox.refundExcess(7, renter, 50_000_001);
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.RefundAbovePaid.selector, uint64(7), cleo, 1, 0));
        vm.prank(address(refundDesk));
        lockbox.refundExcess(7, cleo, 1);
        vm.expectRevert(abi.encodeWithSelector(IPayouts.AmountZero.selector));
        vm.prank(address(refundDesk));
        lockbox.refundExcess(7, renter, 0);
        vm.prank(address(refundDesk));
        lockbox.refundExcess(7, renter, 50_000_000);
        assertEq(lockbox.bookOf(7).collected, 50_000_000, "collected falls to what was attested");
        vm.prank(renter);
        lockbox.withdraw(address(dollar), renter);
        assertEq(dollar.balanceOf(renter), 50_000_000, "renter");
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.AmountAboveLimit.selector, 1, 0));
        vm.prank(renter);
        lockbox.payRent(7, "", 1);
    }

    /// @dev ATTACKS 45: a tranche of one unit; what its unit cannot earn goes to the gpuOperator, and nothing is locked.
    function test_settle__more_than_a_unit_can_earn__owed_to_the_gpuOperator() public {
        IFacilityRegistry.TrancheTerms[] memory tranches = _twoTranches();
        tranches[1].unitCap = 2;
        vm.warp(START - 100_000);
        _funded(8, address(dollar), tranches);
        _burn(bob, _id(8, 1), 1);
        // 300 million dollars a time: more than 2^48 minor units.
        _pay(8, 600_000_000e6);
        _postFinal(8, 300_000_000e6, 36_000);
        lockbox.settle(8);
        uint256 senior = uint256(16) * (COUPON / 4);
        uint256 most = (1 << 48) - 1;
        uint256 owed = 297_000_000e6 - senior - most;
        assertEq(lockbox.owedTo(address(dollar), gpuOperator), owed, "the rest");
        assertEq(token.unvested(_id(8, 1)), most, "the most");

        _pay(7, 1_000_000);
        _postFinal(7, 1_000_000, 36_000);
        _postFinal(8, 300_000_000e6, 36_000);
        uint64[] memory both = new uint64[](2);
        (both[0], both[1]) = (7, 8);
        lockbox.settleMany(both);
        vm.warp(vm.getBlockTimestamp() + EPOCH);
        uint256 next = 297_000_000e6 - uint256(16) * (COUPON * 2 / 4 - COUPON / 4);
        assertEq(lockbox.owedTo(address(dollar), gpuOperator), owed + next, "all of it");
        assertEq(lockbox.feesOwed(8), 6_000_000e6, "fees");
        assertEq(token.claimable(ann, _id(8, 1)), most, "earned in full");
        vm.prank(gpuOperator);
        assertEq(lockbox.withdraw(address(dollar), gpuOperator), owed + next, "taken");
    }

    /// @dev ATTACKS 45: the most that a facility can collect is due at once, after epochs are settled, and is paid.
    function test_settle__sixty_four_bits_at_once__locks_nothing() public {
        _postFinal(7, 0, 36_000);
        lockbox.settle(7);
        uint256 all = type(uint64).max;
        _pay(7, all);
        // forge-lint: disable-next-line(unsafe-typecast)
        _postFinal(7, uint128(all), 36_000);
        assertEq(lockbox.settle(7), all, "settled");
        uint256 most = (24 * (uint256(1 << 72) - 1)) >> 24;
        assertEq(token.unvested(_id(7, 1)), most, "what 24 units can earn");
        uint256 senior = uint256(16) * (COUPON * 2 / 4);
        assertEq(token.unvested(_id(7, 0)), senior, "coupons of two epochs");
        assertEq(
            lockbox.owedTo(address(dollar), gpuOperator), all - lockbox.feesOwed(7) - senior - most, "the rest flows on"
        );
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.AmountAboveLimit.selector, 1, 0));
        lockbox.payRent(7, LEASE, 1);
    }

    function test_payRent__bounds__revert() public {
        vm.expectRevert(abi.encodeWithSelector(IPayouts.AmountZero.selector));
        lockbox.payRent(7, "", 0);
        uint256 limit = type(uint64).max;
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.AmountAboveLimit.selector, limit + 1, limit));
        lockbox.payRent(7, "", limit + 1);
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.RentNotAccepted.selector, uint64(9)));
        lockbox.payRent(9, "", 1);
    }

    function test_passFees__to_the_desk_alone__split() public {
        _pay(7, 5_000_000);
        _postFinal(7, 5_000_000, 36_000);
        assertEq(lockbox.settleable(7), 5_000_000, "settleable");
        lockbox.settle(7);
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.NotAttesterDesk.selector, address(this)));
        lockbox.passFees(7);
        assertEq(attesterDesk.collect(9), 0, "unknown");
        assertEq(attesterDesk.collect(7), 50_000, "one per cent");
        assertEq(attesterDesk.treasuryOwed(address(dollar)), 30_000, "less the attesters' forty per cent");
        assertEq(dollar.balanceOf(address(attesterDesk)), 50_000, "all of it");
        assertEq(lockbox.feesOwed(7), 0, "taken");
        assertEq(dollar.balanceOf(address(lockbox)), 0, "nothing left");
        assertEq(lockbox.settleable(9), 0, "unknown");
        assertEq(lockbox.arrearsOf(uint256(1) << 72), 0, "no such id");
        assertEq(lockbox.arrearsOf(_id(7, 9)), 0, "no such tranche");
    }

    /// ATTACKS 13: in just before the payout, out just after: 24 of 3,600 seconds of a tenth of the units.
    function test_settle__bought_just_before__gains_seconds_of_the_stream() public {
        _funded(8, address(dollar), _oneTranche());
        _pay(8, 10_000_000_000);
        vm.warp(START + EPOCH);
        statements.post(8, 10_000_000_000, 36_000);
        vm.warp(vm.getBlockTimestamp() + 600);
        vm.prank(ann);
        token.safeTransferFrom(ann, cleo, _id(8, 0), 4, "");
        lockbox.settle(8);
        vm.warp(vm.getBlockTimestamp() + 24);
        vm.prank(cleo);
        token.safeTransferFrom(cleo, ann, _id(8, 0), 4, "");
        uint256 gained = token.claimable(cleo, _id(8, 0));
        require(gained <= uint256(9_900_000_000) * 24 / 3_600 / 10, "no more than its seconds");
        vm.warp(vm.getBlockTimestamp() + EPOCH);
        assertEq(token.claimable(cleo, _id(8, 0)), gained, "nothing after it left");
    }

    /// ATTACKS 7: tokens sent to the lockbox are nobody's rent.
    function test_donation__to_the_lockbox__is_never_settled() public {
        dollar.mint(address(lockbox), 5_000_000);
        _postFinal(7, 5_000_000, 36_000);
        assertEq(lockbox.settleable(7), 0, "no rent");
        lockbox.settle(7);
        assertEq(lockbox.bookOf(7).settled, 0, "nothing settled");
    }

    function _burnAll(uint256 id) private {
        uint256 held = token.balanceOf(ann, id);
        uint256 more = token.balanceOf(bob, id);
        if (held > 0) _burn(ann, id, held);
        if (more > 0) _burn(bob, id, more);
    }
}
