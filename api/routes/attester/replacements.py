"""What attesters sign when a device is replaced: pledges in the place of those in force."""

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from api.domain.statements.evidence import hex32
from api.epochs.replace import accept_replacement_signature, unsigned_replacements
from api.routes.attester.pledges import PledgeSignatureIn, PledgeSignatureOut
from api.routes.http.attesters import AttesterSigner, OwnAccount
from api.routes.http.parameters import FacilityPath, PledgeRootPath
from api.routes.http.problems import already, errors
from api.routes.http.strict import StrictRoute
from api.routes.service import ServiceDep

router = APIRouter(tags=["attester"], route_class=StrictRoute)


class WaitingReplacementOut(BaseModel):
    """A pledge in the place of one in force that lacks this attester's signature."""

    facility_id: int = Field(description="Facility.")
    from_epoch: int = Field(description="First epoch for which it shall hold.")
    pledge_root: str = Field(
        description="Root over the devices, 0x-hex; `pledges/<root>.json` names them."
    )
    approvals: int = Field(
        description="Pledges of all facilities that were approved so far: it is signed too."
    )


@router.get("/v1/attester/replacements", responses=errors(401, 403, 422))
def list_waiting_replacements(
    service: ServiceDep,
    attester: OwnAccount,
) -> list[WaitingReplacementOut]:
    """Replacements on this account's panels that it has not signed, by facility.

    A signature counts until another pledge is approved; then it is asked for anew. One whose epoch
    has begun is asked for no more.
    """
    unsigned = unsigned_replacements(service.engine, service.contracts, attester)
    return [
        WaitingReplacementOut(
            facility_id=waiting.row.facility_id,
            from_epoch=waiting.row.from_epoch,
            pledge_root=hex32(waiting.row.pledge_root),
            approvals=unsigned.approvals,
        )
        for waiting in unsigned.replacements
    ]


@router.post(
    "/v1/attester/facilities/{facility_id}/replacements/{pledge_root}/signatures",
    status_code=201,
    responses=already(PledgeSignatureOut) | errors(400, 401, 403, 404, 409, 413, 422),
)
def submit_replacement_signature(
    service: ServiceDep,
    response: Response,
    caller: AttesterSigner,
    facility_id: FacilityPath,
    pledge_root: PledgeRootPath,
    body: PledgeSignatureIn,
) -> PledgeSignatureOut:
    """Hand in a signature over a replacement, by an attester on the facility's panel.

    Once enough of the panel signed, the operator is shown the transaction that its wallet sends.
    """
    collected = accept_replacement_signature(
        service.engine,
        service.contracts,
        facility_id=facility_id,
        root=pledge_root,
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
