"""SQL of metering by device: records, gaps, repeats, conflicts, and devices pledged twice."""

from dataclasses import dataclass

from sqlalchemy import Connection, Subquery, and_, case, distinct, func, or_, select

from api.db.chain_store import cancelled_facilities
from api.db.tables.console import event_repeats
from api.db.tables.facilities import devices, facilities
from api.db.tables.ledger import (
    HELD_KINDS,
    OUT_KINDS,
    event_conflicts,
    facts,
    meter_events,
    told_by_event,
)
from api.domain.units import Bytes32, FacilityId

_HELD = [kind.value for kind in HELD_KINDS]
_OUT = [kind.value for kind in OUT_KINDS]


@dataclass(frozen=True, slots=True)
class MeteringRow:
    """What the ledger holds of one device.

    A gap is time inside the span looked at that no standing use and no outage of the device
    covers: from the span's start to its first interval, and between its intervals. After the last
    one there is no gap, but lag. An idle device shows gaps too: nothing was metered there.
    """

    records: int = 0
    last_end_s: int | None = None
    outage_seconds: int = 0
    gaps: int = 0
    gap_seconds: int = 0
    first_gap_start_s: int | None = None


def _spans(facility_id: FacilityId, *, from_s: int) -> Subquery:
    """Intervals that start at a time or later: uses that stand, and outages (`out` is 1)."""
    f = facts.c
    out = case((f.kind.in_(_OUT), 1), else_=0).label("out")
    standing = (
        select(f.device, f.start_s, f.until_s.label("end_s"), out)
        .where(
            f.facility_id == facility_id,
            f.start_s >= from_s,
            f.kind.in_([*_HELD, *_OUT]),
            f.voided.is_(None),
        )
        .subquery()
    )
    # An outage may lie over a use: whichever ended last before an interval is what it follows.
    spans = standing.c
    before = func.max(spans.end_s).over(
        partition_by=spans.device, order_by=(spans.start_s, spans.end_s), rows=(None, -1)
    )
    before_s = func.coalesce(before, from_s).label("before_s")
    return select(spans.device, spans.start_s, spans.end_s, spans.out, before_s).subquery()


def metering_by_device(
    connection: Connection, facility_id: FacilityId, *, from_s: int
) -> dict[Bytes32, MeteringRow]:
    """Metering of intervals that start at `from_s` or later, by device; idle ones are missing."""
    span = _spans(facility_id, from_s=from_s).c
    gap_s = span.start_s - span.before_s
    query = select(
        span.device,
        func.sum(1 - span.out),
        func.max(span.end_s),
        func.sum(span.out * (span.end_s - span.start_s)),
        func.sum(case((gap_s > 0, 1), else_=0)),
        func.sum(case((gap_s > 0, gap_s), else_=0)),
        func.min(case((gap_s > 0, span.before_s))),
    ).group_by(span.device)
    return {
        device: MeteringRow(
            records=int(records),
            last_end_s=last_end_s,
            outage_seconds=int(outage_s),
            gaps=int(gaps),
            gap_seconds=int(gap_seconds),
            first_gap_start_s=first_gap_s,
        )
        for device, records, last_end_s, outage_s, gaps, gap_seconds, first_gap_s in (
            connection.execute(query)
        )
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
    """Events that reused an id with another payload, by the device of the event that stands."""
    query = (
        select(facts.c.device, func.count(distinct(event_conflicts.c.conflict_pk)))
        .select_from(event_conflicts)
        .join(meter_events, meter_events.c.event_pk == event_conflicts.c.event_pk)
        .outerjoin(
            facts,
            and_(told_by_event(), facts.c.device.is_not(None)),
        )
        .where(
            meter_events.c.facility_id == facility_id,
            event_conflicts.c.received_at_s >= since_s,
        )
        .group_by(facts.c.device)
    )
    return dict(connection.execute(query).all())


def pledged_elsewhere(connection: Connection, facility_id: FacilityId) -> list[Bytes32]:
    """Devices of which another facility pledged a part first, with a window that overlaps."""
    other_devices, other = devices.alias("other_devices"), facilities.alias("other")
    query = (
        select(devices.c.device)
        .distinct()
        .join(facilities, facilities.c.facility_id == devices.c.facility_id)
        .join(other_devices, other_devices.c.card_uuid == devices.c.card_uuid)
        .join(other, other.c.facility_id == other_devices.c.facility_id)
        .where(
            devices.c.facility_id == facility_id,
            other.c.window_start_s < facilities.c.window_end_s,
            facilities.c.window_start_s < other.c.window_end_s,
            # A cancelled facility has given its pledge up.
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
    # The last interval of each device, by the index on starts.
    newest = (
        select(facts.c.until_s)
        .where(
            facts.c.facility_id == devices.c.facility_id,
            facts.c.device == devices.c.device,
            facts.c.kind.in_([*_HELD, *_OUT]),
        )
        .order_by(facts.c.start_s.desc())
        .limit(1)
        .correlate(devices)
        .scalar_subquery()
    )
    query = select(newest).where(devices.c.facility_id == facility_id)
    ends = [end for end in connection.execute(query).scalars() if end is not None]
    return max(ends, default=None)
