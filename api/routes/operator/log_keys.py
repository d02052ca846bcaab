"""Keys that sign entries of a facility's log: brought and ended by signed requests, and listed."""

from functools import partial

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from api.db.facilities import own_facility
from api.db.log_keys import log_key_rows
from api.db.tables.ledger import LogKeyRow
from api.domain import units
from api.domain.log.entry import EntryKind
from api.domain.log.keys import MAX_KEY_BODY_BYTES
from api.domain.log.receipts import receipt_document
from api.domain.log.requests import is_signed, key_text
from api.errors import NotFound, TooLarge, Unauthorized
from api.ledger.signed import SignedEvents, record_signed
from api.ledger.write import SignedBody
from api.routes.http.credentials import KeysWriter, OperatorReader, signed_author
from api.routes.http.parameters import FacilityPath
from api.routes.http.problems import errors
from api.routes.http.strict import StrictRoute
from api.routes.operator.events import ReceiptOut, body_held
from api.routes.service import Service, ServiceDep

router = APIRouter(tags=["operator"], route_class=StrictRoute)
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "object"},
                "example": {
                    "key": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
                    "name": "rack-12",
                    "role": "collector",
                },
            }
        },
    }
}
_END_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "object"},
                "example": {"key": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
            }
        },
    }
}


class LogKeyOut(BaseModel):
    """A key of a facility's log."""

    key: str = Field(description="Ed25519 public key, base64url, as `keyid` names it.")
    role: str = Field(description="ledger (the operator's own), collector, or log (the log's own).")
    name: str = Field(description="What the operator calls it.")
    entry: int = Field(description="Number of the entry that brought it.")
    ended: int | None = Field(
        description="Number of the entry that ended it; null while it counts."
    )
    last_entry: int = Field(description="Number of its newest entry; of the one that brought it.")
    after: str = Field(description="Hash of that entry: what its next request names.")
    used_at_s: int = Field(description="Second of that entry, UTC.")


class KeyEntryOut(BaseModel):
    """What became of a request about a key."""

    receipt: ReceiptOut = Field(description="Of the entry, signed by the log's key.")


@router.get("/v1/facilities/{facility_id}/log/keys", responses=errors(401, 403, 404, 422))
def log_keys(
    service: ServiceDep, operator_id: OperatorReader, facility_id: FacilityPath
) -> list[LogKeyOut]:
    """Which keys sign entries of a facility's log, and when each did last."""
    with own_facility(service.engine, operator_id, facility_id) as (connection, _):
        return [_key(key) for key in log_key_rows(connection, facility_id)]


def _key(row: LogKeyRow) -> LogKeyOut:
    return LogKeyOut(
        key=key_text(row.key),
        role=row.role,
        name=row.name,
        entry=row.entry,
        ended=row.ended,
        last_entry=row.last_entry,
        after=row.last.hex(),
        used_at_s=row.used_at_s,
    )


@router.post(
    "/v1/log/keys",
    responses=errors(400, 401, 403, 404, 409, 413, 422, 503),
    openapi_extra=_BODY,
    response_model=KeyEntryOut,
)
async def bring_key(request: Request, service: ServiceDep, caller: KeysWriter) -> Response:
    """Bring a key into a facility's log: signed by the operator's ledger key, which brings itself.

    Needs both: an API key or session that may make keys, and the signature.
    """
    assert caller.operator_id is not None  # of an operator's key or session
    return await _about_key(request, service, caller.operator_id, EntryKind.KEY)


@router.post(
    "/v1/log/keys/end",
    responses=errors(400, 401, 403, 404, 409, 413, 422, 503),
    openapi_extra=_END_BODY,
    response_model=KeyEntryOut,
)
async def end_key(request: Request, service: ServiceDep, caller: KeysWriter) -> Response:
    """End a key of a facility's log: signed by the ledger key, or by the key itself."""
    assert caller.operator_id is not None  # of an operator's key or session
    return await _about_key(request, service, caller.operator_id, EntryKind.KEY_END)


@router.post(
    "/v1/log/successor",
    responses=errors(400, 401, 403, 404, 409, 413, 422, 503),
    openapi_extra=_END_BODY,
    response_model=KeyEntryOut,
)
async def name_successor(request: Request, service: ServiceDep, caller: KeysWriter) -> Response:
    """Name the key that signs a log's receipts in place of one that is lost: signed by the
    operator's ledger key, over a key that the service has."""
    assert caller.operator_id is not None  # of an operator's key or session
    return await _about_key(request, service, caller.operator_id, EntryKind.SUCCESSOR)


async def _about_key(
    request: Request, service: Service, operator_id: units.OperatorId, kind: EntryKind
) -> Response:
    if not is_signed(request.headers):
        message = "what is said of keys is signed by the ledger key: docs/LEDGER.md"
        raise Unauthorized(message, reason="signature_missing")
    gate = service.gate
    gate.admit_request(operator_id)

    def work(body: bytes) -> Response:
        if len(body) > MAX_KEY_BODY_BYTES:
            raise TooLarge(f"what is said of a key has at most {MAX_KEY_BODY_BYTES} bytes")
        author = signed_author(request, service, brings=kind is EntryKind.KEY)
        if author.operator_id != operator_id:
            raise NotFound(f"no facility {author.facility_id} of yours")
        author.require_digest(request, body)
        assert author.signed is not None  # as was asked above
        signed = SignedBody(author.facility_id, author.signed, body, kind)
        done = record_signed(service.log, signed, SignedEvents(), named_now=service.named_now)
        answer = orjson.dumps({"receipt": receipt_document(done.receipt)})
        return Response(answer, media_type="application/json")

    async with body_held(request, gate, operator_id) as body:
        return await gate.work(operator_id, partial(work, body))
