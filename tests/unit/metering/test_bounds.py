"""Bounds of intervals: what they say of when something can have been recorded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.domain.metering.bounds import recorded_from_s, require_inside
from api.errors import EventRejected
from tests.unit.values import TERMS

WINDOW_S = TERMS.window_end_s - TERMS.window_start_s


@given(
    start=st.integers(0, WINDOW_S - 1), length_s=st.integers(0, 900), ahead_s=st.integers(0, 900)
)
def test_interval__that_is_taken__was_recorded_in_the_bound(
    start: int, length_s: int, ahead_s: int
) -> None:
    """What look-ups leave out by time of recording has nothing of the time that they ask for."""
    start_s = TERMS.window_start_s + start
    end_s = min(start_s + length_s, TERMS.window_end_s)
    recorded_at_s = end_s - ahead_s

    try:
        require_inside(TERMS, (start_s, end_s), recorded_at_s=recorded_at_s)
    except EventRejected:
        return

    assert recorded_at_s >= recorded_from_s(start_s)


def test_bound__empty_interval_five_minutes_ahead__is_the_bound() -> None:
    start_s = TERMS.window_start_s + 7
    bound = recorded_from_s(start_s)

    require_inside(TERMS, (start_s, start_s), recorded_at_s=bound)

    with pytest.raises(EventRejected):
        require_inside(TERMS, (start_s, start_s), recorded_at_s=bound - 1)
