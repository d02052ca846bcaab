"""Verify, part 1b: the metered time of a facility, counted from the facts of its evidence."""

from collections.abc import Iterable

from api.domain.metering.facts import Held, Place, Until, Voided
from api.domain.statements.told import Told

# No UTC month is longer.
_MONTH_S = 31 * 86_400


class Metered:
    """Uses and deliveries that stand, by the facts that statements took."""

    def __init__(self) -> None:
        self._spans: dict[Place, tuple[int, int]] = {}
        # Of months that are sealed: nothing of them is taken back any more.
        self._sealed_s = 0
        self._until_s = 0

    def take(self, told: Iterable[Told]) -> None:
        """Take the facts of one statement."""
        for each in told:
            fact = each.fact
            if isinstance(fact, Held):
                self._spans[fact.place] = fact.start_s, fact.end_s
            elif isinstance(fact, Until):
                self._spans[fact.target] = self._spans[fact.target][0], fact.end_s
            elif isinstance(fact, Voided):
                # Of an outage nothing is known here.
                self._spans.pop(fact.target, None)

    def stated(self, *, until_s: int, seal_s: int) -> None:
        """A statement is over time until then; what its seal has closed is only a sum now."""
        self._until_s = until_s
        sealed_s = until_s - seal_s - _MONTH_S
        for place in [p for p, (_, end_s) in self._spans.items() if end_s <= sealed_s]:
            start_s, end_s = self._spans.pop(place)
            self._sealed_s += end_s - start_s

    @property
    def gpu_seconds(self) -> int:
        """GPU-seconds up to the end of the last statement's time."""
        until_s = self._until_s
        spans = self._spans.values()
        return self._sealed_s + sum(min(b, until_s) - min(a, until_s) for a, b in spans)
