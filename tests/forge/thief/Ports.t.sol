// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDeliveryDesk} from "../../../contracts/interfaces/IDeliveryDesk.sol";
import {IEndings} from "../../../contracts/interfaces/IEndings.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IRentLockbox} from "../../../contracts/interfaces/IRentLockbox.sol";
import {HostileStablecoin} from "../../../contracts/mocks/HostileStablecoin.sol";
import {MockStablecoin} from "../../../contracts/mocks/MockStablecoin.sol";
import {ThiefBase} from "./ThiefBase.sol";

/// @title Old attacks on endings, on the new contracts: none of them works
contract PortsTest is ThiefBase {
    /// Finding F1b: the operator's free half took half of the buyers' money.
    function test_thief__one_tranche_half_sold__default_gives_buyers_all() public {
        _found(_oneTranche(20, 10 * USDC));
        _default();
        _close();
        // Damages of 100, half of them on unsold units; 20 of the price, then 10 of the bond.
        assertEq(_all(SENIOR), 30 * USDC, "buyers: price and bond");
        assertEq(_operatorInAll(), 0, "operator");
        _sweep(0);
    }

    /// Finding F1c: the same at maturity, with zero availability.
    function test_thief__one_tranche_half_sold__zero_statements_give_buyers_all() public {
        _found(_oneTranche(20, 10 * USDC));
        for (uint256 e = 0; e < EPOCHS; ++e) {
            _post(0, 0);
        }
        _seal(0);
        facilities.mature(FACILITY);
        _close();
        assertEq(_all(SENIOR), 30 * USDC, "buyers");
        assertEq(_operatorInAll(), 0, "operator");
        _sweep(0);
    }

    /// Finding F4: a sale finalized late was in default in the same block.
    function test_thief__funded_late__patience_runs_from_the_funding() public {
        Offer memory offer = _offerOf(_soldOut(100));
        offer.terms.expiresAt = START + 3 days;
        _open(offer);
        vm.warp(START + 3 days - 1);
        sale.finalize(FACILITY);
        uint256 overdue = _now() + PATIENCE;
        vm.expectRevert(abi.encodeWithSelector(IEndings.EpochNotOverdue.selector, FACILITY, uint32(0), overdue));
        facilities.noticeDefault(FACILITY, 0);
        for (uint256 e = 0; e < EPOCHS; ++e) {
            _pay(10 * RATE);
            _post(10 hours, 10 * RATE);
        }
        _seal(0);
        facilities.mature(FACILITY);
        _close();
        assertEq(_all(SENIOR), 44 * USDC, "seniors");
        assertEq(_operatorInAll(), 160 * USDC, "operator");
        _sweep(0);
    }

    /// Finding F33: the year 2106. Everything still closes; its money cannot stream beyond what a time can name.
    function test_thief__window_ends_in_2106__closes_all_the_same() public {
        Offer memory offer = _oneTranche(40, 100 * USDC);
        offer.terms.windowEnd = START + uint64((type(uint32).max - START) / EPOCH) * EPOCH;
        offer.tranches[0].unitCap = 40;
        offer.terms.promisedAvailabilityPpm = 1;
        offer.upFrontBps = 10_000;
        _found(offer);
        vm.warp(offer.terms.windowEnd + SEAL + LONG_STOP);
        facilities.stop(FACILITY);
        _close();
        _sweep(0);
    }

    /// Finding F44: without a rate units burned for a voucher that pays nothing.
    function test_thief__no_rate__no_voucher() public {
        Offer memory offer = _oneTranche(40, 0);
        (offer.rate, offer.upFrontBps) = (0, 10_000);
        _found(offer);
        IDeliveryDesk.DeliveryOrder memory order = _order(ann, SENIOR, 5, "voucher");
        bytes memory signature = _signed(address(desk), order);
        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.DeliveryWithoutRate.selector, FACILITY));
        vm.prank(ann);
        desk.takeDelivery(order, signature);
        _default();
        _close();
        _sweep(0);
    }

    /// Finding F43 and ATTACKS 43: vouchers of one tranche share, whoever calls first, and cannot be paid twice.
    function test_thief__vouchers_of_two_holders__share_by_open_hours() public {
        _found(_soldOut(10));
        vm.prank(ann);
        token.safeTransferFrom(ann, stranger, SENIOR, 5, "");
        uint256 first = _takeDelivery(desk, ann, SENIOR, 15, "ann");
        uint256 second = _takeDelivery(desk, stranger, SENIOR, 5, "stranger");
        _default();
        _close();
        uint256 pool = lockbox.voucherPoolsOf(FACILITY)[0];
        assertEq(lockbox.payVoucher(second), pool / 4, "a quarter");
        assertEq(lockbox.payVoucher(first), pool - pool / 4, "three quarters");
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.NothingForVoucher.selector, first));
        lockbox.payVoucher(first);
    }

    /// A settlement token that calls back: every door is shut inside of a closing.
    function test_thief__token_calls_back__nothing_twice() public {
        HostileStablecoin hostile = new HostileStablecoin();
        dollar = MockStablecoin(address(hostile));
        facilities.setSettlementToken(address(hostile), true);
        _found(_soldOut(10));
        uint256 voucher = _takeDelivery(desk, ann, SENIOR, 5, "voucher");
        _post(10 hours, 10 * RATE);
        _default();
        _pay(10 * RATE);
        vm.warp(lockbox.closableFrom(FACILITY));
        uint256 before = vm.snapshotState();
        lockbox.close(FACILITY);
        uint256 operator = _operatorInAll();
        uint256 pool = lockbox.voucherPoolsOf(FACILITY)[0];
        bytes[4] memory calls = [
            abi.encodeCall(lockbox.close, (FACILITY)),
            abi.encodeCall(lockbox.settle, (FACILITY)),
            abi.encodeCall(lockbox.payVoucher, (voucher)),
            abi.encodeCall(lockbox.payRent, (FACILITY, "lease", 1))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            vm.revertToState(before);
            before = vm.snapshotState();
            hostile.reenter(address(lockbox), calls[i]);
            lockbox.close(FACILITY);
            // A voucher is paid from the pool that the closing has filled by then, like any other time.
            assertTrue(i == 2 || !hostile.reentrySucceeded(), "refused inside");
            hostile.setMode(HostileStablecoin.Mode.Honest);
            uint256 rest = lockbox.payableToVoucher(voucher);
            assertEq(lockbox.paidToVoucher(voucher) + rest, pool, "a voucher once");
            assertEq(_operatorInAll(), operator, "the same for the operator");
            assertEq(lockbox.voucherPoolsOf(FACILITY)[0], pool, "the same for vouchers");
        }
    }

    /// Rent for hours that nobody states any more: nobody's key can choose who gets it. Ninety days after the closing it
    /// goes back to who paid (rule 4e of the deal).
    function test_thief__rent_paid_ahead_then_default__goes_back_to_who_paid() public {
        _found(_soldOut(10));
        _pay(100 * USDC);
        _default();
        _close();
        assertEq(lockbox.excessOf(FACILITY), 100 * USDC, "all of it is excess");
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.NothingToSettle.selector, FACILITY));
        lockbox.settle(FACILITY);
        // This test holds every role.
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.NotRefundDesk.selector, address(this)));
        lockbox.refundExcess(FACILITY, stranger, 100 * USDC);
        _sweep(0);
        assertEq(dollar.balanceOf(renter), 100 * USDC, "the renter has it back");
    }

    /// A token that begins to keep a fee: the bond and the price can never leave, not even to the operator.
    function test_thief__token_begins_to_keep_a_fee__closing_never_opens() public {
        HostileStablecoin hostile = new HostileStablecoin();
        dollar = MockStablecoin(address(hostile));
        facilities.setSettlementToken(address(hostile), true);
        _found(_soldOut(10));
        _default();
        hostile.setMode(HostileStablecoin.Mode.TakesFee);
        vm.warp(lockbox.closableFrom(FACILITY));
        vm.expectPartialRevert(bytes4(keccak256("SettlementShort(uint256,uint256)")));
        lockbox.close(FACILITY);
    }

    /// Four tranches, a fee of 10 %, some tranches wholly unsold or wholly burned: closes, and leaves nothing.
    function test_thief__four_tranches__any_history_closes_and_leaves_nothing(uint256 seed) public {
        Offer memory offer = _offerOf(Deal(0, 0, 0, 1_000_000, 1_000));
        offer.tranches = new IFacilityRegistry.TrancheTerms[](4);
        offer.prices = new uint64[](4);
        offer.sold = new uint256[](4);
        for (uint256 i = 0; i < 4; ++i) {
            offer.tranches[i] = IFacilityRegistry.TrancheTerms(10, i == 3 ? 0 : COUPON + uint64(i));
            offer.prices[i] = uint64(1_000_000 - i * 100_003);
            offer.sold[i] = seed % 3 == 0 ? 0 : 1 + seed % 10;
            seed = uint256(keccak256(abi.encode(seed)));
        }
        if (offer.sold[0] + offer.sold[1] + offer.sold[2] + offer.sold[3] == 0) offer.sold[3] = 1;
        offer.bond = bound(seed, 0, 120 * USDC);
        _found(offer);
        uint256 vouchers = 0;
        for (uint256 i = 0; i < 4; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 burned = seed % (offer.sold[i] + 1);
            if (burned == 0) continue;
            _takeDelivery(desk, i == 0 ? ann : bob, SENIOR + i, burned, keccak256(abi.encode(i)));
            ++vouchers;
        }
        uint256 stated = seed % 5;
        for (uint256 e = 0; e < stated; ++e) {
            seed = uint256(keccak256(abi.encode(seed)));
            _post(seed % 36_001, (seed >> 32) % (60 * USDC));
            if (seed % 2 == 0) _pay(1 + (seed >> 64) % (60 * USDC));
        }
        _end();
        _close();
        uint256 left = _left();
        if (left > 0) {
            _pay(left);
            lockbox.settle(FACILITY);
        }
        vm.warp(_now() + 1 days);
        uint256[] memory ids = new uint256[](4);
        for (uint256 i = 0; i < 4; ++i) {
            ids[i] = SENIOR + i;
        }
        vm.prank(ann);
        token.claim(ids, ann);
        vm.prank(bob);
        token.claim(ids, bob);
        _sweep(vouchers);
    }

    /// @dev Attested and not paid.
    function _left() private view returns (uint256) {
        uint32 posted = statements.epochsPosted(FACILITY);
        if (posted == 0) return 0;
        uint256 gross = statements.statementOf(FACILITY, posted - 1).cumulativeGross;
        uint256 collected = lockbox.bookOf(FACILITY).collected;
        return gross > collected ? gross - collected : 0;
    }
}
