"""RFC 3339 timestamps as whole UTC seconds, and back."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from api.errors import InvalidInput

# RFC 3339 §5.6 without fractions of a second: metering intervals are whole seconds.
_RFC3339 = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))",
    re.ASCII,
)
_EPOCH_DAY = datetime(1970, 1, 1, tzinfo=UTC).toordinal()


def parse_instant(text: str, *, field: str) -> int:
    """UTC seconds of an RFC 3339 timestamp with explicit offset.

    Raises:  InvalidInput for naive or local times, leap seconds, non-zero fractions, impossible
             dates, and anything that is not RFC 3339.
    """
    try:
        return _seconds(text)
    except ValueError as error:
        raise InvalidInput(f"{field} {error}: {text[:40]!r}", field=field) from error


# Metering comes in whole hours: a batch names the same few instants again and again.
@lru_cache(maxsize=16_384)
def _seconds(text: str) -> int:
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError("is not an RFC 3339 time with an explicit offset")
    fraction, sign, offset_h, offset_m = match.group(7), *match.group(8, 9, 10)
    if fraction is not None and fraction.strip("0"):
        raise ValueError("has a fraction of a second")
    offset_s = 0
    if sign is not None:
        if int(offset_h) > 23 or int(offset_m) > 59:
            raise ValueError("has an impossible offset")
        offset_s = int(offset_h) * 3_600 + int(offset_m) * 60
        offset_s = -offset_s if sign == "-" else offset_s
    year, month, day, hour, minute, second = map(int, match.group(1, 2, 3, 4, 5, 6))
    try:
        moment = datetime(year, month, day, hour, minute, second)
    except ValueError as error:
        raise ValueError("is not a possible time") from error
    # Pure integers: `timestamp()` would pass through a float.
    days = moment.toordinal() - _EPOCH_DAY
    return days * 86_400 + hour * 3_600 + minute * 60 + second - offset_s


def format_instant(seconds: int) -> str:
    """RFC 3339 text of UTC seconds, for example `2026-11-24T00:00:00Z`."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    # Not strftime: its %Y has no leading zeros on Linux, so years below 1000 would not read back.
    return moment.replace(tzinfo=None).isoformat() + "Z"


def format_span(span: tuple[int, int]) -> str:
    """An interval as people read it: `2026-12-01T00:00:00Z to 2026-12-02T00:00:00Z`."""
    return f"{format_instant(span[0])} to {format_instant(span[1])}"
