"""Movements of money of a facility, in chain order."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.db.facilities import known_facility_row
from api.db.session import reading
from api.domain.statements.evidence import hex32
from api.reads.sql.cashflow import money_movements
from api.routes.http.parameters import CashFlowLimit, FacilityPath, Offset
from api.routes.http.problems import errors
from api.routes.http.schemas import MICROS
from api.routes.service import ServiceDep

router = APIRouter(tags=["public"])


class CashFlowOut(BaseModel):
    """One movement on-chain."""

    event: str = Field(
        description="RentPaid, RentRefunded, Settled, Distributed (bond or sale), ResidualOwed,"
        " ReceivableWrittenOff, RevenueAccrued or RevenueClaimed."
    )
    amount_micros: int = Field(description=f"Amount; {MICROS}.")
    fee_micros: int | None = Field(description=f"Fee of a settlement; {MICROS}.")
    account: str | None = Field(description="Payer, holder or operator.")
    token_id: str | None = Field(description="Tranche, decimal.")
    block_number: int = Field(description="Block.")
    block_time_s: int = Field(description="UTC seconds.")
    tx_hash: str = Field(description="Transaction, 0x-hex.")


@router.get("/v1/facilities/{facility_id}/cash-flows", responses=errors(404, 422))
def list_cash_flows(
    service: ServiceDep,
    facility_id: FacilityPath,
    offset: Offset = 0,
    limit: CashFlowLimit = 10_000,
) -> list[CashFlowOut]:
    """Rent, settlements, distributions, accruals and claims of a facility, in chain order."""
    with reading(service.engine) as connection:
        known_facility_row(connection, facility_id)
        movements = money_movements(connection, facility_id, offset=offset, limit=limit)
    return [
        CashFlowOut(
            event=movement.event,
            amount_micros=movement.amount_micros,
            fee_micros=movement.fee_micros,
            account=movement.account,
            token_id=movement.token_id,
            block_number=movement.block_number,
            block_time_s=movement.block_time_s,
            tx_hash=hex32(movement.tx_hash),
        )
        for movement in movements
    ]
