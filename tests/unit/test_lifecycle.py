"""The judge of states, of what stands and of cut-offs."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.domain.facility import closing_number
from api.domain.lifecycle import (
    EpochState,
    FacilityState,
    Reopening,
    ReplacementState,
    Standing,
    StatementFacts,
    StatementState,
    closing_cut_off_s,
    cured_until_s,
    cut_off_s,
    epoch_state,
    facility_state,
    final_at_s,
    is_final,
    open_epoch,
    overdue_from_s,
    recording_time_s,
    replacement_state,
    stated_after_end,
    statement_state,
    statements_until_s,
    untaken_from_s,
    void_takes,
)
from api.domain.units import Epoch
from tests.unit.values import DAY_S, START_S, TERMS

EPOCHS = TERMS.epoch_count
# Postings (epoch) and voids (first, before) of one facility, in chain order.
HISTORY = st.lists(
    st.integers(0, 5)
    | st.tuples(st.integers(0, 5), st.integers(1, 6)).filter(lambda v: v[0] < v[1])
)


def _cut_off_s(epoch: int, grace_s: int, reopenings: list[Reopening] | None = None) -> int:
    end_s = TERMS.epoch_bounds(epoch)[1]
    return cut_off_s(epoch, epoch_end_s=end_s, grace_s=grace_s, reopenings=reopenings or [])


@pytest.mark.parametrize(
    ("offered", "announced", "now_s", "state"),
    [
        (False, None, 0, FacilityState.REGISTERED),
        (False, FacilityState.FUNDED, 0, FacilityState.REGISTERED),  # an offer of other terms
        (True, None, 0, FacilityState.OFFERED),
        (True, FacilityState.OFFERED, 199, FacilityState.OFFERED),
        (True, FacilityState.OFFERED, 200, FacilityState.CANCELLED),  # expired, and nobody said so
        (True, None, 200, FacilityState.CANCELLED),
        (True, FacilityState.FUNDED, 99, FacilityState.FUNDED),
        (True, FacilityState.FUNDED, 100, FacilityState.DELIVERING),
        (True, FacilityState.FUNDED, 200, FacilityState.DELIVERING),
        (True, FacilityState.MATURED, 100, FacilityState.MATURED),
        (True, FacilityState.DEFAULTED, 200, FacilityState.DEFAULTED),
        (True, FacilityState.STOPPED, 200, FacilityState.STOPPED),
    ],
)
def test_facility_state__from_the_logs__is_the_contracts(
    offered: bool, announced: int | None, now_s: int, state: FacilityState
) -> None:
    found = facility_state(
        offered=offered,
        announced=announced,
        window_start_s=100,
        expires_at_s=200,
        now_s=now_s,
    )

    assert found is state


def test_facility_state__live__are_those_between_offer_and_end() -> None:
    live = {state.word for state in FacilityState if state.live}

    assert live == {"offered", "funded", "delivering"}


def test_facility_state__ended__are_those_that_are_closed() -> None:
    ended = {state.word for state in FacilityState if state.ended}

    assert ended == {"matured", "defaulted", "stopped"}


@given(HISTORY)
def test_standing__any_history__is_what_no_later_void_took(
    history: list[int | tuple[int, int]],
) -> None:
    standing: Standing[int] = Standing()
    fallen = []

    for place, step in enumerate(history):
        if isinstance(step, int):
            standing.post(step, place)
        else:
            fallen += standing.void(first=step[0], before=step[1])

    voids = [(place, *step) for place, step in enumerate(history) if isinstance(step, tuple)]
    posts = [(place, step) for place, step in enumerate(history) if isinstance(step, int)]
    expected = {}
    for place, epoch in posts:
        taken = any(
            void_takes(epoch, first=first, before=before, posted_at=(place,), voided_at=(at,))
            for at, first, before in voids
        )
        if not taken:
            expected[epoch] = place
    assert standing.by_epoch == expected
    assert not set(fallen) & set(expected.values())


def test_final__challenge_window__ends_it_to_the_second() -> None:
    assert final_at_s(1_000, challenge_window_s=60) == 1_060
    assert not is_final(1_000, challenge_window_s=60, now_s=1_059)
    assert is_final(1_000, challenge_window_s=60, now_s=1_060)


def test_statement_state__step_by_step__from_closed_to_settled() -> None:
    closed = StatementFacts(signed=False, voided=False, posted_at_s=None, settled=False)
    signed = replace(closed, signed=True)
    posted = replace(signed, posted_at_s=100)
    steps = [
        (closed, 0),
        (signed, 0),
        (posted, 159),
        (posted, 160),
        (replace(posted, settled=True), 160),
        (replace(signed, voided=True), 160),
        (replace(posted, voided=True), 159),  # the same bytes stand again: nothing bars them
    ]

    states = [
        statement_state(facts, challenge_window_s=60, chain_now_s=now_s) for facts, now_s in steps
    ]

    assert states == ["closed", "attested", "posted", "final", "settled", "voided", "posted"]


def test_epoch_state__without_statement__goes_by_the_clock() -> None:
    states = [epoch_state(None, start_s=100, end_s=200, now_s=t) for t in (99, 100, 199, 200, 300)]

    assert states == ["future", "open", "open", "grace", "grace"]


def test_epoch_state__with_statement__is_the_statements() -> None:
    for state, now_s in product(StatementState, (0, 150, 300)):
        assert epoch_state(state, start_s=100, end_s=200, now_s=now_s) == state.value
    assert {s.value for s in StatementState} < {s.value for s in EpochState}


@given(st.integers(-DAY_S, (EPOCHS + 2) * DAY_S), st.integers(0, 2 * DAY_S))
def test_open_epoch__any_time__is_the_first_whose_cut_off_is_not_reached(
    after_s: int, grace_s: int
) -> None:
    now_s = START_S + after_s
    still_open = [e for e in range(EPOCHS) if now_s < _cut_off_s(e, grace_s)]

    if now_s < TERMS.sealed_at_s + grace_s:
        still_open.append(EPOCHS)  # the closing statement

    found = open_epoch(TERMS, now_s, grace_s=grace_s)

    assert found == (still_open[0] if still_open else None)


@given(
    st.integers(-DAY_S, (EPOCHS + 2) * DAY_S),
    st.integers(0, 2 * DAY_S),
    st.lists(st.tuples(st.integers(0, EPOCHS - 1), st.integers(0, (EPOCHS + 2) * DAY_S))),
)
def test_open_epoch__with_reopenings__is_the_first_whose_moved_cut_off_is_not_reached(
    after_s: int, grace_s: int, opened: list[tuple[int, int]]
) -> None:
    """What was recorded before a reopening never moves: later reopenings change nothing."""
    now_s = START_S + after_s
    reopenings = [Reopening(epoch, START_S + at_s) for epoch, at_s in opened]
    known = [r for r in reopenings if r.at_s <= now_s]
    cut_offs = [_cut_off_s(e, grace_s, known) for e in range(EPOCHS)]
    still_open = [e for e in range(EPOCHS) if now_s < cut_offs[e]]
    if now_s < TERMS.sealed_at_s + grace_s:
        still_open.append(EPOCHS)  # the closing statement

    found = open_epoch(TERMS, now_s, grace_s=grace_s, reopenings=reopenings)

    assert found == (still_open[0] if still_open else None)
    assert cut_offs == sorted(cut_offs)


@given(
    st.integers(0, EPOCHS),
    st.integers(0, 2 * DAY_S),
    st.lists(st.tuples(st.integers(0, EPOCHS - 1), st.integers(0, (EPOCHS + 2) * DAY_S))),
)
def test_untaken__behind_a_statement__was_recorded_behind_its_epoch(
    number: int, grace_s: int, opened: list[tuple[int, int]]
) -> None:
    """An entry that a statement did not take was recorded at its cut-off or later."""
    reopenings = [Reopening(epoch, START_S + at_s) for epoch, at_s in opened]

    from_s = untaken_from_s(Epoch(number), terms=TERMS)

    if number == 0:
        assert from_s == 0
    else:
        assert from_s <= _cut_off_s(number - 1, grace_s, reopenings)
        assert from_s == TERMS.epoch_bounds(Epoch(number - 1))[1]


@given(
    st.lists(st.integers(0, 10**9), min_size=1),
    st.integers(0, 10**6) | st.none(),
    st.integers(0, 60),
)
def test_recording_time__clock_jumps_any_way__never_falls(
    clock: list[int], closed_end_s: int | None, grace_s: int
) -> None:
    recorded = [0]

    for now_s in clock:
        recorded.append(
            recording_time_s(
                now_s,
                last_recorded_at_s=recorded[-1],
                closed_end_s=closed_end_s,
                grace_s=grace_s,
            )
        )

    assert recorded == sorted(recorded)
    assert recorded[-1] >= max(clock)
    if closed_end_s is not None:
        assert recorded[1] >= closed_end_s + grace_s


def test_overdue__latest_of_end_funding_and_void__plus_patience() -> None:
    times = {"epoch_end_s": 100, "funded_at_s": 20, "voided_at_s": 0, "patience_s": 50}
    times["rejected_at_s"] = 140

    late_funding, void = times | {"funded_at_s": 130}, times | {"voided_at_s": 170}
    rejected = times | {"rejected_at_s": 150}

    assert [overdue_from_s(**t) for t in (times, late_funding, void)] == [150, 180, 220]
    assert overdue_from_s(**rejected) == 151
    assert cured_until_s(150, epoch_length_s=3_600) == 150 + 3_600 + DAY_S


@given(st.integers(1, 10**9), st.integers(0, 10**9), st.integers(60, 30 * DAY_S))
def test_last_statements__end_an_epoch_and_a_day_after_end_or_void(
    ended_at_s: int, voided_at_s: int, epoch_length_s: int
) -> None:
    until_s = statements_until_s(
        ended_at_s=ended_at_s, voided_at_s=voided_at_s, epoch_length_s=epoch_length_s
    )

    least_s = ended_at_s + epoch_length_s + DAY_S
    assert until_s == least_s + min(max(0, voided_at_s - ended_at_s), 30 * DAY_S)
    assert stated_after_end(ended_at_s, ended_at_s=ended_at_s)
    assert not stated_after_end(ended_at_s + 1, ended_at_s=ended_at_s)


@pytest.mark.parametrize(
    ("grace_s", "after_s"), [(0, 1), (1, 1), (DAY_S, DAY_S), (9 * DAY_S, DAY_S)]
)
def test_closing_period__of_any_grace__ends_where_the_contract_takes_it(
    grace_s: int, after_s: int
) -> None:
    ended_s = START_S + 2 * DAY_S

    books = TERMS.closing_period(ended_at_s=ended_s, grace_s=grace_s)

    assert books is not None
    assert books.end_s == ended_s + after_s


def test_stated_period__of_any_number__is_an_epoch_the_closing_statement_or_none() -> None:
    early_s = START_S + 2 * DAY_S + 7

    running = [
        TERMS.stated_period(Epoch(n), ended_at_s=None, grace_s=60) for n in range(EPOCHS + 2)
    ]
    ended = [TERMS.stated_period(Epoch(n), ended_at_s=early_s, grace_s=60) for n in range(4)]
    never = TERMS.stated_period(Epoch(0), ended_at_s=START_S + 7, grace_s=60)

    assert [p and p.closing for p in running] == [*[False] * EPOCHS, True, None]
    assert [p and p.closing for p in ended] == [False, False, True, None]
    assert never is None
    window = (START_S, DAY_S, EPOCHS)
    names = ("window_start_s", "epoch_length_s", "epoch_count")
    numbers = dict(zip(names, window, strict=True))
    assert [closing_number(at_s, **numbers) for at_s in (None, early_s, START_S - 1)] == [
        *(EPOCHS, 2, 0),
    ]


def test_closing_cut_off__of_a_facility__is_a_grace_after_seal_or_end() -> None:
    early_s = START_S + 2 * DAY_S + 7

    def cut_s(ended_at_s: int | None, *reopenings: Reopening) -> int | None:
        return closing_cut_off_s(TERMS, ended_at_s=ended_at_s, grace_s=60, reopenings=reopenings)

    assert cut_s(None) == TERMS.sealed_at_s + 60
    assert cut_s(early_s) == early_s + 60
    assert cut_s(START_S) is None
    reopening = Reopening(Epoch(1), early_s + DAY_S)
    assert cut_s(early_s, reopening) == reopening.until_s(60)


def test_replacement__withdrawn_or_late__is_approved_where_the_chain_says_so() -> None:
    states = {
        flags: replacement_state(approved=flags[0], withdrawn=flags[1], too_late=flags[2])
        for flags in product((False, True), repeat=3)
    }

    assert {states[flags] for flags in states if flags[0]} == {ReplacementState.APPROVED}
    assert states[False, True, False] is states[False, True, True] is ReplacementState.WITHDRAWN
    assert states[False, False, True] is ReplacementState.LAPSED
    assert states[False, False, False] is ReplacementState.PENDING
