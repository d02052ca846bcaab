// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ITrancheToken} from "../interfaces/ITrancheToken.sol";

/// @title Streamed revenue per unit, exact to the last bit
/// @notice X24 values are minor units with 24 fractional bits. What does not divide by the supply stays pending, so
/// that positions + pending + paid = received at any time. api/domain/capital/accumulator.py is the reference model.
library Accumulator {
    uint256 internal constant FRACTION_BITS = 24;
    uint96 private constant FRACTION_MASK = 0xFFFFFF;
    /// @notice Most that streams at one time: 2^64 minor units, 18 million million dollars of a 6-decimal token.
    uint256 internal constant MAX_PENDING = type(uint88).max;
    /// @notice Largest revenue per unit: 2^48 minor units, 281 million dollars of a 6-decimal token. What is beyond is
    /// never taken in, and what burns leave beyond it is paid to whoever burned: pending is always at most what the
    /// units can still earn.
    uint256 internal constant MAX_ACC = type(uint72).max;
    /// @notice Last second that a stream can name, in 2106.
    uint256 internal constant MAX_TIME = type(uint32).max;

    /// @notice A value does not fit the bits that its packed word has for it.
    /// @dev A value does not fit the bits that the packed word has for it.
    /// @param value The value.
    /// @param bits Number of bits that it may have.
    error ValueTooLarge(uint256 value, uint256 bits);

    /// @notice Part of `pendingX24` that has vested at a time, rounded down; 0 while there are no units.
    /// @param tranche The stream.
    /// @param time UTC second, not before the stream began.
    /// @return Revenue, X24.
    function vestedDown(ITrancheToken.Tranche memory tranche, uint256 time) internal pure returns (uint256) {
        if (tranche.supply == 0 || tranche.pendingX24 == 0) return 0;
        if (time >= tranche.streamEnd) return tranche.pendingX24;
        uint256 elapsed = time + tranche.streamSpan - tranche.streamEnd;
        return uint256(tranche.pendingX24) * elapsed / tranche.streamSpan;
    }

    /// @notice Revenue per unit up to a time, rounded down.
    /// @param tranche The stream.
    /// @param time UTC second.
    /// @return Revenue per unit, X24; at most MAX_ACC.
    function accAt(ITrancheToken.Tranche memory tranche, uint256 time) internal pure returns (uint256) {
        if (tranche.supply == 0) return tranche.accX24;
        return tranche.accX24 + vestedDown(tranche, time) / tranche.supply;
    }

    /// @notice Moves what has vested into the accumulator; the remainder of the division stays pending.
    /// @param tranche The stream.
    /// @param time UTC second.
    /// @return next The stream as of that time.
    function checkpoint(ITrancheToken.Tranche memory tranche, uint256 time)
        internal
        pure
        returns (ITrancheToken.Tranche memory next)
    {
        uint256 acc = accAt(tranche, time);
        uint256 distributed = (acc - tranche.accX24) * tranche.supply;
        // What was distributed is at most what was pending, and what is left of a span at most the span.
        // forge-lint: disable-start(unsafe-typecast)
        next.accX24 = uint72(acc);
        next.pendingX24 = uint88(tranche.pendingX24 - distributed);
        next.streamEnd = tranche.streamEnd;
        next.streamSpan = uint24(tranche.streamEnd > time ? tranche.streamEnd - time : 0);
        next.supply = tranche.supply;
        // forge-lint: disable-end(unsafe-typecast)
    }

    /// @notice Adds an amount that vests over `span`, as far as the stream can hold it: MAX_ACC a unit, 88 bits
    /// pending, and nothing before the tranche is activated or while it has no units. The new span is the mean of the
    /// old and the new one, weighted by amount, so that a tiny amount can neither stretch nor shorten a stream.
    /// @dev Settlement does this to every tranche, so it works on the stack what `checkpoint` and `unvestedUp` do in
    /// memory. Unchecked (decision 4): what vested is at most what was pending; what is pending is at most what units
    /// can earn; and two amounts of 88 bits, each times a span of 32, fit a word.
    /// @param tranche The stream.
    /// @param amount Minor units.
    /// @param span Seconds over which the amount vests.
    /// @param time UTC second.
    /// @return taken Minor units that the stream took; the rest of the amount flows on.
    /// @return streaming Minor units that stream after it, rounded up as in `unvestedUp`; 0 if nothing was taken.
    /// @return end UTC second at which all of it has vested.
    function accrue(ITrancheToken.Tranche storage tranche, uint256 amount, uint256 span, uint256 time)
        internal
        returns (uint256 taken, uint256 streaming, uint256 end)
    {
        uint256 acc;
        (acc, end) = accNow(tranche, time);
        uint256 pending = tranche.pendingX24;
        uint256 supply = tranche.supply;
        unchecked {
            pending -= (acc - tranche.accX24) * supply;
            taken = end == 0 ? 0 : (MAX_ACC - acc) * supply;
            if (taken > MAX_PENDING) taken = MAX_PENDING;
            taken = (taken - pending) >> FRACTION_BITS;
            if (taken > amount) taken = amount;
            if (taken == 0) return (0, 0, end);
            amount = taken << FRACTION_BITS;
            uint256 left = end > time ? end - time : 0;
            left = (pending * left + amount * span) / (pending + amount);
            pending += amount;
            end = time + left;
            if (end > MAX_TIME) {
                end = MAX_TIME;
                left = end > time ? end - time : 0;
            }
            // A weighted mean is at most the larger of two 24-bit spans.
            // forge-lint: disable-start(unsafe-typecast)
            tranche.accX24 = uint72(acc);
            tranche.pendingX24 = uint88(pending);
            tranche.streamEnd = uint32(end);
            tranche.streamSpan = uint24(left);
            // forge-lint: disable-end(unsafe-typecast)
            // Nothing of a stream has vested when it begins; what vests at once leaves the remainder of its division.
            if (left == 0) pending %= supply;
            streaming = (pending + FRACTION_MASK) >> FRACTION_BITS;
        }
    }

    /// @notice The stream with another number of units. What streams goes on streaming to those that remain.
    /// @param tranche The stream.
    /// @param supply Units from then on. Reverts with ValueTooLarge above 40 bits.
    /// @param time UTC second.
    /// @return next The stream as of that time.
    /// @return spare What the remaining units can never earn: all of it where none remain, and what is beyond MAX_ACC a
    /// unit. It no longer streams and belongs to whoever burned units, X24.
    function withSupply(ITrancheToken.Tranche memory tranche, uint256 supply, uint256 time)
        internal
        pure
        returns (ITrancheToken.Tranche memory next, uint256 spare)
    {
        next = checkpoint(tranche, time);
        uint256 room = (MAX_ACC - next.accX24) * supply;
        // What is left of 88 bits, and a supply of 40, fit.
        // forge-lint: disable-start(unsafe-typecast)
        next.supply = uint40(fits(supply, 40));
        if (next.pendingX24 > room) {
            spare = next.pendingX24 - room;
            next.pendingX24 = uint88(room);
        }
        // forge-lint: disable-end(unsafe-typecast)
    }

    /// @notice Revenue that still streams, rounded up. Remainders of divisions count as streaming.
    /// @param tranche The stream.
    /// @param time UTC second.
    /// @return Minor units.
    function unvestedUp(ITrancheToken.Tranche memory tranche, uint256 time) internal pure returns (uint256) {
        uint256 left = tranche.pendingX24 - (accAt(tranche, time) - tranche.accX24) * tranche.supply;
        return (left + FRACTION_MASK) >> FRACTION_BITS;
    }

    /// @notice Marks a tranche as activated: from now on its units move. Changes nothing of an activated one but the
    /// end of a stream that has ended.
    /// @dev `streamEnd` is zero before, and never again after.
    /// @param tranche The stream, which nothing has reached yet.
    /// @param time UTC second.
    function activate(ITrancheToken.Tranche storage tranche, uint256 time) internal {
        // Cut off above.
        // forge-lint: disable-next-line(unsafe-typecast)
        tranche.streamEnd = uint32(time < MAX_TIME ? time : MAX_TIME);
    }

    /// @notice As `accAt`, but reads storage once: transfers and claims use it.
    /// @dev Unchecked (decision 4): 88 bits x 24 bits and 72 bits + 88 bits fit a word, and a stream that has not ended
    /// began (`streamEnd - streamSpan`) in a block before `time`.
    /// @param tranche The stream.
    /// @param time UTC second.
    /// @return acc Revenue per unit, X24, rounded down; at most MAX_ACC.
    /// @return end UTC second at which the stream ends or ended; zero before the tranche is activated.
    function accNow(ITrancheToken.Tranche storage tranche, uint256 time)
        internal
        view
        returns (uint256 acc, uint256 end)
    {
        acc = tranche.accX24;
        uint256 pending = tranche.pendingX24;
        end = tranche.streamEnd;
        uint256 span = tranche.streamSpan;
        uint256 supply = tranche.supply;
        // Without units nothing is pending.
        if (pending == 0) return (acc, end);
        unchecked {
            if (time < end) pending = pending * (time + span - end) / span;
            acc += pending / supply;
        }
    }

    /// @notice Part of an amount below one minor unit.
    /// @param amountX24 The amount, X24.
    /// @return The fraction, X24.
    function fractionOf(uint256 amountX24) internal pure returns (uint256) {
        return amountX24 & FRACTION_MASK;
    }

    /// @notice Returns a value, or reverts with ValueTooLarge if it has too many bits.
    /// @param value The value.
    /// @param bits Most bits that it may have.
    /// @return The value.
    function fits(uint256 value, uint256 bits) internal pure returns (uint256) {
        require(value >> bits == 0, ValueTooLarge(value, bits));
        return value;
    }
}
