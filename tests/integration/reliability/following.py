"""`rentroll index` as a process, what it has stored, and what the chain really has."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, select

from api.chain import calldata
from api.db import chain_store, index_store
from api.db.migrate import upgrade
from api.db.session import open_engine, reading
from api.db.tables.chain import chain_blocks, chain_events
from api.db.tables.index import chain_logs
from api.epochs.index import Indexer
from scripts.dev.devchain import ROOT
from scripts.dev.stack import RENTER
from tests.chain_proxy import Ask, Fault, Forward, Reply
from tests.world import World, wallet

# Whatever the machine does besides: what is never reached ends in this.
PATIENCE_S = 120
STOPS_WITHIN_S = 15


@dataclass
class Following:
    """The process, which can be killed, stopped and started again on the same database."""

    world: World
    rpc_url: str
    database_url: str
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0

    def start(self) -> None:
        """Start it, with nothing told but where everything is."""
        environment = {
            **os.environ,
            "DATABASE_URL": self.database_url,
            "RENTROLL_RPC_URL": self.rpc_url,
            "RENTROLL_DEPLOYMENT_FILE": str(self.world.deployed.deployment_file),
            "RENTROLL_EVIDENCE_DIR": str(self.world.evidence.root),
            "RENTROLL_MONITOR_PORT": "0",
            **self.settings,
        }
        command = [sys.executable, "-m", "api.cli.commands", "index"]
        self.starts += 1
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
            )

    @property
    def log(self) -> Path:
        """What it says."""
        return self.folder / "index.log"

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None

    def end(self, number: int) -> int:
        """Send it a signal; its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(STOPS_WITHIN_S)

    def kill(self) -> None:
        """It is gone at once."""
        self.end(signal.SIGKILL)

    def until(self, holds: Callable[[], bool], *, alive: bool = True) -> float:
        """Wait until something holds; the seconds that it took."""
        begun = time.monotonic()
        while time.monotonic() < begun + PATIENCE_S:
            assert self.alive or not alive, self.log.read_text()[-2_000:]
            if holds():
                return time.monotonic() - begun
            time.sleep(0.02)
        raise AssertionError(self.log.read_text()[-2_000:])


@contextmanager
def following(
    world: World, rpc_url: str, folder: Path, database_url: str = "", **settings: str
) -> Iterator[Following]:
    """The process on a world's database, or on another; killed at the end."""
    url = database_url or world.engine.url.render_as_string(hide_password=False)
    found = Following(world, rpc_url, url, folder, settings)
    found.start()
    try:
        yield found
    finally:
        if found.alive:
            found.kill()


# --- what it has ---------------------------------------------------------------------------------


def events_of(engine: Engine) -> list[Any]:
    """Stored events in the order of the chain."""
    c = chain_events.c
    with reading(engine) as connection:
        query = select(chain_events).order_by(c.block_number, c.log_index, c.part)
        return [tuple(row) for row in connection.execute(query)]


def logs_of(engine: Engine) -> list[Any]:
    """Stored logs in the order of the chain."""
    c = chain_logs.c
    with reading(engine) as connection:
        query = select(chain_logs).order_by(c.block_number, c.log_index)
        return [tuple(row) for row in connection.execute(query)]


def newest(engine: Engine) -> int:
    """The newest block that the index says it has; -1 before there is one."""
    with reading(engine) as connection:
        number = connection.execute(select(func.max(chain_blocks.c.number))).scalar()
    return -1 if number is None else int(number)


def state_of(engine: Engine) -> index_store.IndexState | None:
    """How the index stands."""
    with reading(engine) as connection:
        return index_store.index_state_row(connection)


def collected(engine: Engine) -> int:
    """All rent of the facility: what an indexer keeps as a running balance."""
    with reading(engine) as connection:
        paid = chain_store.events_named(connection, "RentPaid")
    return sum(row.amount or 0 for row in paid)


# --- what the chain has --------------------------------------------------------------------------


def node_logs(world: World, last: int | None = None) -> list[tuple[int, int, bytes]]:
    """Block, index and data of our contracts' logs, as the node itself gives them, unread."""
    addresses = [world.deployment.addresses[name] for name in _with_events()]
    query = {"address": addresses, "fromBlock": "0x0", "toBlock": "latest"}
    raw: Any = world.chain.rpc("eth_getLogs", query)
    found = [
        (int(log["blockNumber"], 16), int(log["logIndex"], 16), bytes.fromhex(log["data"][2:]))
        for log in raw
    ]
    return sorted(log for log in found if last is None or log[0] <= last)


def _with_events() -> list[str]:
    from api.chain.emitted import EVENTS

    return list(EVENTS)


def assert_whole(world: World, engine: Engine) -> None:
    """All that the chain has up to the newest block, once, and nothing else: never half a range."""
    last = newest(engine)
    assert [(row[0], row[1], row[6]) for row in logs_of(engine)] == node_logs(world, last)


def assert_true(world: World, engine: Engine) -> None:
    """As the chain is: its logs, the contracts' own sum, and the rows of an index from scratch."""
    assert newest(engine) == world.client.head().number
    assert_whole(world, engine)
    book = world.now(world.contracts.rent_lockbox.book_of(world.facility_id))
    assert collected(engine) == book.collected_micros
    scratch = open_engine(f"sqlite:///{world.folder}/scratch-{time.monotonic_ns()}.db")
    try:
        upgrade(scratch)
        Indexer(scratch, world.contracts).advance()
        assert events_of(engine) == events_of(scratch)
    finally:
        scratch.dispose()


def is_at_head(world: World, engine: Engine) -> bool:
    """Whether the index has the node's newest block, as the chain has it now."""
    head = world.client.head()
    with reading(engine) as connection:
        row = chain_store.block_at(connection, head.number)
    return row is not None and row.block_hash == head.hash


# --- what happens on the chain -------------------------------------------------------------------


def payment(world: World, amount: int) -> dict[str, str]:
    """A transaction that pays rent, from an unlocked account."""
    pay = calldata.call("RentLockbox", "payRent", world.facility_id, b"\1" * 32, amount)
    return {
        "from": wallet(RENTER).address,
        "to": world.deployment.rent_lockbox,
        "data": pay,
        "gas": hex(200_000),
    }


def pay_many(world: World, count: int, *, together: int = 1) -> None:
    """Payments of 1, 2, 3, ... micros, so many in a block."""
    world.chain.rpc("evm_setAutomine", False)
    for number in range(1, count + 1):
        world.chain.rpc("eth_sendTransaction", payment(world, number))
        if number % together == 0:
            world.chain.rpc("evm_mine")
    world.chain.rpc("evm_setAutomine", True)


def mine(world: World, blocks: int) -> None:
    """Blocks without a log, some at a time: a busy machine takes a minute for thousands."""
    for first in range(0, blocks, 250):
        world.chain.rpc("anvil_mine", hex(min(250, blocks - first)))


def slow(seconds: float) -> Fault:
    """A node that takes its time."""

    def slowly(ask: Ask, forward: Forward) -> Reply:
        ask.proxy.released.wait(seconds)
        return forward(ask)

    return slowly
