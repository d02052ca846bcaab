"""ATTACKS 51: a service whose clock is wrong once, on a real chain, goes on when it is right."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from api.chain.client import ChainClient
from api.main import recording_clock
from api.settings import Settings
from scripts.dev.devchain import DevChain, dev_chain
from tests.factories import DAY_S, HOUR_S, START_S, Ledger
from tests.integration.service import Service, change_service, make_app

AHEAD_S = 40 * DAY_S


@pytest.fixture
def chain() -> Iterator[DevChain]:
    """A chain at the end of the first epoch, when the ledger's leases were opened."""
    with dev_chain(timestamp_s=START_S + DAY_S) as chain:
        yield chain


@pytest.fixture
def settings(chain: DevChain) -> Settings:
    return Settings(_env_file=None, rpc_url=chain.rpc_url)  # type: ignore[call-arg]


@pytest.fixture
def service(database_url: str, ledger: Ledger, tmp_path, settings: Settings) -> Iterator[Service]:
    """The application by this machine's clock, which tests set, within the chain's."""
    app = make_app(database_url, tmp_path)
    with ChainClient(settings.rpc_url) as node:
        change_service(app, clock=recording_clock(settings, node, wall=ledger.clock))
        with TestClient(app, raise_server_exceptions=False) as client:
            yield Service(app, client, ledger)


def _codes(service: Service, *events) -> list[str | None]:
    answer = service.post(list(events))
    assert answer.status_code == 200, answer.text
    return [r.get("code") or r["status"] for r in answer.json()["results"]]


def test_events__accepted_while_the_clock_is_wrong__leave_the_next_ones_alone(
    service: Service,
) -> None:
    ledger = service.ledger
    ledger.clock.now_s += AHEAD_S
    wrong = _codes(
        service,
        ledger.usage(0, 0, HOUR_S),
        ledger.adjustment("lease-a", -5),
        ledger.usage(1, 20 * DAY_S, 20 * DAY_S + HOUR_S),
    )
    ledger.clock.now_s -= AHEAD_S - 600
    right = _codes(service, ledger.usage(1, 0, HOUR_S), ledger.usage(2, DAY_S, DAY_S + HOUR_S))

    assert wrong == ["accepted", "accepted", "outside_window"]
    assert right == ["accepted", "in_the_future"]
