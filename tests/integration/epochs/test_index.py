"""The index on a real chain: reorgs, nodes that lag or limit, and what counts as final."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from api.chain.client import ChainClient
from api.chain.contracts import Contracts
from api.cli.doctor import diagnose
from api.db import chain_store, index_store
from api.db.session import reading
from api.db.tables.chain import chain_blocks, chain_events
from api.epochs.index import Indexer
from api.errors import ChainUnavailable, IndexHalted
from tests import chain_faults
from tests.chain_proxy import ANY, ChainProxy
from tests.integration.service import change_service
from tests.world import World

pytestmark = pytest.mark.chain

BLOCK, LOGS = "eth_getBlockByNumber", "eth_getLogs"


@pytest.fixture
def proxy(world: World) -> Iterator[ChainProxy]:
    """The world's node, behind a proxy."""
    with ChainProxy(world.chain.rpc_url) as found:
        yield found


def _through(world: World, proxy: ChainProxy, **more: Any) -> Indexer:
    return world.indexer(ChainClient(proxy.url), **more)


def _rows(world: World) -> list[Any]:
    with reading(world.engine) as connection:
        order = (chain_events.c.block_number, chain_events.c.log_index)
        return list(connection.execute(select(chain_events).order_by(*order)))


def _blocks(world: World) -> list[int]:
    with reading(world.engine) as connection:
        return list(connection.execute(select(chain_blocks.c.number)).scalars())


def _collected(world: World) -> int:
    return sum(e.amount for e in world.events("RentPaid"))


def _assert_as_rebuilt(world: World) -> None:
    """What was followed is what an index from scratch gives."""
    followed = _rows(world)
    world.indexer().rebuild()
    assert followed == _rows(world)


@pytest.mark.both_databases
def test_index__shallow_reorg__drops_what_is_gone_and_follows(world: World) -> None:
    """ATTACKS 36."""
    indexer = world.indexer(confirmations=3)
    world.pay(1_000)
    indexer.advance()
    world.pay(2_000)
    indexer.advance()
    assert _collected(world) == 3_000

    world.chain.rpc("anvil_reorg", 1, [])
    progress = indexer.advance()

    assert progress.rolled_back == 1
    assert _collected(world) == 1_000
    world.pay(5_000)
    indexer.advance()
    assert _collected(world) == 6_000
    _assert_as_rebuilt(world)


@pytest.mark.parametrize("confirmations", [6, 100])
def test_index__reorg_of_what_is_not_final__goes_back_to_a_common_block(
    world: World, confirmations: int
) -> None:
    """ATTACKS 36: several indexed blocks are undone at once, to the last that is final."""
    indexer = world.indexer(confirmations=confirmations)
    indexer.advance()
    for amount in (1, 2, 3, 4, 5, 6):
        world.pay(amount)
        indexer.advance()

    world.chain.rpc("anvil_reorg", 6, [])
    progress = indexer.advance()

    assert progress.rolled_back == 6
    assert _collected(world) == 0
    assert progress.behind == 0
    _assert_as_rebuilt(world)


@pytest.mark.both_databases
def test_index__reorg_below_what_was_final__halts_and_takes_nothing_back(world: World) -> None:
    """F8: it says so, loudly and everywhere, until a person asks for the chain to be read anew."""
    indexer = world.indexer(confirmations=3)
    for amount in range(8):
        world.pay(amount + 1)
    indexer.advance()
    before, status = _rows(world), world.http.get("/v1/status").json()

    world.chain.rpc("anvil_reorg", 7, [])
    for again in (indexer, world.indexer(confirmations=3), world.indexer(confirmations=0)):
        with pytest.raises(IndexHalted, match=r"below what was final.*reindex --from-chain"):
            again.advance()

    said = world.http.get("/v1/status").json()
    assert _rows(world) == before
    assert said["final_block"] == status["final_block"]
    assert said["index"]["state"] == "halted"
    assert "below what was final" in said["index"]["reason"]
    (shown,) = [check for check in diagnose(world.settings()) if check.name == "index"]
    assert (shown.level, "reindex --from-chain" in shown.message) == ("fail", True)
    world.indexer(confirmations=3).rebuild()
    assert _collected(world) == 1
    assert world.http.get("/v1/status").json()["index"]["state"] == "following"


def test_index__killed_during_a_rollback__finishes_it_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ATTACKS 36, 37: and another reorg comes in between."""
    indexer = world.indexer(confirmations=5)
    world.pay(1)
    indexer.advance()
    world.pay(2)
    indexer.advance()
    before = _rows(world)

    def crash(connection: Any, number: int) -> None:
        forget(connection, number)
        raise KeyboardInterrupt

    forget = chain_store.drop_above
    world.chain.rpc("anvil_reorg", 1, [])
    with monkeypatch.context() as patch:
        patch.setattr(chain_store, "drop_above", crash)
        with pytest.raises(KeyboardInterrupt):
            indexer.advance()
    assert _rows(world) == before
    world.chain.rpc("anvil_reorg", 2, [])
    indexer.advance()

    assert _collected(world) == 0
    _assert_as_rebuilt(world)


@pytest.mark.both_databases
def test_index__rebuild__gives_the_same_rows(world: World) -> None:
    world.pay(1_000)
    for confirmations in (0, 5, 1_000, None):
        world.indexer(confirmations=confirmations).rebuild()
        _assert_as_rebuilt(world)
    assert _collected(world) == 1_000


@pytest.mark.parametrize("steps", [1, 4])
def test_index__node_lags__undoes_nothing(world: World, proxy: ChainProxy, steps: int) -> None:
    """ATTACKS 36: with one remembered block above the node's head, and with several below it."""
    indexer = _through(world, proxy)
    for amount in range(steps):
        world.pay(amount + 1)
        indexer.advance()
    before = _rows(world)

    with proxy.during(ANY, chain_faults.behind(2)):
        progress = indexer.advance()
        said = index_store_state(world)

    assert (progress.rolled_back, progress.added, progress.behind) == (0, 0, 0)
    assert _rows(world) == before
    assert (said.state, "it lags" in str(said.reason)) == ("waiting", True)
    world.pay(9)
    assert indexer.advance().added > 0
    assert index_store_state(world).state == "following"
    _assert_as_rebuilt(world)


def index_store_state(world: World) -> index_store.IndexState:
    """How the index stands."""
    with reading(world.engine) as connection:
        state = index_store.index_state_row(connection)
    assert state is not None
    return state


def test_index__big_ranges_refused__are_found_once_and_remembered(
    world: World, proxy: ChainProxy
) -> None:
    """ATTACKS 36."""
    proxy.on(LOGS, chain_faults.range_cap(4))
    world.pay(1)

    _through(world, proxy).advance()
    refused = sum(length > 4 for length in _lengths(proxy))
    proxy.forget()
    world.chain.rpc("anvil_mine", hex(20))
    _through(world, proxy).advance()

    assert _collected(world) == 1
    assert 3 < refused < 12
    assert index_store_state(world).log_range == 4
    assert max(_lengths(proxy)) == 4
    _assert_as_rebuilt(world)


def _lengths(proxy: ChainProxy) -> list[int]:
    """Blocks of each query of logs by range."""
    queries = [q[0] for method, q in proxy.asked if method == LOGS and "fromBlock" in q[0]]
    return [int(q["toBlock"], 16) - int(q["fromBlock"], 16) + 1 for q in queries]


def test_index__logs_from_a_node_that_lags__loses_none(world: World, proxy: ChainProxy) -> None:
    """ATTACKS 36: a range that ends above that node's head would be answered without its end."""
    world.pay(1)
    world.pay(2)
    world.pay(3)

    with proxy.during(LOGS, chain_faults.behind(2)):
        early = _through(world, proxy, confirmations=5).advance()
        seen = _collected(world)
    late = _through(world, proxy, confirmations=5).advance()

    assert (early.behind, seen) == (2, 1)
    assert late.behind == 0
    assert _collected(world) == 6
    _assert_as_rebuilt(world)


def test_index__blocks_from_a_node_that_lags__stops_and_stores_nothing_wrong(
    world: World, proxy: ChainProxy
) -> None:
    world.pay(1)
    world.pay(2)
    proxy.on(ANY, chain_faults.behind(1), when=lambda ask: "latest" not in ask.params)

    assert _through(world, proxy, confirmations=5).advance().behind == 1
    with reading(world.engine) as connection:
        newest = chain_store.last_block(connection)
    assert newest is not None
    proxy.clear()
    world.indexer().advance()

    assert _collected(world) == 3
    _assert_as_rebuilt(world)


def test_index__node_does_not_answer__says_so_in_the_status(
    world: World, proxy: ChainProxy
) -> None:
    _through(world, proxy).advance()
    proxy.on(ANY, chain_faults.bad_gateway)

    with pytest.raises(ChainUnavailable):
        _through(world, proxy).advance()

    said = world.http.get("/v1/status").json()["index"]
    assert (said["state"], "does not answer" in said["reason"]) == ("waiting", True)


def test_status__indexed_to_the_head__names_the_final_block(world: World) -> None:
    world.indexer(confirmations=2).advance()
    head = world.client.head().number

    status = world.http.get("/v1/status").json()
    money = world.http.get("/v1/reconciliation").json()

    assert (status["chain_head"], status["indexed_block"]) == (head, head)
    assert status["final_block"] == money["final_block"] == head - 2
    assert status["index"]["state"] == "following"


def test_status__index__names_the_wall_clock_beside_its_last_look(world: World) -> None:
    """By the service's own clock, the chain's, nobody could tell how long ago that was."""
    world.indexer().advance()
    change_service(world.app, session_clock=lambda: 2_000_000_000)

    said = world.http.get("/v1/status").json()

    assert said["index"]["now_s"] == 2_000_000_000
    assert said["now_s"] < said["index"]["seen_at_s"] < 2_000_000_000


def test_index__of_another_deployment__is_not_mixed_with_this_one(world: World) -> None:
    """F7: the database says of which contracts it is."""
    world.indexer().advance()
    other = world.deployment.__class__(
        **{
            **{f: getattr(world.deployment, f) for f in world.deployment.__dataclass_fields__},
            "chain_id": 5,
        }
    )

    with pytest.raises(IndexHalted, match=r"the index of chain 31337.*deployment file is of chain"):
        Indexer(world.engine, Contracts(world.client, other)).advance()
