"""Leases and their prices."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from api.db.facilities import lock_facility, own_facility_row
from api.db.leases import known_lease_named, lease_named
from api.db.session import reading, transaction
from api.domain import units
from api.domain.statements.evidence import hex32
from api.domain.statements.rating import PricePlan
from api.domain.units import MAX_PRICE_MICROS_PER_GPU_HOUR, FacilityId, Micros
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
        sla_credit_bps=1_000,
    )

    lease_id: Text = Field(description="Your id of the lease; only its salted hash is published.")
    renter_ref: Text = Field(description="Opaque reference of the renter; never personal data.")
    plan: PricePlan = Field(description="on_demand, spot, reserved or take_or_pay.", strict=False)
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
    sla_credit_bps: Annotated[int, Field(ge=0, le=10_000)] = Field(
        default=0, description="Share of the price credited for withheld time, basis points."
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
    sla_credit_bps: Annotated[int, Field(ge=0, le=10_000)] = Field(
        default=0, description="Basis points."
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
        price_micros_per_gpu_hour=Micros(body.price_micros_per_gpu_hour),
        sla_credit_bps=body.sla_credit_bps,
    )


def from_api_price(body: PriceIn) -> leases.NewPrice:
    """A price version as an operator sent it."""
    return leases.NewPrice(
        effective_from_s=body.effective_from,
        price_micros_per_gpu_hour=Micros(body.price_micros_per_gpu_hour),
        sla_credit_bps=body.sla_credit_bps,
    )


def _require_own(
    service: Service, *, operator_id: units.OperatorId, facility_id: FacilityId
) -> None:
    """Refuse facilities of others as if they did not exist."""
    # Before `lock_facility`: a stranger's request must not hold up the operator's own.
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
    with transaction(service.engine) as connection:
        facility = lock_facility(connection, facility_id)
        lease, created = leases.open_lease(
            connection,
            facility,
            from_api_lease(body),
            existing=lease_named(connection, facility_id, body.lease_id),
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
    """Add a price version. Prices never change backwards."""
    _require_own(service, operator_id=operator_id, facility_id=facility_id)
    with transaction(service.engine) as connection:
        facility = lock_facility(connection, facility_id)
        lease = known_lease_named(connection, facility_id, lease_id)
        created = leases.add_price(connection, facility, lease, from_api_price(body))
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
    """End a lease."""
    _require_own(service, operator_id=operator_id, facility_id=facility_id)
    with transaction(service.engine) as connection:
        facility = lock_facility(connection, facility_id)
        lease = known_lease_named(connection, facility_id, lease_id)
        created = leases.close_lease(connection, facility, lease, closed_at_s=body.closed_at)
    return Changed(created=created)
