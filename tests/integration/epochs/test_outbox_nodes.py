"""Nodes that lag, limit, lie or lose replies: what they say is looked at, and never believed."""

from collections.abc import Iterator

import pytest

from api.chain.client import ChainClient
from api.db import outbox as outbox_rows
from api.db.session import reading
from api.epochs.outbox import Policy
from tests import chain_faults
from tests.chain_proxy import ChainProxy
from tests.outboxes import (
    GWEI,
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
from tests.world import World

pytestmark = pytest.mark.chain
SEND = "eth_sendRawTransaction"


@pytest.fixture
def due(world: World) -> World:
    """A world whose first statement is attested and can be posted."""
    return attested(world)


@pytest.fixture
def proxy(due: World) -> Iterator[ChainProxy]:
    """Faults between outbox and node."""
    with ChainProxy(due.chain.rpc_url) as proxy:
        yield proxy


@pytest.fixture
def client(proxy: ChainProxy) -> Iterator[ChainClient]:
    """A client behind the faults."""
    with ChainClient(proxy.url) as client:
        yield client


def test_advance__receipt_of_a_node_that_lags__is_no_outcome(
    due: World, proxy: ChainProxy, client: ChainClient
) -> None:
    """F9 of the findings: every posted statement was recorded as failed for ever."""
    outbox, first = store_due(due, due.outbox(client)), due.client.head().number
    proxy.on("eth_getTransactionReceipt", chain_faults.stale_receipt)
    for _ in range(4):
        assert advance(due, outbox) == []
        mine(due, 5)
    assert intent_rows(due)[0].state == "sent"
    proxy.clear()

    assert advance(due, outbox) == [None]
    assert len(tx_rows(due)) == 1
    assert len(sent_by(due, SENDER, first=first)) == 1


def test_advance__whole_node_lags_after_it_is_mined__nothing_is_sent_twice(
    due: World, proxy: ChainProxy, client: ChainClient
) -> None:
    """F9: the lagging node says that it is still due, and that its block is not there."""
    outbox, first = store_due(due, due.outbox(client)), due.client.head().number
    assert advance(due, outbox) == [None]
    proxy.on("*", chain_faults.behind(2))

    for _ in range(3):
        assert advance(due, outbox) == []
        mine(due)
    assert intent_rows(due)[0].state == "mined"
    proxy.clear()
    advance(due, outbox)

    assert len(sent_by(due, SENDER, first=first)) == 1
    assert (failed(due, first=first), unknown(due, first=first)) == ([], [])


def test_advance__receipt_of_a_fork__is_no_fact(
    due: World, proxy: ChainProxy, client: ChainClient
) -> None:
    """A receipt counts only if its block is the chain's block of that number."""
    outbox = store_due(due, due.outbox(client))
    fork = chain_faults.with_fields(blockHash="0x" + "ab" * 32)
    proxy.on("eth_getTransactionReceipt", fork)

    assert advance(due, outbox) == []
    assert intent_rows(due)[0].state == "sent"
    proxy.clear()
    assert advance(due, outbox) == [None]


def test_advance__receipt_of_another_transaction__is_no_fact(
    due: World, proxy: ChainProxy, client: ChainClient
) -> None:
    outbox = store_due(due, due.outbox(client))
    proxy.on(
        "eth_getTransactionReceipt", chain_faults.with_fields(transactionHash="0x" + "ab" * 32)
    )

    advance(due, outbox)

    assert intent_rows(due)[0].state == "sent"


@pytest.mark.parametrize("fault", [chain_faults.lost, chain_faults.dropped_send])
def test_advance__reply_lost_or_transaction_dropped__is_mined_once(
    due: World, proxy: ChainProxy, client: ChainClient, fault: chain_faults.Fault
) -> None:
    outbox, first = store_due(due, due.outbox(client)), due.client.head().number
    proxy.on(SEND, fault, times=1)

    advance(due, outbox)
    mine(due)
    advance(due, outbox)
    mine(due)
    advance(due, outbox)

    assert due.posted == 1
    assert len(sent_by(due, SENDER, first=first)) == 1
    assert len(tx_rows(due)) == 1


def test_advance__network_wants_a_tip_of_25_gwei__is_learned_at_once_and_kept(
    due: World, proxy: ChainProxy, client: ChainClient
) -> None:
    """F14 of the findings: it took 28 minutes, for each transaction anew."""
    outbox = store_due(due, due.outbox(client))
    proxy.on(SEND, chain_faults.tip_floor(25 * GWEI))

    assert advance(due, outbox) == [None]
    assert tx_rows(due)[-1].priority_fee_wei >= 25 * GWEI
    attested(due, 1)
    store_due(due)
    refused = proxy.faults["underpriced"]
    assert advance(due, outbox) == [None]
    # The next one begins with what was learned: nobody refused it.
    assert proxy.faults["underpriced"] == refused + 1
    assert due.posted == 2


def test_advance__node_names_no_tip__is_doubled_until_it_is_taken(
    due: World, proxy: ChainProxy, client: ChainClient
) -> None:
    outbox, first = store_due(due, due.outbox(client)), due.client.head().number
    silent = chain_faults.error(-32000, "transaction underpriced")
    proxy.on(SEND, silent, when=lambda ask: chain_faults._fees(ask)[3] < 5 * GWEI)

    assert advance(due, outbox) == [None]
    assert 5 * GWEI <= tx_rows(due)[-1].priority_fee_wei < 20 * GWEI
    assert unknown(due, first=first) == []


def test_advance__tip_above_the_caps__is_a_state_and_no_loop(
    due: World, proxy: ChainProxy, client: ChainClient
) -> None:
    outbox = store_due(due, due.outbox(client, policy=Policy(max_fee_gwei=30)))
    proxy.on(SEND, chain_faults.tip_floor(500 * GWEI))

    (first,) = advance(due, outbox)
    again = advance(due, outbox)

    assert "caps of fees do not allow" in str(first)
    assert again == []
    assert max(tx.max_fee_wei for tx in tx_rows(due)) <= 30 * GWEI
    with reading(due.engine) as connection:
        assert len(outbox_rows.relayer_problems(connection)) == 1


def test_advance__ten_percent_rule__every_replacement_is_taken(
    due: World, proxy: ChainProxy, client: ChainClient
) -> None:
    due.chain.rpc("evm_setAutomine", False)
    policy = Policy(replace_after=1)
    outbox = store_due(due, due.outbox(client, policy=policy))
    said: list[str] = []
    proxy.on(SEND, chain_faults.ten_percent())
    for _ in range(4):
        advance(due, outbox)
        said += [tx.note for tx in tx_rows(due) if tx.note]
        due.chain.rpc("anvil_dropAllTransactions")
        mine(due)

    assert len(tx_rows(due)) >= 3
    assert not any("underpriced" in note for note in said)


def test_advance__chain_without_1559__sends_at_one_price(
    due: World, proxy: ChainProxy, client: ChainClient
) -> None:
    def legacy(block: dict[str, object]) -> dict[str, object]:
        return {k: v for k, v in block.items() if k != "baseFeePerGas"}

    proxy.on("eth_getBlockByNumber", chain_faults.changed(legacy))
    outbox = store_due(due, due.outbox(client))

    assert advance(due, outbox) == [None]
    (tx,) = tx_rows(due)
    assert tx.max_fee_wei == tx.priority_fee_wei
    assert tx.raw_tx[0] >= 0xC0
    assert due.posted == 1


def test_advance__node_without_fee_history__still_sends(
    due: World, proxy: ChainProxy, client: ChainClient
) -> None:
    proxy.on("eth_feeHistory", chain_faults.error(-32601, "the method does not exist"))
    outbox = store_due(due, due.outbox(client))

    assert advance(due, outbox) == [None]


def test_advance__gas_on_a_rollup__is_estimated_and_not_a_constant(
    due: World, proxy: ChainProxy, client: ChainClient
) -> None:
    """Arbitrum puts the price of L1 into gas: three millions for a posting."""
    proxy.on("eth_estimateGas", chain_faults.result(hex(3_000_000)))
    outbox = store_due(due, due.outbox(client))

    assert advance(due, outbox) == [None]
    assert tx_rows(due)[0].gas_limit == 3_750_000
