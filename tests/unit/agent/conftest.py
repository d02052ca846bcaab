"""Whatever a test of the agent opens is closed behind it."""

from collections.abc import Iterator

import pytest

from tests.unit.agent.desk import OPEN


@pytest.fixture(autouse=True)
def closed_spools() -> Iterator[None]:
    """Close spools."""
    yield
    while OPEN:
        OPEN.pop().close()
