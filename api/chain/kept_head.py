"""The newest block's number, asked for at most once a second, whoever wants to know it."""

import time
from collections.abc import Callable
from threading import Lock

from api.chain.client import ChainClient
from api.errors import AppError

_FRESH_S = 1.0


class KeptHead:
    """What many ask at once is asked of the node once; nobody waits for somebody else's answer."""

    def __init__(
        self, client: ChainClient, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._client, self._monotonic = client, monotonic
        self._number: int | None = None
        self._asked_at = -_FRESH_S
        self._asking = Lock()

    def number(self) -> int | None:
        """The newest block's number; None if the node did not answer."""
        if self._monotonic() - self._asked_at < _FRESH_S:
            return self._number
        if self._asking.acquire(blocking=False):
            try:
                self._number = self._client.head(attempts=1).number
            except AppError:
                self._number = None
            finally:
                self._asked_at = self._monotonic()
                self._asking.release()
        return self._number
