"""What ingest is compared with: the raw insert of what it took, into tables that never change.

These are the tables of the ledger of November 2026: an event, and the usage record, void or outage
that it made. They stay as they are, whatever the service's own tables become: better tables make
ingest faster, and must not move what it is measured by.
"""

import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import count
from operator import itemgetter
from typing import Any

import orjson
import psycopg
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    make_url,
    select,
)

from api.db.log import logged_after
from api.db.session import open_engine
from api.db.tables import ledger
from api.db.tables.columns import PRIMARY_KEY
from api.db.tables.facilities import facilities as own_facilities
from api.db.tables.ledger import FactKind, facts, told_by_event
from api.domain.log.entry import LogName
from api.domain.metering.facts import Place
from api.domain.units import ZERO_ADDRESS, FacilityId

# Two tables have an index of the same columns: names hold the table's.
_METADATA = MetaData(naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s"})
_operators = Table("operators", _METADATA, Column("operator_id", PRIMARY_KEY, primary_key=True))
_facilities = Table("facilities", _METADATA, Column("facility_id", BigInteger, primary_key=True))


def _of_event() -> Column[int]:
    event = ForeignKey("meter_events.event_pk")
    return Column("event_pk", PRIMARY_KEY, event, nullable=False, unique=True)


_meter_events = Table(
    "meter_events",
    _METADATA,
    Column("event_pk", PRIMARY_KEY, primary_key=True),
    Column("operator_id", PRIMARY_KEY, ForeignKey(_operators.c.operator_id), nullable=False),
    Column("source", String(200), nullable=False),
    Column("event_id", String(200), nullable=False),
    Column("type", String(64), nullable=False),
    Column("payload_hash", LargeBinary(32), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("facility_id", BigInteger),
    Column("recorded_at_s", BigInteger, nullable=False),
    UniqueConstraint("operator_id", "source", "event_id"),
)
_usage_records = Table(
    "usage_records",
    _METADATA,
    Column("record_pk", PRIMARY_KEY, primary_key=True),
    _of_event(),
    Column("facility_id", BigInteger, ForeignKey(_facilities.c.facility_id), nullable=False),
    Column("kind", Integer, nullable=False),
    Column("device", LargeBinary(32), nullable=False),
    Column("lease", LargeBinary(32), nullable=False),
    Column("start_s", BigInteger, nullable=False),
    Column("end_s", BigInteger, nullable=False),
    Column("statement_epoch", BigInteger, nullable=False),
    Column("recorded_at_s", BigInteger, nullable=False),
    Index(None, "facility_id", "device", "start_s"),
    Index(None, "facility_id", "lease", "end_s"),
    Index(None, "facility_id", "statement_epoch"),
)
_usage_voids = Table(
    "usage_voids",
    _METADATA,
    Column("record_pk", PRIMARY_KEY, ForeignKey(_usage_records.c.record_pk), primary_key=True),
    _of_event(),
    Column("facility_id", BigInteger, nullable=False),
    Column("statement_epoch", BigInteger, nullable=False),
    Column("recorded_at_s", BigInteger, nullable=False),
    Index(None, "facility_id", "statement_epoch"),
)
_outages = Table(
    "outages",
    _METADATA,
    Column("outage_pk", PRIMARY_KEY, primary_key=True),
    _of_event(),
    Column("facility_id", BigInteger, ForeignKey(_facilities.c.facility_id), nullable=False),
    Column("device", LargeBinary(32), nullable=False),
    Column("lease", LargeBinary(32), nullable=False),
    Column("start_s", BigInteger, nullable=False),
    Column("end_s", BigInteger, nullable=False),
    Column("statement_epoch", BigInteger, nullable=False),
    Column("recorded_at_s", BigInteger, nullable=False),
    Index(None, "facility_id", "device", "start_s"),
    Index(None, "facility_id", "statement_epoch"),
)
# Parents first: foreign keys are checked on every insert.
_LEDGER = (_meter_events, _usage_records, _usage_voids, _outages)
# Rows of one commit, table by table.
Rows = dict[Table, list[tuple[Any, ...]]]
Batch = list[tuple[Table, list[tuple[Any, ...]]]]


def raw_insert(source_url: str, floor_url: str, size: int, first: int) -> tuple[float, float]:
    """Seconds to insert what one database's ledger took raw into an empty one of the same kind.

    Durability and rows a commit are the service's. SQLite: prepared statements of the driver.
    PostgreSQL: COPY, the fastest way in.
    Returns: seconds of the first `first` events, and of the rest.
    """
    make_tables(floor_url, facilities=1)
    [batches] = batches_of(source_url, size).values()
    parts = batches[: first // size], batches[first // size :]
    if make_url(floor_url).get_backend_name() == "sqlite":
        before, after = (_insert_sqlite(floor_url, part) for part in parts)
    else:
        before, after = (copy_postgres(floor_url, part) for part in parts)
    return before, after


def make_tables(floor_url: str, *, facilities: int) -> None:
    """Make the tables in an empty database, with the operator and the facilities, from 1 on."""
    floor = open_engine(floor_url)
    try:
        _METADATA.create_all(floor)
        with floor.begin() as connection:
            for parent, most in ((_operators, 1), (_facilities, facilities)):
                name = next(iter(parent.c)).name
                connection.execute(parent.insert(), [{name: i + 1} for i in range(most)])
    finally:
        floor.dispose()


def batches_of(source_url: str, size: int) -> dict[int, list[Batch]]:
    """By facility: rows of `size` of its events each, of all events that a database took."""
    source = open_engine(source_url)
    try:
        with source.connect() as connection:
            rows = _rows(connection)
    finally:
        source.dispose()
    return {facility_id: list(_batches(found, size)) for facility_id, found in rows.items()}


def _rows(connection: Connection) -> dict[int, Rows]:
    """By facility: rows that the events of a database would have made, in order of recording."""
    facilities = sorted(connection.execute(select(own_facilities.c.facility_id)).scalars())
    assert facilities == [i + 1 for i in range(len(facilities))]  # as `make_tables` numbers them
    found: dict[int, Rows] = {i: {table: [] for table in _LEDGER} for i in facilities}
    told = ledger.meter_events
    kinds = [FactKind.USAGE.value, FactKind.OUTAGE.value, FactKind.VOID.value]
    query = (
        select(told, facts.c.kind, facts.c.device, facts.c.lease)
        .add_columns(facts.c.start_s, facts.c.end_s, facts.c.document)
        .join(facts, told_by_event())
        .where(facts.c.kind.in_(kinds))
        .order_by(told.c.event_pk)
    )
    texts = {i: _texts(connection, FacilityId(i)) for i in facilities}
    record_of: dict[tuple[int, int, int], int] = {}
    records, outages = count(1), count(1)
    for row in connection.execute(query):
        at_s, event_pk, facility_id = row.recorded_at_s, row.event_pk, row.facility_id
        rows = found[facility_id]
        text = texts[facility_id][Place(row.entry, row.place)]
        event = (event_pk, 1, row.source, row.event_id, row.type, row.payload_hash, text)
        rows[_meter_events].append((*event, facility_id, at_s))
        if row.kind == FactKind.VOID.value:
            entry, place = orjson.loads(row.document)["target"]
            void = (record_of[facility_id, entry, place], event_pk, facility_id, 0, at_s)
            rows[_usage_voids].append(void)
            continue
        time_taken = (row.device, row.lease, row.start_s, row.end_s, 0, at_s)
        if row.kind == FactKind.OUTAGE.value:
            rows[_outages].append((next(outages), event_pk, facility_id, *time_taken))
            continue
        key = record_of[facility_id, row.entry, row.place] = next(records)
        rows[_usage_records].append((key, event_pk, facility_id, 0, *time_taken))
    return found


def _texts(connection: Connection, facility_id: FacilityId) -> dict[Place, bytes]:
    """Text of each event, which rows of before had each for itself."""
    log = LogName(0, ZERO_ADDRESS, facility_id)  # its name is in no text
    return {
        Place(logged.entry.number, index): orjson.dumps(event)
        for logged in logged_after(connection, log, after=0, most=10**9)
        for index, event in enumerate(orjson.loads(logged.body))
    }


def _batches(rows_of: Rows, size: int) -> Iterator[Batch]:
    """Rows in groups of `size` events, in the order in which these were recorded."""
    place = {table: list(table.columns.keys()).index("event_pk") for table in _LEDGER}
    taken = dict.fromkeys(_LEDGER, 0)
    events = rows_of[_meter_events]
    for end in range(size, len(events) + size, size):
        last = events[min(end, len(events)) - 1][0]
        batch: Batch = []
        for table, rows in rows_of.items():
            until = bisect_right(rows, last, taken[table], key=itemgetter(place[table]))
            batch.append((table, rows[taken[table] : until]))
            taken[table] = until
        yield batch


def _insert_sqlite(url: str, batches: Sequence[Batch]) -> float:
    engine = open_engine(url)
    connection = engine.raw_connection()
    driver = connection.driver_connection
    if driver is None:
        raise RuntimeError("no driver connection")
    started = time.perf_counter()
    for batch in batches:
        driver.execute("BEGIN IMMEDIATE")
        for table, rows in batch:
            columns = ",".join(c.name for c in table.columns)
            marks = ",".join("?" * len(table.columns))
            insert = f"INSERT INTO {table.name} ({columns}) VALUES ({marks})"  # noqa: S608
            driver.executemany(insert, rows)
        driver.execute("COMMIT")
    spent = time.perf_counter() - started
    connection.close()
    engine.dispose()
    return spent


def copy_postgres(url: str, batches: Sequence[Batch], *, at_s: float = 0) -> float:
    """Seconds to copy batches in, a transaction each. at_s: when to begin, by `time.time`."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain) as connection:
        time.sleep(max(0, at_s - time.time()))
        started = time.perf_counter()
        for batch in batches:
            for table, rows in batch:
                columns = ",".join(c.name for c in table.columns)
                with (
                    connection.cursor() as cursor,
                    cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy,
                ):
                    for row in rows:
                        copy.write_row(row)
            connection.commit()
        return time.perf_counter() - started
