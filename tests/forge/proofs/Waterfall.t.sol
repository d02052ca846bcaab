// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Waterfall} from "../../../contracts/money/Waterfall.sol";
import {Proof} from "./Proof.sol";

/// @title The order of payment for any numbers
contract WaterfallProofs is Proof {
    /// For every amount and all debts of one tranche with a coupon and of its unsold units, where nobody holds the last
    /// tranche: what is paid adds up, nobody gets more than is due, what is due falls by it, and seniors come first.
    function check_split__one_coupon__by_rank(uint128 amount, uint64[6] calldata behind) public pure {
        _requireRanks(1, amount, behind);
    }

    /// The same for two tranches with coupons.
    function check_split__two_coupons__by_rank(uint128 amount, uint64[6] calldata behind) public pure {
        _requireRanks(2, amount, behind);
    }

    /// The same for three tranches with coupons.
    function check_split__three_coupons__by_rank(uint128 amount, uint64[6] calldata behind) public pure {
        _requireRanks(3, amount, behind);
    }

    /// For any amount, coupons and units of 1 to 4 tranches: split loses nothing, keeps the order, pays no empty tranche
    /// and no unit above its coupon (ATTACKS 9, 10).
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
    }

    /// For any residual of 64 bits and any units of 40: the gpuOperator's part is the share of the unsold units, less
    /// than one minor unit short of it and never above it; holders get the rest.
    function testFuzz_split__residual__shared_by_units(uint64 residual, uint40 supply, uint40 unsold) public pure {
        Waterfall.Ranks memory ranks;
        (ranks.supplies[0], ranks.unsold[0]) = (supply, unsold);
        (uint256[4] memory payments, uint256 toOperator) = Waterfall.split(residual, ranks);
        assertEq(payments[0] + toOperator, residual, "conserved");
        if (supply == 0) return assertEq(payments[0], 0, "no units, no money");
        uint256 all = uint256(supply) + unsold;
        uint256 exact = uint256(residual) * unsold;
        assertLe(toOperator * all, exact, "rounded down");
        assertLe(exact + 1, (toOperator + 1) * all, "by less than one");
    }

    /// For any coupon and any three steps through the window: the parts that fall due add up to the coupon, and each is
    /// less than one minor unit away from its time's share.
    function testFuzz_coupon__any_steps__adds_up(uint64 coupon, uint16 first, uint16 second, uint16 rest) public pure {
        uint256 count = uint256(first) + second + rest + 1;
        uint256[4] memory ends = [0, first, uint256(first) + second, count];
        uint256 sum = 0;
        for (uint256 i = 1; i < 4; ++i) {
            uint256 part = Waterfall.couponDueDown(coupon, ends[i - 1], ends[i], count);
            uint256 exact = coupon * (ends[i] - ends[i - 1]);
            assertLe(part * count + 1, exact + count, "less than one above");
            assertLe(exact + 1, (part + 1) * count, "less than one below");
            sum += part;
        }
        assertEq(sum, coupon, "parts");
    }

    function _requireRanks(uint256 last, uint256 amount, uint64[6] calldata behind) private pure {
        Waterfall.Ranks memory ranks;
        ranks.last = last;
        for (uint256 i = 0; i < last; ++i) {
            (ranks.due[i], ranks.unsoldDue[i]) = (behind[i], behind[i + 3]);
        }
        (uint256[4] memory payments, uint256 toOperator) = Waterfall.split(amount, ranks);
        assert(payments[0] + payments[1] + payments[2] + payments[3] + toOperator == amount);
        assert(payments[last] == 0);
        for (uint256 i = 0; i < last; ++i) {
            assert(payments[i] + ranks.due[i] == behind[i] && ranks.unsoldDue[i] <= behind[i + 3]);
            for (uint256 j = 0; j < i; ++j) {
                assert(payments[i] == 0 || ranks.due[j] + ranks.unsoldDue[j] == 0);
            }
        }
    }
}
