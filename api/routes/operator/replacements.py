"""An operator replaces a card that failed by another one, from an epoch on."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from api.db.facilities import own_facility_row
from api.db.session import reading
from api.domain.lifecycle import ReplacementState
from api.domain.statements.evidence import hex32
from api.domain.units import MAX_U32, Epoch
from api.epochs.replace import Shown, Transaction, shown_replacements
from api.ledger.replacements import Wanted, replace_device, withdraw_replacement
from api.routes.http.credentials import LedgerWriter, OperatorReader
from api.routes.http.parameters import FacilityPath, PledgeRootPath
from api.routes.http.problems import already, errors
from api.routes.http.schemas import Strict, Text, example
from api.routes.http.strict import StrictRoute
from api.routes.operator.facilities import EXAMPLE_DEVICES, DeviceIn, to_device_name
from api.routes.service import ServiceDep

router = APIRouter(tags=["operator"], route_class=StrictRoute)


class ReplacementIn(Strict):
    """A device that takes another's place."""

    model_config = example(
        old=EXAMPLE_DEVICES[0],
        new="GPU-2d1b3c74-5e3f-4071-8cad-9eaf0b1c2d3e",
        reason="RMA: uncorrectable memory errors",
    )

    old: str = Field(description="Name of the device that goes.")
    new: DeviceIn = Field(
        description="The device that comes: a whole card by its name, or a slice, like the others."
    )
    reason: Text = Field(description="For people.")
    from_epoch: Annotated[int, Field(ge=0, le=MAX_U32)] | None = Field(
        default=None,
        description="First epoch of the new device: none that has begun. Default is the next one.",
    )


class TransactionOut(BaseModel):
    """What the operator's wallet sends to replace the device, before the epoch begins."""

    to: str = Field(description="PledgeRegistry.")
    data: str = Field(description="Calldata, 0x-hex.")


class ReplacementOut(BaseModel):
    """A replacement, and how far it came."""

    old: str = Field(description="Name of the device that goes.")
    new: str = Field(description="Name of the device that comes.")
    card: str = Field(description="Name of its card; equal to `new` for a whole card.")
    reason: str = Field(description="For people.")
    from_epoch: int = Field(description="First epoch of the new device.")
    pledge_root: str = Field(
        description="Root over the devices from then on, 0x-hex; the evidence has them as"
        " `facility-<id>/pledges/<root>.json`."
    )
    state: ReplacementState = Field(
        description="`pending` until the chain holds the approval, `approved` from then on,"
        " `lapsed` where the epoch began without it: ask again. `withdrawn` was taken back, and is"
        " `approved` if the chain holds its approval all the same."
    )
    asked_at_s: int = Field(description="UTC seconds.")
    withdrawn_at_s: int | None = Field(
        description="When it was taken back, UTC seconds; null if it was not."
    )
    signatures: int | None = Field(
        description="Of a pending one: attesters' signatures that count now."
    )
    threshold: int | None = Field(description="Signatures that the facility's panel needs.")
    transaction: TransactionOut | None = Field(
        description="Once enough of the panel signed: what the operator's wallet sends next."
    )


def _to_api(shown: Shown) -> ReplacementOut:
    row = shown.replacement.row
    return ReplacementOut(
        old=row.old_uuid,
        new=row.uuid,
        card=row.card_uuid,
        reason=row.reason,
        from_epoch=row.from_epoch,
        pledge_root=hex32(row.pledge_root),
        state=shown.replacement.state,
        asked_at_s=row.asked_at_s,
        withdrawn_at_s=row.withdrawn_at_s,
        signatures=shown.signatures,
        threshold=shown.threshold,
        transaction=_to_transaction(shown.transaction),
    )


def _to_transaction(sent: Transaction | None) -> TransactionOut | None:
    return None if sent is None else TransactionOut(to=sent.to, data=sent.data)


@router.post(
    "/v1/facilities/{facility_id}/replacements",
    status_code=201,
    responses=already(ReplacementOut) | errors(400, 401, 403, 404, 409, 413, 422),
)
def create_replacement(
    service: ServiceDep,
    response: Response,
    operator_id: LedgerWriter,
    facility_id: FacilityPath,
    body: ReplacementIn,
) -> ReplacementOut:
    """Ask for a card that failed to be replaced from the start of an epoch.

    Until then the failed card is a device of the facility, and what it cannot do is an outage; from
    then on the new one is in its place. Attesters of the facility's panel sign the new pledge, and
    the operator's wallet sends it: the list shows the transaction. One whose epoch begins before
    that has `lapsed`, and can be asked for again.

    The same request again answers the one that waits, with 200. Refused with 409: `reason` is
    `facility_not_running`, `replacement_pending`, `replacement_too_early`,
    `replacement_repeats`, `replacements_lapsed`, `device_pledged`,
    `slice_of_another_card`, or `index_behind`, where trying again helps.
    """
    found, created = replace_device(
        service.engine,
        service.evidence,
        service.contracts,
        operator_id=operator_id,
        facility_id=facility_id,
        wanted=Wanted(
            body.old,
            to_device_name(body.new),
            body.reason,
            None if body.from_epoch is None else Epoch(body.from_epoch),
        ),
        now_s=service.clock(),
    )
    response.status_code = 201 if created else 200
    return _to_api(Shown(found))


@router.post(
    "/v1/facilities/{facility_id}/replacements/{pledge_root}/withdraw",
    responses=errors(401, 403, 404, 409, 422),
)
def withdraw_pending_replacement(
    service: ServiceDep,
    operator_id: LedgerWriter,
    facility_id: FacilityPath,
    pledge_root: PledgeRootPath,
) -> ReplacementOut:
    """Take back a replacement that waits. Doing it again changes nothing.

    Attesters are asked for it no more, its transaction is not shown any more, and another
    replacement can be asked for at once. The old card stays. A transaction that was shown before
    may still be sent until its epoch begins: what the chain approves is in force, and the
    replacement is `approved` then. Until that epoch begins the new card is taken, as far as other
    facilities go. To ask for the same again is to let it wait again.

    Refused with 409: `reason` is `replacement_not_pending` for one that is approved or lapsed, or
    `index_behind`, where trying again helps.
    """
    found = withdraw_replacement(
        service.engine,
        service.contracts,
        operator_id=operator_id,
        facility_id=facility_id,
        root=pledge_root,
        now_s=service.clock(),
    )
    return _to_api(Shown(found))


@router.get("/v1/facilities/{facility_id}/replacements", responses=errors(401, 403, 404, 422))
def list_replacements(
    service: ServiceDep, operator_id: OperatorReader, facility_id: FacilityPath
) -> list[ReplacementOut]:
    """What was asked for in a facility, in that order, and how far each came."""
    with reading(service.engine) as connection:
        own_facility_row(connection, operator_id, facility_id)
    shown = shown_replacements(service.engine, service.contracts, facility_id)
    return [_to_api(each) for each in shown]
