"""Routes of the operator's console: overview, offer, metering, leases."""

from typing import Any

from fastapi import APIRouter

from api.chain import calldata
from api.db import rejections
from api.db.ledger import prices_of
from api.db.statements import lease_rows
from api.domain.statements.evidence import hex32
from api.errors import NotFound
from api.ledger.facilities import own_facility
from api.ledger.judge import terms_from_bytes
from api.reads.console.overview import FacilityView, overview
from api.reads.console.rent import attested_by_lease
from api.reads.console.tasks import Task
from api.reads.sql import console as store
from api.routes.http.credentials import OperatorId
from api.routes.http.parameters import FacilityPath, Offset, PageLimit
from api.routes.http.problems import errors
from api.routes.operator import console_schemas as schemas
from api.routes.operator.schemas import Offer
from api.routes.service import ServiceDep

router = APIRouter(tags=["console"])

FACILITY = "/v1/console/facilities/{facility_id}"


def _task(task: Task) -> schemas.TaskOut:
    return schemas.TaskOut(
        kind=task.kind,
        severity=task.severity.value,
        facility_id=task.facility_id,
        epoch=task.epoch,
        amount_micros=task.amount_micros,
        device=None if task.device is None else hex32(task.device),
        due_at_s=task.due_at_s,
    )


def _facility(view: FacilityView) -> schemas.ConsoleFacility:
    row, bond = view.row, view.chain.bond
    return schemas.ConsoleFacility(
        facility_id=row.facility_id,
        name=row.name,
        gpu_class=row.gpu_class,
        site=row.site,
        state=view.chain.state.word,
        window_start_s=row.window_start_s,
        window_end_s=row.window_end_s,
        epochs_closed=row.epochs_closed,
        epochs_posted=view.epochs_posted,
        epochs_settled=view.chain.epochs_settled,
        receivable_micros=view.rent.receivable_micros,
        bond_micros=None if bond is None else bond.bond_micros,
        required_bond_micros=None if bond is None else bond.required_bond_micros,
    )


@router.get("/v1/console", responses=errors(401, 403))
def get_console(service: ServiceDep, operator_id: OperatorId) -> schemas.ConsoleOut:
    """The operator's facilities and tasks, as of the newest indexed block.

    Tasks follow from the records and the chain; they go away when their cause does. Rejections
    of the last day and conflicts of the last seven days count as news.
    """
    found = overview(
        service.engine, service.client, service.deployment, operator_id, service.clock()
    )
    operator = found.operator
    return schemas.ConsoleOut(
        operator=schemas.ConsoleOperator(
            operator_id=operator.operator_id, name=operator.name, address=operator.address
        ),
        tasks=[_task(task) for task in found.tasks],
        facilities=[_facility(view) for view in found.facilities],
    )


@router.get(f"{FACILITY}/offer", responses=errors(401, 403, 404, 422))
def get_console_offer(
    service: ServiceDep, operator_id: OperatorId, facility_id: FacilityPath
) -> Offer:
    """The transaction that offers a registered facility, as in the answer to registering.

    404 with code `not_found` also where nothing is deployed to offer it on.
    """
    with own_facility(service.engine, operator_id, facility_id) as (_, row):
        terms = terms_from_bytes(row.terms_json)
    deployment = service.deployment
    if deployment is None:
        raise NotFound("no contracts are deployed", facility_id=facility_id)
    return Offer(to=deployment.facility_registry, data=calldata.offer(terms))


@router.get(f"{FACILITY}/devices", responses=errors(401, 403, 404, 422))
def list_console_devices(
    service: ServiceDep, operator_id: OperatorId, facility_id: FacilityPath
) -> list[schemas.ConsoleDevice]:
    """Metering health of every pledged device."""
    now_s = service.clock()
    with own_facility(service.engine, operator_id, facility_id) as (connection, facility):
        rows = store.device_rows(connection, facility_id)
        metering = store.metering_by_device(connection, facility_id, from_s=facility.window_start_s)
        duplicates = store.duplicates_by_device(connection, facility_id)
        conflicts = store.conflicts_by_device(connection, facility_id)
    is_open = facility.window_start_s <= now_s < facility.window_end_s
    answers = []
    for row in rows:
        found = metering.get(row.device, store.Metering())
        last_s = found.last_end_s
        answers.append(
            schemas.ConsoleDevice(
                device=hex32(row.device),
                uuid=row.uuid,
                last_event_end_s=last_s,
                # A record may end a little ahead of the clock: then there is no lag.
                lag_s=max(0, now_s - last_s) if is_open and last_s is not None else None,
                records=found.records,
                gap_seconds=found.gap_seconds,
                gaps=found.gaps,
                duplicates=duplicates.get(row.device, 0),
                conflicts=conflicts.get(row.device, 0),
                outage_seconds=found.outage_seconds,
            )
        )
    return answers


@router.get(f"{FACILITY}/rejections", responses=errors(401, 403, 404, 422))
def list_console_rejections(
    service: ServiceDep,
    operator_id: OperatorId,
    facility_id: FacilityPath,
    offset: Offset = 0,
    limit: PageLimit = 100,
) -> schemas.RejectionsOut:
    """Rejected events, newest first.

    Events whose facility could not be read, or is not yours, stand in the list of each facility.
    The newest 10,000 of an operator are kept. Texts are the sender's: escape them.
    """
    with own_facility(service.engine, operator_id, facility_id) as (connection, _):
        total, rows = rejections.rejections_of(
            connection, operator_id, facility_id, offset=offset, limit=limit
        )
    return schemas.RejectionsOut(
        total=total,
        rejections=[
            schemas.RejectionOut(
                received_at_s=r.received_at_s,
                source=r.source,
                id=r.event_id,
                code=r.code,
                detail=r.detail,
                device=r.device,
            )
            for r in rows
        ],
    )


@router.get(f"{FACILITY}/leases", responses=errors(401, 403, 404, 422))
def list_console_leases(
    service: ServiceDep, operator_id: OperatorId, facility_id: FacilityPath
) -> list[schemas.ConsoleLease]:
    """Leases with their prices and what was attested of them, by lease id."""
    with own_facility(service.engine, operator_id, facility_id) as (connection, _):
        rows = lease_rows(connection, facility_id)
        prices: dict[bytes, list[Any]] = {}
        for price in prices_of(connection, facility_id):
            prices.setdefault(price.lease, []).append(price)
        attested = attested_by_lease(connection, facility_id)
    return [
        schemas.ConsoleLease(
            lease_id=row.lease_id,
            lease=hex32(row.lease),
            renter_ref=row.renter_ref,
            plan=row.plan,
            committed_gpus=row.committed_gpus,
            max_gpus=row.max_gpus,
            opened_at_s=row.opened_at_s,
            closed_at_s=row.closed_at_s,
            prices=[
                schemas.PriceVersionOut(
                    version=p.version,
                    effective_from_s=p.effective_from_s,
                    price_micros_per_gpu_hour=p.price_micros_per_gpu_hour,
                    sla_credit_bps=p.sla_credit_bps,
                )
                for p in prices[row.lease]
            ],
            attested_micros=attested.get(row.lease, 0),
        )
        for row in sorted(rows, key=lambda r: r.lease_id)
    ]
