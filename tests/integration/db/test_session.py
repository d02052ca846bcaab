"""Writers that clash are tried again; a database that cannot serve is a 503, never a 500."""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, Engine, event, select, text
from sqlalchemy.exc import IntegrityError

from api.db import session
from api.db.bulk import insert_many
from api.db.facilities import lock_facility
from api.db.session import open_engine, reading, transaction, write
from api.db.tables.facilities import operators
from api.db.tables.ledger import MeterEventRow, meter_events
from api.domain.units import ZERO32, FacilityId, OperatorId
from api.errors import DatabaseUnavailable
from api.ledger import write as ledger_write
from api.ledger.leases import SOURCE
from tests.factories import HOUR_S, Ledger
from tests.integration.service import Service, change_service, problem
from tests.postgres import postgres_only


def _at_once(*works: Callable[[], object]) -> list[BaseException]:
    """Run each in a thread of its own; what they raised."""
    raised: list[BaseException] = []

    def run(work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def _row(ledger: Ledger, name: str, key: int) -> MeterEventRow:
    return MeterEventRow(
        event_pk=key,
        facility_id=FacilityId(ledger.facility_id),
        entry=key,
        place=0,
        source="s",
        event_id=name,
        type="t",
        payload_hash=ZERO32,
        recorded_at_s=0,
    )


@postgres_only
def test_write__deadlock_by_rows__is_done_again_and_both_succeed(
    engine: Engine, ledger: Ledger
) -> None:
    second = FacilityId(ledger.add_facility(range(4, 8)))
    first = FacilityId(ledger.facility_id)
    both_hold_one, tries = threading.Barrier(2, timeout=30), []

    def locking(one: FacilityId, other: FacilityId) -> Callable[[], None]:
        def work(connection: Connection) -> None:
            lock_facility(connection, one)
            tries.append(one)
            if len(tries) <= 2:
                both_hold_one.wait()
            lock_facility(connection, other)

        return lambda: write(engine, work)

    raised = _at_once(locking(first, second), locking(second, first))

    assert raised == []
    assert len(tries) > 2


@postgres_only
def test_write__deadlock_inside_copy__is_done_again_and_both_succeed(
    engine: Engine, ledger: Ledger
) -> None:
    """COPY raises the driver's own error, which SQLAlchemy does not wrap."""
    both_hold_one, tries = threading.Barrier(2, timeout=30), []

    def copying(one: str, other: str, key: int) -> Callable[[], None]:
        def work(connection: Connection) -> None:
            tries.append(one)
            insert_many(connection, [_row(ledger, one, key)])
            if len(tries) <= 2:
                both_hold_one.wait()
            insert_many(connection, [_row(ledger, other, key + 1)])

        return lambda: write(engine, work, clashes=(IntegrityError,))

    # What is done again finds the other's rows there: the clash that ingest answers `duplicate`.
    raised = _at_once(copying("x", "y", 101), copying("y", "x", 103))

    assert [type(error) for error in raised] == [DatabaseUnavailable]
    assert len(tries) > 2


@postgres_only
def test_write__clashes_for_ever__gives_up_and_says_so(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_FIRST_PAUSE_S", 0)
    tries = []

    def work(_connection: Connection) -> None:
        tries.append(1)
        raise psycopg.errors.SerializationFailure

    with pytest.raises(DatabaseUnavailable) as raised:
        write(engine, work)

    assert len(tries) == session.WRITE_ATTEMPTS
    assert raised.value.context["reason"] == "clashed"


@postgres_only
def test_ingest__same_ids_in_opposite_order__never_wait_for_each_other(
    engine: Engine, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ATTACKS 37: two nodes name one source, each for a facility of its own: both count."""
    ours = [ledger.usage(i, 0, HOUR_S, name=name) for i, name in enumerate("ab")]
    ledger.facility_id = ledger.add_facility(range(4, 8))
    ledger.add_lease("lease-a")
    theirs = [ledger.usage(4 + i, 0, HOUR_S, name=name) for i, name in enumerate("ba")]
    both_hold_one = threading.Barrier(2)

    def one_by_one(connection: Connection, records: Sequence[object]) -> None:
        insert_many(connection, records[:1])
        if records and isinstance(records[0], MeterEventRow):
            # Whoever waits for the other's row never comes here.
            with suppress(threading.BrokenBarrierError):
                both_hold_one.wait(1)
        insert_many(connection, records[1:])

    monkeypatch.setattr(ledger_write, "insert_many", one_by_one)

    raised = _at_once(lambda: ledger.ingest(*ours), lambda: ledger.ingest(*theirs))

    with reading(engine) as connection:
        connection.execute(text("SELECT pg_stat_force_next_flush()"))
        query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        deadlocks = connection.execute(text(query)).scalar_one()
        pushed = select(meter_events.c.event_id).where(meter_events.c.source != SOURCE)
        recorded = connection.execute(pushed).scalars().all()
    assert (raised, deadlocks) == ([], 0)
    assert sorted(recorded) == ["a", "a", "b", "b"]


_FAILURES = [
    (psycopg.errors.DiskFull, "full"),
    (psycopg.errors.AdminShutdown, "unreachable"),
    (psycopg.errors.CannotConnectNow, "unreachable"),
    (psycopg.errors.TooManyConnections, "busy"),
    (psycopg.errors.QueryCanceled, "busy"),
    (psycopg.errors.LockNotAvailable, "busy"),
    (psycopg.errors.IoError, "unreachable"),
    (psycopg.errors.ReadOnlySqlTransaction, "read_only"),
    (psycopg.errors.IdleInTransactionSessionTimeout, "unreachable"),
    (psycopg.OperationalError, "unreachable"),
    (psycopg.InterfaceError, "unreachable"),
    (psycopg.errors.DeadlockDetected, "clashed"),
    (psycopg.errors.SerializationFailure, "clashed"),
]


@postgres_only
@pytest.mark.parametrize(("error", "reason"), _FAILURES)
def test_events__database_fails_inside_copy__is_503_and_records_nothing(
    service: Service, monkeypatch: pytest.MonkeyPatch, error: type[Exception], reason: str
) -> None:
    def failing(connection: Connection, records: Any) -> None:
        insert_many(connection, records)
        if records and isinstance(records[0], MeterEventRow):
            raise error

    monkeypatch.setattr(session, "_FIRST_PAUSE_S", 0)
    monkeypatch.setattr(ledger_write, "insert_many", failing)

    answer = service.post([service.ledger.usage(0, 0, HOUR_S)])

    assert problem(answer, 503, "database_unavailable")["reason"] == reason
    assert int(answer.headers["retry-after"]) > 0
    assert service.pushed() == 0


@postgres_only
def test_events__connection_lost_before_copy__is_503_and_the_next_is_recorded(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cutting(connection: Connection, records: Any) -> None:
        if records:
            pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
            with transaction(service.ledger.engine) as other:
                other.execute(text("SELECT pg_terminate_backend(:p, 5000)"), {"p": pid})
        insert_many(connection, records)

    event = service.ledger.usage(0, 0, HOUR_S)
    with monkeypatch.context() as patched:
        patched.setattr(ledger_write, "insert_many", cutting)
        answer = service.post([event])

    assert problem(answer, 503, "database_unavailable")["reason"] == "unreachable"
    assert service.pushed() == 0
    assert service.post([event]).json()["accepted"] == 1


def test_events__sqlite_locked_beyond_the_timeout__is_503(
    service: Service, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "SQLITE_BUSY_TIMEOUT_MS", 20)
    impatient = open_engine(database_url)
    change_service(service.app, engine=impatient)
    event = service.ledger.usage(0, 0, HOUR_S)

    with transaction(service.ledger.engine):
        answer = service.post([event])

    assert problem(answer, 503, "database_unavailable")["reason"] == "busy"
    assert answer.headers["retry-after"]
    assert service.post([event]).json()["accepted"] == 1
    impatient.dispose()


def test_events__sqlite_without_room__is_503_and_half_of_nothing(
    service: Service, database_url: str
) -> None:
    """A full disk ends SQLite's transaction by itself: nothing is left to roll back."""
    full = open_engine(database_url)

    @event.listens_for(full, "connect")
    def limit(connection: Any, _record: Any) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages}")

    good = service.ledger.engine
    change_service(service.app, engine=full)
    batch = [service.ledger.usage(i % 4, i // 4 * 60, i // 4 * 60 + 60) for i in range(900)]
    answer = service.post(batch)
    full.dispose()

    assert problem(answer, 503, "database_unavailable")["reason"] == "full"
    assert service.pushed() == service.uses() == 0
    change_service(service.app, engine=good)
    assert service.post(batch).json()["accepted"] == 900


def test_events__mistake_of_ours_in_sql__is_500_and_not_called_a_failure_of_the_database(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(connection: Connection, _records: Any) -> None:
        connection.execute(text("SELECT * FROM nothing_of_ours"))

    monkeypatch.setattr(ledger_write, "insert_many", wrong)

    answer = service.post([service.ledger.usage(0, 0, HOUR_S)])

    problem(answer, 500, "internal")
    with reading(service.ledger.engine) as connection:
        assert connection.execute(select(operators.c.operator_id)).scalar() == OperatorId(1)
