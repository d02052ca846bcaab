"""Concurrency of a lease agrees with counting second by second."""

from hypothesis import given
from hypothesis import strategies as st

from api.domain.occupancy import Concurrency

_intervals = st.tuples(st.integers(0, 12), st.integers(1, 6)).map(lambda p: (p[0], p[0] + p[1]))


@given(st.lists(_intervals, max_size=12), _intervals)
def test_peak__any_intervals__is_the_busiest_second(
    taken: list[tuple[int, int]], window: tuple[int, int]
) -> None:
    concurrency = Concurrency(taken)

    peak = concurrency.peak(*window)

    assert peak == max(sum(a <= second < b for a, b in taken) for second in range(*window))
