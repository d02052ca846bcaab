"""The index on a real chain: reorgs, nodes that lag or limit, and what counts as final."""

from typing import Any

import pytest
from sqlalchemy import select

from api.db import chain_store
from api.db.session import reading
from api.db.tables.chain import chain_blocks, chain_events
from api.epochs.index import final_block
from api.errors import ChainUnavailable
from tests.faulty_nodes import Behind, Capped, TallHead, TwoHeights
from tests.world import World

pytestmark = pytest.mark.chain


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


@pytest.mark.parametrize("confirmations", [0, 3, 100])
def test_index__reorg_deeper_than_finality__goes_back_to_a_common_block(
    world: World, confirmations: int
) -> None:
    """ATTACKS 36: several indexed range ends are undone at once."""
    indexer = world.indexer(confirmations=confirmations)
    indexer.advance()
    for amount in (1, 2, 3, 4):
        world.pay(amount)
        indexer.advance()

    world.chain.rpc("anvil_reorg", 6, [])
    progress = indexer.advance()

    assert progress.rolled_back >= 6
    assert _collected(world) == 0
    assert progress.behind == 0
    _assert_as_rebuilt(world)


def test_index__reorg_of_everything_remembered__starts_again(world: World) -> None:
    indexer = world.indexer()
    world.pay(1)
    indexer.advance()
    assert len(_blocks(world)) == 1

    world.chain.rpc("anvil_reorg", 1, [])
    indexer.advance()

    assert _collected(world) == 0
    _assert_as_rebuilt(world)


def test_index__killed_during_a_rollback__finishes_it_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ATTACKS 36, 37: and another reorg comes in between."""
    indexer = world.indexer(confirmations=3)
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
    for confirmations in (0, 5, 1_000):
        world.indexer(confirmations=confirmations).rebuild()
        _assert_as_rebuilt(world)
    assert _collected(world) == 1_000


@pytest.mark.parametrize("steps", [1, 4])
def test_index__node_lags__undoes_nothing(world: World, steps: int) -> None:
    """ATTACKS 36: with one remembered block above the node's head, and with several below it."""
    node = Behind(world.chain.rpc_url)
    indexer = world.indexer(node)
    for amount in range(steps):
        world.pay(amount + 1)
        indexer.advance()
    before = _rows(world)

    node.lag = 2
    progress = indexer.advance()

    assert (progress.rolled_back, progress.added, progress.behind) == (0, 0, 0)
    assert _rows(world) == before
    node.lag = 0
    world.pay(9)
    assert indexer.advance().added > 0
    _assert_as_rebuilt(world)


def test_index__big_ranges_refused__are_halved(world: World) -> None:
    """ATTACKS 36."""
    node = Capped(world.chain.rpc_url)
    world.pay(1)

    world.indexer(node).advance()

    assert node.refused > 0
    assert _collected(world) == 1
    _assert_as_rebuilt(world)


def test_index__logs_from_a_node_that_lags__loses_none(world: World) -> None:
    """ATTACKS 36: a range that ends above that node's head would be answered without its end."""
    node = TwoHeights(world.chain.rpc_url)
    node.lag = 2
    world.pay(1)
    world.pay(2)
    world.pay(3)

    early = world.indexer(node, confirmations=5).advance()
    seen = _collected(world)
    node.lag = 0
    late = world.indexer(node, confirmations=5).advance()

    assert (early.behind, seen) == (2, 1)
    assert late.behind == 0
    assert _collected(world) == 6
    _assert_as_rebuilt(world)


def test_index__blocks_from_a_node_that_lags__stops_and_stores_nothing_wrong(world: World) -> None:
    world.pay(1)
    world.pay(2)
    tall = TallHead(world.chain.rpc_url, lag=1)
    indexer = world.indexer(tall, confirmations=5)
    assert indexer.advance().behind == 1
    with pytest.raises(ChainUnavailable):
        world.indexer(tall).advance()
    world.indexer().advance()

    assert _collected(world) == 3
    _assert_as_rebuilt(world)


@pytest.mark.parametrize(
    ("indexed", "head", "confirmations", "expected"),
    [
        (None, 10, 3, None),
        (10, 10, 0, 10),
        (10, 10, 3, 7),
        (5, 10, 3, 5),
        (8, 10, 3, 7),
        (10, 4, 3, 7),
        (10, None, 3, 7),
        (2, 2, 3, None),
    ],
)
def test_final_block__of_heights__is_as_deep_as_asked(
    indexed: int | None, head: int | None, confirmations: int, expected: int | None
) -> None:
    assert final_block(indexed=indexed, head=head, confirmations=confirmations) == expected


def test_status__indexed_to_the_head__names_the_final_block(world: World) -> None:
    world.indexer().advance()
    head = world.client.head().number

    status = world.http.get("/v1/status").json()
    money = world.http.get("/v1/reconciliation").json()

    assert (status["chain_head"], status["indexed_block"]) == (head, head)
    assert status["final_block"] == money["final_block"] == head - 2
