"""Checking: what ingest would answer to a batch now, from a view of the database. No write."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from sqlalchemy import Engine

from api.clock import Clock
from api.db.facilities import known_facility_row
from api.db.ledger import KnownEvent
from api.db.session import reading
from api.domain.log.authors import role_of
from api.domain.log.entry import EntryKind
from api.domain.metering.facts import Fact, Place
from api.domain.metering.items import EventResult, Item, read_item
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.units import Bytes32, FacilityId, OperatorId
from api.errors import EventRejected
from api.ledger.judging import BatchJudge
from api.ledger.recorder import keys_of
from api.ledger.snapshot import Snapshot, view_snapshots


def check(
    engine: Engine,
    operator_id: OperatorId,
    events: Sequence[object],
    *,
    broken: Mapping[int, EventRejected] = MappingProxyType({}),
    clock: Clock,
    signed: tuple[FacilityId, Bytes32] | None = None,
) -> list[EventResult]:
    """Judge a batch of parsed JSON events as `ingest` would; nothing is written or remembered.

    One view of the database, in which writers hold up nobody and are not held up.
    Args:    broken: by index, what the parser found wrong with an event's JSON.
             signed: facility and key of a signed request, which speaks of no other.
    Returns: one result per event, in order: those of `ingest` on the same state.
    Raises:  DatabaseUnavailable, KeyUnknown of a key that signs nothing more.
    """
    read = [read_item(i, event, broken.get(i)) for i, event in enumerate(events)]
    items = [x for x in read if isinstance(x, Item)]
    with reading(engine) as connection:
        told = [item.event for item in items]
        snapshots = view_snapshots(connection, operator_id, told, clock)
        role = None
        if signed is not None:
            facility_id, key = signed
            snapshots = {name: s for name, s in snapshots.items() if name == facility_id}
            terms = terms_from_bytes(known_facility_row(connection, facility_id).terms_json)
            author = keys_of(connection, terms).require_author(key, EntryKind.BATCH, None)
            role = role_of(author)
        judge = BatchJudge(connection, snapshots, items, _NobodyWrites(), role=role)
        return [judge.take(x) if isinstance(x, Item) else x for x in read]


class _NobodyWrites:
    """Is told what the log would take. Keys of events have no meaning here."""

    def add(self, snapshot: Snapshot, item: Item, *, place: Place, facts: Sequence[Fact]) -> int:
        return 0

    def conflict(self, item: Item, known: KnownEvent) -> None:
        """Nothing of it is kept."""
