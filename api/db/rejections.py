"""SQL of what ingest did not record: rejections, bounded, and counts of repeats."""

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, delete, func, or_, select, text

from api.db.bulk import insert_many
from api.db.rows import rows_as, values_of
from api.db.tables.console import NewRejection, RejectionRow, RepeatsRow, event_rejections
from api.domain.units import Bytes32, FacilityId, OperatorId

# A collector that sends the same broken batch for ever must not fill the disk.
KEPT_PER_OPERATOR = 10_000


def add_rejections(
    connection: Connection, operator_id: OperatorId, rows: Sequence[NewRejection]
) -> None:
    """Keep rejections of one request, and of the operator's only the newest."""
    insert_many(connection, rows)
    oldest_kept = (
        select(event_rejections.c.rejection_pk)
        .where(event_rejections.c.operator_id == operator_id)
        .order_by(event_rejections.c.rejection_pk.desc())
        .offset(KEPT_PER_OPERATOR - 1)
        .limit(1)
        .scalar_subquery()
    )
    connection.execute(
        delete(event_rejections).where(
            event_rejections.c.operator_id == operator_id,
            event_rejections.c.rejection_pk < oldest_kept,
        )
    )


# The same text on both databases.
_COUNT = text(
    "INSERT INTO event_repeats (facility_id, device, duplicates)"
    " VALUES (:facility_id, :device, :duplicates) ON CONFLICT (facility_id, device)"
    " DO UPDATE SET duplicates = event_repeats.duplicates + excluded.duplicates"
)


def count_repeats(connection: Connection, counts: Mapping[tuple[FacilityId, Bytes32], int]) -> None:
    """Add to the number of repeated events by facility and device, in one order for all."""
    rows = [
        values_of(RepeatsRow(facility_id=facility_id, device=device, duplicates=count))
        for (facility_id, device), count in sorted(counts.items())
    ]
    if rows:
        connection.execute(_COUNT, rows)


def _shown_with(
    operator_id: OperatorId, facility_id: FacilityId
) -> tuple[ColumnElement[bool], ...]:
    mine = event_rejections.c.operator_id == operator_id
    here = event_rejections.c.facility_id
    return (mine, or_(here == facility_id, here.is_(None)))


def rejections_of(
    connection: Connection,
    operator_id: OperatorId,
    facility_id: FacilityId,
    *,
    offset: int,
    limit: int,
) -> tuple[int, list[RejectionRow]]:
    """Number and a page of rejections, newest first.

    Events of no readable facility, or of one that is not the operator's, are in every list.
    """
    where = _shown_with(operator_id, facility_id)
    count = select(func.count()).select_from(event_rejections).where(*where)
    query = (
        select(event_rejections)
        .where(*where)
        .order_by(event_rejections.c.rejection_pk.desc())
        .offset(offset)
        .limit(limit)
    )
    total = int(connection.execute(count).scalar_one())
    return total, rows_as(RejectionRow, connection.execute(query))


def rejected_since(
    connection: Connection, operator_id: OperatorId, since_s: int
) -> dict[FacilityId | None, int]:
    """Number of rejections received from a time on, by facility."""
    query = (
        select(event_rejections.c.facility_id, func.count())
        .where(
            event_rejections.c.operator_id == operator_id,
            event_rejections.c.received_at_s >= since_s,
        )
        .group_by(event_rejections.c.facility_id)
    )
    return dict(connection.execute(query).all())
