"""What a log has taken: events by identity, and the time of devices by their facts."""

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeGuard

from api.domain.metering.facts import Held, Out, Place
from api.domain.metering.intervals import Span

Identity = tuple[str, str]  # source and id of an event
_BEFORE_ALL = Place(-1, -1)


@dataclass(slots=True)
class Known:
    """An event that the log has: its fact as it stands now, if it told one that can change.

    ended: of an allocation, that its end was told.
    """

    place: Place
    recorded_at_s: int
    fact: Held | Out | None = None
    allocation: bool = False
    ended: bool = False
    voided: bool = False


class Taken:
    """Intervals of one device, disjoint, in order, each with the place of its fact."""

    __slots__ = ("_spans",)

    def __init__(self, spans: Sequence[tuple[int, int, Place]] = ()) -> None:
        self._spans = sorted(spans)

    def conflict(self, span: Span, *, beside: Place | None = None) -> Span | None:
        """An interval that shares a second with a span, other than that of a fact; or None."""
        start_s, end_s = span
        if self._spans:
            last_start_s, last_end_s, _ = self._spans[-1]
            # Metering comes in the order of time: nearly always behind all that is known. An empty
            # one says nothing of the ends of others.
            if last_start_s < last_end_s <= start_s:
                return None
        at = bisect_left(self._spans, (start_s, start_s, _BEFORE_ALL))
        # Intervals are disjoint, but for allocations that nobody confirmed yet: those are empty.
        while at > 0:
            at -= 1
            if self._spans[at][0] < self._spans[at][1]:
                break
        for a, b, place in self._spans[at:]:
            if a >= end_s:
                return None
            if start_s < b and place != beside and a < b:
                return a, b
        return None

    def __len__(self) -> int:
        return len(self._spans)

    def tell(self, spans: Sequence[tuple[int, int, Place]]) -> None:
        """Take intervals, each of the fact at a place."""
        self._spans.extend(spans)
        self._spans.sort()

    def shorten(self, most: int) -> int:
        """Forget all but the last intervals; returns the second before which something is gone."""
        gone, self._spans = self._spans[:-most], self._spans[-most:]
        return max(end_s for _, end_s, _ in gone)

    def add(self, fact: Held | Out) -> None:
        """Take the time of a fact."""
        taken = (fact.start_s, fact.end_s, fact.place)
        if not self._spans or self._spans[-1] < taken:
            self._spans.append(taken)
        else:
            insort(self._spans, taken)

    def drop(self, fact: Held | Out) -> None:
        """Free the time of a fact, if it was taken."""
        span = (fact.start_s, fact.end_s, fact.place)
        if span in self._spans:
            self._spans.remove(span)


def holds_time(fact: Held | Out | None) -> TypeGuard[Held]:
    """Whether a fact holds a device for its lease: an allocation that nobody confirmed does not."""
    return isinstance(fact, Held) and fact.start_s < fact.end_s
