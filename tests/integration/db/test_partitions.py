"""PostgreSQL's tables by month: where rows go, which months a look-up reads, what can go wrong."""

import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, insert, select, text
from sqlalchemy.exc import IntegrityError

from api.db import partitions
from api.db.facilities import grow_log, known_facility_row
from api.db.facts import told_between
from api.db.log import entries_between, payloads_at
from api.db.partitions import MONTHLY, Partitions, partition_names
from api.db.session import reading, transaction
from api.db.statements import line_kinds, lines_of
from api.db.tables.ledger import facts, meter_events
from api.db.tables.statements import statement_lines
from api.domain.log.entry import LogEnd
from api.domain.metering.facts import Place
from api.domain.statements.evidence_reader import terms_from_bytes
from api.epochs.books import KeptBooks
from api.epochs.close import close_due
from api.errors import RecordsDamaged
from api.reads.proofs import prove_line
from tests.factories import DAY_S, GRACE_S, HOUR_S, START_S, Ledger
from tests.postgres import postgres_only

_EPOCH_S = 10 * DAY_S
# First seconds of January to April 2026.
_MONTHS = tuple(START_S + days * DAY_S for days in (0, 31, 59, 90))
_MONTH = re.compile(r" on (?:facts|log_entries|statement_lines)_(\d{4}_\d\d|default)\b")


class _Facility(Ledger):
    """A facility that delivers from January to April, and uses of each month."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        ends = {"window_end_s": START_S + 10 * _EPOCH_S, "epoch_length_s": _EPOCH_S}
        super().__init__(engine, folder, **ends)
        self.books = KeptBooks()

    def use(self, month: int, hour: int = 0) -> dict[str, Any]:
        """Tell an hour of a month, five days from its beginning, when it is over."""
        since_s = _MONTHS[month] - START_S + 5 * DAY_S + hour * HOUR_S
        used = self.usage(0, since_s, since_s + HOUR_S)
        self.clock.now_s = START_S + since_s + 2 * HOUR_S
        assert self.codes(used) == ["accepted"]
        return used

    def close(self, epochs: int) -> int:
        """Close so many epochs in all; returns how many were closed now."""
        now_s = START_S + epochs * _EPOCH_S + GRACE_S
        self.clock.now_s = max(self.clock.now_s, now_s)
        return len(close_due(self.engine, self.evidence, now_s, books=self.books))


@pytest.fixture
def facility(engine: Engine, tmp_path: Path) -> _Facility:
    """A facility whose months were made before it."""
    Partitions(engine).make_ahead(START_S)
    return _Facility(engine, tmp_path)


def _rows(engine: Engine, table: str) -> dict[str, int]:
    """Rows by partition."""
    query = text(f"SELECT tableoid::regclass::text, count(*) FROM {table} GROUP BY 1")  # noqa: S608
    with engine.connect() as connection:
        return dict(connection.execute(query).all())


def _sent(engine: Engine, work: Callable[[], object]) -> list[tuple[str, Any]]:
    """SQL of tables by month that some work sends, with its values."""
    sent: list[tuple[str, Any]] = []
    names = tuple(f" {monthly.name}" for monthly in MONTHLY)

    def note(_c: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if statement.startswith(("SELECT", "UPDATE")) and any(n in statement for n in names):
            sent.append((statement, values))

    event.listen(engine, "before_cursor_execute", note)
    work()
    event.remove(engine, "before_cursor_execute", note)
    return sent


def _months(engine: Engine, sent: list[tuple[str, Any]], *, of: str = "") -> set[str]:
    """Months that queries read, by PostgreSQL's own plans. of: what is in those that count.

    A plan that chooses as it runs names partitions that it never executes: those do not count.
    """
    chosen = [each for each in sent if of in each[0]]
    assert chosen
    found: set[str] = set()
    for statement, values in chosen:
        with engine.connect() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN (ANALYZE) {statement}", values).scalars()
            found |= {m for line in plan if "never" not in line for m in _MONTH.findall(line)}
            connection.rollback()
    return found


def test_make_ahead__on_sqlite__does_nothing(engine: Engine) -> None:
    Partitions(engine).make_ahead(START_S)

    with engine.connect() as connection:
        assert partition_names(connection) == set()


@postgres_only
def test_make_ahead__months_around_now__are_there_before_rows(engine: Engine) -> None:
    made = Partitions(engine)

    made.make_ahead(_MONTHS[1])

    months = ("2026_01", "2026_02", "2026_03", "2026_04", "2026_05", "default")
    with engine.connect() as connection:
        names = partition_names(connection)
    assert names == {f"{monthly.name}_{month}" for monthly in MONTHLY for month in months}
    assert [MONTHLY[1].partition(2026 * 12 + m) for m in (0, 11)] == [
        "facts_2026_01",
        "facts_2026_12",
    ]


@postgres_only
def test_make_ahead__twice_in_a_month__asks_nothing(engine: Engine) -> None:
    made = Partitions(engine)
    made.make_ahead(START_S)
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *a: asked.append(a[2]))

    made.make_ahead(START_S + 30 * DAY_S)
    assert asked == []
    Partitions(engine).make_ahead(START_S)

    assert not [each for each in asked if "CREATE" in each or "LOCK" in each]


@postgres_only
def test_make_ahead__another_process_made_some__makes_the_others(engine: Engine) -> None:
    with transaction(engine) as connection:
        list(partitions._make(connection, range(2026 * 12, 2026 * 12 + 2)))

    Partitions(engine).make_ahead(START_S)

    with engine.connect() as connection:
        assert len(partition_names(connection)) == len(MONTHLY) * (5 + 1)


@postgres_only
def test_make_ahead__clock_jumps_by_years__makes_what_is_near(engine: Engine) -> None:
    made = Partitions(engine)
    for years in (0, 12, 5):
        made.make_ahead(START_S + years * 366 * DAY_S)

    with engine.connect() as connection:
        assert len(partition_names(connection)) == len(MONTHLY) * (3 * 5 + 1)


@postgres_only
def test_make_ahead__month_began_in_the_default__stays_there_and_is_said_once(
    engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    facility = _Facility(engine, tmp_path)
    facility.use(0)

    made = Partitions(engine)
    made.make_ahead(START_S)
    made.make_ahead(_MONTHS[1])
    facility.use(0, hour=2)
    facility.use(1)

    assert [r.levelno for r in caplog.records] == [logging.WARNING] * 2
    assert "facts_default has rows of that month" in caplog.text
    assert set(_rows(engine, "facts")) == {"facts_default", "facts_2026_02"}
    assert _rows(engine, "log_entries")["log_entries_2026_02"] == 1


@postgres_only
def test_make_ahead__table_of_that_name_stands_apart__is_left_alone(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    made = Partitions(engine)
    made.make_ahead(START_S)
    with transaction(engine) as connection:
        connection.execute(text("ALTER TABLE facts DETACH PARTITION facts_2026_02"))

    Partitions(engine).make_ahead(START_S)

    assert "no partition facts_2026_02: a table of that name stands apart" in caplog.text


@postgres_only
def test_make_ahead__default_is_read_for_long__waits_for_another_time(
    engine: Engine, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "_WAIT_MS", 50)
    made = Partitions(engine)
    with reading(engine) as connection:
        connection.execute(select(facts.c.entry)).all()

        made.make_ahead(START_S)

    assert "partitions of the months ahead wait" in caplog.text
    made.make_ahead(START_S)
    with engine.connect() as connection:
        assert "facts_2026_01" in partition_names(connection)


@postgres_only
def test_rows__of_four_months__are_in_their_months_and_unique(facility: _Facility) -> None:
    uses = [facility.use(month) for month in range(4)]
    assert facility.codes(facility.void(uses[3])) == ["accepted"]
    facility.close(9)

    engine = facility.engine
    whole = {
        "log_entries": ("number",),
        "facts": ("entry", "place", "part"),
        "statement_lines": ("epoch", "line_index"),
    }
    months = {name: {"2026_01", "2026_02", "2026_03", "2026_04"} for name in whole}
    # The epochs of what was used in January and February begin in January.
    months["statement_lines"] = {"2026_01", "2026_03"}
    for name, key in whole.items():
        assert set(_rows(engine, name)) == {f"{name}_{month}" for month in months[name]}
        with engine.connect() as connection:
            rows = connection.execute(text(f"SELECT * FROM {name}")).mappings().all()  # noqa: S608
        assert len({tuple(row[column] for column in key) for row in rows}) == len(rows) > 0


@postgres_only
def test_entry__second_time_in_another_month__is_refused(facility: _Facility) -> None:
    """No key of a month sees it: the log's size does, and the key of all events."""
    facility.use(0)
    with reading(facility.engine) as connection:
        row = known_facility_row(connection, facility.facility_id)
        told = connection.execute(select(meter_events).order_by(meter_events.c.event_pk)).first()
    assert told is not None
    again = {**told._mapping, "event_pk": 99, "event_id": "new", "recorded_at_s": _MONTHS[1]}

    values = {"recorded_at_s": _MONTHS[1], "longest_s": 0, "log": LogEnd(row.log_size, bytes(32))}
    with pytest.raises(AssertionError), transaction(facility.engine) as connection:
        grow_log(connection, row.facility_id, **values)
    with pytest.raises(IntegrityError), transaction(facility.engine) as connection:
        connection.execute(insert(meter_events).values(**again))


@pytest.mark.both_databases
def test_line__of_another_month_than_its_statement__is_refused(ledger: Ledger) -> None:
    ledger.ingest(ledger.usage(0, 0, HOUR_S))
    close_due(ledger.engine, ledger.evidence, START_S + DAY_S + GRACE_S)
    with reading(ledger.engine) as connection:
        row = connection.execute(select(statement_lines)).mappings().one()
    again = {**row, "line_index": 1, "epoch_start_s": _MONTHS[1]}

    with pytest.raises(IntegrityError), transaction(ledger.engine) as connection:
        connection.execute(insert(statement_lines).values(**again))


@postgres_only
def test_batch__of_today__looks_at_this_month_alone(facility: _Facility) -> None:
    for month in range(4):
        facility.use(month)
    facility.close(9)

    sent = _sent(facility.engine, lambda: facility.use(3, hour=3))

    assert _months(facility.engine, sent, of="facts.until_s") == {"2026_04"}
    # Terms of its leases were told whenever: all months are asked, once a process.
    assert "2026_01" in _months(facility.engine, sent, of="facts.document")


@postgres_only
def test_batch__of_the_first_hours_of_a_month__looks_an_hour_and_minutes_back(
    facility: _Facility,
) -> None:
    """No fact is longer than an hour, and none ends more than five minutes ahead."""
    for month in range(2):
        facility.use(month)
    facility.clock.now_s = _MONTHS[2] + HOUR_S
    first = [facility.usage(gpu, 59 * DAY_S, 59 * DAY_S + HOUR_S) for gpu in range(2)]

    before = _sent(facility.engine, lambda: facility.codes(first[0]))
    behind = _sent(facility.engine, lambda: facility.codes(first[1]))

    # The log had not come so far: nothing can have been told yet.
    assert _months(facility.engine, before, of="facts.until_s") == set()
    assert _months(facility.engine, behind, of="facts.until_s") == {"2026_02", "2026_03"}


@postgres_only
def test_void__of_an_old_fact__touches_its_month_and_those_behind(facility: _Facility) -> None:
    used = facility.use(2)
    facility.use(3)

    sent = _sent(facility.engine, lambda: facility.codes(facility.void(used)))

    engine = facility.engine
    assert _months(engine, sent, of="UPDATE facts") == {"2026_03"}
    assert _months(engine, sent, of="meter_events LEFT OUTER JOIN facts") == {"2026_03"}
    # What holds its device then can be told late.
    assert _months(engine, sent, of="facts.until_s >=") == {"2026_03", "2026_04"}


@postgres_only
def test_close__of_an_epoch__reads_the_months_of_its_entries(facility: _Facility) -> None:
    for month in range(3):
        facility.use(month)
    facility.close(8)
    facility.use(3)

    sent = _sent(facility.engine, lambda: facility.close(9))

    assert len([each for each in sent if each[0].startswith("SELECT log_entries.number")]) > 0
    # The ninth epoch is from 22 to 31 March, and its cut-off on 1 April.
    assert _months(facility.engine, sent) == {"2026_03", "2026_04"}


@postgres_only
def test_lines__of_a_statement__are_read_from_its_month(facility: _Facility) -> None:
    for month in range(4):
        facility.use(month)
    facility.close(9)

    def read() -> None:
        with facility.engine.connect() as connection:
            assert len(lines_of(connection, facility.facility_id, 0)) == 1
            line_kinds(connection, facility.facility_id, 0)
        prove_line(facility.engine, facility.facility_id, epoch=0, index=0)

    assert _months(facility.engine, _sent(facility.engine, read)) == {"2026_01"}


@postgres_only
def test_detached_month__by_the_words_of_the_ledger_page__lines_and_proofs_go_on(
    facility: _Facility,
) -> None:
    for month in range(2):
        facility.use(month)
    facility.close(5)
    engine, facility_id = facility.engine, facility.facility_id
    [ask, *detach], attach = _commands()
    with reading(engine) as connection:
        lines = lines_of(connection, facility_id, 0)
        row = known_facility_row(connection, facility_id)
    span = {"after": 0, "up_to": 99, "recorded": (0, _MONTHS[3])}

    def log() -> tuple[int, int]:
        with reading(engine) as connection:
            told = list(told_between(connection, facility_id, **span))
            name = terms_from_bytes(row.terms_json).log
            return len(told), len(entries_between(connection, name, **span))

    with transaction(engine) as connection:
        whole = log()
        # It is open: who reads the page keeps its month.
        assert connection.execute(text(ask)).scalars().all() == [facility_id]
        for command in detach:
            connection.execute(text(command))

    assert log() < whole
    assert prove_line(engine, facility_id, epoch=0, index=0).line == lines[0]
    with reading(engine) as connection, pytest.raises(RecordsDamaged, match="detached"):
        payloads_at(connection, facility_id, {Place(1, 0): START_S + DAY_S})

    with transaction(engine) as connection:
        for command in attach:
            connection.execute(text(command))
    assert log() == whole


def _commands() -> list[list[str]]:
    """SQL of docs/LEDGER.md, block by block."""
    page = (Path(__file__).resolve().parents[3] / "docs" / "LEDGER.md").read_text()
    blocks = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    return [[part.strip() for part in block.split(";") if part.strip()] for block in blocks]


@postgres_only
def test_payloads__of_one_month__are_read_from_it(facility: _Facility) -> None:
    for month in range(3):
        facility.use(month)
    with facility.engine.connect() as connection:
        row = connection.execute(select(meter_events).order_by(meter_events.c.entry.desc())).first()
    assert row is not None
    place = Place(row.entry, row.place)

    def read() -> None:
        with facility.engine.connect() as connection:
            times = {place: row.recorded_at_s}
            assert place in payloads_at(connection, facility.facility_id, times)

    assert _months(facility.engine, _sent(facility.engine, read)) == {"2026_03"}
