"""Metered, rated, attested, collected and claimed: the five numbers and their differences."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.domain.capital.reconciliation import Differences, Reconciliation, total
from api.domain.units import FacilityId
from api.reads.reconcile import reconcile_facility
from api.routes.http.parameters import FacilityPath
from api.routes.http.problems import errors
from api.routes.http.schemas import MICROS
from api.routes.service import ServiceDep

router = APIRouter(tags=["public"])


class DifferencesOut(BaseModel):
    """Every difference between the five numbers, by name."""

    open_epoch_gpu_seconds: int = Field(
        description="Recorded and in no statement yet, less what was taken back and is in none."
    )
    unbilled_gpu_seconds: int = Field(
        description="Metered in the time of statements: under an outage, outside its lease, or of a"
        " device in an epoch that does not pledge it."
    )
    awaiting_posting_micros: int = Field(description=f"Closed, not on-chain yet; {MICROS}.")
    challenge_window_micros: int = Field(description=f"Posted, not final yet; {MICROS}.")
    receivable_micros: int = Field(description=f"Attested, rent not collected; {MICROS}.")
    written_off_micros: int = Field(
        description=f"Attested rent that was unpaid when the facility matured; {MICROS}."
    )
    prepaid_micros: int = Field(description=f"Rent above what is attested; {MICROS}.")
    awaiting_settlement_micros: int = Field(description=f"Could be settled now; {MICROS}.")
    credited_micros: int = Field(
        description="Settled, and then taken back by a closing statement below zero: it stays paid,"
        f" and is the gpuOperator's debt to its renters; {MICROS}."
    )
    fees_micros: int = Field(description=f"Protocol fees in settlements; {MICROS}.")
    owed_to_operator_micros: int = Field(
        description=f"Fell on unsold units, on nobody, or beyond a bound; {MICROS}."
    )
    advanced_micros: int = Field(
        description="Settled without rent: the bond paid it at the closing, less later rent that"
        f" went to claims, so below zero where that is more; {MICROS}."
    )
    recovered_micros: int = Field(
        description="What units got of bond and unearned proceeds at the closing, and of late rent"
        f" since, beside settlements; {MICROS}."
    )
    streaming_micros: int = Field(
        description=f"Still streams to holders, rounded up, remainders included; {MICROS}."
    )
    unclaimed_micros: int = Field(description=f"Vested and not taken; {MICROS}.")


class ReconciliationOut(BaseModel):
    """Metered, rated, attested, collected and settled, claimed: each from its own source."""

    facility_id: int | None = Field(description="Facility; null for the total.")
    metered_gpu_seconds: int = Field(description="Standing usage of the ledger, GPU-seconds.")
    rated_micros: int = Field(description=f"Charges of all statement lines; {MICROS}.")
    attested_micros: int = Field(description=f"Gross revenue posted on-chain; {MICROS}.")
    collected_micros: int = Field(description=f"Rent in the lockbox, cumulative; {MICROS}.")
    settled_micros: int = Field(description=f"Settled, cumulative, fees included; {MICROS}.")
    claimed_micros: int = Field(description=f"Taken by holders; {MICROS}.")
    differences: DifferencesOut = Field(description="What explains one number from the next.")
    balanced: bool = Field(description="True if every difference has a name.")
    mismatches: list[str] = Field(description="What nothing explains; empty when balanced.")


class ReconciliationsOut(BaseModel):
    """All facilities and their total, as of one indexed block."""

    indexed_block: int | None = Field(description="Newest indexed block.")
    final_block: int | None = Field(
        description="Number of the newest indexed block as deep as `confirmations` asks: rows"
        " up to it are final, later ones a reorg can still take back."
    )
    total: ReconciliationOut = Field(description="Sum over facilities.")
    facilities: list[ReconciliationOut] = Field(description="By facility id.")


def to_api_reconciliation(facility: Reconciliation) -> ReconciliationOut:
    """Five numbers and what explains each from the next."""
    return ReconciliationOut(
        facility_id=facility.facility_id,
        metered_gpu_seconds=facility.metered_gpu_seconds,
        rated_micros=facility.rated_micros,
        attested_micros=facility.attested_micros,
        collected_micros=facility.collected_micros,
        settled_micros=facility.settled_micros,
        claimed_micros=facility.claimed_micros,
        differences=to_api_differences(facility.differences),
        balanced=facility.balanced,
        mismatches=[m.sentence(facility.facility_id or FacilityId(0)) for m in facility.mismatches],
    )


def to_api_differences(differences: Differences) -> DifferencesOut:
    """Every difference, by name."""
    return DifferencesOut(
        open_epoch_gpu_seconds=differences.open_epoch_gpu_seconds,
        unbilled_gpu_seconds=differences.unbilled_gpu_seconds,
        awaiting_posting_micros=differences.awaiting_posting_micros,
        challenge_window_micros=differences.challenge_window_micros,
        receivable_micros=differences.receivable_micros,
        written_off_micros=differences.written_off_micros,
        prepaid_micros=differences.prepaid_micros,
        awaiting_settlement_micros=differences.awaiting_settlement_micros,
        credited_micros=differences.credited_micros,
        fees_micros=differences.fees_micros,
        owed_to_operator_micros=differences.owed_to_operator_micros,
        advanced_micros=differences.advanced_micros,
        recovered_micros=differences.recovered_micros,
        streaming_micros=differences.streaming_micros,
        unclaimed_micros=differences.unclaimed_micros,
    )


@router.get("/v1/reconciliation", responses=errors())
def get_reconciliation(service: ServiceDep) -> ReconciliationsOut:
    """Five numbers of every facility and in total, as of `indexed_block`.

    It is made anew once something has changed, for one caller at a time: who asks meanwhile gets
    the one before.
    """
    made = service.reconciliation.read(service.engine, service.contracts)
    return ReconciliationsOut(
        indexed_block=made.indexed,
        final_block=made.final,
        total=to_api_reconciliation(total(made.facilities)),
        facilities=[to_api_reconciliation(facility) for facility in made.facilities],
    )


@router.get("/v1/facilities/{facility_id}/reconciliation", responses=errors(404, 422))
def get_facility_reconciliation(
    service: ServiceDep, facility_id: FacilityPath
) -> ReconciliationOut:
    """Five numbers of one facility."""
    return to_api_reconciliation(reconcile_facility(service.engine, service.contracts, facility_id))
