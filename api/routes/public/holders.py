"""Who holds a tranche."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.reads.holders import list_holders as holders_of
from api.routes.http.parameters import (
    Offset,
    PageLimit,
    TokenPath,
)
from api.routes.http.problems import errors
from api.routes.service import ServiceDep

router = APIRouter(tags=["public"])


class HolderOut(BaseModel):
    """A holder."""

    address: str = Field(description="Checksummed wallet address.")
    units: int = Field(description="Units held, GPU-hours.")
    share_ppm: int = Field(description="Share of units in circulation, parts per million.")


class HoldersOut(BaseModel):
    """A page of holders."""

    total: int = Field(description="Number of holders.")
    units_issued: int | None = Field(
        description="Units in circulation, GPU-hours, the sum of all holders; null while not"
        " on-chain."
    )
    holders: list[HolderOut] = Field(description="Largest first.")


@router.get("/v1/tranches/{token_id}/holders", responses=errors(404, 422))
def list_holders(
    service: ServiceDep, token_id: TokenPath, offset: Offset = 0, limit: PageLimit = 100
) -> HoldersOut:
    """Holders by units, from indexed transfers; together they hold what circulates."""
    found = holders_of(service.engine, int(token_id), offset=offset, limit=limit)
    return HoldersOut.model_validate(found, from_attributes=True)
