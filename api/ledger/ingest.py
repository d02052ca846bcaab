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
from api.domain.log.keys import KeyRole
from api.domain.log.logged import LoggedEntry
from api.domain.metering.items import EventResult, Item, read_item
from api.domain.units import FacilityId, OperatorId
from api.errors import EventRejected
from api.ledger.behind import require_whole
from api.ledger.judging import BatchJudge
from api.ledger.kept import KeptLedgers
from api.ledger.rejections import keep_rejections, keep_repeats
from api.ledger.snapshot import Snapshot, read_snapshots
from api.ledger.write import LedgerWriter, SignedBody


def ingest(
    engine: Engine,
    operator_id: OperatorId,
    events: Sequence[object],
    *,
    broken: Mapping[int, EventRejected] = MappingProxyType({}),
    clock: Clock,
    kept: KeptLedgers | None = None,
) -> list[EventResult]:
    """Record a batch of parsed JSON events of one operator.

    Args:    broken: by index, what the parser found wrong with an event's JSON.
             kept: what this process remembers of ledgers; without it all is read anew.
    Returns: one result per event, in order. Sending the same body again is always safe.
    Raises:  DatabaseUnavailable, LogBehind; then nothing is recorded.
    """
    if not events:
        return []
    read = [read_item(i, event, broken.get(i)) for i, event in enumerate(events)]
    kept = KeptLedgers() if kept is None else kept

    def record(connection: Connection) -> Batch:
        return _record(connection, operator_id, read, raw=events, clock=clock, kept=kept)

    # A unique key: another request recorded one of these identities meanwhile. Now it is known.
    batch = write(engine, record, clashes=(IntegrityError,))
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
    kept = KeptLedgers()
    return _record(connection, operator_id, read, raw=raw, clock=clock, kept=kept).results


def _record(
    connection: Connection,
    operator_id: OperatorId,
    read: Sequence[Item | EventResult],
    *,
    raw: Sequence[object],
    clock: Clock,
    kept: KeptLedgers,
) -> "Batch":
    events = [x.event for x in read if isinstance(x, Item)]
    snapshots, now_s = read_snapshots(connection, operator_id, events, clock, kept)
    for snapshot in snapshots.values():
        require_whole(connection, snapshot.facility)
    batch = Batch(connection, operator_id, read, snapshots, now_s=now_s)
    batch.record(raw=raw)
    return batch


class Batch:
    """One transaction: facilities locked, who judges and who writes."""

    def __init__(
        self,
        connection: Connection,
        operator_id: OperatorId,
        read: Sequence[Item | EventResult],
        snapshots: Mapping[FacilityId, Snapshot],
        *,
        now_s: int,
        role: KeyRole | None = None,
    ) -> None:
        """Args: snapshots: facilities of which events are taken.
        role: of the key that signed all of it."""
        self.connection, self.operator_id, self.read = connection, operator_id, read
        self.snapshots, self.now_s = snapshots, now_s
        self.results: list[EventResult] = []
        items = [x for x in read if isinstance(x, Item)]
        self.writer = LedgerWriter(connection, snapshots, events=len(items))
        self.judge = BatchJudge(connection, snapshots, items, self.writer, role=role)

    def record(
        self,
        *,
        raw: Sequence[object],
        signed: SignedBody | None = None,
        again: LoggedEntry | None = None,
    ) -> None:
        """Judge all events in order and write what was accepted; `results` has the answers.

        Args:    signed: the body of which the events are, where somebody signed it.
                 again: the entry that they were before, where nobody did.
        """
        self.results = [self.judge.take(x) if isinstance(x, Item) else x for x in self.read]
        if signed is None:
            self.writer.finish(self.operator_id, again=again)
        else:
            self.writer.finish_signed(self.operator_id, signed, self.results)
        self.keep_others(self.results, raw)

    def keep_in(self, kept: KeptLedgers) -> None:
        """Remember the facilities as the batch left them, once it is committed."""
        for facility_id, snapshot in self.snapshots.items():
            snapshot.keep_in(kept, grown=facility_id in self.writer.grown)

    def keep_others(self, results: Sequence[EventResult], raw: Sequence[object]) -> None:
        """Keep what was rejected or repeated, for the operator's console."""
        if self.judge.repeated:
            repeated = [item.event for item in self.judge.repeated]
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
