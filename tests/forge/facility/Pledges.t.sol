// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FacilityRegistry} from "../../../contracts/facility/FacilityRegistry.sol";
import {IAttesterRegistry} from "../../../contracts/interfaces/IAttesterRegistry.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IOperatorRecords} from "../../../contracts/interfaces/IOperatorRecords.sol";
import {IPledgeRegistry} from "../../../contracts/interfaces/IPledgeRegistry.sol";
import {IPrimarySale} from "../../../contracts/interfaces/IPrimarySale.sol";
import {IBondVault} from "../../../contracts/interfaces/IBondVault.sol";
import {World} from "../invariant/World.sol";

/// @title Approvals of pledges, and what nobody can do without one (finding H7)
contract PledgesTest is World {
    uint64 private constant NEW = 9;
    bytes32 private constant ROOT = keccak256("devices");

    function setUp() public {
        _build();
        bytes4[] memory open = new bytes4[](1);
        open[0] = FacilityRegistry.reserve.selector;
        authority.setTargetFunctionRole(address(facilities), open, authority.PUBLIC_ROLE());
    }

    /// @dev An offer of one tranche without a bond, not approved.
    function _newOffer() private {
        IFacilityRegistry.FacilityTerms memory terms = _terms(1);
        terms.pledgeRoot = ROOT;
        IFacilityRegistry.TrancheTerms[] memory tranches = new IFacilityRegistry.TrancheTerms[](1);
        tranches[0] = IFacilityRegistry.TrancheTerms(10, 0);
        vm.startPrank(gpuOperator);
        facilities.offer(NEW, terms, tranches);
        vault.setTerms(NEW, IBondVault.BondTerms(0, HALL_RATE));
        vm.stopPrank();
    }

    function _approval(uint32 fromEpoch) private view returns (IAttesterRegistry.Attestation[] memory) {
        return _signed(pledges.pledgeDigest(NEW, ROOT, fromEpoch));
    }

    function test_pledgeAt__before_any_approval__is_all_zero() external {
        _newOffer();
        IPledgeRegistry.Pledge memory none = pledges.pledgeAt(NEW, 0);
        assertEq(none.root, bytes32(0), "root");
        assertEq(none.fromEpoch, 0, "epoch");
        assertEq(pledges.pledgesOf(NEW).length, 0, "none");
        pledges.approve(NEW, _approval(0));
        assertEq(pledges.pledgeAt(NEW, 0).root, ROOT, "approved");
    }

    function test_fund__pledge_not_approved__reverts_until_it_is() external {
        _newOffer();
        vm.startPrank(gpuOperator);
        token.mint(ann, _id(NEW, 0), 1);
        bytes memory missing = abi.encodeWithSelector(IFacilityRegistry.PledgeNotApproved.selector, NEW);
        vm.expectRevert(missing);
        facilities.fund(NEW);
        vm.stopPrank();
        IAttesterRegistry.Attestation[] memory signed = _approval(0);
        address[] memory signers = new address[](2);
        (signers[0], signers[1]) = (signed[0].attester, signed[1].attester);
        vm.expectEmit(true, true, true, true, address(pledges));
        emit IPledgeRegistry.PledgeApproved(NEW, 0, ROOT, 4, signers);
        pledges.approve(NEW, signed);
        assertTrue(pledges.isApproved(NEW), "approved");
        assertEq(pledges.pledgesOf(NEW).length, 1, "one");
        vm.prank(gpuOperator);
        facilities.fund(NEW);
    }

    /// @notice Silent attesters let a sale fail, and buyers get their price back.
    function test_finalize__pledge_not_approved__waits_until_the_window_then_fails() external {
        _newOffer();
        uint64[] memory prices = new uint64[](1);
        prices[0] = 50_000;
        vm.prank(gpuOperator);
        sale.open(NEW, IPrimarySale.SaleTerms(START - 90_000, START - 1_000, 1, 0, prices));
        vm.warp(START - 90_000);
        _arm(address(dollar), ann, address(sale), 1e9);
        vm.prank(ann);
        sale.buy(_id(NEW, 0), 10, 1e9);
        vm.roll(block.number + 1);
        vm.warp(START - 1);
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.PledgeNotApproved.selector, NEW));
        sale.finalize(NEW);
        vm.warp(START);
        sale.finalize(NEW);
        assertTrue(facilities.stateOf(NEW) == IFacilityRegistry.FacilityState.Cancelled, "cancelled");
        uint256 before = dollar.balanceOf(ann);
        sale.refundTo(ann, _id(NEW, 0));
        assertEq(dollar.balanceOf(ann) - before, 500_000, "the price");
    }

    /// @notice Two pledges that were checked against the same state never pass both.
    function test_approve__another_one_in_between__is_void() external {
        _newOffer();
        IAttesterRegistry.Attestation[] memory signed = _approval(0);
        IFacilityRegistry.FacilityTerms memory terms = _terms(1);
        IFacilityRegistry.TrancheTerms[] memory tranches = new IFacilityRegistry.TrancheTerms[](1);
        tranches[0] = IFacilityRegistry.TrancheTerms(10, 0);
        vm.prank(gpuOperator);
        facilities.offer(NEW + 1, terms, tranches);
        _approve(NEW + 1);
        vm.expectRevert(abi.encodeWithSelector(IAttesterRegistry.SignatureInvalid.selector, signed[0].attester));
        pledges.approve(NEW, signed);
        pledges.approve(NEW, _approval(0));
        signed = _approval(0);
        vm.expectRevert(abi.encodeWithSelector(IPledgeRegistry.PledgeApprovedBefore.selector, NEW));
        pledges.approve(NEW, signed);
    }

    /// @notice Finding F24: governance removes an offer that only holds devices; its approval is worth nothing then.
    function test_remove__unfunded_offer__is_cancelled_and_approves_nothing() external {
        _newOffer();
        IAttesterRegistry.Attestation[] memory signed = _approval(0);
        vm.expectRevert();
        vm.prank(ann);
        facilities.remove(NEW);
        vm.expectEmit(true, true, true, true, address(facilities));
        emit IFacilityRegistry.OfferRemoved(NEW);
        facilities.remove(NEW);
        vm.expectRevert(abi.encodeWithSelector(IPledgeRegistry.FacilityNotOffered.selector, NEW));
        pledges.approve(NEW, signed);
        _fundOther();
        vm.expectRevert(
            abi.encodeWithSelector(
                IFacilityRegistry.FacilityStateWrong.selector, uint64(2), IFacilityRegistry.FacilityState.Funded
            )
        );
        facilities.remove(2);
    }

    function _fundOther() private {
        vm.startPrank(gpuOperator);
        token.mint(ann, _id(2, 0), 1);
        facilities.fund(2);
        vm.stopPrank();
    }

    /// @notice Finding F28: a number that is reserved is nobody else's.
    function test_reserve__by_one_operator__is_refused_to_another() external {
        vm.prank(gpuOperator);
        facilities.reserve(NEW);
        IFacilityRegistry.FacilityTerms memory terms = _terms(1);
        terms.gpuOperator = bob;
        IFacilityRegistry.TrancheTerms[] memory tranches = new IFacilityRegistry.TrancheTerms[](1);
        tranches[0] = IFacilityRegistry.TrancheTerms(10, 0);
        bytes memory taken = abi.encodeWithSelector(IOperatorRecords.FacilityReservedBefore.selector, NEW, gpuOperator);
        vm.startPrank(bob);
        vm.expectRevert(taken);
        facilities.offer(NEW, terms, tranches);
        vm.expectRevert(taken);
        facilities.reserve(NEW);
        vm.expectRevert(abi.encodeWithSelector(IFacilityRegistry.FacilityExists.selector, uint64(1)));
        facilities.reserve(1);
        vm.stopPrank();
        _newOffer();
        assertEq(facilities.reservedBy(NEW), gpuOperator, "its own");
    }

    function test_replace__by_others_too_early_or_not_funded__reverts() external {
        _newOffer();
        pledges.approve(NEW, _approval(0));
        bytes memory closed = abi.encodeWithSelector(IPledgeRegistry.ReplacementNotAccepted.selector, NEW);
        _replace(gpuOperator, ROOT, 1, closed);
        vm.startPrank(gpuOperator);
        token.mint(ann, _id(NEW, 0), 1);
        facilities.fund(NEW);
        vm.stopPrank();
        _replace(ann, ROOT, 1, abi.encodeWithSelector(IPledgeRegistry.NotGpuOperator.selector, NEW, ann));
        _replace(gpuOperator, bytes32(0), 1, abi.encodeWithSelector(IPledgeRegistry.PledgeRootZero.selector));
        bytes4 early = IPledgeRegistry.ReplacementTooEarly.selector;
        // Before the window not even the first epoch has begun, and a second card can fail.
        _replace(gpuOperator, ROOT, 0, "");
        _replace(gpuOperator, ROOT, 2, "");
        _replace(gpuOperator, ROOT, 2, "");
        _replace(gpuOperator, ROOT, 1, abi.encodeWithSelector(early, NEW, uint32(1), uint32(2)));
        vm.warp(START + 2 * EPOCH - 1);
        assertEq(pledges.pledgeAt(NEW, 1).fromEpoch, 0, "the first");
        assertEq(pledges.pledgeAt(NEW, 3).fromEpoch, 2, "the second");
        assertEq(pledges.pledgesOf(NEW).length, 4, "all of them are kept");
        // The last epoch has begun: nothing is left to replace.
        vm.warp(START + 3 * EPOCH);
        _replace(gpuOperator, ROOT, 4, closed);
    }

    function _replace(address caller, bytes32 root, uint32 fromEpoch, bytes memory reason) private {
        IAttesterRegistry.Attestation[] memory signed = _signed(pledges.pledgeDigest(NEW, root, fromEpoch));
        if (reason.length > 0) vm.expectRevert(reason);
        vm.prank(caller);
        pledges.replace(NEW, root, fromEpoch, signed);
    }

    function test_ledger_key__of_the_caller__is_kept() external {
        vm.expectEmit(true, true, true, true, address(facilities));
        emit IOperatorRecords.LedgerKeySet(gpuOperator, ROOT);
        vm.prank(gpuOperator);
        facilities.setLedgerKey(ROOT);
        assertEq(facilities.ledgerKeyOf(gpuOperator), ROOT, "key");
        assertEq(facilities.ledgerKeyOf(ann), bytes32(0), "nobody else's");
    }
}
