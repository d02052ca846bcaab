"""What ingest must know of a facility to judge a batch: devices, leases, taken intervals, time."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection

from api.clock import Clock
from api.db import ledger, spans
from api.db.reopenings import reopenings_of
from api.domain.facility import FacilityTerms
from api.domain.hashing import device_hash
from api.domain.lifecycle import recording_time_s
from api.domain.metering.events import MeterEvent, OutageEvent, UsageEvent
from api.domain.metering.occupancy import Concurrency, Occupancy
from api.domain.metering.usage import Interval, LineKind, place_interval
from api.domain.statements.evidence_reader import decode_facility
from api.domain.units import ZERO32, Bytes32
from api.errors import EventRejected


@lru_cache(maxsize=256)
def terms_from_bytes(document: bytes) -> FacilityTerms:
    """Terms of a facility from the bytes of `facility.json`; they never change."""
    return decode_facility(document)


def recording_time(row: Any, terms: FacilityTerms, now_s: int) -> int:
    """Recording time at `now_s`: never before an earlier record or a closed epoch's cut-off."""
    closed = row.epochs_closed
    return recording_time_s(
        now_s,
        last_recorded_at_s=row.last_recorded_at_s,
        closed_end_s=terms.epoch_bounds(closed - 1)[1] if closed else None,
        grace_s=row.grace_s,
    )


@dataclass(frozen=True, slots=True)
class Accepted:
    """An interval that passed every rule, with its place."""

    device: Bytes32
    lease: Bytes32
    start_s: int
    end_s: int
    statement_epoch: int
    kind: LineKind


class FacilityView:
    """One locked facility during one batch."""

    def __init__(
        self, connection: Connection, row: Any, events: list[MeterEvent], now_s: int
    ) -> None:
        self.facility_id: int = row.facility_id
        self.grace_s: int = row.grace_s
        self.terms = terms_from_bytes(row.terms_json)
        self.recorded_at_s = recording_time(row, self.terms, now_s)
        self.reopenings = reopenings_of(connection, row.facility_id)
        self._connection = connection
        self._events = [e for e in events if isinstance(e, (UsageEvent, OutageEvent))]
        self.reload(connection)

    def reload(self, connection: Connection) -> None:
        """Read leases and taken intervals that this batch can touch."""
        lease_ids = [e.lease_id for e in self._events if e.lease_id is not None]
        self._leases = ledger.leases_named(connection, self.facility_id, lease_ids)
        self._usage: dict[bytes, Occupancy] = {}
        self._outages: dict[bytes, Occupancy] = {}
        self._lease_usage: dict[bytes, Concurrency] = {}
        if not self._events:
            return
        window = (min(e.start_s for e in self._events), max(e.end_s for e in self._events))
        devices = {device_hash(e.device) for e in self._events} & self.terms.device_set
        span = spans.Span(self.facility_id, tuple(sorted(devices)), *window)
        longest_s = self.terms.epoch_length_s
        for row in spans.usage_in(connection, span):
            self._usage.setdefault(row.device, Occupancy()).add(row.start_s, row.end_s)
        for row in spans.outages_in(connection, span, longest_s=longest_s):
            self._outages.setdefault(row.device, Occupancy()).add(row.start_s, row.end_s)
        limited = [lease.lease for lease in self._leases.values() if lease.max_gpus]
        taken = spans.lease_usage_in(
            connection,
            self.facility_id,
            limited,
            start_s=span.start_s,
            end_s=span.end_s,
            longest_s=longest_s,
        )
        self._lease_usage = {lease: Concurrency(found) for lease, found in taken.items()}

    def accept_usage(self, event: UsageEvent) -> Accepted:
        """Judge one usage interval and take it. Raises EventRejected."""
        if event.gpu_class is not None and event.gpu_class != self.terms.gpu_class:
            message = f"facility {self.facility_id} holds {self.terms.gpu_class}"
            raise EventRejected("gpu_class_mismatch", message, field="gpu_class")
        device = device_hash(event.device)
        lease = self._lease(event.lease_id)
        interval = Interval(device, Bytes32(lease.lease), event.start_s, event.end_s)
        placement = self._place(interval)
        self._require_lease_open(lease, interval)
        self._require_free(self._usage, interval, "overlap", "device is already in use")
        self._require_free(self._outages, interval, "outage_overlap", "device was out of service")
        self._require_capacity(lease, interval)
        if placement.late and event.delivery:
            raise EventRejected("epoch_closed", "delivery must be metered before the cut-off")
        kind = LineKind.DELIVERY if event.delivery else LineKind.USAGE
        kind = LineKind.LATE_USAGE if placement.late else kind
        # Every rule holds: only now is the interval taken, so a rejected event blocks no other.
        self._usage.setdefault(device, Occupancy()).add(event.start_s, event.end_s)
        if lease.max_gpus:
            self._lease_usage[lease.lease].add(event.start_s, event.end_s)
        epoch = placement.statement_epoch
        return Accepted(device, interval.lease, event.start_s, event.end_s, epoch, kind)

    def accept_outage(self, event: OutageEvent) -> Accepted:
        """Judge one outage and take it. Raises EventRejected; a closed epoch takes none."""
        row = None if event.lease_id is None else self._lease(event.lease_id)
        lease = ZERO32 if row is None else Bytes32(row.lease)
        interval = Interval(device_hash(event.device), lease, event.start_s, event.end_s)
        placement = self._place(interval)
        if row is not None:
            self._require_lease_open(row, interval)
        if placement.late:
            raise EventRejected("epoch_closed", "the epoch of this outage is closed")
        self._require_free(self._usage, interval, "outage_overlap", "device was in use")
        self._require_free(self._outages, interval, "outage_overlap", "outage is already known")
        self._outages.setdefault(interval.device, Occupancy()).add(event.start_s, event.end_s)
        return Accepted(
            interval.device,
            lease,
            event.start_s,
            event.end_s,
            placement.statement_epoch,
            LineKind.USAGE,
        )

    def _place(self, interval: Interval) -> Any:
        return place_interval(
            self.terms,
            interval,
            recorded_at_s=self.recorded_at_s,
            grace_s=self.grace_s,
            reopenings=self.reopenings,
        )

    def _lease(self, lease_id: str) -> Any:
        lease = self._leases.get(lease_id)
        if lease is None:
            raise EventRejected("lease_unknown", f"no lease {lease_id!r}", field="lease")
        return lease

    def _require_lease_open(self, lease: Any, interval: Interval) -> None:
        closed_s = lease.closed_at_s
        closed = closed_s is not None and interval.end_s > closed_s
        if interval.start_s < lease.opened_at_s or closed:
            message = f"lease {lease.lease_id!r} is not open throughout"
            raise EventRejected("lease_not_open", message, field="lease")

    def _require_free(
        self, taken: dict[bytes, Occupancy], interval: Interval, reason: str, message: str
    ) -> None:
        occupancy = taken.get(interval.device)
        conflict = occupancy and occupancy.conflict(interval.start_s, interval.end_s)
        if conflict:
            raise EventRejected(reason, f"{message} from {conflict[0]} to {conflict[1]}")

    def _require_capacity(self, lease: Any, interval: Interval) -> None:
        if not lease.max_gpus:
            return
        peak = self._lease_usage[lease.lease].peak(interval.start_s, interval.end_s)
        if peak + 1 > lease.max_gpus:
            message = f"lease covers {lease.max_gpus} GPUs at once"
            raise EventRejected("over_capacity", message, field="lease")


def open_views(
    connection: Connection, operator_id: int, events: Iterable[MeterEvent], clock: Clock
) -> tuple[dict[int, FacilityView], int]:
    """Lock the operator's facilities that a batch names and read what it needs, then the time.

    Returns: views by facility, and the time.
    """
    by_facility: dict[int, list[MeterEvent]] = {}
    for event in events:
        by_facility.setdefault(event.envelope.facility_id, []).append(event)
    rows = ledger.lock_facilities(connection, by_facility)
    now_s = clock()
    views = {
        facility_id: FacilityView(connection, row, by_facility[facility_id], now_s)
        for facility_id, row in rows.items()
        if row.operator_id == operator_id
    }
    return views, now_s
