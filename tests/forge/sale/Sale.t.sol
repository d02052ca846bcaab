// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {IERC1155Receiver} from "@openzeppelin/contracts/token/ERC1155/IERC1155Receiver.sol";
import {ERC1155Holder} from "@openzeppelin/contracts/token/ERC1155/utils/ERC1155Holder.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IPayouts} from "../../../contracts/interfaces/IPayouts.sol";
import {IPrimarySale} from "../../../contracts/interfaces/IPrimarySale.sol";
import {ITrancheToken} from "../../../contracts/interfaces/ITrancheToken.sol";
import {MoneyBase} from "../money/MoneyBase.sol";

/// @dev A wallet that says yes to every signature of 66 bytes.
contract WalletStub is ERC1155Holder, IERC1271 {
    function isValidSignature(bytes32, bytes calldata signature) external pure returns (bytes4) {
        return signature.length == 66 ? IERC1271.isValidSignature.selector : bytes4(0);
    }
}

contract SaleTest is MoneyBase {
    uint256 private constant KEY = 0xBEEF;
    address private signer;

    function setUp() public {
        _deploy();
        signer = vm.addr(KEY);
        _offer(7, address(dollar), _twoTranches());
        _bond(7, 1_000_000);
    }

    function test_open__wrong__reverts() public {
        IPrimarySale.SaleTerms memory terms = _saleTerms();
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.NotGpuOperator.selector, uint64(7), address(this)));
        sale.open(7, terms);
        terms.closesAt = START + 1;
        _expectInvalid(terms, "closesAt");
        terms = _saleTerms();
        terms.closesAt = terms.opensAt;
        _expectInvalid(terms, "closesAt");
        terms = _saleTerms();
        terms.upFrontBps = 10_001;
        _expectInvalid(terms, "upFrontBps");
        terms = _saleTerms();
        terms.floorUnits = 41;
        _expectInvalid(terms, "floorUnits");
        terms = _saleTerms();
        terms.unitPrices[1] = 0;
        _expectInvalid(terms, "unitPrices");
        terms.unitPrices[1] = (1 << 54) / 16;
        _expectInvalid(terms, "unitPrices");
        terms.unitPrices = new uint64[](1);
        _expectInvalid(terms, "unitPrices");
        vm.prank(gpuOperator);
        token.mint(ann, _id(7, 1), 1);
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.UnitsAlreadyMinted.selector, _id(7, 1)));
        vm.prank(gpuOperator);
        sale.open(7, _saleTerms());
    }

    function test_open__twice_or_not_offered__reverts() public {
        _openSale(7);
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.SaleExists.selector, uint64(7)));
        vm.prank(gpuOperator);
        sale.open(7, _saleTerms());
        _funded(8, address(dollar), _twoTranches());
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.FacilityNotOffered.selector, uint64(8)));
        vm.prank(gpuOperator);
        sale.open(8, _saleTerms());
    }

    function test_buy__wrong__reverts() public {
        uint256 id = _id(7, 1);
        vm.expectRevert(
            abi.encodeWithSelector(IPrimarySale.SaleNotOpen.selector, uint64(7), IPrimarySale.SaleState.None)
        );
        sale.buy(id, 1, 1);
        _openSale(7);
        IPrimarySale.SaleTerms memory terms = _saleTerms();
        vm.expectRevert(
            abi.encodeWithSelector(
                IPrimarySale.SaleOutsideHours.selector, terms.opensAt, terms.closesAt, block.timestamp
            )
        );
        sale.buy(id, 1, 1);
        vm.warp(terms.opensAt);
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.UnitsZero.selector));
        sale.buy(id, 0, 1);
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.UnitsAboveCap.selector, id, 25, 24));
        sale.buy(id, 25, 1);
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.CostAboveLimit.selector, 3_000_002, 3_000_001));
        sale.buy(id, 2, 3_000_001);
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.TrancheUnknown.selector, _id(7, 2)));
        sale.buy(_id(7, 2), 1, 1);
        uint256 beyond = id | (1 << 72);
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.TrancheUnknown.selector, beyond));
        sale.buy(beyond, 1, 1);
        vm.warp(terms.closesAt);
        vm.expectPartialRevert(IPrimarySale.SaleOutsideHours.selector);
        sale.buy(id, 1, 1);
    }

    function test_buyWithPermit__used_by_somebody_first__buys_all_the_same() public {
        // ATTACKS 28
        _openSale(7);
        vm.warp(_saleTerms().opensAt);
        dollar.mint(signer, 10_000_000);
        bytes32 typehash =
            keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        uint256 deadline = block.timestamp + 60;
        bytes32 inner = keccak256(abi.encode(typehash, signer, address(sale), 4_000_000, 0, deadline));
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(KEY, keccak256(abi.encodePacked("\x19\x01", dollar.DOMAIN_SEPARATOR(), inner)));
        dollar.permit(signer, address(sale), 4_000_000, deadline, v, r, s);

        vm.prank(signer);
        sale.buyWithPermit(_id(7, 0), 2, 4_000_000, deadline, v, r, s);

        assertEq(token.balanceOf(signer, _id(7, 0)), 2, "units");
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.TrancheUnknown.selector, _id(9, 0)));
        sale.buyWithPermit(_id(9, 0), 2, 4_000_000, deadline, v, r, s);
    }

    function test_buyWithAuthorization__anybody_sends__buyer_gets_units_once() public {
        _openSale(7);
        vm.warp(_saleTerms().opensAt);
        dollar.mint(signer, 10_000_000);
        bytes memory signature = _authorize(2, 4_000_000, "salt");

        // ATTACKS 28: it is good for this purchase alone.
        vm.expectPartialRevert(bytes4(keccak256("ERC3009InvalidSignature()")));
        sale.buyWithAuthorization(signer, _id(7, 0), 1, 0, type(uint40).max, "salt", signature);
        vm.expectPartialRevert(bytes4(keccak256("ERC3009InvalidSignature()")));
        sale.buyWithAuthorization(ann, _id(7, 0), 2, 0, type(uint40).max, "salt", signature);
        vm.prank(cleo);
        assertEq(
            sale.buyWithAuthorization(signer, _id(7, 0), 2, 0, type(uint40).max, "salt", signature), 4_000_000, "cost"
        );
        assertEq(token.balanceOf(signer, _id(7, 0)), 2, "units");
        vm.expectPartialRevert(bytes4(keccak256("ERC3009UsedAuthorization(address,bytes32)")));
        sale.buyWithAuthorization(signer, _id(7, 0), 2, 0, type(uint40).max, "salt", signature);
    }

    function test_buyWithAuthorization__contract_wallet__by_bytes() public {
        _openSale(7);
        vm.warp(_saleTerms().opensAt);
        address wallet = address(new WalletStub());
        dollar.mint(wallet, 10_000_000);
        sale.buyWithAuthorization(wallet, _id(7, 0), 2, 0, type(uint40).max, "salt", new bytes(66));
        assertEq(token.balanceOf(wallet, _id(7, 0)), 2, "units");
    }

    function test_finalize__success__retains_funds_and_releases_by_delivery() public {
        _openSale(7);
        vm.warp(_saleTerms().opensAt);
        _buy(ann, _id(7, 0), 16);
        _buy(bob, _id(7, 1), 5);
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.SaleStillOpen.selector, uint64(7)));
        sale.finalize(7);
        vm.warp(_saleTerms().closesAt);
        sale.finalize(7);
        assertEq(token.balanceOf(gpuOperator, _id(7, 1)), 19, "retained");
        uint256 proceeds = 32_000_000 + 5 * 1_500_001;
        uint256 upFront = proceeds / 4;
        assertEq(sale.release(7), upFront, "up front");
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.NothingToRelease.selector, uint64(7)));
        sale.release(7);
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.NothingToSeize.selector, uint64(7)));
        sale.seize(7);
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.NotRefunding.selector, uint64(7)));
        vm.prank(ann);
        sale.refund(_id(7, 0), 1, ann);

        uint256 promised = uint256(10) * EPOCHS * EPOCH * 99 / 100;
        _postFinal(7, 0, 36_000);
        assertEq(sale.release(7), (proceeds - upFront) * 36_000 / promised, "one epoch");
        for (uint32 e = 1; e < EPOCHS; ++e) {
            _postFinal(7, 0, 20_000);
        }
        lockbox.settle(7);
        facilities.mature(7);
        uint256 earned = upFront + (proceeds - upFront) * 96_000 / promised;
        // ATTACKS 13: what goes to holders streams.
        assertEq(sale.seize(7), proceeds - earned, "the rest to holders");
        assertEq(token.unvested(_id(7, 0)) + token.unvested(_id(7, 1)), proceeds - earned, "streams");
        sale.release(7);
        assertEq(sale.bookOf(7).released, earned, "earned stays releasable after seizing");
        vm.prank(gpuOperator);
        sale.withdraw(address(dollar), gpuOperator);
        assertEq(dollar.balanceOf(address(sale)), 0, "nothing is left");
    }

    function test_finalize__sold_out_early__succeeds_at_once() public {
        _openSale(7);
        vm.warp(_saleTerms().opensAt);
        _buy(ann, _id(7, 0), 16);
        _buy(bob, _id(7, 1), 24);
        sale.finalize(7);
        require(facilities.stateOf(7) == IFacilityRegistry.FacilityState.Funded, "funded");
        vm.expectPartialRevert(IPrimarySale.SaleNotOpen.selector);
        sale.finalize(7);
    }

    function test_finalize__floor_missed__refunds_exactly() public {
        _openSale(7);
        vm.warp(_saleTerms().opensAt);
        _buy(ann, _id(7, 0), 16);
        _buy(bob, _id(7, 1), 3);
        vm.warp(_saleTerms().closesAt);
        sale.finalize(7);
        require(facilities.stateOf(7) == IFacilityRegistry.FacilityState.Cancelled, "cancelled");
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.NothingToRelease.selector, uint64(7)));
        sale.release(7);

        vm.expectRevert(abi.encodeWithSelector(IPayouts.RecipientInvalid.selector, address(0)));
        sale.refund(_id(7, 0), 1, address(0));
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.UnitsZero.selector));
        sale.refund(_id(7, 0), 0, ann);
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.UnitsAboveCap.selector, _id(7, 0), 20, 19));
        sale.refund(_id(7, 0), 20, ann);
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.TrancheUnknown.selector, _id(7, 3)));
        sale.refund(_id(7, 3), 1, ann);
        vm.prank(ann);
        sale.refund(_id(7, 0), 16, ann);
        vm.prank(bob);
        assertEq(sale.refund(_id(7, 1), 2, bob), 3_000_002, "two units");
        vm.prank(bob);
        sale.refund(_id(7, 1), 1, address(0xC0));
        assertEq(dollar.balanceOf(address(0xC0)), 1_500_001, "to whom the buyer says");
        assertEq(dollar.balanceOf(address(sale)), 0, "nothing is left");
        assertEq(sale.bookOf(7).proceeds, 0, "book");
        _depositBondReleased();
    }

    /// @dev ATTACKS 40: the price of a failed sale goes to who paid it; the enforcer cannot move it by moving units.
    function test_finalize__failed__nobody_moves_the_units_of_a_buyer() public {
        _openSale(7);
        vm.warp(_saleTerms().opensAt);
        _buy(ann, _id(7, 0), 1);
        bytes memory locked = abi.encodeWithSelector(ITrancheToken.UnitsLocked.selector, _id(7, 0));
        vm.expectRevert(locked);
        token.forcedTransfer(ann, cleo, _id(7, 0), 1);
        vm.warp(_saleTerms().closesAt);
        sale.finalize(7);
        vm.expectRevert(locked);
        token.forcedTransfer(ann, cleo, _id(7, 0), 1);
        vm.expectRevert(locked);
        vm.prank(ann);
        token.safeTransferFrom(ann, cleo, _id(7, 0), 1, "");
        uint256 before = dollar.balanceOf(ann);
        vm.prank(ann);
        uint256 back = sale.refund(_id(7, 0), 1, ann);
        assertEq(back, 2_000_000, "her price");
        assertEq(dollar.balanceOf(ann), before + back, "hers");
    }

    function test_finalize__bond_missing__waits_until_the_window_then_fails() public {
        _offer(8, address(dollar), _twoTranches());
        _bond(8, 0);
        _openSale(8);
        vm.warp(_saleTerms().opensAt);
        _buy(ann, _id(8, 0), 16);
        _buy(ann, _id(8, 1), 24);
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.BondInsufficient.selector, uint64(8)));
        sale.finalize(8);
        vm.warp(START);
        sale.finalize(8);
        require(sale.bookOf(8).state == IPrimarySale.SaleState.Refunding, "refunding");
    }

    /// A gpuOperator that cannot receive units can delay, never trap.
    function test_finalize__operator_refuses_units__buyers_get_out() public {
        gpuOperator = address(dollar);
        _offer(8, address(dollar), _twoTranches());
        _openSale(8);
        vm.warp(_saleTerms().opensAt);
        _buy(ann, _id(8, 0), 16);
        _buy(ann, _id(8, 1), 5);
        vm.warp(START + 3 days - 1);
        vm.expectPartialRevert(bytes4(keccak256("ERC1155InvalidReceiver(address)")));
        sale.finalize(8);
        vm.warp(START + 3 days);
        sale.finalize(8);
        vm.startPrank(ann);
        sale.refund(_id(8, 0), 16, ann);
        sale.refund(_id(8, 1), 5, ann);
        vm.stopPrank();
        assertEq(dollar.balanceOf(address(sale)), 0, "out");
    }

    function test_seize__default__everything_unreleased_down_the_waterfall() public {
        _openSale(7);
        vm.warp(_saleTerms().opensAt);
        _buy(ann, _id(7, 0), 16);
        _buy(bob, _id(7, 1), 24);
        sale.finalize(7);
        uint256 released = sale.release(7);
        vm.warp(START + 3 * uint256(EPOCH));
        facilities.declareDefault(7);
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.NothingToRelease.selector, uint64(7)));
        sale.release(7);
        assertEq(sale.seize(7), 32_000_000 + 24 * 1_500_001 - released, "everything unreleased");
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.NothingToSeize.selector, uint64(7)));
        sale.seize(7);
    }

    function test_release__nothing_promised__all_is_earned_at_success() public {
        IFacilityRegistry.FacilityTerms memory terms = _terms(address(dollar));
        terms.promisedAvailabilityPpm = 0;
        vm.prank(gpuOperator);
        facilities.offer(8, terms, _twoTranches());
        _openSale(8);
        vm.warp(_saleTerms().opensAt);
        _buy(ann, _id(8, 0), 16);
        _buy(bob, _id(8, 1), 24);
        sale.finalize(8);
        assertEq(sale.release(8), 32_000_000 + 24 * 1_500_001, "all");
    }

    /// ATTACKS 7: money and units that fall in from elsewhere change no book.
    function test_donation__to_the_sale__changes_nothing() public {
        _openSale(7);
        dollar.mint(address(sale), 5);
        vm.warp(_saleTerms().opensAt);
        _buy(ann, _id(7, 0), 16);
        assertEq(sale.bookOf(7).proceeds, 32_000_000, "book");
        assertEq(dollar.balanceOf(address(sale)), 32_000_005, "held");
    }

    function _depositBondReleased() private {
        assertEq(vault.release(7), 1_000_000, "the bond goes home when the sale failed");
    }

    function _expectInvalid(IPrimarySale.SaleTerms memory terms, string memory field) private {
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.SaleTermsInvalid.selector, field));
        vm.prank(gpuOperator);
        sale.open(7, terms);
    }

    function _authorize(uint256 units, uint256 cost, bytes32 salt) private view returns (bytes memory) {
        bytes32 typehash = keccak256(
            "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
        );
        bytes32 nonce = sale.purchaseNonce(_id(7, 0), units, salt);
        bytes32 inner =
            keccak256(abi.encode(typehash, signer, address(sale), cost, 0, uint256(type(uint40).max), nonce));
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(KEY, keccak256(abi.encodePacked("\x19\x01", dollar.DOMAIN_SEPARATOR(), inner)));
        return abi.encodePacked(r, s, v);
    }
}
