"""A tranche over time."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.reads.series import read_series
from api.routes.http.parameters import (
    TokenPath,
)
from api.routes.http.problems import errors
from api.routes.http.schemas import MICROS
from api.routes.service import ServiceDep

router = APIRouter(tags=["public"])


class PointOut(BaseModel):
    """Sums over some epochs."""

    first_epoch: int = Field(description="First epoch in the point.")
    last_epoch: int = Field(description="Last epoch in the point.")
    start_s: int = Field(description="Start of the first epoch, UTC seconds.")
    end_s: int = Field(description="End of the last epoch, UTC seconds.")
    gross_micros: int | None = Field(
        description=f"Gross revenue of posted statements; null if none is posted; {MICROS}."
    )
    billed_gpu_seconds: int | None = Field(description="Usage and delivery, GPU-seconds.")
    available_gpu_seconds: int | None = Field(description="Capacity less outages, GPU-seconds.")
    promised_gpu_seconds: int = Field(description="Promised available GPU-seconds.")
    accrued_micros: int = Field(description=f"Revenue accrued to this tranche; {MICROS}.")
    settled_micros: int = Field(description=f"Settled of the facility, fees included; {MICROS}.")


class SeriesOut(BaseModel):
    """A tranche over time."""

    bucket_epochs: int = Field(description="Epochs in one point; the last may have fewer.")
    points: list[PointOut] = Field(description="At most 400 points, in order.")


@router.get("/v1/tranches/{token_id}/series", responses=errors(404, 422))
def get_series(service: ServiceDep, token_id: TokenPath) -> SeriesOut:
    """Statements, settlements and accruals over time in at most 400 points.

    A settlement and what it accrued stand at the last epoch that it counts. Sums over all points
    are the totals: nothing is averaged.
    """
    found = read_series(service.engine, int(token_id))
    return SeriesOut.model_validate(found, from_attributes=True)
