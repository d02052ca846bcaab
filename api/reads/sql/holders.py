"""SQL of holders: balances, and what one account did, from indexed events."""

from typing import Any

from sqlalchemy import Connection, Row, and_, case, exists, func, or_, select

from api.db.tables.chain import chain_events
from api.reads.sql.market import ZERO_ADDRESS

_E = chain_events.c
# What ends in an account's history as its own event; the mint or burn behind it is not told twice.
_TOLD = ("UnitsSold", "UnitsRetained", "UnitsRefunded", "VoucherIssued")
OWN_EVENTS = (*_TOLD, "TransferSingle", "RevenueClaimed", "UnservedPaid")
_ORDER = (_E.block_number, _E.log_index, _E.part)


def _balances(token_id: str) -> Any:
    """Units by account: received less sent, the zero address left out."""
    moves = [
        select(side.label("holder"), (sign * _E.amount).label("units")).where(
            _E.event == "TransferSingle", _E.token_id == token_id, side != ZERO_ADDRESS
        )
        for side, sign in ((_E.counterparty, 1), (_E.account, -1))
    ]
    both = moves[0].union_all(moves[1]).subquery()
    units = func.sum(both.c.units)
    return (
        select(both.c.holder, units.label("units"))
        .group_by(both.c.holder)
        .having(units != 0)
        .subquery()
    )


def holder_totals(connection: Connection, token_id: str) -> tuple[int, int, int]:
    """Number of holders, sum of their units, and the least units of one."""
    held = _balances(token_id)
    query = select(
        func.count(),
        func.coalesce(func.sum(held.c.units), 0),
        func.coalesce(func.min(held.c.units), 0),
    ).select_from(held)
    count, total, least = connection.execute(query).one()
    return int(count), int(total), int(least)


def holders(
    connection: Connection, token_id: str, *, offset: int, limit: int
) -> list[tuple[str, int]]:
    """`(account, units)`, largest first."""
    held = _balances(token_id)
    query = select(held).order_by(held.c.units.desc(), held.c.holder).offset(offset).limit(limit)
    return [(r[0], int(r[1])) for r in connection.execute(query)]


def tokens_of(connection: Connection, account: str) -> list[str]:
    """Token ids that an account ever held, in order of id."""
    query = select(_E.token_id).where(
        _E.event == "TransferSingle", or_(_E.account == account, _E.counterparty == account)
    )
    found = connection.execute(query.distinct()).scalars()
    return sorted((token_id for token_id in found if token_id is not None), key=int)


def claimed_by_token(connection: Connection, account: str) -> dict[str, int]:
    """Revenue that a holder claimed, by token id."""
    query = select(_E.token_id, func.sum(_E.amount)).where(
        _E.event == "RevenueClaimed", _E.account == account
    )
    rows = connection.execute(query.group_by(_E.token_id))
    return {token_id: int(micros or 0) for token_id, micros in rows if token_id is not None}


def vouchers_of(connection: Connection, account: str) -> list[Row[Any]]:
    """VoucherIssued events of a holder, in chain order."""
    query = select(chain_events).where(_E.event == "VoucherIssued", _E.account == account)
    return list(connection.execute(query.order_by(*_ORDER)))


def _history(account: str) -> Any:
    """Condition for what an account did or received, each thing once."""
    told = chain_events.alias("told")
    behind_another = exists().where(
        told.c.block_number == _E.block_number,
        told.c.tx_hash == _E.tx_hash,
        told.c.token_id == _E.token_id,
        told.c.account == account,
        or_(
            and_(
                _E.account == ZERO_ADDRESS,
                told.c.event.in_(("UnitsSold", "UnitsRetained")),
            ),
            and_(
                _E.counterparty == ZERO_ADDRESS,
                told.c.event.in_(("UnitsRefunded", "VoucherIssued")),
            ),
        ),
    )
    mine = and_(_E.account == account, _E.event.in_(OWN_EVENTS))
    received = and_(_E.counterparty == account, _E.event == "TransferSingle")
    # A claim of several tranches names those that had nothing to claim, too.
    something = case((_E.event == "RevenueClaimed", _E.amount > 0), else_=True)
    return and_(or_(mine, received), something, ~and_(_E.event == "TransferSingle", behind_another))


def history_size(connection: Connection, account: str) -> int:
    """Number of entries in an account's history."""
    query = select(func.count()).select_from(chain_events).where(_history(account))
    return int(connection.execute(query).scalar_one())


def history(
    connection: Connection,
    account: str,
    *,
    newest_first: bool,
    offset: int = 0,
    limit: int | None = None,
) -> list[Row[Any]]:
    """Events of an account."""
    order = [c.desc() for c in _ORDER] if newest_first else list(_ORDER)
    query = select(chain_events).where(_history(account)).order_by(*order).offset(offset)
    return list(connection.execute(query if limit is None else query.limit(limit)))
