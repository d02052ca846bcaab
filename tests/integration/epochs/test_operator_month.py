"""A month of an operator in which everything goes wrong once, and is put right.

Every figure was worked out by hand. Beside the service an attester rebuilds each statement from the
log alone; both give the same bytes.
"""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from api.db.facilities import known_facility_row
from api.db.log import logged_after
from api.db.session import reading
from api.db.statements import statement_row, to_statement
from api.domain.metering.instants import format_instant
from api.domain.metering.usage import LineKind
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.statements.recompute import RawInput, Recomputation
from api.domain.units import Epoch
from api.epochs.books import KeptBooks
from api.epochs.close import close_due
from api.ledger.names import told_leases
from tests.factories import DAY_S, GRACE_S, HOUR_S, START_S, Ledger

DOLLAR = 1_000_000
DAYS, SEAL_DAYS = 35, 5  # January and four days of February
H = HOUR_S


class Month(Ledger):
    """A facility of January and a little more, closed day by day, and what is stated."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        super().__init__(
            engine,
            folder,
            window_end_s=START_S + DAYS * DAY_S,
            seal_s=SEAL_DAYS * DAY_S,
            silence_available=False,
        )
        self.books = KeptBooks()
        self.stated: dict[int, dict[LineKind, int]] = {}

    def told(self, *events: object) -> None:
        """Events that the log takes."""
        assert self.codes(*events) == ["accepted"] * len(events)

    def close_until(self, day: int) -> None:
        """Close every day before one; its own morning has come."""
        self.clock.now_s = START_S + day * DAY_S + GRACE_S
        for closed in close_due(self.engine, self.evidence, self.clock.now_s, books=self.books):
            sums: dict[LineKind, int] = {}
            folder = f"facility-{self.facility_id}/epoch-{closed.statement.epoch:05d}"
            for row in self.evidence.read(f"{folder}/lines.csv").decode().splitlines()[1:]:
                kind, charge = LineKind(int(row.split(",")[1])), int(row.split(",")[7])
                sums[kind] = sums.get(kind, 0) + charge
            self.stated[closed.statement.epoch] = {k: c for k, c in sums.items() if c}

    def of(self, day: int) -> dict[LineKind, int]:
        """Charges of a day's statement by kind."""
        return self.stated[day]


@pytest.fixture
def month(engine: Engine, tmp_path: Path) -> Month:
    return Month(engine, tmp_path)


def test_month__everything_goes_wrong_once__is_billed_as_agreed(month: Month) -> None:
    day, use, diff = DAY_S, LineKind.USAGE, LineKind.USAGE_DIFFERENCE
    # A lease that was signed before the window, with a commitment and an SLA.
    month.clock.now_s = START_S
    month.told(
        month.terms(
            "signed", 1, -30 * day,
            prices=[{"from": "2025-12-02T00:00:00Z", "price": 2 * DOLLAR}],
            commitment=[{"from": "2025-12-02T00:00:00Z", "gpus": 1}],
            sla=[{"above_ppm": 1_000, "credit_bps": 1_000}],
        ),
    )  # fmt: skip

    # Day 0: a price typed wrong: ten dollars for one. Five hours at it.
    month.clock.now_s = START_S + 6 * H
    month.told(month.terms("typo", 1, 0, prices=[_price(0, 10 * DOLLAR)]))
    month.told(month.usage(0, 0, 5 * H, lease="typo"), month.usage(1, 0, 6 * H, lease="signed"))
    month.close_until(1)
    assert month.of(0) == {use: 50 * DOLLAR + 12 * DOLLAR}

    # Day 1: put right. 45 dollars are owed back, and the day bears 24.
    month.told(month.terms("typo", 2, 0, prices=[_price(0, DOLLAR)]))
    month.clock.now_s = START_S + 2 * day
    month.told(month.usage(0, day, 2 * day, lease="typo"))
    month.close_until(2)
    assert month.of(1) == {use: 24 * DOLLAR, diff: -24 * DOLLAR}

    # Day 2: a lease that was typed in two days late; its hours of day 0 come with it.
    month.told(month.terms("late", 1, 12 * H, prices=[_price(12 * H, 3 * DOLLAR)]))
    month.told(month.usage(2, 12 * H, 18 * H, lease="late"))
    month.close_until(3)
    # 18 dollars of the late lease, and the typo gets them all: together nothing.
    assert month.of(2) == {}

    # Day 3: an outage told for the wrong card is voided; the right one comes late.
    month.clock.now_s = START_S + 3 * day + 20 * H
    wrong = month.outage(0, 3 * day, 3 * day + 10 * H)
    month.told(wrong, month.usage(0, 3 * day, 3 * day + 20 * H, lease="typo"))
    month.told(month.void(wrong))
    month.close_until(4)
    # 20 hours, and the last 3 dollars of the typo go back.
    assert month.of(3) == {use: 20 * DOLLAR, diff: -3 * DOLLAR}
    month.told(month.outage(1, 3 * day, 3 * day + 2 * H, lease="signed"))

    # Days 4 to 6: a job of three days, reported only at its end.
    month.close_until(6)
    month.clock.now_s = START_S + 7 * day
    month.told(month.usage(2, 4 * day, 7 * day, lease="late"))
    month.close_until(7)
    assert (month.of(4), month.of(5)) == ({}, {})
    assert month.of(6) == {use: 72 * DOLLAR, diff: 144 * DOLLAR}

    # Day 7: nobody says a word. Nothing was there, but for what was seen later.
    month.close_until(8)
    month.told(month.seen(3, 7 * day, 7 * day + 6 * H))
    month.close_until(9)
    assert [_available(month, e) for e in (7, 8)] == [(0, 0), (0, 6 * H)]

    # Day 9: the late lease ends early, for a fee, and is renewed ten days later.
    ends = {"prices": [_price(9 * day, 3 * DOLLAR)], "until": _at(9 * day)}
    month.told(month.terms("late", 2, 9 * day, **ends, fixed=[_item("early end", 9 * day, 500)]))
    month.close_until(10)
    assert month.of(9) == {LineKind.FIXED_DIFFERENCE: 500}
    month.told(month.terms("late", 3, 20 * day, prices=[_price(20 * day, 4 * DOLLAR)]))
    assert month.codes(month.usage(2, 9 * day, 10 * day, lease="late")) == ["lease_not_open"]

    # To the end of January: 744 hours were committed, 2 withheld, 6 used.
    month.close_until(31)
    shortfall = 2 * (744 - 2 - 6) * DOLLAR
    sla = -(shortfall + 12 * DOLLAR) // 10
    assert month.of(30) == {LineKind.SHORTFALL_DIFFERENCE: shortfall, LineKind.SLA_DIFFERENCE: sla}

    # February: an hour of January comes late, and lowers what was stated as not used.
    month.told(month.usage(1, 10 * day, 10 * day + H, lease="signed"))
    month.close_until(32)
    assert month.of(31) == {diff: 2 * DOLLAR, LineKind.SHORTFALL_DIFFERENCE: -2 * DOLLAR}

    # The seal: the closing seals both months; an adjustment is the last word before it.
    month.close_until(35)
    month.told(month.adjustment("signed", -7 * DOLLAR))
    assert month.codes(month.usage(1, 11 * day, 12 * day, lease="nobody")) == ["lease_unknown"]
    month.close_until(DAYS + SEAL_DAYS)
    february = 4 * 24 * 2 * DOLLAR
    assert month.of(34) == {LineKind.SHORTFALL_DIFFERENCE: february}
    assert month.of(35) == {LineKind.ADJUSTMENT_DIFFERENCE: -7 * DOLLAR}
    assert month.codes(month.adjustment("signed", 1)) == ["facility_closed"]
    refunds = f"facility-{month.facility_id}/epoch-00035/credits.csv"
    assert month.evidence.read(refunds).decode().endswith(f",{7 * DOLLAR}\n")
    _attester_agrees(month)


def _at(from_s: int) -> str:
    return format_instant(START_S + from_s)


def _price(from_s: int, price: int) -> dict[str, object]:
    return {"from": _at(from_s), "price": price}


def _item(name: str, at_s: int, amount: int) -> dict[str, object]:
    return {"id": name, "at": _at(at_s), "amount": amount}


def _available(month: Month, epoch: int) -> tuple[int, int]:
    with reading(month.engine) as connection:
        row = statement_row(connection, month.facility_id, Epoch(epoch))
    assert row is not None
    return row.available_gpu_seconds, row.available_adjustment


def _attester_agrees(month: Month) -> None:
    """Whoever has the log alone gives the same statements."""
    with reading(month.engine) as connection:
        facility = known_facility_row(connection, month.facility_id)
        log = terms_from_bytes(facility.terms_json).log
        entries = logged_after(connection, log, after=0, most=10_000)
        leases = told_leases(connection, facility, [logged.entry for logged in entries])
        rows = [statement_row(connection, month.facility_id, Epoch(e)) for e in range(DAYS + 1)]
    terms = terms_from_bytes(facility.terms_json)
    rebuilt = Recomputation(terms, RawInput(grace_s=terms.grace_s, leases=leases))
    rebuilt.read(entries)
    for row in rows:
        assert row is not None
        period = terms.stated_period(row.epoch, ended_at_s=None, grace_s=terms.grace_s)
        assert period is not None
        assert rebuilt.close(period).statement == to_statement(row)
