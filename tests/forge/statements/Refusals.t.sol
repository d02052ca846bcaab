// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {AttesterRegistry} from "../../../contracts/attesters/AttesterRegistry.sol";
import {IAttesterRegistry} from "../../../contracts/interfaces/IAttesterRegistry.sol";
import {IEndings} from "../../../contracts/interfaces/IEndings.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {ISignerCharges} from "../../../contracts/interfaces/ISignerCharges.sol";
import {IStatementChallenges} from "../../../contracts/interfaces/IStatementChallenges.sol";
import {IStatementRegistry} from "../../../contracts/interfaces/IStatementRegistry.sol";
import {IWalletDesk} from "../../../contracts/interfaces/IWalletDesk.sol";
import {Setup} from "./Setup.sol";

/// @title What registers of statements and attesters refuse, each by its name
contract RefusalsTest is Setup {
    function test_setPanel__more_than_64__reverts() external {
        address[] memory seats = _addressesOf(attesterKeys);
        for (uint8 panel = 2; panel <= 64; ++panel) {
            attesters.setPanel(panel, seats);
        }
        vm.expectRevert(abi.encodeWithSelector(IAttesterRegistry.PanelsFull.selector, 64));
        attesters.setPanel(65, seats);
    }

    function test_offerPanel__none_yet__reverts() external {
        IFacilityRegistry register = IFacilityRegistry(address(facilities));
        IWalletDesk desk = IWalletDesk(address(1));
        IERC20 coin = attesters.bondToken();
        AttesterRegistry fresh = new AttesterRegistry(address(this), register, coin, SLASH, SLASH, 0, 0, desk);
        vm.expectRevert(abi.encodeWithSelector(IAttesterRegistry.PanelUnknown.selector, 0, 0));
        fresh.offerPanel();
    }

    function test_chargeEquivocation__signers_out_of_order__reverts() external {
        IStatementRegistry.Statement memory first = _statement(0, keccak256("a"), 3);
        IStatementRegistry.Statement memory second = _statement(0, keccak256("b"), 3);
        if (registry.hashStatement(second) < registry.hashStatement(first)) (first, second) = (second, first);
        ISignerCharges.Signed memory one = _turned(first);
        ISignerCharges.Signed memory two = _turned(second);
        (address high, address low) = (vm.addr(attesterKeys[2]), vm.addr(attesterKeys[1]));
        vm.expectRevert(abi.encodeWithSelector(IAttesterRegistry.AttestersNotAscending.selector, high, low));
        attesters.chargeEquivocation(first, one, second, two);
    }

    function test_bar__by_a_stranger__reverts() external {
        bytes4 foreign = IStatementChallenges.NotAttesterRegistry.selector;
        vm.expectRevert(abi.encodeWithSelector(foreign, address(this)));
        registry.bar(FACILITY, keccak256("x"), IStatementChallenges.Fault.IntervalOutside, address(this));
    }

    /// A facility that ended before its first epoch was over has nothing to close.
    function test_post__ended_before_any_epoch_was_over__reverts() external {
        IStatementRegistry.Statement memory statement = _statement(0, bytes32(0), 0);
        (statement.billedGpuSeconds, statement.grossRevenue) = (0, 0);
        IAttesterRegistry.Attestation[] memory signed = _sign(statement);
        uint40 endedAt = uint40(WINDOW_START + 10);
        facilities.setState(FACILITY, IFacilityRegistry.FacilityState.Defaulted);
        facilities.setEnding(FACILITY, IEndings.Ending(1, endedAt, 0, 0));
        vm.warp(WINDOW_START + EPOCH_LENGTH);
        vm.expectRevert(abi.encodeWithSelector(IStatementRegistry.FacilityNotDelivering.selector, FACILITY));
        registry.post(statement, signed);
    }

    function test_postMany__one_statement__is_a_batch_like_any_other() external {
        IStatementRegistry.Statement[] memory batch = new IStatementRegistry.Statement[](1);
        batch[0] = _statement(0, bytes32(0), 0);
        (batch[0].billedGpuSeconds, batch[0].grossRevenue) = (0, 0);
        bytes32[] memory hashes = new bytes32[](1);
        hashes[0] = registry.hashStatement(batch[0]);
        bytes32 digest = registry.batchDigest(registry.batchRoot(hashes));
        vm.warp(WINDOW_START + EPOCH_LENGTH);
        registry.postMany(batch, _signedBy(digest, attesterKeys, 2));
        assertEq(registry.statementOf(FACILITY, 0).statementHash, hashes[0], "posted");
    }

    /// @dev The last two of the panel sign, in the wrong order.
    function _turned(IStatementRegistry.Statement memory statement)
        private
        view
        returns (ISignerCharges.Signed memory signed)
    {
        IAttesterRegistry.Attestation[] memory all = _sign(statement);
        signed.attestations = new IAttesterRegistry.Attestation[](2);
        (signed.attestations[0], signed.attestations[1]) = (all[2], all[1]);
    }
}
