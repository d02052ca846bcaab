"""A tranche over time."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.domain.capital.series import Point, Series
from api.reads.series import read_series
from api.routes.http.parameters import TranchePath
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


def to_api_point(point: Point) -> PointOut:
    """Sums over some epochs."""
    return PointOut(
        first_epoch=point.first_epoch,
        last_epoch=point.last_epoch,
        start_s=point.start_s,
        end_s=point.end_s,
        gross_micros=point.gross_micros,
        billed_gpu_seconds=point.billed_gpu_seconds,
        available_gpu_seconds=point.available_gpu_seconds,
        promised_gpu_seconds=point.promised_gpu_seconds,
        accrued_micros=point.accrued_micros,
        settled_micros=point.settled_micros,
    )


def to_api_series(series: Series) -> SeriesOut:
    """A tranche over time."""
    return SeriesOut(
        bucket_epochs=series.bucket_epochs,
        points=[to_api_point(point) for point in series.points],
    )


@router.get("/v1/tranches/{token_id}/series", responses=errors(404, 422))
def get_series(service: ServiceDep, token_id: TranchePath) -> SeriesOut:
    """Statements, settlements and accruals over time in at most 400 points.

    A settlement and what it accrued stand at the last epoch that it counts. Sums over all points
    are the totals: nothing is averaged.
    """
    return to_api_series(read_series(service.engine, token_id))
