"""The calendar of a facility: UTC months, and the segments into which its epochs fall by them."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache

from api.domain.facility import FacilityTerms
from api.domain.units import Epoch


@lru_cache(maxsize=4_096)
def month_of(instant_s: int) -> int:
    """Number of the UTC month of an instant: year x 12 + month, January being 0."""
    date = datetime.fromtimestamp(instant_s, UTC)
    return date.year * 12 + date.month - 1


@lru_cache(maxsize=4_096)
def month_start_s(month: int) -> int:
    """First second of a UTC month."""
    return int(datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC).timestamp())


def month_length_s(month: int) -> int:
    """Seconds of a whole UTC month."""
    return month_start_s(month + 1) - month_start_s(month)


@dataclass(frozen=True, slots=True)
class Segment:
    """The part of an epoch that lies in one month."""

    number: int
    epoch: Epoch
    month: int
    start_s: int
    end_s: int


@dataclass(frozen=True)
class Calendar:
    """Segments of a delivery window, in order, and the months of it."""

    terms: FacilityTerms

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """All segments; their numbers are their places."""
        found: list[Segment] = []
        for epoch in map(Epoch, range(self.terms.epoch_count)):
            start_s, end_s = self.terms.epoch_bounds(epoch)
            while start_s < end_s:
                month = month_of(start_s)
                cut_s = min(end_s, month_start_s(month + 1))
                found.append(Segment(len(found), epoch, month, start_s, cut_s))
                start_s = cut_s
        return tuple(found)

    @cached_property
    def _starts(self) -> list[int]:
        return [segment.start_s for segment in self.segments]

    def between(self, *, start_s: int, end_s: int) -> Sequence[Segment]:
        """Segments that share a second with `[start_s, end_s)`."""
        # They follow each other without a gap: what overlaps is a run of them.
        if end_s <= self.terms.window_start_s or start_s >= self.terms.window_end_s:
            return ()
        first = max(0, bisect_right(self._starts, start_s) - 1)
        return self.segments[first : bisect_left(self._starts, end_s)]

    def beside(self, segment: Segment, *, within_s: int) -> Sequence[Segment]:
        """Segments that begin or end at most so long after or before a segment, without it."""
        key = segment.number, within_s
        found = self._beside.get(key)
        if found is None:
            near = self.between(start_s=segment.start_s - within_s, end_s=segment.end_s + within_s)
            found = self._beside[key] = tuple(s for s in near if s is not segment)
        return found

    @cached_property
    def _beside(self) -> dict[tuple[int, int], tuple[Segment, ...]]:
        return {}

    def of_month(self, month: int) -> Sequence[Segment]:
        """Segments of a month."""
        return self._by_month.get(month, ())

    @property
    def months(self) -> Sequence[int]:
        """Months of the window, in order."""
        return tuple(self._by_month)

    @cached_property
    def _by_month(self) -> dict[int, tuple[Segment, ...]]:
        numbers = sorted({segment.month for segment in self.segments})
        return {m: tuple(s for s in self.segments if s.month == m) for m in numbers}

    def epoch_start_s(self, epoch: Epoch) -> int:
        """First second of an epoch, or of what follows the last one."""
        return self.terms.window_start_s + epoch * self.terms.epoch_length_s

    def of_epoch(self, epoch: Epoch) -> Sequence[Segment]:
        """Segments of an epoch."""
        start_s, end_s = self.terms.epoch_bounds(epoch)
        return self.between(start_s=start_s, end_s=end_s)

    def month_bounds(self, month: int, *, over_s: int) -> tuple[int, int]:
        """`[start, end)` of a month inside the window, which is over at `over_s` at the latest."""
        start_s = max(month_start_s(month), self.terms.window_start_s)
        return start_s, min(month_start_s(month + 1), over_s)

    def sealed_by_s(self, month: int) -> int:
        """End of the first statement that ends a seal after a month: it seals the month.

        Behind the last epoch that is the closing statement.
        """
        terms = self.terms
        due_s = min(month_start_s(month + 1), terms.window_end_s) + terms.seal_s
        if due_s > terms.window_end_s:
            return terms.sealed_at_s
        epochs = -(-(due_s - terms.window_start_s) // terms.epoch_length_s)
        return terms.window_start_s + epochs * terms.epoch_length_s

    def sealed_from_s(self, month: int) -> int:
        """From which recorded time on nothing of a month is taken any more."""
        return self.sealed_by_s(month) + self.terms.grace_s

    def open_from_s(self, recorded_at_s: int) -> int:
        """First second of the window whose month is not sealed for what is recorded then."""
        open_s = self.terms.window_start_s
        for month in self.months:
            if recorded_at_s < self.sealed_from_s(month):
                break
            open_s = month_start_s(month + 1)
        return open_s
