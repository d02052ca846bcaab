"""Who may tell what: a key of machines meters, the operator's own key agrees on money."""

from api.domain.log.keys import KeyRole
from api.domain.metering.event_types import (
    AdjustmentEvent,
    LeaseClosedEvent,
    LeaseOpenedEvent,
    MeterEvent,
    TermsEvent,
)
from api.errors import EventRejected

_OF_MONEY = (TermsEvent, LeaseOpenedEvent, LeaseClosedEvent, AdjustmentEvent)


def require_may_tell(role: KeyRole | None, event: MeterEvent) -> None:
    """Refuse an event that a key may not sign. role: None of what nobody signed.

    Raises:  EventRejected `key_forbidden`.
    """
    if role is KeyRole.COLLECTOR and isinstance(event, _OF_MONEY):
        message = "a collector's key signs metering; sign this with the ledger key"
        raise EventRejected("key_forbidden", message)
