"""Fields of meter events: exact JSON types, bounds, and one error that names the field."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from api.domain.event_types import MAX_DEVICE_CHARS
from api.domain.instants import parse_instant
from api.domain.units import MAX_I64, MAX_U32
from api.errors import EventRejected, InvalidInput

# NVML names: GPU-<uuid>, MIG-<uuid> and the older MIG-GPU-<uuid>/<instance>/<instance>. Lower case
# only, as NVML writes them: one device must not pass under two spellings.
_DEVICE = re.compile(r"(?:GPU|MIG|MIG-GPU)-[0-9a-z]+(?:[-/][0-9a-z]+)*", re.ASCII)

MAX_TIME_CHARS = 64

Fields = Mapping[str, Any]


def check_device_uuid(text: str) -> str:
    """The UUID of a device as NVML writes it. Raises EventRejected `malformed_event`."""
    if len(text) > MAX_DEVICE_CHARS or _DEVICE.fullmatch(text) is None:
        raise EventRejected(
            "malformed_event",
            "device: a GPU or MIG UUID as NVML writes it, hex in lower case",
            field="device",
        )
    return text


def read_text(fields: Fields, name: str, limit: int) -> str:
    """Text of 1 to `limit` printable characters. Raises EventRejected `malformed_event`."""
    value = fields.get(name)
    if type(value) is not str:
        what = "is missing" if name not in fields else "must be text"
        raise EventRejected("malformed_event", f"{name} {what}", field=name)
    if not 0 < len(value) <= limit or not value.isprintable():
        raise EventRejected(
            "malformed_event", f"{name}: 1 to {limit} printable characters", field=name
        )
    return value


def read_integer(fields: Fields, name: str, low: int, high: int, default: int | None = None) -> int:
    """An integer in `[low, high]`, never a bool, text or float.

    Raises:  EventRejected `malformed_event`, `number_out_of_range`.
    """
    value = fields.get(name, default)
    if type(value) is float and abs(value) > MAX_I64:
        # JSON readers turn integers beyond 64 bits into floats.
        raise EventRejected("number_out_of_range", f"{name}: {low} to {high}", field=name)
    if type(value) is not int:
        what = "is missing" if name not in fields else "must be an integer"
        raise EventRejected("malformed_event", f"{name} {what}", field=name)
    if not low <= value <= high:
        raise EventRejected("number_out_of_range", f"{name}: {low} to {high}", field=name)
    return value


@lru_cache(maxsize=4_096)
def instant_of(text: str, name: str) -> int:
    """UTC seconds of RFC 3339 text. Cached: the events of a batch share their times."""
    try:
        return parse_instant(text, field=name)
    except InvalidInput as error:
        raise EventRejected("invalid_time", error.message, field=name) from error


def read_instant(fields: Fields, name: str) -> int:
    """UTC seconds, 1970 to 2106. Raises EventRejected `invalid_time`."""
    value = fields.get(name)
    if type(value) is not str:
        what = "is missing" if name not in fields else "must be RFC 3339 text"
        raise EventRejected("invalid_time", f"{name} {what}", field=name)
    if len(value) > MAX_TIME_CHARS:
        raise EventRejected("invalid_time", f"{name} is not RFC 3339 text", field=name)
    instant_s = instant_of(value, name)
    if not 0 <= instant_s <= MAX_U32:
        raise EventRejected("invalid_time", f"{name}: 1970 to 2106-02-07", field=name)
    return instant_s


def read_facility(fields: Fields) -> int:
    """The `facility_id` of an event."""
    return read_integer(fields, "facility_id", 1, MAX_I64)


def read_interval(fields: Fields) -> tuple[int, int]:
    """`[start, end)` in UTC seconds. Raises EventRejected `invalid_time`, `interval_empty`."""
    start_s, end_s = read_instant(fields, "start"), read_instant(fields, "end")
    if end_s <= start_s:
        raise EventRejected("interval_empty", "end must be after start", field="end")
    return start_s, end_s


def refuse_unknown(fields: Fields, known: frozenset[str], prefix: str) -> None:
    """Refuse fields that the type does not have. Raises EventRejected `unknown_field`."""
    if fields.keys() <= known:
        return
    name = min(fields.keys() - known)[:40]
    raise EventRejected("unknown_field", f"{prefix}{name!r} is not a known field", field=name)
