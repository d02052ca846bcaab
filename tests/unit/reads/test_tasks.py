"""Tasks of the console: one case for each kind, their order, and states of epochs."""

from dataclasses import replace

import pytest

from api.domain.lifecycle import FacilityState, Reopening
from api.domain.units import Bytes32
from api.reads.console.tasks import (
    DAY_S,
    ConsoleBondView,
    FacilityFacts,
    Severity,
    tasks_of,
)

HOUR_S = 3_600
START_S = 1_000 * DAY_S
# Ten daily epochs; the third day has begun, two statements are posted, metering is up to date.
NOW_S = START_S + 2 * DAY_S + 2 * HOUR_S
FINE = FacilityFacts(
    7,
    FacilityState.DELIVERING,
    START_S,
    START_S + 10 * DAY_S,
    DAY_S,
    HOUR_S,
    epochs_posted=2,
    last_event_end_s=NOW_S - 60,
)
BOND = ConsoleBondView(100, 100, 1, grace_s=2 * DAY_S, default_after_epochs=3, below_since_s=None,
            shortfall_due_micros=0)  # fmt: skip
DEVICE = Bytes32(b"\7" * 32)


def test_tasks__of_a_facility_in_order__are_none() -> None:
    assert tasks_of([FINE, replace(FINE, bond=BOND)], NOW_S) == []


@pytest.mark.parametrize(
    ("changes", "kind", "severity", "due_s"),
    [
        (
            {"state": FacilityState.REGISTERED, "window_start_s": NOW_S + HOUR_S},
            "offer_missing",
            "critical",
            NOW_S + HOUR_S,
        ),
        ({"state": FacilityState.OFFERED}, "mint_or_sale_missing", "critical", START_S),
        (
            {"bond": replace(BOND, bond_micros=40, below_since_s=NOW_S - 5)},
            "bond_below_required",
            "critical",
            NOW_S - 5 + 2 * DAY_S,
        ),
        (
            {"bond": replace(BOND, bond_micros=40), "state": FacilityState.FUNDED},
            "bond_below_required",
            "warning",
            START_S,
        ),
        (
            {"last_event_end_s": NOW_S - 3 * HOUR_S},
            "metering_silent",
            "warning",
            NOW_S - HOUR_S,
        ),
        ({"last_event_end_s": None}, "metering_silent", "critical", START_S + 2 * HOUR_S),
        (
            {"gaps": ((DEVICE, START_S + 2 * DAY_S + 60),)},
            "metering_gap",
            "info",
            START_S + 3 * DAY_S + HOUR_S,
        ),
        ({"rejected": 3}, "events_rejected", "warning", None),
        ({"conflicts": 1}, "conflicts", "warning", None),
        ({"epochs_posted": 1}, "epoch_stuck", "warning", START_S + 2 * DAY_S + 2 * HOUR_S),
        ({"epochs_posted": 0}, "epoch_stuck", "warning", START_S + DAY_S + 2 * HOUR_S),
        ({"epochs_posted": 1, "voided_epoch": 1}, "epoch_voided", "critical", None),
        (
            {"epochs_posted": 1, "reopenings": (Reopening(1, NOW_S - 60),)},
            "epoch_reopened",
            "warning",
            NOW_S - 60 + HOUR_S,
        ),
        # Its time for corrections ended long ago, and it is still not on-chain.
        (
            {"epochs_posted": 1, "reopenings": (Reopening(1, NOW_S - 2 * HOUR_S),)},
            "epoch_stuck",
            "warning",
            NOW_S,
        ),
        (
            {"rent_due_micros": 5, "rent_due_since_s": NOW_S - 8 * DAY_S},
            "rent_overdue",
            "warning",
            NOW_S - 8 * DAY_S,
        ),
        ({"releasable_micros": 5}, "proceeds_releasable", "info", None),
        ({"withdrawable_micros": 5}, "withdrawable", "info", None),
        ({"pledged_twice": (DEVICE,)}, "device_pledged_twice", "critical", None),
    ],
)
def test_tasks__one_cause__one_task(
    changes: dict[str, object], kind: str, severity: str, due_s: int | None
) -> None:
    found = tasks_of([replace(FINE, **changes)], NOW_S)  # type: ignore[arg-type]

    assert [(t.kind, t.severity, t.due_at_s) for t in found] == [(kind, Severity(severity), due_s)]


def test_default_near__is_when_anybody_could_declare_it() -> None:
    """FacilityRegistry: now >= windowStart + (posted + 1 + patience) x epoch; or below + grace."""
    late = replace(FINE, bond=BOND, epochs_posted=0)
    last_epoch_s = START_S + 3 * DAY_S

    before = tasks_of([late], last_epoch_s - 1)
    near = tasks_of([late], last_epoch_s)

    assert "default_near" not in [t.kind for t in before]
    assert [(t.kind, t.due_at_s) for t in near if t.kind == "default_near"] == [
        ("default_near", START_S + 4 * DAY_S)
    ]
    poor = replace(FINE, bond=replace(BOND, bond_micros=1, below_since_s=NOW_S - 2 * DAY_S))
    kinds = {t.kind: t.due_at_s for t in tasks_of([poor], NOW_S)}
    assert kinds["default_near"] == NOW_S + 1


def test_tasks__order__severity_then_deadline_then_none() -> None:
    facts = [
        replace(FINE, rejected=1, releasable_micros=1),
        replace(FINE, facility_id=8, last_event_end_s=NOW_S - 4 * HOUR_S),
        replace(FINE, facility_id=9, pledged_twice=(DEVICE,), epochs_posted=1, voided_epoch=1),
    ]

    found = [t.kind for t in tasks_of(facts, NOW_S)]

    assert found == [
        "device_pledged_twice", "epoch_voided", "metering_silent", "events_rejected",
        "proceeds_releasable",
    ]  # fmt: skip
    assert tasks_of(facts[::-1], NOW_S) == tasks_of(facts, NOW_S)


def test_tasks__later_epoch_voided__waits_for_the_earlier() -> None:
    """An epoch that cannot be reopened yet is no task: the one that is due first is."""
    found = tasks_of([replace(FINE, epochs_posted=1, voided_epoch=2)], NOW_S)

    assert [(t.kind, t.epoch) for t in found] == [("epoch_stuck", 1)]


def test_tasks__gap_of_a_reopened_epoch__is_due_when_it_closes_again() -> None:
    gap = (DEVICE, START_S + DAY_S + 60)
    reopened = Reopening(1, NOW_S)

    facts = replace(FINE, epochs_posted=1, gaps=(gap,), reopenings=(reopened,))

    found = [(t.kind, t.epoch, t.due_at_s) for t in tasks_of([facts], NOW_S)]

    assert found == [("epoch_reopened", 1, NOW_S + HOUR_S), ("metering_gap", 1, NOW_S + HOUR_S)]


def test_tasks__many_gaps__are_bounded() -> None:
    gaps = tuple((Bytes32(bytes([i]) * 32), NOW_S) for i in range(50))

    assert len(tasks_of([replace(FINE, gaps=gaps)], NOW_S)) == 10
