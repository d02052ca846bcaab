// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FacilityRegistry} from "../../../contracts/facility/FacilityRegistry.sol";
import {IAttesterDesk} from "../../../contracts/interfaces/IAttesterDesk.sol";
import {IAttesterRegistry} from "../../../contracts/interfaces/IAttesterRegistry.sol";
import {IBondVault} from "../../../contracts/interfaces/IBondVault.sol";
import {IDeliveryDesk} from "../../../contracts/interfaces/IDeliveryDesk.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IPledgeRegistry} from "../../../contracts/interfaces/IPledgeRegistry.sol";
import {IPrimarySale} from "../../../contracts/interfaces/IPrimarySale.sol";
import {IRefundDesk} from "../../../contracts/interfaces/IRefundDesk.sol";
import {IRentLockbox} from "../../../contracts/interfaces/IRentLockbox.sol";
import {IStatementRegistry} from "../../../contracts/interfaces/IStatementRegistry.sol";
import {ITrancheToken} from "../../../contracts/interfaces/ITrancheToken.sol";
import {World} from "../invariant/World.sol";

/// @dev A coin of any decimals.
contract OddCoin {
    uint8 public immutable decimals;

    constructor(uint8 decimals_) {
        decimals = decimals_;
    }
}

/// @title Every bound of an offer, and who may offer
contract OffersTest is World {
    uint64 private constant NEW = 9;

    function setUp() public {
        _build();
    }

    function _one(uint40 cap, uint64 coupon) private pure returns (IFacilityRegistry.TrancheTerms[] memory tranches) {
        tranches = new IFacilityRegistry.TrancheTerms[](1);
        tranches[0] = IFacilityRegistry.TrancheTerms(cap, coupon);
    }

    function _refused(IFacilityRegistry.FacilityTerms memory terms, string memory field) private {
        vm.prank(gpuOperator);
        vm.expectRevert(abi.encodeWithSelector(IFacilityRegistry.TermsInvalid.selector, field));
        facilities.offer(NEW, terms, _one(10, 0));
    }

    function _refusedTranches(IFacilityRegistry.TrancheTerms[] memory tranches, string memory field) private {
        vm.prank(gpuOperator);
        vm.expectRevert(abi.encodeWithSelector(IFacilityRegistry.TermsInvalid.selector, field));
        facilities.offer(NEW, _terms(1), tranches);
    }

    function test_offer__names_or_hashes_missing__reverts() external {
        IFacilityRegistry.FacilityTerms memory terms = _terms(1);
        terms.gpuClass = bytes32(0);
        _refused(terms, "gpuClass");
        terms = _terms(1);
        terms.site = bytes32(0);
        _refused(terms, "site");
        terms = _terms(1);
        terms.pledgeRoot = bytes32(0);
        _refused(terms, "pledgeRoot");
        terms = _terms(1);
        terms.termsHash = bytes32(0);
        _refused(terms, "termsHash");
    }

    function test_offer__window_out_of_bounds__reverts() external {
        IFacilityRegistry.FacilityTerms memory terms = _terms(1);
        terms.windowStart = 0;
        _refused(terms, "windowStart");
        // Finding F34: what has begun cannot be offered any more.
        terms.windowStart = uint64(block.timestamp);
        _refused(terms, "windowStart");
        terms = _terms(1);
        terms.windowEnd = terms.windowStart;
        _refused(terms, "windowEnd");
        terms.windowEnd = uint64(type(uint32).max) + 1;
        _refused(terms, "windowEnd");
        terms = _terms(1);
        terms.windowEnd += 1;
        _refused(terms, "windowEnd");
        terms = _terms(1);
        terms.epochLength = 59;
        _refused(terms, "epochLength");
        terms.epochLength = uint32(type(uint24).max) + 1;
        _refused(terms, "epochLength");
    }

    function test_offer__expiry_out_of_bounds__reverts() external {
        IFacilityRegistry.FacilityTerms memory terms = _terms(1);
        terms.expiresAt = uint64(block.timestamp);
        _refused(terms, "expiresAt");
        terms.expiresAt = terms.windowStart + 3 days + 1;
        _refused(terms, "expiresAt");
        terms.expiresAt = terms.windowStart + 3 days;
        vm.prank(gpuOperator);
        facilities.offer(NEW, terms, _one(10, 0));
        assertEq(facilities.termsOf(NEW).expiresAt, terms.expiresAt, "kept");
    }

    function test_offer__numbers_out_of_bounds__reverts() external {
        IFacilityRegistry.FacilityTerms memory terms = _terms(1);
        terms.deviceCount = 0;
        _refused(terms, "deviceCount");
        terms = _terms(1);
        terms.promisedAvailabilityPpm = 1_000_001;
        _refused(terms, "promisedAvailabilityPpm");
        terms = _terms(1);
        terms.feeBps = 1_001;
        _refused(terms, "feeBps");
        terms = _terms(1);
        terms.attesterFeeBps = 10_001;
        _refused(terms, "attesterFeeBps");
        terms = _terms(1);
        terms.sealSeconds = 0;
        _refused(terms, "sealSeconds");
        terms.sealSeconds = 90 days + 1;
        _refused(terms, "sealSeconds");
    }

    /// @notice An operator has at least an epoch to close an epoch, and its attesters a day.
    function test_offer__patience_or_long_stop_out_of_bounds__reverts() external {
        IFacilityRegistry.FacilityTerms memory terms = _terms(1);
        terms.patienceSeconds = EPOCH + 1 days - 1;
        _refused(terms, "patienceSeconds");
        terms.patienceSeconds = EPOCH + 90 days + 1;
        _refused(terms, "patienceSeconds");
        terms = _terms(1);
        terms.longStopSeconds = 90 days - 1;
        _refused(terms, "longStopSeconds");
        terms.longStopSeconds = 365 days + 1;
        _refused(terms, "longStopSeconds");
        (terms.patienceSeconds, terms.longStopSeconds) = (EPOCH + 1 days, 90 days);
        vm.startPrank(gpuOperator);
        facilities.offer(NEW, terms, _one(10, 0));
        (terms.patienceSeconds, terms.longStopSeconds) = (EPOCH + 90 days, 365 days);
        facilities.offer(NEW + 1, terms, _one(10, 0));
        vm.stopPrank();
        assertEq(facilities.termsOf(NEW).longStopSeconds, 90 days, "kept");
        assertEq(facilities.termsOf(NEW + 1).patienceSeconds, EPOCH + 90 days, "kept");
    }

    function test_offer__tranches_out_of_bounds__reverts() external {
        _refusedTranches(new IFacilityRegistry.TrancheTerms[](0), "tranches");
        _refusedTranches(new IFacilityRegistry.TrancheTerms[](5), "tranches");
        _refusedTranches(_one(0, 0), "unitCap");
        _refusedTranches(_one(1, 1), "couponPerUnit");
    }

    /// @notice Ten devices for four hours are forty units, not forty-one (invariant 1).
    function test_offer__one_unit_above_capacity__reverts() external {
        vm.prank(gpuOperator);
        vm.expectRevert(abi.encodeWithSelector(IFacilityRegistry.UnitsAboveCapacity.selector, 41, 40));
        facilities.offer(NEW, _terms(1), _one(41, 0));
        vm.prank(gpuOperator);
        facilities.offer(NEW, _terms(1), _one(40, 0));
        assertEq(facilities.trancheCapOf(NEW, 0), 40, "cap");
        assertEq(facilities.trancheCapOf(NEW, 4), 0, "no fifth tranche");
    }

    function test_offer__id_caller_or_token_wrong__reverts() external {
        IFacilityRegistry.FacilityTerms memory terms = _terms(1);
        vm.startPrank(gpuOperator);
        vm.expectRevert(abi.encodeWithSelector(IFacilityRegistry.FacilityExists.selector, uint64(0)));
        facilities.offer(0, terms, _one(10, 0));
        vm.expectRevert(abi.encodeWithSelector(IFacilityRegistry.FacilityExists.selector, uint64(1)));
        facilities.offer(1, terms, _one(10, 0));
        terms.settlementToken = address(this);
        vm.expectRevert(abi.encodeWithSelector(IFacilityRegistry.SettlementTokenNotAllowed.selector, address(this)));
        facilities.offer(NEW, terms, _one(10, 0));
        vm.stopPrank();
        vm.prank(ann);
        vm.expectRevert(abi.encodeWithSelector(IFacilityRegistry.NotGpuOperator.selector, NEW, ann));
        facilities.offer(NEW, _terms(1), _one(10, 0));
    }

    /// Every amount of the service, the ledger and the pages is in millionths of a token.
    function test_set_settlement_token__not_six_decimals__reverts() external {
        uint8[4] memory others = [0, 2, 7, 18];
        for (uint256 i = 0; i < others.length; ++i) {
            address coin = address(new OddCoin(others[i]));
            vm.expectRevert(abi.encodeWithSelector(IFacilityRegistry.SettlementTokenNotAllowed.selector, coin));
            facilities.setSettlementToken(coin, true);
            facilities.setSettlementToken(coin, false);
            assertFalse(facilities.isSettlementToken(coin), "not allowed");
        }
        address six = address(new OddCoin(6));
        facilities.setSettlementToken(six, true);
        assertTrue(facilities.isSettlementToken(six), "allowed");
    }

    function test_link__any_contract_missing__reverts() external {
        FacilityRegistry fresh = new FacilityRegistry(address(authority));
        for (uint256 missing = 0; missing < 10; ++missing) {
            vm.expectRevert(abi.encodeWithSelector(IFacilityRegistry.LinkMissing.selector));
            fresh.link(_linksBut(missing));
        }
        fresh.link(_linksBut(10));
        assertEq(address(fresh.deliveryDesk()), address(6), "linked");
    }

    function _linksBut(uint256 missing) private pure returns (IFacilityRegistry.Links memory links) {
        address[10] memory named;
        for (uint160 i = 0; i < 10; ++i) {
            if (i != missing) named[i] = address(i + 1);
        }
        links.statementRegistry = IStatementRegistry(named[0]);
        links.trancheToken = ITrancheToken(named[1]);
        links.rentLockbox = IRentLockbox(named[2]);
        links.primarySale = IPrimarySale(named[3]);
        links.bondVault = IBondVault(named[4]);
        links.deliveryDesk = IDeliveryDesk(named[5]);
        links.attesterRegistry = IAttesterRegistry(named[6]);
        links.pledgeRegistry = IPledgeRegistry(named[7]);
        links.attesterDesk = IAttesterDesk(named[8]);
        links.refundDesk = IRefundDesk(named[9]);
    }

    function test_fund__a_tranche_wholly_unsold__fixes_what_is_left_under_each_cap() external {
        vm.startPrank(gpuOperator);
        vm.expectRevert(abi.encodeWithSelector(IFacilityRegistry.FacilityEmpty.selector, uint64(2)));
        facilities.fund(2);
        token.mint(ann, _id(2, 0), 1);
        IFacilityRegistry.TrancheTerms[] memory tranches = facilities.tranchesOf(2);
        assertEq(facilities.settlementTermsOf(2).unsold[1], 0, "not fixed before");
        facilities.fund(2);
        vm.stopPrank();

        IFacilityRegistry.SettlementTerms memory terms = facilities.settlementTermsOf(2);

        assertEq(terms.unsold[0], tranches[0].unitCap - 1, "all but one");
        assertEq(terms.unsold[1], tranches[1].unitCap, "wholly unsold");
        assertEq(terms.unsold[2], tranches[2].unitCap, "this one too");
        assertEq(terms.unsold[3], 0, "no such tranche");
    }

    function test_views__facility_unknown__reverts_or_is_empty() external {
        bytes memory unknown = abi.encodeWithSelector(IFacilityRegistry.FacilityUnknown.selector, NEW);
        vm.expectRevert(unknown);
        facilities.termsOf(NEW);
        vm.expectRevert(unknown);
        facilities.tranchesOf(NEW);
        vm.expectRevert(unknown);
        facilities.settlementTermsOf(NEW);
        vm.expectRevert(unknown);
        facilities.epochCountOf(NEW);
        assertTrue(facilities.stateOf(NEW) == IFacilityRegistry.FacilityState.None, "state");
        assertEq(facilities.settlementTokenOf(NEW), address(0), "token");
    }
}
