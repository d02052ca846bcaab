"""Escrow: what an operator keeps of its facilities, so that another service could take over."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from api.domain.log.logged import entry_document
from api.domain.log.receipts import signed_entry_document
from api.domain.units import MAX_I64
from api.ledger.escrow import escrowed_log, escrowed_state, lease_document, state_document
from api.routes.http.credentials import LedgerWriter
from api.routes.http.parameters import FacilityPath
from api.routes.http.problems import errors
from api.routes.http.schemas import Strict, example
from api.routes.http.strict import StrictRoute
from api.routes.operator.console import CONSOLE_FACILITY
from api.routes.service import ServiceDep

router = APIRouter(tags=["console"], route_class=StrictRoute)


class OperatorNamed(BaseModel):
    """The operator."""

    name: str = Field(description="As registered.")
    address: str = Field(description="Its account.")


class DeviceNamed(BaseModel):
    """A device of the first pledge."""

    uuid: str = Field(description="Its name.")
    card: str = Field(description="Name of its card; its own of a whole one.")


class ReplacementKept(BaseModel):
    """A replacement that was asked for."""

    from_epoch: int = Field(description="From this epoch on.")
    pledge_root: str = Field(description="Root of the pledge, 0x-hex.")
    old: str = Field(description="The device that goes.")
    new: str = Field(description="The device that comes.")
    card: str = Field(description="Its card.")
    reason: str = Field(description="As it was said.")
    pledge: str = Field(description="The bytes of the published pledge.")
    asked_at_s: int = Field(description="UTC seconds.")
    withdrawn_at_s: int | None = Field(description="When it was taken back; null if it was not.")


class StatementReplaced(BaseModel):
    """A statement that a reopening took out of the books."""

    epoch: int = Field(description="Epoch.")
    statement_hash: str = Field(description="EIP-712 struct hash, 0x-hex.")
    reason: str = Field(description="Why.")
    closed_at_s: int = Field(description="When it had been closed, UTC seconds.")


class ReopeningKept(BaseModel):
    """A reopening after a proven fault."""

    first_epoch: int = Field(description="First epoch that was reopened.")
    reopened_at_s: int = Field(description="UTC seconds.")
    epochs_closed: int = Field(description="Epochs that were closed before.")
    replaced: list[StatementReplaced] = Field(description="Statements that it replaced.")


class EscrowOut(BaseModel):
    """What only the service's database knows of a facility, beside its log."""

    format: str = Field(description="rentroll-escrow-1.")
    facility_id: int = Field(description="Facility.")
    operator: OperatorNamed = Field(description="Whose it is.")
    name: str = Field(description="Name of the facility.")
    name_secret: str = Field(
        description="From it the secrets of all names of the facility follow, 0x-hex: whoever has"
        " it tests guesses of every renter's name in all evidence, for ever."
    )
    facility_json: str = Field(description="The bytes of facility.json.")
    created_at_s: int = Field(description="When it was registered, UTC seconds.")
    devices: list[DeviceNamed] = Field(description="Devices of the first pledge, by name.")
    replacements: list[ReplacementKept] = Field(description="In the order in which they came.")
    reopenings: list[ReopeningKept] = Field(description="In the order in which they came.")
    epochs_closed: int = Field(description="Epochs closed by now.")


class EscrowAfter(Strict):
    """Which part of the log is wanted. In a body, for what is answered is secret."""

    model_config = example(after=0)

    after: Annotated[int, Field(ge=0, le=MAX_I64, description="Entries behind this one.")] = 0


class LeaseNamed(BaseModel):
    """Names of a lease."""

    type: str = Field(description="lease.")
    lease: str = Field(description="Hash of its name, as evidence has it, 0x-hex.")
    lease_id: str = Field(description="Your id of it.")
    renter_ref: str = Field(description="Your reference of its renter.")


class EntryKept(BaseModel):
    """An entry of the log with what stands behind its hashes."""

    type: str = Field(description="entry.")
    entry: str = Field(description="Its 197 bytes, 0x-hex.")
    blind: str = Field(description="16 bytes that blind the body's hash, 0x-hex.")
    answers: str = Field(description="A byte an event, 0x-hex.")
    packed: str = Field(description="The body behind zlib, base64.")
    request: dict[str, object] | None = Field(
        default=None, description="What its author signed beside the body; none if nobody did."
    )


class HeadSigned(BaseModel):
    """The last entry of a page, as the log's key signs it."""

    entry: str = Field(description="Its 197 bytes, 0x-hex.")
    signature: str = Field(description="Ed25519 over `rentroll/receipt/1` and its hash, 0x-hex.")


class EscrowLogOut(BaseModel):
    """A part of a facility's log."""

    leases: list[LeaseNamed] = Field(description="Leases of which the entries tell terms.")
    entries: list[EntryKept] = Field(description="In order; none behind the end.")
    head: HeadSigned | None = Field(
        description="By it everybody can tell that the log was as it is here; null where the"
        " service has not the log's key."
    )


@router.post(
    f"{CONSOLE_FACILITY}/escrow",
    responses=errors(401, 403, 404, 422),
    response_model=EscrowOut,
)
def read_escrow(
    service: ServiceDep, operator_id: LedgerWriter, facility_id: FacilityPath
) -> Response:
    """What a successor of this service needs of your facility, beside its log: keep it safe.

    Nothing changes. It holds the secret of all names, so a key that only reads is not enough.
    `rentroll escrow pull` keeps it and the log, and checks both.
    """
    state = escrowed_state(service.engine, operator_id, facility_id)
    return _json(state_document(state))


@router.post(
    f"{CONSOLE_FACILITY}/escrow/log",
    responses=errors(400, 401, 403, 404, 413, 422),
    response_model=EscrowLogOut,
)
def read_escrow_log(
    service: ServiceDep, operator_id: LedgerWriter, facility_id: FacilityPath, body: EscrowAfter
) -> Response:
    """A part of your facility's log, with bodies and what blinds their hashes.

    Ask again behind the last entry until none comes. Nothing changes.
    """
    page = escrowed_log(service.log, operator_id, facility_id, after=body.after)
    head = None if page.head is None else signed_entry_document(page.head)
    return _json(
        {
            "leases": [lease_document(lease) for lease in page.leases],
            "entries": [entry_document(logged) for logged in page.entries],
            "head": head,
        }
    )


def _json(document: dict[str, object]) -> Response:
    return Response(orjson.dumps(document), media_type="application/json")
