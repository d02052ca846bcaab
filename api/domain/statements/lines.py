"""Lines of a statement: canonical order, prefix sums and Merkle leaves."""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from api.domain.hashing import word
from api.domain.merkle import MerkleTree, leaf_hash
from api.domain.metering.usage import COUNTED_KINDS, LineKind
from api.domain.statements.books import Item
from api.domain.units import (
    MAX_I64,
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


def numbered(items: Iterable[Item]) -> tuple[Line, ...]:
    """Lines of a statement from its items: sorted, numbered, with sums.

    Raises:  InvalidInput for two lines that are equal but for the charge, or sums beyond 63 bits.
    """
    lines: list[Line] = []
    total = seconds = 0
    last: Item | None = None
    for item in sorted(items):
        if last is not None and item.place == last.place:
            raise InvalidInput("two lines of a statement are equal", field="lines")
        last = item
        counted = item.end_s - item.start_s if item.kind in COUNTED_KINDS else 0
        total += item.charge
        seconds += counted
        if abs(total) > MAX_I64 or seconds > MAX_I64:
            raise InvalidInput("the statement's total is beyond 63 bits", field="lines")
        lines.append(
            Line(
                index=len(lines),
                kind=item.kind,
                subject=item.subject,
                lease=item.lease,
                start_s=item.start_s,
                end_s=item.end_s,
                gpu_seconds=GpuSeconds(counted),
                charge_micros=Micros(item.charge),
                cumulative_gpu_seconds=GpuSeconds(seconds),
                cumulative_charge_micros=Micros(total),
            )
        )
    return tuple(lines)


def check_overlaps(lines: Iterable[Line]) -> None:
    """Refuse lines that bill or deliver a device twice for one second. Raises InvalidInput.

    Signers of such lines lose their bonds: two lines prove it.
    """
    counted = sorted((x.subject, x.start_s, x.end_s) for x in lines if x.kind in COUNTED_KINDS)
    for before, after in pairwise(counted):
        if before[0] == after[0] and after[1] < before[2]:
            message = f"device {before[0].hex()} is billed twice at {after[1]}"
            raise InvalidInput(message, field="lines")


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
