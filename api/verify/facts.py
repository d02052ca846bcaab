"""Verify, part 1b: published facts break no rule by which a log takes them.

The books compute from facts whatever these say. What no log would have taken, a quorum that signs
it all the same has made up: the rules here are those of `domain.metering.judge`, by hashes alone.
What only the log itself knows (identities of events, whether usage was an allocation) stays out.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from api.domain.facility import FacilityTerms
from api.domain.hashing import keccak, word
from api.domain.metering.agreement import require_keepable
from api.domain.metering.bounds import require_inside
from api.domain.metering.calendar import Calendar
from api.domain.metering.facts import (
    Adjusted,
    Agreed,
    Fact,
    Held,
    Out,
    Place,
    Seen,
    Until,
    Voided,
)
from api.domain.metering.intervals import Span
from api.domain.metering.lease import Lease
from api.domain.metering.lease_terms import check_terms_version
from api.domain.metering.occupancy import Concurrency
from api.domain.metering.taken import Taken, holds_time
from api.domain.statements.told import Told
from api.domain.units import MAX_PRICE, ZERO32, Bytes32
from api.errors import EventRejected, InvalidInput

# Says what is wrong with a fact; `code` names the rule.
Complain = Callable[[Told, str, str], None]


class _Broken(Exception):
    """A fact breaks a rule; `reason` is its stable code."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason, self.message = reason, message


@dataclass(slots=True)
class _Known:
    """A fact of time as it stands now, and the number of the statement that took it."""

    fact: Held | Out
    number: int


@dataclass
class FactJudge:
    """What a facility's published facts say so far, as far as the next ones can contradict it."""

    terms: FacilityTerms
    leases: dict[Bytes32, Lease] = field(default_factory=dict)
    _known: dict[Place, _Known] = field(default_factory=dict)
    _used: dict[Bytes32, Taken] = field(default_factory=dict)
    _out: dict[Bytes32, Taken] = field(default_factory=dict)
    _delivered: dict[Bytes32, Taken] = field(default_factory=dict)
    _running: dict[Bytes32, Concurrency] = field(default_factory=dict)
    # Overlaps that a later void forgives: by a mistake of everybody's code a log may hold some.
    overlaps: dict[Place, tuple[int, Told, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._calendar = Calendar(self.terms)
        self._open: tuple[int, int] = (-1, 0)

    def judge(self, told: Iterable[Told], number: int, complain: Complain) -> None:
        """Judge the facts of one statement, in order of the log, and take them."""
        for each in told:
            try:
                self._judge(each, each.fact, number)
            except InvalidInput as error:
                complain(each, "fact_terms_invalid", error.message)
            except (EventRejected, _Broken) as error:
                complain(each, f"fact_{error.reason}", error.message)
            self._take(each, number)

    # --- rules -----------------------------------------------------------------------------------

    def _judge(self, told: Told, fact: Fact, number: int) -> None:
        if isinstance(fact, Held):
            self._require_held(told, fact)
        elif isinstance(fact, Out):
            self._require_new(fact.place)
            if fact.lease != ZERO32:
                self._lease(fact.lease)
            self._require_span(told, fact, empty=False)
            self._require_free(self._out, fact, "an outage is already known")
            self._require_free(self._delivered, fact, "its device was delivered")
        elif isinstance(fact, Seen):
            self._require_span(told, fact, empty=False)
        elif isinstance(fact, Until):
            self._require_until(told, fact)
        elif isinstance(fact, Voided):
            self._require_voidable(told, fact, number)
        elif isinstance(fact, Adjusted):
            self._require_adjustment(told, fact)
        else:
            self._require_terms(told, fact)

    def _require_new(self, place: Place) -> None:
        if place in self._known:
            raise _Broken("repeated", f"entry {place.entry} told another fact before")

    def _lease(self, lease: Bytes32) -> Lease:
        known = self.leases.get(lease)
        if known is None:
            message = f"no terms of lease 0x{lease.hex()} were told before"
            raise _Broken("lease_unknown", message)
        return known

    def _require_span(self, told: Told, fact: Held | Out | Seen, *, empty: bool) -> None:
        # An allocation that nobody confirmed yet has no second.
        if fact.end_s < fact.start_s or (fact.end_s == fact.start_s and not empty):
            raise _Broken("interval_empty", "its interval has no second")
        span = fact.start_s, fact.end_s
        require_inside(self.terms, span, recorded_at_s=told.recorded_at_s)
        self._require_unsealed(told, fact.start_s)

    def _require_unsealed(self, told: Told, instant_s: int) -> None:
        if self._open[0] != told.recorded_at_s:
            open_s = self._calendar.open_from_s(told.recorded_at_s)
            self._open = told.recorded_at_s, open_s
        inside_s = min(max(instant_s, self.terms.window_start_s), self.terms.window_end_s - 1)
        if inside_s < self._open[1]:
            raise _Broken("sealed", "its month was sealed when it was recorded")

    def _require_runs(self, lease: Lease, span: Span) -> None:
        start_s, end_s = span
        if not any(a <= start_s and end_s <= b for a, b in lease.running):
            message = f"lease 0x{lease.lease.hex()} does not run throughout"
            raise _Broken("lease_not_open", message)

    def _require_held(self, told: Told, fact: Held) -> None:
        self._require_new(fact.place)
        self._require_span(told, fact, empty=not fact.delivery)
        lease = self._lease(fact.lease)
        span = fact.start_s, max(fact.end_s, fact.start_s + 1)
        self._require_runs(lease, span)
        if fact.delivery:
            self._require_free(self._out, fact, "its device was out of service")
        self._require_capacity(lease, span)

    def _require_free(self, taken: dict[Bytes32, Taken], fact: Held | Out, message: str) -> None:
        known = taken.get(fact.device)
        met = known and known.conflict((fact.start_s, fact.end_s), beside=fact.place)
        if met:
            raise _Broken("outage_overlap", f"{message} from {met[0]} to {met[1]}")

    def _require_capacity(self, lease: Lease, span: Span) -> None:
        running = self._running.get(lease.lease)
        if running is None or not lease.has_limit:
            return
        for start_s, end_s, most in lease.limits_in(span):
            if most and running.peak(start_s, end_s) + 1 > most:
                message = f"lease 0x{lease.lease.hex()} covers {most} GPUs at once"
                raise _Broken("over_capacity", message)

    def _target(self, place: Place) -> _Known:
        known = self._known.get(place)
        if known is None:
            message = f"entry {place.entry} told no fact that stands"
            raise _Broken("correction_target_unknown", message)
        return known

    def _require_until(self, told: Told, fact: Until) -> None:
        held = self._target(fact.target).fact
        if not isinstance(held, Held) or held.delivery:
            raise _Broken("allocation_unknown", "what it ends is no allocation")
        if fact.end_s < held.start_s:
            raise _Broken("interval_empty", "an allocation lasts from its start on")
        if fact.end_s > held.end_s:
            added = replace(held, start_s=held.end_s, end_s=fact.end_s)
            span = added.start_s, added.end_s
            require_inside(self.terms, span, recorded_at_s=told.recorded_at_s)
            lease = self._lease(held.lease)
            self._require_runs(lease, span)
            self._require_capacity(lease, span)
        last_s = min(held.end_s - 1, fact.end_s)
        self._require_unsealed(told, max(held.start_s, last_s))

    def _require_voidable(self, told: Told, fact: Voided, number: int) -> None:
        known = self._target(fact.target)
        held = known.fact
        self._require_unsealed(told, held.start_s)
        delivered = isinstance(held, Held) and held.delivery
        if delivered and number > max(known.number, self.terms.epoch_at(held.start_s)):
            message = "a delivery is voided before its statement, not after"
            raise _Broken("not_correctable", message)

    def _require_adjustment(self, told: Told, fact: Adjusted) -> None:
        self._lease(fact.lease)
        place = told.place
        named = word(self.terms.facility_id) + word(place.entry) + word(place.index)
        if fact.subject != keccak(b"adjustment" + named):
            raise _Broken("subject_wrong", "its subject is not the hash of its place")
        if not 0 < abs(fact.amount) <= MAX_PRICE:
            raise _Broken("number_out_of_range", "its amount is 0, or above a million")

    def _require_terms(self, told: Told, fact: Agreed) -> None:
        terms, before = fact.terms, self.leases.get(fact.lease)
        check_terms_version(terms)
        if before is not None:
            before.followed_by(terms)
        elif (terms.version, terms.previous) != (1, ZERO32):
            raise _Broken("terms_invalid", "the first version is 1, and follows none")
        require_keepable(terms, self.terms)
        self._require_unsealed(told, terms.from_s)

    # --- what is known ---------------------------------------------------------------------------

    def _take(self, told: Told, number: int) -> None:
        """Take a fact as the books do, also one that breaks a rule."""
        fact = told.fact
        if isinstance(fact, (Held, Out)):
            self._drop(fact.place)
            self._known[fact.place] = _Known(fact, number)
            self._add(told, fact, number)
        elif isinstance(fact, Until):
            known = self._known.get(fact.target)
            if known is not None and isinstance(known.fact, Held):
                self._drop(fact.target)
                longer = replace(known.fact, end_s=fact.end_s)
                self._known[fact.target] = _Known(longer, known.number)
                self._add(told, longer, number)
        elif isinstance(fact, Voided):
            self._drop(fact.target)
            self.overlaps.pop(fact.target, None)
        elif isinstance(fact, Agreed):
            self._agree(fact)

    def _agree(self, fact: Agreed) -> None:
        before = self.leases.get(fact.lease)
        versions = () if before is None else before.versions
        self.leases[fact.lease] = lease = Lease(fact.lease, (*versions, fact.terms))
        if lease.has_limit and fact.lease not in self._running:
            held = (known.fact for known in self._known.values())
            spans = [(f.start_s, f.end_s) for f in held if holds_time(f) and f.lease == fact.lease]
            self._running[fact.lease] = Concurrency(spans)

    def _taken_by(self, fact: Held | Out) -> list[dict[Bytes32, Taken]]:
        if isinstance(fact, Out):
            return [self._out]
        return [self._used, self._delivered] if fact.delivery else [self._used]

    def _add(self, told: Told, fact: Held | Out, number: int) -> None:
        if fact.start_s >= fact.end_s:
            return
        for taken in self._taken_by(fact):
            spans = taken.setdefault(fact.device, Taken())
            met = spans.conflict((fact.start_s, fact.end_s), beside=fact.place)
            if not met:
                spans.add(fact)
            elif isinstance(fact, Held):
                message = f"its device is in use from {met[0]} to {met[1]} by another fact"
                self.overlaps[fact.place] = number, told, message
        if holds_time(fact) and fact.lease in self._running:
            self._running[fact.lease].add(fact.start_s, fact.end_s)

    def _drop(self, place: Place) -> None:
        known = self._known.pop(place, None)
        if known is None:
            return
        fact = known.fact
        for taken in self._taken_by(fact):
            if fact.device in taken:
                taken[fact.device].drop(fact)
        if holds_time(fact) and fact.lease in self._running:
            self._running[fact.lease].drop(fact.start_s, fact.end_s)

    def seal(self, recorded_at_s: int) -> None:
        """Let go of what nothing that is recorded from now on can touch."""
        open_s = self._calendar.open_from_s(recorded_at_s)
        gone = [p for p, known in self._known.items() if known.fact.end_s < open_s]
        for place in gone:
            for taken in self._taken_by(self._known[place].fact):
                if self._known[place].fact.device in taken:
                    taken[self._known[place].fact.device].drop(self._known[place].fact)
            del self._known[place]
