"""What attesters sign before funding: pledges of offers that wait for approval."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from api.domain.statements.evidence import hex32
from api.domain.units import MAX_I64
from api.epochs.approve import accept_pledge_signature, unsigned_pledges
from api.routes.attester.attestations import SignatureHex
from api.routes.http.attesters import AttesterSigner, OwnAccount
from api.routes.http.parameters import FacilityPath
from api.routes.http.problems import already, errors
from api.routes.http.schemas import Address, Strict
from api.routes.http.strict import StrictRoute
from api.routes.service import ServiceDep

router = APIRouter(tags=["attester"], route_class=StrictRoute)


class WaitingPledgeOut(BaseModel):
    """The pledge of an offer that lacks this attester's signature."""

    facility_id: int = Field(description="Facility; its facility.json names the devices.")
    pledge_root: str = Field(description="Root over the pledged devices, 0x-hex.")
    device_count: int = Field(description="Number of pledged devices.")
    approvals: int = Field(
        description="Pledges of all facilities that were approved so far: it is signed too."
    )


class PledgeSignatureIn(Strict):
    """A signature over a pledge's EIP-712 digest."""

    attester: Address = Field(description="Signing account.")
    approvals: Annotated[int, Field(ge=0, le=MAX_I64)] = Field(
        description="Pledges of all facilities that were approved when it signed."
    )
    signature: SignatureHex = Field(
        description="0x-hex: 65 bytes r ‖ s ‖ v of a key, or what a contract takes (ERC-1271)."
    )


class PledgeSignatureOut(BaseModel):
    """What became of a signature."""

    created: bool = Field(description="False when it was there already.")
    signatures: int = Field(description="Signatures of this pledge that count so far.")
    threshold: int = Field(description="Signatures that the facility's panel needs.")


@router.get("/v1/attester/pledges", responses=errors(401, 403, 422))
def list_waiting_pledges(
    service: ServiceDep,
    attester: OwnAccount,
) -> list[WaitingPledgeOut]:
    """Pledges on this account's panels that it has not signed, by facility.

    A signature counts until another pledge is approved; then it is asked for anew.
    """
    unsigned = unsigned_pledges(service.engine, service.contracts, attester)
    return [
        WaitingPledgeOut(
            facility_id=pledge.facility_id,
            pledge_root=hex32(pledge.pledge_root),
            device_count=pledge.device_count,
            approvals=unsigned.approvals,
        )
        for pledge in unsigned.pledges
    ]


@router.post(
    "/v1/attester/facilities/{facility_id}/pledge/signatures",
    status_code=201,
    responses=already(PledgeSignatureOut) | errors(400, 401, 403, 404, 409, 413, 422),
)
def submit_pledge_signature(
    service: ServiceDep,
    response: Response,
    caller: AttesterSigner,
    facility_id: FacilityPath,
    body: PledgeSignatureIn,
) -> PledgeSignatureOut:
    """Hand in a signature over the pledge of an offer, by an attester on the facility's panel.

    Once enough of the panel signed, the service sends the approval.
    """
    collected = accept_pledge_signature(
        service.engine,
        service.contracts,
        facility_id=facility_id,
        attester=caller.require_own(body.attester),
        approvals=body.approvals,
        signature=bytes.fromhex(body.signature[2:]),
        now_s=service.clock(),
    )
    response.status_code = 201 if collected.created else 200
    return PledgeSignatureOut(
        created=collected.created,
        signatures=collected.signatures,
        threshold=collected.threshold,
    )
