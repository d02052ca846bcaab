"""Reorgs, gaps and nonces that others used: nothing stops for ever, nothing is doubled."""

from typing import Any

import pytest

from api.chain.client import ChainClient
from tests.chain_proxy import ChainProxy
from tests.outboxes import (
    FINAL_BLOCKS,
    SENDER,
    advance,
    attested,
    failed,
    intent_rows,
    mine,
    sent_by,
    store_due,
    tx_rows,
    unknown,
)
from tests.world import World, send, wallet

pytestmark = pytest.mark.chain
# `pause()`.
_PAUSE = "0x8456cb59"


@pytest.fixture
def due(world: World) -> World:
    """A world whose first statement is attested and can be posted."""
    return attested(world)


def _reorg(world: World, depth: int) -> None:
    """Other blocks in the place of the newest, without their transactions."""
    world.chain.rpc("anvil_reorg", depth, [])


def test_advance__reorg_drops_it__is_sent_again_as_the_same_bytes(due: World) -> None:
    """F10 of the findings, ATTACKS 36: renewed at another nonce it was doubled."""
    outbox, first = store_due(due), due.client.head().number
    assert advance(due, outbox) == [None]
    (tx,) = tx_rows(due)
    mine(due, 2)

    _reorg(due, 3)
    assert due.posted == 0
    advance(due)

    assert due.posted == 1
    assert [t.tx_hash for t in tx_rows(due)] == [tx.tx_hash]
    assert intent_rows(due)[0].state == "mined"
    assert len(sent_by(due, SENDER, first=first)) == 1
    assert (failed(due, first=first), unknown(due, first=first)) == ([], [])


def test_advance__reorg_and_the_node_has_it_in_its_pool_again__is_mined_once(due: World) -> None:
    """F10: as real nodes do it."""
    outbox, first = store_due(due), due.client.head().number
    advance(due, outbox)
    (tx,) = tx_rows(due)
    _reorg(due, 1)
    due.chain.rpc("evm_setAutomine", False)
    due.client.send_raw(tx.raw_tx)

    advance(due)
    due.chain.rpc("evm_setAutomine", True)
    mine(due)
    advance(due)

    assert len(sent_by(due, SENDER, first=first)) == 1
    assert failed(due, first=first) == []
    assert (due.posted, intent_rows(due)[0].state) == (1, "mined")


def test_advance__reorg_drops_one_below_another_that_waits__no_gap_is_left(due: World) -> None:
    """F1 of the findings: nonce 0 mined and dropped, nonce 1 waits: all stopped for ever."""
    outbox, first = store_due(due), due.client.head().number
    assert advance(due, outbox) == [None]
    attested(due, 1)
    due.chain.rpc("evm_setAutomine", False)
    store_due(due)
    advance(due)
    lower, higher = tx_rows(due)
    due.chain.rpc("anvil_dropAllTransactions")
    depth = due.client.head().number - (lower.block_number or 0) + 1
    _reorg(due, depth)
    assert due.posted == 0
    due.at_cut_off(1)

    for _ in range(4):
        advance(due)
        mine(due)
    advance(due)

    assert due.posted == 2
    assert [t.tx_hash for t in tx_rows(due)] == [lower.tx_hash, higher.tx_hash]
    assert (failed(due, first=first), unknown(due, first=first)) == ([], [])


def test_advance__gap_that_nothing_of_ours_fills__gets_a_call_that_does_nothing(
    due: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node that named too high a nonce, or a database from a backup, leaves a gap."""
    outbox = store_due(due)
    used = due.client.nonce(SENDER, "latest")
    with monkeypatch.context() as patch:
        patch.setattr("api.epochs.outbox.nonce_at", lambda *_args: used + 1)
        advance(due, outbox)
    (ahead,) = tx_rows(due)
    assert (ahead.nonce, due.posted) == (used + 1, 0)

    advance(due)
    advance(due)

    fill = tx_rows(due)[-1]
    assert (fill.purpose, fill.nonce, fill.state) == ("fill", used, "mined")
    assert (due.posted, intent_rows(due)[0].state) == (1, "mined")


def test_advance__pending_says_less_than_is_known__takes_no_nonce_twice(due: World) -> None:
    """A lagging node names a nonce that is used: the table knows better."""
    outbox, first = store_due(due), due.client.head().number
    advance(due, outbox)
    (posted,) = tx_rows(due)
    attested(due, 1)
    store_due(due)

    class Lagging:
        def __call__(self, _client: Any, _account: str, _number: int) -> int:
            return posted.nonce

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("api.epochs.outbox.nonce_at", Lagging())
        advance(due)

    assert [t.nonce for t in tx_rows(due)] == [posted.nonce, posted.nonce + 1]
    advance(due)
    assert due.posted == 2
    assert failed(due, first=first) == []


def test_advance__nonce_used_by_somebody_else__is_given_up_only_when_that_is_final(
    due: World,
) -> None:
    """ATTACKS 36: a nonce race. The key was used elsewhere."""
    due.chain.rpc("evm_setAutomine", False)
    outbox = store_due(due)
    advance(due, outbox)
    (ours,) = tx_rows(due)
    due.chain.rpc("anvil_dropTransaction", "0x" + ours.tx_hash.hex())
    due.chain.rpc("evm_setAutomine", True)
    send(due.client, SENDER, SENDER, "0x")

    early = advance(due)
    mine(due, 20)
    later = advance(due)
    waits = intent_rows(due)[0].state
    mine(due, FINAL_BLOCKS)
    told = advance(due)

    assert (early, later, waits) == ([], [], "sent")
    assert told == ["its nonce went to another transaction", None]
    assert [t.state for t in tx_rows(due)] == ["lost", "mined"]
    assert due.posted == 1


def test_advance__reorg_gives_a_used_nonce_back__it_is_ours_again(due: World) -> None:
    due.chain.rpc("evm_setAutomine", False)
    outbox = store_due(due)
    advance(due, outbox)
    (ours,) = tx_rows(due)
    due.chain.rpc("anvil_dropTransaction", "0x" + ours.tx_hash.hex())
    due.chain.rpc("evm_setAutomine", True)
    send(due.client, SENDER, SENDER, "0x")
    advance(due)
    assert tx_rows(due)[0].passed_at_block is not None

    _reorg(due, 1)
    mine(due)
    assert advance(due) == [None]

    assert [t.tx_hash for t in tx_rows(due)] == [ours.tx_hash]
    assert due.posted == 1


def test_advance__undone_and_no_longer_possible__nonce_gets_a_call_that_does_nothing(
    due: World,
) -> None:
    """What would revert is not sent, and no nonce stays empty for it."""
    outbox, first = store_due(due), due.client.head().number
    advance(due, outbox)
    _reorg(due, 1)
    send(due.client, wallet(0).address, due.deployment.statement_registry, _PAUSE)

    advance(due)
    advance(due)

    assert failed(due, first=first) == []
    assert [t.purpose for t in tx_rows(due)] == ["call", "cancel"]
    assert intent_rows(due)[0].error == "EnforcedPause()"


@pytest.mark.parametrize("longer", [0, 2])
def test_advance__same_process_sees_the_reorg__is_sent_again(due: World, longer: int) -> None:
    """A chain that only grew is not asked of its old blocks; one that is another is."""
    outbox = store_due(due)
    advance(due, outbox)
    mine(due, 2)
    advance(due, outbox)

    _reorg(due, 3)
    mine(due, longer)
    advance(due, outbox)

    assert due.posted == 1
    assert intent_rows(due)[0].state == "mined"
    assert tx_rows(due)[0].block_hash == due.client.block(tx_rows(due)[0].block_number or 0).hash


def test_advance__chain_only_grows__old_blocks_are_not_asked_again(due: World) -> None:
    with ChainProxy(due.chain.rpc_url) as proxy, ChainClient(proxy.url) as client:
        outbox = store_due(due, due.outbox(client))
        advance(due, outbox)
        mine(due)
        advance(due, outbox)
        (mined,) = [tx.block_number for tx in tx_rows(due)]

        proxy.forget()
        for _ in range(5):
            mine(due)
            advance(due, outbox)
        asked = [p[0] for method, p in proxy.asked if method == "eth_getBlockByNumber"]
        mine(due, FINAL_BLOCKS)
        proxy.forget()
        advance(due, outbox)
        last = [p[0] for method, p in proxy.asked if method == "eth_getBlockByNumber"]

    assert mined is not None
    assert hex(mined) not in asked
    # Once it is final the chain is asked of it, whatever is remembered.
    assert hex(mined) in last
    assert tx_rows(due)[0].state == "final"
