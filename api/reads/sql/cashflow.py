"""SQL behind the reconciliation: what ledger, statements and indexed chain events say."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, and_, func, or_, select

from api.db.standing import standing_posts
from api.db.tables.chain import chain_events
from api.db.tables.ledger import statement_lines, statements, usage_records, usage_voids

# Events that move money of a facility: what the reconciliation sums and the API lists, so that no
# figure stands without the movements behind it.
MONEY_EVENTS = (
    "RentPaid",
    "RentRefunded",
    "Settled",
    "Distributed",
    "ResidualOwed",
    "ReceivableWrittenOff",
    "RevenueAccrued",
    "RevenueClaimed",
)

_LENGTH = usage_records.c.end_s - usage_records.c.start_s
_WITH_VOIDS = usage_records.outerjoin(
    usage_voids, usage_voids.c.record_pk == usage_records.c.record_pk
)


def _sum(connection: Connection, query: Any) -> int:
    return int(connection.execute(query).scalar() or 0)


def metered_gpu_seconds(connection: Connection, facility_id: int) -> int:
    """GPU-seconds of all standing records."""
    query = (
        select(func.sum(_LENGTH))
        .select_from(_WITH_VOIDS)
        .where(usage_records.c.facility_id == facility_id, usage_voids.c.record_pk.is_(None))
    )
    return _sum(connection, query)


def open_gpu_seconds(connection: Connection, facility_id: int, epochs_closed: int) -> int:
    """GPU-seconds of records placed in epochs that are not closed, less voids placed there."""
    mine = usage_records.c.facility_id == facility_id
    records = (
        select(func.sum(_LENGTH))
        .select_from(_WITH_VOIDS)
        .where(
            mine,
            usage_records.c.statement_epoch >= epochs_closed,
            or_(
                usage_voids.c.record_pk.is_(None),
                usage_voids.c.statement_epoch != usage_records.c.statement_epoch,
            ),
        )
    )
    voids = (
        select(func.sum(_LENGTH))
        .select_from(_WITH_VOIDS)
        .where(
            mine,
            and_(
                usage_voids.c.statement_epoch >= epochs_closed,
                usage_voids.c.statement_epoch != usage_records.c.statement_epoch,
            ),
        )
    )
    return _sum(connection, records) - _sum(connection, voids)


def lines_by_kind(connection: Connection, facility_id: int) -> list[tuple[int, int]]:
    """`(kind, seconds of intervals)` over all statements of a facility."""
    length = statement_lines.c.end_s - statement_lines.c.start_s
    query = (
        select(statement_lines.c.kind, func.sum(length))
        .where(statement_lines.c.facility_id == facility_id)
        .group_by(statement_lines.c.kind)
    )
    return [(int(kind), int(seconds)) for kind, seconds in connection.execute(query)]


def rated_by_epoch(connection: Connection, facility_id: int) -> dict[int, int]:
    """Sum of line charges by closed epoch: from the lines, not from the statements' totals."""
    query = (
        select(statements.c.epoch, func.coalesce(func.sum(statement_lines.c.charge_micros), 0))
        .outerjoin(
            statement_lines,
            and_(
                statement_lines.c.facility_id == statements.c.facility_id,
                statement_lines.c.epoch == statements.c.epoch,
            ),
        )
        .where(statements.c.facility_id == facility_id)
        .group_by(statements.c.epoch)
    )
    return {int(epoch): int(micros) for epoch, micros in connection.execute(query)}


def last_carry(connection: Connection, facility_id: int) -> bytes | None:
    """`carry.json` of the newest closed epoch."""
    query = (
        select(statements.c.carry_json)
        .where(statements.c.facility_id == facility_id)
        .order_by(statements.c.epoch.desc())
    )
    return connection.execute(query.limit(1)).scalar()


def posted_by_epoch(connection: Connection, facility_id: int) -> dict[int, tuple[int, int]]:
    """`(gross micros, block time)` by posted epoch that is not void, from indexed events."""
    posts = standing_posts(connection, facility_id)
    return {epoch: (row.amount, row.block_time_s) for epoch, row in posts.items()}


def event_sums(connection: Connection, facility_id: int) -> Mapping[str, tuple[int, int]]:
    """`(sum of amount, sum of extra)` by event name: rent, settlements, accruals, claims."""
    query = (
        select(
            chain_events.c.event,
            func.coalesce(func.sum(chain_events.c.amount), 0),
            func.coalesce(func.sum(chain_events.c.extra), 0),
        )
        .where(chain_events.c.facility_id == facility_id, chain_events.c.event.in_(MONEY_EVENTS))
        .group_by(chain_events.c.event)
    )
    return {r[0]: (int(r[1] or 0), int(r[2] or 0)) for r in connection.execute(query)}
