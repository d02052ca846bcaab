// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1155Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {IDeliveryDesk} from "../../../contracts/interfaces/IDeliveryDesk.sol";
import {IERC7572} from "../../../contracts/interfaces/IERC7572.sol";
import {IERC7943MultiToken} from "../../../contracts/interfaces/IERC7943.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {ITrancheMetadata} from "../../../contracts/interfaces/ITrancheMetadata.sol";
import {ITrancheToken} from "../../../contracts/interfaces/ITrancheToken.sol";
import {ITimedPause} from "../../../contracts/interfaces/ITimedPause.sol";
import {TokenBase} from "./TokenBase.sol";

/// @title How units come and go: mint, refund, delivery, expiry; conservation (invariant 1); metadata
contract SupplyTest is TokenBase {
    function test_mint__by_the_operator_of_an_offer__up_to_the_cap() public {
        mint(ann, SENIOR, 999_999);
        mint(ann, SENIOR, 1);
        vm.expectRevert(abi.encodeWithSelector(ITrancheToken.UnitsAboveCap.selector, SENIOR, 1_000_001, 1_000_000));
        mint(ann, SENIOR, 1);
    }

    function test_mint__not_allowed__reverts() public {
        vm.expectRevert(_noMint(SENIOR, ann));
        vm.prank(ann);
        token.mint(ann, SENIOR, 1);
        uint256 foreign = SENIOR | (1 << 72);
        vm.expectRevert(_noMint(foreign, gpuOperator));
        mint(ann, foreign, 1);
        vm.expectRevert(abi.encodeWithSelector(ITrancheToken.UnitsAboveCap.selector, SENIOR | 2, 1, 0));
        mint(ann, SENIOR | 2, 1);
        setState(IFacilityRegistry.FacilityState.Funded);
        vm.expectRevert(_noMint(SENIOR, gpuOperator));
        mint(ann, SENIOR, 1);
    }

    /// @dev ATTACKS 16: nobody gets units who could not hold them, by mint neither.
    function test_mint__ineligible_receiver__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IERC7943MultiToken.ERC7943CannotReceive.selector, cleo));
        mint(cleo, SENIOR, 1);
    }

    function test_mint__facility_with_a_sale__by_the_sale_alone() public {
        _linkSale();
        vm.expectRevert(_noMint(SENIOR, gpuOperator));
        mint(ann, SENIOR, 1);
        vm.prank(address(sale));
        token.mint(ann, SENIOR, 5);
        assertEq(token.balanceOf(ann, SENIOR), 5, "minted");
    }

    function test_refund__by_the_sale__burns_and_counts() public {
        mint(ann, SENIOR, 10);
        vm.expectRevert(abi.encodeWithSelector(ITrancheToken.NotPrimarySale.selector, address(this)));
        token.burnForRefund(ann, SENIOR, 1);
        _linkSale();
        vm.expectRevert(abi.encodeWithSelector(ITrancheToken.NotPrimarySale.selector, ann));
        vm.prank(ann);
        token.burnForRefund(ann, SENIOR, 1);
        token.pause();
        _refund(4);
        setState(IFacilityRegistry.FacilityState.Cancelled);
        _refund(6);
        assertEq(token.burnedOf(SENIOR).refunded, 10, "counted");
        vm.expectRevert(abi.encodeWithSelector(IERC1155Errors.ERC1155InsufficientBalance.selector, ann, 0, 1, SENIOR));
        _refund(1);
        setState(IFacilityRegistry.FacilityState.Funded);
        vm.expectRevert(abi.encodeWithSelector(ITrancheToken.RefundNotOpen.selector, SENIOR));
        _refund(1);
    }

    /// @dev ATTACKS 16: money back for frozen units would be a way round the freeze.
    /// @dev The price is the buyer's own: neither a freeze nor the allow-list nor a pause withholds it.
    function test_refund__frozen_ineligible_or_paused__burns_all_the_same() public {
        mint(ann, SENIOR, 10);
        _linkSale();
        freeze(ann, SENIOR, 8);
        _refund(3);
        assertEq(token.getFrozenTokens(ann, SENIOR), 8, "as before: it may exceed what is left");
        setInvestor(ann, false, true);
        token.pause();
        _refund(7);
        assertEq(token.totalSupply(SENIOR), 0, "all");
        vm.expectRevert(abi.encodeWithSelector(IERC1155Errors.ERC1155InsufficientBalance.selector, ann, 0, 1, SENIOR));
        _refund(1);
    }

    /// @dev ATTACKS 4: what the burned units earned stays owed.
    function test_delivery__inside_the_window__burns_keeps_revenue_and_issues() public {
        mint(ann, JUNIOR, 30);
        mint(bob, JUNIOR, 10);
        accrue(JUNIOR, 4_000, 100);
        vm.warp(START + 50);
        setState(IFacilityRegistry.FacilityState.Funded);
        vm.expectEmit(true, true, true, true, address(token));
        emit ITrancheToken.UnitsBurned(ann, JUNIOR, 20, ITrancheToken.BurnReason.Delivered);
        assertEq(_deliver(ann, 20), 1, "voucher");
        assertEq(token.claimable(ann, JUNIOR), 1_500, "earned so far");
        assertEq(token.burnedOf(JUNIOR).delivered, 20, "counted");
        assertEq(token.totalSupply(JUNIOR), 20, "fewer");
        assertEq(desk.voucherOf(1).owedGpuSeconds, 72_000, "an hour a unit");
        vm.warp(START + 100);
        assertEq(token.claimable(ann, JUNIOR), 2_500, "half of the rest");
    }

    /// @dev ATTACKS 29.
    function test_delivery__outside_the_window_or_without_units__reverts() public {
        mint(ann, JUNIOR, 30);
        bytes memory closed = abi.encodeWithSelector(IDeliveryDesk.DeliveryClosed.selector, F);
        vm.expectRevert(closed);
        _deliver(ann, 1);
        setState(IFacilityRegistry.FacilityState.Delivering);
        vm.expectRevert(abi.encodeWithSelector(ITrancheToken.UnitsZero.selector));
        _deliver(ann, 0);
        vm.expectRevert(abi.encodeWithSelector(IERC1155Errors.ERC1155InsufficientBalance.selector, ann, 30, 31, JUNIOR));
        _deliver(ann, 31);
        vm.warp(WINDOW_END - 1 hours);
        _deliver(ann, 1);
        vm.warp(WINDOW_END);
        vm.expectRevert(closed);
        _deliver(ann, 1);
        facilities.link(address(token), address(0), address(0), address(0), address(0));
        vm.expectRevert();
        _deliver(ann, 1);
    }

    /// @dev ATTACKS 16: delivery is no way round a freeze or the allow-list.
    function test_delivery__frozen_or_ineligible__reverts() public {
        mint(ann, JUNIOR, 30);
        setState(IFacilityRegistry.FacilityState.Funded);
        freeze(ann, JUNIOR, 30);
        vm.expectRevert(
            abi.encodeWithSelector(IERC7943MultiToken.ERC7943InsufficientUnfrozenBalance.selector, ann, JUNIOR, 1, 0)
        );
        _deliver(ann, 1);
        freeze(ann, JUNIOR, 0);
        setInvestor(ann, false, true);
        vm.expectRevert(abi.encodeWithSelector(IERC7943MultiToken.ERC7943CannotSend.selector, ann));
        _deliver(ann, 1);
    }

    /// @dev Units of a funded facility never expire: whoever holds them at the closing, or later, is paid for them.
    function test_expired__offer_cancelled_without_a_sale__alone_burns_and_counts() public {
        mint(ann, JUNIOR, 30);
        for (uint8 state = 0; state <= uint8(type(IFacilityRegistry.FacilityState).max); ++state) {
            if (state == uint8(IFacilityRegistry.FacilityState.Cancelled)) continue;
            setState(IFacilityRegistry.FacilityState(state));
            vm.expectRevert(_notExpired(JUNIOR));
            _expire(1);
        }
        setState(IFacilityRegistry.FacilityState.Cancelled);
        vm.expectRevert(_notExpired(JUNIOR | (1 << 80)));
        vm.prank(ann);
        token.burnExpired(JUNIOR | (1 << 80), 1);
        _expire(3);
        _linkSale();
        vm.expectRevert(_notExpired(JUNIOR));
        _expire(4);
        sale.setSale(F, false);
        _expire(4);
        assertEq(token.burnedOf(JUNIOR).expired, 7, "counted");
        assertEq(token.balanceOf(ann, JUNIOR), 23, "left");
    }

    /// @dev ERC-7943: whoever burns units of one's own is bound by what binds a transfer.
    function test_burnExpired__paused_frozen_or_ineligible__reverts() public {
        mint(ann, JUNIOR, 10);
        setState(IFacilityRegistry.FacilityState.Cancelled);
        token.pause();
        vm.expectRevert(abi.encodeWithSelector(ITimedPause.EnforcedPause.selector));
        _expire(1);
        assertFalse(token.canTransfer(ann, bob, JUNIOR, 1), "view");
        token.unpause();
        freeze(ann, JUNIOR, 10);
        vm.expectPartialRevert(IERC7943MultiToken.ERC7943InsufficientUnfrozenBalance.selector);
        _expire(1);
        freeze(ann, JUNIOR, 0);
        setInvestor(ann, false, true);
        vm.expectRevert(abi.encodeWithSelector(IERC7943MultiToken.ERC7943CannotSend.selector, ann));
        _expire(1);
        setInvestor(ann, true, true);
        _expire(1);
        assertEq(token.balanceOf(ann, JUNIOR), 9, "burned");
    }

    /// @dev ATTACKS 10: the last holder out gets what still streams, and then no revenue comes in.
    function test_burn__of_the_last_units__takes_what_streams() public {
        mint(ann, JUNIOR, 3);
        accrue(JUNIOR, 1_000, 100);
        vm.warp(START + 10);
        setState(IFacilityRegistry.FacilityState.Funded);
        _deliver(ann, 1);
        assertEq(token.unvested(JUNIOR), 901, "not the last; rounded up");
        _deliver(ann, 2);
        assertEq(token.claimable(ann, JUNIOR), 1_000, "all of it, to the last bit");
        assertEq(token.trancheOf(JUNIOR).supply, 0, "none left");
        assertEq(token.trancheOf(JUNIOR).pendingX24, 0, "nothing streams to nobody");
        assertEq(accrue(JUNIOR, 1, 0), 1, "none to earn it");
        vm.prank(ann);
        token.claim(one(JUNIOR), ann);
    }

    /// @dev Invariant 1 over any order of mints, refunds, deliveries and expiry.
    function testFuzz_units__any_order__minted_is_held_plus_burned(uint256 seed) public {
        _linkSale();
        uint256 minted = 0;
        for (uint256 i = 0; i < 12; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            address holder = seed & 1 == 0 ? ann : bob;
            uint256 units = bound(seed >> 8, 1, 50);
            uint256 held = token.balanceOf(holder, JUNIOR);
            uint256 action = (seed >> 4) % 4;
            setState(
                action < 2
                    ? IFacilityRegistry.FacilityState.Offered
                    : action == 2 ? IFacilityRegistry.FacilityState.Funded : IFacilityRegistry.FacilityState.Cancelled
            );
            sale.setSale(F, action < 2);
            if (units > held && action > 0) units = held;
            if (units == 0) continue;
            if (action != 2) vm.prank(action < 2 ? address(sale) : holder);
            if (action == 0) token.mint(holder, JUNIOR, units);
            if (action == 1) token.burnForRefund(holder, JUNIOR, units);
            if (action == 2) _takeDelivery(desk, holder, JUNIOR, units, bytes32(uint256(uint160(holder))));
            if (action == 3) token.burnExpired(JUNIOR, units);
            if (action == 0) minted += units;
        }
        ITrancheToken.Burned memory burned = token.burnedOf(JUNIOR);
        uint256 held_ = token.balanceOf(ann, JUNIOR) + token.balanceOf(bob, JUNIOR);
        assertEq(held_, token.totalSupply(JUNIOR), "held = supply");
        assertEq(minted, held_ + burned.delivered + burned.expired + burned.refunded, "conservation");
    }

    function test_uri__without_metadata__is_the_base_uri() public {
        vm.expectEmit(false, false, false, true, address(token));
        emit IERC7572.ContractURIUpdated();
        token.setMetadata(ITrancheMetadata(address(0)));
        assertEq(keccak256(bytes(token.uri(SENIOR))), keccak256("ipfs://{id}"), "uri");
        assertEq(keccak256(bytes(token.contractURI())), keccak256(""), "contractURI");
    }

    function test_uri__with_metadata__is_json_of_the_terms() public view {
        string memory json = string.concat(
            '{"name":"H100-SXM5-80GB hours, facility 7, tranche 0","description":"One unit is one hour of one ',
            'H100-SXM5-80GB at SE-LULEA-1. Rank: senior.","decimals":0,"attributes":[',
            '{"trait_type":"Facility","value":7},',
            '{"trait_type":"Operator","value":"',
            Strings.toChecksumHexString(gpuOperator),
            '"},',
            '{"trait_type":"GPU class","value":"H100-SXM5-80GB"},{"trait_type":"Site","value":"SE-LULEA-1"},'
        );
        _assertStarts(token.uri(SENIOR), json);
        assertTrue(bytes(token.contractURI()).length > 100, "contractURI");
    }

    function test_uri__no_such_tranche__reverts() public {
        uint256[3] memory ids = [SENIOR | 2, uint256(99) << 8, SENIOR | (1 << 72)];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(ITrancheMetadata.TrancheUnknown.selector, ids[i]));
            token.uri(ids[i]);
        }
    }

    /// @dev ATTACKS 39: no text ends its string, opens a tag, or is no ASCII. tests/contracts parses the JSON.
    function test_uri__hostile_text__is_escaped() public {
        IFacilityRegistry.FacilityTerms memory terms;
        terms.gpuClass = hex"41223c0a5cff7a";
        terms.site = "ordinary site_0/1+2,3.4-5 AZaz09";
        IFacilityRegistry.TrancheTerms[] memory tranches = new IFacilityRegistry.TrancheTerms[](1);
        tranches[0] = IFacilityRegistry.TrancheTerms(1, 0);
        facilities.setFacility(F, terms, tranches);
        _assertStarts(
            token.uri(SENIOR),
            string.concat(
                '{"name":"A\\u0022\\u003c\\u000a\\u005c?z hours, facility 7, tranche 0","description":"One unit is one ',
                'hour of one A\\u0022\\u003c\\u000a\\u005c?z at ordinary site_0/1+2,3.4-5 AZaz09. Rank: single tranche.",'
            )
        );
        offer(F, dollar);
        string memory name = '{"name":"H100-SXM5-80GB hours, facility 7, tranche 1","description":"One unit is one ';
        _assertStarts(
            token.uri(JUNIOR), string.concat(name, "hour of one H100-SXM5-80GB at SE-LULEA-1. Rank: residual")
        );
    }

    /// @dev Whole groups of three bytes are the same text in base64, whatever follows.
    function _assertStarts(string memory uri, string memory json) private pure {
        bytes memory start = bytes(string.concat("data:application/json;base64,", vm.toBase64(bytes(json))));
        uint256 same = 29 + bytes(json).length / 3 * 4;
        for (uint256 i = 0; i < same; ++i) {
            assertEq(bytes32(bytes(uri)[i]), bytes32(start[i]), "character");
        }
    }

    function _linkSale() private {
        facilities.link(address(token), address(sale), address(bonds), address(desk), address(statements));
        sale.setSale(F, true);
    }

    function _refund(uint256 units) private {
        vm.prank(address(sale));
        token.burnForRefund(ann, SENIOR, units);
    }

    function _deliver(address holder, uint256 units) private returns (uint256) {
        return _takeDelivery(desk, holder, JUNIOR, units, "lease");
    }

    function _expire(uint256 units) private {
        vm.prank(ann);
        token.burnExpired(JUNIOR, units);
    }

    function _noMint(uint256 id, address caller) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ITrancheToken.MintNotAllowed.selector, id, caller);
    }

    function _notExpired(uint256 id) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ITrancheToken.UnitsNotExpired.selector, id);
    }
}
