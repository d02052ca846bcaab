"""Faults of a posted statement: which rules do its lines break, and what proves it on-chain?

The same rules in the same order as `contracts/statements/Faults.sol`; `tests/vectors/faults.json`
binds the two. Challengers and auditors search here and prove there: `StatementRegistry.challenge*`.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

from api.domain.facility import FacilityTerms
from api.domain.metering.usage import COUNTED_KINDS, LineKind
from api.domain.pledges import Pledge, in_force
from api.domain.statements.lines import Line
from api.domain.statements.obligation import COMPONENT_SUBJECTS
from api.domain.statements.statement import Statement
from api.domain.units import Bytes32


class FaultKind(IntEnum):
    """Rule that a statement breaks; numbered as `IStatementChallenges.Fault`."""

    LINE_FOREIGN = 1
    INDEX_BEYOND_COUNT = 2
    KIND_UNKNOWN = 3
    INTERVAL_EMPTY = 4
    INTERVAL_OUTSIDE = 5
    GPU_SECONDS_WRONG = 6
    CHARGE_WRONG = 7
    SUBJECT_WRONG = 8
    SUMS_WRONG = 9
    TOTALS_WRONG = 10
    INDEX_REPEATED = 11
    LINES_OUT_OF_ORDER = 12
    LINES_OVERLAP = 13
    DEVICE_NOT_PLEDGED = 14
    DEVICE_PLEDGED_TWICE = 15


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault and the lines that prove it, by their place in the sequence that was searched.

    first, second: one line, or two in the order that `challengePair` takes them.
    """

    kind: FaultKind
    first: int
    second: int | None = None


def line_fault(terms: FacilityTerms, statement: Statement, line: Line) -> FaultKind | None:
    """First rule that a line of the statement breaks by itself.

    A line here has no facility and epoch of its own, so LINE_FOREIGN is seen on-chain only.
    """
    if line.index >= statement.line_count:
        return FaultKind.INDEX_BEYOND_COUNT
    return _contents_fault(terms, statement, line) or _totals_fault(statement, line)


def _contents_fault(terms: FacilityTerms, statement: Statement, line: Line) -> FaultKind | None:
    if not LineKind.USAGE <= line.kind <= LineKind.ADJUSTMENT_DIFFERENCE:
        return FaultKind.KIND_UNKNOWN
    if line.end_s <= line.start_s:
        return FaultKind.INTERVAL_EMPTY
    if not _inside(terms, statement, line):
        return FaultKind.INTERVAL_OUTSIDE
    counted = line.end_s - line.start_s if line.kind in COUNTED_KINDS else 0
    if line.gpu_seconds != counted:
        return FaultKind.GPU_SECONDS_WRONG
    if not _charge_fits(line):
        return FaultKind.CHARGE_WRONG
    if COMPONENT_SUBJECTS.get(line.kind, line.subject) != line.subject:
        return FaultKind.SUBJECT_WRONG
    return None


def _inside(terms: FacilityTerms, statement: Statement, line: Line) -> bool:
    """Whether an interval is where its kind must be.

    Usage and delivery are of the statement's own epoch; what is late, and voids, of one earlier
    epoch; differences of any time of window and seal.
    """
    if line.kind in COUNTED_KINDS:
        return statement.epoch_start_s <= line.start_s and line.end_s <= statement.epoch_end_s
    if line.start_s < terms.window_start_s:
        return False
    if line.kind > LineKind.VOID:
        return line.end_s <= terms.sealed_at_s
    one_epoch = terms.epoch_at(line.start_s) == terms.epoch_at(line.end_s - 1)
    return one_epoch and line.end_s <= statement.epoch_start_s


def _charge_fits(line: Line) -> bool:
    if line.kind == LineKind.USAGE:
        return line.charge_micros >= 0
    return line.kind > LineKind.VOID or line.charge_micros == 0


def _totals_fault(statement: Statement, line: Line) -> FaultKind | None:
    if line.index == 0 and not _sums_follow(line, gpu_seconds_before=0, charge_micros_before=0):
        return FaultKind.SUMS_WRONG
    totals = (line.cumulative_gpu_seconds, line.cumulative_charge_micros)
    stated = (statement.billed_gpu_seconds, statement.gross_revenue_micros)
    if line.index == statement.line_count - 1 and totals != stated:
        return FaultKind.TOTALS_WRONG
    return None


def _sums_follow(line: Line, *, gpu_seconds_before: int, charge_micros_before: int) -> bool:
    return (
        line.cumulative_gpu_seconds == gpu_seconds_before + line.gpu_seconds
        and line.cumulative_charge_micros == charge_micros_before + line.charge_micros
    )


def pair_fault(first: Line, second: Line) -> FaultKind | None:
    """First rule that two lines break together; `first` has the lower index, or the same."""
    if first == second or first.index > second.index:
        return None
    if first.index == second.index:
        return FaultKind.INDEX_REPEATED
    if _sort_key(first) >= _sort_key(second):
        return FaultKind.LINES_OUT_OF_ORDER
    counted = first.kind in COUNTED_KINDS and second.kind in COUNTED_KINDS
    meet = first.start_s < second.end_s and second.start_s < first.end_s
    if counted and first.subject == second.subject and meet:
        return FaultKind.LINES_OVERLAP
    if second.index == first.index + 1 and not _sums_follow(
        second,
        gpu_seconds_before=first.cumulative_gpu_seconds,
        charge_micros_before=first.cumulative_charge_micros,
    ):
        return FaultKind.SUMS_WRONG
    return None


def _sort_key(line: Line) -> tuple[LineKind, Bytes32, int, Bytes32, int]:
    """Nothing repeats: two lines with one key are out of order."""
    return (line.kind, line.subject, line.start_s, line.lease, line.end_s)


def device_fault(
    terms: FacilityTerms, line: Line, replacements: Sequence[Pledge] = ()
) -> FaultKind | None:
    """Whether a line names a device that the pledge in force in the epoch of its start lacks, or
    has only from a later epoch on. A difference is of no device.

    replacements: pledges that took the place of the offer's, in order of their epochs.
    """
    if line.kind > LineKind.VOID:
        return None
    # Before the window the first epoch's pledge counts.
    epoch = terms.epoch_at(max(line.start_s, terms.window_start_s))
    pledge = in_force(replacements, epoch)
    if pledge is None:
        pledged = line.subject in terms.device_set
    else:
        pledged = any(d.device == line.subject and d.from_epoch <= epoch for d in pledge.devices)
    return None if pledged else FaultKind.DEVICE_NOT_PLEDGED


def absence_neighbours(terms: FacilityTerms, device: Bytes32) -> tuple[int, ...]:
    """Indices of the pledged devices around one that is not pledged: one at an edge, else two."""
    above = bisect_left(terms.devices, device)
    if above == 0:
        return (0,)
    return (above - 1,) if above == terms.device_count else (above - 1, above)


def find_faults(
    terms: FacilityTerms,
    statement: Statement,
    lines: Sequence[Line],
    replacements: Sequence[Pledge] = (),
) -> tuple[Fault, ...]:
    """Every fault that lines, neighbours in order of index, and overlapping lines show.

    Cards that two facilities pledged are found by `pledges.cards_pledged_before`.

    Args:    lines: all known leaves of the statement, in any order.
             replacements: pledges that took the place of the offer's, in order of their epochs.
    Returns: faults in order of line; empty for every statement that `OpenBooks` makes.
    """
    order = sorted(range(len(lines)), key=lambda i: lines[i].index)
    faults = [*_single_faults(terms, statement, lines, order, replacements)]
    for before, after in pairwise(order):
        kind = pair_fault(lines[before], lines[after])
        if kind is not None:
            faults.append(Fault(kind, before, after))
    faults += [f for f in _overlaps(lines) if f not in faults]
    return tuple(sorted(faults, key=lambda f: (lines[f.first].index, f.kind)))


def _single_faults(
    terms: FacilityTerms,
    statement: Statement,
    lines: Sequence[Line],
    order: Sequence[int],
    replacements: Sequence[Pledge],
) -> Iterator[Fault]:
    for i in order:
        of_device = device_fault(terms, lines[i], replacements)
        for kind in (line_fault(terms, statement, lines[i]), of_device):
            if kind is not None:
                yield Fault(kind, i)


def _overlaps(lines: Sequence[Line]) -> Iterator[Fault]:
    """One overlap for each counted line that begins while an earlier one of its device runs."""
    counted = (i for i, line in enumerate(lines) if line.kind in COUNTED_KINDS)
    running: int | None = None
    for i in sorted(counted, key=lambda i: (lines[i].subject, lines[i].start_s, lines[i].end_s)):
        if running is None or lines[running].subject != lines[i].subject:
            running = i
            continue
        first, second = sorted((running, i), key=lambda j: lines[j].index)
        if pair_fault(lines[first], lines[second]) is FaultKind.LINES_OVERLAP:
            yield Fault(FaultKind.LINES_OVERLAP, first, second)
        if lines[i].end_s > lines[running].end_s:
            running = i
