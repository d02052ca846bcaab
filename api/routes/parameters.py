"""Path and query parameters: bounded, so that no number is larger than a column."""

from typing import Annotated

from fastapi import Path, Query

from api.domain.units import MAX_I64, MAX_U32

FacilityPath = Annotated[int, Path(ge=0, le=MAX_I64, description="Facility: its on-chain id.")]
EpochPath = Annotated[int, Path(ge=0, le=MAX_U32, description="Epoch of the facility, from 0.")]
LineIndex = Annotated[int, Path(ge=0, le=MAX_U32, description="Place of the line, from 0.")]
LeasePath = Annotated[
    str,
    Path(
        min_length=1,
        max_length=120,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="Your id of the lease.",
    ),
]
Offset = Annotated[int, Query(ge=0, le=2**40, description="Number of rows to skip.")]
Limit = Annotated[int, Query(ge=1, le=1_000, description="Most rows in the answer.")]
PageLimit = Annotated[int, Query(ge=1, le=500, description="Most rows in the answer.")]
# Claims of many holders make many rows: one answer holds what a reconciliation sums, by default.
CashFlowLimit = Annotated[int, Query(ge=1, le=10_000, description="Most rows in the answer.")]
