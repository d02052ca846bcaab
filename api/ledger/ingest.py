"""Ingest: a batch of meter events into the usage ledger, in one transaction, answered one by one.

A bad event never blocks the others; an event id is taken for ever together with its record.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import orjson
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from api.clock import Clock
from api.db import bulk, ledger
from api.db.session import transaction
from api.db.tables.ledger import meter_events, outages, usage_records
from api.domain.hashing import sha256
from api.domain.metering.events import (
    CorrectionEvent,
    DeviceRegisteredEvent,
    LeaseClosedEvent,
    LeaseOpenedEvent,
    MeterEvent,
    OutageEvent,
    UsageEvent,
    identity,
    parse_event,
)
from api.errors import AppError, EventRejected
from api.ledger.corrections import apply_correction
from api.ledger.judge import Accepted, FacilityView, open_views
from api.ledger.leases import close_lease, open_lease_from_event
from api.ledger.rejections import keep_rejections, keep_repeats


@dataclass(slots=True)
class EventResult:
    """Answer for one event: `accepted`, `duplicate` or `rejected` with a stable code."""

    index: int
    source: str | None
    id: str | None
    status: str
    code: str | None = None
    detail: str | None = None


@dataclass(slots=True)
class _Item:
    index: int
    event: MeterEvent
    payload: bytes
    payload_hash: bytes


@dataclass(slots=True)
class _Pending:
    """Rows of accepted events that are not written yet."""

    events: list[dict[str, Any]] = field(default_factory=list)
    usage: list[dict[str, Any]] = field(default_factory=list)
    outages: list[dict[str, Any]] = field(default_factory=list)

    def flush(self, connection: Connection) -> None:
        bulk.insert_mappings(connection, meter_events, self.events)
        bulk.insert_mappings(connection, usage_records, self.usage)
        bulk.insert_mappings(connection, outages, self.outages)
        self.events, self.usage, self.outages = [], [], []


def ingest(
    engine: Engine,
    operator_id: int,
    events: Sequence[Any],
    *,
    broken: Mapping[int, EventRejected] = MappingProxyType({}),
    clock: Clock,
) -> list[EventResult]:
    """Record a batch of parsed JSON events of one operator.

    Args:    broken: by index, what the parser found wrong with an event's JSON.
    Returns: one result per event, in order. Sending the same body again is always safe.
    """
    results = [EventResult(i, *identity(event), "rejected") for i, event in enumerate(events)]
    items = []
    for result, event in zip(results, events, strict=True):
        try:
            if result.index in broken:
                raise broken[result.index]
            parsed = parse_event(event)
        except EventRejected as error:
            _reject(result, error)
            continue
        payload = orjson.dumps(event, option=orjson.OPT_SORT_KEYS)
        items.append(_Item(result.index, parsed, payload, sha256(payload)))
    if results:
        try:
            _record(engine, operator_id, items, results, clock, events)
        except IntegrityError:
            # Another request recorded one of these identities in the meantime: now it is known.
            _record(engine, operator_id, items, results, clock, events)
    return results


def _reject(result: EventResult, error: EventRejected) -> None:
    result.status, result.code, result.detail = "rejected", error.reason, error.message


def _record(
    engine: Engine,
    operator_id: int,
    items: list[_Item],
    results: list[EventResult],
    clock: Clock,
    raw: Sequence[Any],
) -> None:
    with transaction(engine) as connection:
        batch = _Batch(connection, operator_id, items, clock)
        for item in items:
            result = results[item.index]
            try:
                batch.take(item, result)
            except EventRejected as error:
                _reject(result, error)
        batch.finish()
        batch.keep_refused(results, raw)


class _Batch:
    """One transaction: identities seen, facilities locked, rows to write."""

    def __init__(
        self, connection: Connection, operator_id: int, items: list[_Item], clock: Clock
    ) -> None:
        self.connection = connection
        self.operator_id = operator_id
        events = [item.event for item in items]
        # The lock comes first and the clock after it, so that times follow the order of commits.
        self.views, self.now_s = open_views(connection, operator_id, events, clock)
        identities = [(e.envelope.source, e.envelope.id) for e in events]
        self.known = ledger.known_events(connection, operator_id, identities)
        self.keys = iter(ledger.allocate_keys(connection, meter_events, len(items)))
        self.pending = _Pending()
        self.repeated: list[MeterEvent] = []

    def take(self, item: _Item, result: EventResult) -> None:
        """Record one event, or raise EventRejected."""
        envelope = item.event.envelope
        name = (envelope.source, envelope.id)
        taken = self.known.get(name)
        if taken is not None:
            self._repeat(item, result, taken)
            return
        view = self.views.get(envelope.facility_id)
        if view is None:
            message = f"facility {envelope.facility_id} is not one of yours"
            raise EventRejected("facility_unknown", message)
        event_pk = next(self.keys)
        row = {
            "event_pk": event_pk,
            "operator_id": self.operator_id,
            "source": envelope.source,
            "event_id": envelope.id,
            "type": envelope.type,
            "payload_hash": item.payload_hash,
            "payload": item.payload,
            "facility_id": envelope.facility_id,
            "recorded_at_s": view.recorded_at_s,
        }
        self._apply(view, item.event, row)
        self.known[name] = (event_pk, item.payload_hash)
        result.status, result.code, result.detail = "accepted", None, None

    def _repeat(self, item: _Item, result: EventResult, taken: tuple[int, bytes]) -> None:
        event_pk, payload_hash = taken
        if payload_hash == item.payload_hash:
            result.status, result.code, result.detail = "duplicate", None, None
            self.repeated.append(item.event)
            return
        self.pending.flush(self.connection)
        received_at_s = max((v.recorded_at_s for v in self.views.values()), default=0)
        ledger.insert_conflict(
            self.connection,
            {
                "event_pk": event_pk,
                "payload_hash": item.payload_hash,
                "payload": item.payload,
                "received_at_s": received_at_s,
            },
        )
        raise EventRejected("id_conflict", "this source and id already carry another payload")

    def _apply(self, view: FacilityView, event: MeterEvent, row: dict[str, Any]) -> None:
        if isinstance(event, UsageEvent):
            accepted = view.accept_usage(event)
            self.pending.events.append(row)
            self.pending.usage.append(_row_of(accepted, row, kind=int(accepted.kind)))
        elif isinstance(event, OutageEvent):
            accepted = view.accept_outage(event)
            self.pending.events.append(row)
            self.pending.outages.append(_row_of(accepted, row))
        else:
            # Rare events write at once: what follows in the batch must see their effect.
            self.pending.flush(self.connection)
            self._apply_rare(view, event, row)

    def _apply_rare(self, view: FacilityView, event: MeterEvent, row: dict[str, Any]) -> None:
        try:
            with self.connection.begin_nested():
                ledger.insert_rows(self.connection, meter_events, [row])
                if isinstance(event, CorrectionEvent):
                    apply_correction(self.connection, self.operator_id, view, event, row)
                elif isinstance(event, LeaseOpenedEvent):
                    open_lease_from_event(self.connection, event)
                elif isinstance(event, LeaseClosedEvent):
                    facility_id, lease_id = event.envelope.facility_id, event.lease_id
                    close_lease(self.connection, facility_id, lease_id, event.closed_at_s)
                elif isinstance(event, DeviceRegisteredEvent):
                    message = "the pledge of a facility is fixed when it is registered"
                    raise EventRejected("pledge_fixed", message)
        except EventRejected:
            raise
        except AppError as error:
            reason = str(error.context.get("reason", error.code))
            raise EventRejected(reason, error.message) from error
        view.reload(self.connection)

    def finish(self) -> None:
        """Write what is pending and remember the newest recording time."""
        self.pending.flush(self.connection)
        for view in self.views.values():
            ledger.set_last_recorded(self.connection, view.facility_id, view.recorded_at_s)

    def keep_refused(self, results: Sequence[EventResult], raw: Sequence[Any]) -> None:
        """Keep what was rejected or repeated, for the operator's console."""
        if self.repeated:
            keep_repeats(self.connection, self.repeated, self.views)
        if any(result.status == "rejected" for result in results):
            keep_rejections(
                self.connection,
                self.operator_id,
                results=results,
                events=raw,
                own_facilities=ledger.facilities_of(self.connection, self.operator_id),
                now_s=self.now_s,
            )


def _row_of(accepted: Accepted, event_row: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "event_pk": event_row["event_pk"],
        "facility_id": event_row["facility_id"],
        "device": accepted.device,
        "lease": accepted.lease,
        "start_s": accepted.start_s,
        "end_s": accepted.end_s,
        "statement_epoch": accepted.statement_epoch,
        "recorded_at_s": event_row["recorded_at_s"],
        **more,
    }
