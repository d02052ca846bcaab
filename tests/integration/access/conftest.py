"""The application with a wall clock of its own, by which keys live and end."""

import pytest

from tests.factories import DAY_S, START_S, Clock
from tests.integration.service import Service, change_service


@pytest.fixture
def clock() -> Clock:
    """The wall clock, by which keys live. The chain's is another one."""
    return Clock(START_S + 30 * DAY_S)


@pytest.fixture
def keyed(service: Service, clock: Clock) -> Service:
    """The application with a wall clock that stands still."""
    change_service(service.app, session_clock=clock)
    return service
