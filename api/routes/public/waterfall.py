"""From attested rent to what each tranche of the facility got."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.reads.waterfall import StepView, WaterfallView, read_waterfall
from api.routes.http.parameters import TranchePath
from api.routes.http.problems import errors
from api.routes.http.schemas import MICROS
from api.routes.service import ServiceDep

router = APIRouter(tags=["public"])


class StepOut(BaseModel):
    """One tranche in the waterfall."""

    token_id: str = Field(description="ERC-1155 id as decimal text.")
    seniority: int = Field(description="Rank in the waterfall; 0 is paid first.")
    coupon_due_micros: int | None = Field(
        description="Coupon that fell due in the settled epochs; null for the last tranche, which"
        f" takes the rest, and while not on-chain; {MICROS}."
    )
    paid_micros: int | None = Field(description=f"Accrued to its holders; {MICROS}.")
    arrears_micros: int | None = Field(description=f"Coupon due and not paid; {MICROS}.")


class WaterfallOut(BaseModel):
    """From attested rent to tranches; null is unknown, while the facility is not on-chain."""

    attested_micros: int | None = Field(description=f"Gross revenue posted; {MICROS}.")
    collected_micros: int | None = Field(description=f"Rent in, less refunds; {MICROS}.")
    settled_micros: int | None = Field(description=f"Settled, fees included; {MICROS}.")
    fees_micros: int | None = Field(description=f"Protocol fees in settlements; {MICROS}.")
    advanced_micros: int | None = Field(
        description="Part of what is settled that the bond paid in place of renters, less later"
        f" rent that went to claims, so below zero where that is more; {MICROS}."
    )
    recovered_micros: int | None = Field(
        description="What units got at the closing of bond and unearned proceeds, and of late rent"
        f" since; {MICROS}."
    )
    recovered_by_vouchers_micros: int | None = Field(
        description=f"What vouchers got of the same; {MICROS}."
    )
    steps: list[StepOut] = Field(description="Tranches, most senior first.")
    owed_to_operator_micros: int | None = Field(
        description=f"Fell on unsold units, on nobody, or beyond a bound; {MICROS}."
    )
    receivable_micros: int | None = Field(
        description=f"Attested, not collected nor written off; {MICROS}."
    )
    prepaid_micros: int | None = Field(description=f"Rent above what is attested; {MICROS}.")


def to_api_step(step: StepView) -> StepOut:
    """One tranche in the waterfall."""
    return StepOut(
        token_id=step.token_id,
        seniority=step.seniority,
        coupon_due_micros=step.coupon_due_micros,
        paid_micros=step.paid_micros,
        arrears_micros=step.arrears_micros,
    )


def to_api_waterfall(waterfall: WaterfallView) -> WaterfallOut:
    """The waterfall of a facility."""
    return WaterfallOut(
        attested_micros=waterfall.attested_micros,
        collected_micros=waterfall.collected_micros,
        settled_micros=waterfall.settled_micros,
        fees_micros=waterfall.fees_micros,
        advanced_micros=waterfall.advanced_micros,
        recovered_micros=waterfall.recovered_micros,
        recovered_by_vouchers_micros=waterfall.recovered_by_vouchers_micros,
        steps=[to_api_step(step) for step in waterfall.steps],
        owed_to_operator_micros=waterfall.owed_to_operator_micros,
        receivable_micros=waterfall.receivable_micros,
        prepaid_micros=waterfall.prepaid_micros,
    )


@router.get("/v1/tranches/{token_id}/waterfall", responses=errors(404, 422))
def get_waterfall(service: ServiceDep, token_id: TranchePath) -> WaterfallOut:
    """From attested rent to what each tranche of the facility got."""
    return to_api_waterfall(read_waterfall(service.engine, service.contracts, token_id))
