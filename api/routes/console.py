"""Routes of the operator's console: overview, metering, leases, epochs, rent, bond."""

from typing import Any

from fastapi import APIRouter, Request

from api.auth import OperatorId
from api.chain import calldata
from api.db import console as store
from api.db import rejections
from api.db.ledger import prices_of
from api.db.session import reading
from api.db.statements import lease_rows
from api.domain.evidence import hex32
from api.domain.tasks import Task
from api.errors import NotFound
from api.pipeline.console import BondUnknown, FacilityView, is_bonded, overview, pinned
from api.pipeline.console_epochs import epochs_of
from api.pipeline.console_rent import (
    attested_by_lease,
    lease_of,
    payments,
    rent_book,
    rent_by_lease,
)
from api.pipeline.ledger_view import terms_from_bytes
from api.pipeline.register import own_facility_row
from api.pipeline.reopen import Refusal, refusals
from api.routes import console_schemas as schemas
from api.routes.parameters import FacilityPath, Offset, PageLimit
from api.routes.problems import errors
from api.routes.schemas import Offer

router = APIRouter(tags=["console"])

_FACILITY = "/v1/console/facilities/{facility_id}"


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


def _reopen(refusal: Refusal | None) -> str:
    return "now" if refusal is None else refusal.reason


def _facility(view: FacilityView) -> schemas.ConsoleFacility:
    row, bond = view.row, view.chain.bond
    return schemas.ConsoleFacility(
        facility_id=row.facility_id,
        name=row.name,
        gpu_class=row.gpu_class,
        site=row.site,
        state=view.chain.state.value,
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
def get_console(request: Request, operator_id: OperatorId) -> schemas.ConsoleOut:
    """The operator's facilities and tasks, as of the newest indexed block.

    Tasks follow from the records and the chain; they go away when their cause does. Rejections
    of the last day and conflicts of the last seven days count as news.
    """
    state = request.app.state
    found = overview(state.engine, state.client, state.deployment, operator_id, state.clock())
    operator = found.operator
    return schemas.ConsoleOut(
        operator=schemas.ConsoleOperator(
            operator_id=operator.operator_id, name=operator.name, address=operator.address
        ),
        tasks=[_task(task) for task in found.tasks],
        facilities=[_facility(view) for view in found.facilities],
    )


@router.get(f"{_FACILITY}/offer", responses=errors(401, 403, 404, 422))
def get_console_offer(
    request: Request, operator_id: OperatorId, facility_id: FacilityPath
) -> Offer:
    """The transaction that offers a registered facility, as in the answer to registering.

    404 with code `not_found` also where nothing is deployed to offer it on.
    """
    with reading(request.app.state.engine) as connection:
        row = own_facility_row(connection, operator_id, facility_id)
    deployment = request.app.state.deployment
    if deployment is None:
        raise NotFound("no contracts are deployed", facility_id=facility_id)
    terms = terms_from_bytes(row.terms_json)
    return Offer(to=deployment.facility_registry, data=calldata.offer(terms))


@router.get(f"{_FACILITY}/devices", responses=errors(401, 403, 404, 422))
def list_console_devices(
    request: Request, operator_id: OperatorId, facility_id: FacilityPath
) -> list[schemas.ConsoleDevice]:
    """Metering health of every pledged device."""
    now_s = request.app.state.clock()
    with reading(request.app.state.engine) as connection:
        facility = own_facility_row(connection, operator_id, facility_id)
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


@router.get(f"{_FACILITY}/rejections", responses=errors(401, 403, 404, 422))
def list_console_rejections(
    request: Request,
    operator_id: OperatorId,
    facility_id: FacilityPath,
    offset: Offset = 0,
    limit: PageLimit = 100,
) -> schemas.RejectionsOut:
    """Rejected events, newest first.

    Events whose facility could not be read, or is not yours, stand in the list of each facility.
    The newest 10,000 of an operator are kept. Texts are the sender's: escape them.
    """
    with reading(request.app.state.engine) as connection:
        own_facility_row(connection, operator_id, facility_id)
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


@router.get(f"{_FACILITY}/leases", responses=errors(401, 403, 404, 422))
def list_console_leases(
    request: Request, operator_id: OperatorId, facility_id: FacilityPath
) -> list[schemas.ConsoleLease]:
    """Leases with their prices and what was attested of them, by lease id."""
    with reading(request.app.state.engine) as connection:
        own_facility_row(connection, operator_id, facility_id)
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


def _window_s(request: Request) -> int:
    """Challenge window; 0 while nothing can have been posted."""
    state = request.app.state
    chain = pinned(state.engine, state.client, state.deployment)
    return chain.challenge_window_s() if chain else 0


@router.get(f"{_FACILITY}/epochs", responses=errors(401, 403, 404, 422))
def list_console_epochs(
    request: Request,
    operator_id: OperatorId,
    facility_id: FacilityPath,
    offset: Offset = 0,
    limit: PageLimit = 100,
) -> schemas.EpochsOut:
    """Every epoch of the window and how far it came, newest first."""
    state = request.app.state
    now_s, window_s = state.clock(), _window_s(request)
    with reading(state.engine) as connection:
        row = own_facility_row(connection, operator_id, facility_id)
        total, views = epochs_of(
            connection, row, window_s=window_s, now_s=now_s, offset=offset, limit=limit
        )
    voided = [v.epoch for v in views if v.state == "voided"]
    refused = refusals(
        state.engine,
        state.client,
        state.deployment,
        facility_id=facility_id,
        epochs=voided,
        confirmations=state.settings.confirmations,
    )
    return schemas.EpochsOut(
        total=total,
        epochs=[
            schemas.EpochOut(
                epoch=v.epoch,
                start_s=v.start_s,
                end_s=v.end_s,
                state=v.state,
                gross_micros=v.gross_micros,
                line_count=v.line_count,
                signatures=v.signatures,
                posted_tx=None if v.posted_tx is None else hex32(v.posted_tx),
                posted_at_s=v.posted_at_s,
                final_at_s=v.final_at_s,
                cut_off_s=v.cut_off_s,
                reopen=_reopen(refused[v.epoch]) if v.epoch in refused else None,
            )
            for v in views
        ],
    )


@router.get(f"{_FACILITY}/rent", responses=errors(401, 403, 404, 422))
def get_console_rent(
    request: Request, operator_id: OperatorId, facility_id: FacilityPath
) -> schemas.RentOut:
    """Rent: attested, collected and due, by lease and by payment."""
    now_s, window_s = request.app.state.clock(), _window_s(request)
    with reading(request.app.state.engine) as connection:
        own_facility_row(connection, operator_id, facility_id)
        book = rent_book(connection, facility_id, window_s=window_s, now_s=now_s)
        by_lease = rent_by_lease(connection, facility_id)
        paid = payments(connection, facility_id)
    return schemas.RentOut(
        attested_micros=book.attested_micros,
        collected_micros=book.collected_micros,
        receivable_micros=book.receivable_micros,
        prepaid_micros=book.prepaid_micros,
        by_lease=[
            schemas.LeaseRentOut(
                lease=hex32(r.lease),
                lease_id=r.lease_id,
                attested_micros=r.attested_micros,
                paid_micros=r.paid_micros,
                due_micros=r.due_micros,
            )
            for r in by_lease
        ],
        payments=[
            schemas.PaymentOut(
                block_time_s=event.block_time_s,
                tx_hash=hex32(event.tx_hash),
                payer=event.account,
                lease=hex32(lease_of(event)),
                amount_micros=event.amount,
            )
            for event in paid
        ],
    )


@router.get(f"{_FACILITY}/bond", responses=errors(401, 403, 404, 422))
def get_console_bond(
    request: Request, operator_id: OperatorId, facility_id: FacilityPath
) -> schemas.ConsoleBond:
    """The bond and what it owes. 404 with code `bond_unknown` when none was agreed on-chain."""
    state = request.app.state
    chain = pinned(state.engine, state.client, state.deployment)
    with reading(state.engine) as connection:
        own_facility_row(connection, operator_id, facility_id)
        bonded = is_bonded(connection, facility_id)
    if chain is None or not bonded:
        message = f"facility {facility_id} has no bond"
        raise BondUnknown(message, facility_id=facility_id)
    bond = chain.bond(facility_id)
    return schemas.ConsoleBond(
        bond_micros=bond.bond_micros,
        required_bond_micros=bond.required_bond_micros,
        rate_micros_per_gpu_hour=bond.rate_micros_per_gpu_hour,
        shortfall_due_micros=bond.shortfall_due_micros,
        below_since_s=bond.below_since_s,
        grace_s=bond.grace_s,
        default_after_epochs=bond.default_after_epochs,
    )
