"""Writing what a batch accepted: events and the facts that they told, in bulk."""

import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from api.db import facts as store
from api.db.bulk import insert_many
from api.db.conflicts import keep_conflicts
from api.db.facilities import grow_log
from api.db.ledger import KnownEvent, allocate_keys
from api.db.log import keep_entries
from api.db.tables.facilities import FacilityRow
from api.db.tables.leases import LeaseRow
from api.db.tables.ledger import EventConflict, MeterEventRow, NewFact, meter_events
from api.domain.facility import FacilityTerms
from api.domain.log.answers import ACCEPTED
from api.domain.log.entry import BLIND_BYTES, NO_LOG, EntryKind, LogEnd, end_of
from api.domain.log.logged import LoggedEntry, logged_entry
from api.domain.log.requests import SignedRequest
from api.domain.metering.event_types import (
    AllocationEvent,
    LeaseOpenedEvent,
    MeterEvent,
    TermsEvent,
)
from api.domain.metering.facts import Agreed, Fact, Held, Out, Place, Until, Voided
from api.domain.metering.items import EventResult, Item
from api.domain.metering.taken import Known
from api.domain.units import FacilityId, OperatorId
from api.ledger.snapshot import Snapshot

_TAKES_TIME = (Held, Out)


@dataclass(frozen=True, slots=True)
class SignedBody:
    """A body as it was sent, what its author signed beside it, and of which facility it speaks.

    blind: of the entry that it was before; a new one is drawn for a new entry.
    """

    facility_id: FacilityId
    request: SignedRequest
    body: bytes
    kind: EntryKind = EntryKind.BATCH
    blind: bytes = b""


class LedgerWriter:
    """Rows of one batch, which wait to be written together."""

    def __init__(
        self, connection: Connection, snapshots: Mapping[FacilityId, Snapshot], *, events: int
    ) -> None:
        self._connection, self._snapshots = connection, snapshots
        self._keys: Iterator[int] = iter(())
        self._most = events
        self._events: list[MeterEventRow] = []
        self._facts: list[NewFact] = []
        self._leases: list[LeaseRow] = []
        self._conflicts: list[EventConflict] = []
        # What this batch told of devices, by facility and place.
        self._told: dict[tuple[FacilityId, Place], NewFact] = {}
        # What others told of before, by facility and place.
        self._targets: dict[tuple[FacilityId, Place], Known] = {}
        self._longest_s: dict[FacilityId, int] = {}
        # Texts of the events that were accepted, in order.
        self._bodies: dict[FacilityId, list[bytes]] = {}
        # The entry of a signed request, once it is written.
        self.signed: LoggedEntry | None = None

    @property
    def grown(self) -> Collection[FacilityId]:
        """Facilities whose log has one more entry by this batch."""
        return self._longest_s.keys()

    def add(self, snapshot: Snapshot, item: Item, *, place: Place, facts: Sequence[Fact]) -> int:
        """Note an accepted event and what it told; returns the event's key."""
        event, facility_id = item.event, snapshot.facility.facility_id
        at_s = snapshot.recorded.recorded_at_s
        event_pk = self._next_key()
        envelope = event.envelope
        self._events.append(
            MeterEventRow(
                event_pk=event_pk,
                facility_id=facility_id,
                entry=place.entry,
                place=place.index,
                source=envelope.source,
                event_id=envelope.id,
                type=envelope.type,
                payload_hash=item.billed,
                recorded_at_s=at_s,
            )
        )
        self._longest_s.setdefault(facility_id, 0)
        self._bodies.setdefault(facility_id, []).append(item.payload)
        for part, fact in enumerate(facts):
            row = store.new_fact(
                fact,
                place=place,
                part=part,
                facility_id=facility_id,
                at_s=at_s,
            )
            self._facts.append(row)
            self._follow(facility_id, event, fact, row)
        return event_pk

    def _next_key(self) -> int:
        key = next(self._keys, None)
        if key is None:
            self._keys = iter(allocate_keys(self._connection, meter_events, self._most))
            key = next(self._keys)
        return key

    def _follow(self, facility_id: FacilityId, event: MeterEvent, fact: Fact, row: NewFact) -> None:
        """Keep beside a fact what follows from it: names of a lease, what stands of its target."""
        if isinstance(fact, _TAKES_TIME):
            self._lasts(facility_id, fact.end_s - fact.start_s)
            self._told[facility_id, fact.place] = row
        elif isinstance(fact, Until):
            self._end(facility_id, fact, ended=isinstance(event, AllocationEvent) and event.ended)
        elif isinstance(fact, Voided):
            told = self._told.get((facility_id, fact.target))
            if told is not None:
                told.voided = row.entry
            else:
                known = self._known(facility_id, fact.target)
                store.set_voided(self._connection, facility_id, known, entry=row.entry)
        elif isinstance(fact, Agreed) and fact.terms.version == 1:
            assert isinstance(event, TermsEvent | LeaseOpenedEvent)  # others follow a version
            names = event.lease_id, event.renter_ref
            self._leases.append(LeaseRow(facility_id, fact.lease, *names))

    def _end(self, facility_id: FacilityId, fact: Until, *, ended: bool) -> None:
        told = self._told.get((facility_id, fact.target))
        if told is not None:
            told.until_s, told.ended = fact.end_s, ended
            assert told.start_s is not None  # an allocation
            self._lasts(facility_id, fact.end_s - told.start_s)
            return
        known = self._known(facility_id, fact.target)
        store.set_until(self._connection, facility_id, known, until_s=fact.end_s, ended=ended)
        # An allocation of before: how long it lasts now is known by the judge alone.
        assert known.fact is not None
        self._lasts(facility_id, known.fact.end_s - known.fact.start_s)

    def _known(self, facility_id: FacilityId, place: Place) -> Known:
        """What the judge knows of an event of before that a correction, or news, name."""
        if (facility_id, place) not in self._targets:
            recorded = self._snapshots[facility_id].recorded
            for known in recorded.known.values():
                self._targets[facility_id, known.place] = known
        return self._targets[facility_id, place]

    def _lasts(self, facility_id: FacilityId, seconds: int) -> None:
        self._longest_s[facility_id] = max(self._longest_s.get(facility_id, 0), seconds)

    def conflict(self, item: Item, known: KnownEvent) -> None:
        """Note an event whose identity another one has already, to be written with others."""
        received_at_s = max((s.recorded.recorded_at_s for s in self._snapshots.values()), default=0)
        conflict = EventConflict(
            event_pk=known.event_pk,
            payload_hash=item.billed,
            payload=item.payload,
            received_at_s=received_at_s,
        )
        self._conflicts.append(conflict)

    def finish(self, operator_id: OperatorId, *, again: LoggedEntry | None = None) -> None:
        """Write what waits. A facility that recorded something has one more entry.

        Args:    again: the entry that the one facility had before, with its blind.
        """
        if again is None:
            self._write(operator_id, {name: self._entry(name) for name in self._longest_s})
        else:
            self._write(operator_id, {again.entry.log.facility_id: again})

    def finish_signed(
        self, operator_id: OperatorId, signed: SignedBody, results: Sequence[EventResult]
    ) -> None:
        """Write what waits, in an entry that has the whole body, whatever was recorded of it."""
        facility_id = signed.facility_id
        self._longest_s.setdefault(facility_id, 0)
        answers = bytes(result.answer for result in results)
        snapshot = self._snapshots[facility_id]
        at_s = snapshot.recorded.recorded_at_s
        self.signed = signed_entry(snapshot.facility, snapshot.terms, signed, answers, at_s=at_s)
        self._write(operator_id, {facility_id: self.signed})

    def _write(self, operator_id: OperatorId, logged: Mapping[FacilityId, LoggedEntry]) -> None:
        keep_entries(self._connection, logged.values())
        insert_many(self._connection, self._events)
        insert_many(self._connection, self._facts)
        insert_many(self._connection, self._leases)
        keep_conflicts(self._connection, operator_id, self._conflicts)
        for facility_id, entry in logged.items():
            snapshot = self._snapshots[facility_id]
            grow_log(
                self._connection,
                facility_id,
                log=end_of([entry.entry], NO_LOG),
                recorded_at_s=snapshot.recorded.recorded_at_s,
                longest_s=max(self._longest_s[facility_id], snapshot.facility.longest_s),
            )

    def _entry(self, facility_id: FacilityId) -> LoggedEntry:
        """The entry of what was accepted of a facility. What nobody signed holds that alone."""
        snapshot, events = self._snapshots[facility_id], self._bodies[facility_id]
        return logged_entry(
            snapshot.terms.log,
            log_end(snapshot.facility),
            EntryKind.BATCH,
            b"[%b]" % b",".join(events),
            answers=bytes([ACCEPTED]) * len(events),
            recorded_at_s=snapshot.recorded.recorded_at_s,
            blind=secrets.token_bytes(BLIND_BYTES),
        )


def log_end(row: FacilityRow) -> LogEnd:
    """Where a facility's log ends."""
    return LogEnd(row.log_size, row.log_head)


def signed_entry(
    row: FacilityRow, terms: FacilityTerms, signed: SignedBody, answers: bytes, *, at_s: int
) -> LoggedEntry:
    """The entry that a signed request becomes, behind the end of its facility's log."""
    return logged_entry(
        terms.log,
        log_end(row),
        signed.kind,
        signed.body,
        answers=answers,
        recorded_at_s=at_s,
        blind=signed.blind or secrets.token_bytes(BLIND_BYTES),
        request=signed.request,
    )
