"""Lines of a statement: canonical order, rating, prefix sums and Merkle leaves."""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from api.domain.hashing import word
from api.domain.merkle import MerkleTree, leaf_hash
from api.domain.metering.usage import COUNTED_KINDS, LineKind
from api.domain.statements.differences import Difference, merged
from api.domain.statements.entries import Entry
from api.domain.statements.rating import (
    LeaseCarry,
    LeaseTerms,
    known_lease,
    usage_weight,
    weight_of,
)
from api.domain.units import (
    MAX_I64,
    NO_MICROS,
    Bytes32,
    Epoch,
    FacilityId,
    GpuSeconds,
    Micros,
)
from api.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a statement, the leaf of the usage tree.

    subject: hash of the device's name; of a difference, of its component, fixed item or fact.
    gpu_seconds: GPU-seconds that count for this epoch: 0 for all but usage and delivery.
    charge_micros: minor units; of a difference of either sign, of other kinds but usage 0.
    """

    index: int
    kind: LineKind
    subject: Bytes32
    lease: Bytes32
    start_s: int
    end_s: int
    gpu_seconds: GpuSeconds
    charge_micros: Micros
    cumulative_gpu_seconds: GpuSeconds
    cumulative_charge_micros: Micros

    @property
    def interval_s(self) -> GpuSeconds:
        """Length of the interval: what a delivery serves of vouchers, in time or late."""
        return GpuSeconds(self.end_s - self.start_s)

    def as_abi_tuple(self, facility_id: FacilityId, epoch: Epoch) -> tuple[int | bytes, ...]:
        """`IStatementRegistry.Line` in the contract's order, which `encode_line` hashes."""
        return (
            facility_id,
            epoch,
            self.index,
            int(self.kind),
            self.subject,
            self.lease,
            self.start_s,
            self.end_s,
            self.gpu_seconds,
            self.charge_micros,
            self.cumulative_gpu_seconds,
            self.cumulative_charge_micros,
        )


@dataclass(frozen=True, slots=True)
class RatedLines:
    """Result of rating one epoch. `deferred` are differences below zero that wait for the next."""

    lines: tuple[Line, ...]
    deferred: tuple[Difference, ...]
    carry: Mapping[Bytes32, LeaseCarry]


class _Rating:
    """Charges of one epoch as they grow, rounded on the cumulative of each lease."""

    def __init__(self, carry: Mapping[Bytes32, LeaseCarry], *, closing: bool) -> None:
        self.carry, self.closing = dict(carry), closing
        self.total_micros = 0
        # Kind, subject, start, lease, end, charge: in the order of lines, once they are sorted.
        self.charged: list[tuple[LineKind, Bytes32, int, Bytes32, int, Micros]] = []
        self.deferred: list[Difference] = []

    def charge(self, lease: Bytes32, weight: int) -> Micros:
        """Charge a lease with so much more."""
        before = self.carry.get(lease, LeaseCarry())
        charge_micros, self.carry[lease] = before.charge(weight)
        self.total_micros += charge_micros
        return charge_micros

    def take(self, entry: Entry, lease: LeaseTerms) -> None:
        """Rate an interval: only usage in time is charged by its own line."""
        weight = 0
        if entry.kind is LineKind.USAGE:
            weight = usage_weight(entry.gpu_seconds, lease.price_at(entry.start_s))
        charge_micros = self.charge(entry.lease, weight) if weight else NO_MICROS
        self.charged.append((*entry.sort_key(), charge_micros))

    def state(self, difference: Difference) -> None:
        """Rate a difference; what would make the total negative waits for the next statement.

        Nothing waits in the closing statement: there is no next one.
        """
        before = self.carry.get(difference.lease, LeaseCarry())
        due_micros, _ = before.charge(difference.weight)
        weight = difference.weight
        if due_micros + self.total_micros < 0 and not self.closing:
            # Whole minor units are stated: so the rest is exact, and below zero.
            weight = -weight_of(Micros(self.total_micros))
            self.deferred.append(replace(difference, weight=difference.weight - weight))
        charge_micros = self.charge(difference.lease, weight)
        if charge_micros:
            self.charged.append((*difference.sort_key(), charge_micros))


def rate_entries(
    entries: Sequence[Entry],
    differences: Sequence[Difference],
    leases: Mapping[Bytes32, LeaseTerms],
    carry: Mapping[Bytes32, LeaseCarry],
    *,
    closing: bool = False,
) -> RatedLines:
    """Sort, rate and number the lines of one epoch.

    A statement never takes back what earlier statements already paid out: of the differences below
    zero, in their order, those that its total cannot bear are shortened, and the rest is deferred.

    Args:    closing: of the closing statement, which states everything, also below zero.
             differences: in any order; those of one lease, period and component are one line.
    Raises:  InvalidInput for an unknown lease, two equal entries, or a total beyond 63 bits.
    """
    rating = _Rating(carry, closing=closing)
    ordered = sorted(entries, key=Entry.sort_key)
    if any(before == after for before, after in pairwise(ordered)):
        raise InvalidInput("two lines of a statement are equal", field="entries")
    for entry in ordered:
        rating.take(entry, known_lease(leases, entry.lease))
    due = merged(differences)
    for difference in (*(d for d in due if d.weight > 0), *(d for d in due if d.weight < 0)):
        known_lease(leases, difference.lease)
        rating.state(difference)
    lines = _numbered(rating.charged)
    if abs(rating.total_micros) > MAX_I64 or (lines and lines[-1].cumulative_gpu_seconds > MAX_I64):
        raise InvalidInput("the statement's total is beyond 63 bits", field="entries")
    deferred = sorted(rating.deferred, key=Difference.sort_key)
    return RatedLines(lines, tuple(deferred), rating.carry)


def _numbered(
    charged: Iterable[tuple[LineKind, Bytes32, int, Bytes32, int, Micros]],
) -> tuple[Line, ...]:
    lines: list[Line] = []
    total_micros = total_seconds = 0
    for kind, subject, start_s, lease, end_s, charge_micros in sorted(charged):
        counted = end_s - start_s if kind in COUNTED_KINDS else 0
        total_micros += charge_micros
        total_seconds += counted
        lines.append(
            Line(
                index=len(lines),
                kind=kind,
                subject=subject,
                lease=lease,
                start_s=start_s,
                end_s=end_s,
                gpu_seconds=GpuSeconds(counted),
                charge_micros=charge_micros,
                cumulative_gpu_seconds=GpuSeconds(total_seconds),
                cumulative_charge_micros=Micros(total_micros),
            )
        )
    return tuple(lines)


# Words of a line before its charge; integers stand at the right end of theirs.
_HEAD = struct.Struct(">24xQ28xI28xI31xB32s32s24xQ24xQ24xQ")


def encode_line(facility_id: FacilityId, epoch: Epoch, line: Line) -> bytes:
    """ABI encoding of a line: the tuple that UsageProof.sol hashes, twelve words.

    `(uint64 facilityId, uint32 epoch, uint32 index, uint8 kind, bytes32 subject, bytes32 lease,
    uint64 start, uint64 end, uint64 gpuSeconds, int128 charge, uint64 cumulativeGpuSeconds,
    int128 cumulativeCharge)`.
    """
    place = (facility_id, epoch, line.index, line.kind)
    interval = (line.start_s, line.end_s, line.gpu_seconds)
    try:
        head = _HEAD.pack(*place, line.subject, line.lease, *interval)
    except struct.error:
        # Foreign evidence may hold numbers beyond their type: it gets words, and another root.
        words = (*map(word, place), line.subject, line.lease, *map(word, interval))
        head = b"".join(words)
    return b"".join(
        (
            head,
            word(line.charge_micros),
            word(line.cumulative_gpu_seconds),
            word(line.cumulative_charge_micros),
        )
    )


def usage_tree(facility_id: FacilityId, epoch: Epoch, lines: Sequence[Line]) -> MerkleTree:
    """Merkle tree over the lines of a statement; `proof(i)` proves line `i`."""
    return MerkleTree([leaf_hash(encode_line(facility_id, epoch, line)) for line in lines])
