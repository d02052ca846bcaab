"""Bodies of requests: the events that they hold, the same for the service and who recomputes."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from api.domain.log.event_texts import cut_events, read_event_text
from api.domain.log.strict_json import count_batch_keys, count_keys, may_repeat_keys, parse_json
from api.errors import EventRejected, InvalidInput, TooLarge

MAX_BODY_BYTES = 5 * 1024 * 1024
MAX_EVENTS = 1_000
# The quickest level leaves a fifth. An unsigned body may write numbers longer than they came.
_LEVEL, _MOST_UNPACKED = 1, 8 * MAX_BODY_BYTES
# Source: RFC 1952 §2.3.1, read 2026-11-30: ID1 and ID2.
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class EventBatch:
    """Parsed events, and by index what is wrong with those that are not clean JSON.

    single: the body was one event, not an array.  size: bytes of the body, without compression.
    """

    events: list[object]
    broken: Mapping[int, EventRejected]
    single: bool
    size: int = 0


def inflate(body: bytes) -> bytes:
    """A gzip body as it was, never above MAX_BODY_BYTES: a gzip bomb stops early.

    Raises:  InvalidInput, TooLarge.
    """
    # wbits 16 + 15: a gzip header and the largest window, and no bare zlib stream.
    inflater = zlib.decompressobj(wbits=31)
    # One byte more than is allowed tells a body of exactly the limit from a longer one.
    try:
        plain = inflater.decompress(body, MAX_BODY_BYTES + 1)
    except zlib.error as error:
        raise InvalidInput("body is not valid gzip", field="body") from error
    if len(plain) > MAX_BODY_BYTES:
        raise TooLarge(f"body inflates to more than {MAX_BODY_BYTES} bytes: send it in parts")
    if not inflater.eof or inflater.unused_data:
        raise InvalidInput("gzip body is truncated or has bytes after its end", field="body")
    return plain


def pack(body: bytes) -> bytes:
    """A body as it is kept and handed on: events of one collector say nearly the same."""
    return zlib.compress(body, _LEVEL)


def unpack(packed: bytes) -> bytes:
    """Read what `pack` wrote, within bounds. Raises ValueError."""
    inflater = zlib.decompressobj()
    try:
        body = inflater.decompress(packed, _MOST_UNPACKED + 1)
    except zlib.error as error:
        raise ValueError("a body is not packed as bodies are") from error
    if len(body) > _MOST_UNPACKED or not inflater.eof or inflater.unused_data:
        raise ValueError("a body is too long, or cut off, or has bytes behind its end")
    return body


def plain_of(body: bytes) -> bytes:
    """A body as it was sent, without its compression: JSON never begins as gzip does.

    Raises:  InvalidInput, TooLarge.
    """
    return inflate(body) if body.startswith(_GZIP) else body


def read_plain(plain: bytes) -> EventBatch:
    """Events of a body, in order. Raises InvalidInput, TooLarge."""
    if len(plain) > MAX_BODY_BYTES:
        raise TooLarge(f"body is larger than {MAX_BODY_BYTES} bytes: send it in parts")
    return _read_clean(plain) or read_one_by_one(plain)


def _read_clean(plain: bytes) -> EventBatch | None:
    """Events of a body that is clean as a whole, as almost all are; None if something is odd."""
    try:
        value = parse_json(plain)
        single = not isinstance(value, list)
        keys = count_batch_keys(plain, value) if isinstance(value, list) else count_keys(value)
    except InvalidInput:
        return None
    if may_repeat_keys(plain, keys):
        return None
    if not isinstance(value, (dict, list)):
        raise InvalidInput("body must be an event or an array of events", field="body")
    events = value if isinstance(value, list) else [value]
    if len(events) > MAX_EVENTS:
        message = f"a batch holds at most {MAX_EVENTS} events, not {len(events)}: send it in parts"
        raise TooLarge(message)
    return EventBatch(events, {}, single)


def read_one_by_one(plain: bytes) -> EventBatch:
    """Events of a body of which some are odd: each by itself, so that it costs itself alone."""
    try:
        text = plain.decode()
    except UnicodeDecodeError as error:
        raise InvalidInput("body is not UTF-8", field="body") from error
    texts, array = cut_events(text, most=MAX_EVENTS)
    read = [read_event_text(event) for event in texts]
    broken = {i: event.broken for i, event in enumerate(read) if event.broken is not None}
    return EventBatch([event.value for event in read], broken, not array)
