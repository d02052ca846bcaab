"""A node that stalls: what needs no chain answers as ever, what needs it says so soon."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.main import create_app
from api.routes.service import service_of
from tests import chain_faults
from tests.chain_proxy import ANY, ChainProxy
from tests.factories import DAY_S, HOUR_S
from tests.world import HOLDERS, World

pytestmark = pytest.mark.chain

# More than the threads of a process.
CROWD = 60


@pytest.fixture
def proxy(world: World) -> Iterator[ChainProxy]:
    """The world's node, behind a proxy."""
    with ChainProxy(world.chain.rpc_url) as found:
        yield found


@pytest.fixture
def http(world: World, proxy: ChainProxy) -> Iterator[TestClient]:
    """The application, as it starts with a node that works."""
    settings = world.settings(rpc_url=proxy.url, clock="system")
    app = create_app(settings)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client
    service_of(app).engine.dispose()


def _crowd(http: TestClient, path: str, count: int) -> tuple[list[threading.Thread], list[int]]:
    codes: list[int] = []

    def ask() -> None:
        codes.append(http.get(path).status_code)

    threads = [threading.Thread(target=ask) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads, codes


@pytest.mark.parametrize("path", ["/v1/status", "/v1/reconciliation", "/v1/config"])
def test_api__crowd_at_a_stalled_node__holds_up_neither_health_nor_ingest(
    world: World, proxy: ChainProxy, http: TestClient, path: str
) -> None:
    """F17: with 45 requests waiting, health and ingest took two minutes each."""
    world.indexer().advance()
    world.at(DAY_S)
    proxy.on(ANY, chain_faults.stall)

    threads, codes = _crowd(http, path, CROWD)
    health = http.get("/health")
    events = http.post("/v1/events", json=world.ledger.usage(0, 0, HOUR_S), headers=_key(world))
    answered: dict[str, Any] = {"health": health.status_code, "events": events.status_code}
    for thread in threads:
        thread.join(60)

    assert answered == {"health": 200, "events": 200}
    assert len(codes) == CROWD
    # 429: more than one caller may ask for at a time.
    assert set(codes) <= {200, 429, 503}
    assert set(codes) != {429}
    # Nobody asked for each of them: not sixty requests, nor one a facility.
    assert proxy.requests < CROWD


def _key(world: World) -> dict[str, str]:
    return {"Authorization": f"Bearer {world.ledger.api_key}"}


def test_api__that_needs_the_chain__says_why_it_cannot(
    world: World, proxy: ChainProxy, http: TestClient
) -> None:
    world.indexer().advance()
    proxy.on(ANY, chain_faults.stall)

    answer = http.get("/v1/reconciliation")

    assert answer.status_code == 503
    assert answer.json()["code"] in {"chain_unavailable", "chain_busy"}


@pytest.mark.parametrize("path", ["/v1/reconciliation", "/v1/portfolio/{holder}", "/v1/status"])
def test_api__public_route__asks_the_node_little_and_the_same_but_once(
    world: World, proxy: ChainProxy, http: TestClient, path: str
) -> None:
    """D5: one request cost two calls a facility and more, each time."""
    world.indexer().advance()
    path = path.format(holder=HOLDERS[0])
    http.get("/v1/config")
    proxy.forget()

    first = http.get(path)
    asked = len(proxy.asked)
    rest = [http.get(path) for _ in range(5)]

    assert [answer.status_code for answer in (first, *rest)] == [200] * 6
    assert all(answer.json() == first.json() for answer in rest if path != "/v1/status")
    assert asked <= 6
    # The head or the block's hash again at most, should a second or two have passed.
    assert {method for method, _ in proxy.asked[asked:]} <= {"eth_getBlockByNumber"}
    world.pay(1_000)
    world.indexer().advance()
    assert http.get("/v1/reconciliation").json()["total"]["collected_micros"] == 1_000
