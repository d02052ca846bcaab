"""The worker's times: what all clocks agree on, and whether time went on as it does."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from api.chain.client import ChainClient
from api.chain.clocks import read_clocks
from api.clock import Clock
from api.domain.clocks import CLOCKS_APART_S, Clocks


@dataclass(frozen=True, slots=True)
class Seen:
    """Clocks as they were seen.

    witnessed: this machine's clock agrees with the chain, and since this process first saw that,
    the chain went on no faster than a clock that nobody sets.
    """

    clocks: Clocks
    witnessed: bool


class Times:
    """Looks at all clocks. wall: None where the chain's time is simulated."""

    def __init__(
        self,
        client: ChainClient,
        *,
        wall: Clock | None,
        confirmations: int | None = 0,
        apart_s: int = CLOCKS_APART_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self._confirmations = client, confirmations
        self._wall, self.apart_s, self._monotonic = wall, apart_s, monotonic
        # Time of the first block that agreed, and when that was by the monotonic clock.
        self._first: tuple[int, float] | None = None

    def look(self) -> Seen:
        """All clocks now. Raises ChainUnavailable; who closes by them asks whether they agree."""
        wall_s = None if self._wall is None else self._wall()
        clocks = read_clocks(self._client, confirmations=self._confirmations, wall_s=wall_s)
        if wall_s is None or abs(wall_s - clocks.head_s) > self.apart_s:
            return Seen(clocks, witnessed=False)
        passed_s = self._monotonic()
        if self._first is None:
            self._first = clocks.head_s, passed_s
        head_s, since_s = self._first
        jumped_s = clocks.head_s - head_s - (passed_s - since_s)
        return Seen(clocks, witnessed=jumped_s <= self.apart_s)
