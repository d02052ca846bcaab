"""One tranche with terms, siblings, bond and risk."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.domain.capital.risk import BookValue
from api.reads.tranche import (
    BondView,
    HardwareView,
    RiskView,
    SiblingView,
    TermsView,
    TrancheDetailView,
    read_tranche,
)
from api.routes.http.parameters import TranchePath
from api.routes.http.problems import errors
from api.routes.http.schemas import MICROS
from api.routes.public.facilities import EndingOut, to_api_ending
from api.routes.public.tranches import (
    AsOfOut,
    TrancheRowOut,
    to_api_as_of,
    to_api_operator,
    to_api_sale,
)
from api.routes.service import ServiceDep

router = APIRouter(tags=["public"])


class TermsOut(BaseModel):
    """Terms of the facility, and how far its epochs came."""

    promised_availability_ppm: int = Field(description="Promised share, parts per million.")
    fee_bps: int = Field(description="Protocol fee on settlements, basis points.")
    attester_fee_bps: int = Field(
        description="Share of that fee that attesters earn by their duties, basis points of it."
    )
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

    bond_micros: int = Field(description=f"Held now; 0 once the facility is closed; {MICROS}.")
    required_bond_micros: int = Field(
        description=f"Least bond with which the facility is funded; {MICROS}."
    )
    rate_micros_per_gpu_hour: int = Field(
        description="What a GPU-hour costs that was promised and not delivered: holders claim it"
        f" at the closing, as far as units would have earned it; {MICROS}."
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
    ending: EndingOut | None = Field(description="How it ended; null while it has not.")
    risk: RiskOut = Field(description="Risk figures.")


def to_api_terms(terms: TermsView) -> TermsOut:
    """Terms of the facility."""
    return TermsOut(
        promised_availability_ppm=terms.promised_availability_ppm,
        fee_bps=terms.fee_bps,
        attester_fee_bps=terms.attester_fee_bps,
        patience_s=terms.patience_s,
        seal_s=terms.seal_s,
        long_stop_s=terms.long_stop_s,
        silence=terms.silence,
        pledge_root=terms.pledge_root,
        terms_hash=terms.terms_hash,
        epoch_count=terms.epoch_count,
        epochs_closed=terms.epochs_closed,
        epochs_posted=terms.epochs_posted,
        settlement_token=terms.settlement_token,
    )


def to_api_sibling(sibling: SiblingView) -> SiblingOut:
    """A tranche of the same facility."""
    return SiblingOut(
        token_id=sibling.token_id,
        seniority=sibling.seniority,
        unit_cap=sibling.unit_cap,
        units_issued=sibling.units_issued,
        coupon_micros_per_unit=sibling.coupon_micros_per_unit,
        arrears_micros=sibling.arrears_micros,
        accrued_micros=sibling.accrued_micros,
    )


def to_api_bond(bond: BondView) -> BondOut:
    """Bond of the operator."""
    return BondOut(
        bond_micros=bond.bond_micros,
        required_bond_micros=bond.required_bond_micros,
        rate_micros_per_gpu_hour=bond.rate_micros_per_gpu_hour,
    )


def to_api_book_value(value: BookValue) -> BookValueOut:
    """Hardware written off in equal parts."""
    return BookValueOut(
        years=value.years,
        value_micros=value.value_micros,
    )


def to_api_hardware(hardware: HardwareView) -> HardwareOut:
    """The operator's disclosure."""
    return HardwareOut(
        device_count=hardware.device_count,
        cost_micros_per_device=hardware.cost_micros_per_device,
        in_service_s=hardware.in_service_s,
        disclosed_at_s=hardware.disclosed_at_s,
        straight_line=[to_api_book_value(value) for value in hardware.straight_line],
    )


def to_api_risk(risk: RiskView) -> RiskOut:
    """What an investor weighs."""
    return RiskOut(
        take_or_pay_bps=risk.take_or_pay_bps,
        top_renter_bps=risk.top_renter_bps,
        availability_ppm=risk.availability_ppm,
        promised_availability_ppm=risk.promised_availability_ppm,
        bond_micros=risk.bond_micros,
        required_bond_micros=risk.required_bond_micros,
        receivable_micros=risk.receivable_micros,
        receivable_age_s=risk.receivable_age_s,
        remaining_contracted_micros=risk.remaining_contracted_micros,
        hardware=None if risk.hardware is None else to_api_hardware(risk.hardware),
    )


def to_api_tranche(tranche: TrancheDetailView) -> TrancheOut:
    """A tranche in full."""
    row = tranche.row
    return TrancheOut(
        token_id=row.token_id,
        facility_id=row.facility_id,
        seniority=row.seniority,
        tranche_count=row.tranche_count,
        facility_name=row.facility_name,
        operator=to_api_operator(row.operator),
        gpu_class=row.gpu_class,
        site=row.site,
        window_start_s=row.window_start_s,
        window_end_s=row.window_end_s,
        epoch_length_s=row.epoch_length_s,
        device_count=row.device_count,
        state=row.state,
        unit_cap=row.unit_cap,
        units_issued=row.units_issued,
        units_left=row.units_left,
        price_micros=row.price_micros,
        coupon_micros_per_unit=row.coupon_micros_per_unit,
        sale=None if row.sale is None else to_api_sale(row.sale),
        utilisation_ppm=row.utilisation_ppm,
        availability_ppm=row.availability_ppm,
        paid_per_unit_micros=row.paid_per_unit_micros,
        as_of=to_api_as_of(tranche.as_of),
        terms=to_api_terms(tranche.terms),
        siblings=[to_api_sibling(sibling) for sibling in tranche.siblings],
        bond=None if tranche.bond is None else to_api_bond(tranche.bond),
        ending=to_api_ending(tranche.ending, tranches=len(tranche.siblings)),
        risk=to_api_risk(tranche.risk),
    )


@router.get("/v1/tranches/{token_id}", responses=errors(404, 422))
def get_tranche(service: ServiceDep, token_id: TranchePath) -> TrancheOut:
    """One tranche with terms, siblings, bond and risk."""
    return to_api_tranche(
        read_tranche(service.engine, service.contracts, token_id, now_s=service.clock())
    )
