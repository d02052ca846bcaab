"""The judge of metering: may a facility, as it stands, take an interval, and where? No I/O."""

from dataclasses import dataclass

from api.db.tables.facilities import FacilityRow
from api.db.tables.leases import LeaseRow
from api.domain.facility import FacilityTerms
from api.domain.metering.events import OutageEvent, UsageEvent
from api.domain.metering.occupancy import Concurrency, Occupancy
from api.domain.metering.usage import Interval, LineKind, place_interval, usage_kind
from api.domain.units import ZERO32, Bytes32, Epoch
from api.errors import EventRejected


@dataclass(slots=True)
class Taken:
    """What leases and devices hold already: by lease id, device, and limited lease."""

    leases: dict[str, LeaseRow]
    usage: dict[Bytes32, Occupancy]
    outages: dict[Bytes32, Occupancy]
    lease_usage: dict[Bytes32, Concurrency]

    def lease(self, lease_id: str) -> LeaseRow:
        """A lease that the batch names. Raises EventRejected."""
        lease = self.leases.get(lease_id)
        if lease is None:
            raise EventRejected("lease_unknown", f"no lease {lease_id!r}", field="lease")
        return lease


@dataclass(slots=True)
class Snapshot:
    """One locked facility: as a batch found it, with what the batch took since.

    earliest_open: first epoch that takes records at `recorded_at_s`; None once all are closed.
    """

    facility: FacilityRow
    terms: FacilityTerms
    recorded_at_s: int
    earliest_open: Epoch | None
    taken: Taken


@dataclass(slots=True)  # one an event: a frozen one takes thrice as long to make
class Placed:
    """An interval that passed every rule, and the epoch whose statement has it.

    kind: kind of the line that it makes; None for an outage, which makes none by itself.
    """

    interval: Interval
    epoch: Epoch
    kind: LineKind | None


def judge(snapshot: Snapshot, event: UsageEvent | OutageEvent) -> Placed:
    """Judge one interval and take it. Raises EventRejected; what it rejects takes nothing."""
    terms, taken = snapshot.terms, snapshot.taken
    gpu_class = event.gpu_class if isinstance(event, UsageEvent) else None
    if gpu_class is not None and gpu_class != terms.gpu_class:
        message = f"facility {terms.facility_id} holds {terms.gpu_class}"
        raise EventRejected("gpu_class_mismatch", message, field="gpu_class")
    lease = None if event.lease_id is None else taken.lease(event.lease_id)
    interval = Interval(
        device=event.device_hash,
        lease=ZERO32 if lease is None else lease.lease,
        start_s=event.start_s,
        end_s=event.end_s,
    )
    placement = place_interval(
        terms,
        interval,
        recorded_at_s=snapshot.recorded_at_s,
        earliest_open=snapshot.earliest_open,
    )
    if lease is not None:
        _require_lease_open(lease, interval)
    if isinstance(event, OutageEvent):
        _take_outage(taken, interval, late=placement.late)
        return Placed(interval=interval, epoch=placement.statement_epoch, kind=None)
    _take_usage(taken, lease, interval)
    kind = usage_kind(delivery=event.delivery, late=placement.late)
    return Placed(interval=interval, epoch=placement.statement_epoch, kind=kind)


def _take_usage(taken: Taken, lease: LeaseRow | None, interval: Interval) -> None:
    _require_free(taken.usage, interval, "overlap", "device is already in use")
    _require_free(taken.outages, interval, "outage_overlap", "device was out of service")
    running = taken.lease_usage[lease.lease] if lease is not None and lease.max_gpus else None
    if lease is not None and running is not None:
        _require_capacity(running, lease, interval)
    # Every rule holds: only now is the interval taken, so a rejected event blocks no other.
    _take(taken.usage, interval)
    if running is not None:
        running.add(interval.start_s, interval.end_s)


def _take_outage(taken: Taken, interval: Interval, *, late: bool) -> None:
    if late:
        raise EventRejected("epoch_closed", "the epoch of this outage is closed")
    _require_free(taken.usage, interval, "outage_overlap", "device was in use")
    _require_free(taken.outages, interval, "outage_overlap", "outage is already known")
    _take(taken.outages, interval)


def _require_lease_open(lease: LeaseRow, interval: Interval) -> None:
    closed_s = lease.closed_at_s
    closed = closed_s is not None and interval.end_s > closed_s
    if interval.start_s < lease.opened_at_s or closed:
        message = f"lease {lease.lease_id!r} is not open throughout"
        raise EventRejected("lease_not_open", message, field="lease")


def _require_free(
    taken: dict[Bytes32, Occupancy], interval: Interval, reason: str, message: str
) -> None:
    occupancy = taken.get(interval.device)
    conflict = occupancy and occupancy.conflict(interval.start_s, interval.end_s)
    if conflict:
        raise EventRejected(reason, f"{message} from {conflict[0]} to {conflict[1]}")


def _require_capacity(running: Concurrency, lease: LeaseRow, interval: Interval) -> None:
    if running.peak(interval.start_s, interval.end_s) + 1 > lease.max_gpus:
        message = f"lease covers {lease.max_gpus} GPUs at once"
        raise EventRejected("over_capacity", message, field="lease")


def _take(taken: dict[Bytes32, Occupancy], interval: Interval) -> None:
    taken.setdefault(interval.device, Occupancy()).add(interval.start_s, interval.end_s)
