"""Secrets of names, which an operator hands on to whom they concern."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.domain.statements.evidence import hex32
from api.ledger.names import NameSecret, lease_secret, party_secret
from api.routes.http.credentials import LedgerWriter
from api.routes.http.parameters import FacilityPath
from api.routes.http.problems import errors
from api.routes.http.schemas import Strict, Text, example
from api.routes.http.strict import StrictRoute
from api.routes.operator.console import CONSOLE_FACILITY
from api.routes.service import ServiceDep

router = APIRouter(tags=["console"], route_class=StrictRoute)


class NameIn(Strict):
    """Whose secret is wanted. In the body, so that no log of requests names it."""

    model_config = example(lease_id="lease-7")

    lease_id: Text = Field(description="Your id of the lease.")


class NameSecretOut(BaseModel):
    """A name, its hash in all evidence of the facility, and the secret that shows so."""

    name: str = Field(description="Id of the lease, or the renter's one name.")
    hash: str = Field(description="As evidence has it, 0x-hex.")
    secret: str = Field(
        description="Of this name alone, 0x-hex. Whoever has it and the name finds its lines, for"
        " ever, and can show them to others."
    )


@router.post(f"{CONSOLE_FACILITY}/secrets/lease", responses=errors(400, 401, 403, 404, 413, 422))
def read_lease_secret(
    service: ServiceDep, operator_id: LedgerWriter, facility_id: FacilityPath, body: NameIn
) -> NameSecretOut:
    """The secret of a lease, for its renter or an auditor: it shows nothing of other leases.

    Nothing changes. It proves the name to anybody, so a key that only reads is not enough.
    """
    return _answer(lease_secret(service.engine, operator_id, facility_id, body.lease_id))


@router.post(f"{CONSOLE_FACILITY}/secrets/renter", responses=errors(400, 401, 403, 404, 413, 422))
def read_renter_secret(
    service: ServiceDep, operator_id: LedgerWriter, facility_id: FacilityPath, body: NameIn
) -> NameSecretOut:
    """The secret of a lease's renter: with it all leases of that renter in the facility are found.

    It shows nothing of other renters, nor the ids of leases.
    """
    return _answer(party_secret(service.engine, operator_id, facility_id, body.lease_id))


def _answer(found: NameSecret) -> NameSecretOut:
    return NameSecretOut(name=found.name, hash=hex32(found.hash), secret=hex32(found.secret))
