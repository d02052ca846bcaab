"""Instants: RFC 3339 to whole UTC seconds and back (ATTACKS 33)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.domain.metering.instants import format_instant, parse_instant
from api.errors import InvalidInput

YEAR_1, YEAR_10000 = -62_135_596_800, 253_402_300_800


@given(st.integers(YEAR_1, YEAR_10000 - 1))
def test_instant__any_second__survives_the_round_trip(seconds: int) -> None:
    assert parse_instant(format_instant(seconds), field="t") == seconds


@given(st.integers(0, 2**32), st.integers(0, 23), st.integers(0, 59), st.sampled_from("+-"))
def test_instant__any_offset__is_subtracted(
    seconds: int, hours: int, minutes: int, sign: str
) -> None:
    local = format_instant(seconds).rstrip("Z")
    shift = (hours * 3_600 + minutes * 60) * (1 if sign == "+" else -1)

    assert parse_instant(f"{local}{sign}{hours:02}:{minutes:02}", field="t") == seconds - shift


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-01-01T00:00:00Z", 1_767_225_600),
        ("2026-01-01t08:00:00+08:00", 1_767_225_600),
        ("2025-12-31T18:30:00.000-05:30", 1_767_225_600),
        ("2024-02-29T00:00:00z", 1_709_164_800),
        # The hour that a daylight-saving change repeats is two instants: the offset tells.
        ("2026-10-25T02:30:00+02:00", 1_792_888_200),
        ("2026-10-25T02:30:00+01:00", 1_792_891_800),
    ],
)
def test_instant__known_time__has_known_seconds(text: str, seconds: int) -> None:
    assert parse_instant(text, field="t") == seconds


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01T00:00:00", "2026-01-01", "2026-01-01 00:00:00Z", "2026-01-01T00:00Z",
        "2026-01-01T00:00:60Z", "2026-01-01T24:00:00Z", "2026-02-29T00:00:00Z",
        "2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+00:60",
        "2026-01-01T00:00:00+0000", "0000-01-01T00:00:00Z", "1767225600", "", "now",
        "2026-01-01T00:00:00Z\n", "٢٠٢٦-01-01T00:00:00Z", "2026-01-01T00:00:00Europe/Berlin",
    ],
)  # fmt: skip
def test_instant__anything_else__is_refused_naming_the_field(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_instant(text, field="start")

    assert caught.value.context["field"] == "start"
