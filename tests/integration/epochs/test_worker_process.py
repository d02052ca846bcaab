"""`rentroll worker` as a process: a signal ends it in every state, and nothing else does."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest
from sqlalchemy import select

from api.db.session import reading
from api.db.statements import statement_row
from api.db.tables.work import work
from scripts.dev.devchain import ROOT
from scripts.dev.stack import RELAYER
from tests import chain_faults
from tests.chain_proxy import Ask, ChainProxy, Forward, Reply
from tests.cut_socket import CutSocket
from tests.factories import DAY_S, HOUR_S
from tests.postgres import postgres_only
from tests.world import World, wallet

pytestmark = pytest.mark.chain

# The bound of the public check; a test does not measure it, it fails beyond it.
STOPS_WITHIN_S = 15
# Whatever the machine does besides: a fault that is never noticed ends in this.
PATIENCE_S = 90


class Running:
    """A worker's process, and the lines of its log."""

    def __init__(self, world: World, rpc_url: str, database_url: str, folder: Path) -> None:
        key = folder / "relayer.key"
        key.touch(mode=0o600)
        key.write_text(wallet(RELAYER).key.hex())
        self.lines: list[str] = []
        self._said = threading.Condition()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "api.cli.commands", "worker"],
            cwd=ROOT,
            env={
                **os.environ,
                "DATABASE_URL": database_url,
                "RENTROLL_RPC_URL": rpc_url,
                "RENTROLL_DEPLOYMENT_FILE": str(world.deployed.deployment_file),
                "RENTROLL_EVIDENCE_DIR": str(world.evidence.root),
                "RENTROLL_CLOCK": "chain",
                "RENTROLL_CONFIRMATIONS": "0",
                "RENTROLL_POLL_S": "0.1",
                "RENTROLL_MONITOR_PORT": "0",
                "RENTROLL_RELAYER_KEY_FILE": str(key),
            },
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def close(self) -> None:
        """End the process, if it has not ended."""
        self.process.kill()
        self.process.wait()
        self._reader.join()

    def _read(self) -> None:
        with self.process.stderr as log:  # type: ignore[union-attr]
            self._keep(log)

    def _keep(self, log: IO[str]) -> None:
        for line in log:
            with self._said:
                self.lines.append(line)
                self._said.notify_all()

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds, looked at in short pauses while the process lives."""
        with self._said:
            for _ in range(PATIENCE_S * 10):
                assert self.process.poll() is None, self.lines[-5:]
                if holds():
                    return
                self._said.wait(0.1)
        raise AssertionError(self.lines[-5:])

    def until_said(self, text: str) -> None:
        """Wait for a line of the log."""
        self.until(lambda: any(text in line for line in self.lines))


@contextmanager
def running(world: World, rpc_url: str, folder: Path, database_url: str = "") -> Iterator[Running]:
    """A worker's process, killed at the end."""
    url = database_url or world.engine.url.render_as_string(hide_password=False)
    found = Running(world, rpc_url, url, folder)
    try:
        yield found
    finally:
        found.close()


@pytest.fixture
def proxy(world: World) -> Iterator[ChainProxy]:
    with ChainProxy(world.chain.rpc_url) as proxy:
        yield proxy


def _closed(world: World, epoch: int) -> bool:
    with reading(world.engine) as connection:
        return statement_row(connection, world.facility_id, epoch) is not None


def _failing(world: World) -> set[str]:
    with reading(world.engine) as connection:
        return set(connection.execute(select(work.c.step).where(work.c.attempts > 0)).scalars())


def _slow(ask: Ask, forward: Forward) -> Reply:
    """A node that takes a second for each range of logs, as in a backfill of a year."""
    ask.proxy.released.wait(1)
    return forward(ask)


STATES: dict[str, Callable[[World, ChainProxy], Callable[[], bool]]] = {}


def _state(name: str) -> Callable[[Any], Any]:
    def keep(make: Any) -> Any:
        STATES[name] = make
        return make

    return keep


@_state("idle")
def _idle(world: World, _proxy: ChainProxy) -> Callable[[], bool]:
    return lambda: bool(world.events("FacilityOffered"))


@_state("node stalls")
def _stalls(_world: World, proxy: ChainProxy) -> Callable[[], bool]:
    proxy.on("*", chain_faults.stall, when=lambda ask: ask.method != "eth_chainId")
    return lambda: proxy.faults["stall"] > 0


@_state("long backfill")
def _backfill(world: World, proxy: ChainProxy) -> Callable[[], bool]:
    world.chain.rpc("anvil_mine", hex(3_000))
    proxy.on("eth_getLogs", _slow)
    return lambda: proxy.faults["_slow"] > 1


@_state("transaction is not mined")
def _unmined(world: World, proxy: ChainProxy) -> Callable[[], bool]:
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, HOUR_S))
    world.at_cut_off(0)
    world.round()
    world.attest()
    world.chain.rpc("evm_setAutomine", False)
    return lambda: proxy.count("eth_sendRawTransaction") > 0


@pytest.mark.parametrize(
    "state", ["idle", "node stalls", "long backfill", "transaction is not mined"]
)
def test_worker__told_to_stop__ends_in_time(
    world: World, proxy: ChainProxy, tmp_path: Path, state: str
) -> None:
    reached = STATES[state](world, proxy)
    with running(world, proxy.url, tmp_path) as worker:
        worker.until(reached)
        worker.process.send_signal(signal.SIGTERM)

        assert worker.process.wait(STOPS_WITHIN_S) == 0


@pytest.mark.parametrize(
    ("method", "fault"),
    [
        ("eth_getBlockByNumber", chain_faults.null),
        ("eth_getLogs", chain_faults.null),
        ("*", chain_faults.cut),
        ("eth_getBlockByNumber", chain_faults.result({"a": 1})),
        ("*", chain_faults.bad_gateway),
    ],
)
def test_worker__node_answers_nonsense__goes_on_when_it_no_more_does(
    world: World, proxy: ChainProxy, tmp_path: Path, method: str, fault: Any
) -> None:
    """A null ended the process for good: nobody starts it again."""
    world.at_cut_off(0)
    proxy.on(method, fault)
    with running(world, proxy.url, tmp_path) as worker:
        worker.until(lambda: sum(proxy.faults.values()) > 8)
        world.chain.rpc("evm_mine")
        worker.until(lambda: bool(worker.lines))
        proxy.clear()

        worker.until(lambda: _closed(world, 0))


@postgres_only
def test_worker__database_restarts__goes_on(
    world: World, proxy: ChainProxy, tmp_path: Path
) -> None:
    """Twice: while it works, and for longer than one try."""
    url = world.engine.url.render_as_string(hide_password=False)
    with CutSocket(url) as cut, running(world, proxy.url, tmp_path, cut.url) as worker:
        worker.until(lambda: bool(world.events("FacilityOffered")))
        cut.down()
        worker.until_said("the database does not answer")
        cut.up()
        world.at_cut_off(0)
        worker.until(lambda: _closed(world, 0))
        cut.down()
        seen = len(worker.lines)
        worker.until(lambda: len(worker.lines) > seen + 2)
        cut.up()
        world.at_cut_off(1)

        worker.until(lambda: _closed(world, 1))
        worker.process.send_signal(signal.SIGTERM)
        assert worker.process.wait(STOPS_WITHIN_S) == 0


@postgres_only
def test_worker__database_is_away_at_its_start__begins_when_it_is_there(
    world: World, proxy: ChainProxy, tmp_path: Path
) -> None:
    url = world.engine.url.render_as_string(hide_password=False)
    world.at_cut_off(0)
    with CutSocket(url) as cut:
        cut.down()
        with running(world, proxy.url, tmp_path, cut.url) as worker:
            worker.until_said("the database does not answer")
            cut.up()

            worker.until(lambda: _closed(world, 0))


def test_worker__disk_is_full__one_facility_waits_and_the_process_lives(
    world: World, proxy: ChainProxy, tmp_path: Path
) -> None:
    """A folder that takes no file stands for a full disk: both are an OSError of the write."""
    world.at_cut_off(0)
    home = world.evidence.root / f"facility-{world.facility_id}"
    blocked = home / "epoch-00000"
    blocked.write_text("in the way")
    with running(world, proxy.url, tmp_path) as worker:
        worker.until(lambda: "close" in _failing(world))
        blocked.unlink()

        worker.until(lambda: _closed(world, 0))
