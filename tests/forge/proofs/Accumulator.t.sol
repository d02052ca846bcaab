// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ITrancheToken} from "../../../contracts/interfaces/ITrancheToken.sol";
import {Accumulator} from "../../../contracts/token/Accumulator.sol";
import {Proof} from "./Proof.sol";

/// @title A stream as any history leaves it
abstract contract Streams is Proof {
    using Accumulator for ITrancheToken.Tranche;

    ITrancheToken.Tranche internal _stored;

    /// @dev What every step keeps: units can earn what is pending, and nothing is pending before the activation.
    function _held(ITrancheToken.Tranche memory tranche) internal pure returns (bool) {
        unchecked {
            uint256 room = (Accumulator.MAX_ACC - tranche.accX24) * tranche.supply;
            bool reached = tranche.streamEnd > 0 || tranche.pendingX24 == 0;
            return reached && tranche.pendingX24 <= room && tranche.streamEnd >= tranche.streamSpan;
        }
    }

    /// @dev What has vested, by the accumulator, and what has not.
    function _whole(ITrancheToken.Tranche memory tranche, uint256 supply) internal pure returns (uint256) {
        unchecked {
            return tranche.accX24 * supply + tranche.pendingX24;
        }
    }
}

/// @title Streams: conservation and bounds
contract AccumulatorProofs is Streams {
    using Accumulator for ITrancheToken.Tranche;

    /// For every stream that has ended and every later time: a checkpoint moves all that is pending to the units but
    /// for the remainder of one division, and loses nothing.
    function check_checkpoint__stream_has_ended__remainder_stays(
        uint72 acc,
        uint88 pending,
        uint32 end,
        uint24 span,
        uint40 time
    ) public pure {
        vm.assume(time >= end);
        ITrancheToken.Tranche memory tranche = ITrancheToken.Tranche(acc, pending, end, span, 1);
        vm.assume(_held(tranche));
        ITrancheToken.Tranche memory next = tranche.checkpoint(time);
        assert(next.pendingX24 == 0 && next.accX24 == uint256(acc) + pending);
        assert(next.streamSpan == 0 && next.streamEnd == end);
    }

    /// For every stream without units: nothing vests at any time, and the accumulator stands still.
    function check_checkpoint__no_units__stands_still(uint72 acc, uint88 pending, uint32 end, uint24 span, uint40 time)
        public
        pure
    {
        ITrancheToken.Tranche memory tranche = ITrancheToken.Tranche(acc, pending, end, span, 0);
        ITrancheToken.Tranche memory next = tranche.checkpoint(time);
        assert(next.accX24 == acc && next.pendingX24 == pending && next.supply == 0);
    }

    /// For every tranche before its activation and every amount: it takes nothing, and stays as it was.
    function check_accrue__before_activation__takes_nothing(
        uint72 acc,
        uint40 supply,
        uint64 amount,
        uint24 span,
        uint32 time
    ) public {
        _stored = ITrancheToken.Tranche(acc, 0, 0, 0, supply);
        (uint256 taken,,) = Accumulator.accrue(_stored, amount, span, time);
        assert(taken == 0);
        assert(_stored.accX24 == acc && _stored.pendingX24 == 0 && _stored.supply == supply && _stored.streamEnd == 0);
    }

    /// For every stream and every time: activation changes nothing of it but its end, which is never zero again.
    function check_activate__any_stream__only_the_end(
        uint72 acc,
        uint88 pending,
        uint24 span,
        uint40 supply,
        uint64 time
    ) public {
        vm.assume(time > 0);
        _stored = ITrancheToken.Tranche(acc, pending, 0, span, supply);
        Accumulator.activate(_stored, time);
        ITrancheToken.Tranche memory next = _stored;
        assert(next.accX24 == acc && next.pendingX24 == pending && next.streamSpan == span && next.supply == supply);
        assert(next.streamEnd == (time < 2 ** 32 ? time : 2 ** 32 - 1));
    }

    /// For every value and number of bits: `fits` returns the value, and reverts exactly if it has more bits.
    function check_fits__any_value__only_if_it_does(uint256 value, uint8 bits) public view {
        try this.fits(value, bits) returns (uint256 same) {
            assert(same == value && value >> bits == 0);
        } catch {
            assert(value >> bits != 0);
        }
    }

    function fits(uint256 value, uint256 bits) external pure returns (uint256) {
        return Accumulator.fits(value, bits);
    }
}

/// @title Streams: products and quotients
contract AccumulatorProducts is Streams {
    using Accumulator for ITrancheToken.Tranche;

    /// For any stream at any time: a checkpoint conserves to the last bit, never falls and keeps the bounds; and
    /// `accNow`, which is unchecked, is `accAt`.
    function testFuzz_checkpoint__any_time__conserves(ITrancheToken.Tranche memory tranche, uint32 time) public {
        _fold(tranche);
        time = _notBefore(tranche, time);
        ITrancheToken.Tranche memory next = tranche.checkpoint(time);
        assertEq(_whole(next, tranche.supply), _whole(tranche, tranche.supply), "conserved");
        assertLe(tranche.accX24, next.accX24, "never falls");
        assertTrue(_held(next), "units can earn it");
        _stored = tranche;
        (uint256 acc,) = Accumulator.accNow(_stored, time);
        assertEq(acc, next.accX24, "unchecked as checked");
    }

    /// For any stream, amount and span: an accrual takes no more than is given and than units can earn, conserves
    /// to the last bit, and its span is between the two that it mixes.
    function testFuzz_accrue__any_amount__conserves(
        ITrancheToken.Tranche memory tranche,
        uint64 amount,
        uint24 span,
        uint32 time
    ) public {
        _fold(tranche);
        time = _notBefore(tranche, time);
        _stored = tranche;
        (uint256 taken, uint256 streaming, uint256 end) = Accumulator.accrue(_stored, amount, span, time);
        ITrancheToken.Tranche memory next = _stored;
        assertLe(taken, amount, "no more than is given");
        uint256 before = _whole(tranche, tranche.supply);
        assertEq(_whole(next, tranche.supply), before + (taken << 24), "conserved");
        assertTrue(_held(next), "units can earn it");
        if (taken == 0) return;
        assertEq(streaming, next.unvestedUp(time), "what streams");
        uint256 left = tranche.streamEnd > time ? tranche.streamEnd - time : 0;
        assertLe(end, uint256(time) + (left > span ? left : span), "no later than the later");
    }

    /// For any stream and number of units: what streams, what is spare and what had vested is all there was.
    function testFuzz_supply__any_units__conserves(ITrancheToken.Tranche memory tranche, uint40 supply, uint32 time)
        public
        pure
    {
        _fold(tranche);
        time = _notBefore(tranche, time);
        (ITrancheToken.Tranche memory next, uint256 spare) = tranche.withSupply(supply, time);
        uint256 vested = uint256(next.accX24 - tranche.accX24) * tranche.supply;
        assertEq(vested + next.pendingX24 + spare, tranche.pendingX24, "conserved");
        assertTrue(_held(next), "units can earn it");
    }

    /// @dev Any stream that `_held` allows.
    function _fold(ITrancheToken.Tranche memory tranche) private pure {
        uint256 room = (Accumulator.MAX_ACC - tranche.accX24) * tranche.supply;
        // Cut off at the room, which is smaller.
        // forge-lint: disable-next-line(unsafe-typecast)
        if (tranche.pendingX24 > room) tranche.pendingX24 = uint88(room);
        if (tranche.streamEnd < tranche.streamSpan) tranche.streamEnd = tranche.streamSpan;
        if (tranche.streamEnd == 0) tranche.pendingX24 = 0;
    }

    /// @dev No step is earlier than the one that began the stream, and none at second zero.
    function _notBefore(ITrancheToken.Tranche memory tranche, uint32 time) private pure returns (uint32) {
        uint32 start = tranche.streamEnd - tranche.streamSpan;
        if (time < start) time = start;
        return time == 0 ? 1 : time;
    }
}
