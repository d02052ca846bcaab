"""RFC 3339 timestamps as whole UTC seconds, and back."""

import re
from datetime import UTC, datetime, timedelta, timezone

from api.errors import InvalidInput

# RFC 3339 §5.6 without fractions of a second: metering intervals are whole seconds.
_RFC3339 = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(?:[Zz]|([+-])(\d{2}):(\d{2}))",
    re.ASCII,
)


def parse_instant(text: str, *, field: str) -> int:
    """UTC seconds of an RFC 3339 timestamp with explicit offset.

    Raises:  InvalidInput for naive or local times, leap seconds, non-zero fractions, impossible
             dates, and anything that is not RFC 3339.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise InvalidInput(
            f"{field} is not an RFC 3339 time with an explicit offset: {text[:40]!r}", field=field
        )
    fraction, sign, offset_h, offset_m = match.group(7), *match.group(8, 9, 10)
    if fraction is not None and fraction.strip("0"):
        raise InvalidInput(f"{field} has a fraction of a second: {text[:40]!r}", field=field)
    offset = timedelta()
    if sign is not None:
        if int(offset_h) > 23 or int(offset_m) > 59:
            raise InvalidInput(f"{field} has an impossible offset: {text[:40]!r}", field=field)
        offset = timedelta(hours=int(offset_h), minutes=int(offset_m))
        offset = -offset if sign == "-" else offset
    year, month, day, hour, minute, second = (int(match.group(i)) for i in range(1, 7))
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=timezone(offset))
        # Pure integers: `timestamp()` would pass through a float.
        since_epoch = moment - datetime(1970, 1, 1, tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidInput(f"{field} is not a possible time: {text[:40]!r}", field=field) from error
    return since_epoch.days * 86_400 + since_epoch.seconds


def format_instant(seconds: int) -> str:
    """RFC 3339 text of UTC seconds, for example `2026-11-24T00:00:00Z`."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    # Not strftime: its %Y has no leading zeros on Linux, so years below 1000 would not read back.
    return moment.replace(tzinfo=None).isoformat() + "Z"
