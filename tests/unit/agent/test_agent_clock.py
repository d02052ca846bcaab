"""The agent's clock, against what the service says of its own."""

import pytest

from api.agent.clock import AgentClock

NOON = "Thu, 01 Jan 2026 12:00:00 GMT"
NOON_S = 1_767_268_800


@pytest.mark.parametrize(
    ("off_s", "skew_s", "billable_s", "word"),
    [
        (0, 0, NOON_S, "agree"),
        (2, 0, NOON_S + 2, "agree"),
        (90, -90, NOON_S, "90 s ahead of"),
        (-90, 90, NOON_S - 90, "90 s behind"),
    ],
)
def test_skew__of_a_machine__bounds_what_is_billed(
    off_s: int, skew_s: int, billable_s: int, word: str
) -> None:
    clock = AgentClock(lambda: NOON_S + off_s)

    clock.hear(NOON)

    assert (clock.skew_s, clock.billable_s()) == (skew_s, billable_s)
    assert word in clock.sentence()


@pytest.mark.parametrize("date", [None, "", "yesterday"])
def test_skew__without_a_date__is_unknown(date: str | None) -> None:
    clock = AgentClock(lambda: NOON_S)

    clock.hear(date)

    assert clock.skew_s is None
    assert clock.billable_s() == NOON_S
    assert "not said" in clock.sentence()
