"""Fixtures on real databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from tests.factories import Ledger
from tests.integration.service import Service, make_app


@pytest.fixture
def ledger(engine: Engine, tmp_path: Path) -> Ledger:
    """A registered operator, facility and leases."""
    return Ledger(engine, tmp_path)


@pytest.fixture
def service(database_url: str, ledger: Ledger, tmp_path: Path) -> Iterator[Service]:
    """The application in process; unexpected errors are answered, as in production."""
    app = make_app(database_url, tmp_path)
    app.state.clock = ledger.clock
    with TestClient(app, raise_server_exceptions=False) as client:
        yield Service(app, client, ledger)
