"""Parts of the process: what fails is said once and tried again; what breaks ends all of it."""

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from api.agent.clock import AgentClock
from api.agent.failures import AgentBroken, SourceFailed, SpoolFailed
from api.agent.running import _purge, _watched, work_once
from api.agent.settings import AgentSettings, read_settings
from api.agent.spool import Spool
from api.agent.wiring import Worker
from tests.factories import DAY_S, Clock
from tests.unit.agent.desk import open_spool


def test_source__that_fails_and_recovers__is_said_once_each(tmp_path: Path) -> None:
    spool, clock = open_spool(tmp_path), AgentClock(Clock(100))
    failures: list[Exception | None] = [SourceFailed("away"), SourceFailed("away"), None, None]
    said: list[dict[str, Any]] = []

    def step() -> None:
        failure = failures.pop(0)
        if failure is not None:
            raise failure

    worker = Worker("slurm", step, 60)
    for _ in range(2):
        work_once(worker, spool, clock, lambda *_, **fields: said.append(fields))
    assert (worker.failure, worker.failing_since_s) == ("away", 100)
    for _ in range(2):
        work_once(worker, spool, clock, lambda *_, **fields: said.append(fields))

    assert said == [{"error": "away"}, {"recovered": True}]
    assert (worker.failure, worker.last_ok_s) == (None, 100)


def test_spool__that_is_full__gives_up_what_was_sent(tmp_path: Path) -> None:
    spool, clock = open_spool(tmp_path), AgentClock(Clock(100))
    with spool.write() as db:
        db.execute("INSERT INTO sent VALUES ('1', 'a', 0, x'', x'00', x'00', 50)")

    def step() -> None:
        raise SpoolFailed("disk is full")

    work_once(Worker("csv", step, 60), spool, clock, lambda *_, **__: None)

    with spool.read() as db:
        assert db.execute("SELECT count(*) FROM sent").fetchone() == (0,)


def _sent(spool: Spool, *, taken_s: int, receipt: bytes, body: bytes = b"") -> None:
    with spool.write() as db:
        place = db.execute("SELECT count(*) FROM sent").fetchone()[0]
        row = (place, receipt, body, taken_s)
        db.execute("INSERT INTO sent VALUES ('1', 'a', ?, ?, x'00', ?, ?)", row)


def _kept(spool: Spool) -> list[tuple[int, bool, bool]]:
    """Of what was sent: when, and whether receipt and body are there."""
    with spool.read() as db:
        rows = db.execute("SELECT taken_s, receipt != x'', body != x'' FROM sent ORDER BY place")
        return [(taken_s, bool(receipt), bool(body)) for taken_s, receipt, body in rows]


def _settings(folder: Path) -> AgentSettings:
    file = folder / "agent.toml"
    days = "retention_days = 10\nreceipts_days = 100"
    file.write_text(f'[agent]\n{days}\n[service]\nurl = "http://x"\nfacility = 1\n')
    return read_settings(file)


def test_room__there_is__bodies_go_first_and_receipts_after_their_time(tmp_path: Path) -> None:
    spool, now_s = open_spool(tmp_path), 1_000 * DAY_S
    for ago in (101, 99, 11, 9):
        _sent(spool, taken_s=now_s - ago * DAY_S, receipt=b"r", body=b"b")
        _sent(spool, taken_s=now_s - ago * DAY_S, receipt=b"", body=b"b")

    _purge(_settings(tmp_path), spool, now_s=now_s, log=lambda *_, **__: None)

    days = [(1_000 - taken_s // DAY_S, receipt, body) for taken_s, receipt, body in _kept(spool)]
    assert days == [(99, True, False), (11, True, False), (9, True, True), (9, False, True)]


@pytest.mark.parametrize(("large", "ago", "left"), [("body", 9, [9, 1]), ("receipt", 11, [1])])
def test_room__there_is_none__bodies_go_early_and_old_receipts_last(
    tmp_path: Path, large: str, ago: int, left: list[int]
) -> None:
    spool, now_s = open_spool(tmp_path, most_mib=1), 1_000 * DAY_S
    said: list[dict[str, Any]] = []
    for days in (ago, 1):
        size = {"receipt": b"r", "body": b"b", large: b"x" * 450_000}
        _sent(spool, taken_s=now_s - days * DAY_S, **size)

    _purge(_settings(tmp_path), spool, now_s=now_s, log=lambda *_, **more: said.append(more))

    assert [1_000 - taken_s // DAY_S for taken_s, _, body in _kept(spool) if not body] == left
    assert len(said) == (large == "receipt")


def test_part__that_breaks_once_it_is_over__is_logged_and_no_failure() -> None:
    """Who is slow to end has its connections closed under it."""
    stop = threading.Event()
    said: list[tuple[Any, ...]] = []

    def slow() -> None:
        stop.wait(10)
        raise AttributeError("closed meanwhile")

    with _watched(stop, lambda *a, **k: said.append((*a, k))):
        thread = threading.Thread(target=slow, name="kubernetes")
        thread.start()
        stop.set()
        thread.join()

    assert said == [("kubernetes", {"broken": "AttributeError: closed meanwhile"})]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_part__that_breaks__ends_the_agent_loudly(capsys: pytest.CaptureFixture[str]) -> None:
    stop = threading.Event()
    said: list[tuple[Any, ...]] = []

    def broken() -> None:
        raise sqlite3.ProgrammingError("our own mistake")

    def run() -> None:
        with _watched(stop, lambda *a, **k: said.append((*a, k))):
            thread = threading.Thread(target=broken, name="sender")
            thread.start()
            assert stop.wait(10)
            thread.join()

    with pytest.raises(AgentBroken, match="sender broke"):
        run()

    assert said[0][0] == "sender"
    assert "our own mistake" in said[0][1]["broken"]
    assert "Traceback" in capsys.readouterr().err
