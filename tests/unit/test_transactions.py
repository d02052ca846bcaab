"""States of transactions and intents: every step is in the table, and no way leads back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.domain.transactions import (
    DONE,
    IDEMPOTENT,
    ONE_AT_ALL,
    ONE_OF_FACILITY,
    TX_STEPS,
    UNDER_WAY,
    UNSENT,
    WAITING,
    WATCHED,
    IntentState,
    Part,
    SlotTx,
    TxState,
    TxStep,
    after,
    part_of_slot,
    pause_s,
    standing,
)

tx_states = st.sampled_from(TxState)
intent_states = st.sampled_from(IntentState)
parts = st.lists(st.sampled_from(Part), min_size=1, max_size=4)
ENDS = set(TxState) - WATCHED


@given(st.lists(st.sampled_from(TxStep), max_size=30))
def test_after__any_steps__keeps_to_the_table_and_ends_for_good(steps: list[TxStep]) -> None:
    state = TxState.SIGNED
    for step in steps:
        if (state, step) in TX_STEPS:
            assert state not in ENDS
            state = after(state, step)
        else:
            with pytest.raises(ValueError, match=f"{state} cannot {step}"):
                after(state, step)


def test_steps__every_state__is_reached_and_only_ends_have_none() -> None:
    assert {TxState.SIGNED, *TX_STEPS.values()} == set(TxState)
    assert {state for state, _ in TX_STEPS} == WATCHED
    assert WAITING < WATCHED


def test_steps__to_final__leads_through_a_block_of_the_chain() -> None:
    """A receipt alone makes nothing final, and only what is mined can be undone."""
    assert {s for (s, _), end in TX_STEPS.items() if end is TxState.FINAL} == {TxState.MINED}
    assert {s for s, step in TX_STEPS if step is TxStep.UNDO} == {TxState.MINED}
    # What is mined in a block that stands is neither lost nor replaced.
    assert not {TxStep.LOSE, TxStep.YIELD} & {step for s, step in TX_STEPS if s is TxState.MINED}


@pytest.mark.parametrize(
    ("slot", "part"),
    [
        ([SlotTx(TxState.SENT, True)], Part.WAITS),
        ([SlotTx(TxState.SIGNED, True), SlotTx(TxState.SENT, False)], Part.WAITS),
        ([SlotTx(TxState.SENT, True), SlotTx(TxState.MINED, True)], Part.MINED),
        ([SlotTx(TxState.SENT, True), SlotTx(TxState.MINED, False)], Part.HIDDEN),
        ([SlotTx(TxState.REPLACED, True), SlotTx(TxState.FINAL, False)], Part.GONE),
        ([SlotTx(TxState.FINAL, True), SlotTx(TxState.REPLACED, False)], Part.FINAL),
        ([SlotTx(TxState.MINED, True, failed=True)], Part.FAILED),
        ([SlotTx(TxState.FINAL, True, failed=True)], Part.FAILED),
        ([SlotTx(TxState.LOST, True), SlotTx(TxState.LOST, True)], Part.GONE),
        ([SlotTx(TxState.REPLACED, True), SlotTx(TxState.SENT, False)], Part.GONE),
    ],
)
def test_part_of_slot__by_example(slot: list[SlotTx], part: Part) -> None:
    assert part_of_slot(slot) is part


@given(intent_states, parts)
def test_standing__any_slots__done_wins_and_taken_back_stays(
    state: IntentState, found: list[Part]
) -> None:
    after_all = standing(state, found)

    if Part.FINAL in found:
        assert after_all is IntentState.FINAL
    elif Part.MINED in found:
        assert after_all is IntentState.MINED
    elif state in (IntentState.CANCELLING, IntentState.CANCELLED):
        assert after_all in (IntentState.CANCELLING, IntentState.CANCELLED)
    elif Part.WAITS in found:
        assert after_all is IntentState.SENT
    else:
        assert after_all in UNSENT
    # Looked at twice, it stands as it stood.
    assert standing(after_all, found) is after_all


@given(intent_states, parts)
def test_standing__something_waits__nothing_more_is_signed(
    state: IntentState, found: list[Part]
) -> None:
    """A state from which an intent is signed again means that no slot of it can still happen."""
    if standing(state, found) in UNSENT:
        assert not {Part.WAITS, Part.MINED, Part.FINAL} & set(found)


@given(st.sampled_from([Part.FAILED, Part.GONE, Part.HIDDEN]))
def test_standing__refused__stays_refused_while_no_slot_says_more(part: Part) -> None:
    assert standing(IntentState.REFUSED, [part]) is IntentState.REFUSED


def test_standing__no_slot__is_an_error() -> None:
    with pytest.raises(ValueError, match="without a slot"):
        standing(IntentState.DUE, [])


def test_kinds__in_order__are_all_safe_to_repeat() -> None:
    assert set(IDEMPOTENT) >= ONE_AT_ALL | ONE_OF_FACILITY
    assert not UNDER_WAY & (UNSENT | DONE)


@given(st.integers(1, 200), st.floats(0, 1))
def test_pause__any_attempt__grows_to_a_quarter_hour(attempts: int, drawn: float) -> None:
    least, most = pause_s(attempts, drawn=0), pause_s(attempts, drawn=1)

    assert 11 <= least <= pause_s(attempts, drawn=drawn) <= most <= 1_125
    assert pause_s(attempts + 1, drawn=drawn) >= pause_s(attempts, drawn=drawn)
