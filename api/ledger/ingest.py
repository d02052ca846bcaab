"""Ingest: a batch of meter events into the usage ledger, in one transaction, answered one by one.

A bad event never blocks the others; an event id is taken for ever together with its record.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from api.clock import Clock
from api.db.facilities import facilities_of
from api.db.session import write
from api.domain.units import OperatorId
from api.errors import EventRejected
from api.ledger.batch import EventResult, Item, read_item
from api.ledger.judging import BatchJudge
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
    Raises:  DatabaseUnavailable; then nothing is recorded.
    """
    if not events:
        return []
    read = [read_item(i, event, broken.get(i)) for i, event in enumerate(events)]

    def record(connection: Connection) -> list[EventResult]:
        return record_events(connection, operator_id, read, raw=events, clock=clock)

    # A unique key: another request recorded one of these identities meanwhile. Now it is known.
    return write(engine, record, clashes=(IntegrityError,))


def record_events(
    connection: Connection,
    operator_id: OperatorId,
    read: Sequence[Item | EventResult],
    *,
    raw: Sequence[object],
    clock: Clock,
) -> list[EventResult]:
    """Record a batch inside a transaction; see `ingest`. raw: the events as they were sent."""
    items = [x for x in read if isinstance(x, Item)]
    events = [item.event for item in items]
    snapshots, now_s = read_snapshots(connection, operator_id, events, clock)
    writer = LedgerWriter(connection, snapshots, events=len(events))
    judge = BatchJudge(connection, snapshots, items, writer)
    results = [judge.take(x) if isinstance(x, Item) else x for x in read]
    writer.finish(operator_id)
    if judge.repeated:
        keep_repeats(connection, [item.event for item in judge.repeated], snapshots)
    if any(result.status == "rejected" for result in results):
        keep_rejections(
            connection,
            operator_id,
            results=results,
            events=raw,
            own_facilities=facilities_of(connection, operator_id),
            now_s=now_s,
        )
    return results
