// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ITrancheToken} from "../interfaces/ITrancheToken.sol";

/// @title Streamed revenue per unit, exact: api/domain/accumulator.py is the reference model
/// @notice X32 values carry 32 fractional bits. What does not divide by the supply stays pending, so that
/// positions + pending + paid = received, at any time and to the last bit.
library Accumulator {
    using SafeCast for uint256;

    uint256 internal constant FRACTION_BITS = 32;
    uint96 private constant FRACTION_MASK = 0xFFFFFFFF;
    /// @notice Largest single accrual: 2^55 minor units, 36 thousand million dollars of a 6-decimal token.
    uint256 internal constant MAX_AMOUNT = type(uint88).max >> (FRACTION_BITS + 1);
    /// @notice Largest revenue per unit, 2^40 minor units. What is beyond stays pending: nothing reverts for ever.
    uint256 internal constant MAX_ACC = type(uint72).max;

    /// @notice Part of `pendingX32` that vested by `time`, rounded down; nothing while there are no units.
    function vestedDown(ITrancheToken.Tranche memory tranche, uint256 time) internal pure returns (uint256) {
        if (tranche.supply == 0 || tranche.pendingX32 == 0) return 0;
        if (time >= tranche.streamEnd) return tranche.pendingX32;
        uint256 elapsed = time + tranche.streamSpan - tranche.streamEnd;
        return uint256(tranche.pendingX32) * elapsed / tranche.streamSpan;
    }

    /// @notice Revenue per unit up to `time`, rounded down, X32.
    function accAt(ITrancheToken.Tranche memory tranche, uint256 time) internal pure returns (uint256) {
        if (tranche.supply == 0) return tranche.accX32;
        uint256 acc = tranche.accX32 + vestedDown(tranche, time) / tranche.supply;
        return acc < MAX_ACC ? acc : MAX_ACC;
    }

    /// @notice Moves what vested into the accumulator; the remainder of the division stays pending.
    function checkpoint(ITrancheToken.Tranche memory tranche, uint256 time)
        internal
        pure
        returns (ITrancheToken.Tranche memory next)
    {
        uint256 acc = accAt(tranche, time);
        uint256 distributed = (acc - tranche.accX32) * tranche.supply;
        uint256 left = tranche.streamEnd > time ? tranche.streamEnd - time : 0;
        next = ITrancheToken.Tranche({
            accX32: acc.toUint72(),
            pendingX32: (tranche.pendingX32 - distributed).toUint88(),
            streamEnd: tranche.streamEnd,
            streamSpan: left.toUint24(),
            supply: tranche.supply
        });
    }

    /// @notice Adds `amount` that vests over `span`. The new span is the mean of both, weighted by amount, so that
    /// a dust amount can neither stretch nor shorten a stream.
    function accrued(ITrancheToken.Tranche memory tranche, uint256 amount, uint256 span, uint256 time)
        internal
        pure
        returns (ITrancheToken.Tranche memory next)
    {
        next = checkpoint(tranche, time);
        uint256 amountX32 = amount << FRACTION_BITS;
        uint256 pending = next.pendingX32 + amountX32;
        uint256 blended = 0;
        if (pending > 0) blended = (uint256(next.pendingX32) * next.streamSpan + amountX32 * span) / pending;
        next.pendingX32 = pending.toUint88();
        next.streamSpan = blended.toUint24();
        next.streamEnd = (time + blended).toUint32();
    }

    /// @notice Ends the stream at `time`.
    function vestedAtOnce(ITrancheToken.Tranche memory tranche, uint256 time)
        internal
        pure
        returns (ITrancheToken.Tranche memory next)
    {
        next = checkpoint(tranche, time);
        next.streamEnd = time.toUint32();
        next.streamSpan = 0;
    }

    /// @notice Revenue that still streams, rounded up to minor units. Remainders of divisions count as streaming.
    function unvestedUp(ITrancheToken.Tranche memory tranche, uint256 time) internal pure returns (uint256) {
        uint256 left = tranche.pendingX32 - (accAt(tranche, time) - tranche.accX32) * tranche.supply;
        return (left + FRACTION_MASK) >> FRACTION_BITS;
    }

    /// @notice Settles a position, in place, up to an accumulator value: exact, nothing is rounded.
    function settle(ITrancheToken.Position memory position, uint256 acc) internal pure {
        uint256 earned = uint256(position.units) * (acc - position.accPaidX32);
        position.accPaidX32 = acc.toUint72();
        position.owedX32 = (position.owedX32 + earned).toUint96();
    }

    /// @notice Fraction of an amount in X32, below one minor unit.
    function fractionOf(uint96 amountX32) internal pure returns (uint96) {
        return amountX32 & FRACTION_MASK;
    }

    /// @notice Units as they are stored; reverts above 2^40 - 1.
    function toUnits(uint256 units) internal pure returns (uint40) {
        return units.toUint40();
    }
}
