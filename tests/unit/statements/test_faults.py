"""Faults: honest statements have none, each broken rule is found, the golden file is current."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.domain.hashing import keccak
from api.domain.metering.usage import COUNTED_KINDS, DELIVERY_KINDS, LineKind
from api.domain.pledges import Pledge, PledgedDevice, whole_cards
from api.domain.statements.closing import ClosedEpoch
from api.domain.statements.faults import (
    Fault,
    FaultKind,
    absence_neighbours,
    device_fault,
    find_faults,
    line_fault,
    pair_fault,
)
from api.domain.statements.lines import Line
from api.domain.units import ZERO32, Bytes32, Epoch
from tests import fault_vectors
from tests.ledgers import EPOCH_S, EPOCHS, Ledger, closed_books, closed_epochs, facility

TERMS = facility()
SEEDS = st.integers(0, 2**32)


# A facility that nobody ended; that ended at some second; that ended just before its seal.
ENDS = st.none() | st.integers(EPOCH_S, 6 * EPOCH_S) | st.integers(5 * EPOCH_S - 700, 5 * EPOCH_S)


@given(SEEDS, ENDS)
def test_find_faults__any_honest_ledger__finds_none(seed: int, ended_s: int | None) -> None:
    """ATTACKS 21: no rule ever calls an honest statement faulty, for any line or pair."""
    ended_at_s = None if ended_s is None else TERMS.window_start_s + ended_s
    for closed in closed_books(Ledger(seed, TERMS, ended_at_s)):
        lines = closed.lines

        assert find_faults(TERMS, closed.statement, lines) == ()
        pairs = [pair_fault(a, b) for i, a in enumerate(lines) for b in lines[i:]]
        assert not any(pairs)


def test_ledgers__over_seeds__hold_every_kind_and_totals_of_either_sign() -> None:
    """What the property test above rests on."""
    books = [closed_books(Ledger(seed, TERMS)) for seed in range(40)]
    epochs = [closed for each in books for closed in each[:-1]]
    kinds = Counter(line.kind for closed in epochs for line in closed.lines)

    assert set(kinds) == set(LineKind)
    # Differences of an earlier month in a later statement: the interval is outside by design.
    late = [
        line
        for closed in epochs
        for line in closed.lines
        if line.kind is LineKind.SLA_DIFFERENCE and line.end_s <= closed.statement.epoch_start_s
    ]
    assert late
    # A prefix dips below zero, an epoch's total never; a closing statement's may.
    assert any(x.cumulative_charge_micros < 0 for closed in epochs for x in closed.lines)
    assert all(closed.statement.gross_revenue_micros >= 0 for closed in epochs)
    closings = [each[-1].statement for each in books]
    assert {x.gross_revenue_micros > 0 for x in closings} == {True, False}
    assert any(x.gross_revenue_micros < 0 for x in closings)
    # Of two renters one pays at least half.
    for closed in epochs:
        positive = any(line.charge_micros > 0 for line in closed.lines)
        least, most = (5_000, 10_000) if positive else (0, 0)
        assert least <= closed.statement.top_renter_bps <= most
        assert 0 <= closed.statement.committed_bps <= 10_000
    adjustments = [closed.statement.available_adjustment for closed in epochs]
    assert min(adjustments) < 0 < max(adjustments)


def _closed(kind: LineKind) -> tuple[ClosedEpoch, Line]:
    """A closed epoch after the first with a line of a kind that is neither first nor last."""
    for seed in range(1_000):
        for closed in closed_epochs(seed, TERMS)[1:]:
            for line in closed.lines[1:-1]:
                if line.kind is kind:
                    return closed, line
    raise AssertionError(kind)


@pytest.mark.parametrize("kind", LineKind)
def test_line_fault__other_interval__is_a_fault_outside_what_the_kind_allows(
    kind: LineKind,
) -> None:
    closed, line = _closed(kind)
    start_s, end_s = closed.statement.epoch_start_s, closed.statement.epoch_end_s
    counted = 60 if kind in COUNTED_KINDS else 0

    def at(begin_s: int) -> FaultKind | None:
        moved = replace(line, start_s=begin_s, end_s=begin_s + 60, gpu_seconds=counted)
        return line_fault(TERMS, closed.statement, moved)

    outside = FaultKind.INTERVAL_OUTSIDE
    anywhere = kind > LineKind.VOID
    assert at(start_s) == (None if anywhere or kind in COUNTED_KINDS else outside)
    assert at(end_s - 60) == at(start_s)
    assert at(end_s - 59) == (None if anywhere else outside)
    assert at(start_s - 60) == (outside if kind in COUNTED_KINDS else None)
    assert at(start_s - 59) == (None if anywhere else outside)
    assert at(TERMS.window_start_s - 1) == outside
    last = closed.statement.epoch == EPOCHS - 1
    inside = anywhere or (last and kind in COUNTED_KINDS)
    assert at(TERMS.window_end_s - 60) == (None if inside else outside)
    assert at(TERMS.window_end_s - 59) == (None if anywhere else outside)
    assert at(TERMS.sealed_at_s - 60) == (None if anywhere else outside)
    assert at(TERMS.sealed_at_s - 59) == outside


@pytest.mark.parametrize("kind", [LineKind.LATE, LineKind.LATE_DELIVERY, LineKind.VOID])
def test_line_fault__late_over_the_border_of_two_epochs__is_outside(kind: LineKind) -> None:
    closed = next(c for c in closed_epochs(1, TERMS) if c.statement.epoch == 2)
    statement = replace(closed.statement, line_count=9)
    device, border_s = TERMS.devices[0], TERMS.window_start_s + EPOCH_S

    def at(begin_s: int, end_s: int) -> FaultKind | None:
        line = Line(1, kind, device, keccak(b"lease 0"), begin_s, end_s, 0, 0, 0, 0)
        return line_fault(TERMS, statement, line)

    assert at(border_s - 60, border_s) is None
    assert at(border_s, border_s + EPOCH_S) is None
    assert at(border_s - 1, border_s + 1) is FaultKind.INTERVAL_OUTSIDE
    assert at(border_s + EPOCH_S - 1, border_s + EPOCH_S + 1) is FaultKind.INTERVAL_OUTSIDE


@pytest.mark.parametrize(
    ("kind", "changes", "fault"),
    [
        (LineKind.USAGE, {"index": 2**32 - 1}, FaultKind.INDEX_BEYOND_COUNT),
        (LineKind.USAGE, {"kind": 12}, FaultKind.KIND_UNKNOWN),
        (LineKind.USAGE, {"gpu_seconds": 1}, FaultKind.GPU_SECONDS_WRONG),
        (LineKind.DELIVERY, {"gpu_seconds": 0}, FaultKind.GPU_SECONDS_WRONG),
        (LineKind.VOID, {"gpu_seconds": 1}, FaultKind.GPU_SECONDS_WRONG),
        (LineKind.LATE, {"gpu_seconds": 1}, FaultKind.GPU_SECONDS_WRONG),
        (LineKind.LATE_DELIVERY, {"gpu_seconds": 1}, FaultKind.GPU_SECONDS_WRONG),
        (LineKind.SHORTFALL_DIFFERENCE, {"gpu_seconds": 1}, FaultKind.GPU_SECONDS_WRONG),
        (LineKind.USAGE, {"charge_micros": -1}, FaultKind.CHARGE_WRONG),
        *(
            (kind, {"charge_micros": charge}, FaultKind.CHARGE_WRONG)
            for kind in (*DELIVERY_KINDS, LineKind.LATE, LineKind.VOID)
            for charge in (-1, 1)
        ),
        (LineKind.SHORTFALL_DIFFERENCE, {"subject": keccak(b"x")}, FaultKind.SUBJECT_WRONG),
        (LineKind.SLA_DIFFERENCE, {"kind": 5}, FaultKind.SUBJECT_WRONG),
        (LineKind.SLA_DIFFERENCE, {"charge_micros": 1}, None),
        (LineKind.SLA_DIFFERENCE, {"kind": 10}, None),
        (LineKind.SLA_DIFFERENCE, {"kind": 11}, None),
    ],
)
def test_line_fault__one_field_wrong__names_the_rule(
    kind: LineKind, changes: dict[str, int], fault: FaultKind | None
) -> None:
    closed, line = _closed(kind)

    assert line_fault(TERMS, closed.statement, line) is None
    assert line_fault(TERMS, closed.statement, replace(line, **changes)) is fault


def test_line_fault__empty_or_backward__is_interval_empty() -> None:
    closed, line = _closed(LineKind.USAGE)

    for end_s in (line.start_s, line.start_s - 1):
        changed = replace(line, end_s=end_s)
        assert line_fault(TERMS, closed.statement, changed) is FaultKind.INTERVAL_EMPTY


def test_find_faults__sums_or_totals_wrong__names_the_line() -> None:
    """Broken prefix sums, also at index 0; a last line without the totals."""
    closed, line = _closed(LineKind.USAGE)
    lines, last = list(closed.lines), len(closed.lines) - 1
    total = lines[last].cumulative_charge_micros

    first = replace(lines[0], cumulative_gpu_seconds=lines[0].cumulative_gpu_seconds + 1)
    middle = replace(line, cumulative_charge_micros=line.cumulative_charge_micros - 1)
    final = replace(lines[last], cumulative_charge_micros=total + 1)

    def search(changed: Line) -> tuple[Fault, ...]:
        broken = [changed if x.index == changed.index else x for x in lines]
        return find_faults(TERMS, closed.statement, broken)

    assert search(first)[0] == Fault(FaultKind.SUMS_WRONG, 0)
    pair = Fault(FaultKind.SUMS_WRONG, middle.index - 1, middle.index)
    assert pair in search(middle)
    assert Fault(FaultKind.TOTALS_WRONG, last) in search(final)


def _line(index: int, kind: LineKind, start_s: int, end_s: int) -> Line:
    device, lease = TERMS.devices[2], keccak(b"lease 0")
    return Line(index, kind, device, lease, start_s, end_s, end_s - start_s, 0, 0, 0)


@pytest.mark.parametrize(
    ("start_s", "end_s", "overlap"), [(10, 20, False), (9, 20, True), (0, 10, True), (4, 6, True)]
)
def test_pair_fault__one_device_twice__overlaps_by_a_second(
    start_s: int, end_s: int, overlap: bool
) -> None:
    """Usage and delivery of a device are never neighbours, yet any two lines can be shown."""
    first = _line(0, LineKind.USAGE, 0, 10)
    second = _line(5, LineKind.DELIVERY, start_s, end_s)

    assert pair_fault(first, second) is (FaultKind.LINES_OVERLAP if overlap else None)
    assert pair_fault(first, replace(second, subject=TERMS.devices[0])) is None
    late = replace(second, kind=LineKind.LATE)
    assert pair_fault(first, late) is None


def test_find_faults__overlap_of_kinds_that_are_no_neighbours__is_found() -> None:
    closed, _ = _closed(LineKind.USAGE)
    base = closed.statement.epoch_start_s
    lines = [
        _line(0, LineKind.USAGE, base, base + 100),
        _line(1, LineKind.USAGE, base + 200, base + 300),
        _line(2, LineKind.DELIVERY, base + 50, base + 60),
    ]

    found = find_faults(TERMS, closed.statement, lines)

    assert Fault(FaultKind.LINES_OVERLAP, 0, 2) in found


def test_pair_fault__order_and_index__are_strict() -> None:
    usage = _line(0, LineKind.USAGE, 0, 10)
    void = replace(usage, kind=LineKind.VOID, gpu_seconds=0, cumulative_gpu_seconds=10)

    assert pair_fault(usage, replace(usage, index=1)) is FaultKind.LINES_OUT_OF_ORDER
    assert pair_fault(void, replace(void, index=1)) is FaultKind.LINES_OUT_OF_ORDER
    later = _line(1, LineKind.USAGE, 20, 30)
    assert pair_fault(replace(later, index=0), replace(usage, index=1)) is (
        FaultKind.LINES_OUT_OF_ORDER
    )
    assert pair_fault(usage, replace(usage, charge_micros=1)) is FaultKind.INDEX_REPEATED
    assert pair_fault(usage, usage) is None
    assert pair_fault(replace(usage, index=1), usage) is None


def test_device_fault__not_pledged__is_shown_by_neighbours() -> None:
    devices = TERMS.devices
    between = Bytes32((int.from_bytes(devices[1]) + 1).to_bytes(32))
    closed, line = _closed(LineKind.USAGE)
    changed = replace(line, subject=between)

    assert device_fault(TERMS, line) is None
    assert device_fault(TERMS, changed) is FaultKind.DEVICE_NOT_PLEDGED
    assert Fault(FaultKind.DEVICE_NOT_PLEDGED, 0) in find_faults(TERMS, closed.statement, [changed])
    assert (
        device_fault(TERMS, replace(line, kind=LineKind.SHORTFALL_DIFFERENCE, subject=ZERO32))
        is None
    )
    assert absence_neighbours(TERMS, between) == (1, 2)
    assert absence_neighbours(TERMS, ZERO32) == (0,)
    assert absence_neighbours(TERMS, Bytes32(b"\xff" * 32)) == (len(devices) - 1,)


def test_device_fault__pledge_replaced__is_judged_by_the_one_in_force_at_its_start() -> None:
    closed, line = _closed(LineKind.USAGE)
    new = Bytes32(b"\7" * 32)
    replacement = Pledge(2, Epoch(1), whole_cards([new]))
    at = {e: TERMS.epoch_bounds(Epoch(e))[0] for e in (0, 1)}

    def fault(device: Bytes32, epoch: int, *replacements: Pledge) -> FaultKind | None:
        moved = replace(line, subject=device, start_s=at[epoch], end_s=at[epoch] + 1)
        return device_fault(TERMS, moved, replacements)

    old = TERMS.devices[0]
    assert fault(old, 0, replacement) is None
    assert fault(old, 1, replacement) is FaultKind.DEVICE_NOT_PLEDGED
    assert fault(new, 0, replacement) is FaultKind.DEVICE_NOT_PLEDGED
    assert fault(new, 1, replacement) is None
    # In the pledge, but only from a later epoch on.
    later = Pledge(2, Epoch(1), (PledgedDevice(new, new, Epoch(2)),))
    assert fault(new, 1, later) is FaultKind.DEVICE_NOT_PLEDGED
    # What starts before the window is judged by the first epoch's.
    early = replace(line, subject=new, start_s=0, end_s=1)
    assert device_fault(TERMS, early, [replacement]) is FaultKind.DEVICE_NOT_PLEDGED
    assert Fault(FaultKind.DEVICE_NOT_PLEDGED, 0) in find_faults(
        TERMS, closed.statement, [line], [Pledge(2, Epoch(0), whole_cards([new]))]
    )


def test_vectors__regenerated__equal_the_file() -> None:
    assert fault_vectors.FILE.read_text() == fault_vectors.text()
    assert {c[-1] for c in fault_vectors.line_cases()} == {0, *range(2, 11)}
    assert {c[-1] for c in fault_vectors.pair_cases()} == {0, 9, 11, 12, 13}
