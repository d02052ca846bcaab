"""Concurrency against a count of seconds."""

from hypothesis import given
from hypothesis import strategies as st

from api.domain.metering.occupancy import Concurrency

_INTERVAL = st.tuples(st.integers(0, 60), st.integers(1, 20)).map(lambda x: (x[0], x[0] + x[1]))


@given(st.lists(_INTERVAL, max_size=20), _INTERVAL)
def test_peak__any_intervals__is_the_busiest_second(
    intervals: list[tuple[int, int]], window: tuple[int, int]
) -> None:
    busiest = max(sum(s <= t < e for s, e in intervals) for t in range(*window))

    assert Concurrency(intervals).peak(*window) == busiest


@given(st.lists(_INTERVAL, max_size=10), st.lists(_INTERVAL, max_size=10), _INTERVAL)
def test_peak__of_what_was_dropped__is_as_if_it_had_never_been(
    kept: list[tuple[int, int]], dropped: list[tuple[int, int]], window: tuple[int, int]
) -> None:
    running = Concurrency([*dropped, *kept])

    for interval in dropped:
        running.drop(*interval)

    assert running.peak(*window) == Concurrency(kept).peak(*window)


def test_peak__one_ends_as_the_next_begins__is_one() -> None:
    assert Concurrency([(0, 10), (10, 20)]).peak(0, 20) == 1
    assert Concurrency([(0, 11), (10, 20)]).peak(0, 20) == 2
    assert Concurrency([(0, 11), (10, 20)]).peak(11, 20) == 1
