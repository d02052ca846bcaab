"""How answers travel: HEAD, entity tags, gzip, and what nobody may keep."""

import hashlib
import re
from http import HTTPStatus

from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# What anybody may read. Every other answer may hold secrets of an operator or a session. No cache
# may keep it, and it is not compressed: where a caller's text is compressed beside a secret, the
# length tells how much of the secret the caller guessed (BREACH, 2013).
_PUBLIC_JSON = re.compile(
    r"/openapi\.json|/v1/(config|status|tranches|facilities|portfolio|attesters|reconciliation)"
    r"(/.*)?"
)
# Evidence and exports are not compressed: a reader hashes exactly the bytes that we sent.
_PUBLIC_FILE = re.compile(r"/v1/(evidence/.*|tranches\.csv)")
_PROBES = ("/health", "/livez", "/readyz", "/openapi.json")
_LEAST_BYTES, _GZIP_LEVEL = 1_024, 5


def is_public(scope: Scope) -> bool:
    """Whether anybody may read the answer."""
    public = _PUBLIC_JSON.fullmatch(scope["path"]) or _PUBLIC_FILE.fullmatch(scope["path"])
    return scope["method"] in ("GET", "HEAD") and public is not None


def _is_api(scope: Scope) -> bool:
    return bool(scope["path"].startswith("/v1/") or scope["path"] in _PROBES)


def _same(wanted: str, tag: str) -> bool:
    """Whether `If-None-Match` names an entity tag; weak and strong ones compare alike."""
    # Source: RFC 9110 §13.1.2, which asks for the weak comparison.
    names = (name.strip().removeprefix("W/") for name in wanted.split(","))
    return any(name in ("*", tag.removeprefix("W/")) for name in names)


class _Head:
    """Answers HEAD as GET would, without the body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ours = scope["type"] == "http" and scope["path"].startswith(("/v1/", "/openapi.", *_PROBES))
        if not ours or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            if message["type"] != "http.response.body":
                await send(message)
            elif not message.get("more_body", False):
                await send({"type": "http.response.body", "body": b""})

        await self._app({**scope, "method": "GET"}, receive, without_body)


class _Gzip:
    """Compresses public JSON for those who ask for it."""

    def __init__(self, app: ASGIApp) -> None:
        self._plain = app
        self._gzip = GZipMiddleware(
            app,
            minimum_size=_LEAST_BYTES,
            compresslevel=_GZIP_LEVEL,
            exclude_content_types=(*DEFAULT_EXCLUDED_CONTENT_TYPES, "text/csv"),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        public = scope["type"] == "http" and _PUBLIC_JSON.fullmatch(scope["path"])
        app = self._gzip if public and scope["method"] == "GET" else self._plain
        await app(scope, receive, send)


class _Kept:
    """Lets caches keep public answers if they revalidate them by tag, and keep no others.

    Tags are weak, of the body before compression; a route that knows a better one sets it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif is_public(scope):
            wanted = Headers(scope=scope).get("If-None-Match")
            await self._app(scope, receive, _Tagging(send, wanted))
        else:
            await self._app(scope, receive, _not_kept(send) if _is_api(scope) else send)


def _not_kept(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).setdefault("Cache-Control", "no-store")
        await send(message)

    return sending


class _Tagging:
    """Sends one public answer with its tag, or 304 to a client that has it already."""

    def __init__(self, send: Send, wanted: str | None) -> None:
        self._send, self._wanted = send, wanted
        self._start: Message | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == HTTPStatus.OK:
            # Held back: the tag is a header, and only the body tells it.
            self._start = message
            return
        if self._start is not None:
            start, self._start = self._start, None
            # An answer in several pieces streams on without a tag: it is not held in memory.
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                message = self._tag(start, message)
            await self._send(start)
        await self._send(message)

    def _tag(self, start: Message, message: Message) -> Message:
        headers = MutableHeaders(scope=start)
        if "etag" not in headers:
            digest = hashlib.blake2b(message["body"], digest_size=16).hexdigest()
            headers["ETag"] = f'W/"{digest}"'
        headers.setdefault("Cache-Control", "no-cache")
        if self._wanted is None or not _same(self._wanted, headers["etag"]):
            return message
        # A 304 has no content, so no header may describe one (RFC 9110 §15.4.5).
        start["status"] = 304
        for name in ("content-length", "content-type", "content-disposition"):
            del headers[name]
        return {"type": "http.response.body", "body": b""}


def install(app: FastAPI) -> None:
    """Put it around the routes; what is added last is outermost."""
    # `_Kept` tags bodies before `_Gzip` changes their bytes; `_Head` lets both see a GET.
    app.add_middleware(_Kept)
    app.add_middleware(_Gzip)
    app.add_middleware(_Head)
