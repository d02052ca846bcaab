// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IStatementRegistry} from "../../../contracts/interfaces/IStatementRegistry.sol";
import {UsageProof} from "../../../contracts/statements/UsageProof.sol";
import {ThiefBase} from "./ThiefBase.sol";

/// @title Vouchers of the operator's puppets take nothing from those who did not burn
/// @dev Bob is the operator's puppet. Each test has the history without vouchers beside it. V1 to V3 of
/// docs/reviews/closing-thief.md.
contract VouchersTest is ThiefBase {
    uint256 private _start;

    function setUp() public override {
        super.setUp();
        _start = vm.snapshotState();
    }

    /// Half of the hours are promised, and seniors' coupons are most of what these are worth: juniors' units give what
    /// is left. The bond covers all damages.
    function test_thief__junior_vouchers_half_promised__seniors_keep_their_claim() public {
        (uint256 senior, uint256 coalition) = _halfPromisedNothingDelivered(0);
        assertEq(senior, 44 * USDC, "without vouchers: the coupon");
        assertEq(coalition, 66 * USDC, "operator and juniors");
        (senior, coalition) = _halfPromisedNothingDelivered(20);
        assertEq(senior, 44 * USDC, "with vouchers: the coupon");
        assertEq(coalition, 66 * USDC, "no more for operator and juniors");
    }

    /// All open vouchers together fit what is promised behind the seniors' coupons: 50 less 44, at 2.50 an hour.
    function test_thief__junior_vouchers_half_promised__ask_for_what_seniors_leave() public {
        Deal memory deal = _soldOut(50);
        deal.promisedPpm = 500_000;
        _found(deal);
        _takeDelivery(desk, bob, JUNIOR, 20, "puppet");
        assertEq(desk.openGpuSecondsOf(FACILITY)[1], 2.4 hours, "of 20 promised");
    }

    /// All hours are promised; the coupon is above the rate of an hour, as it may be where it is more than half of all.
    function test_thief__junior_vouchers_before_a_coupon_above_the_rate__seniors_lose_nothing() public {
        assertEq(_highCoupon(0), 90 * USDC, "without vouchers: the coupon");
        assertEq(_highCoupon(20), 90 * USDC, "with vouchers: the coupon");
    }

    /// One tranche: who burns takes half an hour a unit, as half is promised.
    function test_thief__one_tranche_half_promised__who_burns_takes_its_part() public {
        assertEq(_oneTrancheHalfPromised(0), 25 * USDC, "without vouchers: half of the damages");
        assertEq(_oneTrancheHalfPromised(20), 25 * USDC, "with vouchers of the other half: the same");
    }

    /// Juniors' price above their claim makes seniors whole; also if juniors burn in the last seconds, and have these
    /// few seconds served: what falls on the served part goes to claims before it is the operator's.
    function test_thief__juniors_burn_for_the_last_seconds__their_price_goes_to_claims_first() public {
        (uint256 senior, uint256 coalition) = _dearJuniors(false);
        assertEq(senior, 44 * USDC, "without: whole");
        assertEq(coalition, 56 * USDC, "juniors");
        (senior, coalition) = _dearJuniors(true);
        assertEq(senior, 44 * USDC, "with: whole");
        assertEq(coalition, 56 * USDC, "the puppet gains nothing");
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
        }
        _seal(0);
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
        statements.post(statement, _signed(statements.statementDigest(statement)));
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
