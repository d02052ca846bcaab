"""Metering: events, each answered on its own."""

import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from api.domain.log.bodies import MAX_BODY_BYTES, EventBatch
from api.domain.log.receipts import Receipt, receipt_document
from api.domain.metering.items import EventResult
from api.domain.units import OperatorId
from api.errors import Conflict
from api.ledger.checking import check
from api.ledger.ingest import ingest
from api.ledger.signed import SignedEvents, record_signed
from api.ledger.write import SignedBody
from api.routes.http.body import read_events
from api.routes.http.credentials import AnyEventsAuthor, EventsAuthor
from api.routes.http.limits import IngestGate
from api.routes.http.problems import errors
from api.routes.http.strict import StrictRoute
from api.routes.operator.event_docs import CHECK_BODY, EVENT_BODY, EVENTS_ABOUT
from api.routes.service import Service, ServiceDep
from api.telemetry.metrics import EVENTS

_JSON = "application/json"
ID_CONFLICT = "id_conflict"
# So many bytes of a body count as an event at least.
_BYTES_OF_AN_EVENT = 1_024
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
    known: bool | None = Field(
        default=None, description="true: accepted, and nothing is recorded: it was agreed already."
    )


class ReceiptOut(BaseModel):
    """A receipt: hex with 0x. docs/LEDGER.md says how to check it."""

    entry: str = Field(description="The 197 bytes of the log's entry.")
    blind: str = Field(description="What blinds the body's hash in it.")
    answers: str = Field(description="A byte an event.")
    signature: str = Field(description="Ed25519, of the log's key in facility.json.")


class BatchOut(BaseModel):
    """Answer for a batch: one result an event, in order."""

    accepted: int = Field(description="Events recorded now.")
    duplicates: int = Field(description="Events recorded before that bill the same.")
    rejected: int = Field(description="Events not recorded; correct and send them again.")
    results: list[EventResultOut] = Field(description="One per event, in order.")
    receipt: ReceiptOut | None = Field(
        default=None, description="Of a signed request: the log's entry, signed by the log's key."
    )


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
        elif result.known:
            answer["known"] = True
        answers.append(answer)
    return {
        "accepted": counts["accepted"],
        "duplicates": counts["duplicate"],
        "rejected": counts["rejected"],
        "results": answers,
    }


@router.post(
    "/v1/events",
    responses=errors(400, 401, 403, 408, 409, 413, 415, 422, 429),
    openapi_extra=EVENT_BODY,
    description=EVENTS_ABOUT,
    response_model=BatchOut,
)
async def post_events(request: Request, service: ServiceDep, author: AnyEventsAuthor) -> Response:
    """Push metering. Events of a batch are answered one by one; a body can always be sent again.

    By API key, or signed (docs/LEDGER.md): then the answer holds a receipt.
    """

    def record(batch: EventBatch, body: bytes) -> Judged:
        if author.signed is not None:
            return _record_signed(service, author, batch, body)
        results = ingest(
            service.engine,
            author.operator_id,
            batch.events,
            broken=batch.broken,
            clock=service.clock,
            kept=service.kept,
        )
        return Judged(results)

    def counted(batch: EventBatch, body: bytes) -> Judged:
        judged = record(batch, body)
        for status, count in Counter(result.status for result in judged.results).items():
            EVENTS.labels(status).inc(count)
        return judged

    return await _answer(request, service, author, counted)


@router.post(
    "/v1/events/check",
    responses=errors(400, 401, 403, 408, 409, 413, 415, 422, 429),
    openapi_extra=CHECK_BODY,
    response_model=BatchOut,
)
async def check_events(request: Request, service: ServiceDep, author: AnyEventsAuthor) -> Response:
    """Say what `POST /v1/events` would answer to the same body now, and record nothing.

    What is judged against events of another body, which were only checked too, cannot be known:
    two uses of one device overlap only if they are checked together, or one is recorded.
    """

    def judge(batch: EventBatch, _body: bytes) -> Judged:
        results = check(
            service.engine,
            author.operator_id,
            batch.events,
            broken=batch.broken,
            clock=service.clock,
            signed=author.checked,
        )
        return Judged(results)

    return await _answer(request, service, author, judge)


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a batch: an answer an event, and a receipt if it was signed."""

    results: list[EventResult]
    receipt: Receipt | None = None


def _record_signed(
    service: Service, author: EventsAuthor, batch: EventBatch, body: bytes
) -> Judged:
    assert author.signed is not None  # as the caller saw
    signed = SignedBody(author.facility_id, author.signed, body)
    told = SignedEvents(batch.events, batch.broken)
    done = record_signed(service.log, signed, told, named_now=service.named_now)
    return Judged(done.results, done.receipt)


async def _answer(
    request: Request,
    service: Service,
    author: EventsAuthor,
    judged: Callable[[EventBatch, bytes], Judged],
) -> Response:
    """Read a body within its bounds, and answer what became of its events."""
    gate, operator_id = service.gate, author.operator_id
    gate.admit_request(operator_id)

    def work(body: bytes) -> Response:
        if author.signed is not None:
            author.require_digest(request, body)
        batch = read_events(
            body,
            content_type=request.headers.get("content-type"),
            encoding=request.headers.get("content-encoding"),
            headers=request.headers.raw,
            signed=author.signed is not None,
        )
        # What says nothing at length costs as much as what says much.
        gate.admit_events(operator_id, max(len(batch.events), batch.size // _BYTES_OF_AN_EVENT))
        done = judged(batch, body)
        results = done.results
        if author.signed is None and batch.single and results[0].code == ID_CONFLICT:
            # It is kept: only now, after the commit, is the whole request refused.
            only = results[0]
            message = only.detail or ""
            raise Conflict(message, reason=ID_CONFLICT, source=only.source, id=only.id)
        answer = to_api_batch(results)
        if done.receipt is not None:
            answer["receipt"] = receipt_document(done.receipt)
        return Response(orjson.dumps(answer), media_type=_JSON)

    async with body_held(request, gate, operator_id) as body:
        # Inflating, parsing and the database would block the event loop for every other caller.
        return await gate.work(operator_id, partial(work, body))


@asynccontextmanager
async def body_held(
    request: Request, gate: IngestGate, operator_id: OperatorId
) -> AsyncIterator[bytes]:
    """The body of a request, whose bytes count while it is in memory. Raises IngestBusy."""
    with gate.holding(operator_id, announced=_announced(request)) as held:
        chunks = []
        async for chunk in request.stream():
            held.add(len(chunk))
            chunks.append(chunk)
        body = b"".join(chunks)
        chunks.clear()
        yield body


def _announced(request: Request) -> int:
    """Bytes of the body as its client says; 0 if it does not."""
    length = request.headers.get("content-length", "")
    return min(int(length), MAX_BODY_BYTES) if re.fullmatch("[0-9]{1,12}", length) else 0
