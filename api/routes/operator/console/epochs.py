"""Epochs and how far each came."""

from collections.abc import Mapping

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.db.facilities import own_facility
from api.domain.statements.evidence import hex32
from api.domain.units import Epoch
from api.epochs.reopen import Obstacle, obstacles
from api.reads.console.epochs import EpochView, epochs_of
from api.reads.console.overview import pinned
from api.routes.http.credentials import OperatorReader
from api.routes.http.parameters import FacilityPath, Offset, PageLimit
from api.routes.http.problems import errors
from api.routes.http.schemas import MICROS
from api.routes.operator.console import CONSOLE_FACILITY
from api.routes.service import Service, ServiceDep

router = APIRouter(tags=["console"])


class EpochOut(BaseModel):
    """One epoch and how far it came."""

    epoch: int = Field(
        description="Epoch from 0; of a closing statement the number of epochs before it."
    )
    closing: bool = Field(
        description="Whether it is no epoch but what closes the books behind the last one."
    )
    start_s: int = Field(description="UTC seconds.")
    end_s: int = Field(description="UTC seconds, exclusive.")
    state: str = Field(
        description="future, open, grace, closed, attested, posted, final, settled or voided"
        " (proven wrong, can never be posted again: correct it and reopen)."
    )
    gross_micros: int | None = Field(description=f"Sum of charges; null until closed; {MICROS}.")
    line_count: int | None = Field(description="Lines; null until closed.")
    signatures: int = Field(description="Number of attesters' signatures.")
    posted_tx: str | None = Field(description="Transaction of the posting that stands, 0x-hex.")
    posted_at_s: int | None = Field(description="UTC seconds.")
    final_at_s: int | None = Field(description="End of its challenge window, UTC seconds.")
    cut_off_s: int = Field(
        description="First second at which a record no longer enters this epoch itself, UTC;"
        " later where the epoch was reopened."
    )
    reopen: str | None = Field(
        description="now: it can be reopened. Why it cannot be yet: not_next, void_not_final or"
        " posting_under_way. Null unless voided."
    )


class EpochsOut(BaseModel):
    """A page of epochs."""

    total: int = Field(description="Number of epochs of the facility, and its closing statement.")
    epochs: list[EpochOut] = Field(description="Newest first.")


def challenge_window_s(service: Service) -> int:
    """Challenge window; 0 while nothing can have been posted."""
    chain = pinned(service.engine, service.contracts)
    return chain.challenge_window_s() if chain else 0


def _reopen(obstacle: Obstacle | None) -> str:
    return "now" if obstacle is None else obstacle.reason


def to_api_epoch(view: EpochView, in_the_way: Mapping[Epoch, Obstacle | None]) -> EpochOut:
    """One epoch. in_the_way: for each voided epoch, what keeps it from being reopened, or None."""
    return EpochOut(
        epoch=view.epoch,
        closing=view.closing,
        start_s=view.start_s,
        end_s=view.end_s,
        state=view.state,
        gross_micros=view.gross_micros,
        line_count=view.line_count,
        signatures=view.signatures,
        posted_tx=None if view.posted_tx is None else hex32(view.posted_tx),
        posted_at_s=view.posted_at_s,
        final_at_s=view.final_at_s,
        cut_off_s=view.cut_off_s,
        reopen=_reopen(in_the_way[Epoch(view.epoch)]) if view.epoch in in_the_way else None,
    )


@router.get(f"{CONSOLE_FACILITY}/epochs", responses=errors(401, 403, 404, 422))
def list_console_epochs(
    service: ServiceDep,
    operator_id: OperatorReader,
    facility_id: FacilityPath,
    offset: Offset = 0,
    limit: PageLimit = 100,
) -> EpochsOut:
    """Every epoch of the window and how far it came, newest first."""
    now_s, window_s = service.clock(), challenge_window_s(service)
    with own_facility(service.engine, operator_id, facility_id) as (connection, row):
        total, views = epochs_of(
            connection, row, window_s=window_s, now_s=now_s, offset=offset, limit=limit
        )
    # After the transaction: this asks the chain.
    in_the_way = obstacles(
        service.engine,
        service.contracts,
        facility_id=facility_id,
        epochs=[Epoch(view.epoch) for view in views if view.state == "voided"],
    )
    return EpochsOut(
        total=total,
        epochs=[to_api_epoch(view, in_the_way) for view in views],
    )
