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
from api.db.session import transaction
from api.domain.metering.events import OutageEvent, UsageEvent
from api.domain.units import OperatorId
from api.errors import EventRejected
from api.ledger.batch import EventResult, Item, read_item
from api.ledger.judge import judge
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
) -> list[EventResult]:
    """Record a batch of parsed JSON events of one operator.

    Args:    broken: by index, what the parser found wrong with an event's JSON.
    Returns: one result per event, in order. Sending the same body again is always safe.
    """
    read = [read_item(i, event, broken.get(i)) for i, event in enumerate(events)]
    if not read:
        return []
    try:
        return _record(engine, operator_id, read, clock, events)
    except IntegrityError:
        # Another request recorded one of these identities in the meantime: now it is known.
        return _record(engine, operator_id, read, clock, events)


def _record(
    engine: Engine,
    operator_id: OperatorId,
    read: Sequence[Item | EventResult],
    clock: Clock,
    raw: Sequence[object],
) -> list[EventResult]:
    with transaction(engine) as connection:
        batch = _Batch(connection, operator_id, [x for x in read if isinstance(x, Item)], clock)
        results = [batch.take(x) if isinstance(x, Item) else x for x in read]
        batch.writer.finish()
        batch.keep_others(results, raw)
    return results


class _Batch:
    """One transaction: facilities locked, identities seen, and who writes."""

    def __init__(
        self, connection: Connection, operator_id: OperatorId, items: Sequence[Item], clock: Clock
    ) -> None:
        self.connection, self.operator_id = connection, operator_id
        events = [item.event for item in items]
        self.snapshots, self.now_s = read_snapshots(connection, operator_id, events, clock)
        self.known = known_events(connection, operator_id, [item.identity for item in items])
        self.writer = LedgerWriter(connection, self.snapshots, events)
        self.repeated: list[Item] = []

    def take(self, item: Item) -> EventResult:
        """Judge one event, write what follows from it, and answer."""
        try:
            status = self._record(item)
        except EventRejected as error:
            return item.rejected(error)
        return item.answer(status)

    def _record(self, item: Item) -> str:
        identity = item.identity
        event = item.event
        known = self.known.get(identity)
        if known is not None:
            return self._repeat(item, known)
        snapshot = self.snapshots.get(event.envelope.facility_id)
        if snapshot is None:
            message = f"facility {event.envelope.facility_id} is not one of yours"
            raise EventRejected("facility_unknown", message)
        if isinstance(event, (UsageEvent, OutageEvent)):
            placed = judge(snapshot, event)
            event_pk = self.writer.add(snapshot, item, placed)
        else:
            event_pk = self.writer.change(snapshot, item, event)
        self.known[identity] = KnownEvent(event_pk, item.payload_hash)
        return "accepted"

    def _repeat(self, item: Item, known: KnownEvent) -> str:
        if known.payload_hash == item.payload_hash:
            self.repeated.append(item)
            return "duplicate"
        self.writer.conflict(item, known)
        raise EventRejected("id_conflict", "this source and id already carry another payload")

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
