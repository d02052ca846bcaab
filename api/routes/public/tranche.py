"""One tranche with terms, siblings, bond and risk."""

from dataclasses import asdict

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.reads.tranche import read_tranche
from api.routes.http.parameters import (
    TokenPath,
)
from api.routes.http.problems import errors
from api.routes.http.schemas import MICROS
from api.routes.public.tranches import AsOfOut, TrancheRowOut
from api.routes.service import ServiceDep

router = APIRouter(tags=["public"])


class TermsOut(BaseModel):
    """Terms of the facility, and how far its epochs came."""

    promised_availability_ppm: int = Field(description="Promised share, parts per million.")
    fee_bps: int = Field(description="Protocol fee on settlements, basis points.")
    pledge_root: str = Field(description="Root over the pledged devices, 0x-hex.")
    terms_hash: str = Field(description="SHA-256 of facility.json, 0x-hex.")
    epoch_count: int = Field(description="Epochs in the window.")
    epochs_closed: int = Field(description="Epochs closed so far.")
    epochs_posted: int = Field(description="Epochs whose statement stands on-chain.")
    settlement_token: str = Field(description="Stablecoin of rent and revenue.")


class SiblingOut(BaseModel):
    """A tranche of the same facility, this one included."""

    token_id: str = Field(description="ERC-1155 id as decimal text.")
    seniority: int = Field(description="Rank in the waterfall; 0 is paid first.")
    unit_cap: int = Field(description="Most units, GPU-hours.")
    units_issued: int | None = Field(description="Units in circulation, GPU-hours.")
    coupon_micros_per_unit: int = Field(
        description=f"What a unit earns over the window before juniors; {MICROS}."
    )
    arrears_micros: int | None = Field(
        description=f"Coupon that fell due and is not paid; null while not on-chain; {MICROS}."
    )
    accrued_micros: int | None = Field(
        description=f"Revenue accrued so far; null while not on-chain; {MICROS}."
    )


class BondOut(BaseModel):
    """Bond of the operator for this facility, as stored on-chain."""

    bond_micros: int = Field(description=f"Held now; {MICROS}.")
    required_bond_micros: int = Field(description=f"Least bond while delivering; {MICROS}.")
    rate_micros_per_gpu_hour: int = Field(
        description="Micros that holders get for each promised GPU-hour that was not available."
    )
    shortfall_paid_micros: int = Field(description=f"Paid to holders for shortfall; {MICROS}.")
    below_since_s: int | None = Field(
        description="Since when the bond is too small, UTC seconds; null if it is not."
    )


class BookValueOut(BaseModel):
    """Hardware written off in equal parts."""

    years: int = Field(description="Life in years of 365 days; 31,536,000 seconds each.")
    value_micros: int = Field(
        description=f"Value of all devices now, rounded down, never below zero; {MICROS}."
    )


class HardwareOut(BaseModel):
    """The operator's own disclosure of its hardware; nobody attests it."""

    device_count: int = Field(description="Pledged devices.")
    cost_micros_per_device: int = Field(description=f"Cost of one device; {MICROS}.")
    in_service_s: int = Field(description="In service since, UTC seconds.")
    disclosed_at_s: int = Field(description="When it was disclosed, UTC seconds.")
    straight_line: list[BookValueOut] = Field(description="Value now over 3, 4 and 6 years.")


class RiskOut(BaseModel):
    """What an investor weighs. Null is unknown, never zero."""

    take_or_pay_bps: int | None = Field(
        description="Take-or-pay share of the newest posted statement, basis points."
    )
    top_renter_bps: int | None = Field(
        description="Largest renter's share of the newest posted statement, basis points."
    )
    availability_ppm: int | None = Field(
        description="Available over capacity of posted epochs, parts per million."
    )
    promised_availability_ppm: int = Field(description="Promised share, parts per million.")
    bond_micros: int | None = Field(description=f"Bond held; null if none is known; {MICROS}.")
    required_bond_micros: int | None = Field(description=f"Least bond; {MICROS}.")
    receivable_micros: int | None = Field(
        description=f"Attested, not collected nor written off; {MICROS}."
    )
    receivable_age_s: int | None = Field(
        description="Seconds since the oldest unpaid money was attested; null if all is paid."
    )
    remaining_contracted_micros: int | None = Field(
        description="What take-or-pay leases owe from now to the window's end, used or not, rounded"
        f" down; null without such leases; {MICROS}."
    )
    hardware: HardwareOut | None = Field(description="Disclosed hardware; null if not disclosed.")


class TrancheOut(TrancheRowOut):
    """A tranche with terms, siblings, bond and risk."""

    as_of: AsOfOut | None = Field(description="Newest indexed block; null if none is.")
    terms: TermsOut = Field(description="Terms of the facility.")
    siblings: list[SiblingOut] = Field(description="All tranches of the facility, senior first.")
    bond: BondOut | None = Field(description="Bond of the operator; null if there is none.")
    risk: RiskOut = Field(description="Risk figures.")


@router.get("/v1/tranches/{token_id}", responses=errors(404, 422))
def get_tranche(service: ServiceDep, token_id: TokenPath) -> TrancheOut:
    """One tranche with terms, siblings, bond and risk."""
    found = read_tranche(service.engine, service.contracts, int(token_id), now_s=service.clock())
    rest = {name: getattr(found, name) for name in ("as_of", "terms", "siblings", "bond", "risk")}
    return TrancheOut.model_validate(asdict(found.row) | rest, from_attributes=True)
