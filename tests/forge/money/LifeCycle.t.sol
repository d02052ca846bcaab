// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IPrimarySale} from "../../../contracts/interfaces/IPrimarySale.sol";
import {MoneyBase} from "./MoneyBase.sol";

/// @title From the offer to the funding; how a facility ends is in Endings.t.sol
contract LifeCycleTest is MoneyBase {
    function setUp() public {
        _deploy();
    }

    function test_link__twice__reverts() public {
        IFacilityRegistry.Links memory links;
        vm.expectRevert(abi.encodeWithSelector(IFacilityRegistry.AlreadyLinked.selector));
        facilities.link(links);
    }

    function test_fund__bond_missing__reverts() public {
        _offer(7, address(dollar), _oneTranche());
        _bond(7, 999_999);
        vm.prank(gpuOperator);
        token.mint(ann, _id(7, 0), 1);
        vm.expectRevert(abi.encodeWithSelector(IFacilityRegistry.BondInsufficient.selector, uint64(7)));
        vm.prank(gpuOperator);
        facilities.fund(7);
        _depositBond(7, 1);
        vm.prank(gpuOperator);
        facilities.fund(7);
        vm.expectRevert(
            abi.encodeWithSelector(
                IFacilityRegistry.FacilityStateWrong.selector, uint64(7), IFacilityRegistry.FacilityState.Funded
            )
        );
        vm.prank(gpuOperator);
        facilities.fund(7);
    }

    function test_fund_cancel__wrong_caller_or_nothing_minted__revert() public {
        _offer(7, address(dollar), _twoTranches());
        vm.expectRevert(abi.encodeWithSelector(IFacilityRegistry.NotGpuOperator.selector, uint64(7), address(this)));
        facilities.fund(7);
        vm.expectRevert(abi.encodeWithSelector(IFacilityRegistry.NotGpuOperator.selector, uint64(7), address(this)));
        facilities.cancel(7);
        vm.expectRevert(abi.encodeWithSelector(IFacilityRegistry.FacilityUnknown.selector, uint64(9)));
        facilities.cancel(9);
        vm.startPrank(gpuOperator);
        vm.expectRevert(abi.encodeWithSelector(IFacilityRegistry.FacilityEmpty.selector, uint64(7)));
        facilities.fund(7);
        vm.stopPrank();
    }

    /// Bond terms are part of every deal (finding L11).
    function test_fund__without_bond_terms__reverts() public {
        _offer(7, address(dollar), _oneTranche());
        _depositBond(7, 1_000_000);
        vm.startPrank(gpuOperator);
        token.mint(ann, _id(7, 0), 1);
        vm.expectRevert(abi.encodeWithSelector(IFacilityRegistry.BondTermsMissing.selector, uint64(7)));
        facilities.fund(7);
        vm.stopPrank();
    }

    /// Finding F19: a unit placed privately traps no offer. It had no price, so no money comes back; it can be burned.
    function test_cancel__units_placed_privately__withdraws_the_offer() public {
        _offer(7, address(dollar), _twoTranches());
        _bond(7, 1_000_000);
        vm.startPrank(gpuOperator);
        token.mint(ann, _id(7, 1), 1);
        facilities.cancel(7);
        vm.stopPrank();
        require(facilities.stateOf(7) == IFacilityRegistry.FacilityState.Cancelled, "cancelled");
        vm.prank(ann);
        token.burnExpired(_id(7, 1), 1);
        assertEq(token.totalSupply(_id(7, 1)), 0, "burned");
        assertEq(vault.release(7), 1_000_000, "the bond goes home");
    }

    function test_cancel__units_sold__is_the_sales_alone() public {
        _offer(7, address(dollar), _twoTranches());
        _openSale(7);
        vm.warp(_saleTerms().opensAt);
        _buy(ann, _id(7, 1), 1);
        vm.expectRevert(abi.encodeWithSelector(IFacilityRegistry.SaleRunning.selector, uint64(7)));
        vm.prank(gpuOperator);
        facilities.cancel(7);
    }

    function test_expire__from_the_exact_second__by_anybody_once() public {
        _offer(7, address(dollar), _oneTranche());
        _bond(7, 1_000_000);
        vm.prank(gpuOperator);
        token.mint(ann, _id(7, 0), 40);
        bytes memory notExpired = abi.encodeWithSelector(IFacilityRegistry.OfferNotExpired.selector, uint64(7));
        vm.warp(START + 3 days - 1);
        require(facilities.stateOf(7) == IFacilityRegistry.FacilityState.Offered, "offered");
        vm.expectRevert(notExpired);
        facilities.expire(7);
        vm.warp(START + 3 days);
        require(facilities.stateOf(7) == IFacilityRegistry.FacilityState.Cancelled, "by time alone");
        require(facilities.epochTermsOf(7).state == IFacilityRegistry.FacilityState.Cancelled, "for statements too");
        vm.expectRevert(
            abi.encodeWithSelector(
                IFacilityRegistry.FacilityStateWrong.selector, uint64(7), IFacilityRegistry.FacilityState.Cancelled
            )
        );
        vm.prank(gpuOperator);
        facilities.fund(7);
        assertEq(vault.release(7), 1_000_000, "also before anybody recorded it");
        vm.expectEmit(true, true, true, true, address(facilities));
        emit IFacilityRegistry.FacilityStateChanged(7, IFacilityRegistry.FacilityState.Cancelled);
        vm.prank(cleo);
        facilities.expire(7);
        vm.expectRevert(notExpired);
        facilities.expire(7);
        vm.expectRevert(abi.encodeWithSelector(IFacilityRegistry.OfferNotExpired.selector, uint64(9)));
        facilities.expire(9);
    }

    function test_expire__funded__never() public {
        _funded(7, address(dollar), _oneTranche());
        vm.warp(START + 30 days);
        require(facilities.stateOf(7) == IFacilityRegistry.FacilityState.Delivering, "delivering");
        vm.expectRevert(abi.encodeWithSelector(IFacilityRegistry.OfferNotExpired.selector, uint64(7)));
        facilities.expire(7);
    }

    function test_fund__sale_running__is_the_sales_alone() public {
        _offer(7, address(dollar), _twoTranches());
        _openSale(7);
        vm.expectRevert(abi.encodeWithSelector(IFacilityRegistry.SaleRunning.selector, uint64(7)));
        vm.prank(gpuOperator);
        facilities.fund(7);
        // Nothing is sold: the offer may still be withdrawn, and the sale then ends by itself.
        vm.prank(gpuOperator);
        facilities.cancel(7);
        sale.finalize(7);
        require(sale.bookOf(7).state == IPrimarySale.SaleState.Refunding, "refunding");
    }

    function test_views__any__equal_what_was_offered() public {
        _offer(7, address(dollar), _twoTranches());
        require(keccak256(abi.encode(facilities.termsOf(7))) == keccak256(abi.encode(_terms(address(dollar)))), "terms");
        require(keccak256(abi.encode(facilities.tranchesOf(7))) == keccak256(abi.encode(_twoTranches())), "tranches");
        IFacilityRegistry.EpochTerms memory epochs = facilities.epochTermsOf(7);
        assertEq(epochs.windowStart, START, "start");
        assertEq(epochs.windowEnd, START + EPOCHS * EPOCH, "end");
        assertEq(epochs.epochLength, EPOCH, "epoch");
        assertEq(epochs.deviceCount, 10, "devices");
        require(epochs.state == IFacilityRegistry.FacilityState.Offered, "state");
        IFacilityRegistry.SettlementTerms memory terms = facilities.settlementTermsOf(7);
        assertEq(terms.feeBps, 100, "fee");
        assertEq(terms.epochCount, EPOCHS, "epochs");
        assertEq(terms.coupons[0], 1_000_003, "coupon");
        assertEq(terms.coupons[1], 0, "residual");
        assertEq(facilities.promisedGpuSeconds(7, 3), uint256(10) * 3 * EPOCH * 99 / 100, "promised");
        assertEq(facilities.trancheCapOf(7, 1), 24, "cap");
        assertEq(facilities.trancheCapOf(7, 2), 0, "no tranche");
        assertEq(facilities.trancheCapOf(7, 200), 0, "no tranche either");
        assertEq(epochs.panel, 1, "panel");
        vm.expectRevert(abi.encodeWithSelector(IFacilityRegistry.FacilityUnknown.selector, uint64(9)));
        facilities.settlementTermsOf(9);
    }

    function test_offer__coupons_beyond_64_bits__revert() public {
        IFacilityRegistry.TrancheTerms[] memory tranches = _twoTranches();
        tranches[0].couponPerUnit = type(uint64).max / 16 + 1;
        vm.expectRevert(abi.encodeWithSelector(IFacilityRegistry.TermsInvalid.selector, "couponPerUnit"));
        vm.prank(gpuOperator);
        facilities.offer(7, _terms(address(dollar)), tranches);
    }
}
