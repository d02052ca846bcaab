// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authority} from "../../../contracts/access/Authority.sol";
import {BondVault} from "../../../contracts/money/BondVault.sol";
import {DeliveryDesk} from "../../../contracts/money/DeliveryDesk.sol";
import {FacilityRegistry} from "../../../contracts/facility/FacilityRegistry.sol";
import {PrimarySale} from "../../../contracts/sale/PrimarySale.sol";
import {RentLockbox} from "../../../contracts/money/RentLockbox.sol";
import {StatementRegistry} from "../../../contracts/statements/StatementRegistry.sol";
import {TrancheToken} from "../../../contracts/token/TrancheToken.sol";
import {WalletDesk} from "../../../contracts/access/WalletDesk.sol";
import {IBondVault} from "../../../contracts/interfaces/IBondVault.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IPrimarySale} from "../../../contracts/interfaces/IPrimarySale.sol";
import {IStatementRegistry} from "../../../contracts/interfaces/IStatementRegistry.sol";
import {MockStablecoin} from "../../../contracts/mocks/MockStablecoin.sol";
import {TrancheId} from "../../../contracts/token/TrancheId.sol";
import {Attested} from "../Attested.sol";
import {Orders} from "../Orders.sol";

/// @title The facility of docs/DEAL.md on real contracts; nothing is a stub
/// @dev Two tranches of 20 units: seniors (coupon 2.2) for 2, juniors for 1. Four epochs of an hour, ten GPUs, rate and
/// rent 2.5 an hour, 20 % up front, no fee.
abstract contract DealBase is Orders, Attested {
    struct Deal {
        uint40 seniors;
        uint40 juniors;
        uint256 bond;
        uint32 promisedPpm;
        uint16 feeBps;
    }

    uint64 internal constant FACILITY = 7;
    uint64 internal constant START = 1_800_100_000;
    uint32 internal constant EPOCH = 3_600;
    uint32 internal constant EPOCHS = 4;
    uint64 internal constant CHALLENGE_WINDOW = 600;
    uint32 internal constant PATIENCE = EPOCH + 1 days;
    uint32 internal constant LONG_STOP = 90 days;
    uint32 internal constant SEAL = 1 hours;
    uint64 internal constant RATE = 2_500_000;
    uint64 internal constant COUPON = 2_200_000;
    uint256 internal constant USDC = 1_000_000;

    Authority internal authority;
    FacilityRegistry internal facilities;
    StatementRegistry internal statements;
    TrancheToken internal token;
    WalletDesk internal wallets;
    RentLockbox internal lockbox;
    PrimarySale internal sale;
    BondVault internal vault;
    DeliveryDesk internal desk;
    MockStablecoin internal dollar;

    address internal gpuOperator = vm.addr(OPERATOR_KEY);
    address internal renter = address(0xA2);
    /// @dev Buys seniors.
    address internal ann = address(0xA3);
    /// @dev Buys juniors.
    address internal bob = address(0xA4);
    address internal stranger = address(0xA5);
    uint256 internal constant SENIOR = uint256(FACILITY) << 8;
    uint256 internal constant JUNIOR = SENIOR + 1;
    bytes32 internal previous;
    uint256 private _sold;

    function setUp() public virtual {
        vm.warp(_opensAt() - 10_000);
        authority = new Authority(address(this));
        facilities = new FacilityRegistry(address(authority));
        dollar = new MockStablecoin();
        wallets = new WalletDesk(address(authority), facilities);
        _appoint(authority, facilities, address(dollar), 0, 0, wallets);
        statements = new StatementRegistry(address(authority), facilities, attesters, CHALLENGE_WINDOW);
        token = new TrancheToken(address(authority), facilities, wallets, "");
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
        token.setRevenueSource(address(lockbox), true);
        bytes4[] memory open = new bytes4[](1);
        open[0] = FacilityRegistry.offer.selector;
        authority.setTargetFunctionRole(address(facilities), open, authority.PUBLIC_ROLE());
        _seat();
    }

    /// @dev Sold out, bond 100, everything promised.
    function _soldOut(uint256 bond) internal pure returns (Deal memory) {
        return Deal(20, 20, bond * USDC, 1_000_000, 0);
    }

    /// @dev When the sale opens.
    function _opensAt() internal pure virtual returns (uint64) {
        return START - 90_000;
    }

    /// @dev Offered, bonded, sold and funded; a second before the window.
    function _found(Deal memory deal) internal {
        _offer(deal);
        _buy(ann, SENIOR, deal.seniors);
        _buy(bob, JUNIOR, deal.juniors);
        _sold = 2 * USDC * deal.seniors + USDC * deal.juniors;
        vm.roll(block.number + 1);
        vm.warp(START - 1_000);
        sale.finalize(FACILITY);
    }

    /// @dev Offered and bonded, with a sale that has opened.
    function _offer(Deal memory deal) internal {
        IFacilityRegistry.TrancheTerms[] memory tranches = new IFacilityRegistry.TrancheTerms[](2);
        tranches[0] = IFacilityRegistry.TrancheTerms(20, COUPON);
        tranches[1] = IFacilityRegistry.TrancheTerms(20, 0);
        uint64[] memory prices = new uint64[](2);
        (prices[0], prices[1]) = (uint64(2 * USDC), uint64(USDC));
        dollar.mint(gpuOperator, deal.bond);
        vm.startPrank(gpuOperator);
        facilities.offer(FACILITY, _terms(deal), tranches);
        _approve(FACILITY);
        // forge-lint: disable-next-line(unsafe-typecast)
        vault.setTerms(FACILITY, IBondVault.BondTerms(uint96(deal.bond), RATE));
        dollar.approve(address(vault), deal.bond);
        if (deal.bond > 0) vault.deposit(FACILITY, deal.bond);
        sale.open(FACILITY, IPrimarySale.SaleTerms(_opensAt(), START - 1_000, 1, 2_000, prices));
        vm.stopPrank();
        vm.warp(_opensAt());
    }

    function _terms(Deal memory deal) internal view returns (IFacilityRegistry.FacilityTerms memory) {
        return IFacilityRegistry.FacilityTerms({
            gpuOperator: gpuOperator,
            settlementToken: address(dollar),
            gpuClass: "H100-SXM5-80GB",
            site: "SE-LULEA-1",
            windowStart: START,
            windowEnd: START + EPOCHS * EPOCH,
            expiresAt: START + 1 days,
            epochLength: EPOCH,
            deviceCount: 10,
            promisedAvailabilityPpm: deal.promisedPpm,
            feeBps: deal.feeBps,
            attesterFeeBps: 4_000,
            patienceSeconds: PATIENCE,
            sealSeconds: SEAL,
            longStopSeconds: LONG_STOP,
            pledgeRoot: bytes32(uint256(1)),
            termsHash: bytes32(uint256(2))
        });
    }

    function _buy(address buyer, uint256 id, uint256 units) internal {
        if (units == 0) return;
        dollar.mint(buyer, 1e12);
        vm.startPrank(buyer);
        dollar.approve(address(sale), type(uint256).max);
        sale.buy(id, units, type(uint256).max);
        vm.stopPrank();
    }

    /// @dev The next epoch as attesters state it.
    function _statement(uint64 available, uint128 rent)
        internal
        view
        returns (IStatementRegistry.Statement memory statement)
    {
        uint32 epoch = statements.epochsPosted(FACILITY);
        statement.facilityId = FACILITY;
        statement.epoch = epoch;
        statement.epochStart = START + epoch * EPOCH;
        statement.epochEnd = statement.epochStart + EPOCH;
        statement.availableGpuSeconds = available;
        statement.grossRevenue = int128(rent);
        if (rent > 0) (statement.lineCount, statement.usageRoot) = (1, keccak256("line"));
        statement.evidenceHash = keccak256("evidence");
        statement.previousStatementHash = previous;
    }

    /// @dev Ends the next epoch and posts it: hours available in all devices together, and rent of these hours.
    function _post(uint256 available, uint256 rent) internal {
        uint256 end = START + uint256(statements.epochsPosted(FACILITY) + 1) * EPOCH;
        if (_now() < end) vm.warp(end);
        // forge-lint: disable-next-line(unsafe-typecast)
        IStatementRegistry.Statement memory statement = _statement(uint64(available), uint128(rent));
        statements.post(statement, _signed(statements.statementDigest(statement)));
        previous = statements.hashStatement(statement);
    }

    /// @dev The closing statement, final; without it nothing matures.
    function _seal(int128 gross) internal {
        uint64 sealedAt = START + EPOCHS * EPOCH + SEAL;
        if (_now() < sealedAt) vm.warp(sealedAt);
        IStatementRegistry.Statement memory statement = _statement(0, 0);
        (statement.epochEnd, statement.grossRevenue) = (sealedAt, gross);
        if (gross != 0) (statement.lineCount, statement.usageRoot) = (1, keccak256("difference"));
        statements.post(statement, _signed(statements.statementDigest(statement)));
        previous = statements.hashStatement(statement);
        vm.warp(_now() + CHALLENGE_WINDOW);
    }

    /// @dev A posted, paid, final and settled epoch of so many whole hours.
    function _deliver(uint256 hours_) internal {
        uint256 rent = hours_ * RATE;
        if (rent > 0) _pay(rent);
        _post(hours_ * 1 hours, rent);
        vm.warp(_now() + CHALLENGE_WINDOW);
        lockbox.settle(FACILITY);
    }

    function _pay(uint256 amount) internal {
        dollar.mint(renter, amount);
        vm.startPrank(renter);
        dollar.approve(address(lockbox), amount);
        lockbox.payRent(FACILITY, "lease", amount);
        vm.stopPrank();
    }

    /// @dev Notice, cure and default of the first epoch that is neither stated nor published.
    function _default() internal {
        uint32 epoch = statements.opennessOf(FACILITY).firstOpen;
        vm.warp(START + uint256(epoch + 1) * EPOCH + PATIENCE);
        facilities.noticeDefault(FACILITY, epoch);
        vm.warp(_now() + EPOCH + 1 days);
        facilities.declareDefault(FACILITY, epoch);
    }

    /// @dev Default where an epoch is missing, else the long stop.
    function _end() internal {
        if (statements.epochsPosted(FACILITY) < EPOCHS) {
            _default();
        } else {
            vm.warp(START + EPOCHS * EPOCH + SEAL + LONG_STOP);
            facilities.stop(FACILITY);
        }
    }

    /// @dev The operator's evidence of an epoch that attesters did not state.
    function _publish(uint32 epoch) internal {
        vm.prank(gpuOperator);
        statements.publish(FACILITY, epoch, keccak256(abi.encode("evidence", epoch)));
    }

    function _reject(uint32 epoch) internal {
        bytes32 hash = statements.publishedHashOf(FACILITY, epoch);
        attesterDesk.reject(FACILITY, epoch, hash, _refusals(FACILITY, epoch, hash));
    }

    function _close() internal {
        vm.warp(lockbox.closableFrom(FACILITY));
        vm.prank(stranger);
        lockbox.close(FACILITY);
        vm.warp(_now() + 1 days);
    }

    function _now() internal view returns (uint256) {
        return vm.getBlockTimestamp();
    }

    /// @dev All that the operator gets, with the proceeds that were not released yet.
    function _operatorInAll() internal view returns (uint256) {
        address coin = address(dollar);
        return lockbox.owedTo(coin, gpuOperator) + sale.owedTo(coin, gpuOperator) + vault.owedTo(coin, gpuOperator);
    }

    /// @dev What one unit of a tranche was paid in all, before any claim.
    function _unit(uint256 id) internal view returns (uint256) {
        (, uint8 seniority,) = TrancheId.unpack(id);
        address holder = seniority == 0 ? ann : bob;
        return token.claimable(holder, id) / token.balanceOf(holder, id);
    }

    /// @dev Everybody takes what is theirs: what is then left of all money in all contracts is dust.
    function _sweep(uint256 vouchers) internal {
        address coin = address(dollar);
        for (uint256 v = 1; v <= vouchers; ++v) {
            if (lockbox.payableToVoucher(v) > 0) lockbox.payVoucher(v);
        }
        address[4] memory all = [ann, bob, gpuOperator, stranger];
        uint256[] memory ids = new uint256[](2);
        (ids[0], ids[1]) = (SENIOR, JUNIOR);
        for (uint256 i = 0; i < all.length; ++i) {
            vm.startPrank(all[i]);
            token.claim(ids, all[i]);
            if (lockbox.owedTo(coin, all[i]) > 0) lockbox.withdraw(coin, all[i]);
            if (sale.owedTo(coin, all[i]) > 0) sale.withdraw(coin, all[i]);
            if (vault.owedTo(coin, all[i]) > 0) vault.withdraw(coin, all[i]);
            vm.stopPrank();
        }
        _sweepExcess();
        _sweepFees();
        assertEq(dollar.balanceOf(address(sale)), 0, "nothing stays in the sale");
        assertEq(dollar.balanceOf(address(vault)), 0, "nothing stays in the vault");
        // A fraction of a minor unit for each holder, and one for each voucher's division.
        assertLe(dollar.balanceOf(address(token)), 4, "dust in the token");
        assertLe(dollar.balanceOf(address(lockbox)), vouchers, "dust in the lockbox");
        assertLe(dollar.balanceOf(address(attesterDesk)), 3, "dust at the attesters' desk");
    }

    /// @dev What nobody signed goes back to who paid, once the facility is closed.
    function _sweepExcess() private {
        if (lockbox.excessOf(FACILITY) == 0) return;
        if (_now() < refundDesk.sharesFrom(FACILITY)) vm.warp(refundDesk.sharesFrom(FACILITY));
        refundDesk.refundShare(FACILITY, renter);
        vm.prank(renter);
        lockbox.withdraw(address(dollar), renter);
        assertEq(lockbox.excessOf(FACILITY), 0, "no rent too much stays");
    }

    /// @dev Attesters did no duty that was booked: all fees are the treasury's in the end.
    function _sweepFees() private {
        uint256 closedAt = facilities.endingOf(FACILITY).closedAt;
        if (_now() < closedAt + 90 days) vm.warp(closedAt + 90 days);
        attesterDesk.collect(FACILITY);
        if (attesterDesk.feesOf(FACILITY) == 0) return;
        attesterDesk.releaseUnearned(FACILITY);
        attesterDesk.takeFees(address(dollar), address(this));
    }
}
