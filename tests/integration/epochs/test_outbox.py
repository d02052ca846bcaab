"""The outbox on a real chain: stored before it is sent, watched until it is final."""

from typing import Any

import pytest

from api.chain import calldata
from api.chain.client import ChainClient
from api.db import outbox as outbox_rows
from api.db.session import reading
from scripts.dev.stack import ATTESTER_ACCOUNTS, RENTER
from tests.outboxes import (
    FINAL_BLOCKS,
    GWEI,
    SENDER,
    advance,
    attested,
    intent_rows,
    mine,
    pool_has,
    store_due,
    tx_rows,
    unknown,
)
from tests.world import World, send, wallet

pytestmark = pytest.mark.chain


@pytest.fixture
def due(world: World) -> World:
    """A world whose first statement is attested and can be posted."""
    return attested(world)


def _intent(world: World) -> Any:
    (row,) = intent_rows(world)
    return row


def _crash(*_args: Any, **_more: Any) -> None:
    raise KeyboardInterrupt


def test_advance__due__is_mined_and_final_only_when_its_block_is(due: World) -> None:
    outbox = store_due(due)
    before = _intent(due)

    assert advance(due, outbox) == [None]
    mined, (tx,) = _intent(due), tx_rows(due)
    advance(due, outbox)
    still = _intent(due)
    mine(due, FINAL_BLOCKS)
    told = advance(due, outbox)

    assert (before.state, mined.state, still.state) == ("due", "mined", "mined")
    assert tx.block_hash == due.client.block(tx.block_number or 0).hash
    assert tx.gas_used
    assert tx.cost_gwei
    assert told == []
    assert (_intent(due).state, tx_rows(due)[0].state) == ("final", "final")


def test_advance__nothing_to_do__asks_the_node_nothing(due: World) -> None:
    asked: list[str] = []

    class Counting(ChainClient):
        def request(self, method: str, *params: Any, **more: Any) -> Any:
            asked.append(method)
            return super().request(method, *params, **more)

    with Counting(due.chain.rpc_url) as client:
        assert due.outbox(client).advance(due.clock()) == []

    assert asked == []


@pytest.mark.parametrize("target", [(outbox_rows, "save_signed"), (ChainClient, "send_raw")])
def test_advance__killed_around_a_write__nothing_is_sent_that_is_not_known(
    due: World, monkeypatch: pytest.MonkeyPatch, target: tuple[Any, str]
) -> None:
    """ATTACKS 37."""
    outbox, first = store_due(due), due.client.head().number
    with monkeypatch.context() as patch:
        patch.setattr(*target, _crash)
        with pytest.raises(KeyboardInterrupt):
            advance(due, outbox)

    assert advance(due) == [None]
    assert unknown(due, first=first) == []
    assert due.posted == 1


def test_advance__sent_before_it_is_stored__is_caught_by_the_check(
    due: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: the check of unknown transactions must fail where the order is wrong."""
    outbox, first = store_due(due), due.client.head().number

    def send_first(_connection: Any, tx: Any, _carries: Any) -> None:
        due.client.send_raw(tx.raw_tx)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(outbox_rows, "save_signed", send_first)
        with pytest.raises(KeyboardInterrupt):
            advance(due, outbox)

    assert len(unknown(due, first=first)) == 1


def test_advance__dropped_from_the_mempool__is_sent_again_with_the_next_block(due: World) -> None:
    """ATTACKS 36."""
    due.chain.rpc("evm_setAutomine", False)
    outbox = store_due(due)
    assert advance(due, outbox) == []
    (tx,) = tx_rows(due)
    assert due.chain.rpc("anvil_dropTransaction", "0x" + tx.tx_hash.hex()) is not None
    mine(due)

    assert advance(due) == []
    assert pool_has(due, tx)
    mine(due)
    assert advance(due) == [None]
    assert [t.tx_hash for t in tx_rows(due)] == [tx.tx_hash]
    assert due.posted == 1


def test_advance__waits_for_blocks_in_vain__is_offered_at_a_higher_fee(due: World) -> None:
    """ATTACKS 36: blocks count, not seconds; both fees rise by what nodes ask."""
    due.chain.rpc("evm_setAutomine", False)
    outbox = store_due(due)
    advance(due, outbox)
    (first,) = tx_rows(due)
    due.chain.rpc("anvil_dropTransaction", "0x" + first.tx_hash.hex())
    for _ in range(5):
        mine(due)
        due.chain.rpc("anvil_dropTransaction", "0x" + first.tx_hash.hex())
    advance(due, outbox, later_s=3_600)
    assert len(tx_rows(due)) == 1
    due.chain.rpc("anvil_dropTransaction", "0x" + first.tx_hash.hex())
    mine(due)

    advance(due, outbox)
    old, new = tx_rows(due)
    mine(due)

    assert advance(due, outbox) == [None]
    assert old.nonce == new.nonce
    assert 8 * new.max_fee_wei >= 9 * old.max_fee_wei
    assert 8 * new.priority_fee_wei >= 9 * old.priority_fee_wei
    assert [t.state for t in tx_rows(due)] == ["sent", "mined"]
    mine(due, FINAL_BLOCKS)
    advance(due, outbox)
    assert [t.state for t in tx_rows(due)] == ["replaced", "final"]


def test_advance__base_fee_above_what_was_offered__is_replaced_at_its_nonce(due: World) -> None:
    """ATTACKS 36: a stuck transaction."""
    due.chain.rpc("evm_setAutomine", False)
    outbox = store_due(due)
    advance(due, outbox)
    due.chain.rpc("anvil_setNextBlockBaseFeePerGas", hex(50 * GWEI))
    mine(due)

    advance(due, outbox)
    old, new = tx_rows(due)
    mine(due)

    assert advance(due, outbox) == [None]
    assert old.nonce == new.nonce
    assert new.max_fee_wei >= 50 * GWEI


def test_advance__base_fee_beyond_any_reason__never_signs_above_the_cap(due: World) -> None:
    due.chain.rpc("evm_setAutomine", False)
    outbox = store_due(due)
    advance(due, outbox)
    due.chain.rpc("anvil_setNextBlockBaseFeePerGas", hex(10**6 * GWEI))
    for _ in range(3):
        mine(due)
        advance(due, outbox)
        due.chain.rpc("anvil_setNextBlockBaseFeePerGas", hex(10**6 * GWEI))

    assert max(tx.max_fee_wei for tx in tx_rows(due)) <= 1_000 * GWEI
    assert _intent(due).state == "sent"
    due.chain.rpc("anvil_setNextBlockBaseFeePerGas", hex(GWEI))
    mine(due)
    advance(due)
    mine(due)
    advance(due)
    assert due.posted == 1


def test_advance__posted_by_somebody_else_meanwhile__is_not_sent(due: World) -> None:
    outbox = store_due(due)
    data = calldata.post(due.statement(0), due.signatures(0))
    send(due.client, wallet(RENTER).address, due.deployment.statement_registry, data)

    outcomes = advance(due, outbox)

    assert outcomes == [f"EpochOutOfOrder({due.facility_id}, 1, 0)"]
    assert tx_rows(due) == []
    assert due.round().outcomes == ()
    assert len(due.events("StatementPosted")) == 1


def test_round__relayer_without_funds__is_told_once_and_stops_nothing_else(due: World) -> None:
    """One key without money must not stop everything else; it is a state, and no loop of errors."""
    due.chain.rpc("anvil_setBalance", SENDER, "0x0")
    due.at_cut_off(1)

    first, second = due.worker().run_once(), due.worker().run_once()

    assert "funds" in str(first.outcomes[0].error)
    assert (first.closed, first.blocks_behind) == (1, 0)
    assert second.outcomes == ()
    assert tx_rows(due) == []
    with reading(due.engine) as connection:
        (problem,) = outbox_rows.relayer_problems(connection)
    assert "funds" in str(problem.problem)
    due.chain.rpc("anvil_setBalance", SENDER, hex(10**20))
    due.round()
    assert due.posted == 1
    with reading(due.engine) as connection:
        assert outbox_rows.relayer_problems(connection) == []


def test_round__seat_of_a_signer_given_to_another__waits_for_a_quorum_of_the_panel(
    due: World,
) -> None:
    """ATTACKS 19: a signature without a seat would make the posting revert."""
    registry, governance = due.deployment.attester_registry, wallet(0).address
    signed = sorted(due.signatures(0))
    newcomer = wallet(9).address
    seats = {wallet(i).address for i in ATTESTER_ACCOUNTS} - {signed[0]} | {newcomer}
    in_order = sorted(seats, key=lambda account: int(account, 16))
    for name, *arguments in (("setAttester", newcomer, True), ("setPanel", 1, in_order)):
        send(due.client, governance, registry, calldata.call("AttesterRegistry", name, *arguments))

    assert due.round().outcomes == ()
    due.attest(2)
    due.round()

    assert due.posted == 1
    assert due.verify().findings == ()
