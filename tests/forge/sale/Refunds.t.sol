// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {InvestorRegistry} from "../../../contracts/access/InvestorRegistry.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IInvestorRegistry} from "../../../contracts/interfaces/IInvestorRegistry.sol";
import {IPayouts} from "../../../contracts/interfaces/IPayouts.sol";
import {IPrimarySale} from "../../../contracts/interfaces/IPrimarySale.sol";
import {IWalletDesk} from "../../../contracts/interfaces/IWalletDesk.sol";
import {IWalletProposals} from "../../../contracts/interfaces/IWalletProposals.sol";
import {ITrancheToken} from "../../../contracts/interfaces/ITrancheToken.sol";
import {MoneyBase} from "../money/MoneyBase.sol";
import {WalletStub} from "./Sale.t.sol";

/// @title A sale that failed: every buyer gets exactly the price back, and nobody can stop it
contract RefundsTest is MoneyBase {
    uint256 private constant KEY = 0xBEEF;
    address private signer;

    function setUp() public {
        _deploy();
        signer = vm.addr(KEY);
        _offer(7, address(dollar), _twoTranches());
        _bond(7, 1_000_000);
        _openSale(7);
        vm.warp(_saleTerms().opensAt);
    }

    function test_refund__floor_missed__exactly_the_price() public {
        _buy(ann, _id(7, 0), 15);
        _buy(bob, _id(7, 1), 1);
        _fail();
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.NothingToRelease.selector, uint64(7)));
        sale.release(7);

        vm.expectRevert(abi.encodeWithSelector(IPayouts.RecipientInvalid.selector, address(0)));
        sale.refund(_id(7, 0), 1, address(0));
        vm.startPrank(ann);
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.UnitsZero.selector));
        sale.refund(_id(7, 0), 0, ann);
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.UnitsAboveCap.selector, _id(7, 0), 16, 15));
        sale.refund(_id(7, 0), 16, ann);
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.UnitsAboveCap.selector, _id(7, 1), 1, 0));
        sale.refund(_id(7, 1), 1, ann);
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.TrancheUnknown.selector, _id(7, 3)));
        sale.refund(_id(7, 3), 1, ann);
        uint256 beyond = _id(7, 0) | (1 << 72);
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.TrancheUnknown.selector, beyond));
        sale.refund(beyond, 1, ann);
        assertEq(sale.refund(_id(7, 0), 14, address(0xC0)), 14 * uint256(SENIOR_PRICE), "14 units");
        vm.stopPrank();
        assertEq(dollar.balanceOf(address(0xC0)), 14 * uint256(SENIOR_PRICE), "to whom the buyer says");
        sale.refundTo(ann, _id(7, 0));
        sale.refundTo(bob, _id(7, 1));
        assertEq(dollar.balanceOf(address(sale)), 0, "nothing is left");
        IPrimarySale.SaleBook memory book = sale.bookOf(7);
        assertEq(book.proceeds + book.soldUnits, 0, "book");
        assertEq(book.counted, 15 * uint256(SENIOR_PRICE) + JUNIOR_PRICE, "what counted stays to be seen");
        assertEq(vault.release(7), 1_000_000, "the bond goes home");
    }

    /// Anybody may send the money home, to the buyer itself and nowhere else, once.
    function test_refundTo__a_stranger_calls__pays_the_buyer() public {
        _buy(ann, _id(7, 0), 3);
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.NotRefunding.selector, uint64(7)));
        sale.refundTo(ann, _id(7, 0));
        _fail();
        uint256 before = dollar.balanceOf(ann);
        vm.prank(cleo);
        assertEq(sale.refundTo(ann, _id(7, 0)), 3 * uint256(SENIOR_PRICE), "all");
        assertEq(dollar.balanceOf(ann) - before, 3 * uint256(SENIOR_PRICE), "to ann");
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.UnitsZero.selector));
        sale.refundTo(ann, _id(7, 0));
    }

    function test_refundBySig__where_the_buyer_signs__once() public {
        _buy(signer, _id(7, 0), 4);
        _fail();
        uint256 deadline = block.timestamp + 60;
        bytes memory signature = _sign(3, cleo, 0, deadline);
        vm.expectRevert(abi.encodeWithSelector(IWalletProposals.SignatureInvalid.selector, signer));
        wallets.refundBySig(signer, _id(7, 0), 3, ann, deadline, signature);
        vm.expectRevert(abi.encodeWithSelector(IWalletProposals.SignatureInvalid.selector, signer));
        wallets.refundBySig(signer, _id(7, 0), 4, cleo, deadline, signature);
        vm.expectRevert(abi.encodeWithSelector(IWalletProposals.SignatureInvalid.selector, ann));
        wallets.refundBySig(ann, _id(7, 0), 3, cleo, deadline, signature);
        vm.prank(bob);
        assertEq(
            wallets.refundBySig(signer, _id(7, 0), 3, cleo, deadline, signature), 3 * uint256(SENIOR_PRICE), "three"
        );
        assertEq(dollar.balanceOf(cleo), 3 * uint256(SENIOR_PRICE), "where it was signed");
        vm.expectRevert(abi.encodeWithSelector(IWalletProposals.SignatureInvalid.selector, signer));
        wallets.refundBySig(signer, _id(7, 0), 3, cleo, deadline, signature);
        signature = _sign(1, cleo, 1, deadline);
        vm.warp(deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(IWalletDesk.DeadlinePassed.selector, deadline, deadline + 1));
        wallets.refundBySig(signer, _id(7, 0), 1, cleo, deadline, signature);
    }

    function test_refundBySig__contract_wallet__by_erc1271() public {
        address wallet = address(new WalletStub());
        _buy(wallet, _id(7, 1), 2);
        _fail();
        wallets.refundBySig(wallet, _id(7, 1), 2, cleo, block.timestamp, new bytes(66));
        assertEq(dollar.balanceOf(cleo), 2 * uint256(JUNIOR_PRICE), "the exact price");
    }

    /// Finding F14: whatever compliance, enforcer or pauser did to a buyer, the price is the buyer's.
    function test_refund__entry_expired_units_frozen_token_paused__all_the_same() public {
        InvestorRegistry investors = new InvestorRegistry(address(authority));
        token.setInvestorRegistry(investors);
        investors.setInvestor(ann, IInvestorRegistry.Investor(uint64(block.timestamp) + 60, 752, true, true));
        _buy(ann, _id(7, 0), 10);
        token.setFrozenTokens(ann, _id(7, 0), 7);
        _fail();
        token.pause();
        assertFalse(token.canSend(ann), "the entry has expired");
        uint256 before = dollar.balanceOf(ann);

        vm.prank(ann);
        sale.refund(_id(7, 0), 6, ann);

        assertEq(token.getFrozenTokens(ann, _id(7, 0)), 7, "what is frozen may exceed what is left");
        sale.refundTo(ann, _id(7, 0));
        assertEq(dollar.balanceOf(ann) - before, 10 * uint256(SENIOR_PRICE), "the exact price");
        assertEq(token.burnedOf(_id(7, 0)).refunded, 10, "burned");
        assertEq(token.totalSupply(_id(7, 0)), 0, "none is left");
    }

    /// Finding F14b, ATTACKS 40: the price of a failed sale goes to who paid it; the enforcer cannot move it by moving
    /// units.
    function test_finalize__failed__nobody_moves_the_units_of_a_buyer() public {
        _buy(ann, _id(7, 0), 1);
        bytes memory locked = abi.encodeWithSelector(ITrancheToken.UnitsLocked.selector, _id(7, 0));
        vm.expectRevert(locked);
        token.forcedTransfer(ann, cleo, _id(7, 0), 1);
        _fail();
        vm.expectRevert(locked);
        token.forcedTransfer(ann, cleo, _id(7, 0), 1);
        vm.expectRevert(locked);
        vm.prank(ann);
        token.safeTransferFrom(ann, cleo, _id(7, 0), 1, "");
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.UnitsAboveCap.selector, _id(7, 0), 1, 0));
        vm.prank(cleo);
        sale.refund(_id(7, 0), 1, cleo);
        uint256 before = dollar.balanceOf(ann);
        vm.prank(cleo);
        assertEq(sale.refundTo(ann, _id(7, 0)), SENIOR_PRICE, "her price");
        assertEq(dollar.balanceOf(ann) - before, SENIOR_PRICE, "hers");
    }

    function test_burnForRefund__not_the_sale_or_not_failed__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(ITrancheToken.NotPrimarySale.selector, address(this)));
        token.burnForRefund(ann, _id(7, 0), 1);
        _buy(ann, _id(7, 0), 16);
        _buy(bob, _id(7, 1), 24);
        _finalize(7);
        vm.prank(address(sale));
        vm.expectRevert(abi.encodeWithSelector(ITrancheToken.RefundNotOpen.selector, _id(7, 0)));
        token.burnForRefund(ann, _id(7, 0), 1);
    }

    /// An offer that expired is cancelled by time alone: the sale fails, whoever ends it.
    function test_finalize__offer_expired__refunds() public {
        _buy(ann, _id(7, 0), 16);
        _buy(bob, _id(7, 1), 24);
        vm.warp(START + 3 days);
        require(facilities.stateOf(7) == IFacilityRegistry.FacilityState.Cancelled, "expired");
        _finalize(7);
        require(sale.bookOf(7).state == IPrimarySale.SaleState.Refunding, "refunding");
        facilities.expire(7);
        sale.refundTo(ann, _id(7, 0));
        sale.refundTo(bob, _id(7, 1));
        assertEq(dollar.balanceOf(address(sale)), 0, "nothing is left");
        assertEq(vault.release(7), 1_000_000, "the bond goes home");
    }

    function test_finalize__the_last_second_before_expiry__succeeds() public {
        _buy(ann, _id(7, 0), 16);
        _buy(bob, _id(7, 1), 24);
        vm.warp(START + 3 days - 1);
        _finalize(7);
        require(facilities.stateOf(7) == IFacilityRegistry.FacilityState.Delivering, "delivering");
    }

    function _fail() private {
        vm.warp(_saleTerms().closesAt);
        sale.finalize(7);
        require(facilities.stateOf(7) == IFacilityRegistry.FacilityState.Cancelled, "cancelled");
    }

    function _sign(uint256 units, address to, uint256 nonce, uint256 deadline) private view returns (bytes memory) {
        bytes32 typehash =
            keccak256("Refund(address buyer,uint256 id,uint256 units,address to,uint256 nonce,uint256 deadline)");
        bytes32 inner = keccak256(abi.encode(typehash, signer, _id(7, 0), units, to, nonce, deadline));
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(KEY, keccak256(abi.encodePacked("\x19\x01", wallets.DOMAIN_SEPARATOR(), inner)));
        return abi.encodePacked(r, s, v);
    }
}
