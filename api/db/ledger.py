"""SQL of the usage ledger: identities, records, voids, outages."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import (
    Connection,
    Row,
    Table,
    func,
    insert,
    select,
    text,
    update,
)

from api.db.session import is_sqlite
from api.db.tables.ledger import (
    event_conflicts,
    facilities,
    leases,
    meter_events,
    price_versions,
    usage_records,
    usage_voids,
)

_T = TypeVar("_T")
_CHUNK = 500


def chunks(items: Sequence[_T]) -> Iterable[Sequence[_T]]:
    """Slices small enough for the bound parameters of any database."""
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]


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


def lock_facilities(
    connection: Connection, facility_ids: Iterable[int]
) -> dict[int, Row[tuple[Any, ...]]]:
    """Lock facilities in id order: ingest and close of a facility wait for each other."""
    ids = sorted(set(facility_ids))
    if not ids:
        return {}
    query = select(facilities).where(facilities.c.facility_id.in_(ids))
    rows = connection.execute(query.order_by(facilities.c.facility_id).with_for_update())
    return {row.facility_id: row for row in rows}


def facility_unlocked(connection: Connection, facility_id: int) -> Row[Any]:
    """A facility as it stands, without waiting for anybody."""
    query = select(facilities).where(facilities.c.facility_id == facility_id)
    return connection.execute(query).one()


def facilities_of(connection: Connection, operator_id: int) -> list[int]:
    """Facilities of an operator, by id."""
    query = select(facilities.c.facility_id).where(facilities.c.operator_id == operator_id)
    return list(connection.execute(query.order_by(facilities.c.facility_id)).scalars())


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


def known_events(
    connection: Connection, operator_id: int, identities: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], tuple[int, bytes]]:
    """`(event_pk, payload_hash)` of identities that the ledger already has."""
    wanted = list(dict.fromkeys(identities))
    if is_sqlite(connection):
        named = {"operator_id": operator_id, "wanted": json.dumps(wanted)}
        rows = connection.execute(_KNOWN_SQLITE, named)
    else:
        sources, ids = [source for source, _ in wanted], [event_id for _, event_id in wanted]
        named_lists = {"operator_id": operator_id, "sources": sources, "ids": ids}
        rows = connection.execute(_KNOWN_POSTGRES, named_lists)
    return {(row[0], row[1]): (row[2], row[3]) for row in rows}


def insert_conflict(connection: Connection, values: Mapping[str, Any]) -> None:
    """Keep an event whose identity is taken by another payload; once each."""
    same = select(event_conflicts.c.conflict_pk).where(
        event_conflicts.c.event_pk == values["event_pk"],
        event_conflicts.c.payload_hash == values["payload_hash"],
    )
    if connection.execute(same).first() is None:
        connection.execute(insert(event_conflicts), dict(values))


def leases_named(
    connection: Connection, facility_id: int, lease_ids: Iterable[str]
) -> dict[str, Row[Any]]:
    """Leases of a facility by the operator's own ids, with the start of their first price."""
    found: dict[str, Row[Any]] = {}
    for part in chunks(sorted(set(lease_ids))):
        query = select(leases).where(
            leases.c.facility_id == facility_id, leases.c.lease_id.in_(part)
        )
        found.update({row.lease_id: row for row in connection.execute(query)})
    return found


def correction_target(
    connection: Connection, operator_id: int, *, source: str, event_id: str
) -> Row[*tuple[Any, ...]] | None:
    """An event with its usage record and void, if any."""
    query = (
        select(
            meter_events.c.event_pk,
            meter_events.c.type,
            usage_records.c.record_pk,
            usage_records.c.facility_id,
            usage_records.c.statement_epoch,
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
    return connection.execute(query).first()


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert many rows of one shape."""
    if rows:
        connection.execute(insert(table), [dict(row) for row in rows])


def set_last_recorded(connection: Connection, facility_id: int, recorded_at_s: int) -> None:
    """Remember the newest recording time of a facility: it never goes back."""
    connection.execute(
        update(facilities)
        .where(facilities.c.facility_id == facility_id)
        .values(last_recorded_at_s=recorded_at_s)
    )


def prices_of(connection: Connection, facility_id: int) -> list[Row[Any]]:
    """Every price version of a facility's leases, ascending."""
    query = select(price_versions).where(price_versions.c.facility_id == facility_id)
    order = (price_versions.c.lease, price_versions.c.version)
    return list(connection.execute(query.order_by(*order)))
