"""SQL of the usage ledger: identities of events, their keys, conflicts, targets of corrections."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Table, func, select, text

from api.db.rows import first_as, insert_record
from api.db.session import is_sqlite
from api.db.tables.ledger import (
    EventConflict,
    event_conflicts,
    meter_events,
    usage_records,
    usage_voids,
)
from api.domain.units import Bytes32, Epoch, FacilityId, OperatorId


def allocate_keys(connection: Connection, table: Table, count: int) -> list[int]:
    """Primary keys for `count` rows to come, so that they insert in bulk and refer to each other.

    SQLite writers are alone under BEGIN IMMEDIATE; PostgreSQL hands keys out of the sequence.
    """
    key = next(iter(table.primary_key.columns))
    if is_sqlite(connection):
        first = connection.execute(select(func.coalesce(func.max(key), 0))).scalar_one() + 1
        return list(range(first, first + count))
    rows = connection.execute(
        text("SELECT nextval(pg_get_serial_sequence(:t, :c)) FROM generate_series(1, :n)"),
        {"t": table.name, "c": key.name, "n": count},
    )
    return [int(value) for (value,) in rows]


# One statement a batch, however many sources it names. CROSS JOIN fixes SQLite's join order.
_KNOWN_SQLITE = text(
    "SELECT m.source, m.event_id, m.event_pk, m.payload_hash FROM json_each(:wanted) AS w"
    " CROSS JOIN meter_events AS m ON m.operator_id = :operator_id"
    " AND m.source = json_extract(w.value, '$[0]')"
    " AND m.event_id = json_extract(w.value, '$[1]')"
)
_KNOWN_POSTGRES = text(
    "SELECT m.source, m.event_id, m.event_pk, m.payload_hash"
    " FROM unnest(CAST(:sources AS text[]), CAST(:ids AS text[])) AS w (source, event_id)"
    " JOIN meter_events AS m ON m.operator_id = :operator_id"
    " AND m.source = w.source AND m.event_id = w.event_id"
)


@dataclass(slots=True)  # one an event: a frozen one takes thrice as long to make
class KnownEvent:
    """An event that the ledger has: its key, and what it carried."""

    event_pk: int
    payload_hash: Bytes32


def known_events(
    connection: Connection, operator_id: OperatorId, identities: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], KnownEvent]:
    """Events of an operator that the ledger already has, of some identities `(source, id)`."""
    wanted = list(dict.fromkeys(identities))
    if is_sqlite(connection):
        named = {"operator_id": operator_id, "wanted": json.dumps(wanted)}
        rows = connection.execute(_KNOWN_SQLITE, named)
    else:
        sources, ids = [source for source, _ in wanted], [event_id for _, event_id in wanted]
        named_lists = {"operator_id": operator_id, "sources": sources, "ids": ids}
        rows = connection.execute(_KNOWN_POSTGRES, named_lists)
    return {
        (row.source, row.event_id): KnownEvent(row.event_pk, Bytes32(row.payload_hash))
        for row in rows
    }


def insert_conflict(connection: Connection, conflict: EventConflict) -> None:
    """Keep an event whose identity is taken by another payload; once each."""
    same = select(event_conflicts.c.conflict_pk).where(
        event_conflicts.c.event_pk == conflict.event_pk,
        event_conflicts.c.payload_hash == conflict.payload_hash,
    )
    if connection.execute(same).first() is None:
        insert_record(connection, conflict)


@dataclass(frozen=True, slots=True)
class CorrectionTarget:
    """An event that a correction names, with its usage record and void, if any."""

    type: str
    record_pk: int | None
    facility_id: FacilityId | None
    kind: int | None
    statement_epoch: Epoch | None
    start_s: int | None
    voided_by: int | None


def correction_target(
    connection: Connection, operator_id: OperatorId, *, source: str, event_id: str
) -> CorrectionTarget | None:
    """The event that a correction names, or None."""
    query = (
        select(
            meter_events.c.type,
            usage_records.c.record_pk,
            usage_records.c.facility_id,
            usage_records.c.kind,
            usage_records.c.statement_epoch,
            usage_records.c.start_s,
            usage_voids.c.event_pk.label("voided_by"),
        )
        .outerjoin(usage_records, usage_records.c.event_pk == meter_events.c.event_pk)
        .outerjoin(usage_voids, usage_voids.c.record_pk == usage_records.c.record_pk)
        .where(
            meter_events.c.operator_id == operator_id,
            meter_events.c.source == source,
            meter_events.c.event_id == event_id,
        )
    )
    return first_as(CorrectionTarget, connection.execute(query))
