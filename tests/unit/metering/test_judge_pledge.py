"""The judge and replaced cards: each device only in the epochs that pledge it (ATTACKS 23)."""

import pytest

from api.domain.hashing import device_hash
from api.domain.pledges import PledgedDevice
from api.domain.roster import Roster, replaced
from api.domain.units import Epoch
from api.errors import EventRejected
from tests import ledgers
from tests.unit.payloads import (
    DEVICES,
    HOUR_S,
    TERMS,
    Log,
    agreed,
    at,
    confirmed,
    delivery,
    ended,
    event,
    opened,
    outage,
    usage,
    use_of,
    void,
)
from tests.unit.payloads import (
    replaced as corrected,
)
from tests.unit.values import DAY_S

NEW = [*ledgers.NAMES.values()][8]
CAME = PledgedDevice(device_hash(NEW), device_hash(NEW), Epoch(1))
PLEDGE = replaced(Roster(TERMS), old=DEVICES[0], new=CAME, number=2)
LEASE = agreed("l1")


def _log(*payloads, **recorded):
    """Two days in: the first card was replaced a day after the start."""
    return Log(LEASE, *payloads, now_s=2 * DAY_S, replacements=(PLEDGE,), **recorded)


def _of_new(payload):
    return payload | {"data": payload["data"] | {"device": NEW}}


def _seen(from_s, to_s, **data):
    span = {"device": NEW, "start": at(from_s), "end": at(to_s)}
    return event("rentroll.gpu.seen.v1", "x", **(span | data))


BEFORE, ACROSS, AFTER = (0, HOUR_S), (DAY_S - 60, DAY_S + 60), (DAY_S, DAY_S + 60)


@pytest.mark.parametrize("make", [usage, delivery, outage, opened])
@pytest.mark.parametrize(
    ("span", "old", "new"),
    [
        (BEFORE, "ok", "outside_pledge"),
        ((DAY_S - 60, DAY_S), "ok", "outside_pledge"),
        (ACROSS, "outside_pledge", "outside_pledge"),
        (AFTER, "outside_pledge", "ok"),
    ],
)
def test_accept__time_of_a_replaced_card__counts_in_its_own_epochs(make, span, old, new):
    """ATTACKS 23. Late facts of the old card too: they are told a day after it went."""
    assert _log().answer(make("x", 0, *span)) == old
    assert _log().answer(_of_new(make("x", 0, *span))) == new
    assert _log().answer(make("x", 1, *span)) == "ok"


def test_accept__sighting__is_judged_in_the_same_way():
    assert _log().answer(_seen(*BEFORE)) == "outside_pledge"
    assert _log().answer(_seen(*ACROSS)) == "outside_pledge"
    assert _log().answer(_seen(*AFTER)) == "ok"
    stranger = [*ledgers.NAMES.values()][9]
    assert _log().answer(_seen(*AFTER, device=stranger)) == "device_unknown"


def test_accept__outside_the_pledge__says_when_the_device_is_pledged():
    with pytest.raises(EventRejected, match="2026-01-02T00:00:00Z") as found:
        _log().take(usage("x", 0, *ACROSS))

    assert "but from 2026-01-01T00:00:00Z to 2026-01-02T00:00:00Z" in found.value.message


def test_allocation__of_a_replaced_card__lasts_to_its_end_and_no_longer():
    log = _log(opened("o", 0, DAY_S - HOUR_S))

    assert log.answer(confirmed("a", "o", DAY_S - 60)) == "ok"
    assert log.answer(confirmed("b", "o", DAY_S + 1)) == "outside_pledge"
    assert log.answer(ended("c", "o", DAY_S + 1)) == "outside_pledge"
    assert log.answer(ended("d", "o", DAY_S)) == "ok"


def test_allocation__without_a_second__is_of_the_card_that_is_there_when_it_begins():
    assert _log().answer(opened("o", 0, DAY_S)) == "outside_pledge"
    assert _log().answer(_of_new(opened("o", 0, DAY_S))) == "ok"
    assert _log().answer(_of_new(opened("o", 0, DAY_S - 1))) == "outside_pledge"


def test_correction__puts_time_on_the_card_that_had_it():
    """Told of the old card by mistake, before the service heard: it moves to the new one."""
    early = Log(LEASE, now_s=DAY_S + HOUR_S)
    early.take(usage("a", 0, *AFTER))
    log = _log(known=early.recorded.known, used=early.recorded.used)

    assert log.answer(corrected("b", "a", use_of(0, *AFTER))) == "outside_pledge"
    assert log.answer(corrected("d", "a", use_of(0, *AFTER) | {"device": NEW})) == "ok"


def test_heard_late__log_took_time_of_the_old_card__breaks_no_rule():
    """What the service took before it heard stays taken, and can be voided. So does time of a card
    whose replacement a reorganisation took back: it is in no book."""
    log = _log(heard_late=True)

    taken = [usage("a", 0, *AFTER), usage("b", 0, AFTER[0] + 1, AFTER[1] + 1), void("v", "a")]
    assert log.answers(taken) == ["ok", "overlap", "ok"]
    assert log.answer(_seen(*AFTER, device=[*ledgers.NAMES.values()][9])) == "ok"
