"""Refuses a caller that asks for more than its share, before anything is done for it.

Who sends a key that works has that key's share; everybody else has that of its address.
"""

from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from time import monotonic

from anyio import to_thread
from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access.keys import Caller, caller_of_key
from api.db.time_limits import time_limited
from api.domain.hashing import sha256
from api.domain.log.requests import is_signed
from api.errors import AppError, TooManyRequests
from api.routes.http.clients import Network, client_of, cost_of, read_networks
from api.routes.http.problems import answered
from api.routes.http.shares import Shares, Taken
from api.routes.http.transport import is_public
from api.routes.service import Service, service_of
from api.settings import Settings
from api.telemetry.logs import log
from api.telemetry.metrics import REFUSED

# Orchestrators ask these every few seconds, whatever else comes from their address.
_PROBES = frozenset(("/livez", "/readyz"))
# Waits for no turn: it is asked how the service is while a client's others wait for something.
_QUICK = frozenset(("/health",))
# So long a key counts as one that works without being looked up. Routes look every time.
_KNOWN_S, _MOST_KNOWN = 60.0, 10_000
_BEARER = "bearer "
# Operators have shares of events and of these requests: api/routes/http/limits.py.
_EVENTS = "/v1/events"
_CLIENT, _KEY = "client", "key"
_FORWARDED = "X-Forwarded-For"
# What is sent beyond the first of these pieces costs a read each.
_PIECE_BYTES = 256 * 1024


class _Keys:
    """Keys that were found to work a short while ago, by their hash: nothing else gets in."""

    def __init__(self) -> None:
        self._until: dict[bytes, tuple[str, float]] = {}

    def owner(self, text: str) -> str | None:
        """Whose share a key has; None if it is to be looked up."""
        name, until = self._until.get(sha256(text.encode()), ("", 0.0))
        return name if monotonic() < until else None

    async def look_up(self, service: Service, text: str) -> str | None:
        """The same, asked of the database; None for a key that does not work, or not now."""
        try:
            caller = await to_thread.run_sync(partial(_caller, service, text))
        except AppError:
            return None
        if len(self._until) >= _MOST_KNOWN:
            self._until.clear()
        self._until[sha256(text.encode())] = caller.actor, monotonic() + _KNOWN_S
        return caller.actor


def _caller(service: Service, text: str) -> Caller:
    admin_key = service.settings.admin_key
    return caller_of_key(
        service.engine,
        service.key_uses,
        text=text,
        admin_key=None if admin_key is None else admin_key.get_secret_value(),
        now_s=service.session_clock(),
    )


@dataclass(slots=True)
class _Asked:
    """One request, and the share that it took from. policy: `client` or `key`."""

    policy: str
    shares: Shares
    owner: str
    cost: float
    taken: Taken
    # Claims a signature: its operator has shares of its own.
    signed: bool
    sent_bytes: int = 0

    @property
    def headers(self) -> dict[str, str]:
        """What is left."""
        # Source: draft-ietf-httpapi-ratelimit-headers-10, 2025-09-27.
        most, window_s = int(self.shares.most), int(self.shares.most / self.shares.per_s)
        return {
            "RateLimit-Policy": f'"{self.policy}";q={most};w={window_s}',
            "RateLimit": f'"{self.policy}";r={self.taken.left};t={self.taken.full_s}',
        }

    def sending(self, send: Send) -> Send:
        """Tell what is left with the answer, and count its bytes."""

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self.headers)
                if self.signed and message["status"] < HTTPStatus.BAD_REQUEST:
                    self.shares.give_back(self.owner, self.cost)
            elif message["type"] == "http.response.body":
                self.sent_bytes += len(message.get("body", b""))
            await send(message)

        return counted

    async def refuse(self, error: TooManyRequests, scope: Scope, send: Send) -> None:
        """Answer 429, without reading what the client may still send."""
        REFUSED.labels(self.policy, str(error.context["reason"])).inc()
        answer = answered(error)
        answer.headers.update(self.headers)
        await answer(scope, _nothing, send)

    def settle(self) -> None:
        """Charge what its answer was beyond a first piece."""
        pieces = self.sent_bytes // _PIECE_BYTES
        if pieces:
            self.shares.charge(self.owner, pieces)


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


class _Limited:
    """Around routes and what travels with their answers."""

    def __init__(self, app: ASGIApp, *, trusted: tuple[Network, ...], read_s: float) -> None:
        self._app, self._trusted, self._read_s = app, trusted, read_s
        self._keys, self._told = _Keys(), False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _PROBES:
            await self._app(scope, receive, send)
            return
        service, headers = service_of(scope["app"]), Headers(scope=scope)
        client = self._client(scope, headers)
        asked = await self._ask(service, scope["path"], headers, client)
        wait_s = asked.taken.wait_s
        if wait_s:
            message = f"too many requests of this {asked.policy}: try again in {wait_s} s"
            error = TooManyRequests(message, reason="requests", retry_after_s=wait_s)
            await asked.refuse(error, scope, send)
            return
        sending = asked.sending(send)
        try:
            if asked.policy == _KEY or asked.signed or scope["path"] in _QUICK:
                await self._app(scope, receive, sending)
                return
            place = await service.clients.enter(client)
            try:
                with time_limited(self._read_s if is_public(scope) else None):
                    await self._app(scope, receive, sending)
            finally:
                service.clients.leave(client, place)
        except TooManyRequests as error:
            await asked.refuse(error, scope, send)
        finally:
            asked.settle()

    def _client(self, scope: Scope, headers: Headers) -> str:
        peer = None if scope["client"] is None else scope["client"][0]
        forwarded = ",".join(headers.getlist(_FORWARDED))
        if forwarded and not self._trusted and not self._told:
            self._told = True
            said = "a proxy in front makes all its clients one: name it in RENTROLL_TRUSTED_PROXIES"
            log("limits", warning=said, peer=peer)
        return client_of(peer, forwarded=forwarded, trusted=self._trusted)

    async def _ask(self, service: Service, path: str, headers: Headers, client: str) -> _Asked:
        """Take what the request costs of the share that it has."""
        gate, cost = service.clients, cost_of(path)
        sent = headers.get("Authorization", "")
        text = sent[len(_BEARER) :].strip() if sent.lower().startswith(_BEARER) else ""
        owner = self._keys.owner(text) if text else None
        if owner is None:
            taken = gate.clients.take(client, cost)
            signed = not text and path.startswith("/v1/") and is_signed(headers)
            asked = _Asked(_CLIENT, gate.clients, client, cost, taken, signed)
            if taken.wait_s or not text:
                return asked
            # Looking it up is paid for by the address, in case that it is a guess.
            owner = await self._keys.look_up(service, text)
            if owner is None:
                return asked
            gate.clients.give_back(client, cost)
        taken = gate.keys.take(owner, 0 if path == _EVENTS else cost)
        return _Asked(_KEY, gate.keys, owner, cost, taken, signed=False)


def install(app: FastAPI, settings: Settings) -> None:
    """Put it around routes and transport. Raises Misconfigured."""
    trusted = read_networks(settings.trusted_proxies)
    app.add_middleware(_Limited, trusted=trusted, read_s=settings.public_read_s)
