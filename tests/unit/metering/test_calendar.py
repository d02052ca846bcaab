"""Months, segments and seals, on windows whose figures are known."""

from dataclasses import replace

import pytest

from api.domain.metering.calendar import Calendar, month_length_s, month_of, month_start_s
from tests.ledgers import facility

NEW_YEAR_S = 1_767_225_600  # 2026-01-01T00:00:00Z
DAY_S = 86_400


def test_months__are_those_of_utc():
    assert month_of(NEW_YEAR_S) == 2026 * 12
    assert month_of(NEW_YEAR_S - 1) == 2026 * 12 - 1
    assert month_start_s(2026 * 12) == NEW_YEAR_S
    assert month_length_s(2026 * 12 + 1) == 28 * DAY_S
    assert month_length_s(2024 * 12 + 1) == 29 * DAY_S


def _calendar(*, before_s, epoch_s, epochs, seal_s):
    terms = facility()
    start_s = NEW_YEAR_S - before_s
    window = {"window_start_s": start_s, "window_end_s": start_s + epochs * epoch_s}
    return Calendar(replace(terms, **window, epoch_length_s=epoch_s, seal_s=seal_s, grace_s=60))


def test_segments__epoch_over_the_turn_of_a_month__is_two():
    calendar = _calendar(before_s=100, epoch_s=300, epochs=3, seal_s=600)

    found = [(s.number, s.epoch, s.start_s - NEW_YEAR_S) for s in calendar.segments]

    assert found == [(0, 0, -100), (1, 0, 0), (2, 1, 200), (3, 2, 500)]
    assert [s.end_s - NEW_YEAR_S for s in calendar.segments] == [0, 200, 500, 800]
    assert [s.number for s in calendar.of_month(2026 * 12)] == [1, 2, 3]
    assert [s.number for s in calendar.of_epoch(0)] == [0, 1]
    between = calendar.between(start_s=NEW_YEAR_S + 199, end_s=NEW_YEAR_S + 201)
    assert [s.number for s in between] == [1, 2]
    for start_s, end_s in ((-200, -100), (800, 900)):
        assert not calendar.between(start_s=NEW_YEAR_S + start_s, end_s=NEW_YEAR_S + end_s)


@pytest.mark.parametrize(
    ("seal_s", "sealed_s"),
    # December ends at 0: the first statement that ends a seal later, or the closing one.
    [(150, 200), (200, 200), (201, 500), (800, 800), (801, 801 + 800)],
)
def test_seal__is_by_the_first_statement_that_ends_a_seal_later(seal_s, sealed_s):
    calendar = _calendar(before_s=100, epoch_s=300, epochs=3, seal_s=seal_s)

    assert calendar.sealed_by_s(2026 * 12 - 1) - NEW_YEAR_S == sealed_s
    assert calendar.sealed_from_s(2026 * 12 - 1) - NEW_YEAR_S == sealed_s + 60


def test_open_from__at_a_recorded_time__is_behind_what_is_sealed():
    calendar = _calendar(before_s=100, epoch_s=300, epochs=3, seal_s=150)
    sealed_s = calendar.sealed_from_s(2026 * 12 - 1)

    assert calendar.open_from_s(sealed_s - 1) == NEW_YEAR_S - 100
    assert calendar.open_from_s(sealed_s) == NEW_YEAR_S
    assert calendar.open_from_s(sealed_s + 10_000) > NEW_YEAR_S + 800
