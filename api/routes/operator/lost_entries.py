"""Entries that a log lost with an older copy of its database, from whoever has them."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Header, Request, Response
from pydantic import BaseModel, Field

from api.db.facilities import own_facility
from api.domain.json_text import as_object, as_text, read_json
from api.domain.log.bodies import MAX_BODY_BYTES
from api.domain.log.logged import LoggedEntry, logged_from
from api.domain.log.receipts import Receipt, unpack_receipt
from api.domain.log.requests import request_from
from api.domain.units import FacilityId, OperatorId
from api.errors import AppError, EvidenceInvalid, InvalidInput, SignatureRefused, TooLarge
from api.ledger.restoring import Shown, Standing, admit, show
from api.routes.http.credentials import LedgerWriter
from api.routes.http.parameters import FacilityPath
from api.routes.http.problems import errors
from api.routes.http.strict import StrictRoute
from api.routes.operator.events import body_held
from api.routes.service import Service, ServiceDep

router = APIRouter(route_class=StrictRoute)

# A body packed by zlib, in base64, and what was signed beside it.
_MOST_BYTES = MAX_BODY_BYTES * 3 // 2
_BODY = {
    "requestBody": {
        "required": False,
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}
_LINES = {
    "requestBody": {
        "required": True,
        "content": {"application/x-ndjson": {"schema": {"type": "string"}}},
    }
}


class LostEntryOut(BaseModel):
    """What became of an entry that was shown, and where the log stands."""

    entry: int = Field(description="Its number.")
    state: str = Field(
        description="known (the log has it), restored, held (it waits for those before it), noted"
        " (without its body: show it again) or refused."
    )
    code: str | None = Field(default=None, description="Of one that is refused: why.")
    detail: str | None = Field(default=None, description="The same in a sentence.")
    size: int | None = Field(default=None, description="Entries that the log has now.")
    due: int | None = Field(
        default=None, description="Number of the newest entry that it is known to have had."
    )
    missing: list[list[int]] = Field(
        default_factory=list, description="Entries that nobody has shown whole: first and last."
    )


@dataclass(frozen=True, slots=True)
class ShownReceipt:
    """A receipt that the log's key signed, and whose log it is of."""

    receipt: Receipt
    operator_id: OperatorId


def shown_receipt(
    service: ServiceDep,
    rentroll_receipt: Annotated[
        str,
        Header(
            max_length=4_096,
            description="Base64 of entry (197 bytes), blind (16), signature (64) and answers.",
        ),
    ],
) -> ShownReceipt:
    """Dependency: the receipt of a header, before a body is read."""
    receipt = _receipt(rentroll_receipt)
    return ShownReceipt(receipt, admit(service.log, receipt))


@router.post(
    "/v1/log/entries",
    tags=["public"],
    responses=errors(400, 401, 409, 413, 422),
    openapi_extra=_BODY,
    response_model=LostEntryOut,
)
async def show_entry(
    request: Request,
    service: ServiceDep,
    shown_by: Annotated[ShownReceipt, Depends(shown_receipt)],
) -> Response:
    """Show the receipt of an entry that the log lost, and what it was for.

    The receipt is signed by the log's key, and needs no other. The body is JSON: `packed`, the body
    as it was sent behind zlib in base64, and `request`, what was signed beside it. Without a body
    the service learns how far its log has to come, and writes nothing new before it has.
    """
    receipt, operator_id = shown_by.receipt, shown_by.operator_id
    service.gate.admit_request(operator_id)

    def work(body: bytes) -> Response:
        shown = Shown(receipt.entry, receipt.signature, _logged(body, receipt) if body else None)
        standing = show(service.log, receipt.entry.log.facility_id, shown, service.evidence)
        return _json(_told(shown, standing))

    return await _held(request, service, operator_id, work)


@router.post(
    "/v1/facilities/{facility_id}/log/entries",
    tags=["operator"],
    responses=errors(400, 401, 403, 404, 409, 413, 422),
    openapi_extra=_LINES,
    response_model=list[LostEntryOut],
)
async def show_entries(
    request: Request, service: ServiceDep, operator_id: LedgerWriter, facility_id: FacilityPath
) -> Response:
    """Show entries that the log lost, a line each, as attesters read them: newest first.

    Of one that nobody signed, the entry behind it has to be known: it names its hash. Each is
    answered on its own.
    """
    with own_facility(service.engine, operator_id, facility_id):
        pass
    service.gate.admit_request(operator_id)

    def work(body: bytes) -> Response:
        return _json([_answer(service, facility_id, line) for line in body.splitlines() if line])

    return await _held(request, service, operator_id, work)


async def _held(
    request: Request,
    service: Service,
    operator_id: OperatorId,
    work: Callable[[bytes], Response],
) -> Response:
    gate = service.gate
    async with body_held(request, gate, operator_id) as body:
        if len(body) > _MOST_BYTES:
            raise TooLarge(f"a body has at most {_MOST_BYTES} bytes: show entries in parts")
        return await gate.work(operator_id, partial(work, body))


def _answer(service: Service, facility_id: FacilityId, line: bytes) -> dict[str, object]:
    try:
        document = as_object(read_json(line))
        logged = logged_from(document)
        signature = document.get("signature")
        signed = None if signature is None else bytes.fromhex(as_text(signature)[2:])
    except (AppError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"a line is no entry: {error}", field="body") from error
    shown = Shown(logged.entry, signed, logged)
    try:
        return _told(shown, show(service.log, facility_id, shown, service.evidence))
    except AppError as error:
        if error.status >= 500:  # noqa: PLR2004  ours, or the database's: nothing of the entry
            raise
        answer = {"entry": logged.entry.number, "state": "refused", "code": error.code}
        return {**answer, "detail": error.message}


def _receipt(header: str) -> Receipt:
    try:
        return unpack_receipt(base64.b64decode(header, validate=True))
    except (binascii.Error, ValueError, EvidenceInvalid) as error:
        raise SignatureRefused(f"Rentroll-Receipt cannot be read: {error}") from error


def _logged(body: bytes, receipt: Receipt) -> LoggedEntry:
    try:
        document = as_object(read_json(body))
        packed = base64.b64decode(as_text(document["packed"]), validate=True)
        signed = request_from(document["request"]) if "request" in document else None
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"the body cannot be read: {error!r}", field="body") from error
    return LoggedEntry(receipt.entry, receipt.blind, packed, receipt.answers, signed)


def _told(shown: Shown, standing: Standing) -> dict[str, object]:
    told: dict[str, object] = {
        "entry": shown.entry.number,
        "state": standing.state,
        "size": standing.size,
        "due": standing.due,
        "missing": standing.missing,
    }
    if standing.refused is not None:
        told |= {"code": "entry_refused", "detail": standing.refused}
    return told


def _json(answer: object) -> Response:
    return Response(orjson.dumps(answer), media_type="application/json")
