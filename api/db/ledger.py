"""SQL of the usage ledger: identities, records, voids, outages."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import (
    BindParameter,
    Connection,
    Row,
    Table,
    bindparam,
    func,
    insert,
    select,
    text,
    update,
)

from api.db.session import is_sqlite
from api.db.tables import (
    devices,
    event_conflicts,
    facilities,
    leases,
    meter_events,
    outages,
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


@dataclass(frozen=True, slots=True)
class Span:
    """Part of the ledger to compare a batch with: devices of a facility between two times."""

    facility_id: int
    devices: tuple[bytes, ...]
    start_s: int
    end_s: int


def _overlapping(table: Table, span: Span, devices: Sequence[bytes]) -> Any:
    # An interval never crosses an epoch, but starts are what is indexed: no lower bound on them
    # is known here, so the end is compared too.
    return (
        (table.c.facility_id == span.facility_id)
        & table.c.device.in_(devices)
        & (table.c.start_s < span.end_s)
        & (table.c.end_s > span.start_s)
    )


_STANDING = usage_records.outerjoin(
    usage_voids, usage_voids.c.record_pk == usage_records.c.record_pk
)


# Built once: a list given to `in_` is looked at element by element, every time.
_SPAN_START: BindParameter[int] = bindparam("start_s")
_SPAN_END: BindParameter[int] = bindparam("end_s")
_SPAN_DEVICES: BindParameter[Sequence[bytes]] = bindparam("devices", expanding=True)
_USAGE_COLUMNS = (usage_records.c.device, usage_records.c.start_s, usage_records.c.end_s)
_USAGE_INSIDE = (
    select(*_USAGE_COLUMNS)
    .select_from(_STANDING)
    .where(
        usage_records.c.facility_id == bindparam("facility_id"),
        usage_records.c.device.in_(_SPAN_DEVICES),
        usage_records.c.start_s >= _SPAN_START,
        usage_records.c.start_s < _SPAN_END,
        usage_voids.c.record_pk.is_(None),
    )
)
_earlier, _earlier_voids = usage_records.alias("earlier"), usage_voids.alias("earlier_voids")
_LAST_BEFORE = (
    select(_earlier.c.record_pk)
    .outerjoin(_earlier_voids, _earlier_voids.c.record_pk == _earlier.c.record_pk)
    .where(
        _earlier.c.facility_id == devices.c.facility_id,
        _earlier.c.device == devices.c.device,
        _earlier.c.start_s < _SPAN_START,
        _earlier_voids.c.record_pk.is_(None),
    )
    .order_by(_earlier.c.start_s.desc())
    .limit(1)
    .correlate(devices)
    .scalar_subquery()
)
_USAGE_BEFORE = (
    select(*_USAGE_COLUMNS)
    .select_from(devices)
    .join(usage_records, usage_records.c.record_pk == _LAST_BEFORE)
    .where(
        devices.c.facility_id == bindparam("facility_id"),
        devices.c.device.in_(_SPAN_DEVICES),
        usage_records.c.end_s > _SPAN_START,
    )
)


def usage_in(connection: Connection, span: Span) -> list[Row[Any]]:
    """Standing (not voided) usage that touches a span.

    Standing records of a device never overlap: of those that start before the span, only the last
    one can reach into it. So nothing older is read, however full the epoch is.
    """
    rows: list[Row[Any]] = []
    values = {"facility_id": span.facility_id, "start_s": span.start_s, "end_s": span.end_s}
    for part in chunks(span.devices):
        rows.extend(connection.execute(_USAGE_INSIDE, {**values, "devices": part}))
        rows.extend(connection.execute(_USAGE_BEFORE, {**values, "devices": part}))
    return rows


def outages_in(connection: Connection, span: Span, *, longest_s: int) -> list[Row[Any]]:
    """Outages that touch a span."""
    rows: list[Row[Any]] = []
    for part in chunks(span.devices):
        query = select(outages.c.device, outages.c.start_s, outages.c.end_s).where(
            _overlapping(outages, span, part), outages.c.start_s > span.start_s - longest_s
        )
        rows.extend(connection.execute(query))
    return rows


def lease_usage_in(
    connection: Connection,
    facility_id: int,
    named: Sequence[bytes],
    *,
    start_s: int,
    end_s: int,
    longest_s: int,
) -> dict[bytes, list[tuple[int, int]]]:
    """Standing usage intervals of leases between two times, by lease, all devices.

    `longest_s` bounds any record's length, and so how late one that touches the span can end.
    """
    found: dict[bytes, list[tuple[int, int]]] = {lease: [] for lease in named}
    for part in chunks(named):
        query = (
            select(usage_records.c.lease, usage_records.c.start_s, usage_records.c.end_s)
            .select_from(_STANDING)
            .where(
                usage_records.c.facility_id == facility_id,
                usage_records.c.lease.in_(part),
                usage_records.c.end_s > start_s,
                usage_records.c.end_s < end_s + longest_s,
                usage_records.c.start_s < end_s,
                usage_voids.c.record_pk.is_(None),
            )
        )
        for lease, begin_s, finish_s in connection.execute(query):
            found[lease].append((begin_s, finish_s))
    return found


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
