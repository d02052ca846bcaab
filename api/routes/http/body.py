"""Reading request bodies: media type, size, compression and strict JSON (ATTACKS 32 and 35)."""

from collections.abc import Iterable
from dataclasses import replace
from email.message import Message

from api.domain.log.bodies import (
    MAX_BODY_BYTES,
    EventBatch,
    inflate,
    read_one_by_one,
    read_plain,
)
from api.errors import InvalidInput, TooLarge, UnsupportedMediaType
from api.routes.http.binary_mode import Attributes, attributes_of

SINGLE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
JSON = "application/json"
# ASCII is UTF-8 too; `utf8` is no registered name, but common.
_CHARSETS = frozenset({"utf-8", "utf8", "us-ascii"})


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
        if len(body) > MAX_BODY_BYTES:
            raise TooLarge(f"body is larger than {MAX_BODY_BYTES} bytes: send it in parts")
        return body
    if coding not in ("gzip", "x-gzip"):
        raise UnsupportedMediaType("Content-Encoding must be gzip or identity", encoding=encoding)
    return inflate(body)


def read_events(
    body: bytes,
    *,
    content_type: str | None,
    encoding: str | None,
    headers: Iterable[tuple[bytes, bytes]] = (),
    signed: bool = False,
) -> EventBatch:
    """Events of a request body, in order.

    Args:    headers: names in lower case; with `ce-` headers, JSON is the data of one event.
             signed: the body alone is signed, so nothing of an event may stand beside it.
    Raises:  UnsupportedMediaType, TooLarge, InvalidInput.
    """
    kind = media_type(content_type)
    plain = decompress(body, encoding)
    attributes = attributes_of(headers) if kind == JSON else None
    if signed and attributes is not None:
        message = "a signed body holds whole events: `ce-` headers are not signed"
        raise UnsupportedMediaType(message, content_type=content_type)
    if attributes is not None:
        return _read_binary(plain, attributes)
    batch = read_plain(plain)
    if kind == SINGLE and not batch.single:
        raise InvalidInput(f"{SINGLE} holds one object; an array is {BATCH}", field="body")
    if kind == BATCH and batch.single:
        raise InvalidInput(f"{BATCH} holds an array; one object is {SINGLE}", field="body")
    return replace(batch, size=len(plain))


def _read_binary(plain: bytes, attributes: Attributes) -> EventBatch:
    """One event of headers and data. What is wrong with either is wrong with the event."""
    data = read_one_by_one(b"[%b]" % plain)
    if len(data.events) > 1:
        raise InvalidInput("the body of an event in binary mode is its data alone", field="body")
    broken = attributes.broken or data.broken.get(0)
    # Without a body there is no data.
    event = {**attributes.values, **({"data": data.events[0]} if data.events else {})}
    return EventBatch([event], {} if broken is None else {0: broken}, single=True)
