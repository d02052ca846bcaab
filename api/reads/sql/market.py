"""SQL of the market: facilities, and what indexed events say of all of them in a few queries."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, case, func, or_, select

from api.db.standing import standing_posts, stands
from api.db.tables.chain import chain_events
from api.db.tables.ledger import facilities, hardware_disclosures, operators, statements

ZERO_ADDRESS = "0x" + "00" * 20
_E = chain_events.c
_SUPPLY_CHANGE = and_(
    _E.event == "TransferSingle",
    or_(_E.account == ZERO_ADDRESS, _E.counterparty == ZERO_ADDRESS),
)


def _of(query: Any, facility_id: int | None) -> Any:
    return query if facility_id is None else query.where(_E.facility_id == facility_id)


def supply_sign(event: Any) -> int:
    """What a TransferSingle does to the supply: 1 a mint, -1 a burn, 0 a transfer."""
    return int(event.account == ZERO_ADDRESS) - int(event.counterparty == ZERO_ADDRESS)


def facility_rows(
    connection: Connection,
    facility_id: int | None = None,
    *,
    offset: int = 0,
    limit: int | None = None,
) -> list[Row[Any]]:
    """Facilities with their operators, by id, without the long documents; all, one, or a page."""
    columns = [c for c in facilities.columns if c.name not in ("terms_json", "salt")]
    query = (
        select(*columns, operators.c.name.label("operator_name"), operators.c.address)
        .join(operators, operators.c.operator_id == facilities.c.operator_id)
        .order_by(facilities.c.facility_id)
    )
    if facility_id is not None:
        query = query.where(facilities.c.facility_id == facility_id)
    if limit is not None:
        query = query.offset(offset).limit(limit)
    return list(connection.execute(query))


def terms_documents(connection: Connection, facility_ids: Sequence[int]) -> dict[int, bytes]:
    """Bytes of `facility.json` by facility."""
    query = select(facilities.c.facility_id, facilities.c.terms_json).where(
        facilities.c.facility_id.in_(facility_ids)
    )
    return {r[0]: r[1] for r in connection.execute(query)}


def latest_events(
    connection: Connection, names: Iterable[str], facility_id: int | None = None
) -> list[Row[Any]]:
    """Few and small events of every facility, in chain order: states, offers, terms of sales."""
    query = select(_E.facility_id, _E.event, _E.extra, _E.payload, _E.block_time_s)
    query = query.where(_E.event.in_(tuple(names)))
    order = (_E.block_number, _E.log_index, _E.part)
    return list(connection.execute(_of(query, facility_id).order_by(*order)))


def facility_sums(
    connection: Connection, names: Iterable[str], facility_id: int | None = None
) -> Mapping[tuple[int, str], tuple[int, int]]:
    """`(sum of amount, sum of extra)` by facility and event."""
    columns = (func.coalesce(func.sum(_E.amount), 0), func.coalesce(func.sum(_E.extra), 0))
    query = select(_E.facility_id, _E.event, *columns).where(_E.event.in_(tuple(names)))
    query = _of(query, facility_id).group_by(_E.facility_id, _E.event)
    return {(r[0], r[1]): (int(r[2]), int(r[3])) for r in connection.execute(query)}


def accruals(connection: Connection, facility_id: int | None = None) -> dict[str, tuple[int, int]]:
    """`(revenue accrued, block of the first accrual)` by token id."""
    query = select(_E.token_id, func.sum(_E.amount), func.min(_E.block_number))
    query = _of(query.where(_E.event == "RevenueAccrued"), facility_id).group_by(_E.token_id)
    return {r[0]: (int(r[1]), r[2]) for r in connection.execute(query)}


def supplies(connection: Connection, facility_id: int | None = None) -> dict[str, tuple[int, int]]:
    """`(units in circulation, block of the last mint or burn)` by token id."""
    minted = case((_E.account == ZERO_ADDRESS, _E.amount), else_=0)
    burned = case((_E.counterparty == ZERO_ADDRESS, _E.amount), else_=0)
    query = select(_E.token_id, func.sum(minted - burned), func.max(_E.block_number))
    query = _of(query.where(_SUPPLY_CHANGE), facility_id).group_by(_E.token_id)
    return {r[0]: (int(r[1]), r[2]) for r in connection.execute(query)}


def stream_events(connection: Connection, token_id: str) -> list[Row[Any]]:
    """Mints, burns, accruals and vestings of one tranche, in chain order."""
    query = select(chain_events).where(
        _E.token_id == token_id,
        or_(_SUPPLY_CHANGE, _E.event.in_(("RevenueAccrued", "StreamVested"))),
    )
    return list(connection.execute(query.order_by(_E.block_number, _E.log_index, _E.part)))


def delivered(
    connection: Connection, facility_id: int | None = None
) -> dict[int, tuple[int, int, int]]:
    """`(epochs, billed, available GPU-seconds)` by facility of statements that stand on-chain.

    Only those of our books: where attesters posted other bytes, ours say nothing of what stands.
    """
    posted = chain_events.alias("posted").c
    ours = and_(
        statements.c.facility_id == posted.facility_id,
        statements.c.epoch == posted.epoch,
        statements.c.statement_hash == posted.statement_hash,
    )
    sums = (statements.c.billed_gpu_seconds, statements.c.available_gpu_seconds)
    query = (
        select(posted.facility_id, func.count(), *map(func.sum, sums))
        .join(statements, ours)
        .where(stands(posted))
        .group_by(posted.facility_id)
    )
    if facility_id is not None:
        query = query.where(posted.facility_id == facility_id)
    return {r[0] or 0: (int(r[1]), int(r[2]), int(r[3])) for r in connection.execute(query)}


@dataclass(frozen=True, slots=True)
class PostedStatement:
    """Figures of a statement as it was posted, whatever the ledger says of its epoch."""

    available_gpu_seconds: int
    billed_gpu_seconds: int
    gross_revenue_micros: int
    top_renter_bps: int
    committed_bps: int


def posted_statements(connection: Connection, facility_id: int) -> dict[int, PostedStatement]:
    """Statements of a facility that stand on-chain, by epoch."""
    found = {}
    for epoch, row in sorted(standing_posts(connection, facility_id).items()):
        # In the order of `IStatementRegistry.Statement`.
        values = json.loads(row.payload)["statement"]
        found[epoch] = PostedStatement(*values[4:7], *values[11:13])
    return found


def newest_disclosure(connection: Connection, facility_id: int) -> Any:
    """Newest hardware disclosure of a facility's operator, or None."""
    table = hardware_disclosures
    query = (
        select(table)
        .where(table.c.facility_id == facility_id)
        .order_by(table.c.disclosed_at_s.desc(), table.c.disclosure_pk.desc())
    )
    return connection.execute(query.limit(1)).first()
