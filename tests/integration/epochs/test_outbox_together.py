"""Postings and settlements of many facilities are simulated, sent and seen with few calls."""

from collections.abc import Iterator

import pytest

from api.chain.client import ChainClient, EthCall
from api.chain.gas import estimate
from api.chain.measured import measured
from api.domain.transactions import IntentState
from api.domain.units import FacilityId
from api.epochs.outbox import Intent
from api.epochs.post import Post
from api.epochs.settle import Settle
from tests import chain_faults
from tests.chain_proxy import Ask, ChainProxy, Forward, Reply
from tests.factories import DAY_S, GRACE_S, HOUR_S, START_S
from tests.launching import launch
from tests.outboxes import SENDER, failed, intent_rows, sent_by, tx_rows
from tests.world import World

pytestmark = pytest.mark.chain

COUNT = 6


@pytest.fixture
def posting(world: World) -> World:
    """Facilities of hourly epochs, each with its first statement to post."""
    for number in range(COUNT):
        device = 50 + number
        made = world.ledger.add_facility(
            range(device, device + 1),
            settlement_token=world.deployment.settlement_token,
            window_end_s=START_S + DAY_S,
            epoch_length_s=HOUR_S,
        )
        launch(world, made)
        world.ledger.facility_id = made
        world.ledger.add_lease("lease-a")
    world.indexer().advance()
    world.at(HOUR_S)
    for number, facility_id in enumerate(_made(world)):
        event = world.ledger.usage(50 + number, 0, HOUR_S // 2, facility_id=facility_id)
        world.ledger.ingest(event)
    world.at(HOUR_S + GRACE_S)
    world.worker(confirmations=None).run_once()
    world.attest()
    return world


@pytest.fixture
def settling(posting: World) -> World:
    """The same with their statements final and rent to settle."""
    posting.round()
    for facility_id in _made(posting):
        posting.pay(400_000, facility_id=facility_id)
    posting.at(2 * DAY_S)
    return posting


@pytest.fixture
def proxy(world: World) -> Iterator[ChainProxy]:
    with ChainProxy(world.chain.rpc_url) as proxy:
        yield proxy


@pytest.fixture
def client(proxy: ChainProxy) -> Iterator[ChainClient]:
    with ChainClient(proxy.url) as client:
        yield client


def _made(world: World) -> list[FacilityId]:
    """The facilities of this file; a world's first one has longer epochs."""
    return [FacilityId(world.ledger.facility_id - COUNT + 1 + n) for n in range(COUNT)]


def _due(world: World, kind: str) -> list[Intent]:
    step = (
        Post(world.engine, world.contracts, world.evidence)
        if kind == "post"
        else Settle(world.engine, world.contracts)
    )
    found = [intent for intent in world.intents(step) if intent.facility_id in _made(world)]
    assert len(found) == COUNT
    return found


def _call(intent: Intent) -> EthCall:
    return EthCall(intent.to, bytes.fromhex(intent.data.removeprefix("0x")))


def _check_measured(world: World, kind: str) -> None:
    calls, number = [_call(intent) for intent in _due(world, kind)], world.client.head().number

    found = measured(world.client, calls, block=number)

    for call, gas in zip(calls, found, strict=True):
        alone = estimate(world.client, sender=SENDER, to=call.to, data=call.data, number=number)
        assert alone.refusal is None
        assert gas is not None
        assert alone.gas * 0.97 < gas < alone.gas * 1.2
    # One statement cannot be posted twice, nor the same rent settled: each was undone.
    assert measured(world.client, [calls[0]] * 4, block=number) == [found[0]] * 4


def test_measured__postings__as_the_node_estimates_each_alone(posting: World) -> None:
    _check_measured(posting, "post")


def test_measured__settlements__as_the_node_estimates_each_alone(settling: World) -> None:
    _check_measured(settling, "settle")


def test_measured__one_takes_all_gas_that_there_is__others_before_it_are_measured(
    posting: World,
) -> None:
    """An invalid opcode burns what a call may take; what follows is asked for alone."""
    calls = [_call(intent) for intent in _due(posting, "post")[:2]]
    burns = EthCall("0x" + "be" * 20, b"")
    posting.chain.rpc("anvil_setCode", burns.to, "0xfe")

    first, none, _second = measured(
        posting.client, [calls[0], burns, calls[1]], block=posting.client.head().number
    )

    assert none is None
    assert [first] == measured(posting.client, calls[:1], block=posting.client.head().number)


@pytest.mark.parametrize("kind", ["post", "settle"])
def test_advance__many_are_due__are_simulated_in_one_request_and_all_succeed(
    request: pytest.FixtureRequest, proxy: ChainProxy, client: ChainClient, kind: str
) -> None:
    world: World = request.getfixturevalue("posting" if kind == "post" else "settling")
    outbox, first = world.outbox(client), world.client.head().number + 1
    outbox.store(_due(world, kind), world.clock())

    told = outbox.advance(world.clock())

    assert {o.facility_id: o.error for o in told} == dict.fromkeys(_made(world))
    assert proxy.count("eth_estimateGas") == 1
    assert len(sent_by(world, SENDER, first=first)) == (COUNT if kind == "post" else 1)
    assert failed(world, first=first) == []


def test_advance__one_of_many_would_revert__is_told_why_and_stops_no_other(
    posting: World, proxy: ChainProxy, client: ChainClient
) -> None:
    outbox, first = posting.outbox(client), posting.client.head().number + 1
    due = _due(posting, "post")
    bad = due[2]
    # Another `evidenceHash`, the eleventh word, than the one that was signed.
    place = len("0x") + 2 * (4 + 10 * 32)
    data = bad.data[:place] + "00" * 32 + bad.data[place + 64 :]
    spoiled = Intent("post", bad.facility_id, bad.epoch, 0, bad.to, data)
    outbox.store([spoiled if i is bad else i for i in due], posting.clock())

    told = {o.facility_id: o.error for o in outbox.advance(posting.clock())}

    assert told.pop(bad.facility_id)
    assert told == {i.facility_id: None for i in due if i is not bad}
    states = {i.facility_id: i.state for i in intent_rows(posting) if i.epoch == 0}
    assert states[bad.facility_id] == IntentState.REFUSED
    assert failed(posting, first=first) == []
    # That of the longest of those that pass, and the one that says why.
    assert proxy.count("eth_estimateGas") == 2


@pytest.mark.parametrize("answer", ["refused", "short", "empty"])
def test_advance__node_that_measures_nothing__is_asked_for_each_alone(
    posting: World, proxy: ChainProxy, client: ChainClient, answer: str
) -> None:
    fault = {
        "refused": chain_faults.error(-32602, "missing field `to`"),
        "short": chain_faults.result("0x" + "00" * 31),
        "empty": chain_faults.result("0x"),
    }[answer]
    proxy.on("eth_call", fault, when=lambda ask: "to" not in ask.params[0])
    outbox = posting.outbox(client)
    outbox.store(_due(posting, "post"), posting.clock())

    assert [o.error for o in outbox.advance(posting.clock())] == [None] * COUNT
    assert proxy.count("eth_estimateGas") == COUNT


def test_advance__a_rollup_wants_more_for_each__all_of_them_offer_it(
    posting: World, proxy: ChainProxy, client: ChainClient
) -> None:
    """Arbitrum puts the price of L1 into gas, which no call inside another sees."""
    proxy.on("eth_estimateGas", chain_faults.result(hex(3_000_000)))
    outbox = posting.outbox(client)
    outbox.store(_due(posting, "post"), posting.clock())

    assert [o.error for o in outbox.advance(posting.clock())] == [None] * COUNT
    assert all(tx.gas_limit >= 3_700_000 for tx in tx_rows(posting)[-COUNT:])


def _in_one_block(world: World, client: ChainClient) -> list[str | None]:
    """Send what is due, mine it in one block, and look; errors of what came of it."""
    world.chain.rpc("evm_setAutomine", False)
    outbox = world.outbox(client)
    outbox.store(_due(world, "post"), world.clock())
    assert outbox.advance(world.clock()) == []
    world.chain.rpc("evm_mine")
    return [o.error for o in outbox.advance(world.clock())]


def test_advance__many_in_one_block__are_seen_with_one_question(
    posting: World, proxy: ChainProxy, client: ChainClient
) -> None:
    assert _in_one_block(posting, client) == [None] * COUNT
    assert proxy.count("eth_getBlockReceipts") == 1
    assert proxy.count("eth_getTransactionReceipt") == 0


def _half(ask: Ask, forward: Forward) -> Reply:
    """Half of a block's receipts, and something that is none."""
    return {"result": [*forward(ask)["result"][: COUNT // 2], {"transactionHash": 7}, None]}


def _of_fork(ask: Ask, forward: Forward) -> Reply:
    receipts = forward(ask)["result"]
    return {"result": [each | {"blockHash": "0x" + "ab" * 32} for each in receipts]}


@pytest.mark.parametrize(
    ("fault", "alone"),
    [
        (chain_faults.error(-32601, "the method does not exist"), COUNT),
        (chain_faults.result(None), COUNT),
        (chain_faults.result("0x"), COUNT),
        (chain_faults.result([{"transactionHash": "0xzz"}]), COUNT),
        (_half, COUNT - COUNT // 2),
    ],
    ids=["unknown", "null", "text", "no-hash", "half"],
)
def test_advance__receipts_of_a_block_do_not_come__each_is_asked_for(
    posting: World,
    proxy: ChainProxy,
    client: ChainClient,
    fault: chain_faults.Fault,
    alone: int,
) -> None:
    proxy.on("eth_getBlockReceipts", fault)

    assert _in_one_block(posting, client) == [None] * COUNT
    assert proxy.count("eth_getTransactionReceipt") == alone


def test_advance__receipts_of_a_fork__are_no_receipts(
    posting: World, proxy: ChainProxy, client: ChainClient
) -> None:
    proxy.on("eth_getBlockReceipts", _of_fork)

    assert _in_one_block(posting, client) == []
    proxy.clear()
    posting.chain.rpc("evm_mine")
    outbox = posting.outbox(client)
    assert [o.error for o in outbox.advance(posting.clock())] == [None] * COUNT
