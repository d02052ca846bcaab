"""A facility told event by event and stated period by period, as whoever recomputes does it."""

from api.domain.metering.usage import LineKind
from api.domain.statements.closing import ClosedEpoch
from api.domain.statements.recompute import RawInput, Recomputation
from tests.logs import batch_entry, secret_names, told_leases
from tests.unit.payloads import TERMS, Payload
from tests.unit.values import START_S

DOLLAR = 1_000_000


class Life:
    """Each event is an entry of its own, recorded as the period to state next is over."""

    def __init__(self, *payloads: Payload, terms=TERMS, ended_at_s: int | None = None) -> None:
        self.terms, self.ended_at_s = terms, ended_at_s
        raw = RawInput(terms.grace_s, ended_at_s)
        self.rebuilt = Recomputation(terms, raw)
        self.tell(*payloads)

    @property
    def period(self):
        """What is stated next."""
        period = self.terms.stated_period(
            self.rebuilt.books.next_number,
            ended_at_s=self.ended_at_s,
            grace_s=self.terms.grace_s,
        )
        assert period is not None
        return period

    def tell(self, *payloads: Payload, late_s: int = 0) -> None:
        """Record events, `late_s` after the period that is stated next is over."""
        for payload in payloads:
            at_s = self.period.over_s + late_s
            end = self.rebuilt.end
            entry = batch_entry(self.terms, end, at_s, [payload])
            self.rebuilt.learn(told_leases(secret_names(self.terms), [entry]))
            self.rebuilt.read([entry])

    def close(self) -> ClosedEpoch:
        """State the next period."""
        return self.rebuilt.close(self.period)

    def end(self) -> ClosedEpoch:
        """State all that is left; the closing statement."""
        while not self.period.closing:
            self.close()
        return self.close()


def charges(closed: ClosedEpoch) -> list[tuple[LineKind, int]]:
    """Kinds and charges of all lines."""
    return [(line.kind, line.charge_micros) for line in closed.lines]


def days(closed: ClosedEpoch, *, of_s: int = 3_600) -> list[tuple[LineKind, int, int]]:
    """Kinds and intervals of all lines, in hours after the start."""
    return [
        (line.kind, (line.start_s - START_S) // of_s, (line.end_s - START_S) // of_s)
        for line in closed.lines
    ]
