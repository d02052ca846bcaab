"""Reading request bodies: media type, size, compression and strict JSON (ATTACKS 32 and 35)."""

import json
import zlib
from collections.abc import AsyncGenerator, Callable, Coroutine
from dataclasses import dataclass
from email.message import Message
from typing import Any

import orjson
from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from api.errors import InvalidInput, TooLarge, UnsupportedMediaType

MAX_BODY_BYTES = 5 * 1024 * 1024
MAX_EVENTS = 1_000
MAX_DEPTH = 12

SINGLE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
JSON = "application/json"
# ASCII is UTF-8 too; `utf8` is no registered name, but common.
_CHARSETS = frozenset({"utf-8", "utf8", "us-ascii"})


@dataclass(frozen=True, slots=True)
class EventBatch:
    """Parsed events and the indices of those that named a key twice."""

    events: list[Any]
    duplicate_keys: frozenset[int]


def media_type(header: str | None) -> str:
    """Media type of a Content-Type header, without parameters.

    Raises:  UnsupportedMediaType unless it is one of ours with a UTF-8 charset.
    """
    message = Message()
    message["content-type"] = header or ""
    found = message.get_content_type()
    charset = message.get_content_charset("utf-8")
    if not header or found not in (SINGLE, BATCH, JSON) or charset not in _CHARSETS:
        wanted = f"{SINGLE}, {BATCH} or {JSON}, in UTF-8"
        raise UnsupportedMediaType(f"Content-Type must be {wanted}", content_type=header)
    return found


def decompress(body: bytes, encoding: str | None) -> bytes:
    """Body after Content-Encoding, never above MAX_BODY_BYTES: a gzip bomb stops early."""
    # RFC 9110 §8.4.1: names of codings are case-insensitive, x-gzip is gzip.
    coding = (encoding or "identity").strip().lower()
    if coding == "identity":
        return body
    if coding not in ("gzip", "x-gzip"):
        raise UnsupportedMediaType("Content-Encoding must be gzip or identity", encoding=encoding)
    inflater = zlib.decompressobj(wbits=31)
    try:
        plain = inflater.decompress(body, MAX_BODY_BYTES + 1)
    except zlib.error as error:
        raise InvalidInput("body is not valid gzip", field="body") from error
    if len(plain) > MAX_BODY_BYTES:
        raise TooLarge(f"body inflates to more than {MAX_BODY_BYTES} bytes")
    if not inflater.eof or inflater.unused_data:
        raise InvalidInput("gzip body is truncated or has bytes after its end", field="body")
    return plain


def _depth(value: Any, left: int) -> None:
    if left == 0:
        raise InvalidInput(f"body is nested deeper than {MAX_DEPTH} levels", field="body")
    if isinstance(value, dict):
        for item in value.values():
            if isinstance(item, (dict, list)):
                _depth(item, left - 1)
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, (dict, list)):
                _depth(item, left - 1)


def parse_json(body: bytes) -> Any:
    """Strict JSON: UTF-8, no NaN or Infinity, bounded depth.

    orjson keeps the last of duplicate keys; `duplicate_key_events` finds them.
    Raises:  InvalidInput.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"body is not JSON: {error}", field="body") from error
    _depth(value, MAX_DEPTH)
    return value


def duplicate_key_events(body: bytes, count: int) -> frozenset[int]:
    """Indices of the events of a JSON array (or 0 of a single object) with a duplicate key.

    A second, exact parse: no shortcut is worth billing the wrong one of two values.
    """
    flagged: set[int] = set()

    class _Marked(dict[str, Any]):
        bad = False

    def hook(pairs: list[tuple[str, Any]]) -> _Marked:
        marked = _Marked(pairs)
        marked.bad = len(marked) != len(pairs) or any(
            isinstance(v, _Marked) and v.bad for v in marked.values()
        )
        return marked

    value = json.loads(body, object_pairs_hook=hook)
    for index, event in enumerate(value if isinstance(value, list) else [value]):
        if isinstance(event, _Marked) and event.bad:
            flagged.add(index)
    return frozenset(i for i in flagged if i < count)


def read_events(body: bytes, *, content_type: str | None, encoding: str | None) -> EventBatch:
    """Events of a request body, in order.

    Raises:  UnsupportedMediaType, TooLarge, InvalidInput.
    """
    kind = media_type(content_type)
    plain = decompress(body, encoding)
    if len(plain) > MAX_BODY_BYTES:
        raise TooLarge(f"body is larger than {MAX_BODY_BYTES} bytes")
    value = parse_json(plain)
    if kind == SINGLE and not isinstance(value, dict):
        raise InvalidInput(f"{SINGLE} holds one object", field="body")
    if kind == BATCH and not isinstance(value, list):
        raise InvalidInput(f"{BATCH} holds an array", field="body")
    if not isinstance(value, (dict, list)):
        raise InvalidInput("body must be an event or an array of events", field="body")
    events = value if isinstance(value, list) else [value]
    if len(events) > MAX_EVENTS:
        raise TooLarge(f"a batch holds at most {MAX_EVENTS} events, not {len(events)}")
    return EventBatch(events, duplicate_key_events(plain, len(events)))


class _StrictRequest(Request):
    """A request whose body is bounded, and whose `json()` refuses what `json.loads` lets through.

    Raises HTTPException, as FastAPI hides every other error that reading a body raises.
    """

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """The body, up to MAX_BODY_BYTES: FastAPI reads all of it before it asks for the key."""
        size = 0
        try:
            async for part in super().stream():
                size += len(part)
                if size > MAX_BODY_BYTES:
                    raise HTTPException(413, f"body is larger than {MAX_BODY_BYTES} bytes")
                yield part
        except ClientDisconnect as error:
            # Nobody hears the answer; nothing was recorded, and the log needs no stack trace.
            raise HTTPException(400, "the body ended before its announced length") from error

    async def json(self) -> Any:
        """Strict JSON of the body."""
        body = await self.body()
        try:
            value = parse_json(body)
            if duplicate_key_events(body, 1):
                raise InvalidInput("body names a key twice", field="body")
        except InvalidInput as error:
            raise HTTPException(422, error.message) from error
        return value


class StrictRoute(APIRoute):
    """Route whose body is read strictly: bounded, no duplicate keys, NaN, depth or broken UTF-8."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler on a strict request."""
        handler = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handler(_StrictRequest(request.scope, request.receive))

        return strict
