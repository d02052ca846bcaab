"""The judge: what a log takes, why it refuses, and that a refusal leaves no trace (ATTACKS 33)."""

import ast
from pathlib import Path

import pytest

from api.domain.hashing import keccak, word
from api.domain.lifecycle import Reopening
from api.domain.metering import bounds, events, judge
from api.domain.metering.facts import Adjusted, Agreed, Held, Out, Place, Seen, Until, Voided
from api.domain.metering.judge import MAX_FUTURE_S
from api.domain.metering.lease_terms import FOREVER_S, terms_hash
from api.domain.metering.rejections import REJECTIONS
from api.domain.units import ZERO32, Epoch
from tests import ledgers
from tests.logs import secret_names
from tests.unit.payloads import (
    DEVICES,
    HOUR_S,
    LEASE,
    TERMS,
    Log,
    adjusted,
    agreed,
    at,
    confirmed,
    delivery,
    ended,
    event,
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
from tests.unit.values import DAY_S, EPOCHS, START_S

END_S = EPOCHS * DAY_S
FIRST = agreed("l1", until=at(2 * DAY_S))
STRANGER = [*ledgers.NAMES.values()][9]
# Why an event is refused, what came before it, and the event; all recorded a day after the start.
REFUSED = [
    ("pledge_fixed", [], event(events.DEVICE_REGISTERED, "x", device=STRANGER)),
    ("gpu_class_mismatch", [], usage("x", 0, 0, 60, gpu_class="A100")),
    ("gpu_class_mismatch", [], opened("x", 0, 0, gpu_class="A100")),
    ("lease_unknown", [], usage("x", 0, 0, 60, lease="other")),
    ("lease_unknown", [], opened("x", 0, 0, lease="other")),
    ("lease_unknown", [], outage("x", 0, 0, 60, lease="other")),
    ("lease_unknown", [], adjusted("x", 5, lease="other")),
    ("lease_unknown", [], lease_closed("x", 60, lease="other")),
    ("device_unknown", [], usage("x", 0, 0, 60, device=STRANGER)),
    ("device_unknown", [], seen("x", 0, 0, 60) | {"data": {
        "facility_id": 7, "device": STRANGER, "start": at(0), "end": at(60)}}),
    ("outside_window", [], usage("x", 0, -1, 60)),
    ("outside_window", [], outage("x", 0, END_S - 60, END_S + 1)),
    ("outside_window", [], seen("x", 0, END_S, END_S + 60)),
    ("outside_window", [opened("o", 0, 0)], ended("x", "o", END_S + 1)),
    ("outside_window", [], agreed("x", 1, from_s=END_S, lease="l2")),
    *(
        (
            "outside_window",
            [],
            agreed("x", 2, from_s=min(0, s), fixed=[{"id": "a", "at": at(s), "amount": 1}]),
        )
        for s in (-1, END_S + 1)
    ),
    ("in_the_future", [], usage("x", 0, 0, DAY_S + MAX_FUTURE_S + 1)),
    ("in_the_future", [opened("o", 0, 0)], confirmed("x", "o", DAY_S + MAX_FUTURE_S + 1)),
    ("lease_not_open", [agreed("l2", 2, from_s=60, until=at(60))], usage("x", 0, 0, 61)),
    ("lease_not_open", [agreed("l2", 2, from_s=60, until=at(60))], opened("x", 0, 60)),
    ("lease_not_open", [opened("o", 0, 0), lease_closed("l2", 60)], confirmed("x", "o", 61)),
    ("overlap", [usage("a", 0, 0, 60)], usage("x", 0, 59, 90)),
    ("overlap", [delivery("a", 0, 0, 60)], usage("x", 0, 59, 90)),
    ("overlap", [usage("a", 0, 0, 60)], delivery("x", 0, 30, 31)),
    ("overlap", [usage("a", 0, 0, 60)], opened("x", 0, 59)),
    ("overlap", [opened("o", 0, 0), usage("a", 0, 60, 90)], confirmed("x", "o", 61)),
    ("outage_overlap", [outage("a", 0, 0, 60)], outage("x", 0, 59, 90, cause="planned")),
    ("outage_overlap", [outage("a", 0, 0, 60)], delivery("x", 0, 59, 90)),
    ("outage_overlap", [delivery("a", 0, 0, 60)], outage("x", 0, 59, 90)),
    ("over_capacity", [agreed("l2", 2, max_gpus=1), usage("a", 0, 0, 60)], usage("x", 1, 59, 90)),
    ("over_capacity", [], agreed("x", 2, commitment=[{"from": at(0), "gpus": 5}])),
    ("allocation_unknown", [usage("a", 0, 0, 60)], confirmed("x", "a", 90)),
    ("allocation_unknown", [seen("a", 0, 0, 60)], ended("x", "a", 90)),
    ("allocation_ended", [opened("o", 0, 0), ended("e", "o", 60)], confirmed("x", "o", 90)),
    ("interval_empty", [opened("o", 0, 60)], ended("x", "o", 59)),
    ("correction_target_unknown", [], void("x", "a")),
    ("correction_target_unknown", [], confirmed("x", "a", 60)),
    ("already_voided", [usage("a", 0, 0, 60), void("v", "a")], void("x", "a")),
    ("already_voided", [opened("o", 0, 0), void("v", "o")], confirmed("x", "o", 60)),
    ("not_correctable", [], void("x", "l1")),
    ("not_correctable", [seen("a", 0, 0, 60)], void("x", "a")),
    ("not_correctable", [adjusted("a", 5)], void("x", "a")),
    ("not_correctable", [usage("a", 0, 0, 60), void("v", "a")], void("x", "v")),
    ("lease_exists", [], lease_opened("x", price_micros_per_gpu_hour=9)),
    ("lease_closed", [], lease_closed("x", -1)),
    ("terms_invalid", [], agreed("x", 3)),
    ("terms_invalid", [], agreed("x", 2, lease="new")),
    ("terms_invalid", [], agreed("x", 2, renter_ref="another")),
    ("terms_invalid", [], agreed("x", 2, previous="0x" + "11" * 32)),
    ("terms_invalid", [], agreed("x", 2, until=at(-1))),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "before", "refused"), REFUSED, ids=[f"{c}-{i}" for i, (c, *_) in enumerate(REFUSED)]
)
def test_accept__breaks_a_rule__is_refused_by_its_code_without_a_trace(code, before, refused):
    """The same again after a repeat: what was refused neither blocks nor changes anything."""
    log = Log(FIRST, *before)

    assert [log.answer(refused), log.answer(refused)] == [code, code]

    assert code in REJECTIONS
    fresh = Log(FIRST, *before)
    later = [usage("y", 3, 0, 90), void("v1", "y"), confirmed("c1", "o", 55), void("v2", "a")]
    assert log.answers(later) == fresh.answers(later)
    assert log.recorded.leases == fresh.recorded.leases
    assert log.recorded.known.keys() == fresh.recorded.known.keys()


def test_codes__of_the_judge__are_all_reached_here():
    sources = [ast.parse(Path(module.__file__).read_text()) for module in (judge, bounds)]
    told = {
        node.args[0].value
        for source in sources
        for node in ast.walk(source)
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", None) == "EventRejected"
        and isinstance(node.args[0], ast.Constant)
    }

    reached = {code for code, *_ in REFUSED}

    assert told - reached == {"sealed", "facility_closed", "outside_pledge"}  # below, and beside
    # Given as an argument, or said by a lease's event.
    handed_on = {"overlap", "outage_overlap", "lease_exists", "lease_closed", "terms_invalid"}
    assert reached - told == handed_on


# --- what is taken --------------------------------------------------------------------------------


def test_accept__each_kind__tells_its_facts():
    log = Log(FIRST)
    span = START_S, START_S + 60

    assert log.take(usage("a", 0, 0, 60)) == [Held(Place(2, 0), DEVICES[0], LEASE, *span)]
    told = log.take(delivery("b", 1, 0, 60, gpu_class=TERMS.gpu_class))
    assert told == [Held(Place(3, 0), DEVICES[1], LEASE, *span, delivery=True)]
    assert log.take(seen("c", 2, 0, 60)) == [Seen(DEVICES[2], *span)]
    assert log.take(outage("d", 2, 0, 60)) == [Out(Place(5, 0), DEVICES[2], ZERO32, *span)]
    told = log.take(outage("e", 3, 0, 60, lease="l", cause="planned"))
    assert told == [Out(Place(6, 0), DEVICES[3], LEASE, *span, planned=True)]
    subject = keccak(b"adjustment" + word(7) + word(7) + word(0))
    assert log.take(adjusted("f", -5)) == [Adjusted(Place(7, 0), subject, LEASE, -5)]
    assert log.take(void("g", "a")) == [Voided(Place(2, 0))]


def test_accept__at_the_limits__is_taken():
    log = Log(FIRST)

    assert log.answers(
        [
            usage("a", 0, 0, DAY_S + MAX_FUTURE_S),
            opened("o", 1, DAY_S + MAX_FUTURE_S),
            agreed("l2", 2, from_s=2 * DAY_S, fixed=[{"id": "a", "at": at(END_S), "amount": 1}]),
            agreed("l3", 3, from_s=END_S - 1, commitment=[{"from": at(END_S - 1), "gpus": 4}]),
        ]
    ) == ["ok"] * 4  # fmt: skip
    assert log.answer(usage("b", 0, END_S - 60, END_S), now_s=END_S) == "ok"


def test_accept__usage_and_outage_of_a_second__are_both_taken():
    """An outage beats usage, second by second: the timeline says so, not the log."""
    log = Log(FIRST, usage("a", 0, 0, 60))

    assert log.answers([outage("b", 0, 30, 90), usage("c", 0, 60, 120)]) == ["ok", "ok"]


# --- allocations ----------------------------------------------------------------------------------


def test_allocation__opened_confirmed_and_ended__lasts_as_told():
    log = Log(FIRST)

    assert log.take(opened("o", 0, 10)) == [
        Held(Place(2, 0), DEVICES[0], LEASE, START_S + 10, START_S + 10)
    ]
    told = log.take(confirmed("c", "o", 60), confirmed("d", "o", 40), ended("e", "o", 50))
    # A late confirmation of an earlier second takes nothing back; an end does.
    assert told == [Until(Place(2, 0), START_S + s) for s in (60, 60, 50)]
    assert log.answer(usage("a", 0, 49, 90)) == "overlap"
    assert log.answer(usage("a", 0, 50, 90)) == "ok"


def test_allocation__nobody_confirmed_it__holds_its_device_no_longer():
    log = Log(FIRST, opened("o", 0, 10), usage("a", 0, 0, 20))

    assert log.answer(opened("p", 0, 20, 30)) == "ok"
    assert log.answer(confirmed("c", "o", 11)) == "overlap"
    assert log.answer(ended("e", "o", 10)) == "ok"


def test_allocation__known_to_last__is_voided_with_what_was_confirmed():
    log = Log(FIRST, opened("o", 0, 0, 60), confirmed("c", "o", HOUR_S))

    assert log.take(void("v", "o")) == [Voided(Place(2, 0))]

    assert log.answer(usage("a", 0, 0, HOUR_S)) == "ok"


# --- corrections ----------------------------------------------------------------------------------


def test_replace__usage__frees_its_time_and_stands_for_it():
    log = Log(FIRST, usage("a", 0, 0, 60), usage("b", 0, 60, 120))

    told = log.take(replaced("r", "a", use_of(0, 30, 60)))

    held = Held(Place(4, 0), DEVICES[0], LEASE, START_S + 30, START_S + 60)
    assert told == [Voided(Place(2, 0)), held]
    assert log.answers([usage("c", 0, 0, 30), usage("d", 0, 59, 60)]) == ["ok", "overlap"]
    # The target is gone; what stands for it is corrected by the correction's own name.
    assert log.answer(void("v", "a")) == "already_voided"
    assert log.take(void("v", "r")) == [Voided(Place(4, 0))]
    assert log.answer(usage("d", 0, 30, 60)) == "ok"


def test_replace__usage_by_an_outage__is_one_correction():
    log = Log(FIRST, usage("a", 0, 0, 60))
    outage_of = {k: v for k, v in use_of(0, 0, 60).items() if k not in ("gpu_seconds",)}

    told = log.take(replaced("r", "a", outage_of))

    out = Out(Place(3, 0), DEVICES[0], LEASE, START_S, START_S + 60)
    assert told == [Voided(Place(2, 0)), out]


@pytest.mark.parametrize(
    ("by", "code"),
    [
        (use_of(0, 0, 61), "overlap"),
        (use_of(0, 0, 30, lease="other"), "lease_unknown"),
        (use_of(0, 0, END_S), "in_the_future"),
        (use_of(0, 0, 30, kind="delivery"), "outage_overlap"),
    ],
)
def test_replace__refused__leaves_the_target_standing(by, code):
    log = Log(
        FIRST, agreed("l2", 2, max_gpus=1), usage("a", 0, 0, 60), usage("b", 0, 60, 120),
        outage("c", 0, 0, 60),
    )  # fmt: skip

    assert log.answer(replaced("r", "a", by)) == code

    assert log.answers([usage("d", 0, 0, 60), usage("d", 1, 0, 60)]) == ["overlap", "over_capacity"]
    assert log.answer(replaced("r", "a", use_of(0, 0, 59))) == "ok"


def test_void__of_a_delivery__until_a_statement_says_of_it():
    """Of its own epoch, until that is cut; then it may have served a voucher."""
    cut_s = DAY_S + TERMS.grace_s
    log = Log(FIRST, delivery("a", 0, 0, 60), delivery("b", 1, 0, 60), delivery("c", 2, 0, 60))

    assert log.answer(void("v", "a"), now_s=cut_s - 1) == "ok"
    assert log.answer(void("w", "b"), now_s=cut_s) == "not_correctable"
    assert log.answer(replaced("w", "b", use_of(1, 0, 30))) == "not_correctable"
    # Late, of an epoch that is stated: until the statement that takes it is cut.
    log.take(delivery("d", 3, 0, 60))
    assert log.answer(void("x", "d"), now_s=cut_s + DAY_S - 1) == "ok"


def test_void__of_a_delivery_told_before_its_day__waits_for_the_cut_of_that():
    """The statement of the day before, which is cut first, says nothing of it."""
    log = Log(FIRST, delivery("a", 0, DAY_S, DAY_S + 60), now_s=DAY_S)

    assert log.answer(void("v", "a"), now_s=2 * DAY_S + TERMS.grace_s - 1) == "ok"


def test_void__of_a_delivery_over_two_days__is_stated_by_the_first():
    log = Log(FIRST, delivery("a", 0, DAY_S - 60, DAY_S + 60), now_s=DAY_S)

    assert log.answer(void("v", "a"), now_s=DAY_S + TERMS.grace_s) == "not_correctable"


def test_void__of_a_delivery_in_a_reopened_epoch__is_taken_again():
    at_s = DAY_S + 2 * HOUR_S
    reopening = Reopening(Epoch(0), START_S + at_s)
    log = Log(FIRST, delivery("a", 0, 0, 60), reopenings=[reopening])

    assert log.answer(void("v", "a"), now_s=at_s - 1) == "not_correctable"
    assert log.answer(void("v", "a"), now_s=at_s) == "ok"


def test_void__usage_of_a_stated_epoch__is_taken():
    log = Log(FIRST, usage("a", 0, 0, 60))

    assert log.answer(void("v", "a"), now_s=2 * DAY_S + HOUR_S) == "ok"


# --- terms ----------------------------------------------------------------------------------------


def test_terms__each_version__names_the_hash_of_the_one_before():
    log = Log()

    [first] = log.take(agreed("a"))
    named = agreed("b", 2, from_s=60, previous="0x" + terms_hash(LEASE, first.terms).hex())
    [second] = log.take(named)

    assert (first.lease, first.terms.previous) == (LEASE, ZERO32)
    assert first.terms.party == second.terms.party == secret_names(TERMS).party("l", renter_ref="r")
    assert second.terms.previous == terms_hash(LEASE, first.terms)
    assert log.recorded.leases["l"].versions == (first.terms, second.terms)
    third = agreed("c", 3, previous=named["data"]["previous"])
    assert log.answer(third) == "terms_invalid"


def test_lease_opened__again__says_nothing_new():
    log = Log()

    [fact] = log.take(lease_opened("a", plan="take_or_pay", committed_gpus=2, max_gpus=3))

    assert isinstance(fact, Agreed)
    terms = fact.terms
    assert (terms.version, terms.max_gpus, terms.from_s) == (1, 3, START_S)
    assert [(p.from_s, p.price) for p in terms.prices] == [(START_S, 1_000_000)]
    assert [(c.from_s, c.gpus) for c in terms.commitment] == [(START_S, 2)]
    again = lease_opened("b", plan="take_or_pay", committed_gpus=2, max_gpus=3)
    assert log.take(again) == []
    # Also after it changed: it was opened so.
    log.take(lease_closed("c", HOUR_S))
    assert log.take({**again, "id": "d"}) == []


def test_lease_closed__ends_it_at_an_instant__once():
    log = Log(lease_opened("a"), usage("u", 0, 0, 60))

    [fact] = log.take(lease_closed("b", 90))

    ends_s = START_S + 90
    assert (fact.terms.version, fact.terms.from_s, fact.terms.until_s) == (2, ends_s, ends_s)
    assert log.recorded.leases["l"].running == [(START_S, START_S + 90)]
    assert log.take(lease_closed("c", 90)) == []
    # Earlier, also before use that was told: time of devices counts only while the lease runs.
    log.take(lease_closed("d", 30))
    assert log.recorded.leases["l"].running == [(START_S, START_S + 30)]
    assert log.answer(usage("v", 1, 0, 31)) == "lease_not_open"


def test_lease_closed__before_its_first_version_began__ends_what_a_later_one_moved_there():
    """A lease that was typed with too late a beginning, put right, and then closed."""
    log = Log(agreed("a", from_s=HOUR_S), agreed("b", 2, from_s=60))

    assert log.answer(lease_closed("c", 59)) == "lease_closed"
    assert log.answer(lease_closed("d", 90)) == "ok"

    assert log.recorded.leases["l"].running == [(START_S + 60, START_S + 90)]


def test_lease_closed__as_it_began__never_runs():
    log = Log(lease_opened("a"), lease_closed("b", 0))

    assert log.recorded.leases["l"].running == []
    # It is renewed by another version.
    log.take(agreed("c", 3, from_s=60))
    assert log.recorded.leases["l"].running == [(START_S + 60, FOREVER_S)]


def test_allocation__of_a_lease_that_another_process_read__is_told_to_last():
    """Leases are handed in as they are kept; what an allocation is of is found by its hash."""
    log = Log()
    log.take(agreed("l"), opened("o", 0, 0, 60))
    again = Log(leases=log.recorded.leases, known=log.recorded.known, used=log.recorded.used)

    assert again.answers([confirmed("c", "o", HOUR_S)]) == ["ok"]
