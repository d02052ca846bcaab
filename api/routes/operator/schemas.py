"""Request and answer bodies of operator routes. Strict: nothing is coerced, unknown fields fail."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from api.domain.metering.instants import parse_instant
from api.domain.statements.rating import PricePlan
from api.domain.units import MAX_I64, MAX_PRICE_MICROS_PER_GPU_HOUR
from api.errors import InvalidInput


def _instant(value: object) -> int:
    if not isinstance(value, str):
        raise ValueError("must be RFC 3339 text with an explicit offset")
    try:
        return parse_instant(value, field="time")
    except InvalidInput as error:
        raise ValueError(error.message) from error


Instant = Annotated[
    int,
    BeforeValidator(_instant, json_schema_input_type=str),
    Field(examples=["2026-12-01T00:00:00Z"]),
]
# Control characters are refused: PostgreSQL cannot store NUL, and logs and pages should not show
# the others.
_NO_CONTROLS = r"^[^\x00-\x1f\x7f]+$"
Name = Annotated[str, Field(min_length=1, max_length=80, pattern=_NO_CONTROLS)]
Text = Annotated[str, Field(min_length=1, max_length=120, pattern=_NO_CONTROLS)]
Address = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$")]


EXAMPLE_DEVICES = (
    "GPU-0b9f1a52-3c1d-4e5f-8a6b-7c8d9e0f1a2b",
    "GPU-1c0a2b63-4d2e-4f60-9b7c-8d9e0f1a2b3c",
)


def example(**values: Any) -> ConfigDict:
    """Configuration of a body with an example for the OpenAPI document."""
    return ConfigDict(json_schema_extra={"examples": [values]})


class Strict(BaseModel):
    """Base of request bodies."""

    model_config = ConfigDict(strict=True, extra="forbid")


class OperatorIn(Strict):
    """A new operator."""

    model_config = example(
        name="Aurora Compute", address="0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
    )

    name: Name = Field(description="Unique name.")
    address: Address = Field(description="Wallet that offers and mints: `gpuOperator` on-chain.")


class OperatorOut(BaseModel):
    """A registered operator with its key."""

    operator_id: int = Field(description="Number of the operator.")
    name: str = Field(description="Name as given.")
    address: str = Field(description="Checksummed wallet address.")
    api_key: str = Field(description="API key; shown this once, stored only as a hash.")


class AttesterKeyIn(Strict):
    """A key for an attester process."""

    model_config = example(label="attester-1")

    label: Name = Field(description="For people.")


class AttesterKeyOut(BaseModel):
    """An attester's key."""

    label: str = Field(description="Label as given.")
    api_key: str = Field(description="API key; shown this once, stored only as a hash.")


class TrancheIn(Strict):
    """One tranche, most senior first."""

    unit_cap: Annotated[int, Field(gt=0, lt=2**40)] = Field(description="Most units, GPU-hours.")
    coupon_micros_per_unit: Annotated[int, Field(ge=0, lt=2**63)] = Field(
        default=0, description="Micros that a unit earns over the window before juniors."
    )


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
    epoch_length_s: Annotated[int, Field(ge=60, lt=2**24)] = Field(description="Seconds.")
    settlement_token: Address | None = Field(
        default=None, description="Stablecoin of rent; default is the deployment's."
    )
    promised_availability_ppm: Annotated[int, Field(ge=0, le=1_000_000)] = Field(
        default=990_000, description="Promised availability, parts per million."
    )
    fee_bps: Annotated[int, Field(ge=0, le=1_000)] = Field(
        default=100, description="Protocol fee on settlements, basis points."
    )
    tranches: Annotated[list[TrancheIn], Field(min_length=1, max_length=4)] = Field(
        description="Most senior first; the last takes the residual."
    )
    devices: Annotated[list[str], Field(min_length=1, max_length=100_000)] = Field(
        description="NVML UUIDs of the pledged devices; the pledge never changes."
    )


class Offer(BaseModel):
    """Transaction with which the operator's wallet offers the facility on-chain."""

    to: str = Field(description="FacilityRegistry.")
    data: str = Field(description="Calldata of `offer`.")


class OperatorNameOut(BaseModel):
    """An operator as everybody may see it."""

    model_config = ConfigDict(from_attributes=True)

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
    epoch_length_s: int = Field(description="Seconds.")
    epoch_count: int = Field(description="Epochs in the window.")
    epochs_closed: int = Field(description="Epochs closed so far.")
    device_count: int = Field(description="Pledged devices.")
    settlement_token: str = Field(description="Stablecoin of rent.")
    pledge_root: str = Field(description="Root over the pledged devices, 0x-hex.")
    terms_hash: str = Field(description="SHA-256 of facility.json, 0x-hex.")
    offer: Offer | None = Field(default=None, description="Only in the answer to registering.")


class LeaseIn(Strict):
    """A rental contract."""

    model_config = example(
        lease_id="lease-7",
        renter_ref="renter-7",
        plan="reserved",
        opened_at="2026-12-01T00:00:00Z",
        price_micros_per_gpu_hour=2_490_000,
        sla_credit_bps=1_000,
    )

    lease_id: Text = Field(description="Your id of the lease; only its salted hash is published.")
    renter_ref: Text = Field(description="Opaque reference of the renter; never personal data.")
    plan: PricePlan = Field(description="on_demand, spot, reserved or take_or_pay.", strict=False)
    committed_gpus: Annotated[int, Field(ge=0, le=1_000_000)] = Field(
        default=0, description="GPUs paid for, used or not; take_or_pay only."
    )
    max_gpus: Annotated[int, Field(ge=0, le=1_000_000)] = Field(
        default=0, description="Most GPUs at once; 0 for no limit."
    )
    opened_at: Instant = Field(description="First second of the lease.")
    price_micros_per_gpu_hour: Annotated[int, Field(ge=0, le=MAX_PRICE_MICROS_PER_GPU_HOUR)] = (
        Field(description="Price in micros (millionths of a dollar) per GPU-hour.")
    )
    sla_credit_bps: Annotated[int, Field(ge=0, le=10_000)] = Field(
        default=0, description="Share of the price credited for withheld time, basis points."
    )


class LeaseOut(BaseModel):
    """A lease."""

    lease_id: str = Field(description="Your id.")
    lease: str = Field(description="Public hash, also the reference of rent payments.")
    created: bool = Field(description="False when it was already there.")


class PriceIn(Strict):
    """A new price version."""

    model_config = example(
        effective_from="2026-12-15T00:00:00Z", price_micros_per_gpu_hour=2_290_000
    )

    effective_from: Instant = Field(description="In force from this second on.")
    price_micros_per_gpu_hour: Annotated[int, Field(ge=0, le=MAX_PRICE_MICROS_PER_GPU_HOUR)] = (
        Field(description="Micros per GPU-hour.")
    )
    sla_credit_bps: Annotated[int, Field(ge=0, le=10_000)] = Field(
        default=0, description="Basis points."
    )


class CloseIn(Strict):
    """The end of a lease."""

    model_config = example(closed_at="2026-12-31T00:00:00Z")

    closed_at: Instant = Field(description="Second after the lease.")


class Changed(BaseModel):
    """Outcome of an idempotent change."""

    created: bool = Field(description="False when the same change was already made.")


class EventResultOut(BaseModel):
    """Answer for one event of a batch."""

    index: int = Field(description="Place in the batch, from 0.")
    source: str | None = Field(description="CloudEvents source, if it could be read.")
    id: str | None = Field(description="CloudEvents id, if it could be read.")
    status: str = Field(description="accepted, duplicate or rejected.")
    code: str | None = Field(
        default=None,
        description="Why it was rejected: a code of the table in the description; stable.",
    )
    detail: str | None = Field(default=None, description="The same in a sentence.")


class BatchOut(BaseModel):
    """Answer for a batch: one result an event, in order."""

    accepted: int = Field(description="Events recorded now.")
    duplicates: int = Field(description="Events recorded before, with the same payload.")
    rejected: int = Field(description="Events not recorded; correct and send them again.")
    results: list[EventResultOut] = Field(description="One per event, in order.")
