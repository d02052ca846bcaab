"""SQL of metering by device: records, gaps, repeats and conflicts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    Connection,
    Subquery,
    and_,
    case,
    distinct,
    func,
    literal,
    select,
    true,
)

from api.db.tables.console import event_repeats
from api.db.tables.facilities import FacilityRow, devices
from api.db.tables.ledger import (
    HELD_KINDS,
    OUT_KINDS,
    event_conflicts,
    facts,
    meter_events,
    told_by_event,
)
from api.domain.metering.intervals import Span, clipped
from api.domain.units import Bytes32, FacilityId

_HELD = [kind.value for kind in HELD_KINDS]
_OUT = [kind.value for kind in OUT_KINDS]


@dataclass(frozen=True, slots=True)
class MeteringRow:
    """What the ledger holds of one device.

    A gap is time inside the span looked at that no standing use and no outage of the device
    covers: from the span's start to its first interval, and between its intervals. After the last
    one there is no gap, but lag. An idle device shows gaps too: nothing was metered there.
    Of a device that came or went, only time in which it is pledged is looked at; once it went, time
    after its last interval is a gap.
    """

    records: int = 0
    last_end_s: int | None = None
    outage_seconds: int = 0
    gaps: int = 0
    gap_seconds: int = 0
    first_gap_start_s: int | None = None


def _spans(
    facility_id: FacilityId, which: ColumnElement[bool], *, from_s: int, within: Span
) -> Subquery:
    """Intervals that start at `from_s` or later, as far as they lie within a span: uses that
    stand, and outages (`out` is 1)."""
    f = facts.c
    start_s, end_s = within
    out = case((f.kind.in_(_OUT), 1), else_=0).label("out")
    standing = (
        select(
            f.device,
            case((f.start_s < start_s, literal(start_s)), else_=f.start_s).label("start_s"),
            case((f.until_s > end_s, literal(end_s)), else_=f.until_s).label("end_s"),
            out,
        )
        .where(
            f.facility_id == facility_id,
            f.start_s >= from_s,
            f.start_s < end_s,
            f.until_s > start_s,
            f.kind.in_([*_HELD, *_OUT]),
            f.voided.is_(None),
            which,
        )
        .subquery()
    )
    # An outage may lie over a use: whichever ended last before an interval is what it follows.
    spans = standing.c
    before = func.max(spans.end_s).over(
        partition_by=spans.device, order_by=(spans.start_s, spans.end_s), rows=(None, -1)
    )
    before_s = func.coalesce(before, max(from_s, start_s)).label("before_s")
    return select(spans.device, spans.start_s, spans.end_s, spans.out, before_s).subquery()


def metering_by_device(
    connection: Connection,
    facility: FacilityRow,
    *,
    from_s: int,
    now_s: int,
    in_part: Mapping[Bytes32, Sequence[Span]],
) -> dict[Bytes32, MeteringRow]:
    """Metering of intervals that start at `from_s` or later, by device; idle ones are missing.

    Args:    in_part: when devices are pledged that are not throughout the window.
    """
    facility_id = facility.facility_id
    window = facility.window_start_s, facility.window_end_s
    throughout = facts.c.device.not_in([*in_part]) if in_part else true()
    found = _metering(connection, _spans(facility_id, throughout, from_s=from_s, within=window))
    for device, pledged in in_part.items():
        parts: list[tuple[Span, MeteringRow]] = []
        for span in clipped(pledged, start_s=from_s, end_s=facility.window_end_s):
            here = _spans(facility_id, facts.c.device == device, from_s=from_s, within=span)
            parts.append((span, _metering(connection, here).get(device, MeteringRow())))
        if any(row.last_end_s is not None for _, row in parts):
            found[device] = _joined(parts, now_s=now_s)
    return found


def _joined(parts: Sequence[tuple[Span, MeteringRow]], *, now_s: int) -> MeteringRow:
    """Metering of a device over the spans in which it is pledged; at least one has an interval."""
    last_end_s = max(row.last_end_s for _, row in parts if row.last_end_s is not None)
    gaps, gap_seconds = sum(row.gaps for _, row in parts), sum(row.gap_seconds for _, row in parts)
    starts = [row.first_gap_start_s for _, row in parts if row.first_gap_start_s is not None]
    for (start_s, end_s), row in parts:
        silent_s = row.last_end_s or start_s
        if silent_s < end_s and (end_s <= now_s or end_s <= last_end_s):
            gaps, gap_seconds = gaps + 1, gap_seconds + end_s - silent_s
            starts.append(silent_s)
    return MeteringRow(
        records=sum(row.records for _, row in parts),
        last_end_s=last_end_s,
        outage_seconds=sum(row.outage_seconds for _, row in parts),
        gaps=gaps,
        gap_seconds=gap_seconds,
        first_gap_start_s=min(starts, default=None),
    )


def _metering(connection: Connection, spans: Subquery) -> dict[Bytes32, MeteringRow]:
    span = spans.c
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


def last_record_end_s(
    connection: Connection, facility_id: FacilityId, *, came: Collection[Bytes32]
) -> int | None:
    """End of the newest usage or outage of a facility, voided or not: something was metered.

    Args:    came: devices beside those of the first pledge.
    """
    # The last interval of each device, by the index on starts.
    newest = (
        select(facts.c.until_s)
        .where(facts.c.facility_id == facility_id, facts.c.kind.in_([*_HELD, *_OUT]))
        .order_by(facts.c.start_s.desc())
        .limit(1)
    )
    of_each = newest.where(facts.c.device == devices.c.device).correlate(devices)
    query = select(of_each.scalar_subquery()).where(devices.c.facility_id == facility_id)
    ends = list(connection.execute(query).scalars())
    ends += [connection.execute(newest.where(facts.c.device == d)).scalar() for d in came]
    return max((end for end in ends if end is not None), default=None)
