"""Reading the Helios pool format: minutes to intervals to records, and the real trace's figures."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.domain.units import FacilityId
from api.ledger.importers.helios import HOUR_S, Pool, hourly, intervals, read_trace, usage_event

# The trace is other people's data: it lies beside a checkout, or where the variable says.
ROOT = Path(__file__).resolve().parents[3]
TRACES = Path(os.environ.get("RENTROLL_TRACES", ROOT.parent / "shared" / "traces"))
EARTH = TRACES / "helios-earth-2020-05"
START_S = 1_767_225_600


@given(st.lists(st.integers(0, 4), min_size=1, max_size=300), st.integers(0, 59))
def test_intervals__any_minutes__add_up_without_overlap(running: list[int], offset: int) -> None:
    pool = Pool("p", 4, START_S + offset * 60, tuple(running))

    for records in (list(intervals(pool)), list(hourly(pool))):
        assert sum(e - s for _, s, e in records) == 60 * pool.gpu_minutes
        seconds = {(g, t) for g, s, e in records for t in range(s, e, 60)}
        assert len(seconds) == pool.gpu_minutes
    for _, start_s, end_s in hourly(pool):
        assert (start_s - pool.start_s) // HOUR_S == (end_s - 1 - pool.start_s) // HOUR_S


def test_hourly__minutes_apart_in_one_hour__stay_two_records() -> None:
    pool = Pool("p", 1, START_S, (1, 1, 0, 1))

    assert list(hourly(pool)) == [
        (0, START_S, START_S + 120),
        (0, START_S + 180, START_S + 240),
    ]


def test_usage_event__same_record__is_the_same_event() -> None:
    pool = Pool("p", 1, START_S, (1,))

    record = {"gpu": 0, "start_s": START_S, "end_s": START_S + 60}
    one, other = (usage_event(pool, FacilityId(7), **record) for _ in range(2))

    assert one == other
    assert one["data"]["gpu_seconds"] == 60


@pytest.mark.skipif(not EARTH.is_dir(), reason="no trace: RENTROLL_TRACES names its folder")
@pytest.mark.slow
def test_helios_earth__read__gives_the_published_figures() -> None:
    """docs of the trace: 25,486,357 GPU-minutes, 58,550 intervals, 835 devices ever busy.

    The trace's table counts pairs of device and clock hour, 444,279; a record of ours is one
    interval, and in 37,436 cases a device is busy more than once in an hour.
    """
    pools = read_trace(EARTH)

    minutes = {pool.name: pool.gpu_minutes for pool in pools}
    merged = [(p.name, *record) for p in pools for record in intervals(p)]
    records = [(p.name, *record) for p in pools for record in hourly(p)]
    assert len(pools) == 16
    assert sum(pool.capacity for pool in pools) == 856
    assert sum(minutes.values()) == 25_486_357
    assert (min(minutes.values()), max(minutes.values())) == (6_068, 8_381_023)
    assert (minutes["vcJkd"], minutes["vc6YE"]) == (6_068, 8_381_023)
    assert len(merged) == 58_550
    assert len({(name, gpu) for name, gpu, _, _ in merged}) == 835
    assert len({(name, gpu, start_s // HOUR_S) for name, gpu, start_s, _ in records}) == 444_279
    assert len(records) == 481_715
    assert sum(e - s for _, _, s, e in records) == 60 * 25_486_357
