"""Bench of ingest: events a second over HTTP, beside the raw insert of the same rows."""

import threading
import time
from bisect import bisect_right
from collections.abc import Sequence
from http import HTTPStatus
from operator import itemgetter
from typing import Any

import httpx
import orjson
import psycopg
from sqlalchemy import Engine, Table, make_url, select

from api.db.migrate import upgrade
from api.db.session import open_engine
from api.db.tables.facilities import facilities, operators
from api.db.tables.leases import leases
from api.db.tables.ledger import meter_events, outages, usage_records, usage_voids
from scripts.bench.load import Load
from scripts.bench.stage import OPERATOR, Service, address, cpu_s, peak_rss_mb

# Parents first: foreign keys are checked on every insert, as in the service.
_LEDGER = (meter_events, usage_records, usage_voids, outages)
_PARENTS = (operators, facilities, leases)
# Rows of one commit, table by table.
Batch = list[tuple[Table, list[tuple[Any, ...]]]]


def register(service: Service, load: Load) -> tuple[dict[str, Any], str]:
    """Register operator, facility and leases; returns the facility and the operator's key."""
    body = {"name": "bench", "address": address(OPERATOR)}
    key: str = service.post("/v1/operators", body)["api_key"]
    facility: dict[str, Any] = service.post("/v1/facilities", load.facility(), key)
    for lease in load.leases():
        service.post(f"/v1/facilities/{facility['facility_id']}/leases", lease, key)
    return facility, key


def push(service: Service, key: str, bodies: Sequence[bytes], *, clients: int) -> float:
    """Seconds to push batches with so many requests in flight; every event must be accepted."""
    waiting = iter(bodies)
    taking = threading.Lock()
    failures: list[str] = []
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def client() -> None:
        with httpx.Client(base_url=service.url, headers=headers, timeout=120) as http:
            while not failures:
                with taking:
                    body = next(waiting, None)
                if body is None:
                    return
                answer = http.post("/v1/events", content=body)
                result = orjson.loads(answer.content)
                if (
                    answer.status_code != HTTPStatus.OK
                    or result["rejected"]
                    or result["duplicates"]
                ):
                    failures.append(answer.text[:2_000])

    threads = [threading.Thread(target=client) for _ in range(clients)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spent = time.perf_counter() - started
    if failures:
        raise RuntimeError(f"a batch was not accepted whole: {failures[0]}")
    return spent


def measure(
    service: Service, load: Load, facility_id: int, key: str, floor_url: str
) -> dict[str, float]:
    """Push the load, half with one client and half with two; then insert the same rows raw."""
    bodies = load.bodies(facility_id)
    middle = len(bodies) // 2
    pid = service.process.pid
    before_s = cpu_s(pid)
    one_s = push(service, key, bodies[:middle], clients=1)
    two_s = push(service, key, bodies[middle:], clients=2)
    after_s = cpu_s(pid)
    first = middle * load.batch
    raw_one_s, raw_two_s = raw_insert(service.database_url, floor_url, load.batch, first)
    second = load.events - first
    figures = {
        "events": float(load.events),
        "one_client_events_per_s": first / one_s,
        "one_client_raw_events_per_s": first / raw_one_s,
        "one_client_share_of_raw": raw_one_s / one_s,
        "two_clients_events_per_s": second / two_s,
        "two_clients_raw_events_per_s": second / raw_two_s,
        "two_clients_share_of_raw": raw_two_s / two_s,
    }
    peak = peak_rss_mb(pid)
    if peak is not None:
        figures["service_peak_rss_mb"] = peak
    if before_s is not None and after_s is not None:
        figures["service_cpu_us_per_event"] = (after_s - before_s) / load.events * 1e6
    return figures


def raw_insert(source_url: str, floor_url: str, size: int, first: int) -> tuple[float, float]:
    """Seconds to insert the ledger of one database raw into an empty one of the same kind.

    Same tables, indexes, foreign keys, durability and rows a commit. SQLite: prepared statements
    of the driver. PostgreSQL: COPY, the fastest way in.
    Returns: seconds of the first `first` events, and of the rest.
    """
    source, floor = open_engine(source_url), open_engine(floor_url)
    try:
        upgrade(floor)
        with source.connect() as read, floor.begin() as write:
            for table in _PARENTS:
                rows = [dict(r) for r in read.execute(select(table)).mappings()]
                write.execute(table.insert(), rows)
        batches = _batches(source, size)
        parts = batches[: first // size], batches[first // size :]
        if floor.dialect.name == "sqlite":
            before, after = (_insert_sqlite(floor, part) for part in parts)
        else:
            before, after = (_copy_postgres(floor_url, part) for part in parts)
        return before, after
    finally:
        source.dispose()
        floor.dispose()


def _batches(engine: Engine, size: int) -> list[Batch]:
    """The ledger's rows in groups of `size` events, in the order in which they were recorded."""
    found: list[Batch] = []
    with engine.connect() as connection:
        rows_of = {
            table: [tuple(r) for r in connection.execute(select(table).order_by(table.c.event_pk))]
            for table in _LEDGER
        }
    place = {table: list(table.columns.keys()).index("event_pk") for table in _LEDGER}
    taken = dict.fromkeys(_LEDGER, 0)
    events = rows_of[meter_events]
    for end in range(size, len(events) + size, size):
        last = events[min(end, len(events)) - 1][0]
        batch: Batch = []
        for table, rows in rows_of.items():
            until = bisect_right(rows, last, taken[table], key=itemgetter(place[table]))
            batch.append((table, rows[taken[table] : until]))
            taken[table] = until
        found.append(batch)
    return found


def _insert_sqlite(engine: Engine, batches: Sequence[Batch]) -> float:
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
    return spent


def _copy_postgres(url: str, batches: Sequence[Batch]) -> float:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain) as connection:
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
