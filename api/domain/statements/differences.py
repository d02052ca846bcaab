"""Differences: money that a lease owes, or gets back, beside the usage of the epoch itself."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from api.domain.facility import FacilityTerms
from api.domain.hashing import keccak
from api.domain.metering.usage import LineKind, Outage
from api.domain.statements.entries import Entry, SortKey
from api.domain.statements.rating import (
    LeaseTerms,
    credit_weight,
    known_lease,
    shortfall_gpu_seconds,
    usage_weight,
)
from api.domain.units import ZERO32, Bytes32, Epoch, GpuSeconds

# Subject of a difference, by kind: the hash of its component's name. A fixed item and an adjustment
# have subjects of their own: the hash of the whole item, and of the fact.
COMPONENT_SUBJECTS = {
    LineKind.USAGE_DIFFERENCE: keccak(b"usage"),
    LineKind.TIER_DIFFERENCE: keccak(b"tier"),
    LineKind.SHORTFALL_DIFFERENCE: keccak(b"shortfall"),
    LineKind.MINIMUM_DIFFERENCE: keccak(b"minimum"),
    LineKind.SLA_DIFFERENCE: keccak(b"sla"),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """What a component of a lease owes for a period and no statement has stated yet.

    start_s, end_s: the period.  weight: exact, as in `rating`; below zero where a lease gets back.
    """

    kind: LineKind
    subject: Bytes32
    lease: Bytes32
    start_s: int
    end_s: int
    weight: int

    def sort_key(self) -> SortKey:
        """Canonical order of lines. Equal keys are one line."""
        return (self.kind, self.subject, self.start_s, self.lease, self.end_s)


def merged(differences: Iterable[Difference]) -> list[Difference]:
    """One difference for each lease, period and component, in order; none of weight zero."""
    by_key: dict[SortKey, Difference] = {}
    for difference in differences:
        key = difference.sort_key()
        before = by_key.get(key)
        if before is not None:
            difference = replace(difference, weight=difference.weight + before.weight)
        by_key[key] = difference
    return [by_key[key] for key in sorted(by_key) if by_key[key].weight]


def usage_differences(
    terms: FacilityTerms, leases: Mapping[Bytes32, LeaseTerms], entries: Iterable[Entry]
) -> list[Difference]:
    """What late usage and voids change of earlier epochs, at the prices of then.

    A late delivery owes nothing, and a void takes back usage alone: a stated delivery stays.
    """
    signs = {LineKind.LATE: 1, LineKind.VOID: -1}
    differences = []
    for entry in entries:
        if entry.kind in signs:
            price = known_lease(leases, entry.lease).price_at(entry.start_s)
            weight = signs[entry.kind] * usage_weight(entry.gpu_seconds, price)
            epoch = terms.epoch_at(entry.start_s)
            kind = LineKind.USAGE_DIFFERENCE
            differences.append(_of_epoch(terms, kind, epoch, lease=entry.lease, weight=weight))
    return differences


def commitment_differences(
    terms: FacilityTerms,
    epoch: Epoch,
    leases: Mapping[Bytes32, LeaseTerms],
    usage: Iterable[Entry],
    outages: Iterable[Outage],
) -> list[Difference]:
    """Shortfalls and SLA credits that follow from leases, usage and outages of an epoch.

    Late usage does not lower a past shortfall: the epoch in which it was due is closed.
    """
    start_s, end_s = terms.epoch_bounds(epoch)
    delivered: dict[Bytes32, int] = {}
    withheld: dict[Bytes32, int] = {}
    for entry in usage:
        if entry.kind is LineKind.USAGE:
            delivered[entry.lease] = delivered.get(entry.lease, 0) + entry.gpu_seconds
    differences = []
    for outage in outages:
        if outage.lease == ZERO32:
            continue
        seconds = GpuSeconds(outage.end_s - outage.start_s)
        withheld[outage.lease] = withheld.get(outage.lease, 0) + seconds
        weight = credit_weight(seconds, leases[outage.lease].price_at(outage.start_s))
        kind = LineKind.SLA_DIFFERENCE
        differences.append(_of_epoch(terms, kind, epoch, lease=outage.lease, weight=weight))
    for lease in leases.values():
        shortfall = shortfall_gpu_seconds(
            committed=lease.committed_gpu_seconds(start_s=start_s, end_s=end_s),
            delivered=delivered.get(lease.lease, 0),
            withheld=withheld.get(lease.lease, 0),
        )
        if shortfall:
            price = lease.price_at(max(start_s, lease.opened_at_s))
            weight = usage_weight(shortfall, price)
            kind = LineKind.SHORTFALL_DIFFERENCE
            differences.append(_of_epoch(terms, kind, epoch, lease=lease.lease, weight=weight))
    return differences


def _of_epoch(
    terms: FacilityTerms, kind: LineKind, epoch: Epoch, *, lease: Bytes32, weight: int
) -> Difference:
    """A difference of a lease's component whose period is an epoch."""
    start_s, end_s = terms.epoch_bounds(epoch)
    return Difference(kind, COMPONENT_SUBJECTS[kind], lease, start_s, end_s, weight)
