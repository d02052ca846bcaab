"""SQL of metered time: what stands in the log, what is not stated yet, what is billed to nobody."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, case, func, literal, or_, select

from api.db.facts import leases_of
from api.db.rows import rows_as
from api.db.tables.ledger import HELD_KINDS, OUT_KINDS, FactKind, facts
from api.domain.json_text import read_json
from api.domain.metering.intervals import Span, clipped, length_s, union, without
from api.domain.units import Bytes32, FacilityId

_HELD = [kind.value for kind in HELD_KINDS]
_OUT = [kind.value for kind in OUT_KINDS]


@dataclass(frozen=True, slots=True)
class StatedUpTo:
    """How far the statements of a facility came: in its log, and in time."""

    log_size: int
    until_s: int


@dataclass(frozen=True, slots=True)
class MeteredSeconds:
    """GPU-seconds of a facility.

    metered: of all uses and deliveries that stand.  open: of those, what no statement says yet,
    less what statements say and was taken back since.  unbilled: of what statements took, what they
    bill to nobody: time out of service, outside of its lease, and of a device that is not pledged.
    """

    metered: int
    open: int
    unbilled: int


def metered_seconds(
    connection: Connection,
    facility_id: FacilityId,
    stated: StatedUpTo,
    *,
    in_part: Mapping[Bytes32, Sequence[Span]],
) -> MeteredSeconds:
    """Metered time of a facility, and what of it statements do not bill.

    Args:    in_part: when devices are pledged that are not throughout the window.
    """
    f = facts.c
    here = f.facility_id == facility_id, f.kind.in_(_HELD)
    metered = _sum(connection, f.until_s - f.start_s, *here, f.voided.is_(None))
    # What the statements rest on: taken by them, and not taken back before them.
    told = f.entry <= stated.log_size
    standing = and_(told, or_(f.voided.is_(None), f.voided > stated.log_size))
    clipped_s = _least(f.until_s, stated.until_s) - _least(f.start_s, stated.until_s)
    taken = _sum(connection, clipped_s, *here, standing)
    taken += _longer_then(connection, facility_id, stated)
    unpledged = {
        device: without([(0, stated.until_s)], taken=spans) for device, spans in in_part.items()
    }
    unbilled = _unbilled(connection, facility_id, stated, unpledged)
    return MeteredSeconds(metered, metered - taken, unbilled)


def _least(column: ColumnElement[int | None], bound: int) -> ColumnElement[int]:
    return case((column < bound, column), else_=literal(bound))


def _sum(
    connection: Connection,
    what: ColumnElement[int | None] | ColumnElement[int],
    *which: ColumnElement[bool],
) -> int:
    # PostgreSQL sums 64-bit integers to its decimal type.
    return int(connection.execute(select(func.sum(what)).where(*which)).scalar() or 0)


def _longer_then(connection: Connection, facility_id: FacilityId, stated: StatedUpTo) -> int:
    """How much longer allocations lasted, as far as statements say, than they last by now."""
    f = facts.c
    query = (
        select(f.document, f.entry)
        .where(f.facility_id == facility_id, f.kind == FactKind.UNTIL.value)
        .order_by(f.entry, f.place, f.part)
    )
    ends: dict[tuple[int, int], int] = {}
    newer: set[tuple[int, int]] = set()
    for document, entry in connection.execute(query):
        assert document is not None  # of what speaks of no device
        read = read_json(document)
        assert isinstance(read, dict)  # ours
        target = tuple(read["target"])
        if entry <= stated.log_size:
            ends[target] = read["end_s"]
        else:
            newer.add(target)
    longer = 0
    for place in newer:
        row = connection.execute(
            select(f.start_s, f.end_s, f.until_s, f.voided).where(
                f.facility_id == facility_id,
                f.entry == place[0],
                f.place == place[1],
                f.kind.in_(_HELD),
                f.entry <= stated.log_size,
            )
        ).first()
        if row is None or (row.voided is not None and row.voided <= stated.log_size):
            continue
        then = ends.get(place, row.end_s)
        spans = [(row.start_s, then)], [(row.start_s, row.until_s)]
        cut = [length_s(clipped(s, start_s=0, end_s=stated.until_s)) for s in spans]
        longer += cut[0] - cut[1]
    return longer


@dataclass(frozen=True, slots=True)
class _Row:
    device: Bytes32
    lease: Bytes32
    kind: int
    start_s: int
    until_s: int


def _unbilled(
    connection: Connection,
    facility_id: FacilityId,
    stated: StatedUpTo,
    unpledged: Mapping[Bytes32, list[Span]],
) -> int:
    """Time that statements bill to nobody: of uses under an outage or outside of the lease, and of
    uses and deliveries of a device while it is not pledged."""
    f = facts.c
    standing = and_(
        f.facility_id == facility_id,
        f.entry <= stated.log_size,
        or_(f.voided.is_(None), f.voided > stated.log_size),
        f.start_s < stated.until_s,
    )
    columns = f.device, f.lease, f.kind, f.start_s, f.until_s
    outages = rows_as(_Row, connection.execute(select(*columns).where(standing, f.kind.in_(_OUT))))
    dark = _by_device(outages)
    running = {
        lease.lease: lease.running
        for lease in leases_of(connection, facility_id, up_to=stated.log_size).values()
        if len(lease.versions) > 1 or lease.versions[0].until_s is not None
    }
    used = and_(standing, f.kind == FactKind.USAGE.value)
    found: dict[tuple[Bytes32, int, int], _Row] = {}
    for device, spans in dark.items():
        near = and_(f.device == device, f.start_s < spans[-1][1], f.until_s > spans[0][0])
        for row in rows_as(_Row, connection.execute(select(*columns).where(used, near))):
            found[row.device, row.kind, row.start_s] = row
    for lease in running:
        of_lease = select(*columns).where(used, f.lease == lease)
        for row in rows_as(_Row, connection.execute(of_lease)):
            found[row.device, row.kind, row.start_s] = row
    for device, spans in unpledged.items():
        meets = or_(*(and_(f.start_s < end_s, f.until_s > start_s) for start_s, end_s in spans))
        held = and_(standing, f.kind.in_(_HELD), f.device == device, meets)
        for row in rows_as(_Row, connection.execute(select(*columns).where(held))):
            found[row.device, row.kind, row.start_s] = row
    delivered = and_(standing, f.kind == FactKind.DELIVERY.value)
    if dark:
        rows = rows_as(_Row, connection.execute(select(*columns).where(delivered)))
        for device, spans in _by_device(rows).items():
            dark[device] = without(dark.get(device, []), taken=spans)
    unbilled = 0
    for row in found.values():
        span = clipped([(row.start_s, row.until_s)], start_s=0, end_s=stated.until_s)
        billed = without(span, taken=unpledged.get(row.device, []))
        # A delivery beats an outage, and may come after its lease.
        if row.kind == FactKind.USAGE.value:
            billed = without(billed, taken=dark.get(row.device, []))
        if row.kind == FactKind.USAGE.value and row.lease in running:
            rest = without(billed, taken=running[row.lease])
            billed = without(billed, taken=rest)
        unbilled += length_s(span) - length_s(billed)
    return unbilled


def _by_device(rows: Iterable[_Row]) -> dict[Bytes32, list[Span]]:
    spans: dict[Bytes32, list[Span]] = {}
    for row in rows:
        spans.setdefault(row.device, []).append((row.start_s, row.until_s))
    return {device: union(found) for device, found in spans.items()}
