"""What is public of a facility's log: its name, its key, and where it ends."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.db.facilities import known_facility_row
from api.db.lost import shown_rows
from api.db.session import reading
from api.db.tables.lost import LostRow, LostState
from api.domain.log.logged import entry_document
from api.domain.log.requests import key_text
from api.domain.log.signers import signers_of
from api.domain.statements.evidence import hex32
from api.domain.statements.evidence_reader import terms_from_bytes
from api.ledger.behind import missing_of
from api.ledger.recorder import keys_of, successors_in
from api.routes.http.parameters import FacilityPath
from api.routes.http.problems import errors
from api.routes.service import ServiceDep

router = APIRouter(tags=["public"])
_MOST_SHOWN = 100


class SignedEntryOut(BaseModel):
    """An entry that is none of the log's, and the log's key's signature over it."""

    number: int = Field(description="Its number.")
    entry: str = Field(description="Its 197 bytes: hex with 0x.")
    signature: str | None = Field(description="Ed25519; null of one that another one named.")


class LoggedEntryOut(BaseModel):
    """An entry with what stands behind its hashes."""

    type: str = Field(description="entry.")
    entry: str = Field(description="Its 197 bytes: hex with 0x.")
    blind: str = Field(description="What blinds the hash of its body: hex with 0x.")
    answers: str = Field(description="A byte an event: hex with 0x.")
    packed: str = Field(description="Its body behind zlib, base64.")
    request: dict[str, str] = Field(description="What its author signed beside the body.")


class FacilityLogOut(BaseModel):
    """A facility's log."""

    log: str = Field(description="Its name, chain:registry:facility: what `rentroll-log` says.")
    log_key: str = Field(
        description="Ed25519 key that signs receipts, base64url: `log.key` of facility.json; zero"
        " bytes for none."
    )
    signs: str = Field(
        description="The key that signs receipts now: `log_key`, or the newest that follows it."
    )
    successors: list[LoggedEntryOut] = Field(
        description="Entries that name keys which follow `log_key`, in order, whole: each is signed"
        " by the key before, or, where that was lost, by the operator's ledger key."
    )
    unsigned: str = Field(description="taken or refused: batches that nobody signed.")
    size: int = Field(description="Entries so far.")
    head: str = Field(description="SHA-256 of the newest; 32 zero bytes before the first.")
    recorded_at_s: int = Field(description="Second of the newest, or a later cut-off; UTC.")
    due: int = Field(
        description="Number of the newest entry that the log is known to have had; 0 if nothing is"
        " known. Above `size` its database was restored from a copy: nothing new is written."
    )
    missing: list[list[int]] = Field(
        description="Of those it lacks, the ones that nobody has shown: first and last."
    )
    forks: list[SignedEntryOut] = Field(
        description="Entries that the log's key signed and that the log does not have."
    )
    given_up: list[SignedEntryOut] = Field(
        description="Entries that the log had and that the service gave up."
    )


@router.get("/v1/facilities/{facility_id}/log", responses=errors(404, 422))
def get_log(service: ServiceDep, facility_id: FacilityPath) -> FacilityLogOut:
    """Where a facility's log stands now; a posted statement commits to a part of it."""
    with reading(service.engine) as connection:
        row = known_facility_row(connection, facility_id)
        terms = terms_from_bytes(row.terms_json)
        keys = keys_of(connection, terms)
        successors = successors_in(connection, terms.log, keys)
        lacking = missing_of(connection, row)
        forks, given_up = (
            shown_rows(connection, facility_id, state, most=_MOST_SHOWN)
            for state in (LostState.FORK, LostState.GIVEN_UP)
        )
    return FacilityLogOut(
        log=str(terms.log),
        log_key=key_text(terms.log_key),
        signs=key_text(signers_of(keys).present),
        successors=[LoggedEntryOut.model_validate(entry_document(each)) for each in successors],
        unsigned="taken" if terms.unsigned_taken else "refused",
        size=row.log_size,
        head=hex32(row.log_head),
        recorded_at_s=row.last_recorded_at_s,
        due=row.log_due,
        missing=[list(stretch) for stretch in lacking],
        forks=[_signed(lost) for lost in forks if lost.entry],
        given_up=[_signed(lost) for lost in given_up if lost.entry],
    )


def _signed(lost: LostRow) -> SignedEntryOut:
    signature = None if lost.signature is None else "0x" + lost.signature.hex()
    return SignedEntryOut(number=lost.number, entry="0x" + lost.entry.hex(), signature=signature)
