"""SQL of holders: balances, and what one account did, from indexed events."""

from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    Connection,
    Subquery,
    and_,
    case,
    exists,
    func,
    null,
    or_,
    select,
)

from api.db import event_columns as e
from api.db.rows import rows_as
from api.db.tables.chain import chain_events
from api.domain.units import ZERO_ADDRESS, Address, Bytes32, FacilityId, Micros, TrancheId
from api.reads.sql import payloads

_TRANSFER = e.event == "TransferSingle"
# Events that a history lists instead of the mint or burn that the same transaction logs.
_TOLD = ("UnitsSold", "UnitsRefunded", "VoucherIssued")
_OWN_EVENTS = (*_TOLD, "TransferSingle", "RevenueClaimed", "VoucherPaid")


def _balances(token_id: TrancheId) -> Subquery:
    """Units by account: received less sent, the zero address left out."""
    moves = [
        select(side.label("holder"), (sign * e.moved_units).label("units")).where(
            _TRANSFER, e.token_id == str(token_id), side != ZERO_ADDRESS
        )
        for side, sign in ((e.receiver, 1), (e.sender, -1))
    ]
    both = moves[0].union_all(moves[1]).subquery()
    units = func.sum(both.c.units)
    return (
        select(both.c.holder, units.label("units"))
        .group_by(both.c.holder)
        .having(units != 0)
        .subquery()
    )


@dataclass(frozen=True, slots=True)
class HolderTotalsRow:
    """Number of a tranche's holders, the sum of their units, and the least units of one."""

    holders: int
    units: int
    least_units: int


def holder_totals(connection: Connection, token_id: TrancheId) -> HolderTotalsRow:
    """Totals over all holders of a tranche."""
    held = _balances(token_id)
    query = select(
        func.count(),
        func.coalesce(func.sum(held.c.units), 0),
        func.coalesce(func.min(held.c.units), 0),
    ).select_from(held)
    count, units, least = connection.execute(query).one()
    return HolderTotalsRow(holders=count, units=int(units), least_units=int(least))


@dataclass(frozen=True, slots=True)
class HoldingRow:
    """Units of one account in a tranche."""

    account: Address
    units: int


def holdings(
    connection: Connection, token_id: TrancheId, *, offset: int, limit: int
) -> list[HoldingRow]:
    """A page of a tranche's holders, largest first."""
    held = _balances(token_id)
    query = select(held.c.holder, held.c.units).order_by(held.c.units.desc(), held.c.holder)
    return [
        HoldingRow(account=account, units=int(units))
        for account, units in connection.execute(query.offset(offset).limit(limit))
    ]


def tranches_of(connection: Connection, account: str) -> list[TrancheId]:
    """Tranches of which an account ever held units, in order of id."""
    query = select(e.token_id).where(_TRANSFER, or_(e.sender == account, e.receiver == account))
    token_ids = connection.execute(query.distinct()).scalars()
    # Ids are text in the index, since they have up to 71 bits: sorted here, as numbers.
    return sorted(TrancheId(int(token_id)) for token_id in token_ids)


def claimed_by_tranche(connection: Connection, account: str) -> dict[TrancheId, Micros]:
    """Revenue that a holder claimed, by tranche."""
    query = select(e.token_id, func.sum(e.amount_micros)).where(
        e.event == "RevenueClaimed", e.account == account
    )
    return {
        TrancheId(int(token_id)): Micros(int(micros))
        for token_id, micros in connection.execute(query.group_by(e.token_id))
    }


def vouchers_of(connection: Connection, account: str) -> list[int]:
    """Numbers of the vouchers of a holder, in chain order.

    Those that it was issued or took over with a lost wallet, less those that left it that way.
    """
    issued = and_(e.event == "VoucherIssued", e.account == account)
    moved = and_(e.event == "VoucherMoved", or_(e.account == account, e.new_wallet == account))
    query = select(e.event, e.payload, e.account).where(or_(issued, moved))
    vouchers: dict[int, None] = {}
    for event, payload, holder in connection.execute(query.order_by(*e.chain_order)):
        number = payloads.voucher_id(event, payload)
        if event == "VoucherMoved" and holder == account:
            vouchers.pop(number, None)
        else:
            vouchers[number] = None
    return list(vouchers)


def recovered_from(connection: Connection, account: str) -> list[Address]:
    """Lost wallets that were recovered to an account, in chain order."""
    query = select(e.account).where(e.event == "WalletRecovered", e.new_wallet == account)
    return list(connection.execute(query.order_by(*e.chain_order)).scalars())


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One event of an account. account: whose it is; of a transfer, who sent.

    units: sold, retained, given back, burned for a voucher or moved. amount_micros: paid or
    received. counterparty: who received the units or the money, where the event names one.
    """

    event: str
    facility_id: FacilityId | None
    token_id: str | None
    units: int | None
    amount_micros: Micros | None
    account: Address
    counterparty: Address | None
    block_number: int
    block_time_s: int
    tx_hash: Bytes32


def _is_told(account: str) -> ColumnElement[bool]:
    """Condition for what an account did or received, each thing once."""
    told = chain_events.alias("told").c
    behind_another = exists().where(
        # `tx_hash` alone would do; with the block number the database can use an index.
        told.block_number == e.block_number,
        told.tx_hash == e.tx_hash,
        told.token_id == e.token_id,
        told.account == account,
        or_(
            and_(e.sender == ZERO_ADDRESS, told.event == "UnitsSold"),
            and_(e.receiver == ZERO_ADDRESS, told.event.in_(("UnitsRefunded", "VoucherIssued"))),
        ),
    )
    own = and_(e.account == account, e.event.in_(_OWN_EVENTS))
    received = and_(_TRANSFER, e.receiver == account)
    # A claim of several tranches names those that had nothing to claim, too.
    something = case((e.event == "RevenueClaimed", e.amount_micros > 0), else_=True)
    return and_(or_(own, received), something, ~and_(_TRANSFER, behind_another))


def history_size(connection: Connection, account: str) -> int:
    """Number of entries in an account's history."""
    query = select(func.count()).select_from(chain_events).where(_is_told(account))
    return connection.execute(query).scalar_one()


def history(
    connection: Connection,
    account: str,
    *,
    newest_first: bool,
    offset: int = 0,
    limit: int | None = None,
) -> list[HistoryRow]:
    """Events of an account: all, or a page."""
    units = case((_TRANSFER, e.moved_units), (e.event.in_(_TOLD), e.units), else_=null())
    micros = case((_TRANSFER, null()), else_=e.amount_micros)
    query = (
        select(
            e.event,
            e.all_columns.facility_id,
            e.all_columns.token_id,
            units.label("units"),
            micros.label("amount_micros"),
            e.all_columns.account,
            e.all_columns.counterparty,
            e.block_number,
            e.block_time_s,
            e.tx_hash,
        )
        .where(_is_told(account))
        .order_by(*(c.desc() if newest_first else c.asc() for c in e.chain_order))
        .offset(offset)
    )
    return rows_as(HistoryRow, connection.execute(query if limit is None else query.limit(limit)))
