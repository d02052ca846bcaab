"""What would revert is not sent: it is kept with its reason, and tried again later each time."""

from typing import Any

import pytest

from api.chain import calldata
from api.domain.hashing import keccak
from api.domain.transactions import IntentState
from api.domain.units import Epoch, FacilityId
from api.epochs.outbox import Intent, Policy
from api.epochs.post import Post
from api.epochs.settle import Settle
from scripts.dev.stack import RENTER
from tests.factories import DAY_S, HOUR_S
from tests.outboxes import (
    SENDER,
    advance,
    attested,
    failed,
    intent_rows,
    second_facility,
    sent_by,
    store_due,
    tx_rows,
)
from tests.world import World, send, wallet

pytestmark = pytest.mark.chain


@pytest.fixture
def due(world: World) -> World:
    """A world whose first statement is attested and can be posted."""
    return attested(world)


@pytest.fixture
def settling(world: World) -> World:
    """A world with rent of 0.5 that can be settled."""
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, HOUR_S))
    world.post(0)
    world.pay(500_000)
    world.at_finality(0)
    return world


def _registry(world: World, signature: str) -> None:
    """Call a function of StatementRegistry with the deployer's roles."""
    data = "0x" + keccak(signature.encode())[:4].hex()
    send(world.client, wallet(0).address, world.deployment.statement_registry, data)


class _Counting:
    """Calls of one method, counted on their way to the node."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
        self.count = 0
        ask = world.client.request

        def counted(asked: str, *params: Any, **more: Any) -> Any:
            self.count += asked == method
            return ask(asked, *params, **more)

        monkeypatch.setattr(world.client, "request", counted)


def test_advance__paused__sends_nothing_and_waits_longer_each_time(due: World) -> None:
    """F4 of the findings, ATTACKS 54: 63 transactions reverted in 20 seconds."""
    outbox, first = store_due(due), due.client.head().number
    _registry(due, "pause()")

    told = [advance(due, outbox, later_s=s) for s in range(120)]
    refusals = [at for at, errors in enumerate(told) if errors]
    refused = intent_rows(due)[0]

    assert {e for errors in told for e in errors} == {"EnforcedPause()"}
    # Pauses of 15, 30 and 60 seconds, a quarter more or less.
    assert len(refusals) in (3, 4)
    assert refusals == sorted(refusals)
    assert refusals[1] - refusals[0] < refusals[2] - refusals[1]
    assert (refused.state, refused.attempts) == (IntentState.REFUSED, len(refusals))
    assert sent_by(due, SENDER, first=first) == []
    _registry(due, "unpause()")
    assert advance(due, outbox, later_s=1_000) == [None]
    assert (due.posted, intent_rows(due)[0].attempts) == (1, 0)


def test_advance__refused_while_the_clock_was_weeks_ahead__is_sent_once_it_is_right(
    due: World,
) -> None:
    """When to try again is by this machine's clock, which somebody may set for a while."""
    outbox = store_due(due)
    _registry(due, "pause()")
    ahead_s = 40 * DAY_S
    outbox.store(due.intents(Post(due.engine, due.contracts, due.evidence)), due.clock() + ahead_s)
    assert advance(due, outbox, later_s=ahead_s) == ["EnforcedPause()"]
    _registry(due, "unpause()")

    assert advance(due, outbox, later_s=60) == [None]
    assert due.posted == 1


def test_advance__one_reason_for_many__is_asked_once_for_all(
    due: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What holds for a contract is no fault of each facility: one call finds that it is over."""
    outbox = store_due(due)
    (real,) = intent_rows(due)
    others = [
        Intent("post", due.ledger.facility_id + n, real.epoch, 0, real.to_address, real.data.hex())
        for n in range(1, 6)
    ]
    outbox.store([_unlike(i, n) for n, i in enumerate(others)], due.clock())
    _registry(due, "pause()")
    advance(due, outbox)
    simulated = _Counting(due, monkeypatch, "eth_estimateGas")

    told = advance(due, outbox, later_s=30)

    assert told == ["EnforcedPause()"] * 6
    assert simulated.count == 1


def _unlike(intent: Intent, number: int) -> Intent:
    """The same call with bytes behind it that the contract does not read."""
    data = intent.data + number.to_bytes(32, "big").hex()
    return Intent(intent.kind, intent.facility_id, intent.epoch, 0, intent.to, data)


def test_advance__token_refuses_to_move__costs_no_gas_until_it_can(settling: World) -> None:
    """F4: a frozen settlement token."""
    outbox, first = settling.outbox(), settling.client.head().number
    token = settling.deployment.settlement_token
    code = settling.chain.rpc("eth_getCode", token, "latest")
    settling.chain.rpc("anvil_setCode", token, "0xfe")
    outbox.store(settling.intents(Settle(settling.engine, settling.contracts)), settling.clock())

    (refused,) = advance(settling, outbox)
    assert advance(settling, outbox) == []
    settling.chain.rpc("anvil_setCode", token, code)
    done = advance(settling, outbox, later_s=60)

    assert refused is not None
    assert done == [None]
    assert settling.settled == 500_000
    assert len(sent_by(settling, SENDER, first=first)) == 1


def test_advance__mined_and_reverted_all_the_same__waits_before_it_tries_again(due: World) -> None:
    """Between simulation and block the chain changed."""
    due.chain.rpc("evm_setAutomine", False)
    outbox, first = store_due(due), due.client.head().number
    advance(due, outbox)
    held = due.chain.rpc("anvil_dropTransaction", "0x" + tx_rows(due)[0].tx_hash.hex())
    assert held
    due.chain.rpc("evm_setAutomine", True)
    _registry(due, "pause()")
    due.client.send_raw(tx_rows(due)[0].raw_tx)

    (error,) = advance(due, outbox)
    again = advance(due, outbox, later_s=5)

    assert error == "the transaction reverted: EnforcedPause()"
    assert intent_rows(due)[0].state == IntentState.REVERTED
    assert again == []
    _registry(due, "unpause()")
    assert advance(due, outbox, later_s=60) == [None]
    assert due.posted == 1
    assert len(failed(due, first=first)) == 1


def test_advance__gas_of_the_day_is_used__says_so_and_goes_on_the_next_day(due: World) -> None:
    """F4: a budget a facility, so that none empties the relayer."""
    # The worker posts the first on its way.
    attested(due, 1)
    with_budget = due.outbox(policy=Policy(gas_of_facility_a_day=200_000))
    with_budget.store(due.intents(Post(due.engine, due.contracts, due.evidence)), due.clock())

    (said,) = advance(due, with_budget)
    still = advance(due, with_budget, later_s=3_000)
    with_budget.store(
        due.intents(Post(due.engine, due.contracts, due.evidence)), due.clock() + 90_000
    )
    next_day = advance(due, with_budget, later_s=90_000)

    assert "of its 200,000 gas in 24 hours" in str(said)
    assert len(still) == 1
    assert next_day == [None]
    assert due.posted == 2


@pytest.fixture
def two(world: World) -> tuple[World, int]:
    """A world with a second facility; both can be settled."""
    second = second_facility(world)
    world.at(DAY_S)
    for gpu, facility_id in ((0, world.facility_id), (10, second)):
        world.ledger.ingest(world.ledger.usage(gpu, 0, HOUR_S, facility_id=facility_id))
    world.at_cut_off(0)
    world.worker().run_once()
    world.attest()
    world.worker().run_once()
    world.pay(500_000)
    world.pay(300_000, facility_id=second)
    world.at_finality(0)
    return world, second


def test_advance__many_settlements__one_transaction_and_an_outcome_each(
    two: tuple[World, int],
) -> None:
    """`settleMany`: a member that would revert is left out, and stops no other."""
    world, second = two
    outbox, first = world.outbox(), world.client.head().number + 1
    found = world.intents(Settle(world.engine, world.contracts))
    assert [i.facility_id for i in found] == [world.facility_id, second]
    nobody = FacilityId(second + 7)
    nothing = Intent("settle", nobody, Epoch(1), 0, found[0].to, calldata.settle(nobody))
    outbox.store([*found, nothing], world.clock())

    told = {o.facility_id: o.error for o in outbox.advance(world.clock())}

    assert told.pop(nobody) is not None
    assert told == {world.facility_id: None, second: None}
    (tx,) = sent_by(world, SENDER, first=first)
    assert tx["input"][2:10] == keccak(b"settleMany(uint64[])")[:4].hex()
    assert world.settled == 500_000
    lockbox = world.contracts.rent_lockbox
    assert world.now(lockbox.book_of(second)).settled_micros == 300_000


def test_advance__batch_skips_a_member_on_the_chain__only_that_one_is_tried_again(
    two: tuple[World, int],
) -> None:
    """Each member has its own outcome, from the receipt's logs."""
    world, second = two
    world.chain.rpc("evm_setAutomine", False)
    outbox = world.outbox()
    outbox.store(world.intents(Settle(world.engine, world.contracts)), world.clock())
    advance(world, outbox)
    batch = tx_rows(world)[-1]
    world.chain.rpc("anvil_dropTransaction", "0x" + batch.tx_hash.hex())
    world.chain.rpc("evm_setAutomine", True)
    # Somebody settles one of them first.
    lockbox = world.deployment.rent_lockbox
    send(world.client, wallet(RENTER).address, lockbox, calldata.settle(second))
    world.client.send_raw(batch.raw_tx)

    told = {o.facility_id: o.error for o in outbox.advance(world.clock())}

    assert told == {world.facility_id: None, second: "the batch skipped it"}
    settles = [i for i in intent_rows(world) if i.kind == "settle"]
    assert [(i.facility_id, i.state) for i in settles] == [
        (world.facility_id, "mined"),
        (second, "reverted"),
    ]
