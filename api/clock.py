"""Where the service takes its time from. Everybody else is handed the time."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread

Clock = Callable[[], int]
# Number and time of the newest block; None while no node answers.
NewestBlock = Callable[[], tuple[int, int] | None]

# This machine may be so far ahead of the chain: a block is seen some seconds after its time.
AHEAD_S = 120
# And so far ahead of the newest indexed block, while no node has answered since the start.
UNSEEN_S = 86_400
# How often the newest block is looked at, and how long a start waits for the first look.
_PAUSE_S = 10.0
_FIRST_S = 5.0
# So many looks in a row at lower blocks are believed: some minutes.
_LOWER_LOOKS = 30

_log = logging.getLogger(__name__)


def system_clock() -> int:
    """UTC seconds of this machine."""
    return int(time.time())


@dataclass(frozen=True, slots=True)
class _Seen:
    """A block when it was seen first, by a clock that nobody sets."""

    number: int
    time_s: int
    at_s: float


class BoundedClock:
    """This machine's time, but never far beyond what the chain shows.

    At most the newest block's time, and the time that passed since that block was seen, and
    `AHEAD_S`: a wrong clock cannot store a time that later records would have to follow for ever
    (ATTACKS 51). A chain that stands still holds nothing up, for time passes without blocks. While
    no node has answered yet, the newest indexed block stands in, with `UNSEEN_S` for what came
    since; where nothing is indexed, nothing is on a chain, and this machine is believed.

    A thread looks at the chain, so that nobody who asks for the time waits for a node.
    """

    def __init__(
        self,
        newest: NewestBlock,
        *,
        indexed: Callable[[], int | None] = lambda: None,
        wall: Clock = system_clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Args: indexed: time of the newest indexed block, asked when a start sees no node."""
        self._newest, self._wall, self._monotonic = newest, wall, monotonic
        self._indexed = indexed
        # The latest that it can be while no node has answered, and when that was known.
        self._unseen: tuple[int, float] | None = None
        self._seen: _Seen | None = None
        self._ahead = False
        self._lower = 0
        self._stop = Event()
        self._thread: Thread | None = None

    def __call__(self) -> int:
        """UTC seconds."""
        now_s, seen = self._wall(), self._seen
        if seen is None:
            return now_s if self._unseen is None else min(now_s, self._unseen_s(*self._unseen))
        most_s = seen.time_s + int(self._monotonic() - seen.at_s) + AHEAD_S
        self._tell(now_s - most_s)
        return min(now_s, most_s)

    def _unseen_s(self, most_s: int, since_s: float) -> int:
        return most_s + int(self._monotonic() - since_s)

    def look(self) -> None:
        """See the newest block. An older one, of a node that lags, says nothing for a while."""
        newest = self._newest()
        if newest is None:
            return
        number, time_s = newest
        if self._seen is not None and number <= self._seen.number:
            # Of one number again and again nothing is new; of lower ones the higher was not true.
            self._lower = self._lower + 1 if number < self._seen.number else 0
            if self._lower < _LOWER_LOOKS:
                return
        self._lower = 0
        self._seen = _Seen(number, time_s, self._monotonic())

    def start(self) -> None:
        """Look now, and from now on. Waits some seconds for the first answer, not for ever."""
        first = Event()
        self._stop.clear()
        self._thread = Thread(target=self._watch, args=(first,), name="newest-block", daemon=True)
        self._thread.start()
        first.wait(_FIRST_S)
        if self._seen is None:
            indexed_s = self._indexed()
            if indexed_s is not None:
                self._unseen = indexed_s + UNSEEN_S, self._monotonic()
            _log.warning("no node has answered yet: until then times are this machine's alone")

    def close(self) -> None:
        """Look no more. A look that hangs on a node is not waited for."""
        self._stop.set()

    def _watch(self, first: Event) -> None:
        while not self._stop.is_set():
            try:
                self.look()
            except Exception:  # whatever a node answers: the next look may be better
                _log.exception("looking at the newest block failed")
            first.set()
            self._stop.wait(_PAUSE_S if self._seen else _PAUSE_S / 10)

    def _tell(self, beyond_s: int) -> None:
        """Say once when the chain's time is taken instead, and when it no more is."""
        ahead = beyond_s > 0
        if ahead == self._ahead:
            return
        self._ahead = ahead
        if ahead:
            _log.warning(
                "this machine's clock is %d s ahead of the newest block: times follow the chain,"
                " `rentroll doctor` says more",
                beyond_s + AHEAD_S,
            )
        else:
            _log.warning("this machine's clock agrees with the chain again")


@contextmanager
def running(clock: Clock) -> Iterator[None]:
    """Let a clock that looks at the chain do so meanwhile."""
    if not isinstance(clock, BoundedClock):
        yield
        return
    clock.start()
    try:
        yield
    finally:
        clock.close()
