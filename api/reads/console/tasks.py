"""What an operator has to do: tasks that follow from the facts of its facilities."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from api.domain.facility import DEFAULT_PATIENCE_S
from api.domain.lifecycle import (
    FacilityState,
    Reopening,
    cured_until_s,
    cut_off_s,
    overdue_from_s,
)
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
    """A facility's bond as the chain has it, micros."""

    bond_micros: int
    required_bond_micros: int
    rate_micros_per_gpu_hour: int


@dataclass(frozen=True, slots=True)
class OpenEpochView:
    """The first epoch that is neither stated nor published, as the chain has it.

    since_s: the latest of funding and last void; patience runs from there, or from the epoch's end.
    rejected_at_s: of the last rejection; 0 without one.
    noticed_at_s: None unless notice of default was given and still counts.
    """

    epoch: Epoch
    since_s: int
    rejected_at_s: int
    noticed_at_s: int | None


@dataclass(frozen=True, slots=True)
class FacilityFacts:
    """What is known of one facility. Times are UTC seconds, money is micros."""

    facility_id: FacilityId
    state: FacilityState
    window_start_s: int
    window_end_s: int
    epoch_length_s: int
    grace_s: int
    seal_s: int
    epochs_posted: int  # statements that stand, with the closing one
    has_sale: bool = False
    units_issued: int = 0
    bond: ConsoleBondView | None = None
    patience_s: int = DEFAULT_PATIENCE_S
    open_epoch: OpenEpochView | None = None
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
    pledge_approved: bool = True

    def cut_off_s(self, epoch: int) -> int:
        """First second at which a record no longer enters the statement of `epoch` itself."""
        end_s = self.window_start_s + (epoch + 1) * self.epoch_length_s
        return cut_off_s(
            Epoch(epoch),
            epoch_end_s=end_s if end_s <= self.window_end_s else self.window_end_s + self.seal_s,
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
    yield from _bond(facts)
    yield from _default(facts, now_s)
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
    if facts.state is FacilityState.OFFERED and not facts.pledge_approved:
        yield TaskView("pledge_not_approved", severity, facts.facility_id, due_at_s=due_at_s)


def _bond(facts: FacilityFacts) -> Iterator[TaskView]:
    """A facility is funded only with the whole bond, which never falls afterwards."""
    bond = facts.bond
    if bond is None or facts.state is not FacilityState.OFFERED:
        return
    missing = bond.required_bond_micros - bond.bond_micros
    if missing > 0:
        yield TaskView(
            "bond_below_required",
            Severity.WARNING,
            facts.facility_id,
            amount_micros=missing,
            due_at_s=facts.window_start_s,
        )


def _default(facts: FacilityFacts, now_s: int) -> Iterator[TaskView]:
    """Notice of default was given, or soon can be. Due when a default could be declared."""
    opened = facts.open_epoch
    if opened is None or facts.state is not FacilityState.DELIVERING:
        return
    epoch_end_s = facts.window_start_s + (opened.epoch + 1) * facts.epoch_length_s
    if epoch_end_s > facts.window_end_s:
        return
    overdue_s = overdue_from_s(
        epoch_end_s=epoch_end_s,
        funded_at_s=opened.since_s,
        voided_at_s=opened.since_s,
        rejected_at_s=opened.rejected_at_s,
        patience_s=facts.patience_s,
    )
    if opened.noticed_at_s is None and overdue_s - now_s > min(facts.epoch_length_s, DAY_S):
        return
    noticed_at_s = max(overdue_s, now_s) if opened.noticed_at_s is None else opened.noticed_at_s
    due_at_s = cured_until_s(noticed_at_s, epoch_length_s=facts.epoch_length_s)
    yield TaskView(
        "default_near",
        Severity.CRITICAL,
        facts.facility_id,
        epoch=opened.epoch,
        due_at_s=due_at_s,
    )


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
    # Behind the last epoch comes the closing statement, and nothing after it.
    if facts.window_start_s + epoch * facts.epoch_length_s > facts.window_end_s:
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
