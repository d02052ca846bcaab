"""Ingest: a batch of meter events into the usage ledger, in one transaction, answered one by one.

A bad event never blocks the others; an event id is taken for ever together with its record.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from api.clock import Clock
from api.db.facilities import facilities_of
from api.db.ledger import KnownEvent, known_events
from api.db.session import rehearse, write
from api.domain.metering.facts import Place
from api.domain.metering.taken import Identity
from api.domain.units import FacilityId, OperatorId
from api.errors import EventRejected
from api.ledger.batch import EventResult, Item, read_item
from api.ledger.kept import KeptLedgers
from api.ledger.rejections import keep_rejections, keep_repeats
from api.ledger.snapshot import read_snapshots
from api.ledger.write import LedgerWriter


def ingest(
    engine: Engine,
    operator_id: OperatorId,
    events: Sequence[object],
    *,
    broken: Mapping[int, EventRejected] = MappingProxyType({}),
    clock: Clock,
    kept: KeptLedgers | None = None,
    dry: bool = False,
) -> list[EventResult]:
    """Record a batch of parsed JSON events of one operator.

    Args:    broken: by index, what the parser found wrong with an event's JSON.
             kept: what this process remembers of ledgers; without it all is read anew.
             dry: only say what would become of it; nothing is recorded, or remembered.
    Returns: one result per event, in order. Sending the same body again is always safe.
    Raises:  DatabaseUnavailable; then nothing is recorded.
    """
    if not events:
        return []
    read = [read_item(i, event, broken.get(i)) for i, event in enumerate(events)]
    kept = KeptLedgers() if dry or kept is None else kept

    def record(connection: Connection) -> _Batch:
        batch = _Batch(connection, operator_id, read, clock, kept)
        batch.record(raw=events)
        return batch

    # A unique key: another request recorded one of these identities meanwhile. Now it is known.
    batch = (rehearse if dry else write)(engine, record, clashes=(IntegrityError,))
    batch.keep_in(kept)
    return batch.results


def record_events(
    connection: Connection,
    operator_id: OperatorId,
    read: Sequence[Item | EventResult],
    *,
    raw: Sequence[object],
    clock: Clock,
) -> list[EventResult]:
    """Record a batch inside a transaction; see `ingest`. raw: the events as they were sent."""
    batch = _Batch(connection, operator_id, read, clock, KeptLedgers())
    batch.record(raw=raw)
    return batch.results


class _Batch:
    """One transaction: facilities locked, identities seen, and who writes."""

    def __init__(
        self,
        connection: Connection,
        operator_id: OperatorId,
        read: Sequence[Item | EventResult],
        clock: Clock,
        kept: KeptLedgers,
    ) -> None:
        self.connection, self.operator_id, self.read = connection, operator_id, read
        self.results: list[EventResult] = []
        items = [x for x in read if isinstance(x, Item)]
        events = [item.event for item in items]
        self.snapshots, self.now_s = read_snapshots(connection, operator_id, events, clock, kept)
        named: dict[FacilityId, list[Identity]] = {}
        for item in items:
            named.setdefault(item.event.envelope.facility_id, []).append(item.identity)
        self.known = {
            facility_id: known_events(connection, facility_id, named[facility_id])
            for facility_id in self.snapshots
        }
        self.writer = LedgerWriter(connection, self.snapshots, events=len(events))
        self.repeated: list[Item] = []

    def record(self, *, raw: Sequence[object]) -> None:
        """Judge all events in order and write what was accepted; `results` has the answers."""
        self.results = [self.take(x) if isinstance(x, Item) else x for x in self.read]
        self.writer.finish(self.operator_id)
        self.keep_others(self.results, raw)

    def keep_in(self, kept: KeptLedgers) -> None:
        """Remember the facilities as the batch left them, once it is committed."""
        for facility_id, snapshot in self.snapshots.items():
            snapshot.keep_in(kept, grown=facility_id in self.writer.grown)

    def take(self, item: Item) -> EventResult:
        """Judge one event, note what follows from it, and answer."""
        try:
            status = self._record(item)
        except EventRejected as error:
            return item.rejected(error)
        return item.answer(status)

    def _record(self, item: Item) -> str:
        facility_id = item.event.envelope.facility_id
        snapshot = self.snapshots.get(facility_id)
        if snapshot is None:
            message = f"facility {facility_id} is not one of yours"
            raise EventRejected("facility_unknown", message)
        known = self.known[facility_id].get(item.identity)
        if known is not None:
            return self._repeat(item, known)
        place = Place(snapshot.entry, item.index)
        facts = snapshot.recorded.accept(item.event, place)
        if not facts:
            # It says what is known: a lease that was opened so before.
            return "accepted"
        event_pk = self.writer.add(snapshot, item, place=place, facts=facts)
        self.known[facility_id][item.identity] = KnownEvent(event_pk, item.billed)
        return "accepted"

    def _repeat(self, item: Item, known: KnownEvent) -> str:
        if item.repeats(known.payload_hash):
            self.repeated.append(item)
            return "duplicate"
        self.writer.conflict(item, known)
        raise EventRejected("id_conflict", "this source and id already say something else")

    def keep_others(self, results: Sequence[EventResult], raw: Sequence[object]) -> None:
        """Keep what was rejected or repeated, for the operator's console."""
        if self.repeated:
            repeated = [item.event for item in self.repeated]
            keep_repeats(self.connection, repeated, self.snapshots)
        if any(result.status == "rejected" for result in results):
            keep_rejections(
                self.connection,
                self.operator_id,
                results=results,
                events=raw,
                own_facilities=facilities_of(self.connection, self.operator_id),
                now_s=self.now_s,
            )
