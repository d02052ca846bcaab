"""Fixtures of the checks of reliability."""

from collections.abc import Iterator

import pytest

from tests.chain_proxy import ChainProxy
from tests.chaos.postgres import Postgres, postgres
from tests.world import World


@pytest.fixture
def proxy(world: World) -> Iterator[ChainProxy]:
    """The world's node, behind a proxy."""
    with ChainProxy(world.chain.rpc_url) as found:
        yield found


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """A PostgreSQL that a test may take away."""
    with postgres() as server:
        yield server
