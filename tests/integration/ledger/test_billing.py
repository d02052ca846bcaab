"""What a real log says of each month explains, after every statement, what was stated of it."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from api.db.facilities import known_facility_row
from api.db.session import reading
from api.domain.metering.instants import format_instant
from api.epochs.books import KeptBooks
from api.epochs.close import close_due
from api.ledger.billing import Billing, ChainTerms, contents, read_billing
from tests.factories import DAY_S, GRACE_S, HOUR_S, START_S, Ledger

USD = 1_000_000
JANUARY, FEBRUARY = 2026 * 12, 2026 * 12 + 1
CHAIN = ChainTerms(3_600, "mUSD", 6, None)
H = HOUR_S


class _Life(Ledger):
    """January and four days of February, closed day by day."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        super().__init__(engine, folder, window_end_s=START_S + 35 * DAY_S, seal_s=5 * DAY_S)
        self.books = KeptBooks()

    def told(self, *events: object) -> None:
        assert self.codes(*events) == ["accepted"] * len(events)

    def close_until(self, day: int) -> None:
        self.clock.now_s = START_S + day * DAY_S + GRACE_S
        close_due(self.engine, self.evidence, self.clock.now_s, books=self.books)

    def check(self) -> dict[tuple[str, int, int], int]:
        """Open credit by lease, month and number of statements; each must be explained."""
        found = {}
        with reading(self.engine) as connection:
            row = known_facility_row(connection, self.facility_id)
            billing = read_billing(connection, row, window_s=3_600)
            for month in (JANUARY, FEBRUARY):
                for statements in (1, 2, 3, *range(30, len(billing.cuts) + 1)):
                    after = dict.fromkeys(_stated(billing, month, statements))
                    for key, content in contents(
                        connection, billing, month, after, statements=statements, chain=CHAIN
                    ):
                        name = billing.leases[key.lease].lease_id
                        assert content.explained is not None, (name, month, statements)
                        assert content.open_credit is not None
                        found[name, month, statements] = content.open_credit
        return found


def _stated(billing: Billing, month: int, statements: int) -> list[bytes]:
    stated = billing.stated(statements=statements)
    return sorted({key.lease for key in stated if key.month == month})


@pytest.mark.both_databases
def test_billing__a_log_with_everything_in_it__explains_each_month(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Allocations over the turn of the month, replacements, voids, outages, prices typed wrong."""
    # Each lease by itself, as where there are too many lines for the memory.
    monkeypatch.setattr("api.ledger.billing._LINES_AT_ONCE", 1)
    life = _Life(engine, tmp_path)
    step = {"from": format_instant(START_S), "price": 20 * USD}
    life.told(
        life.terms(
            "wide", 1, 0, prices=[step], commitment=[{"from": step["from"], "gpus": 1}],
            sla=[{"above_ppm": 100, "credit_bps": 500}], minimum=3 * USD,
            tiers=[{"above_hours": 5, "discount_bps": 1_000}],
        ),
    )  # fmt: skip
    life.clock.now_s = START_S + 20 * H
    first = life.usage(0, 0, 6 * H, lease="wide")
    opened = life.allocation(1, 10 * H)
    life.told(first, opened, life.confirmed(opened, 18 * H))
    life.close_until(2)
    # The use was shorter, the price a tenth; a card was out that the lease held.
    life.told(life.replace(first, life.usage(0, 0, 5 * H, lease="wide")))
    step["price"] = 2 * USD
    life.told(
        life.terms(
            "wide", 2, 0, prices=[step], commitment=[{"from": step["from"], "gpus": 1}],
            sla=[{"above_ppm": 100, "credit_bps": 500}],
        ),
        life.outage(0, 1 * H, 2 * H),
        life.adjustment("lease-a", -4 * USD),
    )  # fmt: skip
    life.close_until(31)
    # Over the turn of the month; then told to have ended before it.
    life.clock.now_s = START_S + 31 * DAY_S + 5 * H
    over = life.allocation(2, 30 * DAY_S + 20 * H)
    life.told(over, life.confirmed(over, 31 * DAY_S + 4 * H))
    life.close_until(32)
    life.told(life.ended(over, 30 * DAY_S + 22 * H), life.ended(opened, 16 * H))
    late = life.usage(3, 30 * DAY_S, 30 * DAY_S + 3 * H, lease="wide")
    # A job that goes on from January into February.
    life.told(late, life.usage(3, 30 * DAY_S + 22 * H, 31 * DAY_S + 2 * H, lease="wide"))
    life.close_until(33)
    life.told(life.void(late))
    life.close_until(35)
    life.clock.now_s = START_S + 40 * DAY_S + GRACE_S
    close_due(life.engine, life.evidence, life.clock.now_s, books=life.books)

    credits_left = life.check()

    # A price typed ten times too high is given back as revenue allows, and by the closing wholly.
    assert max(credits_left.values()) > 0
    last = max(statements for _, _, statements in credits_left)
    assert last == 36
    assert {c for (_, _, statements), c in credits_left.items() if statements == last} == {0}
