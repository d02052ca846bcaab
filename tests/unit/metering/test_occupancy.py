"""Occupancy: overlap and concurrency against a count of seconds."""

from hypothesis import given
from hypothesis import strategies as st

from api.domain.metering.occupancy import Concurrency, Occupancy

_INTERVAL = st.tuples(st.integers(0, 60), st.integers(1, 20)).map(lambda x: (x[0], x[0] + x[1]))


@given(st.lists(_INTERVAL, max_size=30))
def test_conflict__any_order__is_shared_seconds(intervals: list[tuple[int, int]]) -> None:
    occupancy, taken = Occupancy(), set[int]()

    for start_s, end_s in intervals:
        seconds = set(range(start_s, end_s))
        other = occupancy.conflict(start_s, end_s)
        assert (other is None) == taken.isdisjoint(seconds)
        if other is None:
            occupancy.add(start_s, end_s)
            taken |= seconds
        else:
            assert seconds & set(range(*other))


def test_conflict__adjacent_intervals__do_not_touch() -> None:
    occupancy = Occupancy([(10, 20), (0, 5)])

    assert occupancy.conflict(5, 10) is None
    assert occupancy.conflict(20, 21) is None
    assert occupancy.conflict(19, 21) == (10, 20)
    assert occupancy.conflict(0, 100) is not None


@given(st.lists(_INTERVAL, max_size=20), _INTERVAL)
def test_peak__any_intervals__is_the_busiest_second(
    intervals: list[tuple[int, int]], window: tuple[int, int]
) -> None:
    busiest = max(sum(s <= t < e for s, e in intervals) for t in range(*window))

    assert Concurrency(intervals).peak(*window) == busiest


def test_peak__one_ends_as_the_next_begins__is_one() -> None:
    assert Concurrency([(0, 10), (10, 20)]).peak(0, 20) == 1
    assert Concurrency([(0, 11), (10, 20)]).peak(0, 20) == 2
    assert Concurrency([(0, 11), (10, 20)]).peak(11, 20) == 1
