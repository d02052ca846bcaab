"""SQL of the market: facilities, and what indexed events say of all of them in a few queries."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, case, func, select, true

from api.chain.emitted.primary_sale import SaleTerms
from api.db import event_columns as e
from api.db.standing import stands
from api.db.tables.chain import chain_events
from api.db.tables.facilities import facilities, operators
from api.db.tables.statements import statements
from api.domain.lifecycle import FacilityState
from api.domain.statements.statement import Statement
from api.domain.units import Bytes32, Epoch, FacilityId, Micros, TrancheId
from api.reads.sql import payloads
from api.reads.sql.facilities import Scope
from api.reads.sql.streams import MINTS_AND_BURNS, SUPPLIED_UNITS


def _within(scope: Scope) -> ColumnElement[bool]:
    return true() if scope is None else e.facility_id.in_(scope)


def offered_hashes(connection: Connection, scope: Scope) -> dict[FacilityId, Bytes32]:
    """Hash of the terms that were offered last, by facility."""
    # In chain order, so that of several events of one facility the dict keeps the last.
    query = select(e.facility_id, e.payload).where(e.event == "FacilityOffered", _within(scope))
    return {
        facility_id: payloads.offered_terms_hash(payload)
        for facility_id, payload in connection.execute(query.order_by(*e.chain_order))
    }


def announced_states(connection: Connection, scope: Scope) -> dict[FacilityId, FacilityState]:
    """State that the registry logged last, by facility."""
    query = select(e.facility_id, e.new_state).where(
        e.event == "FacilityStateChanged", _within(scope)
    )
    return {
        facility_id: FacilityState(state)
        for facility_id, state in connection.execute(query.order_by(*e.chain_order))
    }


def opened_sales(connection: Connection, scope: Scope) -> dict[FacilityId, SaleTerms]:
    """Terms of the sale that was opened last, by facility."""
    query = select(e.facility_id, e.payload).where(e.event == "SaleOpened", _within(scope))
    return {
        facility_id: payloads.opened_sale(payload)
        for facility_id, payload in connection.execute(query.order_by(*e.chain_order))
    }


def ended_sales(connection: Connection, scope: Scope) -> dict[FacilityId, bool]:
    """Whether the sale reached its floor, by facility; those that did not end left out."""
    query = select(e.facility_id, e.event).where(
        e.event.in_(("SaleSucceeded", "SaleFailed")), _within(scope)
    )
    return {
        facility_id: event == "SaleSucceeded"
        for facility_id, event in connection.execute(query.order_by(*e.chain_order))
    }


@dataclass(frozen=True, slots=True)
class SaleSumsRow:
    """Sums of one facility's sale: units and proceeds less refunds, and the proceeds released.

    counted_micros: cost of all purchases but the operator's own, refunded or not.
    """

    sold_units: int
    proceeds_micros: Micros
    counted_micros: Micros
    released_micros: Micros


def sale_sums(connection: Connection, scope: Scope) -> dict[FacilityId, SaleSumsRow]:
    """Sums of the primary sale, by facility; those without any left out."""
    sold, refunded = e.event == "UnitsSold", e.event == "UnitsRefunded"
    units = case((sold, e.units), (refunded, -e.units), else_=0)
    proceeds = case((sold, e.cost_micros), (refunded, -e.refund_micros), else_=0)
    # Indexed accounts are in lower case.
    own = e.account == func.lower(operators.c.address)
    counted = case((and_(sold, ~own), e.cost_micros), else_=0)
    released = case((e.event == "ProceedsReleased", e.amount_micros), else_=0)
    query = (
        select(
            e.facility_id,
            func.sum(units),
            func.sum(proceeds),
            func.sum(counted),
            func.sum(released),
        )
        .select_from(chain_events)
        .join(facilities, facilities.c.facility_id == e.facility_id)
        .join(operators, operators.c.operator_id == facilities.c.operator_id)
        .where(e.event.in_(("UnitsSold", "UnitsRefunded", "ProceedsReleased")), _within(scope))
        .group_by(e.facility_id)
    )
    return {
        facility_id: SaleSumsRow(
            sold_units=int(units_sold),
            proceeds_micros=Micros(int(micros_in)),
            counted_micros=Micros(int(micros_counted)),
            released_micros=Micros(int(micros_out)),
        )
        for facility_id, units_sold, micros_in, micros_counted, micros_out in (
            connection.execute(query)
        )
    }


@dataclass(frozen=True, slots=True)
class AccruedRow:
    """Revenue that accrued to one tranche, and the block of the first accrual."""

    accrued_micros: Micros
    first_block: int


def accruals(connection: Connection, scope: Scope) -> dict[TrancheId, AccruedRow]:
    """Revenue accrued, by tranche."""
    query = select(e.token_id, func.sum(e.amount_micros), func.min(e.block_number))
    query = query.where(e.event == "RevenueAccrued", _within(scope)).group_by(e.token_id)
    return {
        TrancheId(int(token_id)): AccruedRow(accrued_micros=Micros(int(micros)), first_block=block)
        for token_id, micros, block in connection.execute(query)
    }


@dataclass(frozen=True, slots=True)
class SupplyRow:
    """Units of one tranche in circulation, and the block of the last mint or burn."""

    units: int
    last_block: int


def supplies(connection: Connection, scope: Scope) -> dict[TrancheId, SupplyRow]:
    """Units in circulation, by tranche."""
    query = select(e.token_id, func.sum(SUPPLIED_UNITS), func.max(e.block_number))
    query = query.where(MINTS_AND_BURNS, _within(scope)).group_by(e.token_id)
    return {
        TrancheId(int(token_id)): SupplyRow(units=int(units), last_block=block)
        for token_id, units, block in connection.execute(query)
    }


@dataclass(frozen=True, slots=True)
class DeliveredRow:
    """Sums over the statements of one facility that stand on-chain."""

    epochs: int = 0
    billed_gpu_seconds: int = 0
    available_gpu_seconds: int = 0


def delivered(connection: Connection, scope: Scope) -> dict[FacilityId, DeliveredRow]:
    """What statements that stand on-chain say was delivered, by facility.

    Joined by hash: where attesters posted other bytes, our statement's figures are not the chain's.
    """
    ours = and_(
        statements.c.facility_id == e.facility_id,
        statements.c.epoch == e.epoch,
        statements.c.statement_hash == e.statement_hash,
    )
    query = (
        select(
            statements.c.facility_id,
            func.sum(case((statements.c.closing, 0), else_=1)),
            func.sum(statements.c.billed_gpu_seconds),
            func.sum(statements.c.available_gpu_seconds + statements.c.available_adjustment),
        )
        .select_from(chain_events)
        .join(statements, ours)
        .where(stands(), _within(scope))
        .group_by(statements.c.facility_id)
    )
    return {
        facility_id: DeliveredRow(
            epochs=int(count),
            billed_gpu_seconds=int(billed or 0),
            available_gpu_seconds=int(available or 0),
        )
        for facility_id, count, billed, available in connection.execute(query)
    }


def posted_statements(connection: Connection, facility_id: FacilityId) -> dict[Epoch, Statement]:
    """Statements of a facility that stand on-chain, by epoch, ascending."""
    query = select(e.epoch, e.payload).where(e.facility_id == facility_id, stands())
    return {
        epoch: payloads.posted_statement(payload)
        for epoch, payload in connection.execute(query.order_by(e.epoch))
    }


def event_seen(connection: Connection, facility_id: FacilityId, *, names: Sequence[str]) -> bool:
    """Whether one of some events was logged of a facility."""
    query = select(e.event).where(e.facility_id == facility_id, e.event.in_(names))
    return connection.execute(query.limit(1)).first() is not None
