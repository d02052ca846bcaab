"""How many devices a lease holds at once."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable


class Concurrency:
    """How many intervals `[start, end)` run at every second: a step function of time."""

    def __init__(self, intervals: Iterable[tuple[int, int]] = ()) -> None:
        # From `_times[i]` to the next one, `_counts[i]` intervals run; before the first, none.
        self._times: list[int] = []
        self._counts: list[int] = []
        for start_s, end_s in intervals:
            self.add(start_s, end_s)

    def add(self, start_s: int, end_s: int) -> None:
        """Count one more interval, `start_s < end_s`."""
        first, last = self._step(start_s), self._step(end_s)
        for i in range(first, last):
            self._counts[i] += 1

    def drop(self, start_s: int, end_s: int) -> None:
        """Count an interval no more that was counted."""
        first, last = self._step(start_s), self._step(end_s)
        for i in range(first, last):
            self._counts[i] -= 1

    def peak(self, start_s: int, end_s: int) -> int:
        """Most intervals that run at the same second inside `[start_s, end_s)`."""
        first = max(0, bisect_right(self._times, start_s) - 1)
        last = bisect_left(self._times, end_s)
        return max(self._counts[first:last], default=0)

    def _step(self, instant_s: int) -> int:
        """Index of the step that begins at an instant; made if there is none."""
        at = bisect_left(self._times, instant_s)
        if at == len(self._times) or self._times[at] != instant_s:
            self._times.insert(at, instant_s)
            self._counts.insert(at, self._counts[at - 1] if at else 0)
        return at
