"""Times of imported files: local times that happened twice or never are refused."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.domain.metering.instants import parse_instant
from api.errors import InvalidInput, RowRefused
from api.ledger.importers.times import EPOCH_MS, EPOCH_S, Times, check_form, duration_s, open_zone

OSLO, ANGELES = ZoneInfo("Europe/Oslo"), ZoneInfo("America/Los_Angeles")


def _reason(times: Times, text: str) -> str:
    with pytest.raises(RowRefused) as refused:
        times.start_s(text, field="Start")
    assert "Start" in refused.value.message
    return refused.value.reason


@pytest.mark.parametrize(
    ("zone", "text", "utc"),
    [
        (OSLO, "2026-01-15 12:00:00", "2026-01-15T11:00:00Z"),
        (OSLO, "2026-07-15T12:00:00", "2026-07-15T10:00:00Z"),
        # The last second before each change of 2026, and the first after it.
        (OSLO, "2026-03-29T01:59:59", "2026-03-29T00:59:59Z"),
        (OSLO, "2026-03-29T03:00:00", "2026-03-29T01:00:00Z"),
        (OSLO, "2026-10-25T01:59:59", "2026-10-24T23:59:59Z"),
        (OSLO, "2026-10-25T03:00:00", "2026-10-25T02:00:00Z"),
        (ANGELES, "2017-10-07 01:12:09", "2017-10-07T08:12:09Z"),
        (ANGELES, "2017-12-07 01:12:09", "2017-12-07T09:12:09Z"),
        # An offset says which of the two is meant, with or without a colon.
        (OSLO, "2026-10-25T02:30:00+0200", "2026-10-25T00:30:00Z"),
        (None, "2026-10-25 02:30:00 +01:00", "2026-10-25T01:30:00Z"),
        (None, "2026-10-25T02:30:00z", "2026-10-25T02:30:00Z"),
        (OSLO, " 2026-01-15 12:00:00.000 ", "2026-01-15T11:00:00Z"),
    ],
)
def test_start__local_or_with_an_offset__is_that_instant(
    zone: ZoneInfo | None, text: str, utc: str
) -> None:
    assert Times(zone).start_s(text, field="Start") == parse_instant(utc, field="utc")


@pytest.mark.parametrize(
    ("times", "text", "reason"),
    [
        (Times(OSLO), "2026-10-25T02:00:00", "time_ambiguous"),
        (Times(OSLO), "2026-10-25T02:59:59", "time_ambiguous"),
        (Times(ANGELES), "2017-11-05 01:30:00", "time_ambiguous"),
        (Times(OSLO), "2026-03-29T02:00:00", "time_skipped"),
        (Times(OSLO), "2026-03-29T02:59:59", "time_skipped"),
        (Times(ANGELES), "2017-03-12 02:30:00", "time_skipped"),
        (Times(), "2026-01-15T12:00:00", "time_without_zone"),
        (Times(OSLO), "2026-01-15T12:00:00.5", "fraction_of_second"),
        (Times(OSLO), "2026-02-30T12:00:00", "time_unreadable"),
        (Times(OSLO), "2026-01-15", "time_unreadable"),
        (Times(OSLO), "15.01.2026 12:00", "time_unreadable"),
        (Times(OSLO), "0001-01-01T00:00:00", "time_unreadable"),
        (Times(OSLO), "9999-12-31T23:59:59", "time_unreadable"),
        (Times(OSLO), "٢٠٢٦-01-15T12:00:00", "time_unreadable"),
        (Times(form=EPOCH_S), "1,767,225,600", "time_unreadable"),
        (Times(form=EPOCH_S), "-1", "time_unreadable"),
        (Times(form=EPOCH_S), "1767225600.5", "time_unreadable"),
        (Times(form=EPOCH_MS), "1767225600001", "fraction_of_second"),
        (Times(form=EPOCH_MS), "9" * 14, "time_unreadable"),
        (Times(OSLO, "%d.%m.%Y %H:%M"), "25.10.2026 02:30", "time_ambiguous"),
        (Times(None, "%d.%m.%Y %H:%M"), "25.10.2026 04:30", "time_without_zone"),
    ],
)
def test_start__that_is_not_known__is_refused_by_its_reason(
    times: Times, text: str, reason: str
) -> None:
    """ATTACKS 33."""
    assert _reason(times, text) == reason


def test_fractions__inward__bill_whole_seconds_of_the_interval_only() -> None:
    times = Times(form=EPOCH_MS, inward=True)

    assert times.start_s("1767225600001", field="s") == 1_767_225_601
    assert times.end_s("1767225609999", field="e") == 1_767_225_609
    assert times.start_s("1767225600000", field="s") == 1_767_225_600


def test_dates__of_leases__are_their_first_second_here() -> None:
    times = Times(OSLO, dates=True)

    assert times.start_s("2026-12-01", field="from") == parse_instant(
        "2026-11-30T23:00:00Z", field="utc"
    )


@given(st.integers(1_500_000_000, 1_900_000_000), st.sampled_from([OSLO, ANGELES]))
def test_local_time__of_any_instant__reads_back_or_is_refused(at_s: int, zone: ZoneInfo) -> None:
    """What a clock in the zone showed is that instant again, or it showed the same twice."""
    moment = datetime.fromtimestamp(at_s, UTC).astimezone(zone)
    text = moment.replace(tzinfo=None).isoformat()
    others = {
        (datetime.fromtimestamp(at_s + shift, UTC).astimezone(zone)).replace(tzinfo=None)
        for shift in (-3_600, 3_600)
    }

    if moment.replace(tzinfo=None, fold=0) in {other.replace(fold=0) for other in others}:
        assert _reason(Times(zone), text) == "time_ambiguous"
    else:
        assert Times(zone).start_s(text, field="Start") == at_s


@given(st.integers(0, 400), st.integers(0, 86_399))
def test_duration__as_slurm_writes_it__is_its_seconds(days: int, rest_s: int) -> None:
    clock = str(timedelta(seconds=rest_s))
    text = f"{days}-{clock}" if days else clock

    assert duration_s(text, field="Elapsed") == days * 86_400 + rest_s


@pytest.mark.parametrize(
    "text", ["1,800", "1 800", "1.800,00", "-5", "5.5", "1e3", "٣", "", "1:60:00"]
)
def test_duration__no_whole_number__is_refused(text: str) -> None:
    with pytest.raises(RowRefused, match="without separators") as refused:
        duration_s(text, field="seconds")

    assert refused.value.reason == "not_a_number"


def test_form__that_can_mean_two_times__is_refused() -> None:
    for form in ("iso", "epoch_s", "%d.%m.%Y %H:%M", "%Y-%m-%d %H:%M %z", "%I:%M %p", "%%Z", "%%I"):
        assert check_form(form) == form
    for form in ("%H:%M %Z", "%z %Z", "%I:%M"):
        with pytest.raises(InvalidInput):
            check_form(form)


def test_zone__unknown__is_named() -> None:
    for name in ("Europe/Atlantis", "../etc/passwd", "", "PST8PDT7"):
        with pytest.raises(InvalidInput, match="is no time zone"):
            open_zone(name)
