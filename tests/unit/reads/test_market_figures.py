"""Figures of the market against numbers worked out by hand."""

import csv
import io
import random
from itertools import pairwise

import pytest

from api.domain.capital.accumulator import Stream
from api.domain.capital.coupons import Settling, Supplied, coupon_due
from api.domain.capital.risk import YEAR_S, receivable_since, remaining_contracted, straight_line
from api.domain.capital.series import EpochStatementFigures, Window, build_series, epoch_of
from api.domain.capital.shares import (
    Accrual,
    SupplyChange,
    Vesting,
    paid_per_unit,
    ratio_ppm,
    replay_stream,
    streaming_share,
)
from api.domain.statements.rating import LeaseTerms, PricePlan, PriceVersion
from api.domain.units import Bytes32
from api.reads.export import encode_csv

HOUR_S, DAY_S = 3_600, 86_400


def test_ratio_ppm__of_nothing__is_unknown_and_not_zero() -> None:
    assert ratio_ppm(1, 3) == 333_333
    assert ratio_ppm(0, 3) == 0
    assert ratio_ppm(3, 3) == 1_000_000
    assert ratio_ppm(0, 0) is None


def test_paid_per_unit__half_burned_halfway__shares_the_rest() -> None:
    # 100 over 10 s to 10 units: 5 each until half time, then 50 to 5 units.
    changes = [SupplyChange(0, 10), Accrual(0, 100, 10), SupplyChange(5, -5)]

    assert paid_per_unit(replay_stream(changes)) == 15
    assert paid_per_unit(replay_stream(changes[:2])) == 10
    assert paid_per_unit(replay_stream([])) is None
    assert paid_per_unit(replay_stream([*changes, SupplyChange(9, -5)])) is None


@pytest.mark.parametrize("seed", range(20))
def test_replay_stream__of_events__is_the_model_that_made_them(seed: int) -> None:
    rng, stream, changes, now_s = random.Random(seed), Stream(), [], 0
    for _ in range(60):
        now_s += rng.randrange(0, 500)
        kind = rng.choice(("supply", "accrue", "vest"))
        if kind == "supply":
            units = rng.randint(-stream.supply, 50)
            stream = stream.with_supply(stream.supply + units, now_s)
            changes.append(SupplyChange(now_s, units))
        elif kind == "accrue" and stream.supply:
            amount, span_s = rng.randint(1, 10**9), rng.randint(1, 2_000)
            stream = stream.accrue(amount, span_s, now_s)
            changes.append(Accrual(now_s, amount, stream.end_s))
        elif kind == "vest":
            stream = stream.vest(now_s)
            changes.append(Vesting(now_s))

    assert replay_stream(changes) == stream


def test_streaming_share__of_three_units__rounds_down() -> None:
    stream = Stream().with_supply(3, 0).accrue(100, 10, 0)

    assert streaming_share(stream, 1, 0) == 33
    assert streaming_share(stream, 1, 5) == 16
    assert streaming_share(stream, 3, 5) == 50
    assert streaming_share(stream, 3, 10) == 0
    assert streaming_share(Stream(), 3, 10) == 0


def test_receivable_since__of_three_statements__is_the_oldest_unpaid() -> None:
    posts = [(100, 10), (200, 0), (300, 10)]

    assert [receivable_since(posts, n) for n in (0, 9, 10, 19, 20, 30)] == [
        100,
        100,
        300,
        300,
        None,
        None,
    ]
    assert receivable_since([], 0) is None


def _lease(plan: PricePlan, committed: int, closed_at_s: int | None = None) -> LeaseTerms:
    prices = (PriceVersion(1, 0, 2_000_000), PriceVersion(2, 10 * HOUR_S, 3_000_000))
    zero = Bytes32(bytes(32))
    return LeaseTerms(zero, zero, plan, committed, HOUR_S, closed_at_s, prices)


def test_remaining_contracted__repriced_lease__counts_each_price_in_its_time() -> None:
    lease = _lease(PricePlan.TAKE_OR_PAY, 4)

    # Four GPUs: 8 hours at 2 dollars and 14 at 3.
    at_two = remaining_contracted([lease], start_s=2 * HOUR_S, end_s=DAY_S)
    assert at_two == 4 * (8 * 2 + 14 * 3) * 10**6
    # Before it opens nothing is owed: 9 hours at 2 dollars.
    assert remaining_contracted([lease], start_s=0, end_s=DAY_S) == 4 * (18 + 42) * 10**6
    closed = _lease(PricePlan.TAKE_OR_PAY, 4, 12 * HOUR_S)
    assert remaining_contracted([closed], start_s=11 * HOUR_S, end_s=DAY_S) == 12_000_000
    assert remaining_contracted([lease], start_s=DAY_S, end_s=DAY_S) == 0
    assert remaining_contracted([_lease(PricePlan.SPOT, 0)], start_s=0, end_s=DAY_S) is None


def test_straight_line__after_eighteen_months__loses_its_share() -> None:
    def value(age_s: int) -> list[int]:
        found = straight_line(
            cost_micros_per_device=30_000, device_count=2, in_service_s=0, now_s=age_s
        )
        return [v.value_micros for v in found]

    assert value(YEAR_S * 3 // 2) == [30_000, 37_500, 45_000]
    assert value(-5) == [60_000] * 3
    assert value(YEAR_S * 4) == [0, 0, 20_000]
    assert value(1) == [59_999] * 3


_WINDOW = Window(1_000, 100, 2_000, 100 * 990_000)


def test_series__of_three_epochs__has_one_point_each() -> None:
    statements = {0: EpochStatementFigures(5, 60, 90), 1: EpochStatementFigures(7, 70, 100)}

    found = build_series(_WINDOW, statements=statements, accrued={0: 3}, settled={2: 4})

    assert found.bucket_epochs == 1
    assert [p.gross_micros for p in found.points] == [5, 7, None]
    assert [(p.start_s, p.end_s) for p in found.points] == [
        (1_000, 1_100),
        (1_100, 1_200),
        (1_200, 1_300),
    ]
    assert [p.accrued_micros for p in found.points] == [3, 0, 0]
    assert [p.settled_micros for p in found.points] == [0, 0, 4]
    assert [p.promised_gpu_seconds for p in found.points] == [99, 99, 99]
    assert build_series(_WINDOW, statements={}, accrued={}, settled={}).points == ()


@pytest.mark.parametrize("epochs", [399, 400, 401, 720, 1_999])
def test_series__of_many_epochs__keeps_every_sum_in_at_most_400_points(epochs: int) -> None:
    statements = {e: EpochStatementFigures(e, 1, 2) for e in range(epochs)}

    found = build_series(_WINDOW, statements=statements, accrued={epochs - 1: 9}, settled={0: 8})

    points = found.points
    assert len(points) <= 400
    assert sum(p.gross_micros or 0 for p in points) == epochs * (epochs - 1) // 2
    assert sum(p.accrued_micros for p in points) == 9
    assert sum(p.settled_micros for p in points) == 8
    assert sum(p.promised_gpu_seconds for p in points) == 99 * epochs
    assert points[-1].last_epoch == epochs - 1
    assert all(a.last_epoch + 1 == b.first_epoch for a, b in pairwise(points))


def test_epoch_of__outside_the_window__is_the_nearest() -> None:
    assert [epoch_of(t, _WINDOW) for t in (0, 1_000, 1_099, 1_100, 10**9)] == [0, 0, 0, 1, 1_999]


def test_coupon_due__units_burned_between__counts_those_that_circulated() -> None:
    # 10 over three epochs, rounded down on the cumulative: 3, then 3 more, then 4.
    changes = [Supplied(5), Settling(1), Supplied(-2), Settling(2), Settling(2), Settling(3)]

    assert coupon_due(changes, coupon_per_unit=10, epoch_count=3) == 5 * 3 + 3 * 3 + 3 * 4
    assert coupon_due([Settling(3)], coupon_per_unit=10, epoch_count=3) == 0


def test_csv__formulas_quotes_and_unknown__are_harmless() -> None:
    """ATTACKS 39."""
    texts = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", " =1", 'a"b', "a,b", "a\r\nb", "ä"]

    data = encode_csv(["text", "n"], [(text, -5) for text in texts] + [(None, True)])

    rows = list(csv.reader(io.StringIO(data.decode(), newline="")))
    assert rows[0] == ["text", "n"]
    assert [r[0] for r in rows[1:-1]] == ["'" + t for t in texts[:7]] + texts[7:]
    assert {r[1] for r in rows[1:-1]} == {"-5"}
    assert rows[-1] == ["", "true"]
    assert data.count(b"\r\n") == len(rows) + 1
    assert b'"a""b"' in data
