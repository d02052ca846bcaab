"""Whose turn it is: what waits of one facility delays no other, and what was refused rests."""

import time
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Generic, TypeVar

from api.domain.units import Bytes32, Epoch, FacilityId

V = TypeVar("V")
Waiting = tuple[FacilityId, Epoch, Bytes32]
# Behind the first of each facility so many are judged in a round; then what came since is asked
# for. Whatever is left comes in the next.
MOST_A_ROUND = 64
_LONGEST_REST_S = 86_400.0


@dataclass(frozen=True, slots=True)
class _Rest(Generic[V]):
    until_s: float
    looks: int
    value: V


class Rests(Generic[V]):
    """What came out of looking at something, and until when that is enough: each time twice as
    long, on a clock that never goes back."""

    def __init__(self, first_s: float, *, clock: Callable[[], float] | None = None) -> None:
        self._first_s, self._clock = first_s, clock or (lambda: time.monotonic())
        self._known: dict[Hashable, _Rest[V]] = {}

    def value(self, key: Hashable) -> V | None:
        """What came out of it, while it rests."""
        rest = self._known.get(key)
        return None if rest is None or self._clock() >= rest.until_s else rest.value

    def looks(self, key: Hashable) -> int:
        """How often it was looked at in vain."""
        rest = self._known.get(key)
        return 0 if rest is None else rest.looks

    def begin(self, key: Hashable, value: V, *, rests: bool = True) -> None:
        """Note one more look in vain, and let it rest; or only let others come first."""
        looks = self.looks(key)
        pause_s = min(_LONGEST_REST_S, self._first_s * 2.0 ** min(looks, 32)) if rests else 0.0
        self._known[key] = _Rest(self._clock() + pause_s, looks + 1, value)

    def end(self, key: Hashable) -> None:
        """Forget something: it is fine now."""
        self._known.pop(key, None)

    def keep(self, keys: Iterable[Hashable]) -> None:
        """Forget everything but these."""
        wanted = set(keys)
        self._known = {key: rest for key, rest in self._known.items() if key in wanted}


def in_turns(waiting: Iterable[Waiting], *, looks: Callable[[Waiting], int]) -> Iterator[Waiting]:
    """The first of each facility, then the second of each: what was looked at less often first,
    then by epoch.

    Args:    looks: how often something was looked at in vain.
    """
    each = sorted(waiting, key=lambda w: (w[0], looks(w), w[1], w[2]))
    rows = [list(rows) for _, rows in groupby(each, key=lambda w: w[0])]
    for turn in range(max(map(len, rows), default=0)):
        yield from (row[turn] for row in rows if turn < len(row))
