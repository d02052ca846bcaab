"""SQL of what the ledger holds between two times: usage and outages that a batch may overlap."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BindParameter, ColumnElement, Connection, Table, bindparam, select

from api.db.bulk import chunks
from api.db.rows import columns_of, rows_as
from api.db.tables.facilities import devices
from api.db.tables.ledger import (
    LeaseTime,
    TakenTime,
    outages,
    usage_records,
    usage_voids,
)
from api.domain.units import Bytes32, FacilityId


@dataclass(frozen=True, slots=True)
class Span:
    """Part of the ledger to compare a batch with: devices of a facility between two times."""

    facility_id: FacilityId
    devices: tuple[Bytes32, ...]
    start_s: int
    end_s: int


def _overlapping(table: Table, span: Span, devices: Sequence[bytes]) -> ColumnElement[bool]:
    # An interval never crosses an epoch, but starts are what is indexed: no lower bound on them
    # is known here, so the end is compared too.
    return (
        (table.c.facility_id == span.facility_id)
        & table.c.device.in_(devices)
        & (table.c.start_s < span.end_s)
        & (table.c.end_s > span.start_s)
    )


_STANDING = usage_records.outerjoin(
    usage_voids, usage_voids.c.record_pk == usage_records.c.record_pk
)


# Built once: a list given to `in_` is looked at element by element, every time.
_SPAN_START: BindParameter[int] = bindparam("start_s")
_SPAN_END: BindParameter[int] = bindparam("end_s")
_SPAN_DEVICES: BindParameter[Sequence[bytes]] = bindparam("devices", expanding=True)
_USAGE_COLUMNS = columns_of(TakenTime)
_USAGE_INSIDE = (
    select(*_USAGE_COLUMNS)
    .select_from(_STANDING)
    .where(
        usage_records.c.facility_id == bindparam("facility_id"),
        usage_records.c.device.in_(_SPAN_DEVICES),
        usage_records.c.start_s >= _SPAN_START,
        usage_records.c.start_s < _SPAN_END,
        usage_voids.c.record_pk.is_(None),
    )
)
_earlier, _earlier_voids = usage_records.alias("earlier"), usage_voids.alias("earlier_voids")
_LAST_BEFORE = (
    select(_earlier.c.record_pk)
    .outerjoin(_earlier_voids, _earlier_voids.c.record_pk == _earlier.c.record_pk)
    .where(
        _earlier.c.facility_id == devices.c.facility_id,
        _earlier.c.device == devices.c.device,
        _earlier.c.start_s < _SPAN_START,
        _earlier_voids.c.record_pk.is_(None),
    )
    .order_by(_earlier.c.start_s.desc())
    .limit(1)
    .correlate(devices)
    .scalar_subquery()
)
_USAGE_BEFORE = (
    select(*_USAGE_COLUMNS)
    .select_from(devices)
    .join(usage_records, usage_records.c.record_pk == _LAST_BEFORE)
    .where(
        devices.c.facility_id == bindparam("facility_id"),
        devices.c.device.in_(_SPAN_DEVICES),
        usage_records.c.end_s > _SPAN_START,
    )
)


# Intervals `[start, end)` in seconds, by device or lease.
Times = dict[Bytes32, list[tuple[int, int]]]


def usage_in(connection: Connection, span: Span) -> Times:
    """Standing (not voided) usage that touches a span, by device.

    Standing records of a device never overlap: of those that start before the span, only the last
    one can reach into it. So nothing older is read, however full the epoch is.
    """
    by_device: Times = {}
    values = {"facility_id": span.facility_id, "start_s": span.start_s, "end_s": span.end_s}
    for part in chunks(span.devices):
        for query in (_USAGE_INSIDE, _USAGE_BEFORE):
            taken = connection.execute(query, {**values, "devices": part})
            for row in rows_as(TakenTime, taken):
                by_device.setdefault(row.device, []).append((row.start_s, row.end_s))
    return by_device


def outages_in(connection: Connection, span: Span, *, longest_s: int) -> Times:
    """Outages that touch a span, by device."""
    by_device: Times = {}
    for part in chunks(span.devices):
        query = select(outages.c.device, outages.c.start_s, outages.c.end_s).where(
            _overlapping(outages, span, part), outages.c.start_s > span.start_s - longest_s
        )
        for row in rows_as(TakenTime, connection.execute(query)):
            by_device.setdefault(row.device, []).append((row.start_s, row.end_s))
    return by_device


def lease_usage_in(
    connection: Connection,
    facility_id: FacilityId,
    named: Sequence[Bytes32],
    *,
    start_s: int,
    end_s: int,
    longest_s: int,
) -> Times:
    """Standing usage intervals of leases between two times, by lease, all devices.

    `longest_s` bounds any record's length, and so how late one that touches the span can end.
    """
    by_lease: Times = {lease: [] for lease in named}
    for part in chunks(named):
        query = (
            select(*columns_of(LeaseTime))
            .select_from(_STANDING)
            .where(
                usage_records.c.facility_id == facility_id,
                usage_records.c.lease.in_(part),
                usage_records.c.end_s > start_s,
                usage_records.c.end_s < end_s + longest_s,
                usage_records.c.start_s < end_s,
                usage_voids.c.record_pk.is_(None),
            )
        )
        for row in rows_as(LeaseTime, connection.execute(query)):
            by_lease[row.lease].append((row.start_s, row.end_s))
    return by_lease
