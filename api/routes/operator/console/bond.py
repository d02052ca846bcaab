"""The bond of a facility."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.db.facilities import own_facility
from api.reads.console.overview import BondUnknown, is_bonded, pinned
from api.reads.console.tasks import ConsoleBondView
from api.routes.http.credentials import OperatorReader
from api.routes.http.parameters import FacilityPath
from api.routes.http.problems import errors
from api.routes.http.schemas import MICROS
from api.routes.operator.console import CONSOLE_FACILITY
from api.routes.service import ServiceDep

router = APIRouter(tags=["console"])


class ConsoleBond(BaseModel):
    """The bond of a facility, as of the newest indexed block."""

    bond_micros: int = Field(description=f"Held; 0 once the facility is closed; {MICROS}.")
    required_bond_micros: int = Field(
        description=f"Least bond with which the facility is funded; {MICROS}."
    )
    rate_micros_per_gpu_hour: int = Field(
        description=f"What a GPU-hour costs that was promised and not delivered; {MICROS}."
    )


def to_api_console_bond(bond: ConsoleBondView) -> ConsoleBond:
    """The bond and its terms."""
    return ConsoleBond(
        bond_micros=bond.bond_micros,
        required_bond_micros=bond.required_bond_micros,
        rate_micros_per_gpu_hour=bond.rate_micros_per_gpu_hour,
    )


@router.get(f"{CONSOLE_FACILITY}/bond", responses=errors(401, 403, 404, 422))
def get_console_bond(
    service: ServiceDep, operator_id: OperatorReader, facility_id: FacilityPath
) -> ConsoleBond:
    """The bond and its terms. 404 with code `bond_unknown` when none was agreed on-chain."""
    chain = pinned(service.engine, service.contracts)
    with own_facility(service.engine, operator_id, facility_id) as (connection, _):
        bonded = is_bonded(connection, facility_id)
    if chain is None or not bonded:
        message = f"facility {facility_id} has no bond"
        raise BondUnknown(message, facility_id=facility_id)
    return to_api_console_bond(chain.bond(facility_id))
