"""Movements of money of a facility, in chain order."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.db.facilities import known_facility_row
from api.db.session import reading
from api.domain.statements.evidence import hex32
from api.reads.sql.cashflow import MovementRow, money_movements
from api.routes.http.parameters import CashFlowLimit, FacilityPath, Offset
from api.routes.http.problems import errors
from api.routes.http.schemas import MICROS
from api.routes.service import ServiceDep

router = APIRouter(tags=["public"])


class SharedOut(BaseModel):
    """Where money of a closing, or later rent for claims, went: all parts are the amount."""

    advanced_micros: int = Field(
        description=f"Paid attested rent in place of renters: a Settled names it too; {MICROS}."
    )
    to_units_micros: int = Field(description=f"To units of all tranches; {MICROS}.")
    to_vouchers_micros: int = Field(description=f"To vouchers of all tranches; {MICROS}.")
    to_treasury_micros: int = Field(description=f"To the treasury; {MICROS}.")
    to_operator_micros: int = Field(
        description=f"To the operator: a ResidualOwed names it too; {MICROS}."
    )


class CashFlowOut(BaseModel):
    """One movement on-chain."""

    event: str = Field(
        description="RentPaid, RentRefunded, Settled, FacilityClosed, LateRentShared, VoucherPaid,"
        " ResidualOwed, ReceivableWrittenOff, RevenueAccrued or RevenueClaimed."
    )
    amount_micros: int = Field(
        description=f"Amount; of a closing bond and escrow together; {MICROS}."
    )
    fee_micros: int | None = Field(description=f"Fee of a settlement; {MICROS}.")
    shared: SharedOut | None = Field(
        description="Where the amount of a closing or of late rent went; null for other events."
    )
    account: str | None = Field(description="Payer, holder or operator.")
    token_id: str | None = Field(description="Tranche, decimal.")
    block_number: int = Field(description="Block.")
    block_time_s: int = Field(description="UTC seconds.")
    tx_hash: str = Field(description="Transaction, 0x-hex.")


def to_api_shared(movement: MovementRow) -> SharedOut | None:
    """Where the amount of a closing or of late rent went."""
    part = movement.shared
    if part is None:
        return None
    return SharedOut(
        advanced_micros=part.advanced_micros,
        to_units_micros=part.to_units_micros,
        to_vouchers_micros=part.to_vouchers_micros,
        to_treasury_micros=part.to_treasury_micros,
        to_operator_micros=part.to_operator_micros,
    )


@router.get("/v1/facilities/{facility_id}/cash-flows", responses=errors(404, 422))
def list_cash_flows(
    service: ServiceDep,
    facility_id: FacilityPath,
    offset: Offset = 0,
    limit: CashFlowLimit = 10_000,
) -> list[CashFlowOut]:
    """Rent, settlements, closings, accruals and claims of a facility, in chain order."""
    with reading(service.engine) as connection:
        known_facility_row(connection, facility_id)
        movements = money_movements(connection, facility_id, offset=offset, limit=limit)
    return [
        CashFlowOut(
            event=movement.event,
            amount_micros=movement.amount_micros,
            fee_micros=movement.fee_micros,
            shared=to_api_shared(movement),
            account=movement.account,
            token_id=movement.token_id,
            block_number=movement.block_number,
            block_time_s=movement.block_time_s,
            tx_hash=hex32(movement.tx_hash),
        )
        for movement in movements
    ]
