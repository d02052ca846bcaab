"""Told to stop in the middle of its work, a process ends in time, and the next one finishes it."""

import os
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select, text

from api.db import statements as store
from api.db.session import Engine, is_sqlite, opened, reading, transaction
from api.db.statements import statement_row, to_statement
from api.db.tables.work import work
from api.domain.statements.evidence import (
    LINES_FILE,
    MANIFEST_FILE,
    TERMS_FILE,
    epoch_folder,
    facility_folder,
)
from api.domain.statements.lines import Line
from api.domain.statements.statement import Statement
from api.domain.units import Epoch, FacilityId
from api.epochs.close import close_due
from api.epochs.times import Times
from api.epochs.worker import Worker
from api.evidence_store import EvidenceFolder, is_partial
from tests.chain_proxy import ChainProxy
from tests.factories import DAY_S
from tests.worker_process import CUT_OFF, INDEX, STOPS_WITHIN_S, WORKER, running
from tests.world import World

pytestmark = pytest.mark.chain

# With some seconds between them: what follows at once is one line.
INTERVALS, APART_S, USED_S = 5_000, 17, 10
GPUS, BATCH = 4, 1_000
# An idle worker asks ten times as often.
QUIET_S = 1.0


@pytest.fixture
def proxy(world: World) -> Iterator[ChainProxy]:
    with ChainProxy(world.chain.rpc_url) as proxy:
        yield proxy


@dataclass(frozen=True, slots=True)
class Kept:
    """What stands of a facility's first epoch. files: of all its evidence, by path."""

    statement: Statement | None
    lines: Sequence[Line]
    files: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Copy:
    """A world's database and evidence as they were, apart from it: an epoch is closed once."""

    engine: Engine
    evidence: EvidenceFolder
    facility_id: FacilityId

    @property
    def folder(self) -> Path:
        """Where the first epoch's evidence is."""
        return self.evidence.root / epoch_folder(self.facility_id, Epoch(0))

    def kept(self) -> Kept:
        """What stands of the first epoch. What a writer left half written is nobody's evidence."""
        with reading(self.engine) as connection:
            row = statement_row(connection, self.facility_id, Epoch(0))
            lines = store.lines_of(connection, self.facility_id, Epoch(0))
        root = self.evidence.root / facility_folder(self.facility_id)
        files = {
            str(path.relative_to(root)): path.read_bytes()
            for path in root.rglob("*")
            if path.is_file() and not is_partial(path.name)
        }
        return Kept(None if row is None else to_statement(row), lines, files)

    def close(self, now_s: int) -> Kept:
        """Close what is due, in this process."""
        close_due(self.engine, self.evidence, now_s)
        return self.kept()

    def is_claimed(self) -> bool:
        """Whether a worker has begun to close."""
        claimed = select(work.c.step).where(work.c.step == "close", work.c.claimed_by.is_not(None))
        with reading(self.engine) as connection:
            return connection.execute(claimed).first() is not None

    def writes(self) -> bool:
        """Whether the first file is being written."""
        return self.folder.is_dir() and any(self.folder.iterdir())

    def published(self) -> bool:
        """Whether the last file is there: what follows is the statement."""
        return (self.folder / MANIFEST_FILE).exists()


@contextmanager
def _copied(world: World, folder: Path) -> Iterator[Copy]:
    file = folder / "rentroll.db"
    folder.mkdir()
    with (
        closing(sqlite3.connect(str(world.engine.url.database))) as now,
        closing(sqlite3.connect(file)) as copy,
    ):
        now.backup(copy)
    shutil.copytree(world.evidence.root, folder / "evidence")
    with opened(f"sqlite:///{file}") as engine:
        home = EvidenceFolder(folder / "evidence")
        yield Copy(engine, home, FacilityId(world.facility_id))


def _meter(world: World) -> None:
    """An epoch of so many lines that closing it takes seconds; it is due."""
    world.at(DAY_S)
    events = [
        world.ledger.usage(gpu, start_s, start_s + USED_S)
        for gpu in range(GPUS)
        for start_s in range(0, INTERVALS * APART_S, APART_S)
    ]
    for begin in range(0, len(events), BATCH):
        assert set(world.ledger.codes(*events[begin : begin + BATCH])) == {"accepted"}
    world.at_cut_off(0)
    world.indexer().advance()


MOMENTS: tuple[Callable[[Copy], bool], ...] = (Copy.is_claimed, Copy.writes, Copy.published)


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [WORKER, CUT_OFF], ids=["in-time", "cut-off"])
def test_worker__told_to_stop_while_it_closes__next_closes_to_the_same_bytes(
    world: World, proxy: ChainProxy, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    _meter(world)
    with _copied(world, tmp_path / "never-stopped") as copy:
        before, whole = copy.kept(), copy.close(world.clock())
    assert len(whole.lines) == GPUS * INTERVALS

    for moment in MOMENTS:
        with _copied(world, tmp_path / moment.__name__) as copy:
            url = str(copy.engine.url)
            place = {"RENTROLL_EVIDENCE_DIR": str(copy.evidence.root)}
            with running(world, proxy.url, tmp_path, url, arguments=arguments, **place) as worker:
                worker.until(partial(moment, copy), pause_s=0.005)
                worker.process.send_signal(signal.SIGTERM)
                assert worker.process.wait(STOPS_WITHIN_S) == 0
            left = copy.kept()

            # All of the statement stands, or nothing; of its files each is whole.
            assert (left.statement, left.lines) in (
                (before.statement, before.lines),
                (whole.statement, whole.lines),
            )
            assert left.files.items() <= whole.files.items()
            if arguments == CUT_OFF and moment is not Copy.published:
                assert left.statement is None
            assert _next(world, copy) == whole


def _next(world: World, copy: Copy) -> Kept:
    """What the next worker makes of it."""
    times = Times(world.client, wall=None)
    worker = Worker(copy.engine, world.contracts, copy.evidence, None, times)
    assert worker.run_once().not_done == ()
    return copy.kept()


@pytest.mark.slow
def test_worker__close_is_stuck_for_good__is_ended_in_time_and_the_next_closes(
    world: World, proxy: ChainProxy, tmp_path: Path
) -> None:
    """A pipe that nobody writes to stands for a disk that never answers."""
    world.ledger.ingest(world.ledger.usage(0, 0, DAY_S // 2))
    world.at_cut_off(0)
    with _copied(world, tmp_path / "never-stopped") as copy:
        whole = copy.close(world.clock())
    folder = world.evidence.root / epoch_folder(FacilityId(world.facility_id), Epoch(0))
    folder.mkdir(parents=True)
    os.mkfifo(folder / LINES_FILE)
    here = Copy(world.engine, world.evidence, FacilityId(world.facility_id))
    with running(world, proxy.url, tmp_path) as worker:
        # What is written just before.
        worker.until((folder / TERMS_FILE).exists)
        worker.process.send_signal(signal.SIGTERM)

        assert worker.process.wait(STOPS_WITHIN_S) == 0
        worker.close()
        assert "stopped in the middle of a step" in worker.lines[-1]
    assert here.kept().statement is None
    (folder / LINES_FILE).unlink()
    assert _next(world, here) == whole


@pytest.mark.slow
@pytest.mark.both_databases
@pytest.mark.parametrize("arguments", [WORKER, INDEX], ids=["worker", "index"])
def test_process__another_keeps_the_database_for_itself__ends_in_time(
    world: World, proxy: ChainProxy, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """SQLite's driver waits half a minute, and no signal wakes it."""
    with running(world, proxy.url, tmp_path, arguments=arguments) as process:
        process.until(lambda: bool(world.events("FacilityOffered")))
        with transaction(world.engine) as connection:
            if not is_sqlite(connection):
                connection.execute(text("LOCK TABLE chain_blocks, work"))
            world.chain.rpc("evm_mine")
            process.until(_quiet(proxy))
            process.process.send_signal(signal.SIGTERM)

            assert process.process.wait(STOPS_WITHIN_S) == 0


@pytest.mark.slow
def test_worker__nobody_reads_its_log__ends_in_time(
    world: World, proxy: ChainProxy, tmp_path: Path
) -> None:
    """What would tell that it was cut off hangs as the worker does."""
    with running(world, proxy.url, tmp_path, reads=False) as worker:
        worker.until(lambda: bool(world.events("FacilityOffered")))
        worker.fill_log()
        # It tells what it closed.
        world.at_cut_off(0)
        worker.until(_quiet(proxy))
        worker.process.send_signal(signal.SIGTERM)

        assert worker.process.wait(STOPS_WITHIN_S) == 0


def _quiet(proxy: ChainProxy) -> Callable[[], bool]:
    """Whether nothing was asked for a second: the process waits for something else."""
    seen, since = -1, 0.0

    def quiet() -> bool:
        nonlocal seen, since
        asked = len(proxy.asked)
        if asked != seen:
            seen, since = asked, time.monotonic()
        return time.monotonic() > since + QUIET_S

    return quiet
