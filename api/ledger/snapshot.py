"""Reading what a batch is judged by: its facilities, locked, with what they hold already."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection

from api.clock import Clock
from api.db import spans
from api.db.chain_store import ended_at
from api.db.facilities import lock_facilities
from api.db.leases import leases_named
from api.db.reopenings import reopenings_of
from api.db.tables.facilities import FacilityRow
from api.domain.facility import FacilityTerms
from api.domain.lifecycle import closing_cut_off_s, open_epoch, recording_time_s
from api.domain.metering.events import (
    LeaseClosedEvent,
    LeaseOpenedEvent,
    MeterEvent,
    OutageEvent,
    UsageEvent,
)
from api.domain.metering.occupancy import Concurrency, Occupancy
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.units import Bytes32, Epoch, FacilityId, OperatorId
from api.ledger.judge import Snapshot, Taken


def read_snapshots(
    connection: Connection, operator_id: OperatorId, events: Iterable[MeterEvent], clock: Clock
) -> tuple[dict[FacilityId, Snapshot], int]:
    """Lock the operator's facilities that a batch names and read what it needs, then the time.

    The lock comes first and the clock after it, so that times follow the order of commits.
    Returns: snapshots by facility, and the time.
    """
    by_facility: dict[FacilityId, list[MeterEvent]] = {}
    for event in events:
        by_facility.setdefault(event.envelope.facility_id, []).append(event)
    rows = lock_facilities(connection, by_facility)
    ended = ended_at(connection, rows) if rows else {}
    now_s = clock()
    snapshots = {
        facility_id: _snapshot(
            connection, row, by_facility[facility_id], now_s, ended_at_s=ended.get(facility_id)
        )
        for facility_id, row in rows.items()
        if row.operator_id == operator_id
    }
    return snapshots, now_s


def _snapshot(
    connection: Connection,
    row: FacilityRow,
    events: Sequence[MeterEvent],
    now_s: int,
    *,
    ended_at_s: int | None,
) -> Snapshot:
    terms = terms_from_bytes(row.terms_json)
    recorded_at_s = _recording_time(row, terms, now_s)
    reopenings = reopenings_of(connection, row.facility_id)
    earliest_open = open_epoch(terms, recorded_at_s, grace_s=row.grace_s, reopenings=reopenings)
    if ended_at_s is not None:
        cut_s = closing_cut_off_s(
            terms, ended_at_s=ended_at_s, grace_s=row.grace_s, reopenings=reopenings
        )
        if cut_s is None or recorded_at_s >= cut_s:
            earliest_open = None
    return Snapshot(
        facility=row,
        terms=terms,
        recorded_at_s=recorded_at_s,
        earliest_open=earliest_open,
        taken=read_taken(connection, terms, events),
    )


def _recording_time(row: FacilityRow, terms: FacilityTerms, now_s: int) -> int:
    """Recording time at `now_s`: never before an earlier record or a closed epoch's cut-off."""
    closed = row.epochs_closed
    return recording_time_s(
        now_s,
        last_recorded_at_s=row.last_recorded_at_s,
        closed_end_s=terms.epoch_bounds(Epoch(closed - 1))[1] if closed else None,
        grace_s=row.grace_s,
    )


def read_taken(connection: Connection, terms: FacilityTerms, batch: Sequence[MeterEvent]) -> Taken:
    """Leases and taken intervals of a facility that a batch can touch."""
    lease_ids = _lease_ids(batch)
    leases = leases_named(connection, terms.facility_id, lease_ids)
    events = [e for e in batch if isinstance(e, (UsageEvent, OutageEvent))]
    if not events:
        return Taken(leases=leases, usage={}, outages={}, lease_usage={})
    span = spans.Span(
        facility_id=terms.facility_id,
        devices=tuple(sorted({e.device_hash for e in events} & terms.device_set)),
        start_s=min(e.start_s for e in events),
        end_s=max(e.end_s for e in events),
    )
    longest_s = terms.epoch_length_s
    limited = [lease.lease for lease in leases.values() if lease.max_gpus]
    lease_times = spans.lease_usage_in(
        connection,
        terms.facility_id,
        limited,
        start_s=span.start_s,
        end_s=span.end_s,
        longest_s=longest_s,
    )
    return Taken(
        leases=leases,
        usage=_occupancy(spans.usage_in(connection, span)),
        outages=_occupancy(spans.outages_in(connection, span, longest_s=longest_s)),
        lease_usage={lease: Concurrency(times) for lease, times in lease_times.items()},
    )


def _lease_ids(batch: Iterable[MeterEvent]) -> set[str]:
    leased = (UsageEvent, OutageEvent, LeaseOpenedEvent, LeaseClosedEvent)
    return {e.lease_id for e in batch if isinstance(e, leased) and e.lease_id is not None}


def _occupancy(by_device: Mapping[Bytes32, Iterable[tuple[int, int]]]) -> dict[Bytes32, Occupancy]:
    return {device: Occupancy(times) for device, times in by_device.items()}
