"""Instants agree with the standard library, and come back as they went."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.domain.instants import format_instant, parse_instant
from api.errors import InvalidInput

_moments = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=st.none()).map(
    lambda m: m.replace(microsecond=0)
)
_offsets = st.integers(-1_439, 1_439)


@given(_moments, _offsets)
def test_parse_instant__any_time_and_offset__is_the_second_it_names(
    moment: datetime, offset_min: int
) -> None:
    there = moment.replace(tzinfo=timezone(timedelta(minutes=offset_min)))
    since = there - datetime(1970, 1, 1, tzinfo=UTC)

    found = parse_instant(there.isoformat(), field="time")

    assert found == since // timedelta(seconds=1)


@given(st.integers(0, 2**32))
def test_format_instant__parsed_again__is_the_same(second: int) -> None:
    assert parse_instant(format_instant(second), field="time") == second


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-29T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:60Z",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00.5Z",
        "0000-01-01T00:00:00Z",
        "２026-01-01T00:00:00Z",
    ],
)
def test_parse_instant__impossible_or_unclear__is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_instant(text, field="time")
