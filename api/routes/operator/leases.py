"""Leases and their prices."""

from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from api.db.facilities import own_facility_row
from api.db.session import reading
from api.domain import units
from api.domain.metering.lease_terms import PriceStep
from api.domain.statements.evidence import hex32
from api.domain.units import MAX_PRICE_MICROS_PER_GPU_HOUR, FacilityId, Minor
from api.ledger import leases
from api.routes.http.credentials import LedgerWriter
from api.routes.http.parameters import FacilityPath, LeasePath
from api.routes.http.problems import already, errors
from api.routes.http.schemas import Instant, Strict, Text, example
from api.routes.http.strict import StrictRoute
from api.routes.service import Service, ServiceDep

router = APIRouter(tags=["operator"], route_class=StrictRoute)


class LeaseIn(Strict):
    """A rental contract."""

    model_config = example(
        lease_id="lease-7",
        renter_ref="renter-7",
        plan="reserved",
        opened_at="2026-12-01T00:00:00Z",
        price_micros_per_gpu_hour=2_490_000,
    )

    lease_id: Text = Field(description="Your id of the lease; only its hash is published.")
    renter_ref: Text = Field(description="Opaque reference of the renter; never personal data.")
    plan: Literal["on_demand", "spot", "reserved", "take_or_pay"] = Field(
        description="Name of the terms; take_or_pay commits GPUs."
    )
    committed_gpus: Annotated[int, Field(ge=0, le=1_000_000)] = Field(
        default=0, description="GPUs paid for, used or not; take_or_pay only."
    )
    max_gpus: Annotated[int, Field(ge=0, le=1_000_000)] = Field(
        default=0, description="Most GPUs at once; 0 for no limit."
    )
    opened_at: Instant = Field(description="First second of the lease.")
    price_micros_per_gpu_hour: Annotated[int, Field(ge=0, le=MAX_PRICE_MICROS_PER_GPU_HOUR)] = (
        Field(description="Price in micros (millionths of a dollar) per GPU-hour.")
    )


class LeaseOut(BaseModel):
    """A lease."""

    lease_id: str = Field(description="Your id.")
    lease: str = Field(description="Public hash, also the reference of rent payments.")
    created: bool = Field(description="False when it was already there.")


class PriceIn(Strict):
    """A new price version."""

    model_config = example(
        effective_from="2026-12-15T00:00:00Z", price_micros_per_gpu_hour=2_290_000
    )

    effective_from: Instant = Field(description="In force from this second on.")
    price_micros_per_gpu_hour: Annotated[int, Field(ge=0, le=MAX_PRICE_MICROS_PER_GPU_HOUR)] = (
        Field(description="Micros per GPU-hour.")
    )


class CloseIn(Strict):
    """The end of a lease."""

    model_config = example(closed_at="2026-12-31T00:00:00Z")

    closed_at: Instant = Field(description="Second after the lease.")


class Changed(BaseModel):
    """Outcome of an idempotent change."""

    created: bool = Field(description="False when the same change was already made.")


def from_api_lease(body: LeaseIn) -> leases.NewLease:
    """A lease as an operator sent it."""
    return leases.NewLease(
        lease_id=body.lease_id,
        renter_ref=body.renter_ref,
        plan=body.plan,
        committed_gpus=body.committed_gpus,
        max_gpus=body.max_gpus,
        opened_at_s=body.opened_at,
        price=Minor(body.price_micros_per_gpu_hour),
    )


def _require_own(
    service: Service, *, operator_id: units.OperatorId, facility_id: FacilityId
) -> None:
    """Refuse facilities of others as if they did not exist."""
    # Before any lock, which on SQLite is on everything: a stranger's request holds up nobody.
    with reading(service.engine) as connection:
        own_facility_row(connection, operator_id, facility_id)


# Ids of leases are the operator's own and may hold slashes: hence `{lease_id:path}` below.
_LEASES = "/v1/facilities/{facility_id}/leases"


@router.post(
    _LEASES,
    status_code=201,
    responses=already(LeaseOut) | errors(400, 401, 403, 404, 409, 413, 422),
)
def create_lease(
    service: ServiceDep,
    response: Response,
    operator_id: LedgerWriter,
    facility_id: FacilityPath,
    body: LeaseIn,
) -> LeaseOut:
    """Open a lease with its first price. The same body again answers 200 and changes nothing."""
    _require_own(service, operator_id=operator_id, facility_id=facility_id)

    lease, created = leases.open_lease(
        service.engine, operator_id, facility_id, from_api_lease(body), clock=service.clock
    )
    response.status_code = 201 if created else 200
    return LeaseOut(lease_id=lease.lease_id, lease=hex32(lease.lease), created=created)


@router.post(
    _LEASES + "/{lease_id:path}/prices", responses=errors(400, 401, 403, 404, 409, 413, 422)
)
def create_price(
    service: ServiceDep,
    operator_id: LedgerWriter,
    facility_id: FacilityPath,
    lease_id: LeasePath,
    body: PriceIn,
) -> Changed:
    """Set the price from an instant on, also one that is past: a price that was typed wrong.

    What was stated at another price is put right by the next statement. A sealed month stays.
    """
    _require_own(service, operator_id=operator_id, facility_id=facility_id)
    price = PriceStep(body.effective_from, Minor(body.price_micros_per_gpu_hour))
    created = leases.add_price(
        service.engine, operator_id, facility_id, lease_id, price, clock=service.clock
    )
    return Changed(created=created)


@router.post(
    _LEASES + "/{lease_id:path}/close", responses=errors(400, 401, 403, 404, 409, 413, 422)
)
def close_lease(
    service: ServiceDep,
    operator_id: LedgerWriter,
    facility_id: FacilityPath,
    lease_id: LeasePath,
    body: CloseIn,
) -> Changed:
    """End a lease at an instant, also one that is past or to come. Another end can follow."""
    _require_own(service, operator_id=operator_id, facility_id=facility_id)
    created = leases.close_lease(
        service.engine,
        operator_id,
        facility_id,
        lease_id,
        closed_at_s=body.closed_at,
        clock=service.clock,
    )
    return Changed(created=created)
