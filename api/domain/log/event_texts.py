"""The events of a body one by one, where the body as a whole is not clean: each with its fault.

What one collector garbled must not cost the rest of its batch. So the body is cut into the texts
of its events by strings and brackets alone, and each text is read by itself.
"""

import json
import math
import re
from dataclasses import dataclass

import orjson

from api.domain.json_text import read_json
from api.domain.log.strict_json import (
    MAX_DEPTH,
    count_keys,
    duplicate_key_events,
    may_repeat_keys,
)
from api.errors import EventRejected, InvalidInput, TooLarge

# A string, closed or not, brackets in a row, or a comma. Nothing backtracks: the scan is linear.
_STRING_OR_MARK = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{]++|[\]}]++|,', re.DOTALL)
_SPACE = " \t\n\r"
_OPENED_BY = str.maketrans("]}", "[{")
# Replaces NaN, Infinity and what no double holds.
_NOT_A_NUMBER = object()


@dataclass(frozen=True, slots=True)
class EventText:
    """Text of one event; what lies deeper than MAX_DEPTH inside is `null` there."""

    text: str
    too_deep: bool


@dataclass(frozen=True, slots=True)
class ReadEvent:
    """A parsed event, or its name alone and what is wrong with it."""

    value: object
    broken: EventRejected | None


def not_json(error: object) -> InvalidInput:
    """The body is no JSON at all."""
    return InvalidInput(f"body is not JSON: {error}", field="body")


class _Cutter:
    """Cuts one body; what it keeps is where the event begins that it is in."""

    def __init__(self, body: str, *, level: int, most: int) -> None:
        self.body, self.level, self.most = body, level, most
        self.texts: list[EventText] = []
        self._parts: list[str] = []
        self._from = level
        self._too_deep = False

    def hole(self, start: int, *, end: int) -> None:
        """What is nested too deep is left out."""
        self._parts += [self.body[self._from : start], "null"]
        self._from, self._too_deep = end, True

    def end_event(self, end: int, *, following: int) -> None:
        """An event ends at `end`, the next one begins at `following`."""
        if len(self.texts) == self.most:
            raise TooLarge(f"a batch holds at most {self.most} events")
        text = "".join([*self._parts, self.body[self._from : end]])
        self.texts.append(EventText(text, self._too_deep))
        self._parts, self._from, self._too_deep = [], following, False


def cut_events(body: str, *, most: int) -> tuple[list[EventText], bool]:
    """Texts of the events of a body, and whether it is an array.

    Only brackets and strings are judged: whether a text is JSON shows when it is read.
    Raises:  InvalidInput if it is neither an object nor an array, TooLarge above `most` events.
    """
    body = body.strip(_SPACE)
    if body[:1] not in ("[", "{"):
        raise InvalidInput("body must be an event or an array of events", field="body")
    array = body[0] == "["
    cutter = _Cutter(body, level=int(array), most=most)
    deepest = MAX_DEPTH + int(array)
    # A byte a level: a body of brackets alone must not fill the memory.
    opened, hole_from = bytearray(), 0
    for match in _STRING_OR_MARK.finditer(body):
        marks, level = match.group(), len(opened)
        if marks[0] in "[{":
            if not opened and match.start():
                raise not_json("something follows its end")
            opened += marks.encode()
            if level <= deepest < len(opened):
                hole_from = match.start() + deepest - level
        elif marks[0] in "]}":
            count = len(marks)
            if opened[-count:] != marks[::-1].translate(_OPENED_BY).encode():
                raise not_json("brackets do not match")
            del opened[-count:]
            if len(opened) <= deepest < level:
                cutter.hole(hole_from, end=match.start() + level - deepest)
        elif marks == "," and array and level == 1:
            cutter.end_event(match.start(), following=match.end())
    if opened or body[-1] not in "]}":
        raise not_json("it ends too early, or something follows its end")
    if not array:
        cutter.end_event(len(body), following=len(body))
    elif cutter.texts or body[1:-1].strip(_SPACE):
        cutter.end_event(len(body) - 1, following=len(body))
    return cutter.texts, array


def read_event_text(event: EventText) -> ReadEvent:
    """Read one event, or say what is wrong with it.

    Raises:  InvalidInput if its text is no JSON: then the body is none.
    """
    try:
        value: object = orjson.loads(event.text)
    except orjson.JSONDecodeError as error:
        value, broken = _read_odd(event.text, error)
    else:
        broken = _repeats(event.text, value)
    if event.too_deep:
        message = f"the event is nested deeper than {MAX_DEPTH} levels"
        broken = EventRejected("nested_too_deep", message)
    return ReadEvent(value if broken is None else _name_of(value), broken)


def _repeats(text: str, value: object) -> EventRejected | None:
    data = text.encode()
    if may_repeat_keys(data, count_keys(value)) and duplicate_key_events(b"[%b]" % data, 1):
        return EventRejected("duplicate_key", "the event's JSON names a key twice")
    return None


def _read_odd(text: str, error: ValueError) -> tuple[object, EventRejected | None]:
    """What the strict parser refuses though it is JSON but for NaN, and why it is refused."""
    try:
        value = read_json(
            text,
            parse_constant=lambda _name: _NOT_A_NUMBER,
            parse_float=_finite,
            parse_int=_finite,
        )
    except ValueError as cause:
        raise not_json(error) from cause
    if _holds_no_number(value):
        message = "NaN, Infinity or a number that no double holds"
        return value, EventRejected("not_a_number", message)
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        message = "a text holds half of a surrogate pair"
        return value, EventRejected("broken_text", message)
    return value, EventRejected("malformed_event", f"the event cannot be read: {error}")


def _finite(text: str) -> object:
    # Python reads 1e999 as infinity, where orjson refuses it; its int() refuses 5,000 digits.
    number = float(text)
    return number if math.isfinite(number) else _NOT_A_NUMBER


def _holds_no_number(value: object) -> bool:
    if isinstance(value, dict):
        return any(_holds_no_number(item) for item in value.values())
    if isinstance(value, list):
        return any(_holds_no_number(item) for item in value)
    return value is _NOT_A_NUMBER


def _name_of(event: object) -> dict[str, object]:
    """What the answer needs of a bad event; nothing else in it was checked."""
    fields = event.items() if isinstance(event, dict) else ()
    return {
        key: value
        for key, value in fields
        if key in ("source", "id") and isinstance(value, str) and value.isprintable()
    }
