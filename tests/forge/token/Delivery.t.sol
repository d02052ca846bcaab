// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDeliveryDesk} from "../../../contracts/interfaces/IDeliveryDesk.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IStatementRegistry} from "../../../contracts/interfaces/IStatementRegistry.sol";
import {TokenBase} from "./TokenBase.sol";

/// @title Vouchers: served by proof, once, inside the window; paid from the bond for the rest (ATTACKS 29)
contract DeliveryTest is TokenBase {
    bytes32 private constant LEASE = "lease";
    bytes32[] private _proof;

    function setUp() public override {
        super.setUp();
        mint(ann, JUNIOR, 100);
        mint(bob, JUNIOR, 100);
        setState(IFacilityRegistry.FacilityState.Funded);
        vm.warp(WINDOW_START);
        setState(IFacilityRegistry.FacilityState.Delivering);
        vm.prank(ann);
        token.takeDelivery(JUNIOR, 2, LEASE);
        vm.warp(WINDOW_START + 1 days);
        statements.setFinal(F, 0, true);
    }

    function test_issue__by_anybody_else__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.NotTrancheToken.selector, ann));
        vm.prank(ann);
        desk.issue(ann, JUNIOR, 1, LEASE);
        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.DeliveryRefZero.selector));
        vm.prank(ann);
        token.takeDelivery(JUNIOR, 1, 0);
        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.VoucherUnknown.selector, 9));
        desk.voucherOf(9);
    }

    /// @dev ATTACKS 29: a stranger's voucher cannot use up the lines of somebody else's lease.
    function test_issue__lease_of_another_holder__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.DeliveryRefTaken.selector, F, LEASE, ann));
        vm.prank(bob);
        token.takeDelivery(JUNIOR, 1, LEASE);
        vm.prank(ann);
        assertEq(token.takeDelivery(JUNIOR, 1, LEASE), 2, "the holder may again");
        assertEq(desk.voucherCount(), 2, "count");
    }

    function test_serve__lines__count_up_to_what_is_owed() public {
        vm.expectEmit(true, true, false, true, address(desk));
        emit IDeliveryDesk.VoucherServed(1, 0, 4, 5_000);
        desk.serve(1, _statement(), _line(4, 5_000), _proof);
        assertEq(desk.unservedGpuSeconds(F), 2_200, "left");
        desk.serve(1, _statement(), _line(5, 5_000), _proof);
        assertEq(desk.voucherOf(1).servedGpuSeconds, 7_200, "clipped");
        assertTrue(desk.isLineUsed(F, 0, 5), "used whole");
        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.NothingUnserved.selector, 1));
        desk.serve(1, _statement(), _line(6, 1), _proof);
    }

    /// @dev ATTACKS 29: no line serves twice, whichever voucher.
    function test_serve__line_twice__reverts() public {
        desk.serve(1, _statement(), _line(4, 100), _proof);
        bytes memory used = abi.encodeWithSelector(IDeliveryDesk.LineAlreadyUsed.selector, F, 0, 4);
        vm.expectRevert(used);
        desk.serve(1, _statement(), _line(4, 100), _proof);
        vm.prank(ann);
        token.takeDelivery(JUNIOR, 1, LEASE);
        IStatementRegistry.Line memory line = _line(4, 100);
        line.start = uint64(block.timestamp);
        vm.expectRevert(used);
        desk.serve(2, _statement(), line, _proof);
    }

    function test_serve__not_a_delivery_of_this_voucher__reverts() public {
        bytes memory wrong = abi.encodeWithSelector(IDeliveryDesk.LineNotDelivery.selector, 1);
        IStatementRegistry.Line[] memory lines = new IStatementRegistry.Line[](7);
        for (uint256 i = 0; i < 7; ++i) {
            lines[i] = _line(4, 100);
        }
        lines[0].kind = 0;
        lines[1].facilityId = F + 1;
        lines[2].lease = "other";
        lines[3].gpuSeconds = 0;
        // Compute from before the units were burned earned revenue as units.
        lines[4].start = WINDOW_START - 1;
        lines[5].end = WINDOW_END + 1;
        lines[6].kind = 4;
        for (uint256 i = 0; i < 7; ++i) {
            vm.expectRevert(wrong);
            desk.serve(1, _statement(), lines[i], _proof);
        }
        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.VoucherUnknown.selector, 7));
        desk.serve(7, _statement(), lines[0], _proof);
    }

    function test_serve__before_the_window_opened__reverts() public {
        offer(8, dollar);
        mint(ann, (8 << 8) | 1, 5);
        facilities.setState(8, IFacilityRegistry.FacilityState.Funded);
        vm.warp(WINDOW_START - 100);
        vm.prank(ann);
        token.takeDelivery((8 << 8) | 1, 1, "early");
        IStatementRegistry.Line memory line = _line(4, 100);
        (line.facilityId, line.lease, line.start) = (8, "early", WINDOW_START - 50);
        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.LineNotDelivery.selector, 2));
        desk.serve(2, _statement(), line, _proof);
    }

    function test_serve__not_final_or_not_proven__reverts() public {
        statements.setFinal(F, 0, false);
        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.StatementNotFinal.selector, F, 0));
        desk.serve(1, _statement(), _line(4, 100), _proof);
        statements.setFinal(F, 0, true);
        statements.setProven(false);
        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.LineNotProven.selector, F, 0, 4));
        desk.serve(1, _statement(), _line(4, 100), _proof);
    }

    function test_pay__after_maturity_and_grace__pays_the_unserved() public {
        desk.serve(1, _statement(), _line(4, 5_400), _proof);
        bonds.set(3_000_000, 1e12);
        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.FacilityNotEnded.selector, F));
        desk.payUnserved(1);
        setState(IFacilityRegistry.FacilityState.Matured);
        uint64 from = WINDOW_END + desk.SERVE_GRACE();
        vm.warp(from - 1);
        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.ServingStillOpen.selector, F, from));
        desk.payUnserved(1);
        vm.warp(from);
        vm.expectEmit(true, true, false, true, address(desk));
        emit IDeliveryDesk.VoucherPaid(1, ann, 1_800, 1_500_000);
        assertEq(desk.payUnserved(1), 1_500_000, "half an hour");
        assertEq(desk.unservedGpuSeconds(F), 0, "closed");
        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.NothingUnserved.selector, 1));
        desk.payUnserved(1);
        // ATTACKS 29: paid in money, it is not served as well.
        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.NothingUnserved.selector, 1));
        desk.serve(1, _statement(), _line(5, 100), _proof);
    }

    /// @dev ATTACKS 12: what the bond cannot pay is not marked as paid.
    function test_pay__bond_too_small__the_rest_stays_owed() public {
        setState(IFacilityRegistry.FacilityState.Defaulted);
        bonds.set(3_600, 1_000);
        assertEq(desk.payUnserved(1), 1_000, "all there is");
        assertEq(desk.voucherOf(1).paidGpuSeconds, 1_000, "as many seconds");
        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.BondEmpty.selector, F));
        desk.payUnserved(1);
        bonds.set(3_600, 1e9);
        assertEq(desk.payUnserved(1), 6_200, "after a top-up");
        assertEq(bonds.paidTo(ann), 7_200, "whole");
    }

    function test_pay__no_rate_or_no_vault__closes_or_reverts() public {
        setState(IFacilityRegistry.FacilityState.Defaulted);
        facilities.link(address(token), address(0), address(0), address(desk), address(statements));
        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.BondEmpty.selector, F));
        desk.payUnserved(1);
        facilities.link(address(token), address(0), address(bonds), address(desk), address(statements));
        assertEq(desk.payUnserved(1), 0, "no rate, no money");
        assertEq(desk.unservedGpuSeconds(F), 0, "closed");
    }

    function _statement() private pure returns (IStatementRegistry.Statement memory statement) {
        statement.facilityId = F;
    }

    function _line(uint32 index, uint64 gpuSeconds) private pure returns (IStatementRegistry.Line memory line) {
        line.facilityId = F;
        line.index = index;
        line.kind = 1;
        line.lease = LEASE;
        line.start = WINDOW_START;
        line.end = WINDOW_START + 1 days;
        line.gpuSeconds = gpuSeconds;
    }
}
