"""Route by which an operator discloses what its devices cost."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.db.facilities import own_facility_row
from api.db.session import reading, write
from api.domain.units import MAX_I64, Micros
from api.ledger.disclosures import disclose_hardware
from api.routes.http.credentials import LedgerWriter
from api.routes.http.parameters import FacilityPath
from api.routes.http.problems import errors
from api.routes.http.schemas import Instant, Strict, example
from api.routes.http.strict import StrictRoute
from api.routes.service import ServiceDep

router = APIRouter(tags=["operator"], route_class=StrictRoute)


class HardwareIn(Strict):
    """What the devices of a facility cost, by the operator's own account."""

    model_config = example(
        cost_micros_per_device=30_000_000_000, in_service_at="2026-01-01T00:00:00Z"
    )

    cost_micros_per_device: Annotated[int, Field(gt=0, le=MAX_I64)] = Field(
        description="Purchase price of one device, micros of the settlement token."
    )
    in_service_at: Instant = Field(description="When the devices began to serve.")


class DisclosureOut(BaseModel):
    """A disclosure as it is shown to investors."""

    facility_id: int = Field(description="Facility.")
    cost_micros_per_device: int = Field(description="Micros of the settlement token.")
    in_service_s: int = Field(description="UTC seconds.")
    disclosed_at_s: int = Field(description="UTC seconds.")


@router.post(
    "/v1/facilities/{facility_id}/hardware",
    status_code=201,
    responses=errors(400, 401, 403, 404, 413, 422),
)
def create_hardware_disclosure(
    service: ServiceDep, operator_id: LedgerWriter, facility_id: FacilityPath, body: HardwareIn
) -> DisclosureOut:
    """Disclose what the devices cost and since when they serve.

    Every disclosure is kept; investors see the newest, as the operator's own statement.
    """
    now_s = service.clock()
    # Before the write, which locks all of SQLite: a stranger's request holds up nobody.
    with reading(service.engine) as connection:
        own_facility_row(connection, operator_id, facility_id)
    write(
        service.engine,
        lambda c: disclose_hardware(
            c,
            operator_id,
            facility_id,
            cost_micros_per_device=Micros(body.cost_micros_per_device),
            in_service_s=body.in_service_at,
            now_s=now_s,
        ),
    )
    return DisclosureOut(
        facility_id=facility_id,
        cost_micros_per_device=body.cost_micros_per_device,
        in_service_s=body.in_service_at,
        disclosed_at_s=now_s,
    )
