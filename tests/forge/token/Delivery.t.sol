// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDeliveryDesk} from "../../../contracts/interfaces/IDeliveryDesk.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IStatementRegistry} from "../../../contracts/interfaces/IStatementRegistry.sol";
import {ITrancheToken} from "../../../contracts/interfaces/ITrancheToken.sol";
import {MockContractAttester} from "../../../contracts/mocks/MockContractAttester.sol";
import {TokenBase} from "./TokenBase.sol";

/// @title Vouchers: on the operator's order, for the seconds that are left; served by proof
contract DeliveryTest is TokenBase {
    bytes32 private constant LEASE = "lease";
    uint64 private constant COUPON = 1_500_000;
    uint64 private constant WINDOW = WINDOW_END - WINDOW_START;
    bytes32[] private _proof;

    function setUp() public override {
        super.setUp();
        mint(ann, JUNIOR, 100);
        mint(bob, JUNIOR, 100);
        mint(ann, SENIOR, 100);
        setState(IFacilityRegistry.FacilityState.Funded);
        vm.warp(WINDOW_START);
        setState(IFacilityRegistry.FacilityState.Delivering);
        _takeDelivery(desk, ann, JUNIOR, 2, LEASE);
        vm.warp(WINDOW_START + 1 days);
        statements.setFinal(F, 0, true);
    }

    function test_take_delivery__order_of_the_operator__issues_and_uses_it_up() public {
        IDeliveryDesk.DeliveryOrder memory order = _order(ann, JUNIOR, 30, LEASE);
        bytes memory signature = _signed(address(desk), order);
        vm.expectEmit(true, true, true, true, address(token));
        emit ITrancheToken.UnitsBurned(ann, JUNIOR, 30, ITrancheToken.BurnReason.Delivered);
        vm.expectEmit(true, true, true, true, address(desk));
        emit IDeliveryDesk.VoucherIssued(2, F, ann, JUNIOR, 30, 104_400, LEASE, order.nonce);
        vm.prank(ann);
        assertEq(desk.takeDelivery(order, signature), 2, "number");
        IDeliveryDesk.Voucher memory voucher = desk.voucherOf(2);
        assertEq(voucher.owedGpuSeconds, 104_400, "29 of 30 days are left");
        assertEq(voucher.units, 30, "units");
        assertEq(voucher.seniority, 1, "tranche");
        assertEq(voucher.issuedAt, block.timestamp, "issued");
        assertEq(voucher.lease, LEASE, "lease");
        assertEq(desk.openGpuSecondsOf(F)[1], 7_200 + 104_400, "open");
        assertEq(desk.openUnitSecondsOf(F)[1], 32 * 3_600, "whole units");
        assertTrue(desk.isOrderUsed(gpuOperator, order.nonce), "used");
        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.OrderUsed.selector, gpuOperator, order.nonce));
        vm.prank(ann);
        desk.takeDelivery(order, signature);
    }

    /// @dev ATTACKS 29: no reference of the holder's own choosing, and nobody else's order (findings C2 and L1).
    function test_take_delivery__not_this_order__reverts() public {
        IDeliveryDesk.DeliveryOrder memory order = _order(ann, JUNIOR, 1, LEASE);
        bytes memory signature = _signed(address(desk), order);
        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.OrderOfAnother.selector, ann, bob));
        vm.prank(bob);
        desk.takeDelivery(order, signature);
        bytes memory invalid = abi.encodeWithSelector(IDeliveryDesk.OrderSignatureInvalid.selector, gpuOperator);
        IDeliveryDesk.DeliveryOrder memory other = order;
        for (uint256 i = 0; i < 5; ++i) {
            other = IDeliveryDesk.DeliveryOrder(ann, JUNIOR, 1, LEASE, order.nonce, order.deadline);
            if (i == 0) other.id = SENIOR;
            if (i == 1) other.units = 2;
            if (i == 2) other.lease = "another";
            if (i == 3) ++other.nonce;
            if (i == 4) --other.deadline;
            vm.expectRevert(invalid);
            vm.prank(ann);
            desk.takeDelivery(other, signature);
        }
        bytes memory own = sign(ANN_KEY, desk.orderDigest(order));
        vm.expectRevert(invalid);
        vm.prank(ann);
        desk.takeDelivery(order, own);
        // On another desk the same words are another order.
        bytes memory elsewhere = _signed(address(token), order);
        vm.expectRevert(invalid);
        vm.prank(ann);
        desk.takeDelivery(order, elsewhere);
        assertEq(token.balanceOf(ann, JUNIOR), 98, "nothing burned");
    }

    function test_take_delivery__deadline__counts_to_its_last_second() public {
        IDeliveryDesk.DeliveryOrder memory order = _order(ann, JUNIOR, 1, LEASE);
        order.deadline = block.timestamp + 60;
        bytes memory signature = _signed(address(desk), order);
        uint256 late = order.deadline + 1;
        vm.warp(late);
        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.OrderExpired.selector, order.deadline, late));
        vm.prank(ann);
        desk.takeDelivery(order, signature);
        vm.warp(order.deadline);
        vm.prank(ann);
        assertEq(desk.takeDelivery(order, signature), 2, "in time");
    }

    function test_cancel_order__unused__never_counts_again() public {
        IDeliveryDesk.DeliveryOrder memory order = _order(ann, JUNIOR, 1, LEASE);
        bytes memory signature = _signed(address(desk), order);
        vm.prank(bob);
        desk.cancelOrder(order.nonce);
        assertFalse(desk.isOrderUsed(gpuOperator, order.nonce), "nobody cancels another's");
        vm.expectEmit(true, true, true, true, address(desk));
        emit IDeliveryDesk.OrderCancelled(gpuOperator, order.nonce);
        vm.prank(gpuOperator);
        desk.cancelOrder(order.nonce);
        bytes memory used = abi.encodeWithSelector(IDeliveryDesk.OrderUsed.selector, gpuOperator, order.nonce);
        vm.expectRevert(used);
        vm.prank(gpuOperator);
        desk.cancelOrder(order.nonce);
        vm.expectRevert(used);
        vm.prank(ann);
        desk.takeDelivery(order, signature);
    }

    /// @dev ERC-1271: an operator that is a contract signs, and takes back, as any other.
    function test_take_delivery__operator_is_a_contract__its_signature_counts() public {
        vm.etch(gpuOperator, address(new MockContractAttester()).code);
        IDeliveryDesk.DeliveryOrder memory order = _order(ann, JUNIOR, 1, LEASE);
        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.OrderSignatureInvalid.selector, gpuOperator));
        vm.prank(ann);
        desk.takeDelivery(order, "it refuses");
        MockContractAttester(gpuOperator).setMood(MockContractAttester.Mood.Accepting);
        vm.prank(ann);
        assertEq(desk.takeDelivery(order, "as it likes"), 2, "accepted");
    }

    /// @dev ATTACKS 29: a stranger's voucher cannot use up the lines of somebody else's lease.
    function test_take_delivery__lease_of_another_holder_or_zero__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.LeaseTaken.selector, F, LEASE, ann));
        _takeDelivery(desk, bob, JUNIOR, 1, LEASE);
        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.LeaseZero.selector));
        _takeDelivery(desk, bob, JUNIOR, 1, 0);
        assertEq(_takeDelivery(desk, ann, JUNIOR, 1, LEASE), 2, "the holder may again");
        assertEq(desk.voucherCount(), 2, "count");
        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.VoucherUnknown.selector, 9));
        desk.voucherOf(9);
    }

    /// @dev Finding F44: where nothing would be paid for compute that never comes, nothing burns.
    function test_take_delivery__no_rate__reverts() public {
        bonds.set(0);
        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.DeliveryWithoutRate.selector, F));
        _takeDelivery(desk, ann, JUNIOR, 1, LEASE);
    }

    function test_gpu_seconds__by_time_left__one_floor_over_all_units() public {
        assertEq(desk.gpuSecondsDown(JUNIOR, 1), 3_480, "29 of 30 days");
        vm.warp(WINDOW_START - 5 days);
        assertEq(desk.gpuSecondsDown(JUNIOR, 7), 25_200, "before the window the whole");
        vm.warp(WINDOW_END - 1_000);
        assertEq(desk.gpuSecondsDown(JUNIOR, 1), 1, "1.39 s");
        assertEq(desk.gpuSecondsDown(JUNIOR, 100), 138, "138.89 s together, not 100");
        vm.warp(WINDOW_END - 1);
        // 86 units: 720 of them would give one second.
        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.DeliveryEmpty.selector, JUNIOR, 86));
        _takeDelivery(desk, ann, JUNIOR, 86, LEASE);
        vm.warp(WINDOW_END);
        bytes memory closed = abi.encodeWithSelector(IDeliveryDesk.DeliveryClosed.selector, F);
        vm.expectRevert(closed);
        desk.gpuSecondsDown(JUNIOR, 1);
        vm.expectRevert(closed);
        _takeDelivery(desk, ann, JUNIOR, 1, LEASE);
    }

    /// @dev A senior's hour is worth its coupon, and not more hours than that pays at the bond's rate.
    function test_gpu_seconds__coupon_tranche__coupon_over_rate() public {
        vm.warp(WINDOW_START);
        bonds.set(COUPON - 1);
        assertEq(desk.gpuSecondsDown(SENIOR, 1), 3_600, "coupon above the rate: a whole hour");
        bonds.set(COUPON);
        assertEq(desk.gpuSecondsDown(SENIOR, 1), 3_600, "equal");
        bonds.set(4_000_000);
        assertEq(desk.gpuSecondsDown(SENIOR, 1), 1_350, "3,600 x 1.5 / 4");
        vm.warp(WINDOW_START + WINDOW / 2 + 1);
        assertEq(desk.gpuSecondsDown(SENIOR, 3), 2_024, "2,024.99 s");
        assertEq(desk.gpuSecondsDown(JUNIOR, 3), 5_399, "no coupon, no cut");
        _takeDelivery(desk, ann, SENIOR, 3, LEASE);
        assertEq(desk.openGpuSecondsOf(F)[0], 2_024, "by tranche");
        assertEq(desk.openUnitSecondsOf(F)[0], 3 * 3_600, "units whatever they give");
        assertEq(desk.openGpuSecondsOf(F)[1], 7_200, "the other tranche's stay");
    }

    /// @dev No history of burns owes more than the tranche's units x what was left of the window at each.
    function testFuzz_gpu_seconds__split_or_whole__splitting_gives_no_more(uint256 time, uint256 units, uint64 rate)
        public
    {
        bonds.set(rate == 0 ? 1 : rate);
        vm.warp(WINDOW_START - 10 + bound(time, 0, WINDOW + 9));
        units = bound(units, 1, 1e6);
        for (uint256 id = SENIOR; id <= JUNIOR; ++id) {
            uint256 whole = desk.gpuSecondsDown(id, units);
            uint256 part = units / 3;
            assertLe(desk.gpuSecondsDown(id, part) + desk.gpuSecondsDown(id, units - part), whole, "split");
            assertLe(whole, units * 3_600, "at most an hour a unit");
        }
    }

    function test_serve__lines__count_up_to_what_is_open() public {
        vm.expectEmit(true, true, true, true, address(desk));
        emit IDeliveryDesk.VoucherServed(1, F, 0, 4, 5_000);
        assertEq(desk.serve(one(1), _statement(), _line(4, 5_000), _proof), 5_000, "whole line");
        assertEq(desk.openGpuSecondsOf(F)[1], 2_200, "left");
        assertEq(desk.serve(one(1), _statement(), _line(5, 5_000), _proof), 2_200, "clipped");
        assertEq(desk.voucherOf(1).servedGpuSeconds, 7_200, "served");
        assertEq(desk.usedGpuSecondsOf(F, 0, 5), 2_200, "the rest of the line is free");
        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.NothingToServe.selector, F));
        desk.serve(one(1), _statement(), _line(6, 1), _proof);
        _takeDelivery(desk, ann, JUNIOR, 1, LEASE);
        assertEq(desk.serve(two(1, 2), _statement(), _lineFrom(5, 5_000), _proof), 2_800, "by the next voucher");
        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.LineAlreadyUsed.selector, F, 0, 5));
        desk.serve(one(2), _statement(), _lineFrom(5, 5_000), _proof);
    }

    /// @dev Finding C3: one line serves many vouchers, named once or twice, and none of its seconds twice.
    function test_serve__many_vouchers__in_order_until_the_line_is_used() public {
        _takeDelivery(desk, ann, JUNIOR, 1, LEASE);
        _takeDelivery(desk, ann, JUNIOR, 1, LEASE);
        uint256[] memory list = new uint256[](4);
        (list[0], list[1], list[2], list[3]) = (3, 2, 3, 1);
        assertEq(desk.serve(list, _statement(), _lineFrom(4, 6_000), _proof), 6_000, "all of it");
        assertEq(desk.voucherOf(3).servedGpuSeconds, 3_480, "first");
        assertEq(desk.voucherOf(2).servedGpuSeconds, 2_520, "second, in part");
        assertEq(desk.voucherOf(1).servedGpuSeconds, 0, "nothing left");
        assertEq(desk.usedGpuSecondsOf(F, 0, 4), 6_000, "used");
        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.NothingToServe.selector, F));
        desk.serve(new uint256[](0), _statement(), _lineFrom(5, 6_000), _proof);
    }

    /// @dev What a closing needs: each voucher's open units, rounded down, and their sum.
    function testFuzz_open_unit_seconds__any_serving__is_the_sum_of_the_vouchers(uint256 time, uint256 seed) public {
        bonds.set(2_345_678);
        vm.warp(WINDOW_START + 1 days + bound(time, 0, 20 days));
        for (uint256 i = 0; i < 4; ++i) {
            uint256 id = i % 2 == 0 ? SENIOR : JUNIOR;
            _takeDelivery(desk, ann, id, 1 + seed % 20, LEASE);
        }
        for (uint32 i = 0; i < 6; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256[] memory list = two(1 + seed % 5, 1 + (seed >> 8) % 5);
            try desk.serve(list, _statement(), _lineFrom(i, uint64(1 + (seed >> 16) % 9_000)), _proof) {} catch {}
        }
        uint256[4] memory open;
        uint256[4] memory units;
        for (uint256 v = 1; v <= 5; ++v) {
            IDeliveryDesk.Voucher memory voucher = desk.voucherOf(v);
            uint256 left = voucher.owedGpuSeconds - voucher.servedGpuSeconds;
            open[voucher.seniority] += left;
            units[voucher.seniority] += uint256(voucher.units) * 3_600 * left / voucher.owedGpuSeconds;
        }
        for (uint256 s = 0; s < 4; ++s) {
            assertEq(desk.openGpuSecondsOf(F)[s], open[s], "seconds");
            assertEq(desk.openUnitSecondsOf(F)[s], units[s], "unit-seconds");
        }
    }

    /// @notice A late delivery counts nothing in its statement, and serves by its length, once.
    function test_serve__late_delivery__serves_by_its_length_once() public {
        IStatementRegistry.Line memory line = _line(4, 0);
        line.kind = 3;
        line.end = line.start + 600;

        assertEq(desk.serve(one(1), _statement(), line, _proof), 600, "served");

        assertEq(desk.usedGpuSecondsOf(F, 0, 4), 600, "used");
        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.LineAlreadyUsed.selector, F, 0, 4));
        desk.serve(one(1), _statement(), line, _proof);
    }

    function test_serve__not_a_delivery__reverts() public {
        IStatementRegistry.Line[] memory lines = new IStatementRegistry.Line[](7);
        for (uint256 i = 0; i < 7; ++i) {
            lines[i] = _line(4, 100);
        }
        (lines[5].kind, lines[5].end) = (3, lines[5].start);
        lines[6].kind = 2;
        lines[0].kind = 0;
        lines[1].kind = 4;
        lines[2].gpuSeconds = 0;
        lines[3].start = WINDOW_START - 1;
        lines[4].end = WINDOW_END + 1;
        for (uint256 i = 0; i < 7; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.LineNotDelivery.selector, F, 0, 4));
            desk.serve(one(1), _statement(), lines[i], _proof);
        }
    }

    function test_serve__line_of_another_voucher__reverts() public {
        _takeDelivery(desk, ann, JUNIOR, 1, LEASE);
        bytes memory wrong = abi.encodeWithSelector(IDeliveryDesk.LineNotForVoucher.selector, 2);
        vm.expectRevert(wrong);
        // Compute from before the units were burned earned revenue as units.
        desk.serve(two(1, 2), _statement(), _line(4, 100), _proof);
        IStatementRegistry.Line memory line = _lineFrom(4, 100);
        line.lease = "other";
        vm.expectRevert(wrong);
        desk.serve(one(2), _statement(), line, _proof);
        offer(F + 1, dollar);
        statements.setFinal(F + 1, 0, true);
        line = _lineFrom(4, 100);
        line.facilityId = F + 1;
        vm.expectRevert(wrong);
        desk.serve(one(2), _statement(), line, _proof);
        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.VoucherUnknown.selector, 7));
        desk.serve(one(7), _statement(), _line(4, 100), _proof);
    }

    function test_serve__not_final_or_not_proven__reverts() public {
        statements.setFinal(F, 0, false);
        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.StatementNotFinal.selector, F, 0));
        desk.serve(one(1), _statement(), _line(4, 100), _proof);
        statements.setFinal(F, 0, true);
        statements.setProven(false);
        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.LineNotProven.selector, F, 0, 4));
        desk.serve(one(1), _statement(), _line(4, 100), _proof);
    }

    /// @dev Late proofs count in every ending, and until the closing pays for what stays open.
    function test_serve__after_the_end__counts_until_the_closing() public {
        IFacilityRegistry.FacilityState[3] memory ends = [
            IFacilityRegistry.FacilityState.Matured,
            IFacilityRegistry.FacilityState.Defaulted,
            IFacilityRegistry.FacilityState.Stopped
        ];
        for (uint32 i = 0; i < 3; ++i) {
            setState(ends[i]);
            assertEq(desk.serve(one(1), _statement(), _line(i, 600), _proof), 600, "served");
        }

        facilities.setClosed(F);

        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.FacilityClosed.selector, F));
        desk.serve(one(1), _statement(), _line(3, 600), _proof);
        assertEq(desk.openGpuSecondsOf(F)[1], 7_200 - 1_800, "what the closing counted stays");
        assertEq(desk.openUnitSecondsOf(F)[1], 7_200 - 1_800, "of the units, too");
    }

    function test_take_delivery__after_the_end__reverts() public {
        IFacilityRegistry.FacilityState[3] memory ends = [
            IFacilityRegistry.FacilityState.Matured,
            IFacilityRegistry.FacilityState.Defaulted,
            IFacilityRegistry.FacilityState.Stopped
        ];
        for (uint256 i = 0; i < 3; ++i) {
            setState(ends[i]);
            vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.DeliveryClosed.selector, F));
            _takeDelivery(desk, ann, JUNIOR, 1, LEASE);
        }
        assertEq(token.balanceOf(ann, JUNIOR), 98, "nothing burned");
    }

    function test_burn_for_delivery__by_anybody_else__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(ITrancheToken.NotDeliveryDesk.selector, ann));
        vm.prank(ann);
        token.burnForDelivery(ann, JUNIOR, 1);
    }

    function _statement() private pure returns (IStatementRegistry.Statement memory statement) {
        statement.facilityId = F;
    }

    /// @dev From the first second of the window on.
    function _line(uint32 index, uint64 gpuSeconds) private pure returns (IStatementRegistry.Line memory line) {
        line.facilityId = F;
        line.index = index;
        line.kind = 1;
        line.lease = LEASE;
        line.start = WINDOW_START;
        line.end = WINDOW_START + 1 days;
        line.gpuSeconds = gpuSeconds;
    }

    /// @dev From now on.
    function _lineFrom(uint32 index, uint64 gpuSeconds) private view returns (IStatementRegistry.Line memory line) {
        line = _line(index, gpuSeconds);
        (line.start, line.end) = (uint64(block.timestamp), uint64(block.timestamp) + gpuSeconds);
    }
}
