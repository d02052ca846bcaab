// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {IStatementChallenges} from "../interfaces/IStatementChallenges.sol";
import {IStatementRegistry} from "../interfaces/IStatementRegistry.sol";

/// @title The rules of a statement's lines
/// @notice api/domain/statements/faults.py holds the same rules in the same order; tests/vectors/faults.json binds the
/// two.
/// @dev The lines may come from anybody. Sums are taken in 256 bits, so none can overflow.
library Faults {
    uint8 internal constant USAGE = 0;
    uint8 internal constant DELIVERY = 1;
    uint8 internal constant LATE = 2;
    uint8 internal constant LATE_DELIVERY = 3;
    uint8 internal constant VOID = 4;
    uint8 internal constant USAGE_DIFFERENCE = 5;
    uint8 internal constant TIER_DIFFERENCE = 6;
    uint8 internal constant SHORTFALL_DIFFERENCE = 7;
    uint8 internal constant MINIMUM_DIFFERENCE = 8;
    uint8 internal constant SLA_DIFFERENCE = 9;
    uint8 internal constant FIXED_DIFFERENCE = 10;
    uint8 internal constant ADJUSTMENT_DIFFERENCE = 11;

    /// @notice First rule that a line under the statement's root breaks by itself.
    /// @param terms Terms of the statement's facility.
    /// @param statement The statement.
    /// @param line The line.
    /// @return fault The rule, or None.
    function ofLine(
        IFacilityRegistry.FacilityTerms memory terms,
        IStatementRegistry.Statement calldata statement,
        IStatementRegistry.Line memory line
    ) internal pure returns (IStatementChallenges.Fault fault) {
        if (line.facilityId != statement.facilityId || line.epoch != statement.epoch) {
            return IStatementChallenges.Fault.LineForeign;
        }
        if (line.index >= statement.lineCount) return IStatementChallenges.Fault.IndexBeyondCount;
        fault = _ofContents(terms, statement, line);
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
    /// @param terms Terms of the statement's facility.
    /// @param statement The statement.
    /// @param line The line.
    /// @return The rule, or None.
    function _ofContents(
        IFacilityRegistry.FacilityTerms memory terms,
        IStatementRegistry.Statement calldata statement,
        IStatementRegistry.Line memory line
    ) private pure returns (IStatementChallenges.Fault) {
        uint8 kind = line.kind;
        if (kind > ADJUSTMENT_DIFFERENCE) return IStatementChallenges.Fault.KindUnknown;
        uint64 start = line.start;
        uint64 end = line.end;
        if (end <= start) return IStatementChallenges.Fault.IntervalEmpty;
        bool inside = kind <= DELIVERY
            ? start >= statement.epochStart && end <= statement.epochEnd
            : _insideWindow(terms, statement.epochStart, kind, start, end);
        if (!inside) return IStatementChallenges.Fault.IntervalOutside;
        if (line.gpuSeconds != (kind <= DELIVERY ? end - start : 0)) {
            return IStatementChallenges.Fault.GpuSecondsWrong;
        }
        if (!_chargeFits(kind, line.charge)) return IStatementChallenges.Fault.ChargeWrong;
        if (!_subjectFits(kind, line.subject)) return IStatementChallenges.Fault.SubjectWrong;
        return IStatementChallenges.Fault.None;
    }

    /// @notice Whether the interval of neither usage nor delivery is where its kind must be: what is late, and voids,
    /// in one earlier epoch; differences anywhere in the window and its seal.
    /// @param terms Terms of the facility.
    /// @param epochStart First UTC second of the statement.
    /// @param kind Kind of the line, above DELIVERY.
    /// @param start First UTC second of the interval.
    /// @param end UTC second after it, above `start`.
    /// @return True if it is.
    function _insideWindow(
        IFacilityRegistry.FacilityTerms memory terms,
        uint64 epochStart,
        uint8 kind,
        uint64 start,
        uint64 end
    ) private pure returns (bool) {
        uint64 windowStart = terms.windowStart;
        if (start < windowStart) return false;
        if (kind > VOID) return end <= terms.windowEnd + terms.sealSeconds;
        uint64 length = terms.epochLength;
        return end <= epochStart && (start - windowStart) / length == (end - 1 - windowStart) / length;
    }

    /// @notice Whether a charge has a sign that its kind allows.
    /// @param kind Kind of the line.
    /// @param charge Minor units.
    /// @return True if it has.
    function _chargeFits(uint8 kind, int128 charge) private pure returns (bool) {
        if (kind == USAGE) return charge >= 0;
        return kind > VOID || charge == 0;
    }

    /// @notice Whether a difference names its component. A fixed item, an adjustment and a device have names of their
    /// own.
    /// @dev So a component of a lease and period has one line: others are out of order.
    /// @param kind Kind of the line.
    /// @param subject What it is about.
    /// @return True if it does.
    function _subjectFits(uint8 kind, bytes32 subject) private pure returns (bool) {
        if (kind == USAGE_DIFFERENCE) return subject == keccak256("usage");
        if (kind == TIER_DIFFERENCE) return subject == keccak256("tier");
        if (kind == SHORTFALL_DIFFERENCE) return subject == keccak256("shortfall");
        if (kind == MINIMUM_DIFFERENCE) return subject == keccak256("minimum");
        if (kind == SLA_DIFFERENCE) return subject == keccak256("sla");
        return true;
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
        bool equal =
            line.cumulativeGpuSeconds == statement.billedGpuSeconds && line.cumulativeCharge == statement.grossRevenue;
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

    /// @notice Whether two lines are in order: ascending by kind, subject, start, lease, end. Nothing
    /// repeats.
    /// @param first The line with the lower index.
    /// @param second The line with the higher index.
    /// @return True if they are.
    function _inOrder(IStatementRegistry.Line memory first, IStatementRegistry.Line memory second)
        private
        pure
        returns (bool)
    {
        uint256 left = first.kind;
        uint256 right = second.kind;
        if (left != right) return left < right;
        (left, right) = (uint256(first.subject), uint256(second.subject));
        if (left != right) return left < right;
        (left, right) = (first.start, second.start);
        if (left != right) return left < right;
        (left, right) = (uint256(first.lease), uint256(second.lease));
        if (left != right) return left < right;
        return first.end < second.end;
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
        if (first.subject != second.subject || first.kind > DELIVERY || second.kind > DELIVERY) return false;
        return first.start < second.end && second.start < first.end;
    }
}
