"""Fields of an event's data, read strictly: nothing is guessed or coerced."""

from collections.abc import Mapping

from api.domain.metering.instants import parse_instant
from api.errors import EventRejected, InvalidInput

MAX_TEXT = 200


def text(container: Mapping[str, object], field: str, limit: int = MAX_TEXT) -> str:
    value = container.get(field)
    if not (isinstance(value, str) and 0 < len(value) <= limit and value.isprintable()):
        raise EventRejected(
            "malformed_event", f"{field} must be 1 to {limit} printable characters", field=field
        )
    return value


def integer(data: Mapping[str, object], field: str, *, low: int, high: int) -> int:
    value = data[field]
    # bool is an int in Python: `true` is not one GPU-second.
    if type(value) is not int:
        raise EventRejected("malformed_event", f"{field} must be an integer", field=field)
    if not low <= value <= high:
        message = f"{field} must be {low} to {high}"
        raise EventRejected("number_out_of_range", message, field=field)
    return value


def instant(data: Mapping[str, object], field: str) -> int:
    value = data[field]
    if not isinstance(value, str):
        raise EventRejected("invalid_time", f"{field} must be RFC 3339 text", field=field)
    try:
        return parse_instant(value, field=field)
    except InvalidInput as error:
        raise EventRejected("invalid_time", error.message, field=field) from error


def interval(data: Mapping[str, object]) -> tuple[int, int]:
    start_s, end_s = instant(data, "start"), instant(data, "end")
    if end_s <= start_s:
        raise EventRejected("interval_empty", "end must be after start", field="end")
    return start_s, end_s
