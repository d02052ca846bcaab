// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDeliveryDesk} from "../../../contracts/interfaces/IDeliveryDesk.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IStatementChallenges} from "../../../contracts/interfaces/IStatementChallenges.sol";
import {Attesting} from "../invariant/Attesting.sol";

/// @title Vouchers against real statements, and a vault that refuses to slash
contract DeliveringTest is Attesting {
    uint64 private constant F = 2;
    bytes32 private constant REF = keccak256("ann's lease");

    function setUp() public {
        _build();
        vm.startPrank(gpuOperator);
        for (uint256 s = 0; s < 3; ++s) {
            token.mint(ann, _id(F, s), CAP);
        }
        facilities.fund(F);
        vm.stopPrank();
        vm.warp(START + 1);
    }

    function _final(Posted memory made) private {
        _post(made, 0);
        vm.warp(_now() + CHALLENGE_WINDOW);
    }

    /// @notice ATTACKS 29: compute of before the units were burned earned revenue as units, so it serves no voucher; a
    /// line serves once.
    function test_serve__line_of_before_or_used__reverts() external {
        vm.startPrank(ann);
        uint256 voucher = token.takeDelivery(_id(F, 2), 2, REF);
        vm.stopPrank();
        Posted memory early = _next(F, 0, 36_000, REF, false);
        _final(early);
        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.LineNotDelivery.selector, voucher));
        desk.serve(voucher, early.statement, early.line, new bytes32[](0));

        Posted memory later = _next(F, 0, 36_000, REF, false);
        _final(later);
        desk.serve(voucher, later.statement, later.line, new bytes32[](0));

        assertEq(desk.voucherOf(voucher).servedGpuSeconds, EPOCH, "served");
        bytes4 used = IDeliveryDesk.LineAlreadyUsed.selector;
        vm.expectRevert(abi.encodeWithSelector(used, F, uint32(1), uint32(0)));
        desk.serve(voucher, later.statement, later.line, new bytes32[](0));
    }

    /// @notice ATTACKS 24: a vault that refuses neither saves the statement nor frees the attesters.
    function test_challenge__vault_refuses__slash_waits_for_anybody() external {
        Posted memory made = _next(F, 1, 1, bytes32(0), true);
        _post(made, 2);
        bytes memory code = address(vault).code;
        vm.etch(address(vault), hex"60006000fd");
        _challenge(F, 0);
        assertEq(statements.epochsPosted(F), 0, "void");
        bytes32 hash = statements.hashStatement(made.statement);
        assertEq(statements.verdictOf(hash).pending, 3, "two wait");
        vm.etch(address(vault), code);
        vm.prank(bob);
        statements.slashPending(made.statement);
        assertEq(vault.attesterBondOf(vm.addr(attesterKeys[0])), 4_000, "slashed");
        assertEq(vault.owedTo(address(dollar), address(this)), 1_000, "to the challenger, not to the caller");
        vm.expectRevert(abi.encodeWithSelector(IStatementChallenges.NothingPending.selector, hash));
        statements.slashPending(made.statement);
    }

    /// @notice Default needs a bond that is missing or statements that are; a good facility cannot be brought down.
    function test_declare_default__all_in_order__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IFacilityRegistry.NotInDefault.selector, F));
        facilities.declareDefault(F);
    }
}
