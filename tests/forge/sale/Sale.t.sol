// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ERC1155Holder} from "@openzeppelin/contracts/token/ERC1155/utils/ERC1155Holder.sol";
import {IBondVault} from "../../../contracts/interfaces/IBondVault.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IPrimarySale} from "../../../contracts/interfaces/IPrimarySale.sol";
import {MoneyBase} from "../money/MoneyBase.sol";

/// @dev A wallet that says yes to every signature of 66 bytes.
contract WalletStub is ERC1155Holder, IERC1271 {
    function isValidSignature(bytes32, bytes calldata signature) external pure returns (bytes4) {
        return signature.length == 66 ? IERC1271.isValidSignature.selector : bytes4(0);
    }
}

/// @title A sale from its terms to its success; what becomes of the proceeds is in Proceeds.t.sol
contract SaleTest is MoneyBase {
    uint256 private constant KEY = 0xBEEF;
    /// @dev Everything at its price: 16 seniors and 24 juniors.
    uint256 private constant TOTAL = 16 * uint256(SENIOR_PRICE) + 24 * uint256(JUNIOR_PRICE);
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
        terms.opensAt = START - 200_000;
        terms.closesAt = uint64(block.timestamp);
        _expectInvalid(terms, "closesAt");
        terms = _saleTerms();
        terms.upFrontBps = 10_001;
        _expectInvalid(terms, "upFrontBps");
        terms = _saleTerms();
        // About two dollars.
        // forge-lint: disable-next-line(unsafe-typecast)
        terms.floorProceeds = uint64(TOTAL) + 1;
        _expectInvalid(terms, "floorProceeds");
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

    function test_open__closes_when_the_offer_expires__reverts() public {
        IFacilityRegistry.FacilityTerms memory offered = _terms(address(dollar));
        offered.expiresAt = START - 2_000;
        vm.startPrank(gpuOperator);
        facilities.offer(8, offered, _twoTranches());
        vault.setTerms(8, _bondTerms());
        vm.stopPrank();
        IPrimarySale.SaleTerms memory terms = _saleTerms();
        terms.closesAt = START - 2_000;
        _expectInvalid(8, terms, "closesAt");
        terms.closesAt = START - 2_001;
        vm.prank(gpuOperator);
        sale.open(8, terms);
    }

    /// A unit with a coupon is never paid more than the coupon: at a higher price its buyer would lose for certain.
    function test_open__price_above_the_coupon__reverts() public {
        IPrimarySale.SaleTerms memory terms = _saleTerms();
        terms.upFrontBps = 10_000;
        terms.unitPrices[0] = COUPON + 1;
        _expectInvalid(terms, "couponPerUnit");
        terms.unitPrices[0] = COUPON;
        vm.prank(gpuOperator);
        sale.open(7, terms);
    }

    /// 39.6 hours are promised. At the bond's rate they must be worth what delivery has to earn at cap.
    function test_open__rate_too_low_for_the_price__reverts() public {
        uint256 toEarn = TOTAL - TOTAL / 4;
        // 39.6 hours = 142,560 GPU-seconds.
        // forge-lint: disable-next-line(unsafe-typecast)
        uint64 enough = uint64((toEarn * 3_600 + 142_559) / 142_560);
        for (uint64 f = 8; f < 10; ++f) {
            _offer(f, address(dollar), _twoTranches());
            vm.prank(gpuOperator);
            vault.setTerms(f, IBondVault.BondTerms(0, enough - 9 + f));
        }
        _expectInvalid(8, _saleTerms(), "ratePerGpuHour");
        vm.prank(gpuOperator);
        sale.open(9, _saleTerms());
    }

    function test_open__no_bond_terms_or_nothing_promised__reverts() public {
        _offer(8, address(dollar), _twoTranches());
        _expectInvalid(8, _saleTerms(), "bondTerms");
        IFacilityRegistry.FacilityTerms memory terms = _terms(address(dollar));
        terms.promisedAvailabilityPpm = 0;
        vm.startPrank(gpuOperator);
        facilities.offer(9, terms, _twoTranches());
        vault.setTerms(9, _bondTerms());
        vm.stopPrank();
        _expectInvalid(9, _saleTerms(), "promisedAvailabilityPpm");
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
        uint256 cost = 2 * uint256(JUNIOR_PRICE);
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.CostAboveLimit.selector, cost, cost - 1));
        sale.buy(id, 2, cost - 1);
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
        uint256 cost = 2 * uint256(SENIOR_PRICE);
        bytes memory signature = _authorize(2, cost, "salt");

        // ATTACKS 28: it is good for this purchase alone.
        vm.expectPartialRevert(bytes4(keccak256("ERC3009InvalidSignature()")));
        sale.buyWithAuthorization(signer, _id(7, 0), 1, 0, type(uint40).max, "salt", signature);
        vm.expectPartialRevert(bytes4(keccak256("ERC3009InvalidSignature()")));
        sale.buyWithAuthorization(ann, _id(7, 0), 2, 0, type(uint40).max, "salt", signature);
        vm.prank(cleo);
        assertEq(sale.buyWithAuthorization(signer, _id(7, 0), 2, 0, type(uint40).max, "salt", signature), cost, "cost");
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

    function test_buy__by_the_gpuOperator__does_not_count() public {
        _openSale(7);
        vm.warp(_saleTerms().opensAt);
        _buy(ann, _id(7, 0), 2);
        _buy(gpuOperator, _id(7, 1), 3);
        IPrimarySale.SaleBook memory book = sale.bookOf(7);
        assertEq(book.soldUnits, 5, "units");
        assertEq(book.proceeds, 2 * uint256(SENIOR_PRICE) + 3 * uint256(JUNIOR_PRICE), "proceeds");
        assertEq(book.counted, 2 * uint256(SENIOR_PRICE), "counted");
    }

    function test_finalize__success__unsold_units_are_never_minted() public {
        _openSale(7);
        vm.warp(_saleTerms().opensAt);
        _buy(ann, _id(7, 0), 16);
        _buy(bob, _id(7, 1), 5);
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.SaleStillOpen.selector, uint64(7)));
        sale.finalize(7);
        vm.warp(_saleTerms().closesAt);
        _finalize(7);
        assertEq(token.totalSupply(_id(7, 0)), 16, "seniors sold");
        assertEq(token.totalSupply(_id(7, 1)), 5, "juniors sold");
        assertEq(token.balanceOf(gpuOperator, _id(7, 1)), 0, "nothing is free");
        assertEq(facilities.settlementTermsOf(7).unsold[1], 19, "unsold");
    }

    function test_finalize__a_tranche_wholly_unsold__succeeds() public {
        _openSale(7);
        vm.warp(_saleTerms().opensAt);
        _buy(bob, _id(7, 1), 24);
        vm.warp(_saleTerms().closesAt);
        _finalize(7);
        require(facilities.stateOf(7) == IFacilityRegistry.FacilityState.Funded, "funded");
        assertEq(facilities.settlementTermsOf(7).unsold[0], 16, "unsold");
    }

    function test_finalize__in_the_block_of_a_purchase__reverts() public {
        _openSale(7);
        vm.warp(_saleTerms().opensAt);
        _buy(ann, _id(7, 0), 16);
        _buy(bob, _id(7, 1), 24);
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.BoughtInThisBlock.selector, uint64(7)));
        sale.finalize(7);
        _finalize(7);
        require(facilities.stateOf(7) == IFacilityRegistry.FacilityState.Funded, "sold out: at once");
        vm.expectPartialRevert(IPrimarySale.SaleNotOpen.selector);
        sale.finalize(7);
    }

    /// With no floor a sale succeeds with one unit, not with none.
    function test_finalize__nothing_sold__fails() public {
        vm.prank(gpuOperator);
        sale.open(7, _saleTerms(0));
        vm.warp(_saleTerms().closesAt);
        sale.finalize(7);
        require(sale.bookOf(7).state == IPrimarySale.SaleState.Refunding, "refunding");
        require(facilities.stateOf(7) == IFacilityRegistry.FacilityState.Cancelled, "cancelled");
    }

    function test_finalize__bond_missing__waits_until_the_window_then_fails() public {
        _offer(8, address(dollar), _twoTranches());
        _bond(8, 0);
        _openSale(8);
        vm.warp(_saleTerms().opensAt);
        _buy(ann, _id(8, 0), 16);
        _buy(ann, _id(8, 1), 24);
        vm.roll(block.number + 1);
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.BondInsufficient.selector, uint64(8)));
        sale.finalize(8);
        vm.warp(START);
        sale.finalize(8);
        require(sale.bookOf(8).state == IPrimarySale.SaleState.Refunding, "refunding");
    }

    /// ATTACKS 7: money and units that fall in from elsewhere change no book.
    function test_donation__to_the_sale__changes_nothing() public {
        _openSale(7);
        dollar.mint(address(sale), 5);
        vm.warp(_saleTerms().opensAt);
        _buy(ann, _id(7, 0), 16);
        assertEq(sale.bookOf(7).proceeds, 16 * uint256(SENIOR_PRICE), "book");
        assertEq(dollar.balanceOf(address(sale)), 16 * uint256(SENIOR_PRICE) + 5, "held");
    }

    function _expectInvalid(IPrimarySale.SaleTerms memory terms, string memory field) private {
        _expectInvalid(7, terms, field);
    }

    function _expectInvalid(uint64 facilityId, IPrimarySale.SaleTerms memory terms, string memory field) private {
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.SaleTermsInvalid.selector, field));
        vm.prank(gpuOperator);
        sale.open(facilityId, terms);
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
