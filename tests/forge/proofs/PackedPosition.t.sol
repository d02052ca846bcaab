// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ITrancheToken} from "../../../contracts/interfaces/ITrancheToken.sol";
import {
    HOLDING_FROZEN,
    HOLDING_SHIFT,
    HOLDING_WATCHED,
    PackedPosition,
    packPosition
} from "../../../contracts/token/PackedPosition.sol";
import {Proof} from "./Proof.sol";

/// @title Positions in one word (decision 4)
contract PackedPositionProofs is Proof {
    /// For all parts that fit: they come back from the word as they went in, and so does the holding.
    function check_position__packed__parts_come_back(uint72 acc, uint96 owed, uint40 units, uint8 flags, uint40 tail)
        public
        pure
    {
        uint256 holding = units | (uint256(flags) << 40) | (uint256(tail) << 48);
        PackedPosition position = packPosition(acc, owed, holding);
        ITrancheToken.Position memory parts = position.unpacked();
        assert(parts.accPaidX24 == acc && parts.owedX24 == owed && parts.units == units);
        assert(parts.flags == flags && parts.settlement == tail);
        assert(position.unitsOf() == units && position.holdingOf() == holding);
    }

    /// For all sums owed: packing reverts exactly if they need more than 96 bits, so none is ever cut.
    function check_position__owed_too_large__reverts(uint72 acc, uint256 owed, uint88 holding) public view {
        try this.pack(acc, owed, holding) returns (PackedPosition position) {
            assert(owed < 2 ** 96 && position.unpacked().owedX24 == owed);
        } catch {
            assert(owed >= 2 ** 96);
        }
    }

    /// For every word and every accumulator from the position's own on: `settledAt`, which is unchecked, is what is
    /// owed and units times growth, computed with checks, and has at most 113 bits.
    function check_position__settled__as_with_checked_arithmetic(uint256 word, uint72 acc) public pure {
        PackedPosition position = PackedPosition.wrap(word);
        ITrancheToken.Position memory parts = position.unpacked();
        vm.assume(acc >= parts.accPaidX24);
        uint256 settled = position.settledAt(acc);
        assert(settled == parts.owedX24 + uint256(parts.units) * (acc - parts.accPaidX24));
        assert(settled >> 113 == 0);
    }

    /// For every word: the frozen flag is set or cleared, and no other bit changes.
    function check_position__frozen_set__no_other_bit_changes(uint256 word, bool frozen) public pure {
        uint256 changed = PackedPosition.unwrap(PackedPosition.wrap(word).withFrozen(frozen));
        uint256 flag = HOLDING_FROZEN << HOLDING_SHIFT;
        assert((changed & flag != 0) == frozen);
        assert((changed ^ word) & ~flag == 0);
    }

    /// For every word: the watched flag is set, and no other bit changes.
    function check_position__watched__no_other_bit_changes(uint256 word) public pure {
        uint256 changed = PackedPosition.unwrap(PackedPosition.wrap(word).watched());
        assert(changed == word | (HOLDING_WATCHED << HOLDING_SHIFT));
    }

    function pack(uint256 acc, uint256 owed, uint256 holding) external pure returns (PackedPosition) {
        return packPosition(acc, owed, holding);
    }
}
