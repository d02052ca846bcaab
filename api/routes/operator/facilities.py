"""An operator registers a facility and pledges its devices."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from api.chain import calldata
from api.db.session import transaction
from api.domain.facility import FacilityTerms, TrancheTerms
from api.domain.statements.evidence import FACILITY_FILE, facility_folder
from api.domain.units import MAX_I64
from api.errors import InvalidInput
from api.ledger.facilities import NewFacility, register_facility
from api.reads.sql import market
from api.routes.http.credentials import OperatorId
from api.routes.http.problems import errors
from api.routes.http.schemas import Address, Instant, Name, Strict, example
from api.routes.http.strict import StrictRoute
from api.routes.public.facilities import FacilityOut, Offer, facility_out
from api.routes.service import Service, ServiceDep

router = APIRouter(tags=["operator"], route_class=StrictRoute)

EXAMPLE_DEVICES = (
    "GPU-0b9f1a52-3c1d-4e5f-8a6b-7c8d9e0f1a2b",
    "GPU-1c0a2b63-4d2e-4f60-9b7c-8d9e0f1a2b3c",
)


class TrancheIn(Strict):
    """One tranche, most senior first."""

    unit_cap: Annotated[int, Field(gt=0, lt=2**40)] = Field(description="Most units, GPU-hours.")
    coupon_micros_per_unit: Annotated[int, Field(ge=0, lt=2**63)] = Field(
        default=0, description="Micros that a unit earns over the window before juniors."
    )


class FacilityIn(Strict):
    """A facility and its pledge."""

    model_config = example(
        name="hall-1",
        gpu_class="H100-SXM5-80GB",
        site="SE-LULEA-1",
        window_start="2026-12-01T00:00:00Z",
        window_end="2026-12-31T00:00:00Z",
        epoch_length_s=86_400,
        settlement_token="0x5FbDB2315678afecb367f032d93F642f64180aa3",  # noqa: S106 an address
        tranches=[{"unit_cap": 800, "coupon_micros_per_unit": 900_000}, {"unit_cap": 400}],
        devices=list(EXAMPLE_DEVICES),
    )

    facility_id: Annotated[int, Field(gt=0, le=MAX_I64)] | None = Field(
        default=None, description="On-chain id; default is the next free one."
    )
    name: Name = Field(description="For people.")
    gpu_class: Annotated[str, Field(min_length=1, max_length=32)] = Field(
        description="SKU, for example H100-SXM5-80GB."
    )
    site: Annotated[str, Field(min_length=1, max_length=32)] = Field(description="Data centre.")
    window_start: Instant = Field(description="First second of the delivery window.")
    window_end: Instant = Field(description="Second after the window; whole epochs later.")
    epoch_length_s: Annotated[int, Field(ge=60, lt=2**24)] = Field(description="Seconds.")
    settlement_token: Address | None = Field(
        default=None, description="Stablecoin of rent; default is the deployment's."
    )
    promised_availability_ppm: Annotated[int, Field(ge=0, le=1_000_000)] = Field(
        default=990_000, description="Promised availability, parts per million."
    )
    fee_bps: Annotated[int, Field(ge=0, le=1_000)] = Field(
        default=100, description="Protocol fee on settlements, basis points."
    )
    tranches: Annotated[list[TrancheIn], Field(min_length=1, max_length=4)] = Field(
        description="Most senior first; the last takes the residual."
    )
    devices: Annotated[list[str], Field(min_length=1, max_length=100_000)] = Field(
        description="NVML UUIDs of the pledged devices; the pledge never changes."
    )


def _offer(service: Service, terms: FacilityTerms) -> Offer | None:
    deployment = service.deployment
    if deployment is None:
        return None
    data = calldata.offer(terms)
    return Offer(to=deployment.facility_registry, data=data)


@router.post("/v1/facilities", status_code=201, responses=errors(400, 401, 403, 409, 413, 422))
def create_facility(service: ServiceDep, operator_id: OperatorId, body: FacilityIn) -> FacilityOut:
    """Register a facility and pledge its devices.

    The answer holds the transaction (`offer`) that the operator's wallet sends next.
    """
    deployment = service.deployment
    token = body.settlement_token or (deployment and deployment.settlement_token)
    if not token:
        raise InvalidInput("name a settlement token", field="settlement_token")
    tranches = tuple(TrancheTerms(t.unit_cap, t.coupon_micros_per_unit) for t in body.tranches)
    new = NewFacility(
        body.facility_id,
        body.name,
        body.gpu_class,
        body.site,
        body.window_start,
        body.window_end,
        body.epoch_length_s,
        calldata.checksum(token),
        body.promised_availability_ppm,
        body.fee_bps,
        tranches,
        body.devices,
    )
    settings = service.settings
    with transaction(service.engine) as connection:
        row, terms = register_facility(
            connection,
            operator_id=operator_id,
            new=new,
            grace_s=settings.grace_s,
            now_s=service.clock(),
        )
        # At once, and not with the first statement: attesters compare pledges across facilities.
        # The same body again gives the same bytes, should the commit fail.
        path = f"{facility_folder(row.facility_id)}/{FACILITY_FILE}"
        service.evidence.write(path, row.terms_json)
        (shown,) = market.facility_rows(connection, row.facility_id)
    return facility_out(shown, _offer(service, terms))
