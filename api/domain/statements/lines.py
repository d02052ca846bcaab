"""Lines of a statement: canonical order, rating, prefix sums and Merkle leaves."""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from api.domain.facility import FacilityTerms
from api.domain.hashing import word
from api.domain.merkle import MerkleTree, leaf_hash
from api.domain.metering.usage import COUNTED_KINDS, NEGATIVE_KINDS, LineKind, Outage
from api.domain.statements.rating import (
    LeaseCarry,
    LeaseTerms,
    credit_weight,
    shortfall_gpu_seconds,
    usage_weight,
)
from api.domain.units import MAX_I64, ZERO32, Bytes32, Epoch, FacilityId, GpuSeconds, Micros
from api.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Entry:
    """An unrated line: what the ledger says before money and order.

    gpu_seconds: what the charge is for; `end_s - start_s` but for shortfalls.
    """

    kind: LineKind
    device: Bytes32
    lease: Bytes32
    start_s: int
    end_s: int
    gpu_seconds: GpuSeconds

    def sort_key(self) -> tuple[int, bytes, int, bytes, int]:
        """Canonical order of lines. The end breaks ties, so that equal keys are equal entries."""
        return (self.kind, self.device, self.start_s, self.lease, self.end_s)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a statement, the leaf of the usage tree.

    gpu_seconds: GPU-seconds that count for this epoch: 0 for all but usage and delivery.
    charge_micros: minor units, negative for credits and voids.
    """

    index: int
    kind: LineKind
    device: Bytes32
    lease: Bytes32
    start_s: int
    end_s: int
    gpu_seconds: GpuSeconds
    charge_micros: Micros
    cumulative_gpu_seconds: GpuSeconds
    cumulative_charge_micros: Micros

    def as_abi_tuple(self, facility_id: FacilityId, epoch: Epoch) -> tuple[int | bytes, ...]:
        """`IStatementRegistry.Line` in the contract's order, which `encode_line` hashes."""
        return (
            facility_id,
            epoch,
            self.index,
            int(self.kind),
            self.device,
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
    """Result of rating one epoch. `deferred` are credits and voids that wait for the next."""

    lines: tuple[Line, ...]
    deferred: tuple[Entry, ...]
    carry: Mapping[Bytes32, LeaseCarry]


def commitment_entries(
    terms: FacilityTerms,
    epoch: Epoch,
    leases: Mapping[Bytes32, LeaseTerms],
    usage: Iterable[Entry],
    outages: Iterable[Outage],
) -> list[Entry]:
    """Shortfall and SLA-credit entries that follow from leases, usage and outages of an epoch.

    Late usage does not lower a past shortfall: the epoch in which it was due is closed.
    """
    start_s, end_s = terms.epoch_bounds(epoch)
    delivered: dict[Bytes32, int] = {}
    withheld: dict[Bytes32, int] = {}
    for entry in usage:
        if entry.kind is LineKind.USAGE:
            delivered[entry.lease] = delivered.get(entry.lease, 0) + entry.gpu_seconds
    entries = []
    for outage in outages:
        if outage.lease == ZERO32:
            continue
        seconds = GpuSeconds(outage.end_s - outage.start_s)
        withheld[outage.lease] = withheld.get(outage.lease, 0) + seconds
        if leases[outage.lease].price_at(outage.start_s).sla_credit_bps:
            entries.append(
                Entry(
                    kind=LineKind.SLA_CREDIT,
                    device=outage.device,
                    lease=outage.lease,
                    start_s=outage.start_s,
                    end_s=outage.end_s,
                    gpu_seconds=seconds,
                )
            )
    for lease in leases.values():
        shortfall = shortfall_gpu_seconds(
            committed=lease.committed_gpu_seconds(start_s=start_s, end_s=end_s),
            delivered=delivered.get(lease.lease, 0),
            withheld=withheld.get(lease.lease, 0),
        )
        if shortfall:
            begin_s = max(start_s, lease.opened_at_s)
            until_s = end_s if lease.closed_at_s is None else min(end_s, lease.closed_at_s)
            entries.append(
                Entry(
                    kind=LineKind.SHORTFALL,
                    device=ZERO32,
                    lease=lease.lease,
                    start_s=begin_s,
                    end_s=until_s,
                    gpu_seconds=shortfall,
                )
            )
    return entries


def _weight(entry: Entry, lease: LeaseTerms) -> int:
    price = lease.price_at(entry.start_s)
    if entry.kind is LineKind.DELIVERY:
        return 0
    if entry.kind is LineKind.SLA_CREDIT:
        return credit_weight(entry.gpu_seconds, price)
    weight = usage_weight(entry.gpu_seconds, price)
    return -weight if entry.kind is LineKind.VOID else weight


def rate_entries(
    entries: Sequence[Entry],
    leases: Mapping[Bytes32, LeaseTerms],
    carry: Mapping[Bytes32, LeaseCarry],
) -> RatedLines:
    """Sort, rate and number the entries of one epoch.

    A credit or void that would make the running total negative is deferred: a statement never
    takes back what earlier statements already paid out.

    Raises:  InvalidInput for an unknown lease, two equal entries, or a total beyond 63 bits.
    """
    ordered = sorted(entries, key=Entry.sort_key)
    next_carry = dict(carry)
    lines: list[Line] = []
    deferred: list[Entry] = []
    total_micros = total_seconds = 0
    previous: Entry | None = None
    for entry in ordered:
        # One interval can be recorded late and voided more than once; anything else is once.
        if entry == previous and entry.kind is not LineKind.VOID:
            raise InvalidInput("two lines of a statement are equal", field="entries")
        previous = entry
        lease = leases.get(entry.lease)
        if lease is None:
            raise InvalidInput(f"line names unknown lease {entry.lease.hex()}", field="lease")
        before = next_carry.get(entry.lease, LeaseCarry())
        charge_micros, after = before.charge(_weight(entry, lease))
        if entry.kind in NEGATIVE_KINDS and total_micros + charge_micros < 0:
            deferred.append(entry)
            continue
        next_carry[entry.lease] = after
        counted = entry.gpu_seconds if entry.kind in COUNTED_KINDS else GpuSeconds(0)
        total_micros += charge_micros
        total_seconds += counted
        lines.append(
            Line(
                index=len(lines),
                kind=entry.kind,
                device=entry.device,
                lease=entry.lease,
                start_s=entry.start_s,
                end_s=entry.end_s,
                gpu_seconds=counted,
                charge_micros=charge_micros,
                cumulative_gpu_seconds=GpuSeconds(total_seconds),
                cumulative_charge_micros=Micros(total_micros),
            )
        )
    if total_micros > MAX_I64 or total_seconds > MAX_I64:
        raise InvalidInput("the statement's total is beyond 63 bits", field="entries")
    return RatedLines(tuple(lines), tuple(deferred), next_carry)


# Words of a line before its charge; integers stand at the right end of theirs.
_HEAD = struct.Struct(">24xQ28xI28xI31xB32s32s24xQ24xQ24xQ")


def encode_line(facility_id: FacilityId, epoch: Epoch, line: Line) -> bytes:
    """ABI encoding of a line: the tuple that UsageProof.sol hashes, twelve words.

    `(uint64 facilityId, uint32 epoch, uint32 index, uint8 kind, bytes32 device, bytes32 lease,
    uint64 start, uint64 end, uint64 gpuSeconds, int128 charge, uint64 cumulativeGpuSeconds,
    int128 cumulativeCharge)`.
    """
    place = (facility_id, epoch, line.index, line.kind)
    interval = (line.start_s, line.end_s, line.gpu_seconds)
    try:
        head = _HEAD.pack(*place, line.device, line.lease, *interval)
    except struct.error:
        # Foreign evidence may hold numbers beyond their type: it gets words, and another root.
        words = (*map(word, place), line.device, line.lease, *map(word, interval))
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
