// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Order of payment among tranches; api/domain/capital/settlement.py is the reference model
library Waterfall {
    /// @notice Coupon of one unit that fell due in epochs `[from, to)` of `epochCount`, minor units.
    /// @dev Difference of two rounded-down cumulatives, so that all parts add up to the whole.
    function couponDueDown(uint256 couponPerUnit, uint256 from, uint256 to, uint256 epochCount)
        internal
        pure
        returns (uint256)
    {
        return couponPerUnit * to / epochCount - couponPerUnit * from / epochCount;
    }

    /// @notice Splits `amount`: what each tranche is behind by seniority, the residual to the lowest-ranking tranche
    /// that has units. A tranche without units gets nothing, and its arrears lapse (ATTACKS 10).
    /// @param due Arrears and newly due coupon by seniority, minor units.
    /// @param supplies Units by seniority; zero beyond the last tranche.
    /// @return payments What each tranche gets.
    /// @return arrears What each tranche stays behind.
    /// @return left What no tranche could take: everything, if there are no units at all, else 0.
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
