"""Public routes: reconciliation, cash flows, evidence, how the service is."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from api.db import chain_store
from api.db import outbox as outbox_rows
from api.db.session import ping, reading
from api.domain.capital.reconciliation import Reconciliation, total
from api.domain.hashing import sha256
from api.domain.statements.evidence import hex32
from api.epochs.index import final_block
from api.errors import ChainUnavailable
from api.ledger.facilities import known_facility_row
from api.reads.reconcile import reconcile_all, reconcile_facility
from api.reads.sql.cashflow import MONEY_EVENTS
from api.routes.http.parameters import CashFlowLimit, FacilityPath, Offset
from api.routes.http.problems import errors
from api.routes.public import auditor_schemas as schemas
from api.routes.service import Service, ServiceDep

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

# What gave way lies under its hash; only signatures may still be added. Elsewhere an epoch that is
# reopened gets other bytes.
_NEVER_CHANGES = re.compile(
    r"facility-\d+/superseded/epoch-\d+-[0-9a-f]{64}/(?!attestations\.json)[^/]+"
)


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


def _blocks(service: Service) -> tuple[int | None, int | None, int | None]:
    """Newest indexed block, newest final one, head of the node; None where there is none."""
    with reading(service.engine) as connection:
        block = chain_store.last_block(connection)
    try:
        head = service.client.block().number
    except ChainUnavailable:
        head = None
    indexed = block.number if block else None
    confirmations = service.settings.confirmations
    return indexed, final_block(indexed=indexed, head=head, confirmations=confirmations), head


@router.get("/v1/reconciliation", responses=errors())
def get_reconciliation(service: ServiceDep) -> schemas.ReconciliationsOut:
    """Five numbers of every facility and in total, as of the newest indexed block."""
    parts = reconcile_all(service.engine, service.client, service.deployment)
    indexed, final, _ = _blocks(service)
    return schemas.ReconciliationsOut(
        indexed_block=indexed,
        final_block=final,
        total=_reconciliation(total(parts)),
        facilities=[_reconciliation(part) for part in parts],
    )


@router.get("/v1/facilities/{facility_id}/reconciliation", responses=errors(404, 422))
def get_facility_reconciliation(
    service: ServiceDep, facility_id: FacilityPath
) -> schemas.ReconciliationOut:
    """Five numbers of one facility."""
    return _reconciliation(
        reconcile_facility(service.engine, service.client, service.deployment, facility_id)
    )


@router.get("/v1/facilities/{facility_id}/cash-flows", responses=errors(404, 422))
def list_cash_flows(
    service: ServiceDep,
    facility_id: FacilityPath,
    offset: Offset = 0,
    limit: CashFlowLimit = 10_000,
) -> list[schemas.CashFlowOut]:
    """Rent, settlements, distributions, accruals and claims of a facility, in chain order."""
    with reading(service.engine) as connection:
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
    service: ServiceDep,
    path: Annotated[str, Path(max_length=300, description="File below the evidence root.")],
) -> Response:
    """A file of the published evidence, byte for byte; its `ETag` is its SHA-256."""
    data = service.evidence.read(path)
    kind = "text/csv" if path.endswith(".csv") else "application/json"
    headers = {"X-Content-Type-Options": "nosniff", "ETag": f'"{sha256(data).hex()}"'}
    if _NEVER_CHANGES.fullmatch(path):
        headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return Response(data, media_type=kind, headers=headers)


@router.get("/health", responses=errors())
def check_health(service: ServiceDep) -> schemas.HealthOut:
    """Answers once the database does."""
    ping(service.engine)
    return schemas.HealthOut(status="ok")


@router.get("/v1/status", responses=errors())
def get_status(service: ServiceDep) -> schemas.StatusOut:
    """Head of the chain, newest indexed and newest final block, transactions under way."""
    with reading(service.engine) as connection:
        waiting = len(outbox_rows.open_intents(connection))
    indexed, final, head = _blocks(service)
    return schemas.StatusOut(
        chain_head=head,
        indexed_block=indexed,
        final_block=final,
        now_s=service.clock(),
        open_transactions=waiting,
    )
