"""How much of `POST /v1/events` one operator and one process take at once (ATTACKS 35).

Counted in memory: each process of the service has limits of its own.
"""

import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from api.domain.log.bodies import MAX_BODY_BYTES
from api.domain.units import OperatorId
from api.errors import IngestBusy, TooManyRequests
from api.settings import Settings

_T = TypeVar("_T")
# After which a second preview of an operator may be tried again.
PREVIEW_WAIT_S = 2


class TokenBuckets:
    """A bucket for each operator: full at first, it fills by `per_s` a second up to `most`."""

    def __init__(self, *, per_s: float, most: float, clock: Callable[[], float]) -> None:
        self._per_s, self._most, self._clock = per_s, most, clock
        self._left: dict[OperatorId, tuple[float, float]] = {}
        self._one_by_one = Lock()

    def take(self, operator_id: OperatorId, count: int) -> int:
        """Take tokens, or none. Returns whole seconds until there are enough; 0 if there were."""
        with self._one_by_one:
            now = self._clock()
            left, at = self._left.get(operator_id, (self._most, now))
            left = min(self._most, left + (now - at) * self._per_s)
            if count > left:
                self._left[operator_id] = left, now
                return max(1, math.ceil((count - left) / self._per_s))
            self._left[operator_id] = left - count, now
            return 0


@dataclass(slots=True)
class Held:
    """Bytes of one body that are in memory."""

    gate: "IngestGate"
    operator_id: OperatorId
    count: int = 0

    def add(self, count: int) -> None:
        """Count bytes that arrived. Raises IngestBusy."""
        self.gate.require_room(self.operator_id, count)
        self.gate.held_bytes[self.operator_id] += count
        self.count += count


class IngestGate:
    """Who may come in: rates by operator, bytes of bodies and batches at work in all."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        seconds = settings.ingest_burst_s
        requests, events = settings.ingest_requests_per_s, settings.ingest_events_per_s
        self._requests = TokenBuckets(per_s=requests, most=requests * seconds, clock=clock)
        self._events = TokenBuckets(per_s=events, most=events * seconds, clock=clock)
        self._most_bytes = settings.ingest_buffer_bytes
        self.held_bytes: Counter[OperatorId] = Counter()
        at_once = settings.ingest_batches_at_once
        self._at_work = CapacityLimiter(at_once)
        # One operator's batches, which may wait for one lock, leave room for the others'.
        self._operator_at_once = max(1, at_once // 2)
        self._by_operator: dict[OperatorId, CapacityLimiter] = {}

    def admit_request(self, operator_id: OperatorId) -> None:
        """Count a request, before its body is read. Raises TooManyRequests."""
        _require_none(self._requests.take(operator_id, 1), "requests")

    def admit_events(self, operator_id: OperatorId, count: int) -> None:
        """Count the events of a body that was read. Raises TooManyRequests."""
        _require_none(self._events.take(operator_id, count), "events")

    def require_room(self, operator_id: OperatorId, count: int) -> None:
        """Refuse bytes for which there is no room; half of it is for one operator.

        Raises:  IngestBusy.
        """
        own, others = self.held_bytes[operator_id] + count, self.held_bytes.total() + count
        # A body of its own always fits, however small the room is made.
        if others > self._most_bytes or own > max(self._most_bytes // 2, MAX_BODY_BYTES):
            raise IngestBusy("too many bodies are in memory: try again", reason="memory")

    @contextmanager
    def holding(self, operator_id: OperatorId, *, announced: int) -> Iterator[Held]:
        """Count one body while it is in memory.

        Only what arrived counts: a client that announces much and sends little takes little.
        Args:    announced: bytes that will come, as far as the client says; refused before any.
        Raises:  IngestBusy.
        """
        self.require_room(operator_id, announced)
        held = Held(self, operator_id)
        try:
            yield held
        finally:
            self.held_bytes[operator_id] -= held.count

    async def work(self, operator_id: OperatorId, work: Callable[[], _T]) -> _T:
        """Do `work` in a thread, once it is its turn."""
        async with self._turn(operator_id):
            return await to_thread.run_sync(work, limiter=self._at_work)

    @asynccontextmanager
    async def _turn(self, operator_id: OperatorId) -> AsyncIterator[None]:
        own = self._by_operator.get(operator_id)
        if own is None:
            own = self._by_operator[operator_id] = CapacityLimiter(self._operator_at_once)
        async with own:
            yield


class PreviewGate:
    """Who may look ahead, or have a bill made: one of an operator, and one preview of all at work.

    Each goes through the books of a facility, which takes as long as closing does: more at once
    would take the processor from those who send events.
    """

    def __init__(self) -> None:
        self._under_way: set[OperatorId] = set()
        self._at_work = CapacityLimiter(1)

    @contextmanager
    def admitted(self, operator_id: OperatorId) -> Iterator[None]:
        """Hold the operator's place. Raises TooManyRequests."""
        if operator_id in self._under_way:
            message = (
                "a preview or bill of this operator is being made: try again when it is answered"
            )
            raise TooManyRequests(message, reason="preview", retry_after_s=PREVIEW_WAIT_S)
        self._under_way.add(operator_id)
        try:
            yield
        finally:
            self._under_way.discard(operator_id)

    async def work(self, work: Callable[[], _T]) -> _T:
        """Do `work` in a thread, once it is its turn."""
        return await to_thread.run_sync(work, limiter=self._at_work)


def _require_none(wait_s: int, reason: str) -> None:
    if wait_s:
        message = f"too many {reason} of this operator: try again in {wait_s} s"
        raise TooManyRequests(message, reason=reason, retry_after_s=wait_s)
