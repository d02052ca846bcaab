"""Figures per unit against numbers worked out by hand, and against the stream's model."""

import random

import pytest

from api.domain.capital.accumulator import Stream
from api.domain.capital.shares import (
    Accrual,
    SupplyChange,
    paid_per_unit,
    ratio_ppm,
    replay_stream,
    streaming_share,
)


def test_ratio_ppm__of_nothing__is_unknown_and_not_zero() -> None:
    assert ratio_ppm(1, whole=3) == 333_333
    assert ratio_ppm(0, whole=3) == 0
    assert ratio_ppm(3, whole=3) == 1_000_000
    assert ratio_ppm(0, whole=0) is None


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
        kind = rng.choice(("supply", "accrue"))
        if kind == "supply":
            units = rng.randint(-stream.supply, 50)
            stream = stream.with_supply(stream.supply + units, now_s)
            changes.append(SupplyChange(now_s, units))
        elif kind == "accrue" and stream.supply:
            amount, span_s = rng.randint(1, 10**9), rng.randint(1, 2_000)
            stream = stream.accrue(amount, span_s, now_s)
            changes.append(Accrual(now_s, amount, stream.end_s))

    assert replay_stream(changes) == stream


def test_streaming_share__of_three_units__rounds_down() -> None:
    stream = Stream().with_supply(3, 0).accrue(100, 10, 0)

    assert streaming_share(stream, units=1, now_s=0) == 33
    assert streaming_share(stream, units=1, now_s=5) == 16
    assert streaming_share(stream, units=3, now_s=5) == 50
    assert streaming_share(stream, units=3, now_s=10) == 0
    assert streaming_share(Stream(), units=3, now_s=10) == 0
