// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ITrancheToken} from "../../../contracts/interfaces/ITrancheToken.sol";
import {Accumulator} from "../../../contracts/token/Accumulator.sol";
import {Base} from "../Base.sol";

/// @title The accumulator against api/domain/capital/accumulator.py: histories that the Python model wrote
contract VectorsTest is Base {
    using Accumulator for ITrancheToken.Tranche;

    uint256 private constant WORDS = 11;
    ITrancheToken.Tranche private _stored;

    function test_accumulator__golden_histories__equal_the_model() public {
        uint256[] memory steps = vm.parseJsonUintArray(vm.readFile("tests/vectors/accumulator.json"), ".steps");
        assertTrue(steps.length > 10_000 && steps.length % WORDS == 0, "vectors are there");
        ITrancheToken.Tranche memory tranche;
        for (uint256 i = 0; i < steps.length; i += WORDS) {
            uint256 given;
            (tranche, given) = _step(tranche, steps, i);
            assertEq(tranche.accX24, steps[i + 4], "acc");
            assertEq(tranche.pendingX24, steps[i + 5], "pending");
            assertEq(tranche.streamEnd, steps[i + 6], "end");
            assertEq(tranche.streamSpan, steps[i + 7], "span");
            assertEq(tranche.supply, steps[i + 8], "supply");
            assertEq(tranche.accAt(steps[i + 3]), steps[i + 9], "acc now");
            assertEq(given, steps[i + 10], "given away");
            _requireHeld(tranche);
        }
    }

    /// @dev The unchecked hot path and the checked one are the same function.
    function testFuzz_acc_now__equals_acc_at(uint72 acc, uint88 pending, uint24 span, uint40 supply, uint256 elapsed)
        public
    {
        uint256 start = 1_800_000_000;
        elapsed = bound(elapsed, 0, 2 ** 25);
        uint256 room = (Accumulator.MAX_ACC - acc) * supply;
        // Cut off at the room, which is smaller.
        // forge-lint: disable-next-line(unsafe-typecast)
        if (pending > room) pending = uint88(room);
        // start + 24 bits fit 32 bits.
        // forge-lint: disable-next-line(unsafe-typecast)
        ITrancheToken.Tranche memory tranche = ITrancheToken.Tranche(acc, pending, uint32(start + span), span, supply);
        _stored = tranche;
        (uint256 now_,) = Accumulator.accNow(_stored, start + elapsed);
        assertEq(now_, tranche.accAt(start + elapsed), "same");
        assertLe(acc, now_, "never falls");
        assertLe((now_ - acc) * supply, pending, "never more than is pending");
        assertLe(now_, type(uint72).max, "fits");
    }

    function _step(ITrancheToken.Tranche memory tranche, uint256[] memory steps, uint256 i)
        private
        returns (ITrancheToken.Tranche memory next, uint256 given)
    {
        (uint256 operation, uint256 amount, uint256 span, uint256 time) =
            (steps[i], steps[i + 1], steps[i + 2], steps[i + 3]);
        if (operation == 0) return _accrue(tranche, amount, span, time);
        if (operation == 2) return (tranche, 0);
        // A supply step: span 1 begins a new history.
        ITrancheToken.Tranche memory nothing;
        nothing.streamEnd = 1;
        return (span == 1 ? nothing : tranche).withSupply(amount, time);
    }

    function _accrue(ITrancheToken.Tranche memory tranche, uint256 amount, uint256 span, uint256 time)
        private
        returns (ITrancheToken.Tranche memory next, uint256 given)
    {
        _stored = tranche;
        (uint256 taken, uint256 streaming, uint256 end) = Accumulator.accrue(_stored, amount, span, time);
        next = _stored;
        if (taken > 0) assertEq(streaming, next.unvestedUp(time), "streaming");
        assertEq(end, next.streamEnd, "end");
        given = amount - taken;
    }

    /// @dev What streams can always be earned: no sum is beyond the bound (ATTACKS 45).
    function _requireHeld(ITrancheToken.Tranche memory tranche) private pure {
        uint256 room = (Accumulator.MAX_ACC - tranche.accX24) * tranche.supply;
        assertLe(tranche.pendingX24, room, "units can earn what is pending");
    }
}
