"""Which intervals of a device or a lease are taken: overlap and concurrency checks."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence


class Occupancy:
    """Disjoint intervals `[start, end)` of one device, in order."""

    def __init__(self, intervals: Iterable[tuple[int, int]] = ()) -> None:
        self._intervals = sorted(intervals)

    def conflict(self, start_s: int, end_s: int) -> tuple[int, int] | None:
        """An interval that shares a second with `[start_s, end_s)`, or None."""
        at = bisect_left(self._intervals, (start_s, start_s))
        for i in (at - 1, at):
            if 0 <= i < len(self._intervals):
                other = self._intervals[i]
                if other[0] < end_s and start_s < other[1]:
                    return other
        return None

    def add(self, start_s: int, end_s: int) -> None:
        """Take an interval that conflicts with none."""
        insort(self._intervals, (start_s, end_s))


def peak_concurrency(intervals: Sequence[tuple[int, int]], start_s: int, end_s: int) -> int:
    """Most intervals that run at the same second inside `[start_s, end_s)`."""
    edges: list[tuple[int, int]] = []
    for begin_s, finish_s in intervals:
        clipped_start, clipped_end = max(begin_s, start_s), min(finish_s, end_s)
        if clipped_start < clipped_end:
            edges += [(clipped_start, 1), (clipped_end, -1)]
    peak = running = 0
    # Ends sort before starts of the same second, as intervals are half open.
    for _, change in sorted(edges):
        running += change
        peak = max(peak, running)
    return peak
