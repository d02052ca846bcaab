"""Reading request bodies: media type, size, compression and strict JSON (ATTACKS 32 and 35)."""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.message import Message

from api.errors import EventRejected, InvalidInput, TooLarge, UnsupportedMediaType
from api.routes.http.binary_mode import Attributes, attributes_of
from api.routes.http.event_texts import cut_events, read_event_text
from api.routes.http.strict_json import MAX_DEPTH, count_keys, may_repeat_keys, parse_json

MAX_BODY_BYTES = 5 * 1024 * 1024
MAX_EVENTS = 1_000

SINGLE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
JSON = "application/json"
# ASCII is UTF-8 too; `utf8` is no registered name, but common.
_CHARSETS = frozenset({"utf-8", "utf8", "us-ascii"})


@dataclass(frozen=True, slots=True)
class EventBatch:
    """Parsed events, and by index what is wrong with those that are not clean JSON.

    single: the body was one event, not an array.
    """

    events: list[object]
    broken: Mapping[int, EventRejected]
    single: bool


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
        raise TooLarge(f"body inflates to more than {MAX_BODY_BYTES} bytes: send it in parts")
    if not inflater.eof or inflater.unused_data:
        raise InvalidInput("gzip body is truncated or has bytes after its end", field="body")
    return plain


def read_events(
    body: bytes,
    *,
    content_type: str | None,
    encoding: str | None,
    headers: Iterable[tuple[bytes, bytes]] = (),
) -> EventBatch:
    """Events of a request body, in order.

    Args:    headers: names in lower case; with `ce-` headers, JSON is the data of one event.
    Raises:  UnsupportedMediaType, TooLarge, InvalidInput.
    """
    kind = media_type(content_type)
    plain = decompress(body, encoding)
    if len(plain) > MAX_BODY_BYTES:
        raise TooLarge(f"body is larger than {MAX_BODY_BYTES} bytes: send it in parts")
    attributes = attributes_of(headers) if kind == JSON else None
    if attributes is not None:
        return _read_binary(plain, attributes)
    batch = _read_clean(plain) or _read_one_by_one(plain)
    if kind == SINGLE and not batch.single:
        raise InvalidInput(f"{SINGLE} holds one object; an array is {BATCH}", field="body")
    if kind == BATCH and batch.single:
        raise InvalidInput(f"{BATCH} holds an array; one object is {SINGLE}", field="body")
    return batch


def _read_clean(plain: bytes) -> EventBatch | None:
    """Events of a body that is clean as a whole, as almost all are; None if something is odd."""
    try:
        value = parse_json(plain)
        single = not isinstance(value, list)
        # An array is a level around its events.
        keys = count_keys(value, most_levels=MAX_DEPTH + (not single))
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


def _read_binary(plain: bytes, attributes: Attributes) -> EventBatch:
    """One event of headers and data. What is wrong with either is wrong with the event."""
    data = _read_one_by_one(b"[%b]" % plain)
    if len(data.events) > 1:
        raise InvalidInput("the body of an event in binary mode is its data alone", field="body")
    broken = attributes.broken or data.broken.get(0)
    # Without a body there is no data.
    event = {**attributes.values, **({"data": data.events[0]} if data.events else {})}
    return EventBatch([event], {} if broken is None else {0: broken}, single=True)


def _read_one_by_one(plain: bytes) -> EventBatch:
    """Events of a body of which some are odd: each by itself, so that it costs itself alone."""
    try:
        text = plain.decode()
    except UnicodeDecodeError as error:
        raise InvalidInput("body is not UTF-8", field="body") from error
    texts, array = cut_events(text, most=MAX_EVENTS)
    read = [read_event_text(event) for event in texts]
    broken = {i: event.broken for i, event in enumerate(read) if event.broken is not None}
    return EventBatch([event.value for event in read], broken, not array)
