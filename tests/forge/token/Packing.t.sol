// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ITrancheToken} from "../../../contracts/interfaces/ITrancheToken.sol";
import {Accumulator} from "../../../contracts/token/Accumulator.sol";
import {
    HOLDING_CLAIMED,
    HOLDING_FLAGS_SHIFT,
    HOLDING_FROZEN,
    HOLDING_SETTLEMENT_SHIFT,
    HOLDING_WATCHED,
    PackedPosition,
    packPosition
} from "../../../contracts/token/PackedPosition.sol";
import {TrancheId} from "../../../contracts/token/TrancheId.sol";
import {Base} from "../Base.sol";

/// @title The packed word: nothing of one field ever reaches another
contract PackingTest is Base {
    function testFuzz_pack__any_fields__come_back(uint72 acc, uint96 owed, uint40 units, uint8 flags, uint40 number)
        public
        pure
    {
        uint256 holding =
            units | (uint256(flags) << HOLDING_FLAGS_SHIFT) | (uint256(number) << HOLDING_SETTLEMENT_SHIFT);
        PackedPosition word = packPosition(acc, owed, holding);
        ITrancheToken.Position memory position = word.unpacked();
        assertEq(position.accPaidX24, acc, "acc");
        assertEq(position.owedX24, owed, "owed");
        assertEq(position.units, units, "units");
        assertEq(position.flags, flags, "flags");
        assertEq(position.settlement, number, "settlement");
        assertEq(word.holdingOf(), holding, "holding");
        assertEq(word.unitsOf(), units, "unitsOf");
        ITrancheToken.Position memory frozen = word.withFrozen(true).unpacked();
        assertEq(HOLDING_FROZEN, uint256(1) << HOLDING_FLAGS_SHIFT, "flag");
        assertEq(frozen.flags, flags | 1, "set");
        assertEq(word.withFrozen(false).unpacked().flags, flags & 0xfe, "cleared");
        assertEq(HOLDING_WATCHED, uint256(2) << HOLDING_FLAGS_SHIFT, "second flag");
        assertEq(HOLDING_CLAIMED, uint256(4) << HOLDING_FLAGS_SHIFT, "third flag");
        assertEq(word.watched().unpacked().flags, flags | 2, "watched");
        assertEq(word.watched().holdingOf() & ~HOLDING_WATCHED, holding & ~HOLDING_WATCHED, "no other bit");
        assertEq(word.withFrozen(true).withFrozen(flags & 1 == 1).holdingOf(), holding, "nothing else");
    }

    function testFuzz_settled__any_fields__is_the_exact_product(uint72 paid, uint72 acc, uint96 owed, uint40 units)
        public
        pure
    {
        if (acc < paid) (acc, paid) = (paid, acc);
        PackedPosition word = packPosition(paid, owed, units);
        assertEq(word.settledAt(acc), uint256(owed) + uint256(units) * (acc - paid), "exact");
    }

    function testFuzz_id__any_facility__comes_back(uint64 facilityId, uint8 seniority, uint256 high) public pure {
        uint256 id = TrancheId.pack(facilityId, seniority);
        (uint64 facility, uint8 rank, bool valid) = TrancheId.unpack(id);
        assertTrue(valid && facility == facilityId && rank == seniority, "parts");
        assertEq(TrancheId.facilityOf(id), facilityId, "facility");
        (,, valid) = TrancheId.unpack(id | ((high | 1) << 72));
        assertFalse(valid, "ATTACKS 23: high bits name no tranche");
    }

    function pack(uint256 owed) external pure returns (PackedPosition) {
        return packPosition(0, owed, 0);
    }

    function fits(uint256 value, uint256 bits) external pure returns (uint256) {
        return Accumulator.fits(value, bits);
    }

    function test_pack__owed_too_large__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(Accumulator.ValueTooLarge.selector, 1 << 96, 96));
        this.pack(1 << 96);
        vm.expectRevert(abi.encodeWithSelector(Accumulator.ValueTooLarge.selector, 1 << 40, 40));
        this.fits(1 << 40, 40);
        assertEq(this.fits((1 << 40) - 1, 40), (1 << 40) - 1, "fits");
    }
}
