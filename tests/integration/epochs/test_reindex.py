"""The index made anew: from kept logs without a node, or from the chain; and told to stop."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from api.chain.client import ChainClient
from api.chain.contracts import Contracts
from api.db.session import reading, transaction
from api.db.tables.chain import chain_events
from api.epochs.reindex import decode_again, read_again
from tests import chain_faults
from tests.chain_proxy import ANY, ChainProxy
from tests.world import World

pytestmark = pytest.mark.chain


def _rows(world: World) -> list[Any]:
    with reading(world.engine) as connection:
        order = (chain_events.c.block_number, chain_events.c.log_index, chain_events.c.part)
        return list(connection.execute(select(chain_events).order_by(*order)))


@pytest.fixture
def proxy(world: World) -> Iterator[ChainProxy]:
    """The world's node, behind a proxy."""
    with ChainProxy(world.chain.rpc_url) as found:
        yield found


@pytest.mark.both_databases
def test_reindex__from_kept_logs__gives_the_same_rows_and_asks_no_node(world: World) -> None:
    world.pay(7)
    world.indexer().advance()
    before, steps = _rows(world), list[tuple[int, int]]()
    with transaction(world.engine) as connection:
        connection.execute(delete(chain_events).where(chain_events.c.event == "RentPaid"))

    nowhere = Contracts(ChainClient("http://127.0.0.1:9", deadline_s=0.1), world.deployment)
    count = decode_again(world.engine, nowhere, lambda done, of: steps.append((done, of)))

    assert _rows(world) == before
    assert steps[-1] == (count, count)
    assert count > 10


def test_reindex__from_the_chain__is_what_an_empty_database_gets(world: World) -> None:
    world.pay(7)
    world.indexer().advance()
    before, steps = _rows(world), list[tuple[int, int]]()

    reached = read_again(world.engine, world.indexer(), lambda done, of: steps.append((done, of)))

    assert reached == world.client.head().number
    assert steps[-1][0] == steps[-1][1]
    assert _rows(world) == before


def _environment(world: World, rpc_url: str, folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": world.engine.url.render_as_string(hide_password=False),
        "RENTROLL_RPC_URL": rpc_url,
        "RENTROLL_DEPLOYMENT_FILE": str(world.deployed.deployment_file),
        "RENTROLL_EVIDENCE_DIR": str(world.evidence.root),
        "RENTROLL_CONFIRMATIONS": "2",
        "RENTROLL_POLL_S": "0.1",
    }


def _start(world: World, rpc_url: str, folder: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "api.cli.commands", *words]
    environment = _environment(world, rpc_url, folder)
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env=environment, **pipes)


def test_index_command__told_to_stop_while_the_node_stalls__ends_well(
    world: World, proxy: ChainProxy, tmp_path: Path
) -> None:
    """F17: SIGTERM within the deadline of one request; the worker took two minutes."""
    proxy.on(ANY, chain_faults.stall)
    process = _start(world, proxy.url, tmp_path, "index")
    while proxy.requests == 0:
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)

    process.send_signal(signal.SIGTERM)
    # Two waits of a request would be 24 s.
    process.communicate(timeout=20)

    assert process.returncode == 0


def test_commands__index_once_then_reindex__say_how_it_stands(world: World, tmp_path: Path) -> None:
    world.pay(5)

    first = _start(world, world.chain.rpc_url, tmp_path, "index", "--once")
    _, said = first.communicate(timeout=120)
    again = _start(world, "http://127.0.0.1:9", tmp_path, "reindex", "--json")
    out, error = again.communicate(timeout=120)

    assert (first.returncode, again.returncode) == (0, 0), (said, error)
    assert json.loads(out)["state"] == "following"
    assert [e.amount for e in world.events("RentPaid")] == [5]
