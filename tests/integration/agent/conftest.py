"""A site whose agent signs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.main import create_app
from api.routes.service import service_of
from tests.factories import DAY_S
from tests.integration.agent.signed_site import Site
from tests.integration.service import serving
from tests.world import World


@pytest.fixture
def signed_site(world: World, tmp_path: Path) -> Iterator[Site]:
    """A site whose agent's key is not brought yet."""
    world.at(DAY_S)
    application = create_app(world.settings())
    with serving(application) as port:
        yield Site(world, f"http://127.0.0.1:{port}", tmp_path / "agent")
    service_of(application).engine.dispose()
    service_of(application).client.close()
