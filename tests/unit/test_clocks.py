"""Clocks: a cut-off is past by all of them; those that contradict each other stop closing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.domain.clocks import CLOCKS_APART_S, Clocks, epochs_at_once
from api.errors import ClocksDiffer

NOON_S = 1_767_268_800
seconds = st.integers(min_value=0, max_value=2**32)


@given(seconds, seconds, seconds, st.sampled_from(["wall_s", "head_s", "final_s"]), seconds)
def test_past__one_clock_jumps_ahead__moves_nothing(
    wall_s: int, head_s: int, final_s: int, name: str, ahead_s: int
) -> None:
    """ATTACKS 51: whichever clock it is, alone it only holds back."""
    true_s = min(wall_s, head_s, final_s)
    said = {"wall_s": true_s, "head_s": true_s, "final_s": true_s}

    assert Clocks(**said | {name: true_s + ahead_s}).past_s == true_s
    assert Clocks(wall_s, head_s, final_s).past_s == true_s


def test_past__simulated_time__is_the_final_blocks() -> None:
    clocks = Clocks(None, NOON_S, NOON_S - 60)

    assert (clocks.past_s, clocks.now_s) == (NOON_S - 60, NOON_S)
    clocks.require_agreement(apart_s=1)


@pytest.mark.parametrize("apart_s", [-CLOCKS_APART_S, 0, CLOCKS_APART_S])
def test_agreement__within_the_bound__goes_on(apart_s: int) -> None:
    clocks = Clocks(NOON_S + apart_s, NOON_S, NOON_S - 900)
    clocks.require_agreement(apart_s=CLOCKS_APART_S)

    assert clocks.now_s == NOON_S + apart_s


@pytest.mark.parametrize(("apart_s", "side"), [(-601, "behind"), (601, "ahead of")])
def test_agreement__beyond_the_bound__stops_and_names_both_times(apart_s: int, side: str) -> None:
    with pytest.raises(ClocksDiffer) as raised:
        Clocks(NOON_S + apart_s, NOON_S, NOON_S).require_agreement(apart_s=CLOCKS_APART_S)

    message = raised.value.message
    assert "2026-01-01T12:00:00Z" in message
    assert f"601 s {side} the chain" in message
    assert ("2026-01-01T11:49:59Z" if apart_s < 0 else "2026-01-01T12:10:01Z") in message


@pytest.mark.parametrize(
    ("due", "witnessed", "now"),
    [(0, False, 0), (3, False, 3), (60, False, 8), (61, False, 0), (61, True, 8), (4_000, True, 8)],
)
def test_epochs_at_once__backlog__goes_piece_by_piece_and_asks_without_a_witness(
    due: int, witnessed: bool, now: int
) -> None:
    assert epochs_at_once(due, most=8, ask_above=60, witnessed=witnessed) == now
