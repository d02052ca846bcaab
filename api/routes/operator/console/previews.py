"""Previews: what events would change, before they are sent."""

from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.db.facilities import own_facility
from api.domain.log.bodies import MAX_EVENTS
from api.domain.metering.calendar import month_start_s
from api.domain.metering.events import CORRECTION
from api.domain.metering.lease_terms import PriceStep
from api.domain.statements.evidence import hex32
from api.domain.units import FacilityId, Minor, OperatorId
from api.epochs.changes import Figures, Moved
from api.epochs.preview import Foreseen, Preview, Unforeseen, preview
from api.errors import EventRejected
from api.ledger.leases import price_events
from api.routes.http.body import BATCH, read_events
from api.routes.http.credentials import OperatorReader
from api.routes.http.parameters import FacilityPath, LeasePath
from api.routes.http.problems import errors
from api.routes.http.schemas import MICROS
from api.routes.http.strict import StrictRoute
from api.routes.operator.console import CONSOLE_FACILITY
from api.routes.operator.event_examples import EVENT_EXAMPLES
from api.routes.operator.events import BatchOut, body_held, to_api_batch
from api.routes.operator.leases import PriceIn
from api.routes.service import Service, ServiceDep

router = APIRouter(tags=["console"], route_class=StrictRoute)

# Rows of one statement's difference in an answer.
MOST_CHANGES = 1_000
ASSUMES = (
    "As if these events were recorded now, nothing else were told, and each statement were made"
    " at its cut-off. What others tell until then, or what a month adds when it is over, is not"
    " in it."
)


_BODY = {
    "requestBody": {
        "required": True,
        "description": "As that of `POST /v1/events`, which describes every type of event.",
        "content": {
            BATCH: {
                "schema": {"type": "array", "items": {"type": "object"}, "maxItems": MAX_EVENTS},
                "examples": {"void": {"summary": "A void.", "value": [EVENT_EXAMPLES[CORRECTION]]}},
            }
        },
    }
}


class FiguresOut(BaseModel):
    """What a statement says as a whole."""

    gross_micros: int = Field(description=f"Sum of its charges; {MICROS}.")
    billed_gpu_seconds: int = Field(description="Usage and delivery of its own time, GPU-seconds.")
    available_gpu_seconds: int = Field(description="Of its own time, as far as it is told.")
    available_adjustment: int = Field(
        description="What of earlier epochs turned out available, less what did not, GPU-seconds."
    )
    held_back_micros: int = Field(
        description="Owed back, but the statement would be below zero: it stays due, and returns"
        f" in the next one by itself; {MICROS}."
    )


class ChangeOut(BaseModel):
    """What differs for one kind of line, lease and month."""

    kind: str = Field(description="Kind of the lines, as in statements.")
    lease_id: str | None = Field(description="Your id of the lease.")
    lease: str = Field(description="Its hash, 0x-hex.")
    month_start_s: int = Field(description="First second of the UTC month, UTC seconds.")
    charge_before_micros: int = Field(description=f"Without the events; {MICROS}.")
    charge_after_micros: int = Field(description=f"With them; {MICROS}.")
    seconds_before: int = Field(
        description="Length of the lines' intervals without the events, seconds."
    )
    seconds_after: int = Field(description="With them, seconds; of differences always 0.")


class ForeseenOut(BaseModel):
    """A statement as it would be without and with the events."""

    epoch: int = Field(
        description="Epoch, from 0; of a closing statement the number of epochs before it."
    )
    closing: bool = Field(description="Whether it closes the books behind the last epoch.")
    start_s: int = Field(description="Of what it is over, UTC seconds.")
    end_s: int = Field(description="UTC seconds, exclusive.")
    cut_off_s: int = Field(description="What is recorded from here on is not in it, UTC seconds.")
    before: FiguresOut = Field(description="Without the events.")
    after: FiguresOut = Field(description="With them.")
    changes: list[ChangeOut] = Field(
        description=f"What differs, in the order of lines; at most {MOST_CHANGES:,}."
    )
    changes_left_off: int = Field(description="Number of those left out.")


class PreviewOut(BaseModel):
    """What would become of events. Nothing was recorded."""

    batch: BatchOut = Field(description="What `POST /v1/events` would answer now.")
    recorded_at_s: int = Field(description="Second at which they would be recorded, UTC seconds.")
    statements: list[ForeseenOut] = Field(
        description="The first statement that would take them, and up to two more behind it, as"
        " far as the events speak of their time."
    )
    unforeseen: Unforeseen | None = Field(
        description="Why there is none, though the batch is judged: nothing_new (nothing would be"
        " recorded), preparing (the facility's books are rebuilt in parts, and one is done now:"
        " ask again) or too_many_facts (more than a preview goes through)."
    )
    waiting: int = Field(
        description="Number of facts that speak of time after the last statement here: it shows no"
        " figure of them."
    )
    assumes: str = Field(description="Under which assumption the figures are.")


def _figures(found: Figures) -> FiguresOut:
    return FiguresOut(
        gross_micros=found.charge,
        billed_gpu_seconds=found.seconds,
        available_gpu_seconds=found.available_s,
        available_adjustment=found.available_adjustment_s,
        held_back_micros=found.held_back,
    )


def _change(found: Preview, moved: Moved) -> ChangeOut:
    return ChangeOut(
        kind=moved.kind.name.lower(),
        lease_id=found.names.get(moved.lease),
        lease=hex32(moved.lease),
        month_start_s=month_start_s(moved.month),
        charge_before_micros=moved.charge_before,
        charge_after_micros=moved.charge_after,
        seconds_before=moved.seconds_before,
        seconds_after=moved.seconds_after,
    )


def _foreseen(found: Preview, statement: Foreseen) -> ForeseenOut:
    moved = statement.moved
    return ForeseenOut(
        epoch=statement.period.epoch,
        closing=statement.period.closing,
        start_s=statement.period.start_s,
        end_s=statement.period.end_s,
        cut_off_s=statement.cut_off_s,
        before=_figures(statement.before),
        after=_figures(statement.after),
        changes=[_change(found, each) for each in moved[:MOST_CHANGES]],
        changes_left_off=max(0, len(moved) - MOST_CHANGES),
    )


def to_api_preview(found: Preview) -> PreviewOut:
    """What would become of events."""
    return PreviewOut(
        batch=BatchOut.model_validate(to_api_batch(found.results)),
        recorded_at_s=found.recorded_at_s,
        statements=[_foreseen(found, statement) for statement in found.statements],
        unforeseen=found.unforeseen,
        waiting=found.waiting,
        assumes=ASSUMES,
    )


def _look_ahead(
    service: Service,
    operator_id: OperatorId,
    facility_id: FacilityId,
    events: Sequence[object],
    broken: Mapping[int, EventRejected] = MappingProxyType({}),
) -> PreviewOut:
    return to_api_preview(
        preview(
            service.engine,
            service.preview_books,
            operator_id,
            facility_id,
            events,
            broken=broken,
            clock=service.clock,
        )
    )


@router.post(
    f"{CONSOLE_FACILITY}/events/preview",
    responses=errors(400, 401, 403, 404, 408, 413, 415, 422, 429),
    openapi_extra=_BODY,
    response_model=PreviewOut,
)
async def preview_events(
    request: Request, service: ServiceDep, operator_id: OperatorReader, facility_id: FacilityPath
) -> Response:
    """Show what events would change, without recording anything.

    The body is that of `POST /v1/events`, with events of this facility alone. Each is judged as it
    would be now; then the next statements are made twice, without and with what would be accepted.
    An operator has one preview at a time.
    """

    def work(body: bytes) -> Response:
        # Whose facility it is comes before what the body says.
        with own_facility(service.engine, operator_id, facility_id):
            pass
        batch = read_events(
            body,
            content_type=request.headers.get("content-type"),
            encoding=request.headers.get("content-encoding"),
            headers=request.headers.raw,
        )
        found = _look_ahead(service, operator_id, facility_id, batch.events, batch.broken)
        return Response(found.model_dump_json(), media_type="application/json")

    gate = service.preview_gate
    with gate.admitted(operator_id):
        async with body_held(request, service.gate, operator_id) as body:
            return await gate.work(partial(work, body))


@router.post(
    f"{CONSOLE_FACILITY}/leases/{{lease_id:path}}/prices/preview",
    responses=errors(400, 401, 403, 404, 413, 422, 429),
)
async def preview_price(
    service: ServiceDep,
    operator_id: OperatorReader,
    facility_id: FacilityPath,
    lease_id: LeasePath,
    body: PriceIn,
) -> PreviewOut:
    """Show what a price would change, from an instant on, also one that is past.

    The body is that of `POST /v1/facilities/{facility_id}/leases/{lease_id}/prices`.
    """

    def work() -> PreviewOut:
        price = PriceStep(body.effective_from, Minor(body.price_micros_per_gpu_hour))
        events = price_events(service.engine, operator_id, facility_id, lease_id, price)
        return _look_ahead(service, operator_id, facility_id, events)

    with service.preview_gate.admitted(operator_id):
        return await service.preview_gate.work(work)
