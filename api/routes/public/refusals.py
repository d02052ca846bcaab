"""What attesters refused of a facility, and why."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api.domain.statements.refusal_files import refusal_document
from api.domain.units import MAX_U32, Epoch
from api.reads.refusals import RefusalView, read_refusals
from api.routes.attester.refusals import RefusalIn
from api.routes.http.parameters import FacilityPath, Offset, PageLimit
from api.routes.http.problems import errors
from api.routes.service import ServiceDep

router = APIRouter(tags=["public"])


class RefusalOut(BaseModel):
    """A refusal, when it was handed in, and whether the chain has it."""

    refusal: RefusalIn = Field(description="As its attester serves it: `rentroll refuse call`.")
    received_at_s: int = Field(description="When the service got it, UTC seconds.")
    on_chain: bool = Field(
        description="Whether the attester's refusal for this reason is public on-chain, as far as"
        " the chain is indexed."
    )


class RefusalsOut(BaseModel):
    """A page of refusals."""

    total: int = Field(description="Refusals that the service was handed.")
    refusals: list[RefusalOut] = Field(description="The newest epoch first, from `offset` on.")


def _shown(view: RefusalView) -> RefusalOut:
    return RefusalOut(
        refusal=RefusalIn.model_validate(refusal_document(view.signed)),
        received_at_s=view.received_at_s,
        on_chain=view.on_chain,
    )


@router.get("/v1/facilities/{facility_id}/refusals", responses=errors(404, 422))
def list_refusals(
    service: ServiceDep,
    facility_id: FacilityPath,
    epoch: Annotated[
        Epoch | None, Query(ge=0, le=MAX_U32, description="Only of this epoch.")
    ] = None,
    offset: Offset = 0,
    limit: PageLimit = 100,
) -> RefusalsOut:
    """What attesters refused, and why.

    Each is signed by its attester, who also serves it at the URL that stands on-chain: what the
    service was not handed, or does not show, is there. Code and place are signed, the message is
    not.
    """
    total, views = read_refusals(
        service.engine, facility_id, epoch=epoch, offset=offset, limit=limit
    )
    return RefusalsOut(total=total, refusals=[_shown(view) for view in views])
