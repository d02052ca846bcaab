"""Concurrency against a count of seconds."""

import random

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


def test_peak__of_thousands_of_steps__is_the_busiest_second() -> None:
    """More than a block of steps: whole blocks are counted at once."""
    dice = random.Random(11)
    running, seconds = Concurrency(), [0] * 6_000
    told: list[tuple[int, int]] = []
    for _ in range(1_500):
        if told and dice.random() < 0.3:
            start_s, end_s = told.pop(dice.randrange(len(told)))
            running.drop(start_s, end_s)
            by = -1
        else:
            start_s = dice.randrange(5_900)
            end_s = min(6_000, start_s + dice.choice((1, 7, 90, 2_500)))
            running.add(start_s, end_s)
            told.append((start_s, end_s))
            by = 1
        for second in range(start_s, end_s):
            seconds[second] += by
        low_s = dice.randrange(5_999)
        high_s = dice.randint(low_s + 1, 6_000)

        assert running.peak(low_s, high_s) == max(seconds[low_s:high_s])

    assert running.steps > 1_000


def test_peak__of_no_time__is_0_wherever_a_block_begins() -> None:
    running = Concurrency((start_s, start_s + 1) for start_s in range(300))

    assert {running.peak(start_s, start_s) for start_s in range(300)} == {0}
    assert {running.peak(start_s, start_s + 1) for start_s in range(300)} == {1}
