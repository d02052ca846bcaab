// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Waterfall} from "./Waterfall.sol";

/// @title Who gets bond and unearned proceeds of an ended facility
/// @notice One formula for every ending. Computes only, and has no state of its own: anybody can ask it what a closing
/// would give. api/domain/capital/closing.py is the reference model; docs/DEAL.md says what it means for a buyer.
/// @dev The RentLockbox creates it, because one contract could not hold the code of both (24,576 bytes).
contract ClosingRules {
    uint256 private constant BPS = 10_000;

    /// @notice What a closing depends on. Amounts are minor units, arrays are by seniority.
    /// @param ranks Units and unsold units of the tranches, and the coupons of the whole window that neither rent nor
    /// the bond in its place paid.
    /// @param openGpuSeconds What vouchers are open for.
    /// @param openUnitSeconds What of their burned units is open, 3,600 a unit.
    /// @param unitPrices Price of one unit in the sale; 0 without one.
    /// @param proceeds Price of all units sold.
    /// @param unearned Part of `proceeds` that delivery did not earn.
    /// @param unsigned Part of `unearned` that belongs to published epochs nobody stated.
    /// @param escrow Part of `proceeds` that was not released; at most `unearned`.
    /// @param missingGpuSeconds Promised and not delivered: of stated epochs what they fall short, of epochs neither
    /// stated nor published everything.
    /// @param availableGpuSeconds Available in all stated epochs.
    /// @param servedGpuSeconds What vouchers were served of it.
    /// @param ratePerGpuHour What a missing hour costs.
    /// @param feeBps Protocol fee, basis points.
    /// @param bond The bond, less what of it pays attested rent.
    struct Facts {
        Waterfall.Ranks ranks;
        uint64[4] openGpuSeconds;
        uint64[4] openUnitSeconds;
        uint256[4] unitPrices;
        uint256 proceeds;
        uint256 unearned;
        uint256 unsigned;
        uint256 escrow;
        uint256 missingGpuSeconds;
        uint256 availableGpuSeconds;
        uint256 servedGpuSeconds;
        uint256 ratePerGpuHour;
        uint256 feeBps;
        uint256 bond;
    }

    /// @notice Sums by who they belong to, minor units.
    /// @param units By seniority, to units in circulation.
    /// @param vouchers By seniority, to vouchers for what they are open.
    /// @param treasury The fee on missing hours.
    /// @param gpuOperator The rest.
    struct Shares {
        uint256[4] units;
        uint256[4] vouchers;
        uint256 treasury;
        uint256 gpuOperator;
    }

    // Both change what they are given.
    // solhint-disable gas-calldata-parameters

    /// @notice Shares escrow and bond. All shares together are exactly escrow and bond.
    /// @param facts What the closing depends on. `ranks` is used up.
    /// @return paid What each gets now.
    /// @return claims What each is still owed: late rent pays it. The gpuOperator has no claim.
    /// @return claimed What units in circulation claimed before anything was paid, by seniority.
    function share(Facts memory facts)
        external
        pure
        returns (Shares memory paid, Shares memory claims, uint256[4] memory claimed)
    {
        claims = _claims(facts);
        for (uint256 i = 0; i < 4; ++i) {
            claimed[i] = claims.units[i];
        }
        uint256 rest = _payBack(facts, paid, claims);
        paid.gpuOperator = _fill(rest, paid, claims);
        _spend(facts.bond, paid, claims);
    }

    /// @notice Shares rent that comes after the closing.
    /// @param late Rent that replaces what the bond advanced: it goes where the bond would have gone, minor units.
    /// @param further Rent beyond that: claims come first, what is left is rent, minor units.
    /// @param open What each is owed.
    /// @return paid What each gets.
    /// @return claims What each is still owed.
    /// @return left Minor units of `further` that no claim took.
    function spend(uint256 late, uint256 further, Shares memory open)
        external
        pure
        returns (Shares memory paid, Shares memory claims, uint256 left)
    {
        claims = open;
        _spend(late, paid, claims);
        left = _fill(further, paid, claims);
    }

    // solhint-enable gas-calldata-parameters

    /// @notice Pays claims by rank, units and vouchers of one rank in proportion; then the treasury's; the rest is the
    /// gpuOperator's.
    /// @param amount Minor units to pay.
    /// @param paid What each got so far; grows.
    /// @param claims What each is owed; falls.
    function _spend(uint256 amount, Shares memory paid, Shares memory claims) private pure {
        uint256 left = _fill(amount, paid, claims);
        uint256 fee = Math.min(left, claims.treasury);
        claims.treasury -= fee;
        paid.treasury += fee;
        paid.gpuOperator += left - fee;
    }

    /// @notice What missing hours cost: vouchers claim what they are open for, the rest runs down the waterfall as rent
    /// would. What falls on unsold units, or on nobody, is nobody's claim.
    /// @param facts What the closing depends on; its ranks are lowered by what is claimed.
    /// @return claims Who may claim what, rounded down.
    function _claims(Facts memory facts) private pure returns (Shares memory claims) {
        uint256 open = 0;
        for (uint256 i = 0; i < 4; ++i) {
            claims.vouchers[i] = facts.openGpuSeconds[i] * facts.ratePerGpuHour / 1 hours;
            open += facts.openGpuSeconds[i];
        }
        uint256 missing = facts.missingGpuSeconds - Math.min(open, facts.missingGpuSeconds);
        uint256 damages = missing * facts.ratePerGpuHour / 1 hours;
        claims.treasury = damages * facts.feeBps / BPS;
        (claims.units,) = Waterfall.split(damages - claims.treasury, facts.ranks);
    }

    /// @notice Pays unearned proceeds back by price, as far as they are there. The part of unsigned epochs goes back
    /// whole, but no unit with a coupon gets more than its coupon in all; the rest goes back up to each claim. What is
    /// above either goes to other claims first.
    /// @param facts What the closing depends on; its ranks say what coupons are left above the claims.
    /// @param paid What each gets; grows.
    /// @param claims What each is owed; falls.
    /// @return rest What of the escrow fell on no claim, minor units.
    function _payBack(Facts memory facts, Shares memory paid, Shares memory claims)
        private
        pure
        returns (uint256 rest)
    {
        rest = facts.escrow;
        if (facts.unearned == 0 || rest == 0) return rest;
        (Shares memory back, uint256 whole) = _byPrice(facts);
        // What was released can exceed what is earned now: then each gets its part of what is left.
        uint256 most = Math.min(whole, facts.escrow);
        for (uint256 i = 0; i <= facts.ranks.last; ++i) {
            uint256 units = whole == 0 ? 0 : back.units[i] * most / whole;
            uint256 vouchers = whole == 0 ? 0 : back.vouchers[i] * most / whole;
            uint256 unsigned = units * facts.unsigned / facts.unearned;
            uint256 unsignedPaid = i == facts.ranks.last ? unsigned : Math.min(unsigned, facts.ranks.due[i]);
            uint256 damages = Math.min(units - unsigned, claims.units[i]);
            paid.units[i] = unsignedPaid + damages;
            claims.units[i] -= damages;
            unsigned = vouchers * facts.unsigned / facts.unearned;
            damages = Math.min(vouchers - unsigned, claims.vouchers[i]);
            paid.vouchers[i] = unsigned + damages;
            claims.vouchers[i] -= damages;
            rest -= paid.units[i] + paid.vouchers[i];
        }
    }

    /// @notice Unearned proceeds by the price of the units that they were paid for.
    /// @param facts What the closing depends on.
    /// @return back To units and vouchers, minor units, rounded down.
    /// @return whole Their sum.
    function _byPrice(Facts memory facts) private pure returns (Shares memory back, uint256 whole) {
        for (uint256 i = 0; i <= facts.ranks.last; ++i) {
            uint256 price = facts.unitPrices[i] * facts.unearned;
            back.units[i] = price * facts.ranks.supplies[i] / facts.proceeds;
            back.vouchers[i] = price * facts.openUnitSeconds[i] / (facts.proceeds * 1 hours);
            whole += back.units[i] + back.vouchers[i];
        }
    }

    /// @notice Pays claims by rank, units and vouchers of one rank in proportion, rounded down for units.
    /// @param amount Minor units to pay.
    /// @param paid What each got so far; grows.
    /// @param claims What each is owed; falls.
    /// @return left What no claim took.
    function _fill(uint256 amount, Shares memory paid, Shares memory claims) private pure returns (uint256 left) {
        left = amount;
        for (uint256 i = 0; i < 4; ++i) {
            uint256 owed = claims.units[i] + claims.vouchers[i];
            uint256 pay = Math.min(left, owed);
            if (pay == 0) continue;
            uint256 toUnits = pay * claims.units[i] / owed;
            claims.units[i] -= toUnits;
            paid.units[i] += toUnits;
            claims.vouchers[i] -= pay - toUnits;
            paid.vouchers[i] += pay - toUnits;
            left -= pay;
        }
    }
}
