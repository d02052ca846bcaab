"""What an operator has to do: tasks that follow from the facts of its facilities."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from api.domain.lifecycle import FacilityState, Reopening, cut_off_s
from api.domain.units import SECONDS_PER_HOUR, Bytes32, Epoch, FacilityId

DAY_S = 24 * SECONDS_PER_HOUR
# Collectors push every few minutes to every hour: two missed hours are worth a look.
SILENT_AFTER_S = 2 * SECONDS_PER_HOUR
# An epoch needs minutes from its cut-off to the chain.
STUCK_AFTER_S = SECONDS_PER_HOUR
RENT_LATE_S, RENT_VERY_LATE_S = 7 * DAY_S, 30 * DAY_S
GAP_TASKS_PER_FACILITY = 10


class Severity(StrEnum):
    """How urgent a task is, most urgent first."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


_RANK = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True)
class ConsoleBondView:
    """A facility's bond as the chain has it, micros; `below_since_s` None while sufficient."""

    bond_micros: int
    required_bond_micros: int
    rate_micros_per_gpu_hour: int
    grace_s: int
    default_after_epochs: int
    below_since_s: int | None
    shortfall_due_micros: int


@dataclass(frozen=True, slots=True)
class FacilityFacts:
    """What is known of one facility. Times are UTC seconds, money is micros."""

    facility_id: FacilityId
    state: FacilityState
    window_start_s: int
    window_end_s: int
    epoch_length_s: int
    grace_s: int
    epochs_posted: int
    has_sale: bool = False
    units_issued: int = 0
    bond: ConsoleBondView | None = None
    last_event_end_s: int | None = None
    gaps: tuple[tuple[Bytes32, int], ...] = ()  # device, start of its first gap in an open epoch
    rejected: int = 0
    conflicts: int = 0
    voided_epoch: Epoch | None = None  # its statement in the books can never be posted
    reopenings: tuple[Reopening, ...] = ()
    rent_due_micros: int = 0  # of final statements, not collected
    rent_due_since_s: int | None = None
    releasable_micros: int = 0
    withdrawable_micros: int = 0
    pledged_twice: tuple[Bytes32, ...] = ()

    def cut_off_s(self, epoch: int) -> int:
        """First second at which a record no longer enters `epoch` itself."""
        return cut_off_s(
            Epoch(epoch),
            epoch_end_s=self.window_start_s + (epoch + 1) * self.epoch_length_s,
            grace_s=self.grace_s,
            reopenings=self.reopenings,
        )


@dataclass(frozen=True, slots=True)
class TaskView:
    """One thing to do."""

    kind: str
    severity: Severity
    facility_id: FacilityId
    epoch: Epoch | None = None
    amount_micros: int | None = None
    device: Bytes32 | None = None
    due_at_s: int | None = None


def tasks_of(facts: Iterable[FacilityFacts], now_s: int) -> list[TaskView]:
    """All tasks: by severity, then by when they are due, those without a time last."""
    tasks = [task for facility in facts for task in _tasks(facility, now_s)]
    return sorted(
        tasks,
        key=lambda t: (
            _RANK[t.severity],
            t.due_at_s is None,
            t.due_at_s or 0,
            t.facility_id,
            t.kind,
            t.device or b"",
        ),
    )


def _tasks(facts: FacilityFacts, now_s: int) -> Iterator[TaskView]:
    yield from _launch(facts, now_s)
    yield from _bond(facts, now_s)
    yield from _metering(facts, now_s)
    yield from _statements(facts, now_s)
    yield from _money(facts, now_s)
    for device in facts.pledged_twice:
        yield TaskView("device_pledged_twice", Severity.CRITICAL, facts.facility_id, device=device)


def _launch(facts: FacilityFacts, now_s: int) -> Iterator[TaskView]:
    soon = facts.window_start_s - now_s < DAY_S
    severity = Severity.CRITICAL if soon else Severity.WARNING
    due_at_s = facts.window_start_s
    # What has begun can no longer be offered.
    if facts.state is FacilityState.REGISTERED and now_s < facts.window_start_s:
        yield TaskView("offer_missing", severity, facts.facility_id, due_at_s=due_at_s)
    if facts.state is FacilityState.OFFERED and not facts.has_sale and facts.units_issued == 0:
        yield TaskView("mint_or_sale_missing", severity, facts.facility_id, due_at_s=due_at_s)


def _default_at_s(facts: FacilityFacts) -> int | None:
    """When anybody could declare a default, if nothing is done. Model of `declareDefault`."""
    bond = facts.bond
    if bond is None:
        return None
    times = []
    whole = (facts.window_end_s - facts.window_start_s) // facts.epoch_length_s
    if bond.default_after_epochs and facts.epochs_posted < whole:
        epochs = facts.epochs_posted + 1 + bond.default_after_epochs
        times.append(facts.window_start_s + epochs * facts.epoch_length_s)
    if bond.below_since_s is not None:
        # The contract wants more than the grace to have passed, not just the grace.
        times.append(bond.below_since_s + bond.grace_s + 1)
    return min(times) if times else None


def _bond(facts: FacilityFacts, now_s: int) -> Iterator[TaskView]:
    bond = facts.bond
    live = facts.state.live
    if bond is None or not live:
        return
    delivering = facts.state is FacilityState.DELIVERING
    missing = bond.required_bond_micros - bond.bond_micros
    if missing > 0:
        due_at_s = facts.window_start_s
        if delivering and bond.below_since_s is not None:
            due_at_s = bond.below_since_s + bond.grace_s
        severity = Severity.CRITICAL if delivering else Severity.WARNING
        yield TaskView(
            "bond_below_required",
            severity,
            facts.facility_id,
            amount_micros=missing,
            due_at_s=due_at_s,
        )
    default_at_s = _default_at_s(facts)
    # While statements keep up, the deadline is always more than an epoch and its grace away.
    near_s = facts.epoch_length_s
    if delivering and default_at_s is not None and default_at_s - now_s <= near_s:
        yield TaskView("default_near", Severity.CRITICAL, facts.facility_id, due_at_s=default_at_s)


def _metering(facts: FacilityFacts, now_s: int) -> Iterator[TaskView]:
    open_now = facts.window_start_s <= now_s < facts.window_end_s
    if facts.state is FacilityState.DELIVERING and open_now:
        last_s = max(facts.last_event_end_s or 0, facts.window_start_s)
        if now_s - last_s > SILENT_AFTER_S:
            long = now_s - last_s > DAY_S
            severity = Severity.CRITICAL if long else Severity.WARNING
            due_at_s = last_s + SILENT_AFTER_S
            yield TaskView("metering_silent", severity, facts.facility_id, due_at_s=due_at_s)
    for device, start_s in facts.gaps[:GAP_TASKS_PER_FACILITY]:
        epoch = Epoch((start_s - facts.window_start_s) // facts.epoch_length_s)
        yield TaskView(
            "metering_gap",
            Severity.INFO,
            facts.facility_id,
            epoch=epoch,
            device=device,
            due_at_s=facts.cut_off_s(epoch),
        )
    if facts.rejected:
        yield TaskView("events_rejected", Severity.WARNING, facts.facility_id)
    if facts.conflicts:
        yield TaskView("conflicts", Severity.WARNING, facts.facility_id)


def _statements(facts: FacilityFacts, now_s: int) -> Iterator[TaskView]:
    """The next epoch to be posted was voided, is open again, or is late."""
    if facts.state is not FacilityState.DELIVERING:
        return
    epoch = Epoch(facts.epochs_posted)
    if facts.window_start_s + (epoch + 1) * facts.epoch_length_s > facts.window_end_s:
        return
    if facts.voided_epoch == epoch:
        yield TaskView("epoch_voided", Severity.CRITICAL, facts.facility_id, epoch=epoch)
        return
    cut_s = facts.cut_off_s(epoch)
    if any(r.first_epoch == epoch and now_s < cut_s for r in facts.reopenings):
        yield TaskView(
            "epoch_reopened", Severity.WARNING, facts.facility_id, epoch=epoch, due_at_s=cut_s
        )
    due_at_s = cut_s + STUCK_AFTER_S
    if now_s < due_at_s:
        return
    late = now_s - due_at_s > facts.epoch_length_s
    severity = Severity.CRITICAL if late else Severity.WARNING
    yield TaskView("epoch_stuck", severity, facts.facility_id, epoch=epoch, due_at_s=due_at_s)


def _money(facts: FacilityFacts, now_s: int) -> Iterator[TaskView]:
    if facts.rent_due_micros > 0 and facts.rent_due_since_s is not None:
        age_s = now_s - facts.rent_due_since_s
        severity = Severity.INFO
        if age_s >= RENT_LATE_S:
            severity = Severity.CRITICAL if age_s >= RENT_VERY_LATE_S else Severity.WARNING
        yield TaskView(
            "rent_overdue",
            severity,
            facts.facility_id,
            amount_micros=facts.rent_due_micros,
            due_at_s=facts.rent_due_since_s,
        )
    for kind, amount in (
        ("proceeds_releasable", facts.releasable_micros),
        ("withdrawable", facts.withdrawable_micros),
    ):
        if amount > 0:
            yield TaskView(kind, Severity.INFO, facts.facility_id, amount_micros=amount)
