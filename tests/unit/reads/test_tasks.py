"""Tasks of the console: one case for each kind, their order, and states of epochs."""

from dataclasses import replace

import pytest

from api.domain.lifecycle import FacilityState, Reopening
from api.domain.units import Bytes32
from api.reads.console.tasks import (
    DAY_S,
    ConsoleBondView,
    FacilityFacts,
    OpenEpochView,
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
    seal_s=3 * DAY_S,
    epochs_posted=2,
    last_event_end_s=NOW_S - 60,
)
BOND = ConsoleBondView(100, 100, 1)
# The third epoch is open, and no notice of it was given.
OPEN = OpenEpochView(2, START_S - DAY_S, 0, None)
DEVICE = Bytes32(b"\7" * 32)


def test_tasks__of_a_facility_in_order__are_none() -> None:
    assert tasks_of([FINE, replace(FINE, bond=BOND, open_epoch=OPEN)], NOW_S) == []


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
            {"state": FacilityState.OFFERED, "has_sale": True, "pledge_approved": False},
            "pledge_not_approved",
            "critical",
            START_S,
        ),
        (
            {
                "bond": replace(BOND, bond_micros=40),
                "state": FacilityState.OFFERED,
                "has_sale": True,
            },
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


@pytest.mark.parametrize(
    ("opened", "due_s"),
    [
        # Overdue a week after the epoch's end; and then there is an epoch and a day to cure it.
        (OPEN, START_S + 3 * DAY_S + 7 * DAY_S + 2 * DAY_S),
        # A void later than the epoch's end lets patience run anew.
        (replace(OPEN, since_s=START_S + 3 * DAY_S + 5), START_S + 12 * DAY_S + 5),
        (replace(OPEN, noticed_at_s=START_S + 11 * DAY_S), START_S + 13 * DAY_S),
    ],
)
def test_default_near__is_when_anybody_could_declare_it(opened: OpenEpochView, due_s: int) -> None:
    late = replace(FINE, open_epoch=opened, window_end_s=START_S + 30 * DAY_S)
    # A day before notice may be given; a notice that was given counts at any time.
    shown_s = due_s - 3 * DAY_S if opened.noticed_at_s is None else NOW_S

    before, near = (
        [t for t in tasks_of([late], now_s) if t.kind == "default_near"]
        for now_s in (shown_s - 1, shown_s)
    )

    assert bool(before) is (opened.noticed_at_s is not None)
    assert [(t.epoch, t.severity, t.due_at_s) for t in near] == [(2, Severity.CRITICAL, due_s)]


def test_default_near__nobody_gave_notice__is_due_a_whole_cure_from_now() -> None:
    late = replace(FINE, open_epoch=OPEN, window_end_s=START_S + 30 * DAY_S)
    now_s = START_S + 20 * DAY_S

    (task,) = [t for t in tasks_of([late], now_s) if t.kind == "default_near"]

    assert task.due_at_s == now_s + 2 * DAY_S


def test_default_near__all_epochs_stated_or_published__is_no_task() -> None:
    done = replace(FINE, epochs_posted=11, open_epoch=OpenEpochView(10, START_S, 0, None))

    assert tasks_of([done], START_S + 400 * DAY_S) == []


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


def test_tasks__closing_statement_late__is_stuck_until_it_stands() -> None:
    sealed_s = START_S + 13 * DAY_S
    after = replace(FINE, epochs_posted=10)
    assert tasks_of([after], sealed_s + 2 * HOUR_S - 1) == []
    (task,) = tasks_of([after], sealed_s + 2 * HOUR_S)
    assert (task.kind, task.epoch, task.due_at_s) == ("epoch_stuck", 10, sealed_s + 2 * HOUR_S)
    (task,) = tasks_of([replace(after, voided_epoch=10)], sealed_s)
    assert (task.kind, task.epoch) == ("epoch_voided", 10)
    assert tasks_of([replace(FINE, epochs_posted=11)], sealed_s + 9 * DAY_S) == []


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
