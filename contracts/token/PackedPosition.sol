// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ITrancheToken} from "../interfaces/ITrancheToken.sol";
import {Accumulator} from "./Accumulator.sol";

/// @notice `ITrancheToken.Position` as the one word that is stored, lowest bits first: accPaidX24 (72), owedX24 (96),
/// units (40), flags (8), settlement (40). Decision 4 shows with measured gas why it is no struct.
type PackedPosition is uint256;

using {unitsOf, holdingOf, settledAt, withFrozen, watched, unpacked} for PackedPosition global;

uint256 constant OWED_SHIFT = 72;
uint256 constant HOLDING_SHIFT = 168;
/// @dev Within the holding: units below, then flags, then settlement.
uint256 constant HOLDING_FLAGS_SHIFT = 40;
uint256 constant HOLDING_SETTLEMENT_SHIFT = 48;
uint256 constant HOLDING_UNITS_MASK = type(uint40).max;
/// @dev 1 << HOLDING_FLAGS_SHIFT, as a number: a power of a constant is computed at run time.
uint256 constant HOLDING_FROZEN = 0x10000000000;
/// @dev Acts of the holder are told to the WalletDesk.
uint256 constant HOLDING_WATCHED = 0x20000000000;
/// @dev The holder claimed here before.
uint256 constant HOLDING_CLAIMED = 0x40000000000;

/// @notice A position from its parts.
/// @dev `acc` is at most Accumulator.MAX_ACC, and `holding` comes from a position whose units fit the 40 bits of a
/// supply. Only `owed` can be too large (more than 2^72 minor units): ValueTooLarge.
/// @param acc Revenue per unit up to which the position has been credited, X24.
/// @param owed Revenue earned and not claimed, X24.
/// @param holding Units, flags and settlement, as `holdingOf` returns them.
/// @return The packed position.
function packPosition(uint256 acc, uint256 owed, uint256 holding) pure returns (PackedPosition) {
    if (owed >> 96 != 0) revert Accumulator.ValueTooLarge(owed, 96);
    return PackedPosition.wrap(acc | (owed << OWED_SHIFT) | (holding << HOLDING_SHIFT));
}

/// @notice Units held.
/// @param position The packed position.
/// @return GPU-hours.
function unitsOf(PackedPosition position) pure returns (uint256) {
    return (PackedPosition.unwrap(position) >> HOLDING_SHIFT) & HOLDING_UNITS_MASK;
}

/// @notice Units, flags and settlement in one number, units in its lowest bits.
/// @param position The packed position.
/// @return The number.
function holdingOf(PackedPosition position) pure returns (uint256) {
    return PackedPosition.unwrap(position) >> HOLDING_SHIFT;
}

/// @notice What the position is owed at an accumulator value. Exact: nothing is rounded.
/// @dev Unchecked (decision 4): 40 bits x 72 bits + 96 bits fit a word, and accumulators never fall.
/// @param position The packed position.
/// @param acc Revenue per unit, X24; not below the position's own.
/// @return Revenue, X24.
function settledAt(PackedPosition position, uint256 acc) pure returns (uint256) {
    uint256 word = PackedPosition.unwrap(position);
    unchecked {
        return ((word >> OWED_SHIFT) & type(uint96).max) + ((word >> HOLDING_SHIFT) & HOLDING_UNITS_MASK)
            * (acc - (word & type(uint72).max));
    }
}

/// @notice The position with its frozen flag set or cleared.
/// @param position The packed position.
/// @param frozen Whether a frozen amount is set.
/// @return The packed position.
function withFrozen(PackedPosition position, bool frozen) pure returns (PackedPosition) {
    uint256 flag = HOLDING_FROZEN << HOLDING_SHIFT;
    uint256 word = PackedPosition.unwrap(position);
    return PackedPosition.wrap(frozen ? word | flag : word & ~flag);
}

/// @notice The position with its watched flag set.
/// @param position The packed position.
/// @return The packed position.
function watched(PackedPosition position) pure returns (PackedPosition) {
    return PackedPosition.wrap(PackedPosition.unwrap(position) | (HOLDING_WATCHED << HOLDING_SHIFT));
}

/// @notice The position as a struct, for views.
/// @param position The packed position.
/// @return The struct.
function unpacked(PackedPosition position) pure returns (ITrancheToken.Position memory) {
    uint256 word = PackedPosition.unwrap(position);
    // Truncation picks the field.
    // forge-lint: disable-next-item(unsafe-typecast)
    return ITrancheToken.Position({
        accPaidX24: uint72(word),
        owedX24: uint96(word >> OWED_SHIFT),
        units: uint40(word >> HOLDING_SHIFT),
        flags: uint8(word >> (HOLDING_SHIFT + HOLDING_FLAGS_SHIFT)),
        settlement: uint40(word >> (HOLDING_SHIFT + HOLDING_SETTLEMENT_SHIFT))
    });
}
