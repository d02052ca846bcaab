// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDeliveryDesk} from "../../../contracts/interfaces/IDeliveryDesk.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IRentLockbox} from "../../../contracts/interfaces/IRentLockbox.sol";
import {MoneyBase} from "./MoneyBase.sol";

/// @title Rent before and after the end, what replaces what the bond advanced, and vouchers that are paid in money
contract LateRentTest is MoneyBase {
    uint64 private constant F = 7;
    /// @dev One GPU-hour is missing at the rate, and one of its hundred parts is the fee.
    uint256 private constant HOUR_FEE = uint256(RATE) / 100;

    function setUp() public {
        _deploy();
    }

    function test_payRent__before_the_funding_or_cancelled__reverts() public {
        _refused(9);
        _offer(F, address(dollar), _oneTranche());
        _refused(F);
        vm.prank(gpuOperator);
        facilities.cancel(F);
        _refused(F);
        _offer(8, address(dollar), _oneTranche());
        vm.warp(START + 3 days);
        _refused(8);
    }

    function test_payRent__from_the_funding_to_every_end__is_rent() public {
        uint256 window = uint256(EPOCHS) * EPOCH;
        for (uint64 f = 1; f <= 3; ++f) {
            vm.warp(START - 100_000);
            _funded(f, address(dollar), _oneTranche());
            vm.warp(START - 1);
            _pay(f, 1);
            vm.warp(START);
            _pay(f, 1);
        }
        _default(1, 0);
        vm.warp(START + window + SEAL + 180 days);
        facilities.stop(2);
        for (uint32 e = 0; e < EPOCHS; ++e) {
            _postFinal(3, 0, 36_000);
        }
        lockbox.settle(3);
        _seal(3, 0);
        facilities.mature(3);
        for (uint64 f = 1; f <= 3; ++f) {
            _pay(f, 1);
            assertEq(lockbox.bookOf(f).collected, 3, "late rent is still rent");
        }
    }

    /// After the closing no renter pays what nobody can ever settle.
    function test_payRent__closed__up_to_what_is_attested() public {
        _funded(F, address(dollar), _oneTranche());
        _postFinal(F, 1_000_000, 36_000);
        _pay(F, 400_000);
        _default(F, 1);
        _close(F);
        dollar.mint(renter, 700_000);
        vm.startPrank(renter);
        dollar.approve(address(lockbox), 700_000);
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.AmountAboveLimit.selector, 600_001, 600_000));
        lockbox.payRent(F, LEASE, 600_001);
        lockbox.payRent(F, LEASE, 200_000);
        lockbox.payRent(F, LEASE, 400_000);
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.AmountAboveLimit.selector, 1, 0));
        lockbox.payRent(F, LEASE, 1);
        vm.stopPrank();
        assertEq(lockbox.settle(F), 600_000, "as rent: no bond advanced any of it");
    }

    function test_payRent__more_than_attested_before_the_closing__nothing_after() public {
        _funded(F, address(dollar), _oneTranche());
        _postFinal(F, 1_000_000, 36_000);
        _pay(F, 1_500_000);
        _default(F, 1);
        _close(F);
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.AmountAboveLimit.selector, 1, 0));
        lockbox.payRent(F, LEASE, 1);
        assertEq(lockbox.excessOf(F), 500_000, "to be given back");
    }

    /// The bond pays what renters owe, as rent; when they pay after all, that is the operator's.
    function test_settle__bond_advanced_everything__late_rent_to_the_operator() public {
        _funded(F, address(dollar), _oneTranche());
        _depositBond(F, 2_000_000);
        _wholeWindow(250_000, 36_000);
        _pay(F, 600_000);
        _writeOff();
        vm.expectEmit(true, true, true, true, address(lockbox));
        emit IRentLockbox.Settled(F, EPOCHS, 400_000, 4_000, 1_000_000);
        _close(F);

        (uint256 advanced, uint256 reimbursed) = lockbox.advanceOf(F);
        assertEq(advanced, 400_000, "advanced");
        assertEq(reimbursed, 0, "not yet");
        assertEq(lockbox.bookOf(F).settled, 1_000_000, "settled in full");
        assertEq(_owed(), 1_600_000, "the rest of the bond");
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.NothingToSettle.selector, F));
        lockbox.settle(F);

        _pay(F, 150_000);
        assertEq(lockbox.settleable(F), 150_000, "late");
        uint256[4] memory none;
        vm.expectEmit(true, true, true, true, address(lockbox));
        emit IRentLockbox.LateRentShared(F, 150_000, none, none, 0, 150_000);
        assertEq(lockbox.settle(F), 150_000, "shared");
        assertEq(_owed(), 1_750_000, "the operator's");
        _pay(F, 250_000);
        lockbox.settle(F);
        (, reimbursed) = lockbox.advanceOf(F);
        assertEq(reimbursed, 400_000, "all of it");
        assertEq(lockbox.bookOf(F).settled, 1_000_000, "no rent twice");
        assertEq(lockbox.feesOwed(F), 10_000, "nor its fee");
    }

    /// A bond below what renters owe: their rent goes on as rent first, then to what missing hours cost.
    function test_settle__bond_advanced_a_part__claims_then_fee_then_operator_then_rent() public {
        _funded(F, address(dollar), _oneTranche());
        _depositBond(F, 100_000);
        // Promised are 4 x 35,640 GPU-seconds: one hour is missing.
        _wholeWindow(250_000, 34_740);
        _writeOff();
        _close(F);
        assertEq(lockbox.bookOf(F).settled, 100_000, "all of the bond is rent");
        IRentLockbox.Claims memory claims = lockbox.claimsOf(F);
        assertEq(claims.units[0], RATE - HOUR_FEE, "units");
        assertEq(claims.treasury, HOUR_FEE, "fee");
        assertEq(_owed(), 0, "the operator");

        _pay(F, 30_000);
        uint256[4] memory toUnits;
        toUnits[0] = 30_000;
        uint256[4] memory none;
        vm.expectEmit(true, true, true, true, address(lockbox));
        emit IRentLockbox.LateRentShared(F, 30_000, toUnits, none, 0, 0);
        assertEq(lockbox.settle(F), 30_000, "in place of the bond");
        assertEq(lockbox.bookOf(F).settled, 100_000, "no rent yet");
        assertEq(token.unvested(_id(F, 0)), 30_000, "to holders");
        assertEq(lockbox.claimsOf(F).units[0], RATE - HOUR_FEE - 30_000, "still owed");

        _pay(F, 970_000);
        assertEq(lockbox.settle(F), 970_000, "70,000 in place of the bond, the rest as rent");
        assertEq(lockbox.bookOf(F).settled, 1_000_000, "all rent");
        claims = lockbox.claimsOf(F);
        assertEq(claims.units[0] + claims.treasury, 0, "everybody is paid");
        assertEq(lockbox.feesOwed(F), 10_000 + HOUR_FEE, "fees of rent and of the missing hour");
        assertEq(_owed(), 30_000 + 70_000 - RATE, "the rest");
    }

    function test_settleMany__closed_and_open_facilities__each_by_its_rule() public {
        _funded(F, address(dollar), _oneTranche());
        _depositBond(F, 1_000_000);
        _wholeWindow(250_000, 36_000);
        _writeOff();
        _close(F);
        vm.warp(START - 100_000);
        _funded(8, address(dollar), _oneTranche());
        _postFinal(8, 300_000, 36_000);
        vm.warp(START + 200 days);
        _pay(F, 100_000);
        _pay(8, 200_000);
        uint64[] memory ids = new uint64[](2);
        (ids[0], ids[1]) = (F, 8);
        lockbox.settleMany(ids);
        (, uint256 reimbursed) = lockbox.advanceOf(F);
        assertEq(reimbursed, 100_000, "late");
        assertEq(lockbox.bookOf(8).settled, 200_000, "rent");
    }

    /// An operator whose attesters are silent owes nothing for what it published: neither stated nor missing.
    function test_close__published_epochs__are_no_missing_hours() public {
        _funded(F, address(dollar), _oneTranche());
        _depositBond(F, 3_000_000);
        _postFinal(F, 0, 35_640);
        statements.publish(F, 3);
        _default(F, 3);
        _close(F);
        // One epoch of four was neither stated nor published: 9.9 hours.
        uint256 damages = uint256(35_640) * RATE / 3_600;
        assertEq(token.claimable(ann, _id(F, 0)), (damages - damages / 100) / 2, "half of what is missing is ann's");
        assertEq(_owed(), 3_000_000 - damages, "the rest of the bond");
    }

    function test_payVoucher__closed__its_part_of_the_pool_once() public {
        (uint256 first, uint256 second) = _twoVouchers();
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.NothingForVoucher.selector, first));
        lockbox.payVoucher(first);
        _depositBond(F, 3_000_000);
        _default(F, 0);
        _close(F);

        // Four hours were open of the one, one of the other; all promised hours are missing.
        assertEq(lockbox.voucherPoolsOf(F)[0], 5 * uint256(RATE), "pool");
        assertEq(lockbox.payableToVoucher(first), 4 * uint256(RATE), "view");
        vm.expectEmit(true, true, true, true, address(lockbox));
        emit IRentLockbox.VoucherPaid(first, F, ann, 4 * uint256(RATE));
        vm.prank(cleo);
        assertEq(lockbox.payVoucher(first), 4 * uint256(RATE), "credited");
        assertEq(lockbox.owedTo(address(dollar), ann), 4 * uint256(RATE), "to its holder");
        assertEq(lockbox.paidToVoucher(first), 4 * uint256(RATE), "kept");
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.NothingForVoucher.selector, first));
        lockbox.payVoucher(first);
        assertEq(lockbox.payVoucher(second), RATE, "what was served is not paid");
        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.VoucherUnknown.selector, 99));
        lockbox.payVoucher(99);
    }

    function test_payVoucher__late_rent__credits_the_rest() public {
        (uint256 first, uint256 second) = _twoVouchers();
        _depositBond(F, 300_000);
        _postFinal(F, 250_000, 36_000);
        _default(F, 1);
        vm.warp(lockbox.closableFrom(F));
        lockbox.close(F);
        // 250,000 of the bond is rent; of what is left vouchers and units get their part of what they claim.
        IRentLockbox.Claims memory claims = lockbox.claimsOf(F);
        uint256 pool = lockbox.voucherPoolsOf(F)[0];
        assertEq(pool + claims.vouchers[0], 5 * uint256(RATE), "paid or owed");
        assertEq(pool, 50_000 + 247_500 - token.unvested(_id(F, 0)), "and the rest is the units', like the rent");
        assertEq(lockbox.payVoucher(first), pool * 4 / 5, "four fifths");
        assertEq(lockbox.payVoucher(second), pool / 5, "a fifth");

        _pay(F, 250_000);
        lockbox.settle(F);
        uint256 more = lockbox.voucherPoolsOf(F)[0];
        require(more > pool, "vouchers share in late rent");
        assertEq(lockbox.payVoucher(first), more * 4 / 5 - pool * 4 / 5, "the difference");
        assertEq(lockbox.payVoucher(second), more / 5 - pool / 5, "rounded down on the whole");
        assertEq(lockbox.paidToVoucher(first), more * 4 / 5, "all of it is counted");
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.NothingForVoucher.selector, first));
        lockbox.payVoucher(first);
    }

    function test_payVoucher__everything_served__reverts() public {
        _funded(F, address(dollar), _oneTranche());
        uint256 voucher = _burn(ann, _id(F, 0), 1);
        desk.serve(voucher, 3_600);
        _depositBond(F, 1_000_000);
        _default(F, 0);
        _close(F);
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.NothingForVoucher.selector, voucher));
        lockbox.payVoucher(voucher);
    }

    /// @dev Of ann four units, nothing served; of bob two, one of them served.
    function _twoVouchers() private returns (uint256 first, uint256 second) {
        _funded(F, address(dollar), _oneTranche());
        first = _burn(ann, _id(F, 0), 4);
        second = _burn(bob, _id(F, 0), 2);
        desk.serve(second, 3_600);
    }

    function _wholeWindow(uint128 gross, uint64 available) private {
        for (uint32 e = 0; e < EPOCHS; ++e) {
            _postFinal(F, gross, available);
        }
    }

    function _writeOff() private {
        lockbox.settle(F);
        _seal(F, 0);
        facilities.noticeUnpaid(F);
        vm.warp(vm.getBlockTimestamp() + 90 days);
        facilities.mature(F);
        require(facilities.stateOf(F) == IFacilityRegistry.FacilityState.Matured, "matured");
        vm.warp(lockbox.closableFrom(F));
    }

    function _owed() private view returns (uint256) {
        return lockbox.owedTo(address(dollar), gpuOperator);
    }

    function _refused(uint64 facilityId) private {
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.RentNotAccepted.selector, facilityId));
        lockbox.payRent(facilityId, LEASE, 1);
    }
}
