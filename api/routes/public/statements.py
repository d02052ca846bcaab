"""Public routes of statements: lists, states, lines with proofs."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.db import statements as store
from api.db.session import reading
from api.domain.lifecycle import StatementState
from api.domain.statements.evidence import epoch_folder, hex32
from api.domain.statements.lines import Line
from api.ledger.facilities import known_facility_row
from api.reads.listing import Order
from api.reads.proofs import known_statement_row, prove_line
from api.reads.statements import (
    StatementView,
    view_statement,
)
from api.reads.statements import (
    list_statements as statements_of,
)
from api.routes.http.parameters import EpochPath, FacilityPath, Limit, LineIndex, Offset
from api.routes.http.problems import errors
from api.routes.public import auditor_schemas as schemas
from api.routes.service import Service, ServiceDep

router = APIRouter(tags=["public"])


def _window_s(service: Service) -> int | None:
    """Challenge window of the registry, read from the chain once; None if it does not answer."""
    known: int | None = service.facts.read().challenge_window_s
    return 0 if service.deployment is None else known


def _statement(view: StatementView) -> schemas.StatementOut:
    row, posted = view.row, view.posted
    shown = {
        name: hex32(value) if isinstance(value, bytes) else value
        for name, value in row._mapping.items()
        if name in schemas.StatementOut.model_fields
    }
    return schemas.StatementOut(
        **shown,
        attesters=list(view.attesters),
        state=view.state,
        posted_tx=None if posted is None else hex32(posted.tx_hash),
        posted_at_s=None if posted is None else posted.block_time_s,
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
) -> schemas.StatementsOut:
    """Statements of a facility in the books; none yet is an empty list.

    States are as of the newest indexed block. What gave way after a fault is in the evidence.
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
    return schemas.StatementsOut(total=total, statements=[_statement(view) for view in views])


@router.get("/v1/facilities/{facility_id}/epochs/{epoch}", responses=errors(404, 422))
def get_statement(
    service: ServiceDep, facility_id: FacilityPath, epoch: EpochPath
) -> schemas.StatementOut:
    """One statement."""
    window_s = _window_s(service)
    with reading(service.engine) as connection:
        row = known_statement_row(connection, facility_id, epoch)
        return _statement(view_statement(connection, row, window_s))


def _line(line: Line) -> schemas.LineOut:
    return schemas.LineOut(
        index=line.index,
        kind=line.kind.name.lower(),
        device=hex32(line.device),
        lease=hex32(line.lease),
        start_s=line.start_s,
        end_s=line.end_s,
        gpu_seconds=line.gpu_seconds,
        charge_micros=line.charge_micros,
        cumulative_gpu_seconds=line.cumulative_gpu_seconds,
        cumulative_charge_micros=line.cumulative_charge_micros,
    )


@router.get("/v1/facilities/{facility_id}/epochs/{epoch}/lines", responses=errors(404, 422))
def list_lines(
    service: ServiceDep,
    facility_id: FacilityPath,
    epoch: EpochPath,
    offset: Offset = 0,
    limit: Limit = 100,
) -> schemas.LinesOut:
    """Lines of a statement, by index."""
    with reading(service.engine) as connection:
        row = known_statement_row(connection, facility_id, epoch)
        lines = store.lines_of(connection, facility_id, epoch, offset=offset, limit=limit)
        kinds = store.line_kinds(connection, facility_id, epoch)
    return schemas.LinesOut(
        line_count=row.line_count,
        kinds={kind.name.lower(): count for kind, count in kinds.items()},
        lines=[_line(line) for line in lines],
    )


@router.get(
    "/v1/facilities/{facility_id}/epochs/{epoch}/lines/{index}/proof", responses=errors(404, 422)
)
def get_proof(
    service: ServiceDep, facility_id: FacilityPath, epoch: EpochPath, index: LineIndex
) -> schemas.ProofOut:
    """One line with the proof that it stands under the statement's root."""
    found = prove_line(service.engine, facility_id, epoch, index)
    return schemas.ProofOut(
        facility_id=facility_id,
        epoch=epoch,
        line=_line(found.line),
        leaf=hex32(found.leaf),
        proof=[hex32(node) for node in found.proof],
        root=hex32(found.root),
    )
