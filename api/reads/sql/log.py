"""SQL of a facility's log as its operator searches it: accepted events with what they told.

Each way of searching follows an index, and reads at most a page of it or a bounded stretch.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    func,
    literal,
    or_,
    select,
    tuple_,
    union,
)

from api.db.rows import columns_of, rows_as
from api.db.tables.facilities import devices
from api.db.tables.ledger import (
    HELD_KINDS,
    OUT_KINDS,
    FactKind,
    MeterEventRow,
    facts,
    meter_events,
    told_by_event,
)
from api.db.tables.statements import statements
from api.domain.json_text import canonical_line
from api.domain.metering.bounds import recorded_from_s
from api.domain.metering.facts import Place, Voided
from api.domain.statements.told import fact_document
from api.domain.units import Bytes32, Epoch, FacilityId

Key = tuple[int, int]  # where a page ends, in its order

_LOG = (meter_events.c.entry, meter_events.c.place)
_TIME = (facts.c.start_s, facts.c.fact_pk)
_TIMED = [kind.value for kind in (*HELD_KINDS, *OUT_KINDS, FactKind.SEEN)]
# Of one identity without its source: so many sources are looked through.
_MOST_SOURCES = 1_000


@dataclass(frozen=True, slots=True)
class ToldTime:
    """The time of a device that an event told, as it was told and as it stands."""

    fact_pk: int
    entry: int
    place: int
    kind: int
    device: Bytes32
    lease: Bytes32 | None
    start_s: int
    end_s: int
    until_s: int
    ended: bool
    voided: int | None


def _of(facility_id: FacilityId) -> Select[*tuple[MeterEventRow, ...]]:
    return select(*columns_of(MeterEventRow)).where(meter_events.c.facility_id == facility_id)


def events_named(
    connection: Connection, facility_id: FacilityId, *, source: str | None, event_id: str
) -> list[MeterEventRow]:
    """Events of an id: of one source, or of all."""
    sources = _sources(connection, facility_id) if source is None else [source]
    query = _of(facility_id).where(
        meter_events.c.source.in_(sources), meter_events.c.event_id == event_id
    )
    return rows_as(MeterEventRow, connection.execute(query.order_by(meter_events.c.source)))


def _sources(connection: Connection, facility_id: FacilityId) -> list[str]:
    """Sources of a log, ascending: each is found behind the one before, by the key."""
    c = meter_events.c
    first = select(func.min(c.source).label("source")).where(c.facility_id == facility_id)
    found = first.cte("sources", recursive=True)
    behind = (
        select(func.min(c.source))
        .where(c.facility_id == facility_id, c.source > found.c.source)
        .scalar_subquery()
    )
    found = found.union_all(select(behind).where(found.c.source.is_not(None)))
    query = select(found.c.source).where(found.c.source.is_not(None)).limit(_MOST_SOURCES)
    return list(connection.execute(query).scalars())


def newest_events(
    connection: Connection,
    facility_id: FacilityId,
    *,
    types: Collection[str] | None,
    before: Key | None,
    limit: int,
    most: int,
) -> tuple[list[MeterEventRow], Key | None]:
    """Events in the order of the log, newest first, of some types or of all.

    At most so many of the log are looked through.
    Returns: at most `limit` events, and where to go on; None at the log's beginning.
    """
    query = select(meter_events.c.type, *_LOG)
    query = query.where(meter_events.c.facility_id == facility_id)
    if before is not None:
        query = query.where(tuple_(*_LOG) < before)
    looked = limit + 1 if types is None else most
    seen = list(
        connection.execute(query.order_by(*(column.desc() for column in _LOG)).limit(looked))
    )
    found = [row for row in seen if types is None or row.type in types]
    last = None if len(seen) < looked else seen[-1]
    if len(found) > limit:
        found = found[:limit]
        last = found[-1]
    page = [(row.entry, row.place) for row in found]
    after = None if last is None else (last.entry, last.place)
    return _events_at(connection, facility_id, page), after


def _events_at(
    connection: Connection, facility_id: FacilityId, places: Sequence[Key]
) -> list[MeterEventRow]:
    """Events at places of the log, newest first."""
    if not places:
        return []
    query = select(*columns_of(MeterEventRow)).where(_at(meter_events, facility_id, places))
    rows = rows_as(MeterEventRow, connection.execute(query))
    return sorted(rows, key=lambda row: (row.entry, row.place), reverse=True)


def _at(table: Table, facility_id: FacilityId, places: Sequence[Key]) -> ColumnElement[bool]:
    """Rows of some places, each found by its key: SQLite goes through all for a list of pairs."""
    c = table.c
    return or_(
        *(
            and_(c.facility_id == facility_id, c.entry == entry, c.place == place)
            for entry, place in places
        )
    )


def events_of_leases(
    connection: Connection,
    facility_id: FacilityId,
    leases: Sequence[Bytes32],
    *,
    kind: FactKind,
    before: Key | None,
    limit: int,
) -> tuple[list[MeterEventRow], Key | None]:
    """Terms, or adjustments, of leases, newest first: facts of no time."""
    f = facts.c
    query = select(f.entry, f.place).where(
        f.facility_id == facility_id,
        f.lease.in_(leases),
        f.start_s.is_(None),
        f.kind == kind.value,
    )
    # By lease, not along the whole log: a sum is in no index.
    order = f.entry + 0, f.place + 0
    if before is not None:
        query = query.where(tuple_(*order) < before)
    ordered = query.order_by(*(column.desc() for column in order)).limit(limit + 1)
    places = [(row.entry, row.place) for row in connection.execute(ordered)]
    page = places[:limit]
    return _events_at(connection, facility_id, page), page[-1] if len(places) > limit else None


def events_by_time(
    connection: Connection,
    facility_id: FacilityId,
    *,
    device: Bytes32 | None,
    lease: Bytes32 | None,
    came: Collection[Bytes32],
    types: Collection[str] | None,
    from_s: int | None,
    to_s: int | None,
    longest_s: int,
    before: Key | None,
    limit: int,
) -> tuple[list[MeterEventRow], Key | None]:
    """Events that speak of a device's time, by its start, latest first.

    Args:    came: devices beside those of the first pledge.
             longest_s: what holds a device, or an outage, is no longer. What was seen is found by
             its start alone.
    """
    f = facts.c
    where: list[ColumnElement[bool]] = [f.facility_id == facility_id, f.kind.in_(_TIMED)]
    if device is not None:
        where.append(f.device == device)
    elif lease is None:
        pledged = select(devices.c.device).where(devices.c.facility_id == facility_id)
        others = [select(literal(each, f.device.type)) for each in came]
        where.append(f.device.in_(union(pledged, *others) if others else pledged))
    if lease is not None:
        where.append(f.lease == lease)
    if from_s is not None:
        reaches = or_(f.start_s >= from_s, f.until_s > from_s)
        where += [f.start_s >= from_s - longest_s, reaches]
        where.append(f.recorded_at_s >= recorded_from_s(from_s - longest_s))
        where.append(or_(f.kind != FactKind.SEEN.value, f.start_s >= from_s))
    if to_s is not None:
        where.append(f.start_s < to_s)
    if types is not None:
        where.append(meter_events.c.type.in_(types))
    if before is not None:
        where.append(tuple_(*_TIME) < before)
    query = select(*columns_of(MeterEventRow), *_TIME).join(facts, told_by_event()).where(*where)
    rows = list(connection.execute(query.order_by(*(c.desc() for c in _TIME)).limit(limit + 1)))
    names = [column.name for column in columns_of(MeterEventRow)]
    page = [MeterEventRow(**{name: row._mapping[name] for name in names}) for row in rows[:limit]]
    last = rows[limit - 1] if len(rows) > limit else None
    return page, None if last is None else (last.start_s, last.fact_pk)


def told_times(
    connection: Connection, facility_id: FacilityId, events: Sequence[MeterEventRow]
) -> dict[Place, ToldTime]:
    """The time of a device that events told, by the place of the event; others left out."""
    f = facts.c
    columns = (
        *(f.fact_pk, f.entry, f.place, f.kind, f.device, f.lease),
        *(f.start_s, f.end_s, f.until_s, f.ended, f.voided),
    )
    if not events:
        return {}
    places = [(event.entry, event.place) for event in events]
    times = sorted(event.recorded_at_s for event in events)
    query = select(*columns).where(
        _at(facts, facility_id, places),
        f.kind.in_(_TIMED),
        f.recorded_at_s.between(times[0], times[-1]),
    )
    rows = rows_as(ToldTime, connection.execute(query))
    return {Place(row.entry, row.place): row for row in rows}


@dataclass(frozen=True, slots=True)
class Voider:
    """The event that took another one back, and where the log has it."""

    source: str
    event_id: str
    recorded_at_s: int
    place: Place


def voiders(
    connection: Connection, facility_id: FacilityId, voided: Sequence[ToldTime]
) -> dict[Place, Voider]:
    """Which event took back each of some, by the place of what was taken back."""
    places = [Place(row.entry, row.place) for row in voided]
    documents = {canonical_line(fact_document(Voided(place))): place for place in places}
    entries = {row.voided for row in voided if row.voided is not None}
    e = meter_events.c
    query = (
        select(facts.c.document, e.source, e.event_id, e.recorded_at_s, e.entry, e.place)
        .join(meter_events, told_by_event())
        .where(
            facts.c.facility_id == facility_id,
            facts.c.entry.in_(sorted(entries)),
            facts.c.kind == FactKind.VOID.value,
            facts.c.document.in_(sorted(documents)),
        )
    )
    return {
        documents[bytes(row.document)]: Voider(
            row.source, row.event_id, row.recorded_at_s, Place(row.entry, row.place)
        )
        for row in connection.execute(query)
    }


def log_sizes(connection: Connection, facility_id: FacilityId) -> list[tuple[Epoch, int]]:
    """How far in the log each statement came, ascending."""
    s = statements.c
    query = select(s.epoch, s.log_size).where(s.facility_id == facility_id).order_by(s.epoch)
    return [(row.epoch, row.log_size) for row in connection.execute(query)]
