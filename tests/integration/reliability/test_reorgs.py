"""Reorgs, as awkward as they come: the process follows the head while the chain is rewritten."""

import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.chain_proxy import ChainProxy
from tests.integration.reliability.following import (
    Following,
    assert_true,
    events_of,
    following,
    is_at_head,
    newest,
    pay_many,
    payment,
    slow,
    state_of,
)
from tests.world import World

pytestmark = [pytest.mark.chain, pytest.mark.slow]

QUICK = {"RENTROLL_POLL_S": "0.1"}


def _reconciled(world: World, index: Following) -> None:
    """After the rewriting the chain goes on; then the index is as the chain is."""
    world.chain.rpc("anvil_mine", hex(3))
    index.until(lambda: is_at_head(world, world.engine))
    assert_true(world, world.engine)


def _at_head(world: World, index: Following) -> None:
    index.until(lambda: is_at_head(world, world.engine))


def test_reorg__of_one_block_that_changes_an_event__has_the_new_amount(
    world: World, proxy: ChainProxy, tmp_path: Path
) -> None:
    world.pay(1_000)
    with following(world, proxy.url, tmp_path, **QUICK) as index:
        _at_head(world, index)
        number = world.client.head().number

        world.chain.rpc("anvil_reorg", 1, [[payment(world, 2_000), 0]])

        assert world.client.head().number == number
        index.until(lambda: [e.amount for e in world.events("RentPaid")] == [2_000])
        _reconciled(world, index)


@pytest.mark.both_databases
def test_reorg__that_removes_an_event__has_neither_its_row_nor_its_money(
    world: World, proxy: ChainProxy, tmp_path: Path
) -> None:
    with following(world, proxy.url, tmp_path, **QUICK) as index:
        world.pay(5)
        for amount in (1_000, 2_000, 3_000):
            world.pay(amount)
        _at_head(world, index)

        world.chain.rpc("anvil_reorg", 3, [])

        index.until(lambda: [e.amount for e in world.events("RentPaid")] == [5])
        _reconciled(world, index)


def test_reorg__of_sixty_blocks__is_taken_back(
    world: World, proxy: ChainProxy, tmp_path: Path
) -> None:
    pay_many(world, 70)
    with following(world, proxy.url, tmp_path, **QUICK) as index:
        _at_head(world, index)

        world.chain.rpc("anvil_reorg", 60, [])

        _reconciled(world, index)
        assert len(world.events("RentPaid")) == 10


def test_reorg__of_what_the_node_called_final__stops_and_says_so(
    world: World, proxy: ChainProxy, tmp_path: Path
) -> None:
    """Neither taken back nor carried on: what was final is paid upon."""
    pay_many(world, 80)
    with following(world, proxy.url, tmp_path, **QUICK) as index:
        _at_head(world, index)
        before = events_of(world.engine)

        world.chain.rpc("anvil_reorg", 75, [])
        world.chain.rpc("anvil_mine", hex(5))
        index.until(lambda: _state(world) == "halted")

        world.chain.rpc("anvil_mine", hex(5))
        time.sleep(1)
        assert index.alive
        assert _state(world) == "halted"
        assert events_of(world.engine) == before
        assert "final" in index.log.read_text()


def _state(world: World) -> Any:
    state = state_of(world.engine)
    return None if state is None else state.state


def test_reorg__while_it_is_down__is_found_by_hash_when_it_starts(
    world: World, proxy: ChainProxy, tmp_path: Path
) -> None:
    pay_many(world, 10)
    with following(world, proxy.url, tmp_path, **QUICK) as index:
        _at_head(world, index)
        number = world.client.head().number
        assert index.end(signal.SIGTERM) == 0

        world.chain.rpc("anvil_reorg", 6, [[payment(world, 9_000), 3]])
        assert world.client.head().number == number
        index.start()

        _reconciled(world, index)
        assert [e.amount for e in world.events("RentPaid")] == [1, 2, 3, 4, 9_000]


def test_reorgs__faster_than_they_are_taken_back__end_as_the_chain_is(
    world: World, proxy: ChainProxy, tmp_path: Path
) -> None:
    """Each while the one before it is still being read: the node is slow."""
    pay_many(world, 30)
    with following(world, proxy.url, tmp_path, **QUICK) as index:
        _at_head(world, index)
        proxy.on("*", slow(0.02))

        for depth, amount in ((12, 1_000), (5, 2_000), (9, 4_000)):
            world.chain.rpc("anvil_reorg", depth, [[payment(world, amount), depth // 2]])
            time.sleep(0.6)

        proxy.clear()
        _reconciled(world, index)


def test_reorg__of_blocks_that_are_being_backfilled__is_not_walked_past(
    world: World, proxy: ChainProxy, tmp_path: Path
) -> None:
    """It is behind the head that the index works towards, and at a height that it has read."""
    pay_many(world, 60)
    proxy.on("eth_getLogs", slow(0.1))
    with following(world, proxy.url, tmp_path, **QUICK) as index:
        head = world.client.head().number
        index.until(lambda: newest(world.engine) > head - 40)
        assert newest(world.engine) < head

        world.chain.rpc("anvil_reorg", 50, [[payment(world, 8_000), 20]])

        proxy.clear()
        _reconciled(world, index)
