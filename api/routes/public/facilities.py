"""Facilities as everybody may see them, and the devices that they pledge."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.chain import calldata
from api.chain.deployment import Deployment
from api.chain.emitted.rent_lockbox import Closing
from api.db.facilities import facility_row
from api.db.session import reading
from api.domain.facility import FacilityTerms
from api.domain.statements.evidence import hex32
from api.errors import NotFound
from api.ledger.rosters import pledge_at
from api.reads.ending import EndingView
from api.reads.facilities import FacilityView, read_facilities
from api.routes.http.parameters import FacilityPath, Limit, Offset
from api.routes.http.problems import errors
from api.routes.http.schemas import MICROS, STATE
from api.routes.public.panels import PanelOut, PledgeOut, to_api_panel, to_api_pledge
from api.routes.service import ServiceDep

router = APIRouter(tags=["public"])


class Offer(BaseModel):
    """Transaction with which the operator's wallet offers the facility on-chain."""

    to: str = Field(description="FacilityRegistry.")
    data: str = Field(description="Calldata of `offer`.")


class OperatorNameOut(BaseModel):
    """An operator as everybody may see it."""

    address: str = Field(description="Checksummed wallet address.")
    name: str = Field(description="Name as registered.")


class ClosingOut(BaseModel):
    """What a closing shared: bond and escrow are what was advanced and all shares together."""

    missing_gpu_seconds: int = Field(description="Promised and not delivered, GPU-seconds.")
    bond_micros: int = Field(description=f"The bond as it was; {MICROS}.")
    escrow_micros: int = Field(
        description=f"Sale proceeds as they were, without what delivery earned; {MICROS}."
    )
    advanced_micros: int = Field(
        description="Part of the bond that paid attested rent in place of renters: it is in what"
        f" was settled; {MICROS}."
    )
    to_units_micros: list[int] = Field(
        description=f"Shares of units, one a tranche, most senior first; {MICROS}."
    )
    to_vouchers_micros: list[int] = Field(
        description="Shares of vouchers for what they are open, one a tranche, most senior first;"
        f" {MICROS}."
    )
    to_treasury_micros: int = Field(description=f"Fee on what was missing; {MICROS}.")
    to_operator_micros: int = Field(description=f"The rest; {MICROS}.")


class EndingOut(BaseModel):
    """How a facility ended: it matured, defaulted or was stopped, and later is closed, once."""

    ended_at_s: int = Field(description="When it ended, UTC seconds.")
    closed_at_s: int | None = Field(
        description="When bond and unearned proceeds were shared, UTC seconds; null before."
    )
    closing: ClosingOut | None = Field(description="What was shared; null before.")


class FacilityOut(BaseModel):
    """A facility as everybody may see it: no UUID, no renter."""

    facility_id: int = Field(description="On-chain id.")
    name: str = Field(description="For people.")
    operator: OperatorNameOut = Field(description="Who runs it.")
    gpu_class: str = Field(description="SKU.")
    site: str = Field(description="Data centre.")
    window_start_s: int = Field(description="UTC seconds.")
    window_end_s: int = Field(description="UTC seconds.")
    expires_at_s: int = Field(
        description="Second from which an offer that was not funded is cancelled, UTC seconds."
    )
    epoch_length_s: int = Field(description="Seconds.")
    patience_s: int = Field(
        description="So long after its end an epoch may be neither stated nor published, seconds."
    )
    seal_s: int = Field(
        description="So long after the window its facts can still be stated, seconds."
    )
    long_stop_s: int = Field(
        description="So long after window and seal anybody may stop the facility, seconds."
    )
    silence: str = Field(
        description="What a device counts as while nothing is told of it: `unavailable`, or"
        " `available` on the operator's word."
    )
    epoch_count: int = Field(description="Epochs in the window.")
    epochs_closed: int = Field(description="Epochs closed so far.")
    device_count: int = Field(description="Pledged devices.")
    settlement_token: str = Field(description="Stablecoin of rent.")
    pledge_root: str = Field(description="Root over the pledged devices, 0x-hex.")
    terms_hash: str = Field(description="SHA-256 of facility.json, 0x-hex.")
    state: str = Field(description=f"{STATE}, as of the indexed block.")
    ending: EndingOut | None = Field(description="How it ended; null while it has not.")
    panel: PanelOut | None = Field(
        description="Attesters whose signatures count for it; null while it is not offered."
    )
    pledge: PledgeOut = Field(description="Its pledge, and whether attesters approved it.")
    offer: Offer | None = Field(default=None, description="Only in the answer to registering.")


class DeviceOut(BaseModel):
    """A pledged device."""

    index: int = Field(description="Place in the pledge, from 0.")
    device: str = Field(description="keccak-256 of the device's name, 0x-hex.")
    card: str = Field(description="The same of its card; equal to `device` for a whole card.")
    from_epoch: int = Field(description="First epoch in which it is pledged.")


class DevicesOut(BaseModel):
    """The pledge: what its root is made of, `(facilityId, index, device, card, fromEpoch)` each."""

    pledge_root: str = Field(description="Root over the pledged devices, 0x-hex.")
    devices: list[DeviceOut] = Field(description="All devices, ascending.")


def to_api_offer(terms: FacilityTerms, deployment: Deployment) -> Offer:
    """The transaction that offers these terms on the deployed contracts."""
    return Offer(to=deployment.facility_registry, data=calldata.offer(terms))


def to_api_closing(closing: Closing, *, tranches: int) -> ClosingOut:
    """What a closing of so many tranches shared: events have room for more of them."""
    return ClosingOut(
        missing_gpu_seconds=closing.missing_gpu_seconds,
        bond_micros=closing.bond_micros,
        escrow_micros=closing.escrow_micros,
        advanced_micros=closing.advanced_micros,
        to_units_micros=list(closing.to_units_micros[:tranches]),
        to_vouchers_micros=list(closing.to_vouchers_micros[:tranches]),
        to_treasury_micros=closing.to_treasury_micros,
        to_operator_micros=closing.to_operator_micros,
    )


def to_api_ending(ending: EndingView | None, *, tranches: int) -> EndingOut | None:
    """How a facility of so many tranches ended."""
    if ending is None:
        return None
    closing = ending.closing
    return EndingOut(
        ended_at_s=ending.ended_at_s,
        closed_at_s=ending.closed_at_s,
        closing=None if closing is None else to_api_closing(closing, tranches=tranches),
    )


def to_api_facility(view: FacilityView, offer: Offer | None = None) -> FacilityOut:
    """A facility as everybody may see it."""
    facility = view.listed
    return FacilityOut(
        facility_id=facility.facility_id,
        name=facility.name,
        operator=OperatorNameOut(address=facility.operator_address, name=facility.operator_name),
        gpu_class=facility.gpu_class,
        site=facility.site,
        window_start_s=facility.window_start_s,
        window_end_s=facility.window_end_s,
        expires_at_s=facility.expires_at_s,
        epoch_length_s=facility.epoch_length_s,
        patience_s=view.terms.patience_s,
        seal_s=view.terms.seal_s,
        long_stop_s=view.terms.long_stop_s,
        silence=view.terms.silence,
        epoch_count=facility.epoch_count,
        epochs_closed=facility.epochs_closed,
        device_count=facility.device_count,
        settlement_token=facility.settlement_token,
        pledge_root=hex32(facility.pledge_root),
        terms_hash=hex32(facility.terms_hash),
        state=view.state.word,
        ending=to_api_ending(view.ending, tranches=len(view.terms.tranches)),
        panel=to_api_panel(view.panel),
        pledge=to_api_pledge(view.pledge),
        offer=offer,
    )


@router.get("/v1/facilities", responses=errors(422))
def list_facilities(
    service: ServiceDep, offset: Offset = 0, limit: Limit = 1_000
) -> list[FacilityOut]:
    """Facilities, by id."""
    with reading(service.engine) as connection:
        views = read_facilities(connection, offset=offset, limit=limit)
    return [to_api_facility(view) for view in views]


@router.get("/v1/facilities/{facility_id}", responses=errors(404, 422))
def get_facility(service: ServiceDep, facility_id: FacilityPath) -> FacilityOut:
    """One facility."""
    with reading(service.engine) as connection:
        views = read_facilities(connection, [facility_id])
    if not views:
        raise NotFound(f"no facility {facility_id}", facility_id=facility_id)
    return to_api_facility(views[0])


@router.get("/v1/facilities/{facility_id}/devices", responses=errors(404, 422))
def list_devices(service: ServiceDep, facility_id: FacilityPath) -> DevicesOut:
    """All devices of the pledge in force as hashes, ascending: what its tree is built from."""
    with reading(service.engine) as connection:
        facility = facility_row(connection, facility_id)
        if facility is None:
            raise NotFound(f"no facility {facility_id}", facility_id=facility_id)
        pledge = pledge_at(connection, facility, now_s=service.clock())
    return DevicesOut(
        pledge_root=hex32(pledge.root),
        devices=[
            DeviceOut(index=i, device=hex32(d.device), card=hex32(d.card), from_epoch=d.from_epoch)
            for i, d in enumerate(pledge.devices)
        ],
    )
