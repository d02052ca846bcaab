// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IPayouts} from "../../../contracts/interfaces/IPayouts.sol";
import {IRentLockbox} from "../../../contracts/interfaces/IRentLockbox.sol";
import {IStatementRegistry} from "../../../contracts/interfaces/IStatementRegistry.sol";
import {Waterfall} from "../../../contracts/money/Waterfall.sol";
import {MoneyBase} from "./MoneyBase.sol";

contract LockboxTest is MoneyBase {
    function setUp() public {
        _deploy();
        _funded(7, address(dollar), _twoTranches());
    }

    function test_settle__arrears_over_epochs__juniors_wait() public {
        _pay(7, 2_000_000);
        _postFinal(7, 1_000_000, 36_000);
        lockbox.settle(7, 1);
        uint256 due = uint256(16) * (COUPON / 4);
        assertEq(lockbox.arrearsOf(_id(7, 0)), due - 990_000, "arrears after one epoch");
        assertEq(token.unvested(_id(7, 1)), 0, "junior");

        _pay(7, 40_000_000);
        _postFinal(7, 30_000_000, 36_000);
        lockbox.settle(7, 2);
        uint256 throughTwo = uint256(16) * (COUPON * 2 / 4);
        assertEq(lockbox.arrearsOf(_id(7, 0)), 0, "arrears paid");
        uint256 net = 990_000 + 29_700_000;
        assertEq(token.unvested(_id(7, 1)), net - throughTwo, "the junior gets the residual");
        assertEq(lockbox.feesOwed(7), 310_000, "fees");
    }

    /// ATTACKS 10
    function test_settle__last_tranche_without_units__residual_to_the_senior() public {
        _burnAll(_id(7, 1));
        _pay(7, 40_000_000);
        _postFinal(7, 30_000_000, 36_000);
        lockbox.settle(7, 1);
        assertEq(token.unvested(_id(7, 0)), 29_700_000, "the senior gets everything");
        assertEq(token.unvested(_id(7, 1)), 0, "nobody there");
        _postFinal(7, 10_000_000, 36_000);
        lockbox.settle(7, 2);
        assertEq(lockbox.arrearsOf(_id(7, 0)), 0, "no arrears");
    }

    /// ATTACKS 10
    function test_settle__no_units_at_all__owed_to_the_gpuOperator() public {
        _pay(7, 40_000_000);
        _postFinal(7, 1_000_000, 36_000);
        lockbox.settle(7, 1);
        require(lockbox.arrearsOf(_id(7, 0)) > 0, "arrears before");
        _burnAll(_id(7, 0));
        _burnAll(_id(7, 1));
        _postFinal(7, 30_000_000, 36_000);
        lockbox.settle(7, 2);
        assertEq(lockbox.arrearsOf(_id(7, 0)), 0, "arrears lapse");
        assertEq(lockbox.owedTo(address(dollar), gpuOperator), 29_700_000, "owed");

        vm.expectRevert(abi.encodeWithSelector(IPayouts.ZeroRecipient.selector));
        vm.prank(gpuOperator);
        lockbox.withdraw(address(dollar), address(0));
        vm.prank(gpuOperator);
        lockbox.withdraw(address(dollar), cleo);
        assertEq(dollar.balanceOf(cleo), 29_700_000, "paid where it asked for");
        vm.expectRevert(abi.encodeWithSelector(IPayouts.NothingOwed.selector, address(dollar), gpuOperator));
        vm.prank(gpuOperator);
        lockbox.withdraw(address(dollar), cleo);
    }

    function test_coupon__burned_units__accrue_no_more() public {
        _postFinal(7, 0, 36_000);
        lockbox.settle(7, 1);
        uint256 first = lockbox.arrearsOf(_id(7, 0));
        _burn(ann, _id(7, 0), 8);
        _postFinal(7, 0, 36_000);
        lockbox.settle(7, 2);
        assertEq(lockbox.arrearsOf(_id(7, 0)), first + 8 * (COUPON * 2 / 4 - COUPON / 4), "8 units less");
    }

    /// ATTACKS 28: callers that race do not stop each other.
    function test_settleMany__some_done_already__passes_over_them() public {
        _funded(8, address(dollar), _oneTranche());
        _pay(7, 5_000_000);
        _pay(8, 5_000_000);
        _postFinal(7, 1_000_000, 36_000);
        statements.post(8, 2_000_000, 36_000);
        vm.warp(vm.getBlockTimestamp() + 600);
        lockbox.settle(7, 1);
        uint64[] memory ids = new uint64[](3);
        uint32[] memory epochs = new uint32[](3);
        (ids[0], ids[1], ids[2]) = (7, 8, 9);
        (epochs[0], epochs[1], epochs[2]) = (1, 1, 0);

        lockbox.settleMany(ids, epochs);

        assertEq(lockbox.bookOf(8).settled, 2_000_000, "the other one");
        assertEq(lockbox.bookOf(7).settled, 1_000_000, "once");
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.LengthsDiffer.selector, 3, 1));
        lockbox.settleMany(ids, new uint32[](1));
        epochs[1] = 2;
        vm.expectRevert(abi.encodeWithSelector(IStatementRegistry.EpochNotFinal.selector, uint64(8), uint32(1)));
        lockbox.settleMany(ids, epochs);
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.EpochAlreadySettled.selector, uint64(7), uint32(1)));
        lockbox.settle(7, 0);
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.NothingToSettle.selector, uint64(9)));
        lockbox.settle(9, 0);
    }

    /// The events of a facility's settlement stay together only if each facility comes once.
    function test_settleMany__not_ascending__reverts() public {
        uint64[] memory ids = new uint64[](2);
        (ids[0], ids[1]) = (7, 7);
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.FacilitiesNotAscending.selector, uint64(7), uint64(7)));
        lockbox.settleMany(ids, new uint32[](2));
        ids[1] = 6;
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.FacilitiesNotAscending.selector, uint64(7), uint64(6)));
        lockbox.settleMany(ids, new uint32[](2));
    }

    function test_distribute__stranger__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.NotDistributor.selector, address(this)));
        lockbox.distribute(7, 1);
        vm.expectRevert(abi.encodeWithSelector(IPayouts.AmountZero.selector));
        vm.prank(address(vault));
        lockbox.distribute(7, 0);
    }

    /// Invariant 5: epochs that are final but not settled have their coupons counted first.
    function test_distribute__unsettled_final_epochs__settles_them_first() public {
        _postFinal(7, 0, 36_000);
        dollar.mint(address(vault), 5_000_000);
        vm.startPrank(address(vault));
        dollar.approve(address(lockbox), 5_000_000);
        lockbox.distribute(7, 5_000_000);
        vm.stopPrank();
        uint256 coupon = uint256(16) * (COUPON / 4);
        assertEq(token.unvested(_id(7, 0)), coupon, "senior first");
        assertEq(token.unvested(_id(7, 1)), 5_000_000 - coupon, "then junior");
        assertEq(lockbox.feesOwed(7), 0, "no fee");
        assertEq(lockbox.bookOf(7).settledEpochs, 1, "settled on the way");
    }

    /// ATTACKS 25
    function test_refundExcess__twice_paid__back_to_the_payer_alone() public {
        _pay(7, 50_000_000);
        _pay(7, 50_000_000);
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.FacilityNotEnded.selector, uint64(7)));
        lockbox.refundExcess(7, renter, 1);
        for (uint32 e = 0; e < EPOCHS; ++e) {
            _postFinal(7, 12_500_000, 36_000);
        }
        lockbox.settle(7, EPOCHS);
        facilities.mature(7);
        assertEq(lockbox.excessOf(7), 50_000_000, "excess");

        vm.expectRevert(
            abi.encodeWithSelector(IRentLockbox.RefundAboveExcess.selector, uint64(7), 50_000_001, 50_000_000)
        );
        lockbox.refundExcess(7, renter, 50_000_001);
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.RefundAbovePaid.selector, uint64(7), cleo, 1, 0));
        lockbox.refundExcess(7, cleo, 1);
        vm.expectRevert(abi.encodeWithSelector(IPayouts.AmountZero.selector));
        lockbox.refundExcess(7, renter, 0);
        lockbox.refundExcess(7, renter, 50_000_000);
        assertEq(lockbox.bookOf(7).collected, 50_000_000, "collected falls to what was attested");
        vm.prank(renter);
        lockbox.withdraw(address(dollar), renter);
        assertEq(dollar.balanceOf(renter), 50_000_000, "renter");
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.RentNotAccepted.selector, uint64(7)));
        vm.prank(renter);
        lockbox.payRent(7, "", 1);
    }

    function test_payRent__bounds__revert() public {
        vm.expectRevert(abi.encodeWithSelector(IPayouts.AmountZero.selector));
        lockbox.payRent(7, "", 0);
        uint256 limit = type(uint48).max;
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.AmountAboveLimit.selector, limit + 1, limit));
        lockbox.payRent(7, "", limit + 1);
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.RentNotAccepted.selector, uint64(9)));
        lockbox.payRent(9, "", 1);
    }

    function test_takeFees__some__each_in_its_token() public {
        _pay(7, 5_000_000);
        _postFinal(7, 5_000_000, 36_000);
        assertEq(lockbox.settleable(7), 5_000_000, "settleable");
        lockbox.settle(7, 1);
        uint64[] memory ids = new uint64[](2);
        (ids[0], ids[1]) = (9, 7);
        vm.expectRevert(abi.encodeWithSelector(IPayouts.ZeroRecipient.selector));
        lockbox.takeFees(ids, address(0));
        lockbox.takeFees(ids, cleo);
        assertEq(dollar.balanceOf(cleo), 50_000, "one per cent");
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
        lockbox.settle(8, 1);
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
        lockbox.settle(7, 1);
        assertEq(lockbox.bookOf(7).settled, 0, "nothing settled");
    }

    /// ATTACKS 9, 10: split loses nothing, keeps the order, pays no empty tranche.
    function testFuzz_split__any__conserves_and_orders(uint64 amount, uint64[4] memory due_, uint8 emptied)
        public
        pure
    {
        uint256[4] memory due;
        uint256[4] memory supplies;
        for (uint256 i = 0; i < 4; ++i) {
            due[i] = i == 3 ? 0 : due_[i];
            supplies[i] = (emptied >> i) & 1;
        }
        (uint256[4] memory payments, uint256[4] memory arrears, uint256 left) = Waterfall.split(amount, due, supplies);
        uint256 sum = left;
        for (uint256 i = 0; i < 4; ++i) {
            sum += payments[i];
            require(supplies[i] > 0 || payments[i] + arrears[i] == 0, "no units, no money");
            for (uint256 j = 0; j < i; ++j) {
                require(payments[i] == 0 || arrears[j] == 0, "senior first");
            }
        }
        assertEq(sum, amount, "conserved");
        require(left == 0 || emptied & 15 == 0, "left only without units");
    }

    function testFuzz_coupon__any_steps__adds_up(uint64 coupon, uint16 first, uint16 second, uint16 rest) public pure {
        uint256 count = uint256(first) + second + rest + 1;
        uint256 sum = Waterfall.couponDueDown(coupon, 0, first, count);
        sum += Waterfall.couponDueDown(coupon, first, uint256(first) + second, count);
        sum += Waterfall.couponDueDown(coupon, uint256(first) + second, count, count);
        assertEq(sum, coupon, "parts");
    }

    function _burnAll(uint256 id) private {
        uint256 held = token.balanceOf(ann, id);
        uint256 more = token.balanceOf(bob, id);
        if (held > 0) _burn(ann, id, held);
        if (more > 0) _burn(bob, id, more);
    }
}
