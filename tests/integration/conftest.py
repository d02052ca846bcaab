"""Fixtures on real databases."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.factories import Ledger


@pytest.fixture
def ledger(engine: Engine, tmp_path: Path) -> Ledger:
    """A registered operator, facility and leases."""
    return Ledger(engine, tmp_path)
