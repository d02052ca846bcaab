// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {ITrancheToken} from "../interfaces/ITrancheToken.sol";
import {Accumulator} from "./Accumulator.sol";

/// @notice `ITrancheToken.Position` as the one word that is stored, lowest bits first: accPaidX32 (72), owedX32 (96),
/// units (40), flags (8), settlement (40). Decision 4 shows with measured gas why it is no struct.
type PackedPosition is uint256;

using {accPaidOf, unitsOf, tagsOf, settlementOf, settledAt, withFrozen, unpacked} for PackedPosition global;

uint256 constant OWED_SHIFT = 72;
uint256 constant UNITS_SHIFT = 168;
uint256 constant TAGS_SHIFT = 208;
uint256 constant SETTLEMENT_SHIFT = 216;
uint256 constant FLAG_FROZEN = 1;

/// @notice A position from its parts. `tags` are flags and settlement as `tagsOf` answers them.
/// @dev `acc` is at most Accumulator.MAX_ACC, `units` at most a supply of 40 bits, `tags` come from a position; only
/// `owed` can be too large, for more than 2^64 minor units.
function packPosition(uint256 acc, uint256 owed, uint256 units, uint256 tags) pure returns (PackedPosition) {
    require(owed <= type(uint96).max, Accumulator.ValueTooLarge(owed, 96));
    return PackedPosition.wrap(acc | (owed << OWED_SHIFT) | (units << UNITS_SHIFT) | (tags << TAGS_SHIFT));
}

/// @notice Accumulator value up to which the position is settled.
function accPaidOf(PackedPosition position) pure returns (uint256) {
    return PackedPosition.unwrap(position) & type(uint72).max;
}

/// @notice Units held.
function unitsOf(PackedPosition position) pure returns (uint256) {
    return (PackedPosition.unwrap(position) >> UNITS_SHIFT) & type(uint40).max;
}

/// @notice Flags in the low 8 bits, settlement above.
function tagsOf(PackedPosition position) pure returns (uint256) {
    return PackedPosition.unwrap(position) >> TAGS_SHIFT;
}

/// @notice Number of the settlement token.
function settlementOf(PackedPosition position) pure returns (uint256) {
    return PackedPosition.unwrap(position) >> SETTLEMENT_SHIFT;
}

/// @notice What the position is owed up to an accumulator value: exact, nothing is rounded.
/// @dev Unchecked (decision 4): 40 bits x 72 bits + 96 bits fit a word, and accumulators never fall.
function settledAt(PackedPosition position, uint256 acc) pure returns (uint256) {
    uint256 word = PackedPosition.unwrap(position);
    unchecked {
        uint256 earned = ((word >> UNITS_SHIFT) & type(uint40).max) * (acc - (word & type(uint72).max));
        return ((word >> OWED_SHIFT) & type(uint96).max) + earned;
    }
}

/// @notice The position with its frozen flag set or cleared.
function withFrozen(PackedPosition position, bool frozen) pure returns (PackedPosition) {
    uint256 flag = FLAG_FROZEN << TAGS_SHIFT;
    uint256 word = PackedPosition.unwrap(position);
    return PackedPosition.wrap(frozen ? word | flag : word & ~flag);
}

/// @notice The position as a struct, for views.
function unpacked(PackedPosition position) pure returns (ITrancheToken.Position memory) {
    uint256 word = PackedPosition.unwrap(position);
    // Truncation picks the field.
    // forge-lint: disable-next-item(unsafe-typecast)
    return ITrancheToken.Position({
        accPaidX32: uint72(word),
        owedX32: uint96(word >> OWED_SHIFT),
        units: uint40(word >> UNITS_SHIFT),
        flags: uint8(word >> TAGS_SHIFT),
        settlement: uint40(word >> SETTLEMENT_SHIFT)
    });
}
