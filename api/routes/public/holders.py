"""Who holds a tranche."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.reads.holders import HoldersView, HolderView
from api.reads.holders import list_holders as holders_of
from api.routes.http.parameters import Offset, PageLimit, TranchePath
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


def to_api_holder(holder: HolderView) -> HolderOut:
    """A holder."""
    return HolderOut(
        address=holder.address,
        units=holder.units,
        share_ppm=holder.share_ppm,
    )


def to_api_holders(page: HoldersView) -> HoldersOut:
    """A page of holders."""
    return HoldersOut(
        total=page.total,
        units_issued=page.units_issued,
        holders=[to_api_holder(holder) for holder in page.holders],
    )


@router.get("/v1/tranches/{token_id}/holders", responses=errors(404, 422))
def list_holders(
    service: ServiceDep, token_id: TranchePath, offset: Offset = 0, limit: PageLimit = 100
) -> HoldersOut:
    """Holders by units, from indexed transfers; together they hold what circulates."""
    return to_api_holders(holders_of(service.engine, token_id, offset=offset, limit=limit))
