// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ClosingRules} from "../../../contracts/money/ClosingRules.sol";
import {Waterfall} from "../../../contracts/money/Waterfall.sol";
import {Base} from "../Base.sol";

/// @title Shares of a closing for any facts: nothing is lost, nobody gets more than is owed, and ranks hold
contract ClosingRulesTest is Base {
    uint256 private constant HOUR = 3_600;

    ClosingRules private _rules;

    function setUp() public {
        _rules = new ClosingRules();
    }

    /// For any facts: all shares together are exactly escrow and bond, and nothing goes where nobody holds anything.
    function testFuzz_share__any_facts__pays_out_all_of_escrow_and_bond(uint256 seed) public view {
        ClosingRules.Facts memory facts = _facts(seed);
        (ClosingRules.Shares memory paid,,) = _rules.share(facts);
        assertEq(_sum(paid), facts.escrow + facts.bond, "all shares");
        for (uint256 i = 0; i < 4; ++i) {
            require(facts.ranks.supplies[i] > 0 || paid.units[i] == 0, "no units, no money");
            require(facts.openUnitSeconds[i] > 0 || paid.vouchers[i] == 0, "no vouchers, no money");
        }
    }

    /// Without unsigned epochs everybody gets what is owed at most, and keeps the rest as a claim.
    function testFuzz_share__nothing_unsigned__paid_and_left_is_what_was_claimed(uint256 seed) public view {
        ClosingRules.Facts memory facts = _facts(seed);
        facts.unsigned = 0;
        (ClosingRules.Shares memory paid, ClosingRules.Shares memory left,) = _rules.share(facts);
        (facts.escrow, facts.bond) = (0, 0);
        (ClosingRules.Shares memory none, ClosingRules.Shares memory claimed,) = _rules.share(facts);
        assertEq(_sum(none), 0, "nothing there, nothing paid");
        for (uint256 i = 0; i < 4; ++i) {
            assertEq(paid.units[i] + left.units[i], claimed.units[i], "units");
            assertEq(paid.vouchers[i] + left.vouchers[i], claimed.vouchers[i], "vouchers");
        }
        assertEq(paid.treasury + left.treasury, claimed.treasury, "treasury");
        // Vouchers claim their open hours, and all claims together what is missing and what vouchers are open for.
        uint256 open = 0;
        for (uint256 i = 0; i < 4; ++i) {
            open += facts.openGpuSeconds[i];
        }
        uint256 most = (open > facts.missingGpuSeconds ? open : facts.missingGpuSeconds) * facts.ratePerGpuHour / HOUR;
        assertLe(_sum(claimed), most, "no more than the damages");
    }

    /// Unsigned epochs go back by price; but a unit with a coupon never gets more than its coupon in all.
    function testFuzz_share__unsigned_epochs__no_coupon_unit_above_its_coupon(uint256 seed) public view {
        ClosingRules.Facts memory facts = _facts(seed);
        (ClosingRules.Shares memory paid,,) = _rules.share(facts);
        for (uint256 i = 0; i < facts.ranks.last; ++i) {
            assertLe(paid.units[i], facts.ranks.due[i], "above the coupons that are due");
        }
    }

    /// The bond pays by rank; the treasury comes after all claims, the operator after the treasury.
    function testFuzz_share__bond_alone__senior_first_operator_last(uint256 seed) public view {
        ClosingRules.Facts memory facts = _facts(seed);
        facts.escrow = 0;
        (ClosingRules.Shares memory paid, ClosingRules.Shares memory left,) = _rules.share(facts);
        _requireOrder(paid, left);
    }

    /// What a larger bond changes is never to anybody's loss.
    function testFuzz_share__larger_bond__nobody_gets_less(uint256 seed, uint64 more) public view {
        ClosingRules.Facts memory facts = _facts(seed);
        (ClosingRules.Shares memory before,,) = _rules.share(facts);
        facts.bond += more;
        (ClosingRules.Shares memory paid,,) = _rules.share(facts);
        for (uint256 i = 0; i < 4; ++i) {
            assertLe(before.units[i], paid.units[i], "units");
            assertLe(before.vouchers[i], paid.vouchers[i], "vouchers");
        }
        assertLe(before.treasury, paid.treasury, "treasury");
        assertLe(before.gpuOperator, paid.gpuOperator, "operator");
    }

    /// Late rent goes where the bond would have gone: in two parts as in one, but for a unit of rounding a rank.
    function testFuzz_spend__late__as_the_bond_would_have(uint256 seed, uint64 late) public view {
        ClosingRules.Facts memory facts = _facts(seed);
        (ClosingRules.Shares memory first, ClosingRules.Shares memory open,) = _rules.share(facts);
        (ClosingRules.Shares memory second, ClosingRules.Shares memory left,) = _rules.spend(late, 0, open);
        assertEq(_sum(second), late, "all of it");
        assertEq(_sum(second) - second.gpuOperator + _sum(left), _sum(open), "claims fall by what is paid");
        _requireOrder(second, left);
        facts.bond += late;
        (ClosingRules.Shares memory whole,,) = _rules.share(facts);
        for (uint256 i = 0; i < 4; ++i) {
            assertLe(whole.units[i], first.units[i] + second.units[i] + 1, "units");
            assertLe(first.units[i] + second.units[i], whole.units[i] + 1, "units");
        }
        assertEq(first.gpuOperator + second.gpuOperator, whole.gpuOperator, "operator");
        assertEq(first.treasury + second.treasury, whole.treasury, "treasury");
    }

    function _requireOrder(ClosingRules.Shares memory paid, ClosingRules.Shares memory left) private pure {
        bool behind = false;
        for (uint256 i = 0; i < 4; ++i) {
            require(!behind || paid.units[i] + paid.vouchers[i] == 0, "a junior before a senior");
            behind = behind || left.units[i] + left.vouchers[i] > 0;
        }
        require(!behind || paid.treasury == 0, "the treasury before a claim");
        require((!behind && left.treasury == 0) || paid.gpuOperator == 0, "the operator before a claim");
    }

    function _sum(ClosingRules.Shares memory shares) private pure returns (uint256 sum) {
        sum = shares.treasury + shares.gpuOperator;
        for (uint256 i = 0; i < 4; ++i) {
            sum += shares.units[i] + shares.vouchers[i];
        }
    }

    /// @dev Facts that can be: what was sold circulates, is open in vouchers, or was served.
    function _facts(uint256 seed) private pure returns (ClosingRules.Facts memory facts) {
        facts.ranks.last = _draw(seed, 0, 4);
        for (uint256 i = 0; i <= facts.ranks.last; ++i) {
            _addTranche(facts, uint256(keccak256(abi.encode(seed, "tranche", i))), i);
        }
        if (facts.proceeds > 0) facts.unearned = _draw(seed, 1, facts.proceeds + 1);
        facts.unsigned = _draw(seed, 2, 3) == 0 ? 0 : _draw(seed, 3, facts.unearned + 1);
        facts.escrow = _draw(seed, 4, 3) == 0 ? facts.unearned : _draw(seed, 5, facts.unearned + 1);
        facts.missingGpuSeconds = _draw(seed, 6, 3) == 0 ? 0 : _draw(seed, 7, 1e7);
        facts.ratePerGpuHour = _draw(seed, 8, 1e9);
        facts.feeBps = _draw(seed, 9, 1_001);
        facts.bond = _draw(seed, 10, 3) == 0 ? 0 : _draw(seed, 11, 3e12);
    }

    // Units are below 1,000.
    // forge-lint: disable-start(unsafe-typecast)
    function _addTranche(ClosingRules.Facts memory facts, uint256 seed, uint256 i) private pure {
        uint256 supply = _draw(seed, 0, 3) == 0 ? 0 : _draw(seed, 1, 1_000);
        uint256 burned = _draw(seed, 2, 2) == 0 ? 0 : _draw(seed, 3, 1_000);
        facts.openUnitSeconds[i] = uint64(_draw(seed, 4, burned * HOUR + 1));
        // A senior's unit can give less than an hour, but what is open of a unit is open in seconds, too.
        facts.openGpuSeconds[i] =
            facts.openUnitSeconds[i] == 0 ? 0 : uint64(1 + _draw(seed, 5, facts.openUnitSeconds[i]));
        facts.ranks.supplies[i] = supply;
        facts.ranks.unsold[i] = _draw(seed, 6, 2) == 0 ? 0 : uint40(_draw(seed, 7, 1_000));
        facts.unitPrices[i] = _draw(seed, 8, 4) == 0 ? 0 : _draw(seed, 9, 1e9);
        facts.proceeds += facts.unitPrices[i] * (supply + burned);
        if (i == facts.ranks.last) return;
        uint256 coupon = facts.unitPrices[i] + _draw(seed, 10, 1e9);
        facts.ranks.due[i] = supply * coupon - _draw(seed, 11, supply * coupon / 2 + 1);
        facts.ranks.unsoldDue[i] = facts.ranks.unsold[i] * coupon;
    }

    // forge-lint: disable-end(unsafe-typecast)

    /// @dev One of `count` numbers from 0.
    function _draw(uint256 seed, uint256 what, uint256 count) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, what))) % count;
    }
}
