// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Waterfall} from "../../../contracts/money/Waterfall.sol";
import {Base} from "../Base.sol";

/// @title The order of payment for any numbers
contract WaterfallTest is Base {
    /// ATTACKS 9, 10: split loses nothing, keeps the order, pays no empty tranche, and nobody above its coupon.
    function testFuzz_split__any__conserves_and_orders(
        uint64 amount,
        uint64[4] memory due,
        uint40[4] memory units,
        uint40[4] memory unsold,
        uint8 mask
    ) public pure {
        Waterfall.Ranks memory ranks;
        ranks.last = mask & 3;
        for (uint256 i = 0; i <= ranks.last; ++i) {
            ranks.supplies[i] = (mask >> (2 + i)) & 1 == 1 ? units[i] : 0;
            ranks.unsold[i] = unsold[i];
            if (i == ranks.last) continue;
            ranks.due[i] = ranks.supplies[i] == 0 ? 0 : due[i];
            ranks.unsoldDue[i] = due[3 - i] / 2;
        }
        uint256[4] memory before = [ranks.due[0], ranks.due[1], ranks.due[2], 0];
        (uint256[4] memory payments, uint256 toOperator) = Waterfall.split(amount, ranks);
        uint256 sum = toOperator;
        for (uint256 i = 0; i < 4; ++i) {
            sum += payments[i];
            require(ranks.supplies[i] > 0 || payments[i] == 0, "no units, no money");
            if (i < ranks.last) assertEq(payments[i] + ranks.due[i], before[i], "never above the coupon");
            for (uint256 j = 0; j < i && j < ranks.last; ++j) {
                require(payments[i] == 0 || ranks.due[j] + ranks.unsoldDue[j] == 0, "senior first");
            }
        }
        assertEq(sum, amount, "conserved");
        // The residual is shared per unit, bought and unsold alike.
        uint256 all = ranks.supplies[ranks.last] + ranks.unsold[ranks.last];
        if (all > 0) {
            uint256 fair = (payments[ranks.last] + all) * all;
            require(ranks.supplies[ranks.last] == 0 || fair >= payments[ranks.last] * all, "shares");
        }
    }

    function testFuzz_coupon__any_steps__adds_up(uint64 coupon, uint16 first, uint16 second, uint16 rest) public pure {
        uint256 count = uint256(first) + second + rest + 1;
        uint256 sum = Waterfall.couponDueDown(coupon, 0, first, count);
        sum += Waterfall.couponDueDown(coupon, first, uint256(first) + second, count);
        sum += Waterfall.couponDueDown(coupon, uint256(first) + second, count, count);
        assertEq(sum, coupon, "parts");
    }
}
