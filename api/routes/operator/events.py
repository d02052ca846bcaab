"""Metering: events, each answered on its own."""

from collections.abc import Sequence

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from api.ledger.batch import EventResult
from api.ledger.ingest import ingest
from api.routes.http.body import read_events
from api.routes.http.credentials import EventsWriter
from api.routes.http.problems import errors
from api.routes.http.strict import StrictRoute
from api.routes.operator.event_docs import EVENT_BODY, EVENTS_ABOUT
from api.routes.service import ServiceDep

router = APIRouter(tags=["operator"], route_class=StrictRoute)


class EventResultOut(BaseModel):
    """Answer for one event of a batch."""

    index: int = Field(description="Place in the batch, from 0.")
    source: str | None = Field(description="CloudEvents source, if it could be read.")
    id: str | None = Field(description="CloudEvents id, if it could be read.")
    status: str = Field(description="accepted, duplicate or rejected.")
    code: str | None = Field(
        default=None,
        description="Why it was rejected: a code of the table in the description; stable.",
    )
    detail: str | None = Field(default=None, description="The same in a sentence.")


class BatchOut(BaseModel):
    """Answer for a batch: one result an event, in order."""

    accepted: int = Field(description="Events recorded now.")
    duplicates: int = Field(description="Events recorded before, with the same payload.")
    rejected: int = Field(description="Events not recorded; correct and send them again.")
    results: list[EventResultOut] = Field(description="One per event, in order.")


def to_api_batch(results: Sequence[EventResult]) -> dict[str, object]:
    """JSON of a `BatchOut`, by hand: models of a thousand results would cost as much as ingest."""
    counts = dict.fromkeys(("accepted", "duplicate", "rejected"), 0)
    answers = []
    for result in results:
        counts[result.status] += 1
        answer = {
            "index": result.index,
            "source": result.source,
            "id": result.id,
            "status": result.status,
        }
        if result.code is not None:
            answer |= {"code": result.code, "detail": result.detail}
        answers.append(answer)
    return {
        "accepted": counts["accepted"],
        "duplicates": counts["duplicate"],
        "rejected": counts["rejected"],
        "results": answers,
    }


@router.post(
    "/v1/events",
    responses=errors(400, 401, 403, 413, 415, 422),
    openapi_extra=EVENT_BODY,
    description=EVENTS_ABOUT,
    response_model=BatchOut,
)
async def post_events(request: Request, service: ServiceDep, operator_id: EventsWriter) -> Response:
    """Push metering. Every event is answered on its own; sending a body again is always safe."""
    body = await request.body()

    def work() -> JSONResponse:
        batch = read_events(
            body,
            content_type=request.headers.get("content-type"),
            encoding=request.headers.get("content-encoding"),
        )
        results = ingest(
            service.engine,
            operator_id,
            batch.events,
            broken=batch.broken,
            clock=service.clock,
        )
        return JSONResponse(to_api_batch(results))

    # Inflating, parsing and the database would block the event loop for every other caller.
    return await run_in_threadpool(work)
