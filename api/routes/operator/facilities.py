"""An operator registers a facility and pledges its devices."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Discriminator, Field, Tag

from api.chain import calldata
from api.chain.contracts import Contracts
from api.db.session import reading
from api.domain.devices import DeviceName
from api.domain.facility import (
    DAY_S,
    DEFAULT_ATTESTER_FEE_BPS,
    DEFAULT_LONG_STOP_S,
    DEFAULT_PATIENCE_S,
    DEFAULT_SEAL_S,
    MAX_LONG_STOP_S,
    MAX_PATIENCE_S,
    MAX_SEAL_S,
    MIN_EPOCH_S,
    MIN_LONG_STOP_S,
    TrancheTerms,
)
from api.domain.units import MAX_I64, FacilityId, Micros
from api.errors import InvalidInput
from api.ledger.facilities import NewFacility
from api.ledger.registration import register_and_publish
from api.reads.facilities import read_facilities
from api.routes.http.credentials import LedgerWriter
from api.routes.http.problems import errors
from api.routes.http.schemas import Address, Instant, Name, Strict, example
from api.routes.http.strict import StrictRoute
from api.routes.public.facilities import FacilityOut, to_api_facility, to_api_offer
from api.routes.service import ServiceDep

# Beside these bounds of any epoch, `FacilityTerms` knows those of its own.
_PatienceS = Annotated[int, Field(ge=MIN_EPOCH_S + DAY_S, lt=2**24 + MAX_PATIENCE_S)]
# An offer that names no expiry can be funded for a day after its window began.
_EXPIRES_AFTER_S = 86_400

router = APIRouter(tags=["operator"], route_class=StrictRoute)

EXAMPLE_DEVICES = (
    "GPU-0b9f1a52-3c1d-4e5f-8a6b-7c8d9e0f1a2b",
    "GPU-1c0a2b63-4d2e-4f60-9b7c-8d9e0f1a2b3c",
)
_EXAMPLE_SLICE = "MIG-c7384736-a75d-5afc-978f-d2f1294409fd"


class TrancheIn(Strict):
    """One tranche, most senior first."""

    unit_cap: Annotated[int, Field(gt=0, lt=2**40)] = Field(description="Most units, GPU-hours.")
    coupon_micros_per_unit: Annotated[int, Field(ge=0, lt=2**63)] = Field(
        default=0, description="Micros that a unit earns over the window before juniors."
    )


class SliceIn(Strict):
    """A slice of a card."""

    model_config = example(device=_EXAMPLE_SLICE, card=EXAMPLE_DEVICES[0], profile="1g.10gb")

    device: str = Field(description="Name of the slice, `MIG-…`, as `nvidia-smi -L` prints it.")
    card: str = Field(description="Name of its card, `GPU-…`.")
    profile: str = Field(description="Profile of the slice as NVIDIA writes it, `1g.10gb`.")


def _kind_of_device(value: object) -> str | None:
    """Which schema a device is held against, so that an error names one place."""
    if isinstance(value, str):
        return "card"
    return "slice" if isinstance(value, (dict, SliceIn)) else None


DeviceIn = Annotated[
    Annotated[str, Tag("card")] | Annotated[SliceIn, Tag("slice")],
    Discriminator(
        _kind_of_device,
        custom_error_type="device_type",
        custom_error_message="a device is the name of a card, or device, card and profile",
    ),
]


class FacilityIn(Strict):
    """A facility and its pledge."""

    model_config = example(
        name="hall-1",
        gpu_class="H100-SXM5-80GB",
        site="SE-LULEA-1",
        window_start="2026-12-01T00:00:00Z",
        window_end="2026-12-31T00:00:00Z",
        epoch_length_s=86_400,
        settlement_token="0x5FbDB2315678afecb367f032d93F642f64180aa3",  # noqa: S106 an address
        tranches=[{"unit_cap": 800, "coupon_micros_per_unit": 900_000}, {"unit_cap": 400}],
        devices=list(EXAMPLE_DEVICES),
    )

    facility_id: Annotated[int, Field(gt=0, le=MAX_I64)] | None = Field(
        default=None, description="On-chain id; default is the next free one."
    )
    name: Name = Field(description="For people.")
    gpu_class: Annotated[str, Field(min_length=1, max_length=32)] = Field(
        description="SKU, for example H100-SXM5-80GB."
    )
    site: Annotated[str, Field(min_length=1, max_length=32)] = Field(description="Data centre.")
    window_start: Instant = Field(description="First second of the delivery window.")
    window_end: Instant = Field(description="Second after the window; whole epochs later.")
    expires_at: Instant | None = Field(
        default=None,
        description="Second from which an offer that was not funded is cancelled: at most three"
        " days after window_start; default is a day after it.",
    )
    epoch_length_s: Annotated[int, Field(ge=60, lt=2**24)] = Field(description="Seconds.")
    settlement_token: Address | None = Field(
        default=None,
        description="Stablecoin of rent, of six decimals, which the contracts allow; default is the"
        " deployment's.",
    )
    promised_availability_ppm: Annotated[int, Field(ge=0, le=1_000_000)] = Field(
        default=990_000, description="Promised availability, parts per million."
    )
    fee_bps: Annotated[int, Field(ge=0, le=1_000)] = Field(
        default=100, description="Protocol fee on settlements, basis points."
    )
    attester_fee_bps: Annotated[int, Field(ge=0, le=10_000)] = Field(
        default=DEFAULT_ATTESTER_FEE_BPS,
        description="Share of that fee that attesters earn by their duties, basis points of it."
        " They see it before they approve the pledge.",
    )
    silence: Literal["unavailable", "available"] = Field(
        default="unavailable",
        description="What a device is while no event speaks of it. `unavailable`: it is there for"
        " holders only while it is held, delivered, or seen at most ten minutes apart.",
    )
    unsigned: Literal["taken", "refused"] = Field(
        default="taken",
        description="Whether the log takes batches that nobody signed. `refused`: metering, leases"
        " and prices come in signed requests alone, which the console's forms do not make.",
    )
    patience_s: _PatienceS | None = Field(
        default=None,
        description="So long after its end an epoch may be neither stated nor published before"
        " anybody may give notice of default, seconds: a day more than an epoch and than the"
        " service's grace, at least, and 90 days more than an epoch at most; default is"
        f" {DEFAULT_PATIENCE_S}, or that least.",
    )
    seal_s: Annotated[int, Field(gt=0, le=MAX_SEAL_S)] = Field(
        default=DEFAULT_SEAL_S,
        description="So long after the window its facts can still be stated, seconds: nothing"
        " matures before.",
    )
    long_stop_s: Annotated[int, Field(ge=MIN_LONG_STOP_S, le=MAX_LONG_STOP_S)] = Field(
        default=DEFAULT_LONG_STOP_S,
        description="So long after window and seal anybody may stop a facility that nobody ended,"
        " seconds.",
    )
    tranches: Annotated[list[TrancheIn], Field(min_length=1, max_length=4)] = Field(
        description="Most senior first; the last takes the residual."
    )
    devices: Annotated[list[DeviceIn], Field(min_length=1, max_length=100_000)] = Field(
        description="The pledged devices: whole cards by name, or slices of one profile, never"
        " both. The class of slices ends with their profile (`H100-SXM5-80GB/1g.10gb`), and a"
        " slice is one device: an hour of it is one unit. A failed one can be replaced later."
    )


def to_device_name(named: str | SliceIn) -> DeviceName:
    """A whole card by its name alone, or a slice with its card and profile."""
    if isinstance(named, str):
        return DeviceName(named, card=named)
    return DeviceName(named.device, card=named.card, profile=named.profile)


def from_api_facility(body: FacilityIn, *, settlement_token: str) -> NewFacility:
    """What an operator sent, with the token that it named or the deployment's."""
    return NewFacility(
        facility_id=None if body.facility_id is None else FacilityId(body.facility_id),
        name=body.name,
        gpu_class=body.gpu_class,
        site=body.site,
        window_start_s=body.window_start,
        window_end_s=body.window_end,
        expires_at_s=(
            body.window_start + _EXPIRES_AFTER_S if body.expires_at is None else body.expires_at
        ),
        epoch_length_s=body.epoch_length_s,
        settlement_token=calldata.checksum(settlement_token),
        promised_availability_ppm=body.promised_availability_ppm,
        fee_bps=body.fee_bps,
        tranches=tuple(
            TrancheTerms(
                unit_cap=t.unit_cap, coupon_micros_per_unit=Micros(t.coupon_micros_per_unit)
            )
            for t in body.tranches
        ),
        device_uuids=[to_device_name(d) for d in body.devices],
        patience_s=body.patience_s,
        seal_s=body.seal_s,
        long_stop_s=body.long_stop_s,
        attester_fee_bps=body.attester_fee_bps,
        silence_available=body.silence == "available",
        unsigned_taken=body.unsigned == "taken",
    )


def _settlement_token(contracts: Contracts | None, named: str | None) -> str:
    """The token of an offer: the deployment's, or another that the contract would take.

    Every amount of the service is in millionths of a token, as the contract sees to.
    """
    if contracts is None:
        if named is None:
            raise InvalidInput("name a settlement token", field="settlement_token")
        return named
    own = contracts.deployment.settlement_token
    if named is None or named.lower() == own.lower():
        return own
    token = calldata.checksum(named)
    block = contracts.client.head().number
    if not contracts.facility_registry.is_settlement_token(token).at(block=block):
        message = f"{token} is no settlement token here: it has six decimals and is allowed"
        reason = "settlement_token_not_allowed"
        raise InvalidInput(message, field="settlement_token", reason=reason)
    return token


@router.post("/v1/facilities", status_code=201, responses=errors(400, 401, 403, 409, 413, 422))
def create_facility(
    service: ServiceDep, operator_id: LedgerWriter, body: FacilityIn
) -> FacilityOut:
    """Register a facility and pledge its devices.

    No part of a card is in two pledges at one time: a card, and a slice of it, of one facility or
    of two, are refused (reason `device_pledged`), and so is a slice of which another registration
    names another card (reason `slice_of_another_card`).

    The answer holds the transaction (`offer`) that the operator's wallet sends next.
    """
    deployment = service.deployment
    token = _settlement_token(service.contracts, body.settlement_token)
    terms = register_and_publish(
        service.engine,
        service.evidence,
        operator_id=operator_id,
        new=from_api_facility(body, settlement_token=token),
        home=service.log_home,
        grace_s=service.settings.grace_s,
        now_s=service.clock(),
    )
    with reading(service.engine) as connection:
        (view,) = read_facilities(connection, [terms.facility_id])
    offer = None if deployment is None else to_api_offer(terms, deployment)
    return to_api_facility(view, offer)
