"""What a log has taken: events by identity, and the time of devices by their facts."""

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeGuard

from api.domain.metering.facts import Held, Out, Place
from api.domain.metering.intervals import Span
from api.domain.units import Bytes32

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


class KnownEvents(dict[Identity, Known]):
    """Events that a log has, by identity, and found by the lease of their fact."""

    _of_lease: dict[Bytes32, list[Known]]

    def __new__(cls) -> "KnownEvents":
        # Not in `__init__`, which a copy does not call before it sets its items.
        made = super().__new__(cls)
        made._of_lease = {}
        return made

    def __setitem__(self, identity: Identity, told: Known) -> None:
        super().__setitem__(identity, told)
        if told.fact is not None:
            self._of_lease.setdefault(told.fact.lease, []).append(told)

    def held_by(self, lease: Bytes32) -> list[Span]:
        """Time that a lease holds of devices."""
        facts = (told.fact for told in self._of_lease.get(lease, ()) if not told.voided)
        return [(fact.start_s, fact.end_s) for fact in facts if holds_time(fact)]


class Taken:
    """Intervals of one device, disjoint, in order, each with the place of its fact."""

    __slots__ = ("_spans",)

    def __init__(self, spans: Sequence[tuple[int, int, Place]] = ()) -> None:
        self._spans = sorted(each for each in spans if each[0] < each[1])

    def conflict(self, span: Span, *, beside: Place | None = None) -> Span | None:
        """An interval that shares a second with a span, other than that of a fact; or None."""
        start_s, end_s = span
        # Metering comes in the order of time: nearly always behind all that is known.
        if not self._spans or self._spans[-1][1] <= start_s:
            return None
        # Intervals are disjoint: of those that begin before, the last alone can reach into it.
        at = max(0, bisect_left(self._spans, (start_s, start_s, _BEFORE_ALL)) - 1)
        while at < len(self._spans):
            a, b, place = self._spans[at]
            if a >= end_s:
                return None
            if start_s < b and place != beside:
                return a, b
            at += 1
        return None

    def __len__(self) -> int:
        return len(self._spans)

    def tell(self, spans: Sequence[tuple[int, int, Place]]) -> None:
        """Take intervals, each of the fact at a place."""
        self._spans.extend(each for each in spans if each[0] < each[1])
        self._spans.sort()

    def shorten(self, most: int) -> int:
        """Forget all but the last intervals; returns the second before which something is gone."""
        gone, self._spans = self._spans[:-most], self._spans[-most:]
        return max(end_s for _, end_s, _ in gone)

    def add(self, fact: Held | Out) -> None:
        """Take the time of a fact; an allocation that nobody confirmed yet has none."""
        if fact.start_s >= fact.end_s:
            return
        taken = (fact.start_s, fact.end_s, fact.place)
        if not self._spans or self._spans[-1] < taken:
            self._spans.append(taken)
        else:
            insort(self._spans, taken)

    def drop(self, fact: Held | Out) -> None:
        """Free the time of a fact, if it was taken."""
        span = (fact.start_s, fact.end_s, fact.place)
        at = bisect_left(self._spans, span)
        if at < len(self._spans) and self._spans[at] == span:
            del self._spans[at]


def holds_time(fact: Held | Out | None) -> TypeGuard[Held]:
    """Whether a fact holds a device for its lease: an allocation that nobody confirmed does not."""
    return isinstance(fact, Held) and fact.start_s < fact.end_s
