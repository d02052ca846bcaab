// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authority} from "../../../contracts/access/Authority.sol";
import {DeliveryDesk} from "../../../contracts/money/DeliveryDesk.sol";
import {InvestorRegistry} from "../../../contracts/access/InvestorRegistry.sol";
import {TrancheMetadata} from "../../../contracts/facility/TrancheMetadata.sol";
import {TrancheId} from "../../../contracts/token/TrancheId.sol";
import {TrancheToken} from "../../../contracts/token/TrancheToken.sol";
import {WalletDesk} from "../../../contracts/access/WalletDesk.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IInvestorRegistry} from "../../../contracts/interfaces/IInvestorRegistry.sol";
import {ITrancheMetadata} from "../../../contracts/interfaces/ITrancheMetadata.sol";
import {ITrancheToken} from "../../../contracts/interfaces/ITrancheToken.sol";
import {BondStub, SaleStub, StatementStub} from "./DeskStubs.sol";
import {TokenFacilityStub} from "../../../contracts/mocks/TokenFacilityStub.sol";
import {MockStablecoin} from "../../../contracts/mocks/MockStablecoin.sol";
import {Orders} from "../Orders.sol";
import {Terms} from "../Terms.sol";

/// @title A token with one facility of two tranches, holders ann and bob, everybody on the allow-list
abstract contract TokenBase is Terms, Orders {
    uint64 internal constant F = 7;
    uint256 internal constant SENIOR = uint256(F) << 8;
    uint256 internal constant JUNIOR = (uint256(F) << 8) | 1;
    uint64 internal constant START = 1_800_000_000;
    uint64 internal constant WINDOW_START = START + 1 days;
    uint64 internal constant WINDOW_END = WINDOW_START + 30 days;
    uint64 internal constant GOVERNANCE = 1;
    uint64 internal constant PAUSER = 4;
    uint64 internal constant COMPLIANCE = 5;
    uint64 internal constant ENFORCER = 6;
    /// @dev Less than the seniors' coupon, so that their units give a whole hour, too.
    uint64 internal constant RATE = 1_000_000;
    uint256 internal constant ANN_KEY = 0xA11;
    uint256 internal constant BOB_KEY = 0xB0B;

    address internal gpuOperator = vm.addr(OPERATOR_KEY);
    address internal source = address(0x50CE);
    address internal enforcer = address(0xE4F0);
    address internal compliance = address(0xC0C0);
    address internal cleo = address(0xC1E0);
    address internal ann;
    address internal bob;
    Authority internal authority;
    TokenFacilityStub internal facilities;
    TrancheToken internal token;
    WalletDesk internal wallets;
    InvestorRegistry internal investors;
    DeliveryDesk internal desk;
    TrancheMetadata internal metadata;
    MockStablecoin internal dollar;
    SaleStub internal sale;
    BondStub internal bonds;
    StatementStub internal statements;

    function setUp() public virtual {
        vm.warp(START);
        ann = vm.addr(ANN_KEY);
        bob = vm.addr(BOB_KEY);
        authority = new Authority(address(this));
        facilities = new TokenFacilityStub();
        IFacilityRegistry register = IFacilityRegistry(address(facilities));
        wallets = new WalletDesk(address(authority), register);
        token = new TrancheToken(address(authority), register, wallets, "ipfs://{id}");
        investors = new InvestorRegistry(address(authority));
        desk = new DeliveryDesk(register, wallets);
        metadata = new TrancheMetadata(register);
        dollar = new MockStablecoin();
        sale = new SaleStub();
        bonds = new BondStub();
        statements = new StatementStub();
        facilities.link(address(token), address(0), address(bonds), address(desk), address(statements));
        _grantRoles();
        token.setRevenueSource(source, true);
        token.setInvestorRegistry(IInvestorRegistry(address(investors)));
        investors.linkMirror(token);
        token.setMetadata(ITrancheMetadata(address(metadata)));
        allow(ann);
        allow(bob);
        allow(gpuOperator);
        offer(F, dollar);
        dollar.mint(source, 1e24);
        bonds.set(RATE);
        vm.prank(source);
        dollar.approve(address(token), type(uint256).max);
    }

    function allow(address account) internal {
        setInvestor(account, true, true);
    }

    function setInvestor(address account, bool sends, bool receives) internal {
        vm.prank(compliance);
        investors.setInvestor(account, IInvestorRegistry.Investor(type(uint64).max, 752, sends, receives));
    }

    /// @dev Its units move at once, as after funding, though it still mints.
    function offer(uint64 facilityId, MockStablecoin settlement) internal {
        offerLocked(facilityId, settlement);
        facilities.activate(facilityId);
    }

    function offerLocked(uint64 facilityId, MockStablecoin settlement) internal {
        IFacilityRegistry.FacilityTerms memory terms =
            _facilityTerms(gpuOperator, address(settlement), WINDOW_START, WINDOW_END, 1 days);
        // Enough for both tranches at their caps.
        terms.deviceCount = 10_000;
        IFacilityRegistry.TrancheTerms[] memory tranches = new IFacilityRegistry.TrancheTerms[](2);
        tranches[0] = IFacilityRegistry.TrancheTerms(1_000_000, 1_500_000);
        tranches[1] = IFacilityRegistry.TrancheTerms(2_000_000, 0);
        facilities.setFacility(facilityId, terms, tranches);
    }

    function mint(address to, uint256 id, uint256 units) internal {
        vm.prank(gpuOperator);
        token.mint(to, id, units);
    }

    function setState(IFacilityRegistry.FacilityState state) internal {
        facilities.setState(F, state);
    }

    /// @dev Returns what flowed on.
    function accrue(uint256 id, uint256 amount, uint24 span) internal returns (uint256) {
        vm.prank(source);
        uint256[] memory flowedOn = token.accrue(accruals(id, amount, span));
        // Empty where everything was taken, and where a test expects a revert.
        return flowedOn.length == 0 ? 0 : flowedOn[0];
    }

    function accruals(uint256 id, uint256 amount, uint24 span) internal pure returns (ITrancheToken.Accrual[] memory) {
        ITrancheToken.Accrual[] memory list = new ITrancheToken.Accrual[](1);
        list[0].facilityId = TrancheId.facilityOf(id);
        list[0].span = span;
        list[0].amounts[id & 255] = amount;
        return list;
    }

    function send(address from, address to, uint256 id, uint256 units) internal {
        vm.prank(from);
        token.safeTransferFrom(from, to, id, units, "");
    }

    function freeze(address account, uint256 id, uint256 units) internal {
        vm.prank(enforcer);
        token.setFrozenTokens(account, id, units);
    }

    function one(uint256 value) internal pure returns (uint256[] memory list) {
        list = new uint256[](1);
        list[0] = value;
    }

    function two(uint256 first, uint256 second) internal pure returns (uint256[] memory list) {
        list = new uint256[](2);
        list[0] = first;
        list[1] = second;
    }

    function _grantRoles() private {
        authority.grantRole(GOVERNANCE, address(this), 0);
        authority.grantRole(PAUSER, address(this), 0);
        authority.grantRole(COMPLIANCE, compliance, 0);
        authority.grantRole(ENFORCER, enforcer, 0);
        bytes4[] memory governed = new bytes4[](4);
        governed[0] = token.setRevenueSource.selector;
        governed[1] = token.setInvestorRegistry.selector;
        governed[2] = token.setMetadata.selector;
        governed[3] = token.unpause.selector;
        authority.setTargetFunctionRole(address(token), governed, GOVERNANCE);
        authority.setTargetFunctionRole(address(token), _single(token.pause.selector), PAUSER);
        bytes4[] memory enforced = new bytes4[](2);
        enforced[0] = token.forcedTransfer.selector;
        enforced[1] = token.setFrozenTokens.selector;
        authority.setTargetFunctionRole(address(token), enforced, ENFORCER);
        authority.setTargetFunctionRole(address(investors), _single(investors.setInvestor.selector), COMPLIANCE);
        bytes4[] memory registered = new bytes4[](2);
        registered[0] = investors.setIdentityRegistry.selector;
        registered[1] = investors.linkMirror.selector;
        authority.setTargetFunctionRole(address(investors), registered, GOVERNANCE);
    }

    function _single(bytes4 selector) private pure returns (bytes4[] memory list) {
        list = new bytes4[](1);
        list[0] = selector;
    }
}
