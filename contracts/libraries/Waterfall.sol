// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

/// @title Order of payment among tranches; api/domain/settlement.py is the reference model
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

    /// @notice What a tranche gets of `left`: everything if it is the last, else what it is behind.
    function payment(uint256 left, uint256 due, uint256 paid, bool last) internal pure returns (uint256) {
        if (last) return left;
        uint256 behind = due - paid;
        return left < behind ? left : behind;
    }
}
