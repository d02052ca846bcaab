"""How many devices a lease holds at once."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from api.domain.metering.intervals import Span

# Steps of a block, at most; fuller ones are cut in half.
_BLOCK = 48


class _Block:
    """Steps that follow each other: from `times[i]` on, `counts[i] + lift` intervals run.

    top: the largest of `counts`.
    """

    __slots__ = ("counts", "lift", "times", "top")

    def __init__(self, *, times: list[int], counts: list[int], lift: int = 0) -> None:
        self.times, self.counts, self.lift = times, counts, lift
        self.top = max(counts)

    def change(self, span: Span, by: int) -> None:
        """Count `by` more in the steps that begin in a span."""
        (start_s, end_s), times = span, self.times
        if start_s <= times[0] and times[-1] < end_s:
            self.lift += by
            return
        first, last = bisect_left(times, start_s), bisect_left(times, end_s)
        self.counts[first:last] = [count + by for count in self.counts[first:last]]
        self.top = max(self.counts)

    def peak(self, start_s: int, end_s: int) -> int:
        """Most intervals that run in the steps of `[start_s, end_s)`; 0 if none is here."""
        first = max(0, bisect_right(self.times, start_s) - 1)
        last = bisect_left(self.times, end_s)
        return max(self.counts[first:last], default=-self.lift) + self.lift


class Concurrency:
    """How many intervals `[start, end)` run at every second: a step function of time.

    In blocks, so that an interval over thousands of steps costs what some dozen do.
    """

    def __init__(self, intervals: Iterable[tuple[int, int]] = ()) -> None:
        self._blocks: list[_Block] = []
        # When each block begins; before the first, nothing runs.
        self._starts: list[int] = []
        self.steps = 0
        for start_s, end_s in intervals:
            self.add(start_s, end_s)

    def add(self, start_s: int, end_s: int) -> None:
        """Count one more interval, `start_s < end_s`."""
        self._change((start_s, end_s), 1)

    def drop(self, start_s: int, end_s: int) -> None:
        """Count an interval no more that was counted."""
        self._change((start_s, end_s), -1)

    def peak(self, start_s: int, end_s: int) -> int:
        """Most intervals that run at the same second inside `[start_s, end_s)`; 0 in no time."""
        if end_s <= start_s:
            return 0
        first, last = self._blocks_of((start_s, end_s))
        if last < 0:
            return 0
        most = self._blocks[first].peak(start_s, end_s)
        if last == first:
            return most
        inner = (block.top + block.lift for block in self._blocks[first + 1 : last])
        return max(most, self._blocks[last].peak(start_s, end_s), *inner)

    def _blocks_of(self, span: Span) -> tuple[int, int]:
        """First and last block with a step of a span; those between lie inside.

        Without any, the last one is -1.
        """
        return self._block_at(span[0]), bisect_left(self._starts, span[1]) - 1

    def _block_at(self, instant_s: int) -> int:
        """The block in which an instant lies; the first one for all before it."""
        return max(0, bisect_right(self._starts, instant_s) - 1)

    def _change(self, span: Span, by: int) -> None:
        for instant_s in span:
            self._step(instant_s)
        first, last = self._blocks_of(span)
        for block in self._blocks[first + 1 : last]:
            block.lift += by
        self._blocks[first].change(span, by)
        if last != first:
            self._blocks[last].change(span, by)

    def _step(self, instant_s: int) -> None:
        """A step begins at an instant, from now on."""
        if not self._blocks:
            self._blocks, self._starts = [_Block(times=[instant_s], counts=[0])], [instant_s]
            self.steps = 1
            return
        number = self._block_at(instant_s)
        block = self._blocks[number]
        at = bisect_left(block.times, instant_s)
        if at < len(block.times) and block.times[at] == instant_s:
            return
        count = block.counts[at - 1] if at else -block.lift
        block.times.insert(at, instant_s)
        block.counts.insert(at, count)
        block.top = max(block.top, count)
        self._starts[number] = block.times[0]
        self.steps += 1
        if len(block.times) > _BLOCK:
            self._cut(number)

    def _cut(self, number: int) -> None:
        """Make two blocks of one."""
        block, half = self._blocks[number], _BLOCK // 2
        parts = [
            _Block(times=block.times[part], counts=block.counts[part], lift=block.lift)
            for part in (slice(half), slice(half, None))
        ]
        self._blocks[number : number + 1] = parts
        self._starts.insert(number + 1, parts[1].times[0])
