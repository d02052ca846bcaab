"""Public routes: statements, lines with proofs, cash flows, reconciliation, evidence."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from sqlalchemy import select

from api.db import chain_store
from api.db import statements as store
from api.db.cashflow import MONEY_EVENTS
from api.db.session import ping, reading
from api.db.tables import statements
from api.domain.evidence import epoch_folder, hex32
from api.domain.lines import Line
from api.domain.reconciliation import Reconciliation, total
from api.errors import ChainUnavailable, NotFound
from api.pipeline.index import final_block
from api.pipeline.proofs import prove_line
from api.pipeline.reconcile import reconcile_all, reconcile_facility
from api.pipeline.register import known_facility_row
from api.routes import auditor_schemas as schemas
from api.routes.parameters import CashFlowLimit, EpochPath, FacilityPath, Limit, LineIndex, Offset
from api.routes.problems import errors

router = APIRouter(tags=["public"])

_EVIDENCE_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file's bytes.",
        "content": {
            "application/json": {"schema": {"type": ["object", "array"]}},
            "text/csv": {"schema": {"type": "string"}},
        },
    }
}


def _reconciliation(found: Reconciliation) -> schemas.ReconciliationOut:
    return schemas.ReconciliationOut(
        facility_id=found.facility_id,
        metered_gpu_seconds=found.metered_gpu_seconds,
        rated_micros=found.rated_micros,
        attested_micros=found.attested_micros,
        collected_micros=found.collected_micros,
        settled_micros=found.settled_micros,
        claimed_micros=found.claimed_micros,
        differences=schemas.DifferencesOut.model_validate(found.differences),
        balanced=found.balanced,
        mismatches=[m.sentence(found.facility_id or 0) for m in found.mismatches],
    )


def _blocks(request: Request) -> tuple[int | None, int | None, int | None]:
    """Newest indexed block, newest final one, head of the node; None where there is none."""
    state = request.app.state
    with reading(state.engine) as connection:
        block = chain_store.last_block(connection)
    try:
        head = state.client.block().number
    except ChainUnavailable:
        head = None
    indexed = block.number if block else None
    confirmations = state.settings.confirmations
    return indexed, final_block(indexed=indexed, head=head, confirmations=confirmations), head


@router.get("/v1/reconciliation", responses=errors())
def get_reconciliation(request: Request) -> schemas.ReconciliationsOut:
    """Five numbers of every facility and in total, as of the newest indexed block."""
    state = request.app.state
    parts = reconcile_all(state.engine, state.client, state.deployment)
    indexed, final, _ = _blocks(request)
    return schemas.ReconciliationsOut(
        indexed_block=indexed,
        final_block=final,
        total=_reconciliation(total(parts)),
        facilities=[_reconciliation(part) for part in parts],
    )


@router.get("/v1/facilities/{facility_id}/reconciliation", responses=errors(404, 422))
def get_facility_reconciliation(
    request: Request, facility_id: FacilityPath
) -> schemas.ReconciliationOut:
    """Five numbers of one facility."""
    state = request.app.state
    return _reconciliation(
        reconcile_facility(state.engine, state.client, state.deployment, facility_id)
    )


def _challenge_window(request: Request) -> int:
    state = request.app.state
    if state.deployment is None:
        return 0
    registry = state.deployment.statement_registry
    return int(state.client.read("StatementRegistry", registry, "challengeWindow"))


def _statement(request: Request, row: object, window_s: int | None = None) -> schemas.StatementOut:
    statement = store.to_statement(row)
    facility_id, epoch = statement.facility_id, statement.epoch
    with reading(request.app.state.engine) as connection:
        attesters = sorted(store.signatures_of(connection, facility_id, epoch))
        posted = chain_store.standing_posts(connection, facility_id).get(epoch)
        block = chain_store.last_block(connection)
    state = "attested" if attesters else "closed"
    if posted is not None:
        window_s = _challenge_window(request) if window_s is None else window_s
        final = block is not None and block.time_s >= posted.block_time_s + window_s
        state = "final" if final else "posted"
    values = dict(row._mapping)  # type: ignore[attr-defined]
    shown = {
        k: hex32(v) if isinstance(v, bytes) else v
        for k, v in values.items()
        if k in schemas.StatementOut.model_fields
    }
    return schemas.StatementOut(
        **shown,
        attesters=attesters,
        state=state,
        posted_tx=hex32(posted.tx_hash) if posted else None,
        posted_at_s=posted.block_time_s if posted else None,
        evidence=epoch_folder(facility_id, epoch),
    )


@router.get("/v1/facilities/{facility_id}/statements", responses=errors(404, 422))
def list_statements(
    request: Request, facility_id: FacilityPath, offset: Offset = 0, limit: Limit = 100
) -> list[schemas.StatementOut]:
    """Statements of a facility, by epoch; none yet is an empty list."""
    query = (
        select(statements)
        .where(statements.c.facility_id == facility_id)
        .order_by(statements.c.epoch)
        .offset(offset)
        .limit(limit)
    )
    with reading(request.app.state.engine) as connection:
        known_facility_row(connection, facility_id)
        rows = connection.execute(query).all()
    window_s = _challenge_window(request) if rows else 0
    return [_statement(request, row, window_s) for row in rows]


def _row(request: Request, facility_id: int, epoch: int) -> object:
    with reading(request.app.state.engine) as connection:
        row = store.statement_row(connection, facility_id, epoch)
    if row is None:
        message = f"facility {facility_id} has no statement of epoch {epoch}"
        raise NotFound(message, facility_id=facility_id, epoch=epoch)
    found: object = row
    return found


@router.get("/v1/facilities/{facility_id}/epochs/{epoch}", responses=errors(404, 422))
def get_statement(
    request: Request, facility_id: FacilityPath, epoch: EpochPath
) -> schemas.StatementOut:
    """One statement."""
    return _statement(request, _row(request, facility_id, epoch))


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
    request: Request,
    facility_id: FacilityPath,
    epoch: EpochPath,
    offset: Offset = 0,
    limit: Limit = 100,
) -> schemas.LinesOut:
    """Lines of a statement, by index."""
    statement = store.to_statement(_row(request, facility_id, epoch))
    with reading(request.app.state.engine) as connection:
        lines = store.lines_of(connection, facility_id, epoch, offset=offset, limit=limit)
        kinds = store.line_kinds(connection, facility_id, epoch)
    return schemas.LinesOut(
        line_count=statement.line_count,
        kinds={kind.name.lower(): count for kind, count in kinds.items()},
        lines=[_line(line) for line in lines],
    )


@router.get(
    "/v1/facilities/{facility_id}/epochs/{epoch}/lines/{index}/proof", responses=errors(404, 422)
)
def get_proof(
    request: Request, facility_id: FacilityPath, epoch: EpochPath, index: LineIndex
) -> schemas.ProofOut:
    """One line with the proof that it stands under the statement's root."""
    found = prove_line(request.app.state.engine, facility_id, epoch, index)
    return schemas.ProofOut(
        facility_id=facility_id,
        epoch=epoch,
        line=_line(found.line),
        leaf=hex32(found.leaf),
        proof=[hex32(node) for node in found.proof],
        root=hex32(found.root),
    )


@router.get("/v1/facilities/{facility_id}/cash-flows", responses=errors(404, 422))
def list_cash_flows(
    request: Request, facility_id: FacilityPath, offset: Offset = 0, limit: CashFlowLimit = 10_000
) -> list[schemas.CashFlowOut]:
    """Rent, settlements, distributions, accruals and claims of a facility, in chain order."""
    with reading(request.app.state.engine) as connection:
        known_facility_row(connection, facility_id)
        rows = chain_store.events_named(
            connection, *MONEY_EVENTS, facility_id=facility_id, offset=offset, limit=limit
        )
    return [
        schemas.CashFlowOut(
            event=r.event,
            amount_micros=r.amount,
            fee_micros=r.extra if r.event == "Settled" else None,
            account=r.account,
            token_id=r.token_id,
            block_number=r.block_number,
            block_time_s=r.block_time_s,
            tx_hash=hex32(r.tx_hash),
        )
        for r in rows
    ]


@router.get(
    "/v1/evidence/{path:path}",
    responses=_EVIDENCE_FILE | errors(404, 422),
    response_class=Response,
)
def read_evidence(
    request: Request,
    path: Annotated[str, Path(max_length=300, description="File below the evidence root.")],
) -> Response:
    """A file of the published evidence, byte for byte."""
    data = request.app.state.evidence.read(path)
    kind = "text/csv" if path.endswith(".csv") else "application/json"
    return Response(data, media_type=kind, headers={"X-Content-Type-Options": "nosniff"})


@router.get("/health", responses=errors())
def check_health(request: Request) -> schemas.HealthOut:
    """Answers once the database does."""
    ping(request.app.state.engine)
    return schemas.HealthOut(status="ok")


@router.get("/v1/status", responses=errors())
def get_status(request: Request) -> schemas.StatusOut:
    """Head of the chain, newest indexed and newest final block, transactions under way."""
    state = request.app.state
    with reading(state.engine) as connection:
        waiting = len(chain_store.open_intents(connection))
    indexed, final, head = _blocks(request)
    return schemas.StatusOut(
        chain_head=head,
        indexed_block=indexed,
        final_block=final,
        now_s=state.clock(),
        open_transactions=waiting,
    )
