"""How many devices a lease may hold at once, by the version of its terms in force."""

import random

import pytest

from tests.unit.payloads import (
    HOUR_S,
    START_S,
    Log,
    agreed,
    at,
    confirmed,
    ended,
    lease_opened,
    opened,
    replaced,
    usage,
    use_of,
    void,
)


@pytest.mark.parametrize("first", [agreed("l1", max_gpus=2), lease_opened("l1", max_gpus=2)])
def test_limit__third_device_at_the_same_second__is_refused(first):
    log = Log(first, usage("a", 0, 0, 100), usage("b", 1, 50, 150))

    assert log.answer(usage("c", 2, 99, 101)) == "over_capacity"
    # One ends as the next begins; and what is refused counts for nothing.
    assert log.answers([usage("c", 2, 100, 200), usage("d", 3, 0, 50)]) == ["ok", "ok"]


def test_limit__by_version__is_the_one_in_force_at_each_second():
    log = Log(agreed("l1", max_gpus=1), agreed("l2", 2, from_s=HOUR_S))
    log.take(usage("a", 0, 0, 2 * HOUR_S))

    assert log.answer(usage("b", 1, HOUR_S - 1, HOUR_S + 60)) == "over_capacity"
    assert log.answer(usage("b", 1, HOUR_S, HOUR_S + 60)) == "ok"


@pytest.mark.parametrize("limited", [agreed("l2", 2, max_gpus=1), agreed("l2", 2, max_gpus=2)])
def test_limit__agreed_after_use__counts_what_was_held_before(limited):
    log = Log(agreed("l1"), usage("a", 0, 0, 100), usage("b", 1, 0, 100), opened("o", 3, 0))

    log.take(limited)

    assert log.answer(usage("c", 2, 99, 200)) == "over_capacity"
    assert log.answer(usage("c", 2, 100, 200)) == "ok"


def test_limit__agreed_after_use__lets_go_of_what_is_voided():
    """Use of before the limit is taken back after it, and its time is free, once."""
    log = Log(agreed("l1"), usage("a", 0, 0, 100), agreed("l2", 2, max_gpus=1))

    log.take(void("v", "a"))

    assert log.answer(usage("b", 1, 0, 100)) == "ok"
    assert log.answer(usage("c", 2, 0, 100)) == "over_capacity"


def test_limit__voided_before_it_was_agreed__does_not_count():
    log = Log(agreed("l1"), usage("a", 0, 0, 100), void("v", "a"), agreed("l2", 2, max_gpus=1))

    assert log.answer(usage("b", 1, 0, 100)) == "ok"


def test_limit__allocation__counts_up_to_its_last_confirmation():
    log = Log(agreed("l1", max_gpus=1), opened("o", 0, 0))
    # Nobody confirmed it yet: it holds no second.
    log.take(usage("a", 1, 0, 100))

    assert log.answer(confirmed("c", "o", 200)) == "over_capacity"
    log.take(void("v", "a"), confirmed("c", "o", 200))
    assert log.answer(usage("a", 1, 199, 300)) == "over_capacity"
    log.take(ended("e", "o", 150))
    assert log.answer(usage("a", 1, 150, 300)) == "ok"


def test_limit__replacement__takes_the_place_of_what_it_corrects():
    log = Log(agreed("l1", max_gpus=1), usage("a", 0, 0, 100))

    log.take(replaced("r", "a", use_of(1, 50, 150)))

    assert log.answers([usage("b", 2, 0, 51), usage("b", 2, 0, 50)]) == ["over_capacity", "ok"]


def test_limit__allocations_end_to_end_in_any_order__are_all_taken():
    """The answer hangs on what runs at a second, not on how so many of them are counted."""
    jobs = list(range(200))
    random.Random(5).shuffle(jobs)
    log = Log(agreed("l1", max_gpus=1))

    for job in jobs:
        log.take(opened(f"o{job}", job % 3, job * 60), ended(f"e{job}", f"o{job}", job * 60 + 60))


def test_limit__allocation_that_nobody_confirmed__needs_its_first_second():
    log = Log(agreed("l1", max_gpus=1), usage("a", 1, 0, 100))

    assert log.answers([opened("o", 0, 99), opened("o", 0, 100)]) == ["over_capacity", "ok"]


def test_limit__span_behind_time_in_which_the_lease_rests__is_that_of_its_part() -> None:
    log = Log(agreed("l1", until=at(HOUR_S), max_gpus=1))
    log.take(agreed("l2", 2, from_s=2 * HOUR_S, max_gpus=2))
    lease = log.recorded.leases["l"]
    hours = [START_S + n * HOUR_S for n in range(5)]

    assert [*lease.limits_in((hours[1] + 60, hours[3]))] == [(hours[2], hours[3], 2)]
    assert [*lease.limits_in((hours[0], hours[1]))] == [(hours[0], hours[1], 1)]


def test_void__of_a_device_of_which_nothing_is_here__is_taken() -> None:
    """What a judge is given may leave out time that an event does not touch."""
    log = Log(agreed("l1"), usage("a", 0, 0, 100))
    log.recorded.used.clear()

    assert log.answer(void("v", "a")) == "ok"
