"""Route by which an operator reopens an epoch whose statement was proven wrong."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.epochs.reopen import reopen
from api.routes.http.credentials import LedgerWriter
from api.routes.http.parameters import EpochPath, FacilityPath
from api.routes.http.problems import errors
from api.routes.service import ServiceDep

router = APIRouter(tags=["operator"])


class ReopenedOut(BaseModel):
    """What was reopened, and until when it takes corrections."""

    facility_id: int = Field(description="Facility.")
    epoch: int = Field(description="First epoch that is open again.")
    superseded: list[int] = Field(description="Epochs whose statements are replaced.")
    reopened_at_s: int = Field(description="UTC seconds; records from then on follow the new rule.")
    open_until_s: int = Field(description="UTC seconds; then the worker closes it again.")


@router.post(
    "/v1/facilities/{facility_id}/epochs/{epoch}/reopen",
    status_code=201,
    responses=errors(401, 403, 404, 409, 422),
)
def reopen_epoch(
    service: ServiceDep, operator_id: LedgerWriter, facility_id: FacilityPath, epoch: EpochPath
) -> ReopenedOut:
    """Reopen an epoch after a fault of its statement was proven on-chain.

    Its statement and those after it leave the books; their evidence and signatures stay readable
    below `facility-<id>/superseded/`. Until `open_until_s` the epoch takes usage, outages and
    corrections as if its cut-off lay ahead; then it is closed, attested and posted again. The
    contract never takes the same bytes again: an epoch that is not corrected ends up `voided`
    again. Leases and prices of the past do not change.

    409 with `reason`: `not_voided`, `not_next` (an earlier epoch is due first), `void_not_final`
    (wait for confirmations), `posting_under_way`, `books_changed`.
    """
    reopened = reopen(
        service.engine,
        service.evidence,
        service.contracts,
        operator_id=operator_id,
        facility_id=facility_id,
        epoch=epoch,
        now_s=service.clock(),
    )
    return ReopenedOut(
        facility_id=facility_id,
        epoch=reopened.first_epoch,
        superseded=list(reopened.superseded),
        reopened_at_s=reopened.reopened_at_s,
        open_until_s=reopened.open_until_s,
    )
