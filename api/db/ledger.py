"""SQL of the log: identities of events, their keys, and the facts that a correction can name."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, Table, and_, func, select, text
from sqlalchemy.sql.selectable import LABEL_STYLE_TABLENAME_PLUS_COL as _LABELS

from api.db.session import is_sqlite
from api.db.tables.ledger import (
    HELD_KINDS,
    OUT_KINDS,
    FactKind,
    facts,
    meter_events,
    told_by_event,
)
from api.domain.metering.events import ALLOCATION_OPENED
from api.domain.metering.facts import Held, Out, Place
from api.domain.metering.taken import Identity, Known
from api.domain.units import Bytes32, FacilityId


def allocate_keys(connection: Connection, table: Table, count: int) -> list[int]:
    """Primary keys for `count` rows to come, so that they insert in bulk and refer to each other.

    SQLite writers are alone under BEGIN IMMEDIATE; PostgreSQL hands keys out of the sequence.
    """
    key = next(iter(table.primary_key.columns))
    if is_sqlite(connection):
        first = connection.execute(select(func.coalesce(func.max(key), 0))).scalar_one() + 1
        return list(range(first, first + count))
    # One row of many keys: a row for each costs more than the keys do.
    keys: list[int] = connection.execute(
        text(
            "SELECT array_agg(nextval((SELECT CAST(pg_get_serial_sequence(:t, :c) AS regclass))))"
            " FROM generate_series(1, :n)"
        ),
        {"t": table.name, "c": key.name, "n": count},
    ).scalar_one()
    return keys


# One statement a batch, however many sources it names. CROSS JOIN fixes SQLite's join order.
_KNOWN_SQLITE = text(
    "SELECT m.source, m.event_id, m.event_pk, m.payload_hash FROM json_each(:wanted) AS w"
    " CROSS JOIN meter_events AS m ON m.facility_id = :facility_id"
    " AND m.source = json_extract(w.value, '$[0]')"
    " AND m.event_id = json_extract(w.value, '$[1]')"
)
# OFFSET 0 keeps each look-up by itself, by the index of identities. As a join PostgreSQL may read
# all of a facility for a batch: it does not know how many rows a facility has, least of all while
# they are new, and a prepared statement is planned for none in particular.
_KNOWN_POSTGRES = text(
    "SELECT m.source, m.event_id, m.event_pk, m.payload_hash"
    " FROM json_array_elements(CAST(:wanted AS json)) AS w (pair)"
    " CROSS JOIN LATERAL (SELECT source, event_id, event_pk, payload_hash FROM meter_events"
    " WHERE facility_id = :facility_id AND source = w.pair->>0 AND event_id = w.pair->>1"
    " OFFSET 0) AS m"
)


@dataclass(slots=True)  # one an event: a frozen one takes thrice as long to make
class KnownEvent:
    """An event that the log has: its key, and what it said."""

    event_pk: int
    payload_hash: Bytes32


def known_events(
    connection: Connection, facility_id: FacilityId, identities: Sequence[Identity]
) -> dict[Identity, KnownEvent]:
    """Events that a facility's log already has, of some identities `(source, id)`."""
    # JSON on both: the driver's arrays of text cost as much as all that is asked.
    wanted = orjson.dumps(list(dict.fromkeys(identities))).decode()
    known = _KNOWN_SQLITE if is_sqlite(connection) else _KNOWN_POSTGRES
    rows = connection.execute(known, {"facility_id": facility_id, "wanted": wanted})
    return {
        (row.source, row.event_id): KnownEvent(row.event_pk, Bytes32(row.payload_hash))
        for row in rows
    }


_CORRECTABLE = [kind.value for kind in (*HELD_KINDS, *OUT_KINDS)]


def known_target(
    connection: Connection, facility_id: FacilityId, identity: Identity
) -> Known | None:
    """What a correction, or news of an allocation, names; None without such an event.

    The fact stands as it is now, also where it was told otherwise.
    """
    fact = and_(told_by_event(), facts.c.kind.in_(_CORRECTABLE))
    query = (
        select(meter_events, facts)
        .select_from(meter_events.outerjoin(facts, fact))
        .where(
            meter_events.c.facility_id == facility_id,
            meter_events.c.source == identity[0],
            meter_events.c.event_id == identity[1],
        )
    )
    row = connection.execute(query.set_label_style(_LABELS)).mappings().first()
    if row is None:
        return None
    place = Place(row["meter_events_entry"], row["meter_events_place"])
    known = Known(place, row["meter_events_recorded_at_s"])
    kind = row["facts_kind"]
    if kind is None:
        return known
    what = place, row["facts_device"], row["facts_lease"]
    span = row["facts_start_s"], row["facts_until_s"]
    if kind in [each.value for each in OUT_KINDS]:
        known.fact = Out(*what, *span, kind == FactKind.PLANNED.value)
    else:
        known.fact = Held(*what, *span, kind == FactKind.DELIVERY.value)
    known.voided = row["facts_voided"] is not None
    known.allocation = row["meter_events_type"] == ALLOCATION_OPENED
    known.ended = bool(row["facts_ended"])
    return known
