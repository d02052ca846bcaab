// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title Order of payment among tranches
/// @notice api/domain/capital/settlement.py is the reference model.
library Waterfall {
    /// @notice What the tranches of a facility are behind, by seniority; 0 beyond the last one.
    /// @param last Seniority of the last tranche.
    /// @param due Arrears and coupons that fall due now on units in circulation, minor units.
    /// @param unsoldDue The same on unsold units.
    /// @param supplies Units in circulation.
    /// @param unsold Units never minted.
    struct Ranks {
        uint256 last;
        uint256[4] due;
        uint256[4] unsoldDue;
        uint256[4] supplies;
        uint40[4] unsold;
    }

    /// @notice Coupon of one unit that falls due in epochs `[from, to)`.
    /// @dev The difference of two cumulatives that are rounded down, so that all parts add up to the whole.
    /// @param couponPerUnit Coupon of one unit for the whole window, minor units.
    /// @param from First epoch.
    /// @param to Epoch after the last one.
    /// @param epochCount Number of epochs in the window.
    /// @return Minor units.
    function couponDueDown(uint256 couponPerUnit, uint256 from, uint256 to, uint256 epochCount)
        internal
        pure
        returns (uint256)
    {
        return couponPerUnit * to / epochCount - couponPerUnit * from / epochCount;
    }

    /// @notice Splits an amount by rank. Each tranche with a coupon gets what its units are behind, and right behind
    /// them what its unsold units are behind; the rest is shared by the units of the last tranche, bought and unsold
    /// alike. What falls on unsold units, or on nobody, is the gpuOperator's (ATTACKS 10).
    /// @dev Lowers `due` and `unsoldDue` to what stays unpaid.
    /// @param amount Minor units to split.
    /// @param ranks Who is behind what.
    /// @return payments What each tranche's holders get, by seniority, minor units.
    /// @return toOperator What the gpuOperator gets, minor units, rounded down.
    function split(uint256 amount, Ranks memory ranks)
        internal
        pure
        returns (uint256[4] memory payments, uint256 toOperator)
    {
        uint256 left = amount;
        uint256 last = ranks.last;
        for (uint256 i = 0; i < last; ++i) {
            uint256 payment = Math.min(left, ranks.due[i]);
            payments[i] = payment;
            ranks.due[i] -= payment;
            left -= payment;
            payment = Math.min(left, ranks.unsoldDue[i]);
            ranks.unsoldDue[i] -= payment;
            left -= payment;
            toOperator += payment;
        }
        uint256 supply = ranks.supplies[last];
        uint256 residual = supply == 0 ? left : left * ranks.unsold[last] / (supply + ranks.unsold[last]);
        payments[last] = left - residual;
        toOperator += residual;
    }
}
