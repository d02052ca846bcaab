"""Placing intervals in epochs: cut-offs, lateness and rejections (ATTACKS 33)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.domain.facility import FacilityTerms
from api.domain.lifecycle import cut_off_s, open_epoch
from api.domain.metering.usage import MAX_FUTURE_S, MAX_PAST_S, Interval, Placement, place_interval
from api.domain.units import Epoch
from api.errors import EventRejected
from tests.unit.values import DAY_S, DEVICES, EPOCHS, LEASE, START_S, TERMS

GRACE_S = 3_600


def _place(
    start_s: int, end_s: int, *, recorded_at_s: int, terms: FacilityTerms = TERMS
) -> Placement:
    interval = Interval(DEVICES[0], LEASE, START_S + start_s, START_S + end_s)
    at_s = START_S + recorded_at_s
    earliest = open_epoch(terms, at_s, grace_s=GRACE_S)
    return place_interval(terms, interval, recorded_at_s=at_s, earliest_open=earliest)


@given(st.integers(0, EPOCHS - 1), st.integers(0, DAY_S - 1), st.integers(0, EPOCHS * DAY_S))
def test_place__any_record__never_lands_before_its_own_or_in_a_closed_epoch(
    epoch: int, second: int, delay_s: int
) -> None:
    start_s = epoch * DAY_S + second
    recorded_at_s = min(start_s + 1 + delay_s, EPOCHS * DAY_S + GRACE_S - 1)

    placed = _place(start_s, start_s + 1, recorded_at_s=recorded_at_s)

    cut_off = cut_off_s(
        placed.statement_epoch,
        epoch_end_s=TERMS.epoch_bounds(placed.statement_epoch)[1],
        grace_s=GRACE_S,
    )
    assert placed.statement_epoch >= epoch
    assert START_S + recorded_at_s < cut_off
    assert placed.late == (placed.statement_epoch > epoch)


def test_place__last_second_of_grace__is_on_time_and_the_next_is_late() -> None:
    cut_off = DAY_S + GRACE_S

    assert _place(0, 60, recorded_at_s=cut_off - 1) == Placement(0, late=False)  # type: ignore[arg-type]
    assert _place(0, 60, recorded_at_s=cut_off) == Placement(1, late=True)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("start_s", "end_s", "recorded_at_s", "code"),
    [
        (60, 60, DAY_S, "interval_empty"),
        (60, 59, DAY_S, "interval_empty"),
        (-1, 60, DAY_S, "outside_window"),
        (EPOCHS * DAY_S - 60, EPOCHS * DAY_S + 1, EPOCHS * DAY_S, "outside_window"),
        (DAY_S - 1, DAY_S + 1, 2 * DAY_S, "crosses_epoch"),
        (0, MAX_FUTURE_S + 1, 0, "in_the_future"),
    ],
)
def test_place__bad_interval__has_its_code(
    start_s: int, end_s: int, recorded_at_s: int, code: str
) -> None:
    with pytest.raises(EventRejected) as caught:
        _place(start_s, end_s, recorded_at_s=recorded_at_s)

    assert caught.value.reason == code


def test_place__after_the_closing_statement_is_cut__is_refused() -> None:
    terms = replace(TERMS, seal_s=3_600)
    end_s = terms.window_end_s - START_S
    cut_s = end_s + 3_600 + GRACE_S

    placed = _place(end_s - 60, end_s, recorded_at_s=cut_s - 1, terms=terms)

    assert placed == Placement(Epoch(EPOCHS), late=True)
    with pytest.raises(EventRejected) as caught:
        _place(end_s - 60, end_s, recorded_at_s=cut_s, terms=terms)
    assert caught.value.reason == "facility_closed"


def test_place__exactly_at_the_limits__is_accepted() -> None:
    assert not _place(0, MAX_FUTURE_S, recorded_at_s=0).late
    assert not _place(0, DAY_S, recorded_at_s=DAY_S).late
    long = replace(TERMS, window_end_s=START_S + 60 * DAY_S)
    assert _place(0, 60, recorded_at_s=MAX_PAST_S, terms=long).late
    with pytest.raises(EventRejected) as caught:
        _place(0, 60, recorded_at_s=MAX_PAST_S + 1, terms=long)
    assert caught.value.reason == "too_old"


def test_place__unknown_device__is_rejected() -> None:
    interval = Interval(LEASE, LEASE, START_S, START_S + 60)

    with pytest.raises(EventRejected) as caught:
        place_interval(TERMS, interval, recorded_at_s=START_S + 60, earliest_open=Epoch(0))

    assert caught.value.reason == "device_unknown"
