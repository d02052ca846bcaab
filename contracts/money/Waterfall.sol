// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Order of payment among tranches
/// @notice api/domain/capital/settlement.py is the reference model.
library Waterfall {
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

    /// @notice Splits an amount: to each tranche by seniority what it is behind, and the rest to the lowest-ranking
    /// tranche that has units. A tranche without units gets nothing, and its arrears lapse (ATTACKS 10).
    /// @param amount Minor units to split.
    /// @param due Arrears and coupons that fall due now, by seniority, minor units.
    /// @param supplies Units by seniority; 0 beyond the last tranche.
    /// @return payments What each tranche gets, minor units.
    /// @return arrears What each tranche stays behind, minor units.
    /// @return left What no tranche could take, minor units: everything if there are no units at all, else 0.
    function split(uint256 amount, uint256[4] memory due, uint256[4] memory supplies)
        internal
        pure
        returns (uint256[4] memory payments, uint256[4] memory arrears, uint256 left)
    {
        left = amount;
        uint256 last = 4;
        for (uint256 i = 0; i < 4; ++i) {
            if (supplies[i] == 0) continue;
            uint256 payment = left < due[i] ? left : due[i];
            left -= payment;
            payments[i] = payment;
            arrears[i] = due[i] - payment;
            last = i;
        }
        if (last < 4) {
            payments[last] += left;
            left = 0;
        }
    }
}
