"""Parts of the process: what fails is said once and tried again; what breaks ends all of it."""

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from api.agent.clock import AgentClock
from api.agent.failures import AgentBroken, SourceFailed, SpoolFailed
from api.agent.running import _watched, work_once
from api.agent.wiring import Worker
from tests.factories import Clock
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
