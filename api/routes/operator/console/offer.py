"""The transaction that offers a registered facility."""

from fastapi import APIRouter

from api.db.facilities import own_facility
from api.domain.statements.evidence_reader import terms_from_bytes
from api.errors import NotFound
from api.routes.http.credentials import OperatorReader
from api.routes.http.parameters import FacilityPath
from api.routes.http.problems import errors
from api.routes.operator.console import CONSOLE_FACILITY
from api.routes.public.facilities import Offer, to_api_offer
from api.routes.service import ServiceDep

router = APIRouter(tags=["console"])


@router.get(f"{CONSOLE_FACILITY}/offer", responses=errors(401, 403, 404, 422))
def get_console_offer(
    service: ServiceDep, operator_id: OperatorReader, facility_id: FacilityPath
) -> Offer:
    """The transaction that offers a registered facility, as in the answer to registering.

    404 with code `not_found` also where nothing is deployed to offer it on.
    """
    with own_facility(service.engine, operator_id, facility_id) as (_, row):
        terms = terms_from_bytes(row.terms_json)
    deployment = service.deployment
    if deployment is None:
        raise NotFound("no contracts are deployed", facility_id=facility_id)
    return to_api_offer(terms, deployment)
