"""Statements of a facility and how far each came."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api.db.facilities import known_facility_row
from api.db.session import reading
from api.db.statements import known_statement_row
from api.domain.lifecycle import StatementState
from api.domain.statements.evidence import epoch_folder, hex32
from api.reads.listing import Order
from api.reads.restated import restated_since
from api.reads.statements import StatementView, view_statement
from api.reads.statements import list_statements as statements_of
from api.routes.http.parameters import EpochPath, FacilityPath, Limit, Offset
from api.routes.http.problems import errors
from api.routes.http.schemas import MICROS
from api.routes.service import Service, ServiceDep

router = APIRouter(tags=["public"])


class StatementOut(BaseModel):
    """A statement and how far it came."""

    facility_id: int = Field(description="Facility.")
    epoch: int = Field(
        description="Epoch from 0; of a closing statement the number of epochs before it."
    )
    closing: bool = Field(
        description="Whether it closes the facility's books behind the last epoch: it states what"
        " came late, and may be below zero."
    )
    epoch_start_s: int = Field(description="UTC seconds.")
    epoch_end_s: int = Field(description="UTC seconds.")
    available_gpu_seconds: int = Field(description="Capacity less outages, GPU-seconds.")
    available_adjustment: int = Field(
        description="What of earlier epochs turned out to have been available beyond what was"
        " stated, less what turned out not to, GPU-seconds."
    )
    billed_gpu_seconds: int = Field(description="Usage and delivery, GPU-seconds.")
    gross_revenue_micros: int = Field(description=f"Sum of charges; {MICROS}.")
    line_count: int = Field(description="Lines under the root.")
    usage_root: str = Field(description="Merkle root over the lines, 0x-hex.")
    evidence_hash: str = Field(description="SHA-256 of manifest.json, 0x-hex.")
    previous_statement_hash: str = Field(description="Hash of the statement before, 0x-hex.")
    signed_gpu_seconds: int = Field(
        description="Of billed GPU-seconds, those of leases of which every entry was signed."
    )
    signed_charge_micros: int = Field(
        description=f"Of charges without their signs, those that rest on signed entries; {MICROS}."
    )
    absolute_charge_micros: int = Field(
        description=f"Charges of the lines without their signs, in all; {MICROS}."
    )
    top_renter_bps: int = Field(description="Largest renter's share, basis points.")
    committed_bps: int = Field(description="Take-or-pay share, basis points.")
    statement_hash: str = Field(description="EIP-712 struct hash, 0x-hex.")
    attesters: list[str] = Field(description="Accounts whose signatures we hold.")
    state: StatementState = Field(
        description="closed; attested: signed, not posted; posted: stands on-chain and can be"
        " challenged; final: its challenge window is over; settled: a settlement counts it;"
        " voided: it was posted and a proven fault took it, or one before it."
    )
    posted_tx: str | None = Field(description="Transaction that posted it, while it stands.")
    posted_at_s: int | None = Field(description="Block time of that posting, UTC seconds.")
    standing_hash: str | None = Field(
        description="Hash of the statement that stands on-chain for this epoch, 0x-hex; another"
        " than `statement_hash` if attesters posted other bytes than ours."
    )
    evidence: str = Field(description="Folder of the evidence below /v1/evidence/.")


class StatementsOut(BaseModel):
    """A page of statements."""

    total: int = Field(description="Statements of the facility in the named state; all without.")
    statements: list[StatementOut] = Field(description="By epoch, from `offset` on.")


class RestatedOut(BaseModel):
    """What a later statement says of an epoch that stands as it was stated."""

    epoch: int = Field(description="Epoch of the later statement.")
    closing: bool = Field(description="Whether that is the closing statement.")
    late_seconds: int = Field(description="Usage of this epoch that came late, device-seconds.")
    late_delivery_seconds: int = Field(description="Deliveries that came late, device-seconds.")
    void_seconds: int = Field(
        description="Usage of this epoch that was taken back or was an outage, device-seconds."
    )
    rent_micros: int = Field(
        description="What it changes of the rent for usage of this epoch's months (UTC), of"
        f" whichever of their days; {MICROS}."
    )


def _window_s(service: Service) -> int | None:
    """Challenge window of the registry, read from the chain once; None if it does not answer."""
    return 0 if service.contracts is None else service.facts.read().challenge_window_s


def to_api_statement(view: StatementView) -> StatementOut:
    """A statement and how far it came."""
    row, posted = view.row, view.posted
    return StatementOut(
        facility_id=row.facility_id,
        epoch=row.epoch,
        closing=row.closing,
        epoch_start_s=row.epoch_start_s,
        epoch_end_s=row.epoch_end_s,
        available_gpu_seconds=row.available_gpu_seconds,
        available_adjustment=row.available_adjustment,
        billed_gpu_seconds=row.billed_gpu_seconds,
        gross_revenue_micros=row.gross_revenue_micros,
        line_count=row.line_count,
        usage_root=hex32(row.usage_root),
        evidence_hash=hex32(row.evidence_hash),
        previous_statement_hash=hex32(row.previous_statement_hash),
        signed_gpu_seconds=row.signed_gpu_seconds,
        signed_charge_micros=row.signed_charge,
        absolute_charge_micros=row.absolute_charge,
        top_renter_bps=row.top_renter_bps,
        committed_bps=row.committed_bps,
        statement_hash=hex32(row.statement_hash),
        attesters=list(view.attesters),
        state=view.state,
        posted_tx=None if posted is None else hex32(posted.tx_hash),
        posted_at_s=None if posted is None else posted.posted_at_s,
        standing_hash=None if view.standing_hash is None else hex32(view.standing_hash),
        evidence=epoch_folder(row.facility_id, row.epoch),
    )


@router.get("/v1/facilities/{facility_id}/statements", responses=errors(404, 422))
def list_statements(
    service: ServiceDep,
    facility_id: FacilityPath,
    state: Annotated[StatementState | None, Query(description="Only those in this state.")] = None,
    order: Annotated[Order, Query(description="By epoch: asc or desc.")] = Order.ASC,
    offset: Offset = 0,
    limit: Limit = 100,
) -> StatementsOut:
    """Statements of a facility in the books; none yet is an empty list.

    States are as of the newest indexed block. What was replaced after a fault is in the evidence.
    """
    window_s = _window_s(service)
    with reading(service.engine) as connection:
        known_facility_row(connection, facility_id)
        total, views = statements_of(
            connection,
            facility_id,
            window_s,
            state=state,
            order=order,
            offset=offset,
            limit=limit,
        )
    return StatementsOut(total=total, statements=[to_api_statement(view) for view in views])


@router.get("/v1/facilities/{facility_id}/epochs/{epoch}", responses=errors(404, 422))
def get_statement(service: ServiceDep, facility_id: FacilityPath, epoch: EpochPath) -> StatementOut:
    """One statement."""
    window_s = _window_s(service)
    with reading(service.engine) as connection:
        row = known_statement_row(connection, facility_id, epoch)
        return to_api_statement(view_statement(connection, row, window_s))


@router.get("/v1/facilities/{facility_id}/epochs/{epoch}/restated", responses=errors(404, 422))
def list_restated(
    service: ServiceDep, facility_id: FacilityPath, epoch: EpochPath
) -> list[RestatedOut]:
    """What later statements put right of an epoch, in their order; none is an empty list.

    The statement itself never changes. Money is a month's: no line says which epoch of the month a
    difference of rent is of.
    """
    with reading(service.engine) as connection:
        row = known_statement_row(connection, facility_id, epoch)
        views = restated_since(connection, row)
    return [
        RestatedOut(
            epoch=view.epoch,
            closing=view.closing,
            late_seconds=view.late_s,
            late_delivery_seconds=view.late_delivery_s,
            void_seconds=view.void_s,
            rent_micros=view.rent_micros,
        )
        for view in views
    ]
