// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IStatementRegistry} from "../../../contracts/interfaces/IStatementRegistry.sol";
import {UsageProof} from "../../../contracts/statements/UsageProof.sol";
import {ThiefBase} from "./ThiefBase.sol";

/// @title Vouchers of the operator's puppets go before those who did not burn
/// @dev Bob is the operator's puppet. Each test has the history without vouchers beside it.
contract VouchersTest is ThiefBase {
    uint256 private _start;

    function setUp() public override {
        super.setUp();
        _start = vm.snapshotState();
    }

    /// Half of the hours are promised; juniors' vouchers are open for all of them. Nothing is left to claim for
    /// seniors, whose price goes to the vouchers too. The bond covers all damages.
    function test_thief__junior_vouchers_for_all_promised_hours__seniors_lose_claim_and_price() public {
        (uint256 senior, uint256 coalition) = _halfPromisedNothingDelivered(0);
        assertEq(senior, 44 * USDC, "without vouchers: the coupon");
        assertEq(coalition, 66 * USDC, "operator and juniors");
        (senior, coalition) = _halfPromisedNothingDelivered(20);
        assertEq(senior, 0, "with vouchers: nothing, and they paid 40");
        assertEq(coalition, 110 * USDC, "all the money there is");
    }

    /// The same without any failure: all promised hours are delivered, to the puppet. Seniors have a coupon, and get
    /// nothing in a facility that is matured in full.
    function test_thief__junior_vouchers_served_with_all_promised_hours__seniors_get_nothing() public {
        Deal memory deal = _soldOut(50);
        deal.promisedPpm = 500_000;
        _found(deal);
        uint256[] memory vouchers = new uint256[](1);
        vouchers[0] = _takeDelivery(desk, bob, JUNIOR, 20, "puppet");
        assertEq(desk.openGpuSecondsOf(FACILITY)[1], 20 hours, "as much as is promised in all");
        for (uint256 e = 0; e < EPOCHS; ++e) {
            _serve(vouchers, 5 hours, START + e * EPOCH);
        }
        facilities.mature(FACILITY);
        _close();
        assertEq(_all(SENIOR), 0, "seniors");
        assertEq(_operatorInAll(), 110 * USDC, "all proceeds and the bond, and 20 hours in kind");
    }

    /// All hours are promised; the coupon is above the rate of an hour, as it may be where it is more than half of all.
    function test_thief__junior_vouchers_before_a_coupon_above_the_rate__seniors_lose() public {
        assertEq(_highCoupon(0), 90 * USDC, "without vouchers: the coupon");
        assertEq(_highCoupon(20), 50 * USDC, "with vouchers: what hours are left at the rate");
    }

    /// One tranche: who burns takes the hours of who does not.
    function test_thief__one_tranche_half_promised__who_burns_takes_all() public {
        assertEq(_oneTrancheHalfPromised(0), 25 * USDC, "without vouchers: half of the damages");
        assertEq(_oneTrancheHalfPromised(20), 0, "with vouchers of the other half: nothing");
    }

    /// Juniors' price above their claim makes seniors whole; but not if juniors burn in the last seconds, and have
    /// these few seconds served: then their whole unearned price counts as served, and is the operator's at once.
    function test_thief__juniors_burn_for_the_last_seconds__their_price_goes_round_the_seniors() public {
        (uint256 senior, uint256 coalition) = _dearJuniors(false);
        assertEq(senior, 44 * USDC, "without: whole");
        assertEq(coalition, 56 * USDC, "juniors");
        (senior, coalition) = _dearJuniors(true);
        assertLe(senior, 10_100_000, "with: a little more than their own price");
        assertLe(89_900_000, coalition, "the puppet has what it paid");
    }

    function _halfPromisedNothingDelivered(uint256 burned) private returns (uint256 senior, uint256 coalition) {
        _again();
        Deal memory deal = _soldOut(50);
        deal.promisedPpm = 500_000;
        _found(deal);
        uint256 voucher = burned == 0 ? 0 : _takeDelivery(desk, bob, JUNIOR, burned, "puppet");
        _default();
        _close();
        coalition = _operatorInAll() + _all(JUNIOR);
        if (voucher > 0) coalition += lockbox.payableToVoucher(voucher);
        return (_all(SENIOR), coalition);
    }

    function _highCoupon(uint256 burned) private returns (uint256) {
        _again();
        Offer memory offer = _offerOf(_soldOut(100));
        offer.tranches[0] = IFacilityRegistry.TrancheTerms(20, 4_500_000);
        _found(offer);
        if (burned > 0) _takeDelivery(desk, bob, JUNIOR, burned, "puppet");
        _default();
        _close();
        return _all(SENIOR);
    }

    function _oneTrancheHalfPromised(uint256 burned) private returns (uint256) {
        _again();
        Offer memory offer = _oneTranche(40, 50 * USDC);
        offer.terms.promisedAvailabilityPpm = 500_000;
        _found(offer);
        vm.prank(ann);
        token.safeTransferFrom(ann, bob, SENIOR, 20, "");
        if (burned > 0) _takeDelivery(desk, bob, SENIOR, burned, "puppet");
        _default();
        _close();
        return _all(SENIOR);
    }

    function _dearJuniors(bool burn) private returns (uint256 senior, uint256 coalition) {
        _again();
        Offer memory offer = _offerOf(_soldOut(0));
        (offer.prices[0], offer.prices[1], offer.upFrontBps) = (500_000, 4_500_000, 0);
        _found(offer);
        for (uint256 e = 0; e < EPOCHS - 1; ++e) {
            _post(0, 0);
        }
        if (burn) {
            vm.warp(START + EPOCHS * EPOCH - 6);
            uint256[] memory vouchers = new uint256[](1);
            vouchers[0] = _takeDelivery(desk, bob, JUNIOR, 20, "puppet");
            _serve(vouchers, 30, _now());
        } else {
            _post(0, 0);
            vm.warp(_now() + CHALLENGE_WINDOW);
        }
        facilities.mature(FACILITY);
        _close();
        coalition = _operatorInAll() + (burn ? 0 : _all(JUNIOR));
        return (_all(SENIOR), coalition);
    }

    /// @dev States the next epoch with one delivery line, and serves vouchers with it. One line stands for those of as
    /// many devices as it needs.
    function _serve(uint256[] memory vouchers, uint64 gpuSeconds, uint256 start) private {
        uint32 epoch = statements.epochsPosted(FACILITY);
        uint256 end = START + (uint256(epoch) + 1) * EPOCH;
        if (_now() < end) vm.warp(end);
        IStatementRegistry.Line memory line;
        (line.facilityId, line.epoch, line.kind) = (FACILITY, epoch, 1);
        (line.lease, line.gpuSeconds, line.cumulativeGpuSeconds) = ("puppet", gpuSeconds, gpuSeconds);
        // forge-lint: disable-next-line(unsafe-typecast)
        (line.start, line.end) = (uint64(start), uint64(end));
        IStatementRegistry.Statement memory statement = _statement(gpuSeconds, 0);
        (statement.lineCount, statement.billedGpuSeconds) = (1, gpuSeconds);
        statement.usageRoot = UsageProof.leaf(line);
        statements.post(statement, _signatures(statements.statementDigest(statement)));
        previous = statements.hashStatement(statement);
        vm.warp(_now() + CHALLENGE_WINDOW);
        desk.serve(vouchers, statement, line, new bytes32[](0));
    }

    /// @dev Back to before the offer: a second history begins where the first one did.
    function _again() private {
        uint256 start = _start;
        vm.revertToState(start);
        _start = vm.snapshotState();
    }
}
