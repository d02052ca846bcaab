"""Calls of the chain: an idle round makes as many for many facilities as for few."""

from collections import Counter

import pytest

from api.chain.client import ChainClient
from api.domain.units import FacilityId
from api.epochs.post import Post
from api.epochs.queue import Queue, Told
from api.epochs.settle import Settle
from api.epochs.worker import Worker
from tests.chain_proxy import ChainProxy
from tests.factories import DAY_S, GRACE_S, HOUR_S, START_S
from tests.launching import launch
from tests.world import World

pytestmark = pytest.mark.chain


def _more(world: World, count: int) -> list[FacilityId]:
    """More facilities of hourly epochs, funded."""
    made = []
    for number in range(count):
        facility_id = world.ledger.add_facility(
            range(100 + number, 101 + number),
            settlement_token=world.deployment.settlement_token,
            window_end_s=START_S + DAY_S,
            epoch_length_s=HOUR_S,
        )
        launch(world, facility_id)
        made.append(FacilityId(facility_id))
    return made


def _idle(proxy: ChainProxy, worker: Worker) -> Counter[str]:
    """Calls of a round in which nothing is due, once what a start looks at has been seen."""
    for _ in range(3):
        worker.run_once()
    proxy.forget()
    assert worker.run_once().idle
    return Counter(method for method, _ in proxy.asked)


def test_round__idle__asks_as_much_for_twelve_facilities_as_for_one(world: World) -> None:
    with ChainProxy(world.chain.rpc_url) as proxy, ChainClient(proxy.url) as client:
        few = _idle(proxy, world.worker(client))
        _more(world, 11)
        many = _idle(proxy, world.worker(client))

    assert many == few
    assert many["eth_call"] == 0
    assert many.total() <= 6


def test_read__many_facilities__takes_two_calls_to_post_and_one_to_settle(world: World) -> None:
    """Sixteen calls of each facility and epoch before."""
    ids = _more(world, 8)
    world.at(HOUR_S + GRACE_S)
    world.round()
    world.attest()
    queue = Queue(world.engine)
    with ChainProxy(world.chain.rpc_url) as proxy, ChainClient(proxy.url) as client:
        contracts = type(world.contracts)(client, world.deployment)
        spent = {}
        for step in (
            Post(world.engine, contracts, world.evidence),
            Settle(world.engine, contracts),
        ):
            queue.wake([step.name], ids)
            proxy.forget()
            now_s = world.clock()
            queue.run(step, chain_s=now_s, told=Told(), head=client.head)  # type: ignore[arg-type]
            spent[step.name] = proxy.count("eth_call")

    assert spent == {"post": 2, "settle": 1}


def test_attest__many_facilities__reads_seats_and_pledges_of_all_together(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand facilities were asked for each by itself, with every new block."""
    ids = _more(world, 8)
    world.at(HOUR_S + GRACE_S)
    world.round()
    with ChainProxy(world.chain.rpc_url) as proxy, ChainClient(proxy.url) as client:
        contracts = type(world.contracts)(client, world.deployment)
        monkeypatch.setattr(world, "contracts", contracts)
        verdicts = world.attest(0)
        called = Counter(p[0].get("to", "").lower() for m, p in proxy.asked if m == "eth_call")

    assert [(v.facility_id, v.signed) for v in verdicts] == [(i, True) for i in ids]
    assert called[world.deployment.attester_registry.lower()] <= 1
    assert called[world.deployment.pledge_registry.lower()] <= 1
    assert called[""] == 2
