"""Who may tell what: machines meter, the operator agrees on money, unsigned events do both."""

import pytest

from api.domain.log.answers import ACCEPTED, DUPLICATE, KNOWN, REASONS, REJECTED
from api.domain.log.keys import KeyRole
from api.domain.metering.events import parse_event
from api.domain.metering.items import EventResult, Item, read_item
from api.domain.metering.rejections import REJECTIONS
from api.domain.metering.tellers import require_may_tell
from api.errors import EventRejected
from tests.unit.payloads import (
    Payload,
    adjusted,
    agreed,
    confirmed,
    ended,
    lease_closed,
    lease_opened,
    opened,
    outage,
    replaced,
    seen,
    usage,
    use_of,
    void,
)

OF_MONEY = [agreed("t"), lease_opened("o"), lease_closed("c", 60), adjusted("m", 1)]
METERED = [
    *(usage("a", 0, 0, 60), outage("b", 0, 0, 60), seen("s", 0, 0, 60), void("v", "a")),
    *(opened("p", 0, 0), confirmed("q", "p", 60), ended("r", "p", 60)),
    replaced("w", "a", use_of(0, 0, 60)),
]


@pytest.mark.parametrize("told", OF_MONEY, ids=lambda told: told["type"])
def test_money__by_a_collectors_key__is_forbidden(told: Payload) -> None:
    event = parse_event(told)

    with pytest.raises(EventRejected, match="sign this with the ledger key") as refused:
        require_may_tell(KeyRole.COLLECTOR, event)

    assert refused.value.reason == "key_forbidden"
    for role in (KeyRole.LEDGER, None):
        require_may_tell(role, event)


@pytest.mark.parametrize("told", METERED, ids=lambda told: told["type"])
def test_metering__by_any_key__is_told(told: Payload) -> None:
    for role in (*KeyRole, None):
        require_may_tell(role, parse_event(told))


@pytest.mark.parametrize(
    ("result", "answer"),
    [
        (EventResult(0, "s", "a", "accepted"), ACCEPTED),
        (EventResult(0, "s", "a", "accepted", known=True), KNOWN),
        (EventResult(0, "s", "a", "duplicate"), DUPLICATE),
        (EventResult(0, "s", "a", "rejected", "overlap"), REJECTED["overlap"]),
    ],
)
def test_answer__as_a_byte_of_the_log__reads_back(result: EventResult, answer: int) -> None:
    item = read_item(0, usage("a", 0, 0, 60), None)
    assert isinstance(item, Item)

    again = item.answered(answer)

    assert result.answer == answer == again.answer
    assert (again.status, again.code, again.known) == (result.status, result.code, result.known)


def test_answers__of_every_reason__have_a_number_of_their_own() -> None:
    assert set(REASONS.values()) == set(REJECTED)
    assert len(REASONS) == len(REJECTED)
    assert set(REJECTIONS) <= set(REJECTED)
    assert min(REASONS) > KNOWN
