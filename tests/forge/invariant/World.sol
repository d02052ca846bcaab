// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Authority} from "../../../contracts/access/Authority.sol";
import {BondVault} from "../../../contracts/money/BondVault.sol";
import {DeliveryDesk} from "../../../contracts/money/DeliveryDesk.sol";
import {FacilityRegistry} from "../../../contracts/facility/FacilityRegistry.sol";
import {InvestorRegistry} from "../../../contracts/access/InvestorRegistry.sol";
import {PrimarySale} from "../../../contracts/sale/PrimarySale.sol";
import {RentLockbox} from "../../../contracts/money/RentLockbox.sol";
import {StatementRegistry} from "../../../contracts/statements/StatementRegistry.sol";
import {TrancheToken} from "../../../contracts/token/TrancheToken.sol";
import {WalletDesk} from "../../../contracts/access/WalletDesk.sol";
import {IBondVault} from "../../../contracts/interfaces/IBondVault.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IInvestorRegistry} from "../../../contracts/interfaces/IInvestorRegistry.sol";
import {HostileStablecoin} from "../../../contracts/mocks/HostileStablecoin.sol";
import {MockStablecoin} from "../../../contracts/mocks/MockStablecoin.sol";
import {HostileReceiver} from "../../../contracts/mocks/Receivers.sol";
import {Orders} from "../Orders.sol";
import {HourlyTerms} from "../Terms.sol";

/// @title Every real contract, wired as deployment does, with three facilities; nothing is a stub
/// @dev Facility 1 is sold, 2 and 3 are minted; 3 settles in a token that can turn hostile. This contract holds the
/// admin role. Four epochs of an hour, ten GPUs.
abstract contract World is HourlyTerms, Orders {
    uint64 internal constant FACILITIES = 3;
    uint64 internal constant CHALLENGE_WINDOW = 600;
    uint40 internal constant CAP = 12;
    /// @dev All promised hours at this rate are worth more than all coupons, so that juniors' units give hours, too.
    uint64 internal constant HALL_RATE = 900_001;
    uint256 internal constant ANN_KEY = 0xA11;
    uint256 internal constant BOB_KEY = 0xB0B;

    Authority internal authority;
    FacilityRegistry public facilities;
    StatementRegistry public statements;
    TrancheToken public token;
    WalletDesk public wallets;
    InvestorRegistry public investors;
    RentLockbox public lockbox;
    PrimarySale public sale;
    BondVault public vault;
    DeliveryDesk public desk;
    MockStablecoin public dollar;
    HostileStablecoin public bad;
    HostileReceiver public receiver;

    address internal gpuOperator = vm.addr(OPERATOR_KEY);
    address internal renter = address(0x4E47);
    /// @dev Never on the allow-list.
    address internal eve = address(0xE4E);
    address internal cleo = address(0xC1E0);
    address internal ann;
    address internal bob;
    /// @dev Everybody who may ever hold units.
    address[] public holders;
    /// @dev Every tranche of every facility.
    uint256[] public ids;
    /// @dev All that was deposited of each bond.
    mapping(uint64 f => uint256) public bondIn;

    function _build() internal {
        vm.warp(START - 100_000);
        (ann, bob) = (vm.addr(ANN_KEY), vm.addr(BOB_KEY));
        authority = new Authority(address(this));
        facilities = new FacilityRegistry(address(authority));
        (dollar, bad, receiver) = (new MockStablecoin(), new HostileStablecoin(), new HostileReceiver());
        wallets = new WalletDesk(address(authority), facilities);
        _appoint(authority, facilities, address(dollar), 0, 0, wallets);
        statements = new StatementRegistry(address(authority), facilities, attesters, CHALLENGE_WINDOW);
        token = new TrancheToken(address(authority), facilities, wallets, "");
        investors = new InvestorRegistry(address(authority));
        lockbox = new RentLockbox(facilities, statements, token);
        sale = new PrimarySale(facilities, wallets);
        vault = new BondVault(facilities, wallets);
        desk = new DeliveryDesk(facilities, wallets);
        facilities.link(
            IFacilityRegistry.Links(
                statements, token, lockbox, sale, vault, desk, attesters, pledges, attesterDesk, refundDesk
            )
        );
        facilities.setSettlementToken(address(dollar), true);
        facilities.setSettlementToken(address(bad), true);
        token.setRevenueSource(address(lockbox), true);
        token.setInvestorRegistry(investors);
        investors.linkMirror(token);
        bytes4[] memory open = new bytes4[](1);
        open[0] = FacilityRegistry.offer.selector;
        authority.setTargetFunctionRole(address(facilities), open, authority.PUBLIC_ROLE());
        holders = [ann, bob, cleo, address(receiver), gpuOperator, eve];
        for (uint256 i = 0; i + 1 < holders.length; ++i) {
            _allow(holders[i], true, true);
        }
        _seat();
        for (uint64 f = 1; f <= FACILITIES; ++f) {
            _offer(f);
        }
    }

    function _allow(address account, bool sends, bool receives) internal {
        investors.setInvestor(account, IInvestorRegistry.Investor(type(uint64).max, 752, sends, receives));
    }

    function _coin(uint64 f) internal view returns (address) {
        return f == 3 ? address(bad) : address(dollar);
    }

    function _trancheCount(uint64 f) internal pure returns (uint256) {
        return f == 2 ? 3 : 2;
    }

    function _mintCoin(address coin, address to, uint256 amount) internal {
        // Both mocks have the same function.
        MockStablecoin(coin).mint(to, amount);
    }

    /// @dev Gives `payer` the money, and the spender its allowance.
    function _arm(address coin, address payer, address spender, uint256 amount) internal {
        _mintCoin(coin, payer, amount);
        vm.prank(payer);
        IERC20(coin).approve(spender, amount);
    }

    function _now() internal view returns (uint256) {
        return vm.getBlockTimestamp();
    }

    function _offer(uint64 f) private {
        uint256 count = _trancheCount(f);
        IFacilityRegistry.TrancheTerms[] memory tranches = new IFacilityRegistry.TrancheTerms[](count);
        for (uint256 i = 0; i < count; ++i) {
            tranches[i] = IFacilityRegistry.TrancheTerms(CAP, i + 1 == count ? 0 : COUPON);
            ids.push(_id(f, i));
        }
        vm.startPrank(gpuOperator);
        facilities.offer(f, _terms(f), tranches);
        _approve(f);
        vault.setTerms(f, IBondVault.BondTerms(_bondTerms().requiredBond, HALL_RATE));
        vm.stopPrank();
        _arm(_coin(f), gpuOperator, address(vault), 2_000_000);
        vm.prank(gpuOperator);
        vault.deposit(f, 2_000_000);
        bondIn[f] = 2_000_000;
        if (f == 1) _openSale(f);
    }

    function _terms(uint64 f) internal view returns (IFacilityRegistry.FacilityTerms memory terms) {
        terms = _hourlyTerms(gpuOperator, _coin(f));
        (terms.pledgeRoot, terms.termsHash) = (bytes32(uint256(f)), bytes32(uint256(f)));
    }

    function _openSale(uint64 f) private {
        vm.prank(gpuOperator);
        sale.open(f, _saleTerms(6 * JUNIOR_PRICE));
    }
}
