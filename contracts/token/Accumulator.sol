// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ITrancheToken} from "../interfaces/ITrancheToken.sol";

/// @title Streamed revenue per unit, exact: api/domain/capital/accumulator.py is the reference model
/// @notice X32 values carry 32 fractional bits. What does not divide by the supply stays pending, so that
/// positions + pending + paid = received, at any time and to the last bit.
library Accumulator {
    uint256 internal constant FRACTION_BITS = 32;
    uint96 private constant FRACTION_MASK = 0xFFFFFFFF;
    /// @notice Largest single accrual: 2^55 minor units, 36 thousand million dollars of a 6-decimal token.
    uint256 internal constant MAX_AMOUNT = type(uint88).max >> (FRACTION_BITS + 1);
    /// @notice Largest revenue per unit, 2^40 minor units. What is beyond stays pending: nothing reverts for ever.
    uint256 internal constant MAX_ACC = type(uint72).max;

    /// @dev A value does not fit the bits that the packed word has for it.
    error ValueTooLarge(uint256 value, uint256 bits);

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
        // What was distributed is at most what was pending, and what is left of a span at most the span.
        // forge-lint: disable-start(unsafe-typecast)
        next.accX32 = uint72(acc);
        next.pendingX32 = uint88(tranche.pendingX32 - distributed);
        next.streamEnd = tranche.streamEnd;
        next.streamSpan = uint24(tranche.streamEnd > time ? tranche.streamEnd - time : 0);
        next.supply = tranche.supply;
        // forge-lint: disable-end(unsafe-typecast)
    }

    /// @notice Adds `amount` that vests over `span`. The new span is the mean of both, weighted by amount, so that
    /// a dust amount can neither stretch nor shorten a stream. Settlement does this to every tranche: from the stack,
    /// as `checkpoint` and `unvestedUp` would do it in memory. The tranche has units.
    /// @return streaming Revenue that streams after it, as `unvestedUp`.
    /// @return end When all of it has vested.
    /// @dev Unchecked (decision 4): what vested is at most what was pending, an amount of 56 bits and a pending of 88,
    /// each times a span of 24 bits, fit a word, and `fits` holds the results to their bits.
    function accrue(ITrancheToken.Tranche storage tranche, uint256 amount, uint256 span, uint256 time)
        internal
        returns (uint256 streaming, uint256 end)
    {
        uint256 acc = accNow(tranche, time);
        uint256 pending = tranche.pendingX32;
        end = tranche.streamEnd;
        uint256 supply = tranche.supply;
        unchecked {
            pending -= (acc - tranche.accX32) * supply;
            uint256 left = end > time ? end - time : 0;
            uint256 amountX32 = amount << FRACTION_BITS;
            left = pending * left + amountX32 * span;
            pending = fits(pending + amountX32, 88);
            if (pending > 0) left /= pending;
            end = fits(time + left, 32);
            // A weighted mean is at most the larger of two 24-bit spans.
            // forge-lint: disable-start(unsafe-typecast)
            tranche.accX32 = uint72(acc);
            tranche.pendingX32 = uint88(pending);
            tranche.streamEnd = uint32(end);
            tranche.streamSpan = uint24(left);
            // forge-lint: disable-end(unsafe-typecast)
            // Nothing of a stream has vested when it begins; what vests at once leaves the remainder of its division.
            if (left == 0) pending -= (accNow(tranche, time) - acc) * supply;
            streaming = (pending + FRACTION_MASK) >> FRACTION_BITS;
        }
    }

    /// @notice Ends the stream at `time`.
    function vestedAtOnce(ITrancheToken.Tranche memory tranche, uint256 time)
        internal
        pure
        returns (ITrancheToken.Tranche memory next)
    {
        next = checkpoint(tranche, time);
        // forge-lint: disable-next-line(unsafe-typecast)
        next.streamEnd = uint32(fits(time, 32));
        next.streamSpan = 0;
    }

    /// @notice Revenue that still streams, rounded up to minor units. Remainders of divisions count as streaming.
    function unvestedUp(ITrancheToken.Tranche memory tranche, uint256 time) internal pure returns (uint256) {
        uint256 left = tranche.pendingX32 - (accAt(tranche, time) - tranche.accX32) * tranche.supply;
        return (left + FRACTION_MASK) >> FRACTION_BITS;
    }

    /// @notice Revenue per unit up to `time`, as `accAt`, read from storage once: the hot path of transfers and claims.
    /// @dev Unchecked (decision 4): 88 bits x 24 bits and 72 bits + 88 bits fit a word, and a stream that has not ended
    /// began (`streamEnd - streamSpan`) at an earlier block than `time`.
    function accNow(ITrancheToken.Tranche storage tranche, uint256 time) internal view returns (uint256 acc) {
        acc = tranche.accX32;
        uint256 pending = tranche.pendingX32;
        uint256 end = tranche.streamEnd;
        uint256 span = tranche.streamSpan;
        uint256 supply = tranche.supply;
        if (pending == 0 || supply == 0) return acc;
        unchecked {
            if (time < end) pending = pending * (time + span - end) / span;
            acc += pending / supply;
        }
        if (acc > MAX_ACC) acc = MAX_ACC;
    }

    /// @notice Fraction of an amount in X32, below one minor unit.
    function fractionOf(uint256 amountX32) internal pure returns (uint256) {
        return amountX32 & FRACTION_MASK;
    }

    /// @notice `value`, if it has at most `bits` bits.
    function fits(uint256 value, uint256 bits) internal pure returns (uint256) {
        require(value >> bits == 0, ValueTooLarge(value, bits));
        return value;
    }
}
