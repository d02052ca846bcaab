"""What the worker could not do yet for an operator's facilities, and why."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.db import work
from api.db.facilities import facilities_of
from api.db.session import reading
from api.db.tables.work import WorkRow
from api.routes.http.credentials import OperatorReader
from api.routes.http.problems import errors
from api.routes.service import ServiceDep

router = APIRouter(tags=["console"])


class WorkOut(BaseModel):
    """A step of a facility that waits, fails or is held."""

    step: str = Field(description="approve, close, post, settle, serve or finish.")
    facility_id: int = Field(description="Of which facility.")
    state: str = Field(
        description="held: whoever runs the service is asked first. failing: it is tried again by"
        " itself. waiting: something else comes first, such as signatures. running: just now."
    )
    reason: str | None = Field(
        description="Why, in a sentence; of what runs, why it was not done last time, if it was"
        " tried before."
    )
    attempts: int = Field(description="Number of tries since it last went well.")
    since_s: int = Field(description="Since when it stands so, UTC seconds by wall clock.")
    next_try_s: int | None = Field(
        description="When it is tried again, UTC seconds by wall clock; null for what is held."
    )


class QueueOut(BaseModel):
    """What the worker could not do yet."""

    work: list[WorkOut] = Field(description="Held first, then failing, longest first.")


def to_api_work(row: WorkRow, *, now_s: int) -> WorkOut:
    """One step of a facility."""
    return WorkOut(
        step=row.step,
        facility_id=row.facility_id,
        state=work.state_told(row, now_s=now_s),
        reason=row.reason,
        attempts=row.attempts,
        since_s=row.since_s,
        next_try_s=None if row.state == work.HELD else row.next_try_s,
    )


@router.get("/v1/console/queue", responses=errors(401, 403))
def get_queue(service: ServiceDep, operator_id: OperatorReader) -> QueueOut:
    """Steps that the worker could not take yet for the operator's facilities, with the reason.

    One facility's fault holds up no other. An empty list says that nothing fails or waits.
    """
    now_s = service.session_clock()
    with reading(service.engine) as connection:
        rows = work.told(connection, facilities_of(connection, operator_id), now_s=now_s)
    return QueueOut(work=[to_api_work(row, now_s=now_s) for row in rows])
