// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IStatementChallenges} from "../interfaces/IStatementChallenges.sol";
import {IStatementRegistry} from "../interfaces/IStatementRegistry.sol";

/// @title The rules of a statement's lines
/// @notice api/domain/statements/faults.py holds the same rules in the same order; tests/vectors/faults.json binds the
/// two.
/// @dev The lines may come from anybody. Sums are taken in 256 bits, so none can overflow.
library Faults {
    uint8 internal constant USAGE = 0;
    uint8 internal constant DELIVERY = 1;
    uint8 internal constant SHORTFALL = 2;
    uint8 internal constant SLA_CREDIT = 3;
    uint8 internal constant LATE_USAGE = 4;
    uint8 internal constant VOID = 5;

    /// @notice First rule that a line under the statement's root breaks by itself.
    /// @param statement The statement.
    /// @param line The line.
    /// @return fault The rule, or None.
    function ofLine(IStatementRegistry.Statement calldata statement, IStatementRegistry.Line memory line)
        internal
        pure
        returns (IStatementChallenges.Fault fault)
    {
        if (line.facilityId != statement.facilityId || line.epoch != statement.epoch) {
            return IStatementChallenges.Fault.LineForeign;
        }
        if (line.index >= statement.lineCount) return IStatementChallenges.Fault.IndexBeyondCount;
        fault = _ofContents(statement, line);
        if (fault == IStatementChallenges.Fault.None) fault = _ofTotals(statement, line);
    }

    /// @notice First rule that two different lines under one root break together.
    /// @dev If `first` has the higher index no fault is seen.
    /// @param first The line with the lower index, or the same.
    /// @param second The other line.
    /// @return The rule, or None.
    function ofPair(IStatementRegistry.Line memory first, IStatementRegistry.Line memory second)
        internal
        pure
        returns (IStatementChallenges.Fault)
    {
        uint32 index = first.index;
        if (index > second.index) return IStatementChallenges.Fault.None;
        if (index == second.index) return IStatementChallenges.Fault.IndexRepeated;
        if (!_inOrder(first, second)) return IStatementChallenges.Fault.LinesOutOfOrder;
        if (_overlap(first, second)) return IStatementChallenges.Fault.LinesOverlap;
        bool adjacent = uint256(index) + 1 == second.index;
        if (adjacent && !_sumsFollow(first.cumulativeGpuSeconds, first.cumulativeCharge, second)) {
            return IStatementChallenges.Fault.SumsWrong;
        }
        return IStatementChallenges.Fault.None;
    }

    /// @notice First rule that a line's own values break.
    /// @param statement The statement.
    /// @param line The line.
    /// @return The rule, or None.
    function _ofContents(IStatementRegistry.Statement calldata statement, IStatementRegistry.Line memory line)
        private
        pure
        returns (IStatementChallenges.Fault)
    {
        uint8 kind = line.kind;
        if (kind > VOID) return IStatementChallenges.Fault.KindUnknown;
        uint64 start = line.start;
        uint64 end = line.end;
        if (end <= start) return IStatementChallenges.Fault.IntervalEmpty;
        if (!_inside(statement, kind, start, end)) return IStatementChallenges.Fault.IntervalOutside;
        if (line.gpuSeconds != (kind <= DELIVERY ? end - start : 0)) {
            return IStatementChallenges.Fault.GpuSecondsWrong;
        }
        if (!_chargeFits(kind, line.charge)) return IStatementChallenges.Fault.ChargeWrong;
        if (kind == SHORTFALL && line.device != bytes32(0)) return IStatementChallenges.Fault.DeviceUnexpected;
        return IStatementChallenges.Fault.None;
    }

    /// @notice Whether an interval is where its kind must be.
    /// @dev Credits and voids wait for a later epoch rather than make a total negative, and late usage is recorded
    /// after its epoch: docs/decisions/0001. Posting checked the epoch's bounds, so the window's start is exact.
    /// @param statement The statement.
    /// @param kind Kind of the line.
    /// @param start First UTC second of the interval.
    /// @param end UTC second after it.
    /// @return True if it is.
    function _inside(IStatementRegistry.Statement calldata statement, uint8 kind, uint64 start, uint64 end)
        private
        pure
        returns (bool)
    {
        uint64 epochStart = statement.epochStart;
        uint64 epochEnd = statement.epochEnd;
        if (kind <= SHORTFALL) return start >= epochStart && end <= epochEnd;
        uint256 windowStart = epochStart - uint256(statement.epoch) * (epochEnd - epochStart);
        return start >= windowStart && end <= (kind == SLA_CREDIT ? epochEnd : epochStart);
    }

    /// @notice Whether a charge has a sign that its kind allows.
    /// @param kind Kind of the line.
    /// @param charge Minor units.
    /// @return True if it has.
    function _chargeFits(uint8 kind, int128 charge) private pure returns (bool) {
        if (kind == DELIVERY) return charge == 0;
        return kind == SLA_CREDIT || kind == VOID ? charge <= 0 : charge >= 0;
    }

    /// @notice What the first and the last line must carry: sums from zero, and the statement's totals.
    /// @dev What first and last line owe to the statement.
    /// @param statement The statement.
    /// @param line The line.
    /// @return The rule that is broken, or None.
    function _ofTotals(IStatementRegistry.Statement calldata statement, IStatementRegistry.Line memory line)
        private
        pure
        returns (IStatementChallenges.Fault)
    {
        uint32 index = line.index;
        if (index == 0 && !_sumsFollow(0, 0, line)) return IStatementChallenges.Fault.SumsWrong;
        if (index != statement.lineCount - 1) return IStatementChallenges.Fault.None;
        bool equal = line.cumulativeGpuSeconds == statement.billedGpuSeconds
            && line.cumulativeCharge == int256(uint256(statement.grossRevenue));
        return equal ? IStatementChallenges.Fault.None : IStatementChallenges.Fault.TotalsWrong;
    }

    /// @notice Whether a line's prefix sums follow from those before it.
    /// @param gpuSecondsBefore Sum before it, GPU-seconds.
    /// @param chargeBefore Sum before it, minor units.
    /// @param line The line.
    /// @return True if they do.
    function _sumsFollow(uint256 gpuSecondsBefore, int256 chargeBefore, IStatementRegistry.Line memory line)
        private
        pure
        returns (bool)
    {
        return line.cumulativeGpuSeconds == gpuSecondsBefore + line.gpuSeconds
            && line.cumulativeCharge == chargeBefore + line.charge;
    }

    /// @notice Whether two lines are in order: ascending by kind, device, start, lease, end.
    /// @dev Only a void may repeat: one interval can be recorded late and voided more than once.
    /// @param first The line with the lower index.
    /// @param second The line with the higher index.
    /// @return True if they are.
    function _inOrder(IStatementRegistry.Line memory first, IStatementRegistry.Line memory second)
        private
        pure
        returns (bool)
    {
        uint8 kind = first.kind;
        uint256 left = kind;
        uint256 right = second.kind;
        if (left != right) return left < right;
        (left, right) = (uint256(first.device), uint256(second.device));
        if (left != right) return left < right;
        (left, right) = (first.start, second.start);
        if (left != right) return left < right;
        (left, right) = (uint256(first.lease), uint256(second.lease));
        if (left != right) return left < right;
        (left, right) = (first.end, second.end);
        return left == right ? kind == VOID : left < right;
    }

    /// @notice Whether two usage or delivery lines of one device share a second.
    /// @param first One line.
    /// @param second The other line.
    /// @return True if they do.
    function _overlap(IStatementRegistry.Line memory first, IStatementRegistry.Line memory second)
        private
        pure
        returns (bool)
    {
        if (first.device != second.device || first.kind > DELIVERY || second.kind > DELIVERY) return false;
        return first.start < second.end && second.start < first.end;
    }
}
