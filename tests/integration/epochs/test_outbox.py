"""The outbox on a real chain: stuck, dropped, replaced, reverted and refused transactions."""

import time
from typing import Any

import pytest
from sqlalchemy import select

from api.chain import calldata
from api.db.session import reading
from api.db.tables.chain import intents
from api.domain.hashing import keccak
from api.epochs.outbox import Outbox
from api.epochs.post import postable
from scripts.dev.stack import ATTESTER_ACCOUNTS, RELAYER, RENTER
from tests.factories import DAY_S, HOUR_S
from tests.world import World, send, wallet

pytestmark = pytest.mark.chain
GWEI = 10**9


@pytest.fixture
def due(world: World) -> World:
    """A world whose first statement is attested and can be posted."""
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, 2 * HOUR_S))
    world.at_cut_off(0)
    world.round()
    world.attest()
    return world


def _store(world: World, outbox: Outbox | None = None) -> Outbox:
    """Sign and store what is due, without sending it."""
    outbox = outbox or world.outbox()
    found = postable(world.engine, world.contracts, world.evidence)
    assert outbox.store(found, world.clock()) == 1
    return outbox


def _row(world: World) -> Any:
    with reading(world.engine) as connection:
        return connection.execute(select(intents)).one()


def _mine(world: World, tx_hash: bytes) -> None:
    world.chain.rpc("evm_mine")
    while world.client.receipt(tx_hash) is None:
        time.sleep(0.002)


def _registry(world: World, signature: str) -> None:
    """Call a function of StatementRegistry with the deployer's roles."""
    data = "0x" + keccak(signature.encode())[:4].hex()
    send(world.client, wallet(0).address, world.deployment.statement_registry, data)


def _errors(outcomes: Any) -> list[str | None]:
    return [o.error for o in outcomes]


def test_flush__nonce_taken_by_another_transaction__fails_and_is_retried(due: World) -> None:
    """ATTACKS 36: a nonce race."""
    outbox = _store(due)
    relayer = wallet(RELAYER).address
    send(due.client, relayer, relayer, "0x")

    outcomes = outbox.flush()

    assert _errors(outcomes) == ["its nonce went to another transaction"]
    assert due.posted == 0
    due.round()
    assert due.posted == 1
    assert _row(due).state == "done"


def test_flush__dropped_from_the_mempool__is_sent_again(due: World) -> None:
    """ATTACKS 36."""
    due.chain.rpc("evm_setAutomine", False)
    outbox = _store(due, due.outbox(receipt_timeout_s=0))
    assert outbox.flush() == []
    dropped = due.chain.rpc("anvil_dropTransaction", "0x" + _row(due).tx_hash.hex())
    assert dropped is not None
    due.chain.rpc("evm_setAutomine", True)

    outcomes = due.outbox().flush()

    assert _errors(outcomes) == [None]
    assert due.posted == 1


def test_flush__reverts__fails_with_its_reason_and_is_retried_while_due(due: World) -> None:
    outbox = _store(due)
    _registry(due, "pause()")

    outcomes = outbox.flush()
    failed = _row(due)

    assert _errors(outcomes) == ["the transaction reverted: EnforcedPause()"]
    assert (failed.state, failed.error) == ("failed", outcomes[0].error)
    _registry(due, "unpause()")
    due.round()
    assert due.posted == 1
    assert (_row(due).state, _row(due).error) == ("done", None)


def test_flush__posted_by_somebody_else__fails_by_name_and_is_not_retried(due: World) -> None:
    outbox = _store(due)
    data = calldata.post(due.statement(0), due.signatures(0))
    send(due.client, wallet(RENTER).address, due.deployment.statement_registry, data)

    outcomes = outbox.flush()

    expected = f"the transaction reverted: EpochOutOfOrder({due.facility_id}, 1, 0)"
    assert _errors(outcomes) == [expected]
    assert due.round().outcomes == ()
    assert len(due.events("StatementPosted")) == 1


def test_flush__base_fee_above_max_fee__replaces_at_the_same_nonce(due: World) -> None:
    """ATTACKS 36: a stuck transaction."""
    outbox = _store(due)
    before = _row(due)
    due.chain.rpc("anvil_setNextBlockBaseFeePerGas", hex(50 * GWEI))
    due.chain.rpc("evm_mine")

    outcomes = outbox.flush()
    after = _row(due)

    assert _errors(outcomes) == [None]
    assert due.posted == 1
    assert after.nonce == before.nonce
    assert after.max_fee_wei >= 50 * GWEI
    # Nodes refuse a replacement that does not raise both fees by a tenth.
    assert 10 * after.max_fee_wei >= 11 * before.max_fee_wei
    assert 10 * after.priority_fee_wei >= 11 * before.priority_fee_wei
    assert after.replaced_hashes == before.tx_hash
    assert after.tx_hash != before.tx_hash


def test_flush__base_fee_beyond_any_reason__never_signs_above_the_cap(due: World) -> None:
    outbox = _store(due, due.outbox(receipt_timeout_s=0))
    before = _row(due)
    due.chain.rpc("anvil_setNextBlockBaseFeePerGas", hex(10**6 * GWEI))
    due.chain.rpc("evm_mine")

    outbox.flush()
    outbox.flush()

    assert before.max_fee_wei < _row(due).max_fee_wei <= 1_000 * GWEI
    assert _row(due).state == "sent"
    due.chain.rpc("anvil_setNextBlockBaseFeePerGas", hex(GWEI))
    due.chain.rpc("evm_mine")
    assert _errors(due.outbox().flush()) == [None]


def test_flush__killed_between_replacing_and_sending__finds_the_old_one_mined(
    due: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ATTACKS 36, 37: every hash that may be mined is kept."""
    due.chain.rpc("evm_setAutomine", False)
    outbox = _store(due, due.outbox(receipt_timeout_s=0))
    assert outbox.flush() == []
    first = _row(due)

    def crash(_raw: bytes) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(due.client, "send_raw", crash)
        with pytest.raises(KeyboardInterrupt):
            outbox.flush()
    assert _row(due).replaced_hashes == first.tx_hash
    _mine(due, first.tx_hash)
    outcomes = due.outbox().flush()

    assert _errors(outcomes) == [None]
    assert outcomes[0].tx_hash == _row(due).tx_hash == first.tx_hash


def test_flush__waited_in_vain__replaces_and_the_new_one_is_mined(due: World) -> None:
    due.chain.rpc("evm_setAutomine", False)
    outbox = _store(due, due.outbox(receipt_timeout_s=0))
    outbox.flush()
    first = _row(due)

    outbox.flush()
    second = _row(due)
    _mine(due, second.tx_hash)
    outcomes = outbox.flush()

    assert second.replaced_hashes == first.tx_hash
    assert outcomes[0].tx_hash == second.tx_hash
    assert due.client.receipt(first.tx_hash) is None
    assert due.posted == 1


def test_round__relayer_without_funds__still_closes_and_indexes(due: World) -> None:
    """One refused transaction must not stop everything else."""
    relayer = wallet(RELAYER).address
    due.chain.rpc("anvil_setBalance", relayer, "0x0")
    due.at_cut_off(1)

    done = due.worker().run_once()

    assert "funds" in str(done.outcomes[0].error).lower()
    assert done.closed == 1
    assert done.blocks_behind == 0
    assert _row(due).state == "sent"
    assert "funds" in _row(due).error.lower()
    due.chain.rpc("anvil_setBalance", relayer, hex(10**20))
    due.round()
    assert (due.posted, _row(due).error) == (1, None)


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
