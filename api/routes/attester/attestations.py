"""What attesters sign: what is pending, its raw input, signatures."""

from collections.abc import Iterator
from typing import Annotated

import orjson
from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from api.db.facilities import known_facility_row
from api.db.log import logged_after
from api.db.reopenings import reopenings_of
from api.db.session import reading
from api.domain.log.logged import entry_document
from api.domain.log.receipts import signed_entry_document, signed_entry_of
from api.domain.log.signers import signers_of
from api.domain.statements.evidence import hex32
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.statements.recompute import told_document
from api.domain.units import MAX_I64
from api.epochs.attestations import accept_signature
from api.errors import Conflict, NotFound
from api.ledger.names import told_leases
from api.ledger.recorder import keys_of
from api.reads.attesters import read_pending
from api.routes.http.attesters import AttesterSigner, OwnAccount, SeatedReader
from api.routes.http.parameters import EpochPath, FacilityPath, Limit, Offset
from api.routes.http.problems import already, errors
from api.routes.http.schemas import Address, Strict
from api.routes.http.strict import StrictRoute
from api.routes.service import ServiceDep

router = APIRouter(tags=["attester"], route_class=StrictRoute)


class PendingOut(BaseModel):
    """A closed statement that lacks this attester's signature."""

    facility_id: int = Field(description="Facility.")
    epoch: int = Field(description="Epoch from 0.")
    statement_hash: str = Field(description="EIP-712 struct hash, 0x-hex.")


# Of a key 65 bytes; of a contract what it takes for a signature, within a bound.
SignatureHex = Annotated[str, Field(pattern=r"^0x([0-9a-fA-F]{2}){1,2048}$")]


class SignatureIn(Strict):
    """A signature over a statement's EIP-712 digest."""

    attester: Address = Field(description="Signing account.")
    signature: SignatureHex = Field(
        description="0x-hex: 65 bytes r ‖ s ‖ v of a key, or what a contract takes (ERC-1271)."
    )


class SignatureOut(BaseModel):
    """What became of a signature."""

    created: bool = Field(description="False when it was there already.")
    signatures: int = Field(description="Signatures of this statement so far.")


# Of one answer. Bodies are packed: they are some five times as large when they are read.
_MOST_ENTRIES, _MOST_BYTES = 2_000, 4 << 20


@router.get("/v1/attester/pending", responses=errors(401, 403, 422))
def list_pending_statements(
    service: ServiceDep,
    attester: OwnAccount,
    offset: Offset = 0,
    limit: Limit = 200,
) -> list[PendingOut]:
    """Closed statements that this account has not signed, of facilities on whose panel it sits.

    Facilities take turns: first the oldest epoch of each, then the next of each; what this account
    refused comes last. A facility that was never offered on-chain has no panel, and is not here.
    """
    rows = read_pending(service.engine, attester, offset=offset, limit=limit)
    return [
        PendingOut(facility_id=r.facility_id, epoch=r.epoch, statement_hash=hex32(r.statement_hash))
        for r in rows
    ]


@router.get(
    "/v1/attester/facilities/{facility_id}/log",
    responses=errors(401, 403, 404, 422),
    response_class=StreamingResponse,
)
def read_log(
    service: ServiceDep,
    _seated: SeatedReader,
    facility_id: FacilityPath,
    after: Annotated[int, Query(ge=0, le=MAX_I64, description="Entries behind this one.")] = 0,
) -> Response:
    """What the statements of a facility rest on, as NDJSON.

    For whom has a seat on the facility's panel, now or announced; 403 `no_seat` says of which block
    the service knows. A facility that was never offered has no panel, and is shown to nobody.

    Grace and reopenings (`[epoch, at_s]`, each after a fault proven on-chain); then a line for each
    lease of which the entries tell terms, with the secret of its name and the hash of its renter;
    then the entries of the log in order: the 197 bytes of each, its body behind zlib in base64, the
    16 bytes that blind the body's hash, and a byte an event that says what was answered. A part of
    the log: ask again behind the last entry until none comes.
    """
    # Read in full before the answer starts: a slow client must not hold a transaction open.
    with reading(service.engine) as connection:
        facility = known_facility_row(connection, facility_id)
        log = terms_from_bytes(facility.terms_json).log
        entries = logged_after(
            connection, log, after=after, most=_MOST_ENTRIES, most_bytes=_MOST_BYTES
        )
        leases = told_leases(connection, facility, [logged.entry for logged in entries])
        reopened = reopenings_of(connection, facility_id)

    def rows() -> Iterator[bytes]:
        head = {
            "type": "facility",
            "grace_s": facility.grace_s,
            "reopenings": [(r.first_epoch, r.at_s) for r in reopened],
        }
        yield orjson.dumps(head) + b"\n"
        for told in leases:
            yield orjson.dumps(told_document(told)) + b"\n"
        for logged in entries:
            yield orjson.dumps(entry_document(logged)) + b"\n"

    return StreamingResponse(rows(), media_type="application/x-ndjson")


class SignedEntryOut(BaseModel):
    """An entry of a log, as the log's key signs it."""

    entry: str = Field(description="Its 197 bytes, 0x-hex.")
    signature: str = Field(description="Ed25519 over `rentroll/receipt/1` and its hash, 0x-hex.")


@router.get(
    "/v1/attester/facilities/{facility_id}/log/entries/{number}",
    responses=errors(401, 403, 404, 409, 422),
)
def read_signed_entry(
    service: ServiceDep,
    _seated: SeatedReader,
    facility_id: FacilityPath,
    number: Annotated[int, Path(ge=1, le=MAX_I64, description="Number of the entry, from 1.")],
) -> SignedEntryOut:
    """An entry of a facility's log, signed by the log's key: two of one number prove a fork.

    For whom reads the log. Attesters ask for the end that they sign over, and keep it.
    """
    with reading(service.engine) as connection:
        terms = terms_from_bytes(known_facility_row(connection, facility_id).terms_json)
        found = logged_after(connection, terms.log, after=number - 1, most=1, most_bytes=1)
        signers = signers_of(keys_of(connection, terms))
    if not found:
        message = f"the log of facility {facility_id} has no entry {number}"
        raise NotFound(message, facility_id=facility_id)
    key = service.log.key_for(signers, number)
    if key is None:
        raise Conflict(f"the key of facility {facility_id}'s log is not this service's")
    return SignedEntryOut(**signed_entry_document(signed_entry_of(found[0], key)))


@router.post(
    "/v1/attester/facilities/{facility_id}/epochs/{epoch}/attestations",
    status_code=201,
    responses=already(SignatureOut) | errors(400, 401, 403, 404, 409, 413, 422),
)
def submit_attestation(
    service: ServiceDep,
    response: Response,
    caller: AttesterSigner,
    facility_id: FacilityPath,
    epoch: EpochPath,
    body: SignatureIn,
) -> SignatureOut:
    """Hand in a signature.

    It must be that of the API key's account, by key or as a contract (ERC-1271), and the account
    must sit on the facility's panel.
    """
    created, count = accept_signature(
        service.engine,
        service.evidence,
        service.contracts,
        facility_id=facility_id,
        epoch=epoch,
        attester=caller.require_own(body.attester),
        signature=bytes.fromhex(body.signature[2:]),
        now_s=service.clock(),
    )
    response.status_code = 201 if created else 200
    return SignatureOut(created=created, signatures=count)
