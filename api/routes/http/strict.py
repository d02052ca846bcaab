"""Routes whose bodies are bounded, in time and strict JSON, whatever FastAPI would let through."""

from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any

import anyio
from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from api.domain.log.bodies import MAX_BODY_BYTES
from api.domain.log.strict_json import (
    count_keys,
    duplicate_key_events,
    may_repeat_keys,
    parse_json,
)
from api.errors import InvalidInput
from api.routes.service import service_of


class _StrictRequest(Request):
    """A request whose body is bounded, and whose `json()` refuses what `json.loads` lets through.

    Raises HTTPException, as FastAPI hides every other error that reading a body raises.
    """

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """The body, up to MAX_BODY_BYTES: FastAPI reads all of it before it asks for the key.

        Whatever comes of it comes before one deadline: a client that trickles has no more time.
        """
        timeout_s = service_of(self.app).settings.body_timeout_s
        deadline = anyio.current_time() + timeout_s
        size = 0
        chunks = super().stream()
        while True:
            try:
                with anyio.fail_after(deadline - anyio.current_time()):
                    chunk = await anext(chunks)
            except StopAsyncIteration:
                return
            except TimeoutError as error:
                raise HTTPException(408, f"the body did not come in {timeout_s:g} s") from error
            except ClientDisconnect as error:
                # Nobody hears the answer; nothing was recorded, and the log needs no stack trace.
                raise HTTPException(400, "the body ended before its announced length") from error
            size += len(chunk)
            if size > MAX_BODY_BYTES:
                message = f"body is larger than {MAX_BODY_BYTES} bytes: send it in parts"
                raise HTTPException(413, message)
            yield chunk

    async def json(self) -> object:
        """Strict JSON of the body."""
        body = await self.body()
        try:
            value = parse_json(body)
            if may_repeat_keys(body, count_keys(value)) and duplicate_key_events(body, 1):
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
