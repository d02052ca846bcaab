// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authority} from "../../../contracts/access/Authority.sol";
import {BondVault} from "../../../contracts/money/BondVault.sol";
import {FacilityRegistry} from "../../../contracts/facility/FacilityRegistry.sol";
import {PrimarySale} from "../../../contracts/sale/PrimarySale.sol";
import {RentLockbox} from "../../../contracts/money/RentLockbox.sol";
import {TrancheToken} from "../../../contracts/token/TrancheToken.sol";
import {WalletDesk} from "../../../contracts/access/WalletDesk.sol";
import {IBondVault} from "../../../contracts/interfaces/IBondVault.sol";
import {IDeliveryDesk} from "../../../contracts/interfaces/IDeliveryDesk.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IPrimarySale} from "../../../contracts/interfaces/IPrimarySale.sol";
import {IStatementRegistry} from "../../../contracts/interfaces/IStatementRegistry.sol";
import {AuthorizedStablecoin} from "../../../contracts/mocks/AuthorizedStablecoin.sol";
import {DeskStub, StatementStub} from "./StatementStub.sol";
import {HourlyTerms} from "../Terms.sol";

/// @title All money contracts around a stub of statements; the test contract holds the admin role
abstract contract MoneyBase is HourlyTerms {
    bytes32 internal constant LEASE = "lease";

    Authority internal authority;
    FacilityRegistry internal facilities;
    StatementStub internal statements;
    DeskStub internal desk;
    TrancheToken internal token;
    WalletDesk internal wallets;
    RentLockbox internal lockbox;
    PrimarySale internal sale;
    BondVault internal vault;
    AuthorizedStablecoin internal dollar;

    address internal gpuOperator = address(0xA1);
    address internal renter = address(0xA2);
    address internal ann = address(0xA3);
    address internal bob = address(0xA4);
    address internal cleo = address(0xA5);

    function _deploy() internal {
        vm.warp(START - 100_000);
        authority = new Authority(address(this));
        facilities = new FacilityRegistry(address(authority));
        statements = new StatementStub(facilities);
        desk = new DeskStub();
        wallets = new WalletDesk(address(authority), facilities);
        token = new TrancheToken(address(authority), facilities, wallets, "");
        IStatementRegistry registry = IStatementRegistry(address(statements));
        lockbox = new RentLockbox(facilities, registry, token);
        sale = new PrimarySale(facilities, wallets);
        dollar = new AuthorizedStablecoin();
        vault = new BondVault(facilities, wallets);
        _appoint(authority, facilities, address(dollar), 0, 0, wallets);
        IDeliveryDesk delivery = IDeliveryDesk(address(desk));
        facilities.link(
            IFacilityRegistry.Links(
                registry, token, lockbox, sale, vault, delivery, attesters, pledges, attesterDesk, refundDesk
            )
        );
        _seat();
        facilities.setSettlementToken(address(dollar), true);
        token.setRevenueSource(address(lockbox), true);
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = FacilityRegistry.offer.selector;
        authority.setTargetFunctionRole(address(facilities), selectors, authority.PUBLIC_ROLE());
    }

    function _terms(address settlementToken) internal view returns (IFacilityRegistry.FacilityTerms memory) {
        return _hourlyTerms(gpuOperator, settlementToken);
    }

    /// @dev Seniors first: 16 units with a coupon of 1,000,003, then 24 units of the residual.
    function _twoTranches() internal pure returns (IFacilityRegistry.TrancheTerms[] memory tranches) {
        tranches = new IFacilityRegistry.TrancheTerms[](2);
        tranches[0] = IFacilityRegistry.TrancheTerms(16, COUPON);
        tranches[1] = IFacilityRegistry.TrancheTerms(24, 0);
    }

    function _oneTranche() internal pure returns (IFacilityRegistry.TrancheTerms[] memory tranches) {
        tranches = new IFacilityRegistry.TrancheTerms[](1);
        tranches[0] = IFacilityRegistry.TrancheTerms(40, 0);
    }

    function _offer(uint64 facilityId, address settlementToken, IFacilityRegistry.TrancheTerms[] memory tranches)
        internal
    {
        // Windows lie ahead of their offers: where a test offers one more later on, it goes back for it.
        uint256 time = vm.getBlockTimestamp();
        if (time >= START) vm.warp(START - 1);
        vm.prank(gpuOperator);
        facilities.offer(facilityId, _terms(settlementToken), tranches);
        _approve(facilityId);
        vm.warp(time);
    }

    /// @dev Offered, minted to ann (every tranche) and bob (half of the last), funded; time is windowStart.
    function _funded(uint64 facilityId, address settlementToken, IFacilityRegistry.TrancheTerms[] memory tranches)
        internal
    {
        _offer(facilityId, settlementToken, tranches);
        _noBond(facilityId);
        vm.startPrank(gpuOperator);
        for (uint256 i = 0; i < tranches.length; ++i) {
            uint256 units = tranches[i].unitCap;
            if (i + 1 == tranches.length) {
                token.mint(bob, _id(facilityId, i), units / 2);
                units -= units / 2;
            }
            token.mint(ann, _id(facilityId, i), units);
        }
        facilities.fund(facilityId);
        vm.stopPrank();
        if (block.timestamp < START) vm.warp(START);
    }

    function _bond(uint64 facilityId, uint256 amount) internal {
        vm.prank(gpuOperator);
        vault.setTerms(facilityId, _bondTerms());
        if (amount > 0) _depositBond(facilityId, amount);
    }

    /// @dev Terms that ask for no bond, for a facility that has none yet.
    function _noBond(uint64 facilityId) internal {
        if (vault.hasTerms(facilityId)) return;
        vm.prank(gpuOperator);
        vault.setTerms(facilityId, IBondVault.BondTerms(0, RATE));
    }

    function _depositBond(uint64 facilityId, uint256 amount) internal {
        dollar.mint(gpuOperator, amount);
        vm.startPrank(gpuOperator);
        dollar.approve(address(vault), amount);
        vault.deposit(facilityId, amount);
        vm.stopPrank();
    }

    /// @dev About half of everything at its price.
    function _saleTerms() internal pure returns (IPrimarySale.SaleTerms memory) {
        return _saleTerms(1_000_000);
    }

    function _openSale(uint64 facilityId) internal {
        _noBond(facilityId);
        vm.prank(gpuOperator);
        sale.open(facilityId, _saleTerms());
    }

    /// @dev In a block after the last purchase.
    function _finalize(uint64 facilityId) internal {
        vm.roll(block.number + 1);
        sale.finalize(facilityId);
    }

    function _buy(address buyer, uint256 id, uint256 units) internal {
        dollar.mint(buyer, 1e12);
        vm.startPrank(buyer);
        dollar.approve(address(sale), type(uint256).max);
        sale.buy(id, units, type(uint256).max);
        vm.stopPrank();
    }

    function _pay(uint64 facilityId, uint256 amount) internal {
        dollar.mint(renter, amount);
        vm.startPrank(renter);
        dollar.approve(address(lockbox), amount);
        lockbox.payRent(facilityId, LEASE, amount);
        vm.stopPrank();
    }

    /// @dev Burns as for a delivery: a voucher of an hour a unit.
    function _burn(address holder, uint256 id, uint256 units) internal returns (uint256 voucherId) {
        return desk.burn(token, holder, id, units);
    }

    /// @dev Ends the next epoch, posts it and lets it become final.
    function _postFinal(uint64 facilityId, uint128 gross, uint64 available) internal {
        uint256 end = START + uint256(statements.epochsPosted(facilityId) + 1) * EPOCH;
        if (block.timestamp < end) vm.warp(end);
        statements.post(facilityId, gross, available);
        vm.warp(vm.getBlockTimestamp() + 600);
    }

    /// @dev The closing statement, as early as it may be, final.
    function _seal(uint64 facilityId, int128 gross) internal {
        uint256 sealedAt = START + uint256(EPOCHS) * EPOCH + SEAL;
        if (block.timestamp < sealedAt) vm.warp(sealedAt);
        statements.postClosing(facilityId, gross);
        vm.warp(vm.getBlockTimestamp() + 600);
    }

    /// @dev An epoch that nobody stated: notice as early as it may be, default as early as it may be.
    function _default(uint64 facilityId, uint32 epoch) internal {
        uint256 overdueFrom = START + (uint256(epoch) + 1) * EPOCH + PATIENCE;
        if (block.timestamp < overdueFrom) vm.warp(overdueFrom);
        facilities.noticeDefault(facilityId, epoch);
        vm.warp(vm.getBlockTimestamp() + CURE);
        facilities.declareDefault(facilityId, epoch);
    }

    /// @dev As early as it may be, and the stream of its money to its end.
    function _close(uint64 facilityId) internal {
        vm.warp(lockbox.closableFrom(facilityId));
        lockbox.close(facilityId);
        vm.warp(vm.getBlockTimestamp() + 1 days);
    }

    function _ids(uint64 facilityId, uint256 count) internal pure returns (uint256[] memory ids) {
        ids = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            ids[i] = _id(facilityId, i);
        }
    }
}
