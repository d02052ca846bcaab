"""What one client or key may ask of the API: a bucket of reads each, and so many at work at once.

Counted in memory, which is bounded: each process of the service has shares of its own.
"""

import heapq
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from anyio import CapacityLimiter, fail_after

from api.errors import TooManyRequests
from api.settings import Settings

# Buckets that are not full, at most: some 10 MB. A full one is remembered by forgetting it.
MOST_REMEMBERED = 50_000
# Of these, how many are forgotten where all are not full: enough that sorting them is rare.
_FORGOTTEN = 4
# How long a request waits for its client's others.
PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class Taken:
    """What a bucket answers.

    wait_s: whole seconds until there is enough; 0: it was taken.  left: reads that are left.
    full_s: whole seconds until the bucket is full.
    """

    wait_s: int
    left: int
    full_s: int


class Shares:
    """Buckets of reads: full at first, each fills by `per_s` a second up to `most`.

    Of each the time is kept at which it is full again. Where more are not full than memory holds,
    the fullest are forgotten: that gives their owners what they had used, the least of all. So who
    wants an empty bucket forgotten has to empty nearly as many others as are remembered.
    """

    def __init__(
        self,
        *,
        per_s: float,
        most: float,
        clock: Callable[[], float] = time.monotonic,
        remembered: int = MOST_REMEMBERED,
    ) -> None:
        self.per_s, self.most = per_s, most
        self._clock, self._remembered = clock, remembered
        self._full_at: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, owner: str, cost: float) -> Taken:
        """Take what a request costs, or nothing. What costs more than a bucket takes a full one."""
        now = self._clock()
        used = max(0.0, self._full_at.get(owner, now) - now) * self.per_s
        missing = used + min(cost, self.most) - self.most
        if missing > 0:
            # Not 0, however little is missing: it would say that it was taken.
            return self._said(used, wait_s=max(1, math.ceil(missing / self.per_s)))
        self._keep(owner, now, used + cost)
        return self._said(used + cost)

    def charge(self, owner: str, cost: float) -> None:
        """Take what turned out to be more, also beyond what is left: later requests wait for it."""
        now = self._clock()
        used = max(0.0, self._full_at.get(owner, now) - now) * self.per_s
        # Nobody waits for longer than two buckets take to fill.
        self._keep(owner, now, min(used + cost, 2 * self.most))

    def give_back(self, owner: str, cost: float) -> None:
        """Put back what was taken for something that is counted elsewhere."""
        now = self._clock()
        used = max(0.0, self._full_at.get(owner, now) - now) * self.per_s
        self._keep(owner, now, used - cost)

    def _keep(self, owner: str, now: float, used: float) -> None:
        if used <= 0:
            self._full_at.pop(owner, None)
            return
        if owner not in self._full_at and len(self._full_at) >= self._remembered:
            self._forget(now)
        self._full_at[owner] = now + used / self.per_s

    def _forget(self, now: float) -> None:
        """Make room: of full buckets first, and else of the fullest quarter."""
        self._full_at = {owner: at for owner, at in self._full_at.items() if at > now}
        least = self._remembered - self._remembered // _FORGOTTEN
        surplus = len(self._full_at) - least
        if surplus > 0:
            fullest = heapq.nsmallest(surplus, self._full_at, key=self._full_at.__getitem__)
            for owner in fullest:
                del self._full_at[owner]

    def _said(self, used: float, *, wait_s: int = 0) -> Taken:
        left, full_s = int(max(0.0, self.most - used)), math.ceil(used / self.per_s)
        return Taken(wait_s, left, full_s)


class ClientGate:
    """Who may ask now: shares of clients without a key, of keys, and clients' requests at once."""

    def __init__(
        self,
        settings: Settings,
        clock: Callable[[], float] = time.monotonic,
        *,
        patience_s: float = PATIENCE_S,
    ) -> None:
        burst_s = settings.client_burst_s
        of_client, of_key = settings.client_reads_per_s, settings.key_reads_per_s
        self.clients = Shares(per_s=of_client, most=of_client * burst_s, clock=clock)
        self.keys = Shares(per_s=of_key, most=of_key * burst_s, clock=clock)
        self._at_once, self._patience_s = settings.client_at_once, patience_s
        # Only of clients that have a request at work or waiting.
        self._at_work: dict[str, tuple[CapacityLimiter, int]] = {}

    @property
    def at_work(self) -> int:
        """Clients with a request at work or waiting."""
        return len(self._at_work)

    async def enter(self, client: str) -> object:
        """Take one of the client's places, once it is its turn. Raises TooManyRequests.

        Others' requests do not wait for one client's: threads and connections are for all.
        Returns: the place, for `leave`.
        """
        places, count = self._at_work.get(client, (CapacityLimiter(self._at_once), 0))
        self._at_work[client] = places, count + 1
        # Not the task, which may stand for several requests.
        place = object()
        try:
            with fail_after(self._patience_s):
                await places.acquire_on_behalf_of(place)
        except BaseException as error:
            self._left(client)
            if not isinstance(error, TimeoutError):
                raise
            message = f"{self._at_once} requests of this client are at work: wait for these"
            raise TooManyRequests(message, reason="at_once", retry_after_s=1) from None
        return place

    def leave(self, client: str, place: object) -> None:
        """Give a place back."""
        self._at_work[client][0].release_on_behalf_of(place)
        self._left(client)

    def _left(self, client: str) -> None:
        places, count = self._at_work[client]
        if count == 1:
            del self._at_work[client]
        else:
            self._at_work[client] = places, count - 1
