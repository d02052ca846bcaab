"""Leases with their prices and what was attested of them."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.db.facilities import own_facility
from api.db.leases import lease_rows, prices_of
from api.domain.statements.evidence import hex32
from api.reads.console.rent import attested_by_lease
from api.routes.http.credentials import OperatorReader
from api.routes.http.parameters import FacilityPath
from api.routes.http.problems import errors
from api.routes.http.schemas import MICROS
from api.routes.operator.console import CONSOLE_FACILITY
from api.routes.service import ServiceDep

router = APIRouter(tags=["console"])


class PriceVersionOut(BaseModel):
    """One price version."""

    version: int = Field(description="Number of the version, from 1.")
    effective_from_s: int = Field(description="UTC seconds.")
    price_micros_per_gpu_hour: int = Field(description="Micros of the settlement token.")
    sla_credit_bps: int = Field(description="Credit for withheld GPUs, basis points.")


class ConsoleLease(BaseModel):
    """A lease with its prices."""

    lease_id: str = Field(description="The operator's id.")
    lease: str = Field(description="Salted hash, as in statements and rent payments, 0x-hex.")
    renter_ref: str = Field(description="The operator's reference of the renter.")
    plan: str = Field(description="on_demand, spot, reserved or take_or_pay.")
    committed_gpus: int = Field(description="GPUs paid whether used or not.")
    max_gpus: int = Field(description="Most GPUs at once; 0 = no limit.")
    opened_at_s: int = Field(description="UTC seconds.")
    closed_at_s: int | None = Field(description="UTC seconds; null while open.")
    prices: list[PriceVersionOut] = Field(description="By version.")
    attested_micros: int = Field(description=f"Charges in statements on-chain; {MICROS}.")


@router.get(f"{CONSOLE_FACILITY}/leases", responses=errors(401, 403, 404, 422))
def list_console_leases(
    service: ServiceDep, operator_id: OperatorReader, facility_id: FacilityPath
) -> list[ConsoleLease]:
    """Leases with their prices and what was attested of them, by lease id."""
    with own_facility(service.engine, operator_id, facility_id) as (connection, _):
        rows = lease_rows(connection, facility_id)
        prices: dict[bytes, list[PriceVersionOut]] = {}
        for price in prices_of(connection, facility_id):
            version = PriceVersionOut(
                version=price.version,
                effective_from_s=price.effective_from_s,
                price_micros_per_gpu_hour=price.price_micros_per_gpu_hour,
                sla_credit_bps=price.sla_credit_bps,
            )
            prices.setdefault(price.lease, []).append(version)
        attested = attested_by_lease(connection, facility_id)
    return [
        ConsoleLease(
            lease_id=row.lease_id,
            lease=hex32(row.lease),
            renter_ref=row.renter_ref,
            plan=row.plan,
            committed_gpus=row.committed_gpus,
            max_gpus=row.max_gpus,
            opened_at_s=row.opened_at_s,
            closed_at_s=row.closed_at_s,
            prices=prices[row.lease],
            attested_micros=attested.get(row.lease, 0),
        )
        for row in sorted(rows, key=lambda r: r.lease_id)
    ]
