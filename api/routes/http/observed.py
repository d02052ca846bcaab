"""What each request leaves behind: its id, a count, its time, and on demand a line of the log."""

import re
import time
from secrets import token_hex

from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.telemetry.logs import about, log
from api.telemetry.metrics import HTTP_REQUESTS, HTTP_SECONDS

REQUEST_ID = "X-Request-Id"
# What a proxy in front may have called it. Anything else would be a stranger's text in our log.
_GIVEN = re.compile(r"[A-Za-z0-9._-]{8,64}")
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


class _Observed:
    """Around everything else."""

    def __init__(self, app: ASGIApp, *, access_log: bool) -> None:
        self._app, self._access_log = app, access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(REQUEST_ID, "")
        request_id = given if _GIVEN.fullmatch(given) else token_hex(8)
        scope["request_id"] = request_id
        started, status = time.perf_counter(), 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = request_id
            await send(message)

        with about(request=request_id):
            try:
                await self._app(scope, receive, sending)
            except Exception as error:
                # Uvicorn logs it, with its notes; and nobody else does.
                error.add_note(f"request {request_id}: {_method(scope)} {_route(scope)}")
                raise
            finally:
                self._count(scope, status, time.perf_counter() - started)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        method, route = _method(scope), _route(scope)
        HTTP_REQUESTS.labels(method, route, str(status)).inc()
        HTTP_SECONDS.labels(route).observe(seconds)
        if self._access_log:
            log("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1))


def _method(scope: Scope) -> str:
    """Its method; strangers may send any word, and each would be a row for ever."""
    return scope["method"] if scope["method"] in _METHODS else "other"


def _route(scope: Scope) -> str:
    """The route's template, so that a path with an id makes no row of its own."""
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) else "none"


def install(app: FastAPI, *, access_log: bool) -> None:
    """Put it outermost: call it after everything else is installed."""
    app.add_middleware(_Observed, access_log=access_log)
