"""SQL of one tranche over time: its supply, what accrued to it, and the settlements behind that."""

from dataclasses import dataclass

from sqlalchemy import Connection, and_, case, or_, select

from api.db import event_columns as e
from api.domain.capital.coupons import Settling, Supplied
from api.domain.capital.shares import Accrual, Change, SupplyChange
from api.domain.units import ZERO_ADDRESS, Bytes32, FacilityId, Micros, TrancheId
from api.reads.sql import payloads

MINTS_AND_BURNS = and_(
    e.event == "TransferSingle", or_(e.sender == ZERO_ADDRESS, e.receiver == ZERO_ADDRESS)
)
_MINTED = case((e.sender == ZERO_ADDRESS, e.moved_units), else_=0)
_BURNED = case((e.receiver == ZERO_ADDRESS, e.moved_units), else_=0)
# What a transfer adds to the supply: units from the zero address, less those sent to it.
SUPPLIED_UNITS = _MINTED - _BURNED


def stream_changes(connection: Connection, token_id: TrancheId) -> list[Change]:
    """Mints, burns and accruals of one tranche, in chain order."""
    query = select(e.event, e.block_time_s, e.amount_micros, SUPPLIED_UNITS, e.payload).where(
        e.token_id == str(token_id),
        or_(MINTS_AND_BURNS, e.event == "RevenueAccrued"),
    )
    changes: list[Change] = []
    for event, at_s, micros, units, payload in connection.execute(query.order_by(*e.chain_order)):
        if event == "RevenueAccrued":
            changes.append(Accrual(at_s, micros, payloads.stream_end_s(payload)))
        else:
            changes.append(SupplyChange(at_s, units))
    return changes


@dataclass(frozen=True, slots=True)
class SettlementRow:
    """A Settled: what it paid down the waterfall, and how many epochs it counts."""

    tx_hash: Bytes32
    settled_epochs: int
    settled_micros: Micros


def settlements(connection: Connection, facility_id: FacilityId) -> list[SettlementRow]:
    """Settlements of a facility, in chain order."""
    query = (
        select(e.tx_hash, e.settled_epochs, e.amount_micros)
        .where(e.event == "Settled", e.facility_id == facility_id)
        .order_by(*e.chain_order)
    )
    return [
        SettlementRow(tx_hash=tx_hash, settled_epochs=epochs, settled_micros=micros)
        for tx_hash, epochs, micros in connection.execute(query)
    ]


@dataclass(frozen=True, slots=True)
class AccrualRow:
    """A RevenueAccrued of one tranche."""

    tx_hash: Bytes32
    block_time_s: int
    accrued_micros: Micros


def accrual_events(connection: Connection, token_id: TrancheId) -> list[AccrualRow]:
    """Accruals of a tranche, in chain order."""
    query = (
        select(e.tx_hash, e.block_time_s, e.amount_micros)
        .where(e.event == "RevenueAccrued", e.token_id == str(token_id))
        .order_by(*e.chain_order)
    )
    return [
        AccrualRow(tx_hash=tx_hash, block_time_s=at_s, accrued_micros=micros)
        for tx_hash, at_s, micros in connection.execute(query)
    ]


def coupon_changes(
    connection: Connection, facility_id: FacilityId, token_id: TrancheId
) -> list[Settling | Supplied]:
    """Settlements of a facility, and mints and burns of one of its tranches, in chain order."""
    settles = and_(e.event == "Settled", e.facility_id == facility_id)
    supplies_units = and_(MINTS_AND_BURNS, e.token_id == str(token_id))
    query = select(e.event, e.settled_epochs, SUPPLIED_UNITS).where(or_(settles, supplies_units))
    return [
        Settling(epochs) if event == "Settled" else Supplied(units)
        for event, epochs, units in connection.execute(query.order_by(*e.chain_order))
    ]
