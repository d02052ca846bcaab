"""Closing: what close refuses, and what follows from leases and outages."""

from dataclasses import replace
from typing import Any

import pytest

from api.domain.metering.usage import LineKind, Outage
from api.domain.statements.closing import ClosedEpoch, close_epoch
from api.domain.statements.evidence import EMPTY_CARRY, Carry
from api.domain.statements.lines import Entry, rate_entries
from api.domain.statements.rating import LeaseTerms, PricePlan, PriceVersion
from api.domain.units import MAX_I64, ZERO32, Epoch
from api.errors import InvalidInput
from tests.unit.values import DAY_S, DEVICES, LEASE, RENTER, START_S, TERMS

HOUR_S = 3_600
# A dollar an hour; half of it is credited for what the operator withholds.
_PRICE = PriceVersion(1, START_S, 1_000_000, 5_000)
_LEASE = LeaseTerms(LEASE, RENTER, PricePlan.ON_DEMAND, 0, START_S, None, (_PRICE,))


def _usage(gpu: int, from_s: int, to_s: int, kind: LineKind = LineKind.USAGE) -> Entry:
    return Entry(kind, DEVICES[gpu], LEASE, START_S + from_s, START_S + to_s, to_s - from_s)


def _close(
    *entries: Entry,
    lease: LeaseTerms = _LEASE,
    outages: tuple[Outage, ...] = (),
    carry: Carry = EMPTY_CARRY,
    epoch: int = 0,
) -> ClosedEpoch:
    return close_epoch(
        TERMS,
        Epoch(epoch),
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
        ([_usage(0, 0, 60, LineKind.SHORTFALL)], "SHORTFALL is computed"),
        ([replace(_usage(0, 0, 60), device=ZERO32)], "not pledged"),
        ([_usage(0, 0, 60), _usage(0, 59, 90)], "billed twice"),
        ([_usage(0, 0, 60), _usage(0, 59, 90, LineKind.DELIVERY)], "billed twice"),
        ([_usage(0, 0, 60, LineKind.LATE_USAGE)] * 2, "equal"),
        ([replace(_usage(0, 0, 60), lease=ZERO32)], "unknown lease"),
    ],
)
def test_close__entries_that_break_a_rule__are_refused(entries: list[Entry], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        _close(*entries)


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
        (LineKind.SHORTFALL, 46_000_000),
        (LineKind.SLA_CREDIT, -500_000),
    ]


@pytest.mark.parametrize("closed_at_s", [START_S + 2 * HOUR_S, START_S + DAY_S])
def test_close__take_or_pay_that_ends__owes_to_its_end(closed_at_s: int) -> None:
    lease = replace(_LEASE, plan=PricePlan.TAKE_OR_PAY, committed_gpus=1, closed_at_s=closed_at_s)

    first, second = _close(lease=lease), _close(lease=lease, epoch=1)

    assert _figures(first) == [(LineKind.SHORTFALL, (closed_at_s - START_S) // HOUR_S * 10**6)]
    assert _figures(second) == []


def test_close__outage_without_credit_or_lease__is_no_line() -> None:
    lease = replace(_LEASE, prices=(replace(_PRICE, sla_credit_bps=0),))
    outages = (
        Outage(DEVICES[2], ZERO32, START_S, START_S + HOUR_S),
        Outage(DEVICES[3], LEASE, START_S, START_S + HOUR_S),
    )

    assert _figures(_close(lease=lease, outages=outages)) == []


def test_close__void_beyond_the_revenue__is_deferred_until_there_is_some() -> None:
    void = _usage(0, 0, 2 * HOUR_S, LineKind.VOID)

    first = _close(_usage(1, 0, HOUR_S), void)
    second = _close(_usage(1, DAY_S, DAY_S + 3 * HOUR_S), carry=first.carry, epoch=1)

    assert _figures(first) == [(LineKind.USAGE, 1_000_000)]
    assert first.carry.deferred == (void,)
    assert _figures(second) == [(LineKind.USAGE, 3_000_000), (LineKind.VOID, -2_000_000)]


@pytest.mark.parametrize("fits", [True, False])
def test_rate__total_beyond_63_bits__is_refused(fits: bool) -> None:
    lease = replace(_LEASE, prices=(PriceVersion(1, START_S, MAX_I64 if fits else MAX_I64 + 1),))
    arguments: Any = ([_usage(0, 0, HOUR_S)], {LEASE: lease}, {})

    if fits:
        assert rate_entries(*arguments).lines[0].charge_micros == MAX_I64
    else:
        with pytest.raises(InvalidInput, match="63 bits"):
            rate_entries(*arguments)
