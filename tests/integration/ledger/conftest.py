"""Fixtures of importers: the service behind a port, and an operator's desk."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.chain.client import ChainClient
from api.chain.contracts import Contracts
from api.chain.deployment import parse_deployment
from tests.factories import Ledger
from tests.integration.ledger.desk import Desk
from tests.integration.service import (
    NO_CHAIN,
    Service,
    change_service,
    deployment_document,
    make_app,
    serving,
)


@pytest.fixture
def server(database_url: str, ledger: Ledger, tmp_path: Path) -> Iterator[tuple[Service, str]]:
    """The application behind uvicorn, and its URL."""
    api = make_app(database_url, tmp_path)
    contracts = Contracts(ChainClient(NO_CHAIN), parse_deployment(deployment_document()))
    change_service(api, clock=ledger.clock, contracts=contracts)
    with serving(api) as port:
        yield Service(api, None, ledger), f"http://127.0.0.1:{port}"  # type: ignore[arg-type]


@pytest.fixture
def desk(server: tuple[Service, str], tmp_path: Path) -> Desk:
    """A desk with an empty folder."""
    folder = tmp_path / "desk"
    folder.mkdir()
    return Desk(folder, *server)
