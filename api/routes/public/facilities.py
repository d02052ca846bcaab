"""Facilities as everybody may see them, and the devices that they pledge."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.chain import calldata
from api.chain.deployment import Deployment
from api.db.facilities import facility_row, pledged_devices
from api.db.session import reading
from api.domain.facility import FacilityTerms
from api.domain.statements.evidence import hex32
from api.errors import NotFound
from api.reads.sql.facilities import ListedFacilityRow, listed_facilities
from api.routes.http.parameters import FacilityPath, Limit, Offset
from api.routes.http.problems import errors
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
    epoch_count: int = Field(description="Epochs in the window.")
    epochs_closed: int = Field(description="Epochs closed so far.")
    device_count: int = Field(description="Pledged devices.")
    settlement_token: str = Field(description="Stablecoin of rent.")
    pledge_root: str = Field(description="Root over the pledged devices, 0x-hex.")
    terms_hash: str = Field(description="SHA-256 of facility.json, 0x-hex.")
    offer: Offer | None = Field(default=None, description="Only in the answer to registering.")


class DeviceOut(BaseModel):
    """A pledged device."""

    index: int = Field(description="Place in the pledge, from 0.")
    device: str = Field(description="keccak-256 of the device's UUID, 0x-hex.")


class DevicesOut(BaseModel):
    """The pledge: what its root is built from, over `(facilityId, index, device)`."""

    pledge_root: str = Field(description="Root over the pledged devices, 0x-hex.")
    devices: list[DeviceOut] = Field(description="All devices, ascending.")


def to_api_offer(terms: FacilityTerms, deployment: Deployment) -> Offer:
    """The transaction that offers these terms on the deployed contracts."""
    return Offer(to=deployment.facility_registry, data=calldata.offer(terms))


def to_api_facility(facility: ListedFacilityRow, offer: Offer | None = None) -> FacilityOut:
    """A facility as everybody may see it."""
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
        epoch_count=facility.epoch_count,
        epochs_closed=facility.epochs_closed,
        device_count=facility.device_count,
        settlement_token=facility.settlement_token,
        pledge_root=hex32(facility.pledge_root),
        terms_hash=hex32(facility.terms_hash),
        offer=offer,
    )


@router.get("/v1/facilities", responses=errors(422))
def list_facilities(
    service: ServiceDep, offset: Offset = 0, limit: Limit = 1_000
) -> list[FacilityOut]:
    """Facilities, by id."""
    with reading(service.engine) as connection:
        listed = listed_facilities(connection, offset=offset, limit=limit)
    return [to_api_facility(facility) for facility in listed]


@router.get("/v1/facilities/{facility_id}", responses=errors(404, 422))
def get_facility(service: ServiceDep, facility_id: FacilityPath) -> FacilityOut:
    """One facility."""
    with reading(service.engine) as connection:
        listed = listed_facilities(connection, [facility_id])
    if not listed:
        raise NotFound(f"no facility {facility_id}", facility_id=facility_id)
    return to_api_facility(listed[0])


@router.get("/v1/facilities/{facility_id}/devices", responses=errors(404, 422))
def list_devices(service: ServiceDep, facility_id: FacilityPath) -> DevicesOut:
    """All pledged devices as hashes, ascending: what the pledge's tree is built from."""
    with reading(service.engine) as connection:
        facility = facility_row(connection, facility_id)
        if facility is None:
            raise NotFound(f"no facility {facility_id}", facility_id=facility_id)
        hashes = pledged_devices(connection, facility_id)
    return DevicesOut(
        pledge_root=hex32(facility.pledge_root),
        devices=[DeviceOut(index=i, device=hex32(d)) for i, d in enumerate(hashes)],
    )
