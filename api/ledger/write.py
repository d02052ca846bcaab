"""Writing what a batch accepted: usage and outages in bulk, changes of leases at once."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from api.db.bulk import insert_many
from api.db.facilities import set_last_recorded
from api.db.ledger import KnownEvent, allocate_keys, insert_conflict
from api.db.rows import insert_record
from api.db.tables.ledger import (
    EventConflict,
    MeterEventRow,
    NewOutage,
    NewUsageRecord,
    meter_events,
)
from api.domain.metering.events import MeterEvent
from api.domain.units import FacilityId
from api.ledger.batch import Item
from api.ledger.changes import Change, apply_change
from api.ledger.judge import Placed, Snapshot
from api.ledger.snapshot import read_taken


class LedgerWriter:
    """Rows of one batch: those that wait to be written, and keys for those to come."""

    def __init__(
        self,
        connection: Connection,
        snapshots: Mapping[FacilityId, Snapshot],
        events: Sequence[MeterEvent],
    ) -> None:
        self._connection, self._snapshots, self._batch = connection, snapshots, events
        self._keys = iter(allocate_keys(connection, meter_events, len(events)))
        self._events: list[MeterEventRow] = []
        self._usage: list[NewUsageRecord] = []
        self._outages: list[NewOutage] = []

    def add(self, snapshot: Snapshot, item: Item, placed: Placed) -> int:
        """Note an accepted interval, to be written with others; returns the event's key."""
        event = self._event_row(snapshot, item)
        self._events.append(event)
        interval, facility_id = placed.interval, snapshot.terms.facility_id
        if placed.kind is None:
            self._outages.append(
                NewOutage(
                    event_pk=event.event_pk,
                    facility_id=facility_id,
                    device=interval.device,
                    lease=interval.lease,
                    start_s=interval.start_s,
                    end_s=interval.end_s,
                    statement_epoch=placed.epoch,
                    recorded_at_s=event.recorded_at_s,
                )
            )
        else:
            self._usage.append(
                NewUsageRecord(
                    event_pk=event.event_pk,
                    facility_id=facility_id,
                    kind=placed.kind.value,
                    device=interval.device,
                    lease=interval.lease,
                    start_s=interval.start_s,
                    end_s=interval.end_s,
                    statement_epoch=placed.epoch,
                    recorded_at_s=event.recorded_at_s,
                )
            )
        return event.event_pk

    def change(self, snapshot: Snapshot, item: Item, event: Change) -> int:
        """Write a rare event at once: what follows in the batch must see its effect.

        Returns: the event's key.
        Raises:  EventRejected; then nothing of it is written.
        """
        self._flush()
        row = self._event_row(snapshot, item)
        with self._connection.begin_nested():
            insert_record(self._connection, row)
            apply_change(self._connection, snapshot, event, event_pk=row.event_pk)
        mine = [e for e in self._batch if e.envelope.facility_id == snapshot.terms.facility_id]
        snapshot.taken = read_taken(self._connection, snapshot.terms, mine)
        return row.event_pk

    def conflict(self, item: Item, known: KnownEvent) -> None:
        """Keep an event whose identity carries another payload already."""
        self._flush()
        received_at_s = max((s.recorded_at_s for s in self._snapshots.values()), default=0)
        conflict = EventConflict(
            event_pk=known.event_pk,
            payload_hash=item.payload_hash,
            payload=item.payload,
            received_at_s=received_at_s,
        )
        insert_conflict(self._connection, conflict)

    def finish(self) -> None:
        """Write what waits, and remember the newest recording time."""
        self._flush()
        for facility_id, snapshot in self._snapshots.items():
            set_last_recorded(self._connection, facility_id, snapshot.recorded_at_s)

    def _event_row(self, snapshot: Snapshot, item: Item) -> MeterEventRow:
        envelope = item.event.envelope
        return MeterEventRow(
            event_pk=next(self._keys),
            operator_id=snapshot.facility.operator_id,
            source=envelope.source,
            event_id=envelope.id,
            type=envelope.type,
            payload_hash=item.payload_hash,
            payload=item.payload,
            facility_id=envelope.facility_id,
            recorded_at_s=snapshot.recorded_at_s,
        )

    def _flush(self) -> None:
        insert_many(self._connection, self._events)
        insert_many(self._connection, self._usage)
        insert_many(self._connection, self._outages)
        self._events, self._usage, self._outages = [], [], []
