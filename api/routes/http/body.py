"""Reading request bodies: media type, size, compression and strict JSON (ATTACKS 32 and 35)."""

import json
import math
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.message import Message

import orjson

from api.domain.json_text import read_json
from api.errors import EventRejected, InvalidInput, TooLarge, UnsupportedMediaType

MAX_BODY_BYTES = 5 * 1024 * 1024
MAX_EVENTS = 1_000
MAX_DEPTH = 12

SINGLE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
JSON = "application/json"
# ASCII is UTF-8 too; `utf8` is no registered name, but common.
_CHARSETS = frozenset({"utf-8", "utf8", "us-ascii"})
# Replaces NaN and Infinity in a parsed body.
_NOT_A_NUMBER = object()


@dataclass(frozen=True, slots=True)
class EventBatch:
    """Parsed events, and by index what is wrong with those that are not clean JSON."""

    events: list[object]
    broken: Mapping[int, EventRejected]


def media_type(header: str | None) -> str:
    """Media type of a Content-Type header, without parameters.

    Raises:  UnsupportedMediaType unless it is one of ours with a UTF-8 charset.
    """
    message = Message()
    message["content-type"] = header or ""
    stated_type = message.get_content_type()
    charset = message.get_content_charset("utf-8")
    if not header or stated_type not in (SINGLE, BATCH, JSON) or charset not in _CHARSETS:
        wanted = f"{SINGLE}, {BATCH} or {JSON}, in UTF-8"
        raise UnsupportedMediaType(f"Content-Type must be {wanted}", content_type=header)
    return stated_type


def decompress(body: bytes, encoding: str | None) -> bytes:
    """Body after Content-Encoding, never above MAX_BODY_BYTES: a gzip bomb stops early."""
    # RFC 9110 §8.4.1: names of codings are case-insensitive, x-gzip is gzip.
    coding = (encoding or "identity").strip().lower()
    if coding == "identity":
        return body
    if coding not in ("gzip", "x-gzip"):
        raise UnsupportedMediaType("Content-Encoding must be gzip or identity", encoding=encoding)
    # wbits 16 + 15: a gzip header and the largest window, and no bare zlib stream.
    inflater = zlib.decompressobj(wbits=31)
    # One byte more than is allowed tells a body of exactly the limit from a longer one.
    try:
        plain = inflater.decompress(body, MAX_BODY_BYTES + 1)
    except zlib.error as error:
        raise InvalidInput("body is not valid gzip", field="body") from error
    if len(plain) > MAX_BODY_BYTES:
        raise TooLarge(f"body inflates to more than {MAX_BODY_BYTES} bytes")
    if not inflater.eof or inflater.unused_data:
        raise InvalidInput("gzip body is truncated or has bytes after its end", field="body")
    return plain


def count_keys(value: object) -> int:
    """Keys of all objects inside a parsed JSON value.

    Raises:  InvalidInput if it is nested deeper than MAX_DEPTH.
    """
    # Level by level, not by recursion: a hostile body must not exhaust the stack.
    keys = 0
    level: list[dict[str, object] | list[object]] = (
        [value] if isinstance(value, (dict, list)) else []
    )
    for _ in range(MAX_DEPTH):
        below: list[dict[str, object] | list[object]] = []
        for container in level:
            items: Iterable[object] = container
            if isinstance(container, dict):
                keys += len(container)
                items = container.values()
            below += [item for item in items if isinstance(item, (dict, list))]
        if not below:
            return keys
        level = below
    raise InvalidInput(f"body is nested deeper than {MAX_DEPTH} levels", field="body")


def parse_json(body: bytes) -> object:
    """Strict JSON: UTF-8, no NaN or Infinity.

    orjson keeps the last of duplicate keys; `duplicate_key_events` finds them.
    Raises:  InvalidInput.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"body is not JSON: {error}", field="body") from error


# What can stand before the colon of a member: the key's closing quote, or JSON's white space.
_MEMBER_MARKS = (b'":', b" :", b"\t:", b"\n:", b"\r:")


def may_repeat_keys(body: bytes, keys: int) -> bool:
    """Whether valid JSON could name a key twice, given how many keys were left after parsing.

    False is certain. Every member has a colon after a quote or white space, so the marks are at
    least as many as the members, and these at least as many as the keys that parsing kept: if
    marks and keys are equal, no member was lost. Colons inside texts only raise the marks.
    """
    return sum(body.count(mark) for mark in _MEMBER_MARKS) != keys


def duplicate_key_events(body: bytes, count: int) -> frozenset[int]:
    """Indices of the events of a JSON array (or 0 of a single object) with a duplicate key.

    A second, exact parse: no shortcut is worth billing the wrong one of two values.
    """
    flagged: set[int] = set()

    class _Marked(dict[str, object]):
        bad = False

    def hook(pairs: list[tuple[str, object]]) -> _Marked:
        marked = _Marked(pairs)
        marked.bad = len(marked) != len(pairs) or any(_is_bad(v) for v in marked.values())
        return marked

    def _is_bad(value: object) -> bool:
        if isinstance(value, list):
            return any(_is_bad(v) for v in value)
        return isinstance(value, _Marked) and value.bad

    try:
        value = read_json(body, object_pairs_hook=hook)
    except ValueError as error:
        # Of a key named twice the first parse kept one value: the other may be nested too deep.
        raise InvalidInput(f"body is not JSON: {error}", field="body") from error
    for index, event in enumerate(value if isinstance(value, list) else [value]):
        if _is_bad(event):
            flagged.add(index)
    return frozenset(i for i in flagged if i < count)


def _finite(text: str) -> object:
    # Python reads 1e999 as infinity, where orjson refuses it.
    number = float(text)
    return number if math.isfinite(number) else _NOT_A_NUMBER


def _holds_no_number(value: object) -> bool:
    if isinstance(value, dict):
        return any(_holds_no_number(item) for item in value.values())
    if isinstance(value, list):
        return any(_holds_no_number(item) for item in value)
    return value is _NOT_A_NUMBER


def _parse_around_nan(body: bytes, error: InvalidInput) -> tuple[list[object], frozenset[int]]:
    """A body that is JSON but for NaN, Infinity and the like, and which of its events hold them.

    One collector's bad reading must not cost the rest of its batch. Everything else is held to
    the strict parser: the other events go through it once more.
    Raises:  `error` if such numbers are not all that is wrong.
    """
    try:
        value = read_json(body, parse_constant=lambda _name: _NOT_A_NUMBER, parse_float=_finite)
        count_keys(value)
    except ValueError as cause:
        raise error from cause
    if not isinstance(value, list):
        value = [value]
    bad = frozenset(i for i, event in enumerate(value) if _holds_no_number(event))
    if not bad or value == [_NOT_A_NUMBER]:
        raise error
    # A bad event keeps only its name, for the answer: nothing else in it was checked.
    names = {i: _name_of(value[i]) for i in bad}
    kept = [names.get(i, event) for i, event in enumerate(value)]
    parsed = parse_json(json.dumps(kept).encode())
    assert isinstance(parsed, list)
    return parsed, bad


def _name_of(event: object) -> dict[str, str]:
    fields = event.items() if isinstance(event, dict) else ()
    return {
        key: value
        for key, value in fields
        if key in ("source", "id") and isinstance(value, str) and value.isprintable()
    }


def read_events(body: bytes, *, content_type: str | None, encoding: str | None) -> EventBatch:
    """Events of a request body, in order.

    Raises:  UnsupportedMediaType, TooLarge, InvalidInput.
    """
    kind = media_type(content_type)
    plain = decompress(body, encoding)
    if len(plain) > MAX_BODY_BYTES:
        raise TooLarge(f"body is larger than {MAX_BODY_BYTES} bytes")
    without_number: frozenset[int] = frozenset()
    try:
        value = parse_json(plain)
    except InvalidInput as error:
        around, without_number = _parse_around_nan(plain, error)
        value = around if plain.lstrip().startswith(b"[") else around[0]
    keys = count_keys(value)
    if kind == SINGLE and not isinstance(value, dict):
        raise InvalidInput(f"{SINGLE} holds one object", field="body")
    if kind == BATCH and not isinstance(value, list):
        raise InvalidInput(f"{BATCH} holds an array", field="body")
    if not isinstance(value, (dict, list)):
        raise InvalidInput("body must be an event or an array of events", field="body")
    events = value if isinstance(value, list) else [value]
    if len(events) > MAX_EVENTS:
        raise TooLarge(f"a batch holds at most {MAX_EVENTS} events, not {len(events)}")
    broken = {
        i: EventRejected("not_a_number", "NaN, Infinity or a number that no double holds")
        for i in without_number
    }
    if may_repeat_keys(plain, keys):
        for i in duplicate_key_events(plain, len(events)):
            broken[i] = EventRejected("duplicate_key", "the event's JSON names a key twice")
    return EventBatch(events, broken)
