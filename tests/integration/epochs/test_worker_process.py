"""`rentroll worker` as a process: a signal ends it in every state, and nothing else does."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from api.db.session import reading
from api.db.statements import statement_row
from api.db.tables.work import work
from tests import chain_faults
from tests.chain_proxy import Ask, ChainProxy, Forward, Reply
from tests.cut_socket import CutSocket
from tests.factories import DAY_S, HOUR_S
from tests.postgres import postgres_only
from tests.worker_process import STOPS_WITHIN_S, running
from tests.world import World

pytestmark = pytest.mark.chain


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
