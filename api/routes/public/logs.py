"""What is public of a facility's log: its name, its key, and where it ends."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.db.facilities import known_facility_row
from api.db.session import reading
from api.domain.log.requests import key_text
from api.domain.statements.evidence import hex32
from api.domain.statements.evidence_reader import terms_from_bytes
from api.routes.http.parameters import FacilityPath
from api.routes.http.problems import errors
from api.routes.service import ServiceDep

router = APIRouter(tags=["public"])


class FacilityLogOut(BaseModel):
    """A facility's log."""

    log: str = Field(description="Its name, chain:registry:facility: what `rentroll-log` says.")
    log_key: str = Field(
        description="Ed25519 key that signs receipts, base64url: `log.key` of facility.json; zero"
        " bytes for none."
    )
    unsigned: str = Field(description="taken or refused: batches that nobody signed.")
    size: int = Field(description="Entries so far.")
    head: str = Field(description="SHA-256 of the newest; 32 zero bytes before the first.")
    recorded_at_s: int = Field(description="Second of the newest, or a later cut-off; UTC.")


@router.get("/v1/facilities/{facility_id}/log", responses=errors(404, 422))
def get_log(service: ServiceDep, facility_id: FacilityPath) -> FacilityLogOut:
    """Where a facility's log stands now; a posted statement commits to a part of it."""
    with reading(service.engine) as connection:
        row = known_facility_row(connection, facility_id)
    terms = terms_from_bytes(row.terms_json)
    return FacilityLogOut(
        log=str(terms.log),
        log_key=key_text(terms.log_key),
        unsigned="taken" if terms.unsigned_taken else "refused",
        size=row.log_size,
        head=hex32(row.log_head),
        recorded_at_s=row.last_recorded_at_s,
    )
