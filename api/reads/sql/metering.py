"""SQL of metering by device: records, gaps, repeats, conflicts, and devices pledged twice."""

from dataclasses import dataclass

from sqlalchemy import Connection, and_, case, func, literal, or_, select, union_all

from api.db.chain_store import cancelled_facilities
from api.db.tables.console import event_repeats
from api.db.tables.facilities import devices, facilities
from api.db.tables.ledger import event_conflicts, meter_events, outages, usage_records, usage_voids
from api.domain.units import Bytes32, FacilityId


@dataclass(frozen=True, slots=True)
class MeteringRow:
    """What the ledger holds of one device.

    A gap is time inside the span looked at that no standing record and no outage of the device
    covers: from the span's start to its first interval, and between its intervals. After the last
    one there is no gap, but lag. An idle device shows gaps too: nothing was metered there.
    """

    records: int = 0
    last_end_s: int | None = None
    outage_seconds: int = 0
    gaps: int = 0
    gap_seconds: int = 0
    first_gap_start_s: int | None = None


def metering_by_device(
    connection: Connection, facility_id: FacilityId, *, from_s: int
) -> dict[Bytes32, MeteringRow]:
    """Metering of intervals that start at `from_s` or later, by device; idle ones are missing."""
    joined = usage_records.outerjoin(
        usage_voids, usage_voids.c.record_pk == usage_records.c.record_pk
    )
    usage = (
        select(
            usage_records.c.device,
            usage_records.c.start_s,
            usage_records.c.end_s,
            literal(0).label("out"),
        )
        .select_from(joined)
        .where(
            usage_records.c.facility_id == facility_id,
            usage_records.c.start_s >= from_s,
            usage_voids.c.record_pk.is_(None),
        )
    )
    withheld = select(
        outages.c.device, outages.c.start_s, outages.c.end_s, literal(1).label("out")
    ).where(outages.c.facility_id == facility_id, outages.c.start_s >= from_s)
    spans = union_all(usage, withheld).subquery()
    # Standing intervals of a device never overlap: the one before ends last of all before.
    before = func.lag(spans.c.end_s).over(partition_by=spans.c.device, order_by=spans.c.start_s)
    rows = select(
        spans.c.device,
        spans.c.start_s,
        spans.c.end_s,
        spans.c.out,
        func.coalesce(before, from_s).label("before_s"),
    ).subquery()
    gap_s = rows.c.start_s - rows.c.before_s
    query = select(
        rows.c.device,
        func.sum(1 - rows.c.out).label("records"),
        func.max(rows.c.end_s).label("last_end_s"),
        func.sum(rows.c.out * (rows.c.end_s - rows.c.start_s)).label("outage_seconds"),
        func.sum(case((gap_s > 0, 1), else_=0)).label("gaps"),
        func.sum(case((gap_s > 0, gap_s), else_=0)).label("gap_seconds"),
        func.min(case((gap_s > 0, rows.c.before_s))).label("first_gap_start_s"),
    ).group_by(rows.c.device)
    return {
        Bytes32(row["device"]): MeteringRow(
            records=int(row["records"]),
            last_end_s=row["last_end_s"],
            outage_seconds=int(row["outage_seconds"]),
            gaps=int(row["gaps"]),
            gap_seconds=int(row["gap_seconds"]),
            first_gap_start_s=row["first_gap_start_s"],
        )
        for row in connection.execute(query).mappings()
    }


def duplicates_by_device(connection: Connection, facility_id: FacilityId) -> dict[Bytes32, int]:
    """Repeated events by device."""
    query = select(event_repeats.c.device, event_repeats.c.duplicates).where(
        event_repeats.c.facility_id == facility_id
    )
    return dict(connection.execute(query).all())


def conflicts_by_device(
    connection: Connection, facility_id: FacilityId, *, since_s: int = 0
) -> dict[Bytes32 | None, int]:
    """Events whose id was taken by another payload, by the device of the event that stands."""
    device = func.coalesce(usage_records.c.device, outages.c.device)
    query = (
        select(device, func.count())
        .select_from(event_conflicts)
        .join(meter_events, meter_events.c.event_pk == event_conflicts.c.event_pk)
        .outerjoin(usage_records, usage_records.c.event_pk == meter_events.c.event_pk)
        .outerjoin(outages, outages.c.event_pk == meter_events.c.event_pk)
        .where(
            meter_events.c.facility_id == facility_id,
            event_conflicts.c.received_at_s >= since_s,
        )
        .group_by(device)
    )
    return dict(connection.execute(query).all())


def pledged_elsewhere(connection: Connection, facility_id: FacilityId) -> list[Bytes32]:
    """Devices that another facility pledged first, with a window that overlaps this one's."""
    other_devices, other = devices.alias("other_devices"), facilities.alias("other")
    query = (
        select(devices.c.device)
        .distinct()
        .join(facilities, facilities.c.facility_id == devices.c.facility_id)
        .join(other_devices, other_devices.c.uuid == devices.c.uuid)
        .join(other, other.c.facility_id == other_devices.c.facility_id)
        .where(
            devices.c.facility_id == facility_id,
            other.c.window_start_s < facilities.c.window_end_s,
            facilities.c.window_start_s < other.c.window_end_s,
            other.c.facility_id.not_in(cancelled_facilities()),
            or_(
                other.c.created_at_s < facilities.c.created_at_s,
                and_(
                    other.c.created_at_s == facilities.c.created_at_s,
                    other.c.facility_id < facilities.c.facility_id,
                ),
            ),
        )
        .order_by(devices.c.device)
    )
    return list(connection.execute(query).scalars())


def last_record_end_s(connection: Connection, facility_id: FacilityId) -> int | None:
    """End of the newest usage or outage of a facility, voided or not: something was metered."""
    ends: list[int] = []
    for table in (usage_records, outages):
        # The last interval of each device, by the index on starts: they never overlap.
        newest = (
            select(table.c.end_s)
            .where(table.c.facility_id == devices.c.facility_id, table.c.device == devices.c.device)
            .order_by(table.c.start_s.desc())
            .limit(1)
            .correlate(devices)
            .scalar_subquery()
        )
        query = select(newest).where(devices.c.facility_id == facility_id)
        ends += [end for end in connection.execute(query).scalars() if end is not None]
    return max(ends, default=None)
