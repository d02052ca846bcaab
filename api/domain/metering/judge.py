"""The judge: what a facility's log takes of an event, from what it took before. No I/O.

The same rules for the service and for whoever recomputes: an answer follows from the entries
before, the second at which the event was recorded, and the event itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from api.domain.facility import FacilityTerms
from api.domain.hashing import keccak, word
from api.domain.lifecycle import Reopening, closing_cut_off_s, open_epoch
from api.domain.metering.agreement import agreed
from api.domain.metering.bounds import MAX_FUTURE_S, require_inside, require_pledged
from api.domain.metering.calendar import Calendar
from api.domain.metering.event_types import (
    AdjustmentEvent,
    AllocationEvent,
    AllocationOpenedEvent,
    CorrectionEvent,
    DeviceRegisteredEvent,
    LeaseEvent,
    MeterEvent,
    OutageEvent,
    SeenEvent,
    UsageEvent,
)
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
from api.domain.metering.instants import format_span
from api.domain.metering.intervals import Span
from api.domain.metering.lease import Lease
from api.domain.metering.names import Names
from api.domain.metering.occupancy import Concurrency
from api.domain.metering.taken import Identity, Known, KnownEvents, Taken, holds_time
from api.domain.roster import Roster
from api.domain.units import ZERO32, Bytes32, Epoch
from api.errors import EventRejected

_TAKES_TIME = (Held, Out)


@dataclass(slots=True)
class Recorded:
    """What a facility's log has taken, as far as the events at hand can touch it.

    roster: devices by epoch.  leases: by the operator's own code.  known: by identity.
    recorded_at_s: when what comes next is recorded.
    running: of leases that have or may get a limit, how many devices they hold, by lease.
    forgiven: events that are taken back later. By a mistake of everybody's code one may have been
    taken although its device was in use: its own time is not, and the log goes on.
    heard_late: the service may have heard late of a replacement, or of one that is undone since:
    the books leave out time of a device that is not pledged then, and no rule is broken.
    """

    roster: Roster
    names: Names
    recorded_at_s: int = 0
    reopenings: Sequence[Reopening] = ()
    ended_at_s: int | None = None
    leases: dict[str, Lease] = field(default_factory=dict)
    known: KnownEvents = field(default_factory=KnownEvents)
    used: dict[Bytes32, Taken] = field(default_factory=dict)
    out: dict[Bytes32, Taken] = field(default_factory=dict)
    delivered: dict[Bytes32, Taken] = field(default_factory=dict)
    running: dict[Bytes32, Concurrency] = field(default_factory=dict)
    forgiven: frozenset[Identity] = frozenset()
    heard_late: bool = False
    terms: FacilityTerms = field(init=False)
    calendar: Calendar = field(init=False)
    _forgiving: bool = field(init=False, default=False)
    _codes: dict[Bytes32, str] = field(init=False, default_factory=dict)
    _closing_cut_s: int | None = field(init=False)
    # A recorded time, and the first second that is not sealed then.
    _open_since: tuple[int, int] = field(init=False, default=(-1, 0))

    def __post_init__(self) -> None:
        self.terms = self.roster.terms
        self.calendar = Calendar(self.terms)
        self._closing_cut_s = closing_cut_off_s(
            self.terms,
            ended_at_s=self.ended_at_s,
            grace_s=self.terms.grace_s,
            reopenings=self.reopenings,
        )

    # --- one event ------------------------------------------------------------------------------

    def accept(self, event: MeterEvent, place: Place) -> list[Fact]:
        """Judge an event and take it.

        Returns: the facts that it tells, in order.
        Raises:  EventRejected; what is rejected takes nothing.
        """
        self._require_open()
        self._forgiving = (event.envelope.source, event.envelope.id) in self.forgiven
        if isinstance(event, UsageEvent):
            facts: list[Fact] = [self._use(event, place)]
        elif isinstance(event, SeenEvent):
            facts = [self._see(event)]
        elif isinstance(event, OutageEvent):
            facts = [self._fail(event, place)]
        elif isinstance(event, AllocationOpenedEvent):
            facts = [self._open(event, place)]
        elif isinstance(event, AllocationEvent):
            facts = [self._last(event)]
        elif isinstance(event, CorrectionEvent):
            return self._correct(event, place)
        elif isinstance(event, AdjustmentEvent):
            facts = [self._adjust(event, place)]
        elif isinstance(event, DeviceRegisteredEvent):
            raise EventRejected("pledge_fixed", "attesters approve devices, not collectors")
        else:
            facts = self._agree(event)
        if facts:  # else it says what is known, and its identity stays free
            self._note(event, place, facts)
        return facts

    def _note(self, event: MeterEvent, place: Place, facts: Sequence[Fact]) -> None:
        fact = None
        for each in facts:
            if isinstance(each, _TAKES_TIME):
                fact = each
                break
        opened = isinstance(event, AllocationOpenedEvent)
        told = Known(place, self.recorded_at_s, fact, allocation=opened)
        self.known[event.envelope.source, event.envelope.id] = told

    def _require_open(self) -> None:
        if self._closing_cut_s is None or self.recorded_at_s >= self._closing_cut_s:
            raise EventRejected("facility_closed", "the books of the facility are closed")

    # --- time of devices ------------------------------------------------------------------------

    def _use(self, event: UsageEvent, place: Place) -> Held:
        lease = self._device_lease(event)
        fact = Held(
            place, event.device_hash, lease.lease, event.start_s, event.end_s, event.delivery
        )
        self._require_span(fact)
        self._require_running(lease, event.lease_id, (fact.start_s, fact.end_s))
        self._take_held(fact, lease)
        return fact

    def _open(self, event: AllocationOpenedEvent, place: Place) -> Held:
        lease = self._device_lease(event)
        fact = Held(place, event.device_hash, lease.lease, event.start_s, event.until_s)
        self._require_span(fact)
        # One second at least, of an allocation that nobody confirmed yet.
        span = fact.start_s, max(fact.end_s, fact.start_s + 1)
        self._require_running(lease, event.lease_id, span)
        self._require_free(self.used, fact, "overlap", "device is already in use", span=span)
        self._take_held(fact, lease)
        return fact

    def _device_lease(self, event: UsageEvent | AllocationOpenedEvent) -> Lease:
        if event.gpu_class is not None and event.gpu_class != self.terms.gpu_class:
            message = f"facility {self.terms.facility_id} holds {self.terms.gpu_class}"
            raise EventRejected("gpu_class_mismatch", message, field="gpu_class")
        return self._lease(event.lease_id)

    def _lease(self, code: str) -> Lease:
        lease = self.leases.get(code)
        if lease is None:
            raise EventRejected("lease_unknown", f"no lease {code!r}", field="lease")
        return lease

    def _require_span(self, fact: Held | Out | Seen) -> None:
        """Refuse an interval outside of window, pledge, clock or what is open."""
        span = fact.start_s, fact.end_s
        if not self.heard_late and not self.roster.knows(fact.device):
            raise EventRejected("device_unknown", "device is not pledged to the facility")
        require_inside(self.terms, span, recorded_at_s=self.recorded_at_s)
        self._require_unsealed(fact.start_s)
        self._require_pledged(fact.device, span)

    def _require_pledged(self, device: Bytes32, span: Span) -> None:
        if not self.heard_late:
            require_pledged(self.roster, device, span)

    def _require_unsealed(self, instant_s: int) -> None:
        if self._open_since[0] != self.recorded_at_s:
            open_s = self.calendar.open_from_s(self.recorded_at_s)
            self._open_since = self.recorded_at_s, open_s
        inside_s = min(max(instant_s, self.terms.window_start_s), self.terms.window_end_s - 1)
        if inside_s < self._open_since[1]:
            message = "its month is sealed: only an adjustment can still be made"
            raise EventRejected("sealed", message)

    def _require_running(self, lease: Lease, code: str, span: Span) -> None:
        start_s, end_s = span
        for runs_s, rests_s in lease.running:
            if runs_s <= start_s and end_s <= rests_s:
                return
        message = f"lease {code!r} does not run throughout"
        raise EventRejected("lease_not_open", message, field="lease")

    def _require_free(
        self,
        taken: dict[Bytes32, Taken],
        fact: Held | Out,
        reason: str,
        message: str,
        *,
        span: Span | None = None,
    ) -> None:
        known = taken.get(fact.device)
        wanted = (fact.start_s, fact.end_s) if span is None else span
        conflict = known and known.conflict(wanted, beside=fact.place)
        if conflict:
            raise EventRejected(reason, f"{message} from {format_span(conflict)}")

    def _take_held(self, fact: Held, lease: Lease) -> None:
        try:
            self._require_free(self.used, fact, "overlap", "device is already in use")
        except EventRejected:
            if not self._forgiving:
                raise
            return
        if fact.delivery:
            message = "device was out of service"
            self._require_free(self.out, fact, "outage_overlap", message)
        # One second at least, of an allocation that nobody confirmed yet.
        self._require_capacity(lease, (fact.start_s, max(fact.end_s, fact.start_s + 1)))
        # Every rule holds: only now is the interval taken, so a rejected event blocks no other.
        self._add(fact)

    def _require_capacity(self, lease: Lease, span: Span) -> None:
        if not lease.has_limit:
            return
        running = self.running.get(lease.lease)
        for start_s, end_s, most in lease.limits_in(span):
            peak = 0 if running is None else running.peak(start_s, end_s)
            if most and peak + 1 > most:
                raise EventRejected(
                    "over_capacity", f"lease covers {most} GPUs at once", field="lease"
                )

    def _see(self, event: SeenEvent) -> Seen:
        fact = Seen(event.device_hash, event.start_s, event.end_s)
        self._require_span(fact)
        return fact

    def _fail(self, event: OutageEvent, place: Place) -> Out:
        lease = ZERO32 if event.lease_id is None else self._lease(event.lease_id).lease
        fact = Out(place, event.device_hash, lease, event.start_s, event.end_s, event.planned)
        self._require_span(fact)
        self._require_free(self.out, fact, "outage_overlap", "an outage is already known")
        message = "void the delivery, while it is in no statement: it was delivered"
        self._require_free(self.delivered, fact, "outage_overlap", message)
        self._add(fact)
        return fact

    def _add(self, fact: Held | Out) -> None:
        """Take the time of a fact."""
        for taken in self._taken_by(fact):
            known = taken.get(fact.device)
            if known is None:
                known = taken[fact.device] = Taken()
            known.add(fact)
        if holds_time(fact) and fact.lease in self.running:
            self.running[fact.lease].add(fact.start_s, fact.end_s)

    def _drop(self, fact: Held | Out) -> None:
        """Free the time of a fact."""
        for taken in self._taken_by(fact):
            if fact.device in taken:
                taken[fact.device].drop(fact)
        if holds_time(fact) and fact.lease in self.running:
            self.running[fact.lease].drop(fact.start_s, fact.end_s)

    def _taken_by(self, fact: Held | Out) -> list[dict[Bytes32, Taken]]:
        if isinstance(fact, Out):
            return [self.out]
        return [self.used, self.delivered] if fact.delivery else [self.used]

    def _limit(self, lease: Bytes32) -> None:
        """Count what a lease holds, also before its first limit."""
        if lease not in self.running:
            self.running[lease] = Concurrency(self.known.held_by(lease))

    def _code_and_lease(self, lease: Bytes32) -> tuple[str, Lease]:
        if lease not in self._codes:
            self._codes = {each.lease: code for code, each in self.leases.items()}
        return self._codes[lease], self.leases[self._codes[lease]]

    # --- allocations ----------------------------------------------------------------------------

    def _last(self, event: AllocationEvent) -> Until:
        told = self._target((event.source, event.id))
        held = told.fact
        if not told.allocation or not isinstance(held, Held):
            message = "no such allocation was opened"
            raise EventRejected("allocation_unknown", message, field="allocation")
        if told.ended:
            raise EventRejected("allocation_ended", "its end was told", field="allocation")
        until_s = event.until_s
        if until_s < held.start_s:
            raise EventRejected("interval_empty", "an allocation lasts from its start on")
        if not event.ended:
            until_s = max(until_s, held.end_s)
        longer = replace(held, end_s=until_s)
        self._require_until(held, until_s)
        code, lease = self._code_and_lease(held.lease)
        if until_s > held.end_s:
            added = held.end_s, until_s
            self._require_pledged(held.device, added)
            self._require_running(lease, code, added)
            message = "device is already in use"
            self._require_free(self.used, longer, "overlap", message, span=added)
            self._require_capacity(lease, added)
        self._drop(held)
        self._add(longer)
        told.fact, told.ended = longer, event.ended
        return Until(held.place, until_s)

    def _require_until(self, held: Held, until_s: int) -> None:
        if until_s > self.terms.window_end_s:
            raise EventRejected("outside_window", "it ends behind the delivery window")
        if until_s > self.recorded_at_s + MAX_FUTURE_S:
            raise EventRejected("in_the_future", "it ends more than 5 minutes in the future")
        self._require_unsealed(max(held.start_s, min(held.end_s - 1, until_s)))

    # --- corrections ----------------------------------------------------------------------------

    def _target(self, identity: Identity) -> Known:
        told = self.known.get(identity)
        if told is None:
            message = f"no event {identity[1]!r} of {identity[0]!r} in this facility"
            raise EventRejected("correction_target_unknown", message, field="corrects")
        if told.voided:
            raise EventRejected("already_voided", "this event is already voided", field="corrects")
        return told

    def _correct(self, event: CorrectionEvent, place: Place) -> list[Fact]:
        told = self._target((event.corrects_source, event.corrects_id))
        fact = told.fact
        if fact is None:
            message = "only usage, deliveries, allocations and outages can be voided"
            raise EventRejected("not_correctable", message, field="corrects")
        self._require_unsealed(fact.start_s)
        if isinstance(fact, Held) and fact.delivery and self._stated(told, fact):
            message = "a delivery is voided before its statement, not after"
            raise EventRejected("not_correctable", message, field="corrects")
        self._drop(fact)
        told.voided = True
        facts: list[Fact] = [Voided(told.place)]
        if event.replacement is not None:
            try:
                facts += self.accept(event.replacement, place)
            except EventRejected:
                told.voided = False
                self._add(fact)
                raise
        self._note(event, place, [f for f in facts if not isinstance(f, Voided)])
        return facts

    def _stated(self, told: Known, fact: Held) -> bool:
        """Whether a statement says of a delivery: by recorded times alone."""
        first = self._open_epoch(told.recorded_at_s)
        now = self._open_epoch(self.recorded_at_s)
        # Once no statement is open, every month is sealed.
        assert first is not None
        assert now is not None
        return now > max(first, self.terms.epoch_at(fact.start_s))

    def _open_epoch(self, recorded_at_s: int) -> Epoch | None:
        return open_epoch(
            self.terms, recorded_at_s, grace_s=self.terms.grace_s, reopenings=self.reopenings
        )

    # --- money ----------------------------------------------------------------------------------

    def _adjust(self, event: AdjustmentEvent, place: Place) -> Adjusted:
        lease = self._lease(event.lease_id)
        subject = keccak(
            b"adjustment" + word(self.terms.facility_id) + word(place.entry) + word(place.index)
        )
        return Adjusted(place, subject, lease.lease, event.amount)

    def _agree(self, event: LeaseEvent) -> list[Fact]:
        lease = self.leases.get(event.lease_id)
        after = agreed(event, lease, facility=self.terms, names=self.names)
        if after is lease:
            return []
        terms = after.versions[-1]
        self._require_unsealed(terms.from_s)
        if terms.max_gpus:
            self._limit(after.lease)
        self.leases[event.lease_id], self._codes[after.lease] = after, event.lease_id
        return [Agreed(after.lease, terms)]
