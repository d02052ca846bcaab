"""Handlers of events: one of each kind."""

import pytest

from api.chain.emitted.rent_lockbox import RentPaid
from api.chain.events import ChainEvent, Handlers


def _ignore(event: ChainEvent[RentPaid]) -> None:
    """Do nothing."""


def test_on__kind_named_twice__is_refused() -> None:
    handlers = Handlers().on(RentPaid, _ignore)

    with pytest.raises(ValueError, match="RentPaid has a handler already"):
        handlers.on(RentPaid, _ignore)
