"""SQL of what ingest did not record: rejections, bounded, and counts of repeats."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, func, or_, select, text

from api.db.bulk import insert_mappings
from api.db.tables.console import event_rejections
from api.domain.units import FacilityId

# A collector that sends the same broken batch for ever must not fill the disk.
KEPT_PER_OPERATOR = 10_000


def add_rejections(
    connection: Connection, operator_id: int, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Keep rejections of one request, and of the operator's only the newest."""
    insert_mappings(connection, event_rejections, rows)
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


def count_repeats(connection: Connection, counts: Mapping[tuple[int, bytes], int]) -> None:
    """Add to the number of repeated events by facility and device, in one order for all."""
    rows = [
        {"facility_id": facility_id, "device": device, "duplicates": count}
        for (facility_id, device), count in sorted(counts.items())
    ]
    if rows:
        connection.execute(_COUNT, rows)


def _shown_with(operator_id: int, facility_id: int) -> tuple[Any, ...]:
    mine = event_rejections.c.operator_id == operator_id
    here = event_rejections.c.facility_id
    return (mine, or_(here == facility_id, here.is_(None)))


def rejections_of(
    connection: Connection, operator_id: int, facility_id: int, *, offset: int, limit: int
) -> tuple[int, list[Row[Any]]]:
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
    return int(connection.execute(count).scalar_one()), list(connection.execute(query))


def rejected_since(
    connection: Connection, operator_id: int, since_s: int
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
