"""What attesters refuse: handed in by them, kept, and shown to everybody."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from api.domain.statements.refusal_files import FORMAT, MOST_MESSAGE, MOST_SIGNATURE, refusal_from
from api.domain.statements.refusals import PLACE_LENGTH, RefusalCode
from api.domain.units import MAX_I64, MAX_U32
from api.epochs.refusals import accept_refusal
from api.routes.http.attesters import AttesterSigner
from api.routes.http.problems import already, errors
from api.routes.http.schemas import Address, Strict
from api.routes.http.strict import StrictRoute
from api.routes.service import ServiceDep

router = APIRouter(tags=["attester"], route_class=StrictRoute)
_Hash = Annotated[str, Field(pattern=r"^0x[0-9a-f]{64}$")]
_Id = Annotated[int, Field(ge=0, le=MAX_I64)]
_Number = Annotated[int, Field(ge=0, le=MAX_U32)]
_CODES = ", ".join(code.name.lower() for code in RefusalCode)


class SignedEntryIn(Strict):
    """An entry of a log, as the log's key signed it."""

    entry: str = Field(pattern=r"^0x([0-9a-f]{2}){197}$", description="Its 197 bytes, 0x-hex.")
    signature: str = Field(pattern=r"^0x[0-9a-f]{128}$", description="Ed25519, 0x-hex.")


class RefusalIn(Strict):
    """A refusal with its signature: the file that the attester serves at its URL."""

    format: Annotated[int, Field(ge=FORMAT, le=FORMAT)] = Field(
        description="Version of this form: 1."
    )
    chain_id: _Id = Field(description="EIP-155 id of the chain for which it is signed.")
    desk: Address = Field(description="AttesterDesk for which it is signed.")
    facility_id: _Id = Field(description="Facility.")
    epoch: _Number = Field(description="Epoch from 0, or the number of the closing statement.")
    statement_hash: _Hash = Field(
        description="Statement that is refused; zero where only evidence is."
    )
    evidence_hash: _Hash = Field(description="SHA-256 of its manifest; zero if there is none.")
    previous_statement_hash: _Hash = Field(description="Of the statement before; zero for none.")
    rejections: _Number = Field(description="Rejections of the facility's evidence before it.")
    until_s: _Id = Field(description="Last second in which it can take something back, UTC.")
    code: str = Field(max_length=32, description=f"Why: {_CODES}.")
    place: str = Field(
        max_length=PLACE_LENGTH, description="Where: file and line, or entry of the log; or empty."
    )
    attester: Address = Field(description="Who refuses.")
    signature: str = Field(
        pattern=rf"^0x([0-9a-fA-F]{{2}}){{1,{MOST_SIGNATURE}}}$",
        description="EIP-712 `Refusal` of the desk, 0x-hex; of a contract what it takes.",
    )
    signed_at_s: _Id = Field(description="When, UTC seconds; not signed.")
    message: str = Field(max_length=MOST_MESSAGE, description="Why, in words; not signed.")
    fork: list[SignedEntryIn] = Field(
        default=[],
        max_length=2,
        description="Of log_forked: two entries of one number, both signed by the log's key.",
    )


class RefusalKept(BaseModel):
    """What became of a refusal."""

    created: bool = Field(description="False when the service had it, or one that counts longer.")


@router.post(
    "/v1/attester/refusals",
    status_code=201,
    responses=already(RefusalKept) | errors(400, 401, 403, 404, 409, 413, 422),
)
def submit_refusal(
    service: ServiceDep, response: Response, caller: AttesterSigner, body: RefusalIn
) -> RefusalKept:
    """Hand in a refusal: it is kept and shown to everybody.

    It must be that of the API key's account, by key or as a contract (ERC-1271), the account must
    sit on the facility's panel, and the refusal must speak of a statement that is closed or posted,
    or of evidence that stands published. Of one statement an attester's newest refusal is kept.
    """
    caller.require_own(body.attester)
    document = body.model_dump()
    created = accept_refusal(
        service.engine, service.contracts, refusal_from(document), now_s=service.clock()
    )
    response.status_code = 201 if created else 200
    return RefusalKept(created=created)
