"""One provider of a chain: HTTP with a deadline in total, its health, and when to ask it again."""

import asyncio
import atexit
import os
import random
import threading
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, TypeVar
from urllib.parse import urlsplit

import aiohttp

from api.chain.rpc import NoAnswer, RateLimited

T = TypeVar("T")

# So many failures in a row, and a provider is left alone: half a second first, then twice as long.
_FAILURES = 3
_FIRST_REST_S = 0.5
_LONGEST_REST_S = 30.0
# How long a provider rests that asks for it and does not say how long, and at most.
_LIMITED_S = 1.0
_LONGEST_LIMITED_S = 60.0
# Nobody sends us more: 2,000 blocks full of logs have a tenth of it.
_MOST_BYTES = 256 * 1024 * 1024
_OK, _TOO_MANY, _UNAVAILABLE = 200, 429, 503


@dataclass(frozen=True, slots=True)
class ProviderHealth:
    """How a provider does, for people and for metrics. name: never its URL, which holds keys."""

    name: str
    # up; resting: it failed or asked for rest; refused: it is of another chain.
    state: str
    requests: int
    failures: int
    rate_limited: int
    # Seconds of the last answer.
    last_s: float | None
    last_error: str | None


class Rest:
    """When a provider is asked again: at once, or after a rest that grows with its failures."""

    def __init__(self) -> None:
        self._failed = 0
        self._until = 0.0

    def left_s(self) -> float:
        """Seconds until it may be asked; 0 if it may now."""
        return max(0.0, self._until - time.monotonic())

    def answered(self) -> None:
        """It answered."""
        self._failed, self._until = 0, 0.0

    def failed(self) -> None:
        """It did not."""
        self._failed += 1
        if self._failed >= _FAILURES:
            rest_s = min(_LONGEST_REST_S, _FIRST_REST_S * 2 ** min(self._failed - _FAILURES, 10))
            self.rest(jittered(rest_s))

    def rest(self, seconds: float) -> None:
        """Leave it alone for so long."""
        self._until = max(self._until, time.monotonic() + seconds)


def jittered(seconds: float) -> float:
    """Half of a time and a part of the other half by chance: many clients never come at once."""
    return seconds * (0.5 + random.random() / 2)  # noqa: S311 - no secret


class Provider:
    """One endpoint. Any thread may use it; what waits for the network is one thread for all."""

    def __init__(self, url: str, number: int) -> None:
        self.url = url
        # What stands before the host, in the path or behind `?` is often a key.
        self.name = f"{number} ({urlsplit(url).hostname or '?'})"
        self.rest = Rest()
        # False again after every failure: what answers next may be another node.
        self.checked = False
        # Whether it takes a block by hash where others take a number (EIP-1898).
        self.takes_hash = True
        self.refused: str | None = None
        self._requests = self._failures = self._limited = 0
        self._last_s: float | None = None
        self._last_error: str | None = None

    def health(self) -> ProviderHealth:
        """How it does."""
        state = "refused" if self.refused else "resting" if self.rest.left_s() else "up"
        counts = (self._requests, self._failures, self._limited)
        return ProviderHealth(self.name, state, *counts, self._last_s, self._last_error)

    def post(self, body: bytes, timeout_s: float) -> bytes:
        """Body for body, within `timeout_s` in all. Raises NoAnswer, RateLimited."""
        return in_loop(self.exchange(body, timeout_s))

    async def exchange(self, body: bytes, timeout_s: float) -> bytes:
        """The same, inside the thread that waits."""
        begun = time.monotonic()
        try:
            async with asyncio.timeout(timeout_s):
                answer = await self._exchange(body)
        except TimeoutError as error:
            raise NoAnswer(f"provider {self.name}: no answer in {timeout_s:.1f} s") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            kind = type(error).__name__
            raise NoAnswer(f"provider {self.name}: {kind}") from error
        self._last_s = time.monotonic() - begun
        return answer

    async def _exchange(self, body: bytes) -> bytes:
        self._requests += 1
        headers = {"Content-Type": "application/json"}
        async with _session().post(self.url, data=body, headers=headers) as response:
            wait = response.headers.get("Retry-After")
            if response.status == _TOO_MANY or (response.status == _UNAVAILABLE and wait):
                message = f"provider {self.name}: HTTP {response.status}"
                raise RateLimited(message, _seconds(wait))
            read = bytearray()
            async for chunk in response.content.iter_any():
                read += chunk
                if len(read) > _MOST_BYTES:
                    raise NoAnswer(f"provider {self.name}: the answer has no end")
            # Some nodes send their errors with 400 or 500 and JSON: only what is none is a fault.
            if response.status != _OK and not read.lstrip().startswith((b"{", b"[")):
                raise NoAnswer(f"provider {self.name}: HTTP {response.status}")
            return bytes(read)

    def answered(self) -> None:
        """Count an answer that can be believed."""
        self.rest.answered()
        self._last_error = None

    def failed(self, error: Exception) -> None:
        """Count what was no answer."""
        self._failures += 1
        self._last_error = str(error)
        if isinstance(error, RateLimited):
            self._limited += 1
            self.rest.rest(jittered(error.wait_s or _LIMITED_S))
        else:
            self.checked = False
            self.rest.failed()

    def refuse(self, why: str) -> None:
        """It is of another chain: nothing it says is believed."""
        self.refused, self._last_error = why, why
        self.rest.failed()


def _seconds(retry_after: str | None) -> float:
    """Retry-After: seconds, or a date."""
    if retry_after is None:
        return _LIMITED_S
    try:
        wait_s = float(retry_after)
    except ValueError:
        try:
            wait_s = parsedate_to_datetime(retry_after).timestamp() - time.time()
        except ValueError:
            wait_s = _LIMITED_S
    return min(max(wait_s, 0.05), _LONGEST_LIMITED_S)


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """The one thread that waits for nodes."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="chain", daemon=True).start()
    return loop


@cache
def _session() -> aiohttp.ClientSession:
    """Connections of the process to all nodes; idle ones end by themselves. Made in the thread."""
    # No limits of aiohttp's own: `exchange` has one for time, and whoever calls for how many.
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(total=None),
        trust_env=True,
    )


_making = threading.Lock()


@atexit.register
def _close() -> None:
    if _session.cache_info().currsize:
        in_loop(_session().close())


def _forget() -> None:
    # A child of a fork has none of its parent's threads, and perhaps the lock as one held it.
    global _making
    _making = threading.Lock()
    _loop.cache_clear()
    _session.cache_clear()


os.register_at_fork(after_in_child=_forget)


def in_loop(work: Coroutine[Any, Any, T]) -> T:
    """Result of what runs in the thread that waits."""
    with _making:
        loop = _loop()
    future = asyncio.run_coroutine_threadsafe(work, loop)
    try:
        return future.result()
    except BaseException:
        # Interrupted: nobody waits for it any more.
        future.cancel()
        raise
