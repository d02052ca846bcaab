"""Five numbers that must agree: metered, rated, attested, collected and settled, claimed.

Each comes from its own source. Every difference has a name and an amount; what has none is a
mismatch.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from api.domain.metering.usage import RECORDED_KINDS, LineKind
from api.domain.units import NO_MICROS, Epoch, FacilityId, GpuSeconds, Micros


@dataclass(frozen=True, slots=True)
class EpochFigures:
    """One closed epoch: gross revenue as rated and as posted (None if not posted), micros."""

    epoch: Epoch
    rated_micros: Micros
    posted_micros: Micros | None
    final: bool


@dataclass(frozen=True, slots=True)
class FacilityFigures:
    """What the sources say of one facility.

    metered: standing usage and delivery of the ledger.  stated: GPU-seconds of statement lines
    (what is late added, voids taken off).  open: recorded, and in no statement yet, less what was
    taken back and is in none.  unbilled: in statements' time, under an outage, outside of the
    lease, or of a device that was not pledged then.
    Money is cumulative, from the chain.
    """

    facility_id: FacilityId
    metered_gpu_seconds: GpuSeconds
    stated_gpu_seconds: GpuSeconds
    open_gpu_seconds: GpuSeconds
    unbilled_gpu_seconds: GpuSeconds
    epochs: tuple[EpochFigures, ...]
    collected_micros: Micros
    settled_micros: Micros
    fees_micros: Micros
    accrued_micros: Micros
    claimed_micros: Micros
    unvested_micros: Micros
    # Rent that a bond paid, less later rent that went to claims; bond, proceeds and late rent that
    # units got beside settlements; revenue that found no units; rent that was unpaid when the
    # facility matured.
    advanced_micros: Micros = NO_MICROS
    recovered_micros: Micros = NO_MICROS
    owed_to_operator_micros: Micros = NO_MICROS
    written_off_micros: Micros = NO_MICROS


@dataclass(frozen=True, slots=True)
class Differences:
    """Named differences, GPU-seconds and micros; one of `receivable` and `prepaid` is zero.

    credited: settled, and then taken back by a closing statement below zero: it stays paid, and is
    the gpuOperator's debt to its renters.
    advanced: settled without rent, for the bond paid it at the closing, less later rent that went
    to claims and is not settled; below zero where that is more.
    recovered: what units got of bonds, sale proceeds and that rent, on top of what was settled.
    """

    open_epoch_gpu_seconds: GpuSeconds
    unbilled_gpu_seconds: GpuSeconds
    awaiting_posting_micros: Micros
    challenge_window_micros: Micros
    receivable_micros: Micros
    written_off_micros: Micros
    prepaid_micros: Micros
    awaiting_settlement_micros: Micros
    credited_micros: Micros
    fees_micros: Micros
    owed_to_operator_micros: Micros
    advanced_micros: Micros
    recovered_micros: Micros
    streaming_micros: Micros
    unclaimed_micros: Micros


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A number that nothing explains. `epoch` is None for cumulative numbers."""

    number: str
    epoch: Epoch | None
    expected: int
    actual: int

    def sentence(self, facility_id: FacilityId) -> str:
        """The mismatch in words."""
        where = "" if self.epoch is None else f", epoch {self.epoch}"
        return (
            f"facility {facility_id}{where}: {self.number} is {self.actual},"
            f" expected {self.expected}"
        )


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The five numbers of one facility, or of all, with their differences."""

    facility_id: FacilityId | None
    metered_gpu_seconds: GpuSeconds
    rated_micros: Micros
    attested_micros: Micros
    collected_micros: Micros
    settled_micros: Micros
    claimed_micros: Micros
    differences: Differences
    mismatches: tuple[Mismatch, ...]

    @property
    def balanced(self) -> bool:
        """Whether every difference has a name."""
        return not self.mismatches


def _payable(figures: FacilityFigures, *, final: int) -> int:
    """What settlements may have paid: attested, final and collected, or advanced by the bond; less
    what went to claims."""
    return min(final, figures.collected_micros) + figures.advanced_micros


def _attested(epochs: Iterable[EpochFigures]) -> int:
    """Posted revenue: a closing statement below zero takes no more than there is."""
    return max(0, sum(epoch.posted_micros or 0 for epoch in epochs))


def _final_before_closing(figures: FacilityFigures) -> int:
    """Final revenue as it was before a closing statement took some back."""
    final = (e.posted_micros or 0 for e in figures.epochs if e.final)
    return sum(posted for posted in final if posted > 0)


def _mismatches(
    figures: FacilityFigures, *, attested: int, final: int, unclaimed: int
) -> Iterable[Mismatch]:
    expected_seconds = figures.stated_gpu_seconds + figures.open_gpu_seconds
    expected_seconds += figures.unbilled_gpu_seconds
    if figures.metered_gpu_seconds != expected_seconds:
        yield Mismatch("metered_gpu_seconds", None, expected_seconds, figures.metered_gpu_seconds)
    for epoch in figures.epochs:
        if epoch.posted_micros is not None and epoch.posted_micros != epoch.rated_micros:
            yield Mismatch("attested_micros", epoch.epoch, epoch.rated_micros, epoch.posted_micros)
    limit = _payable(figures, final=_final_before_closing(figures))
    if figures.settled_micros > limit:
        yield Mismatch("settled_micros", None, limit, figures.settled_micros)
    expected = figures.settled_micros - figures.fees_micros - figures.owed_to_operator_micros
    expected += figures.recovered_micros
    if figures.accrued_micros != expected:
        yield Mismatch("accrued_micros", None, expected, figures.accrued_micros)
    if unclaimed < 0:
        limit = figures.accrued_micros - figures.unvested_micros
        yield Mismatch("claimed_micros", None, limit, figures.claimed_micros)


def reconcile(figures: FacilityFigures) -> Reconciliation:
    """Compare the sources of one facility."""
    rated = sum(epoch.rated_micros for epoch in figures.epochs)
    attested = _attested(figures.epochs)
    final = _attested(epoch for epoch in figures.epochs if epoch.final)
    unclaimed = figures.accrued_micros - figures.claimed_micros - figures.unvested_micros
    waiting = sum(epoch.rated_micros for epoch in figures.epochs if epoch.posted_micros is None)
    unpaid = max(0, attested - figures.collected_micros)
    # Rent that was written off and came after all is written off no more.
    written_off = min(figures.written_off_micros, unpaid)
    unsettled = _payable(figures, final=final) - figures.settled_micros
    differences = Differences(
        open_epoch_gpu_seconds=figures.open_gpu_seconds,
        unbilled_gpu_seconds=figures.unbilled_gpu_seconds,
        awaiting_posting_micros=Micros(waiting),
        challenge_window_micros=Micros(attested - final),
        receivable_micros=Micros(unpaid - written_off),
        written_off_micros=Micros(written_off),
        prepaid_micros=Micros(max(0, figures.collected_micros - attested)),
        awaiting_settlement_micros=Micros(max(0, unsettled)),
        credited_micros=Micros(max(0, -unsettled)),
        fees_micros=figures.fees_micros,
        owed_to_operator_micros=figures.owed_to_operator_micros,
        advanced_micros=figures.advanced_micros,
        recovered_micros=figures.recovered_micros,
        streaming_micros=figures.unvested_micros,
        unclaimed_micros=Micros(unclaimed),
    )
    mismatches = _mismatches(figures, attested=attested, final=final, unclaimed=unclaimed)
    return Reconciliation(
        facility_id=figures.facility_id,
        metered_gpu_seconds=figures.metered_gpu_seconds,
        rated_micros=Micros(rated),
        attested_micros=Micros(attested),
        collected_micros=figures.collected_micros,
        settled_micros=figures.settled_micros,
        claimed_micros=figures.claimed_micros,
        differences=differences,
        mismatches=tuple(mismatches),
    )


def total(parts: Sequence[Reconciliation]) -> Reconciliation:
    """Sum over facilities, with the mismatches of all of them."""
    sums = {
        f.name: sum(getattr(part.differences, f.name) for part in parts)
        for f in fields(Differences)
    }
    return Reconciliation(
        facility_id=None,
        metered_gpu_seconds=GpuSeconds(sum(p.metered_gpu_seconds for p in parts)),
        rated_micros=Micros(sum(p.rated_micros for p in parts)),
        attested_micros=Micros(sum(p.attested_micros for p in parts)),
        collected_micros=Micros(sum(p.collected_micros for p in parts)),
        settled_micros=Micros(sum(p.settled_micros for p in parts)),
        claimed_micros=Micros(sum(p.claimed_micros for p in parts)),
        differences=Differences(**sums),
        mismatches=tuple(m for part in parts for m in part.mismatches),
    )


def stated_gpu_seconds(kind_seconds: Iterable[tuple[LineKind, int]]) -> int:
    """GPU-seconds that statement lines stand for, from `(kind, end - start)` pairs."""
    # Usage and deliveries count, in time or late; a void takes back; differences are money alone.
    signs = {kind: -1 if kind is LineKind.VOID else 1 for kind in RECORDED_KINDS}
    return sum(signs.get(kind, 0) * seconds for kind, seconds in kind_seconds)
