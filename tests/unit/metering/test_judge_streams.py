"""Random streams of events: no device is used twice at once, and every log answers the same."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.domain.metering.events import parse_event
from api.domain.metering.facts import Held, Out, Until, Voided
from api.domain.metering.judge import Recorded
from api.domain.roster import Roster
from api.errors import EventRejected
from tests.ledgers import Ledger, closed_books, facility
from tests.logs import secret_names

SEEDS = st.integers(0, 2**32)


def _filled(seed: int) -> Ledger:
    ledger = Ledger(seed, facility())
    closed_books(ledger)
    return ledger


def _answers(events):
    """What a fresh log says of events: facts, or why it refuses."""
    recorded, answers = Recorded(Roster(facility()), secret_names(facility())), []
    for event in events:
        recorded.recorded_at_s = event.recorded_at_s
        try:
            answers.append(recorded.accept(parse_event(event.payload), event.place))
        except EventRejected as error:
            answers.append(error.reason)
    return answers


@settings(max_examples=40)
@given(SEEDS)
def test_stream__told_to_another_log__is_answered_the_same(seed):
    """And what was refused left no trace: without it, the rest is answered the same."""
    sent = _filled(seed).sent

    again = _answers(event for event, _ in sent)

    assert [a if isinstance(a, str) else None for a in again] == [code for _, code in sent]
    taken = [a for a in again if not isinstance(a, str)]
    assert _answers(event for event, code in sent if code is None) == taken


def _meet(one, other):
    return one.device == other.device and max(one.start_s, other.start_s) < min(
        one.end_s, other.end_s
    )


@settings(max_examples=40)
@given(SEEDS)
def test_stream__of_any_events__uses_a_device_once_a_second(seed):
    """After every event. A delivery, which serves vouchers, is not in an outage either."""
    standing = {}
    for answer in _answers(_filled(seed).logged):
        for fact in answer:
            if isinstance(fact, Voided):
                del standing[fact.target]
            elif isinstance(fact, Until):
                held = standing.pop(fact.target)
                fact = Held(held.place, held.device, held.lease, held.start_s, fact.end_s)
            if isinstance(fact, Held | Out):
                met = [x for x in standing.values() if _meet(x, fact)]
                for other in met:
                    assert isinstance(other, Held) != isinstance(fact, Held)
                    assert not getattr(other, "delivery", False)
                    assert not getattr(fact, "delivery", False)
                standing[fact.place] = fact


def test_streams__used_here__have_every_answer_that_time_decides():
    """What the properties above rest on."""
    sent = [answered for seed in range(20) for answered in _filled(seed).sent]

    codes = {code for _, code in sent if code is not None}

    assert codes >= {
        *("overlap", "outage_overlap", "over_capacity", "lease_not_open", "sealed"),
        *("already_voided", "not_correctable", "allocation_ended", "interval_empty"),
    }
    kinds = {
        (event.payload["type"], event.payload["data"].get("action")) for event, c in sent if not c
    }
    assert len(kinds) == 12


@pytest.mark.parametrize("seed", range(3))
def test_stream__cut_anywhere__is_answered_by_its_beginning_alone(seed):
    sent = [event for event, _ in _filled(seed).sent]
    whole = _answers(sent)

    for count in range(0, len(sent), 17):
        assert _answers(sent[:count]) == whole[:count]
