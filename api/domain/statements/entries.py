"""Entries of a statement: what the ledger recorded, before money and order."""

from dataclasses import dataclass

from api.domain.metering.usage import LineKind
from api.domain.units import Bytes32, GpuSeconds

# Order of lines: kind, subject, start, lease, end.
SortKey = tuple[LineKind, Bytes32, int, Bytes32, int]


@dataclass(frozen=True, slots=True)
class Entry:
    """An interval of a device. kind: one of `RECORDED_KINDS`."""

    kind: LineKind
    device: Bytes32
    lease: Bytes32
    start_s: int
    end_s: int

    @property
    def gpu_seconds(self) -> GpuSeconds:
        """Length of the interval."""
        return GpuSeconds(self.end_s - self.start_s)

    def sort_key(self) -> SortKey:
        """Canonical order of lines. Equal keys are equal entries."""
        return (self.kind, self.device, self.start_s, self.lease, self.end_s)
