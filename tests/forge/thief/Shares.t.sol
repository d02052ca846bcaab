// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ClosingRules} from "../../../contracts/money/ClosingRules.sol";
import {ThiefBase} from "./ThiefBase.sol";

/// @title Shares of a closing: bounds, rounding, streams
contract SharesTest is ThiefBase {
    uint256 private _seed;

    /// Any facts within the bounds of offers, sales and bonds: no revert, nothing lost, no unit above its coupon.
    function test_thief__share_any_facts__conserves_and_never_reverts(uint256 seed) public {
        _seed = seed;
        ClosingRules.Facts memory facts = _facts();
        uint256[4] memory due = facts.ranks.due;
        ClosingRules rules = ClosingRules(lockbox.closingRules());
        (ClosingRules.Shares memory paid, ClosingRules.Shares memory claims,) = rules.share(facts);
        assertEq(_sum(paid), facts.bond + facts.escrow, "all of it, and no more");
        for (uint256 i = 0; i < 4; ++i) {
            if (i < facts.ranks.last) assertLe(paid.units[i] + claims.units[i], due[i], "at most the coupon");
            if (i > facts.ranks.last) assertEq(paid.units[i] + paid.vouchers[i], 0, "nothing for no tranche");
            if (facts.ranks.supplies[i] == 0) assertEq(paid.units[i], 0, "nothing for nobody");
            if (facts.openGpuSeconds[i] == 0) assertEq(paid.vouchers[i], 0, "nothing for no voucher");
        }
        uint256 late = _draw(1 << 64);
        (paid, claims,) = rules.spend(late, 0, claims);
        assertEq(_sum(paid), late, "late rent: all of it");
    }

    /// Who pays late rent one minor unit at a time gives all of it to vouchers, nothing to units of the same rank.
    function test_thief__late_rent_in_single_units__vouchers_take_the_units_share() public {
        uint256 before = vm.snapshotState();
        uint256 whole = _lateRent(1_000, 1);
        vm.revertToState(before);
        previous = bytes32(0);
        uint256 single = _lateRent(1, 1_000);
        assertEq(whole, 598, "at once: in proportion to their claims");
        assertEq(single, 1_000, "one by one: all");
    }

    /// "At least for a day": with rent settled in the same call the closing's money is there after two hours.
    function test_thief__rent_settled_by_the_closing__its_money_streams_in_hours() public {
        _found(_soldOut(1));
        _post(10 hours, 10_000 * USDC);
        _default();
        _pay(10_000 * USDC);
        vm.warp(lockbox.closableFrom(FACILITY));
        lockbox.close(FACILITY);
        vm.warp(_now() + 2 hours);
        assertEq(token.unvested(JUNIOR), 0, "all of it, with the closing's part");
    }

    function _lateRent(uint256 amount, uint256 times) private returns (uint256 toVouchers) {
        _found(_soldOut(10));
        uint256 voucher = _takeDelivery(desk, ann, SENIOR, 8, "voucher");
        _post(10 hours, 10 * RATE);
        _default();
        _close();
        _pay(2 * USDC);
        lockbox.settle(FACILITY);
        uint256 before = lockbox.payableToVoucher(voucher);
        for (uint256 i = 0; i < times; ++i) {
            _pay(amount);
            lockbox.settle(FACILITY);
        }
        return lockbox.payableToVoucher(voucher) - before;
    }

    function _sum(ClosingRules.Shares memory shares) private pure returns (uint256 sum) {
        sum = shares.treasury + shares.gpuOperator;
        for (uint256 i = 0; i < 4; ++i) {
            sum += shares.units[i] + shares.vouchers[i];
        }
    }

    /// @dev A number below a bound; often 0, 1 or nearly the bound.
    function _draw(uint256 below) private returns (uint256 value) {
        _seed = uint256(keccak256(abi.encode(_seed)));
        value = _seed >> 8;
        uint256 kind = _seed & 7;
        if (kind == 0) return 0;
        if (kind == 1) return below - 1;
        if (kind == 2) return 1 % below;
        if (kind == 3) return value % below % 1_000_000;
        return value % below;
    }

    function _facts() private returns (ClosingRules.Facts memory facts) {
        facts.ranks.last = _draw(4);
        uint256 sold = _draw(3);
        for (uint256 i = 0; i <= facts.ranks.last; ++i) {
            uint256 cap = _draw((1 << 40) - 1) + 1;
            facts.ranks.supplies[i] = _draw(cap + 1);
            uint256 burned = _draw(cap - facts.ranks.supplies[i] + 1);
            // forge-lint: disable-next-line(unsafe-typecast)
            facts.ranks.unsold[i] = uint40(cap - facts.ranks.supplies[i] - burned);
            if (i < facts.ranks.last) {
                uint256 coupon = _draw(type(uint64).max / cap) + 1;
                facts.ranks.due[i] = _draw(coupon * facts.ranks.supplies[i] + 1);
                facts.ranks.unsoldDue[i] = _draw(coupon * facts.ranks.unsold[i] + 1);
            }
            if (burned > 0) {
                // forge-lint: disable-start(unsafe-typecast)
                facts.openGpuSeconds[i] = uint64(_draw(burned * 3_600 + 1));
                if (facts.openGpuSeconds[i] > 0) facts.openUnitSeconds[i] = uint64(_draw(burned * 3_600 + 1));
                // forge-lint: disable-end(unsafe-typecast)
            }
            if (sold == 0) continue;
            facts.unitPrices[i] = _draw((1 << 51) / cap + 1) + 1;
            facts.proceeds += facts.unitPrices[i] * (facts.ranks.supplies[i] + burned);
        }
        if (facts.proceeds > 0) {
            facts.unearned = _draw(facts.proceeds + 1);
            facts.unsigned = _draw(facts.unearned + 1);
            facts.escrow = _draw(facts.unearned + 1);
        }
        uint256 promised = _draw(1 << 56) + 1;
        facts.missingGpuSeconds = _draw(promised + 1);
        uint256 most = ((uint256(1) << 63) * 3_600 - 1) / promised;
        facts.ratePerGpuHour = _draw(most < 1 << 64 ? most + 1 : 1 << 64);
        facts.feeBps = _draw(1_001);
        facts.bond = _draw(1 << 96);
    }
}
