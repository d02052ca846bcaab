"""Times of files as UTC seconds: a local time that happened twice, or never, is refused."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from api.errors import InvalidInput, RowRefused

# ISO 8601 as schedulers and spreadsheets write it; the offset with or without a colon.
_ISO = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:[.,](\d{1,9}))?(?: ?([Zz]|[+-]\d{2}:?\d{2}))?",
    re.ASCII,
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_WHOLE = re.compile(r"\d{1,10}(?:\.0{1,9})?", re.ASCII)
_MILLIS = re.compile(r"\d{1,13}", re.ASCII)
_CLOCK = re.compile(r"(?:(\d{1,5})-)?(\d{1,6}):([0-5]\d):([0-5]\d)", re.ASCII)
_DIRECTIVE = re.compile(r"%-?(.)", re.DOTALL)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Ten digits of seconds, so that a time and a length together still are a time that can be written.
_MOST_S = 10**10
_SECOND, _MILLIS_PER_S, _DAY_S, _HOUR_S, _MINUTE_S = timedelta(seconds=1), 1_000, 86_400, 3_600, 60
ISO, EPOCH_S, EPOCH_MS = "iso", "epoch_s", "epoch_ms"


def open_zone(name: str) -> tzinfo:
    """A time zone by its name, such as `Europe/Oslo`. Raises InvalidInput."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        message = f"{name[:60]!r} is no time zone: name one such as Europe/Oslo, or UTC"
        raise InvalidInput(message, field="timezone") from error


def check_form(form: str) -> str:
    """A format of times, unchanged. Raises InvalidInput if what it reads could mean two times."""
    directives = set(_DIRECTIVE.findall(form)) - {"%"}
    if form in (ISO, EPOCH_S, EPOCH_MS) or not directives & {"Z", "I"}:
        return form
    if "Z" in directives:
        message = (
            "%Z names a zone that is not read: leave times with offsets (%z), or name the zone"
        )
        raise InvalidInput(message, field="format")
    if "p" not in directives:
        raise InvalidInput("%I goes with %p: twelve hours come twice a day", field="format")
    return form


@dataclass(frozen=True, slots=True)
class Times:
    """How a file writes times.

    zone: of times without an offset; None refuses these.
    form: `iso`, `epoch_s`, `epoch_ms`, or a format of `strptime`.
    inward: parts of a second are left out of the interval; else they are refused.
    dates: a date alone means its first second.
    """

    zone: tzinfo | None = None
    form: str = ISO
    inward: bool = False
    dates: bool = False

    def start_s(self, text: str, *, field: str) -> int:
        """First whole second of an interval that begins at a time. Raises RowRefused."""
        return self._seconds(text.strip(), field=field, up=True)

    def end_s(self, text: str, *, field: str) -> int:
        """Second after the last whole one of an interval that ends then. Raises RowRefused."""
        return self._seconds(text.strip(), field=field, up=False)

    def _seconds(self, text: str, *, field: str, up: bool) -> int:
        try:
            whole_s, fraction = self._read(text, field=field)
        except (ValueError, OverflowError) as error:
            message = f"{field} is not a time of the format {self.form}: {text[:40]!r}"
            raise RowRefused("time_unreadable", message) from error
        if not 0 <= whole_s < _MOST_S:
            message = f"{field} is before 1970 or after 2286: {text[:40]!r}"
            raise RowRefused("time_unreadable", message)
        if fraction and not self.inward:
            message = f"{field} is no whole second: {text[:40]!r}"
            raise RowRefused("fraction_of_second", message)
        return whole_s + (fraction and up)

    def _read(self, text: str, *, field: str) -> tuple[int, bool]:
        """Whole seconds, and whether a part of a second is beyond them."""
        if self.form == EPOCH_S:
            if not _WHOLE.fullmatch(text):
                raise ValueError("no number of seconds")
            return int(text.partition(".")[0]), False
        if self.form == EPOCH_MS:
            if not _MILLIS.fullmatch(text):
                raise ValueError("no number of milliseconds")
            return int(text) // _MILLIS_PER_S, int(text) % _MILLIS_PER_S != 0
        if self.form != ISO:
            moment = datetime.strptime(text, self.form)
            return self._instant_s(moment, field=field), moment.microsecond != 0
        if self.dates and _DATE.fullmatch(text):
            return self._instant_s(datetime.fromisoformat(text), field=field), False
        found = _ISO.fullmatch(text)
        if not found:
            raise ValueError("not ISO 8601")
        day, clock, fraction, offset = found.groups()
        moment = datetime.fromisoformat(f"{day}T{clock}{(offset or '').upper()}")
        return self._instant_s(moment, field=field), bool((fraction or "").strip("0"))

    def _instant_s(self, moment: datetime, *, field: str) -> int:
        whole = moment.replace(microsecond=0)
        if whole.tzinfo is not None:
            return (whole - _EPOCH) // _SECOND
        if self.zone is None:
            message = f"{field} has no offset: name the time zone in which it was written"
            raise RowRefused("time_without_zone", message)
        return local_instant_s(whole, self.zone, field=field)


def local_instant_s(naive: datetime, zone: tzinfo, *, field: str) -> int:
    """UTC seconds of a local time. Raises RowRefused where it happened twice, or never."""
    first, second = (naive.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    assert first is not None  # every zone that has a name says its offset
    assert second is not None
    if first != second:
        shown = f"{field} {naive.isoformat(sep=' ')} of {zone}"
        # In a gap, the offset from before it is the smaller one.
        if first < second:
            message = f"{shown} never happened: the clock was put forward over it"
            raise RowRefused("time_skipped", message)
        message = f"{shown} happened twice: the clock was put back over it"
        raise RowRefused("time_ambiguous", message)
    return (naive.replace(tzinfo=UTC) - _EPOCH - first) // _SECOND


def duration_s(text: str, *, field: str) -> int:
    """Seconds of `3600`, `1:00:00` or `1-00:00:00`. Raises RowRefused `not_a_number`."""
    text = text.strip()
    clock = _CLOCK.fullmatch(text)
    if clock:
        days, hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        return days * _DAY_S + hours * _HOUR_S + minutes * _MINUTE_S + seconds
    if not _WHOLE.fullmatch(text):
        message = f"{field} is no whole number of seconds, nor h:mm:ss: {text[:40]!r}"
        raise RowRefused("not_a_number", f"{message}; write it without separators")
    return int(text.partition(".")[0])
