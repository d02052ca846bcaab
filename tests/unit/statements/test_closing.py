"""Closing: what close refuses, and what follows from leases and outages."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.domain.facility import Period
from api.domain.hashing import keccak
from api.domain.metering.usage import LineKind, Outage
from api.domain.statements.closing import ClosedEpoch, close_epoch
from api.domain.statements.differences import Difference
from api.domain.statements.entries import Entry
from api.domain.statements.evidence import EMPTY_CARRY, Carry
from api.domain.statements.lines import rate_entries
from api.domain.statements.rating import LeaseCarry, LeaseTerms, PricePlan, PriceVersion
from api.domain.units import MAX_I64, ZERO32, Epoch
from api.errors import InvalidInput
from tests.unit.values import DAY_S, DEVICES, LEASE, RENTER, START_S, TERMS

HOUR_S = 3_600
# A dollar an hour; half of it is credited for what the operator withholds.
_PRICE = PriceVersion(1, START_S, 1_000_000, 5_000)
_LEASE = LeaseTerms(LEASE, RENTER, PricePlan.ON_DEMAND, 0, START_S, None, (_PRICE,))


def _usage(gpu: int, from_s: int, to_s: int, kind: LineKind = LineKind.USAGE) -> Entry:
    return Entry(kind, DEVICES[gpu], LEASE, START_S + from_s, START_S + to_s)


def _close(
    *entries: Entry,
    lease: LeaseTerms = _LEASE,
    outages: tuple[Outage, ...] = (),
    carry: Carry = EMPTY_CARRY,
    epoch: int = 0,
    period: Period | None = None,
) -> ClosedEpoch:
    return close_epoch(
        TERMS,
        TERMS.period(Epoch(epoch)) if period is None else period,
        entries=entries,
        outages=outages,
        leases={lease.lease: lease},
        carry=carry,
        previous_statement_hash=ZERO32,
    )


def _figures(closed: ClosedEpoch) -> list[tuple[LineKind, int]]:
    return [(line.kind, line.charge_micros) for line in closed.lines]


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([_usage(0, 0, 60, LineKind.SHORTFALL_DIFFERENCE)], "SHORTFALL_DIFFERENCE is computed"),
        ([replace(_usage(0, 0, 60), device=ZERO32)], "not pledged"),
        ([_usage(0, 0, 60), _usage(0, 59, 90)], "billed twice"),
        ([_usage(0, 0, 60), _usage(0, 59, 90, LineKind.DELIVERY)], "billed twice"),
        ([_usage(0, 0, 60, LineKind.LATE)], "is not of statement 0"),
        ([_usage(0, DAY_S - 60, DAY_S + 1)], "is not of statement 0"),
        ([replace(_usage(0, 0, 60), lease=ZERO32)], "unknown lease"),
    ],
)
def test_close__entries_that_break_a_rule__are_refused(entries: list[Entry], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        _close(*entries)


def test_close__equal_entries_or_use_of_no_epoch__are_refused() -> None:
    late = _usage(0, 0, 60, LineKind.LATE)
    with pytest.raises(InvalidInput, match="equal"):
        _close(late, late, epoch=1)
    books = TERMS.closing_period(ended_at_s=START_S + DAY_S + HOUR_S, grace_s=60)
    assert books is not None
    assert next(line.kind for line in _close(late, period=books).lines) is LineKind.LATE
    cut_short = _usage(0, DAY_S, DAY_S + 60, LineKind.LATE)
    with pytest.raises(InvalidInput, match="is not of statement 1"):
        _close(cut_short, period=books)


def test_close__lease_that_ends_behind_the_last_epoch__changes_no_closing_statement() -> None:
    late = _usage(0, 0, 60, LineKind.LATE)
    books = TERMS.closing_period(ended_at_s=START_S + DAY_S + HOUR_S, grace_s=60)

    ended = replace(_LEASE, closed_at_s=START_S + DAY_S + HOUR_S)

    assert _close(late, period=books).files == _close(late, lease=ended, period=books).files


def test_close__neighbours_of_one_device__do_not_overlap() -> None:
    closed = _close(_usage(0, 0, HOUR_S), _usage(0, HOUR_S, 2 * HOUR_S), _usage(1, 0, HOUR_S))

    assert closed.statement.gross_revenue_micros == 3_000_000


def test_close__take_or_pay__owes_what_stood_ready_and_was_not_used() -> None:
    """Two GPUs for a day: one hour used, one withheld, the rest owed; half an hour credited."""
    lease = replace(_LEASE, plan=PricePlan.TAKE_OR_PAY, committed_gpus=2)
    outage = Outage(DEVICES[3], LEASE, START_S, START_S + HOUR_S)

    closed = _close(_usage(0, 0, HOUR_S), lease=lease, outages=(outage,))

    assert _figures(closed) == [
        (LineKind.USAGE, 1_000_000),
        (LineKind.SHORTFALL_DIFFERENCE, 46_000_000),
        (LineKind.SLA_DIFFERENCE, -500_000),
    ]


@pytest.mark.parametrize("closed_at_s", [START_S + 2 * HOUR_S, START_S + DAY_S])
def test_close__take_or_pay_that_ends__owes_to_its_end(closed_at_s: int) -> None:
    lease = replace(_LEASE, plan=PricePlan.TAKE_OR_PAY, committed_gpus=1, closed_at_s=closed_at_s)

    first, second = _close(lease=lease), _close(lease=lease, epoch=1)

    assert _figures(first) == [
        (LineKind.SHORTFALL_DIFFERENCE, (closed_at_s - START_S) // HOUR_S * 10**6)
    ]
    assert _figures(second) == []


def test_close__outage_without_credit_or_lease__is_no_line() -> None:
    lease = replace(_LEASE, prices=(replace(_PRICE, sla_credit_bps=0),))
    outages = (
        Outage(DEVICES[2], ZERO32, START_S, START_S + HOUR_S),
        Outage(DEVICES[3], LEASE, START_S, START_S + HOUR_S),
    )

    assert _figures(_close(lease=lease, outages=outages)) == []


def _differences(closed: ClosedEpoch) -> list[tuple[LineKind, int, int]]:
    return [
        (line.kind, (line.start_s - START_S) // DAY_S, line.charge_micros)
        for line in closed.lines
        if line.kind > LineKind.VOID
    ]


def test_close__late_usage_and_voids__are_intervals_and_one_difference_an_epoch() -> None:
    """Three hours late and one taken back, of two epochs: money once for each epoch."""
    closed = _close(
        _usage(0, 0, HOUR_S, LineKind.LATE),
        _usage(1, HOUR_S, 2 * HOUR_S, LineKind.LATE),
        _usage(2, 0, HOUR_S, LineKind.VOID),
        _usage(2, DAY_S, DAY_S + HOUR_S, LineKind.LATE),
        _usage(3, DAY_S, DAY_S + HOUR_S, LineKind.LATE_DELIVERY),
        epoch=2,
    )

    assert [x.kind for x in closed.lines[:5]] == [
        *(LineKind.LATE,) * 3,
        LineKind.LATE_DELIVERY,
        LineKind.VOID,
    ]
    assert {(x.charge_micros, x.gpu_seconds) for x in closed.lines[:5]} == {(0, 0)}
    usage = LineKind.USAGE_DIFFERENCE
    assert _differences(closed) == [(usage, 0, 1_000_000), (usage, 1, 1_000_000)]
    assert closed.lines[5].subject == keccak(b"usage")
    assert closed.lines[5].end_s - closed.lines[5].start_s == DAY_S


def test_close__void_and_the_same_hour_again__is_no_difference() -> None:
    closed = _close(
        _usage(0, 0, HOUR_S, LineKind.VOID), _usage(0, 0, HOUR_S, LineKind.LATE), epoch=1
    )

    assert _figures(closed) == [(LineKind.LATE, 0), (LineKind.VOID, 0)]
    assert closed.carry.deferred == ()


def test_close__void_beyond_the_revenue__is_shortened_and_the_rest_waits() -> None:
    """A void of two hours, where one was used: an hour back now, the other when there is some."""
    void = _usage(0, 0, 2 * HOUR_S, LineKind.VOID)

    first = _close(_usage(1, DAY_S, DAY_S + HOUR_S), void, epoch=1)
    idle = _close(carry=first.carry, epoch=2)
    later = _close(_usage(1, 2 * DAY_S, 2 * DAY_S + 3 * HOUR_S), carry=first.carry, epoch=2)

    assert [x.cumulative_charge_micros for x in first.lines] == [1_000_000, 1_000_000, 0]
    assert _differences(first) == [(LineKind.USAGE_DIFFERENCE, 0, -1_000_000)]
    assert [d.weight for d in first.carry.deferred] == [-1_000_000 * 3_600 * 10_000]
    assert _figures(idle) == []
    assert idle.carry == first.carry
    assert _figures(later) == [(LineKind.USAGE, 3_000_000), (LineKind.USAGE_DIFFERENCE, -1_000_000)]
    assert later.carry.deferred == ()


def test_close__credit_of_one_and_shortfall_of_another__the_total_bears_the_credit() -> None:
    """Kinds are in order of lines, yet what adds counts before what takes: a prefix dips."""
    lease = replace(_LEASE, plan=PricePlan.TAKE_OR_PAY, committed_gpus=1)
    void = _usage(0, 0, 2 * HOUR_S, LineKind.VOID)

    closed = _close(void, lease=lease, epoch=1)

    assert [x.cumulative_charge_micros for x in closed.lines] == [0, -2_000_000, 22_000_000]
    assert closed.statement.gross_revenue_micros == 22_000_000


def test_close__closing_statement__states_everything_also_below_zero() -> None:
    """Two hours void where one was used: what waited is stated at last, and nothing waits more."""
    void = _usage(0, 0, 2 * HOUR_S, LineKind.VOID)
    waits = _close(_usage(1, 2 * DAY_S, 2 * DAY_S + HOUR_S), void, epoch=2)
    period = TERMS.closing_period(ended_at_s=None, grace_s=60)
    assert period == Period(Epoch(3), TERMS.window_end_s, TERMS.sealed_at_s, closing=True)

    closed = _close(_usage(3, 0, HOUR_S, LineKind.LATE_DELIVERY), carry=waits.carry, period=period)

    assert _figures(closed) == [
        (LineKind.LATE_DELIVERY, 0),
        (LineKind.USAGE_DIFFERENCE, -1_000_000),
    ]
    statement = closed.statement
    assert (statement.gross_revenue_micros, statement.epoch) == (-1_000_000, 3)
    assert (statement.available_gpu_seconds, statement.billed_gpu_seconds) == (0, 0)
    assert closed.carry.deferred == ()


def test_close__usage_in_a_closing_statement__is_refused() -> None:
    period = TERMS.closing_period(ended_at_s=None, grace_s=60)

    with pytest.raises(InvalidInput, match="of no epoch"):
        _close(_usage(0, 3 * DAY_S, 3 * DAY_S + 60), period=period)


@pytest.mark.parametrize(
    ("ended_at_s", "expected"),
    [
        (0, None),
        (DAY_S - 1, None),
        (DAY_S, (1, DAY_S, DAY_S + 60)),
        (3 * DAY_S - 1, (2, 2 * DAY_S, 3 * DAY_S + 59)),
        (4 * DAY_S, (3, 3 * DAY_S, 4 * DAY_S + 60)),
        (90 * DAY_S, (3, 3 * DAY_S, 3 * DAY_S + TERMS.seal_s)),
    ],
)
def test_closing_period__of_a_facility_that_ended__follows_the_last_epoch_over(
    ended_at_s: int, expected: tuple[int, int, int] | None
) -> None:
    found = TERMS.closing_period(ended_at_s=START_S + ended_at_s, grace_s=60)

    assert (found is None) == (expected is None)
    if found and expected:
        epoch, start_s, end_s = expected
        early = ended_at_s < 90 * DAY_S
        assert found == Period(
            Epoch(epoch),
            START_S + start_s,
            START_S + end_s,
            closing=True,
            ended_at_s=START_S + ended_at_s if early else None,
        )
        assert found.over_s == START_S + (ended_at_s if early else end_s)


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=8), st.integers(0, 5_000_000))
def test_rate__any_differences__sum_to_the_whole_and_never_below_zero(
    hours: list[int], price: int
) -> None:
    """Stated and deferred are together the exact weight, and no total is below 0."""
    carry, stated, weights = EMPTY_CARRY, 0, 0
    for epoch, hour in enumerate(hours):
        weight = hour * 1_237 * price
        weights += weight
        due = Difference(LineKind.USAGE_DIFFERENCE, ZERO32, LEASE, epoch, epoch + 1, weight)
        rated = rate_entries([], [due, *carry.deferred], {LEASE: _LEASE}, carry.leases)
        total = sum(x.charge_micros for x in rated.lines)
        assert total >= 0
        assert all(x.charge_micros for x in rated.lines)
        stated += total
        carry = Carry(rated.carry, rated.deferred)
    waiting = sum(d.weight for d in carry.deferred)
    assert carry.leases.get(LEASE, LeaseCarry()).weight + waiting == weights
    assert stated == (weights - waiting) // (3_600 * 10_000)


@pytest.mark.parametrize("fits", [True, False])
def test_rate__total_beyond_63_bits__is_refused(fits: bool) -> None:
    lease = replace(_LEASE, prices=(PriceVersion(1, START_S, MAX_I64 if fits else MAX_I64 + 1),))
    arguments: Any = ([_usage(0, 0, HOUR_S)], [], {LEASE: lease}, {})

    if fits:
        assert rate_entries(*arguments).lines[0].charge_micros == MAX_I64
    else:
        with pytest.raises(InvalidInput, match="63 bits"):
            rate_entries(*arguments)
