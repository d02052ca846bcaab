"""Until when a log takes what: a month's seal, the end of a facility, to the second."""

from dataclasses import replace

import pytest

from api.domain.lifecycle import Reopening
from api.domain.units import Epoch
from api.errors import EventRejected
from tests.unit.payloads import (
    LONG,
    TERMS,
    Log,
    adjusted,
    agreed,
    at,
    confirmed,
    delivery,
    ended,
    lease_closed,
    opened,
    outage,
    replaced,
    seen,
    usage,
    use_of,
    void,
)
from tests.unit.values import DAY_S, EPOCHS, START_S

END_S = EPOCHS * DAY_S
FIRST = agreed("l1", until=at(2 * DAY_S))
# January ends on day 31, and is sealed by the statement that ends on day 36.
SEALED_S = 36 * DAY_S + LONG.grace_s
FEBRUARY_S = 31 * DAY_S
JANUARY = [
    usage("x", 0, 60, 120),
    delivery("x", 0, 60, 120),
    outage("x", 0, FEBRUARY_S - 1, FEBRUARY_S + 60),
    seen("x", 0, 60, 120),
    opened("x", 0, FEBRUARY_S - 1, FEBRUARY_S + 60),
    ended("x", "o", FEBRUARY_S - 1),
    void("x", "o"),
    void("x", "a"),
    replaced("x", "a", use_of(0, FEBRUARY_S, FEBRUARY_S + 60)),
    agreed("x", 2, from_s=FEBRUARY_S - 1),
    agreed("x", lease="new", from_s=-5 * DAY_S),
    lease_closed("x", FEBRUARY_S - 1),
    confirmed("x", "p", FEBRUARY_S + 60),
]


@pytest.mark.parametrize("payload", JANUARY, ids=[f"{i}" for i, _ in enumerate(JANUARY)])
def test_seal__what_begins_in_the_month__is_taken_to_the_second(payload):
    """An allocation is ended, not voided; what it changes must not be sealed."""

    def log():
        first = [opened("o", 1, FEBRUARY_S - 60, FEBRUARY_S + 60), usage("a", 2, 0, 60)]
        return Log(
            agreed("l1", from_s=-9 * DAY_S), *first, opened("p", 3, 0, 60),
            terms=LONG, now_s=32 * DAY_S,
        )  # fmt: skip

    assert log().answer(payload, now_s=SEALED_S - 1) == "ok"
    assert log().answer(payload, now_s=SEALED_S) == "sealed"


def test_seal__what_begins_behind_it__and_money__are_taken():
    log = Log(agreed("l1"), terms=LONG, now_s=32 * DAY_S)
    log.take(opened("o", 1, FEBRUARY_S - 60, FEBRUARY_S + 60))

    log.now_s = SEALED_S

    assert log.answers(
        [
            usage("a", 0, FEBRUARY_S, FEBRUARY_S + 60),
            confirmed("c", "o", 32 * DAY_S),
            ended("e", "o", FEBRUARY_S),
            agreed("l2", 2, from_s=FEBRUARY_S),
            adjusted("b", -5),
        ]
    ) == ["ok"] * 5  # fmt: skip


@pytest.mark.parametrize(
    ("ended_at_s", "reopenings", "closed_s"),
    [
        (None, (), END_S + TERMS.seal_s + TERMS.grace_s),
        (START_S + DAY_S + 60, (), DAY_S + 60 + TERMS.grace_s),
        (
            START_S + DAY_S + 60,
            (Reopening(Epoch(0), START_S + 2 * DAY_S),),
            2 * DAY_S + TERMS.grace_s,
        ),
    ],
)
def test_closed__facility__takes_money_until_its_last_cut(ended_at_s, reopenings, closed_s):
    log = Log(FIRST, now_s=60, ended_at_s=ended_at_s, reopenings=reopenings)

    assert log.answer(adjusted("a", 5), now_s=closed_s - 1) == "ok"
    assert log.answer(adjusted("b", 5), now_s=closed_s) == "facility_closed"


def test_closed__ended_before_an_epoch_was_over__takes_nothing():
    with pytest.raises(EventRejected) as refused:
        Log(FIRST, now_s=60, ended_at_s=START_S + 30)

    assert refused.value.reason == "facility_closed"


def test_terms__that_begin_before_the_window__are_judged_by_its_first_month():
    assert Log().answer(agreed("a", from_s=-400 * DAY_S)) == "ok"
    late = Log(terms=LONG, now_s=SEALED_S)
    assert late.answer(agreed("a", from_s=-400 * DAY_S)) == "sealed"


def test_recorded__of_a_facility_of_many_months__counts_seals_by_its_own_terms():
    quick = replace(LONG, seal_s=DAY_S, grace_s=60)
    log = Log(agreed("l1", from_s=-DAY_S), terms=quick, now_s=32 * DAY_S + 59)

    assert log.answer(usage("a", 0, 0, 60)) == "ok"
    assert log.answer(usage("b", 1, 0, 60), now_s=32 * DAY_S + 60) == "sealed"
