"""Routes of the operator's console about money: epochs, rent, bond."""

from fastapi import APIRouter

from api.domain.statements.evidence import hex32
from api.epochs.reopen import Refusal, refusals
from api.ledger.facilities import own_facility
from api.reads.console.epochs import epochs_of
from api.reads.console.overview import BondUnknown, is_bonded, pinned
from api.reads.console.rent import lease_of, payments, rent_book, rent_by_lease
from api.routes.http.credentials import OperatorId
from api.routes.http.parameters import FacilityPath, Offset, PageLimit
from api.routes.http.problems import errors
from api.routes.operator import console_schemas as schemas
from api.routes.operator.console import FACILITY
from api.routes.service import Service, ServiceDep

router = APIRouter(tags=["console"])


def _reopen(refusal: Refusal | None) -> str:
    return "now" if refusal is None else refusal.reason


def _window_s(service: Service) -> int:
    """Challenge window; 0 while nothing can have been posted."""
    chain = pinned(service.engine, service.client, service.deployment)
    return chain.challenge_window_s() if chain else 0


@router.get(f"{FACILITY}/epochs", responses=errors(401, 403, 404, 422))
def list_console_epochs(
    service: ServiceDep,
    operator_id: OperatorId,
    facility_id: FacilityPath,
    offset: Offset = 0,
    limit: PageLimit = 100,
) -> schemas.EpochsOut:
    """Every epoch of the window and how far it came, newest first."""
    now_s, window_s = service.clock(), _window_s(service)
    with own_facility(service.engine, operator_id, facility_id) as (connection, row):
        total, views = epochs_of(
            connection, row, window_s=window_s, now_s=now_s, offset=offset, limit=limit
        )
    refused = refusals(
        service.engine,
        service.client,
        service.deployment,
        facility_id=facility_id,
        epochs=[v.epoch for v in views if v.state == "voided"],
        confirmations=service.settings.confirmations,
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


@router.get(f"{FACILITY}/rent", responses=errors(401, 403, 404, 422))
def get_console_rent(
    service: ServiceDep, operator_id: OperatorId, facility_id: FacilityPath
) -> schemas.RentOut:
    """Rent: attested, collected and due, by lease and by payment."""
    now_s, window_s = service.clock(), _window_s(service)
    with own_facility(service.engine, operator_id, facility_id) as (connection, _):
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


@router.get(f"{FACILITY}/bond", responses=errors(401, 403, 404, 422))
def get_console_bond(
    service: ServiceDep, operator_id: OperatorId, facility_id: FacilityPath
) -> schemas.ConsoleBond:
    """The bond and what it owes. 404 with code `bond_unknown` when none was agreed on-chain."""
    chain = pinned(service.engine, service.client, service.deployment)
    with own_facility(service.engine, operator_id, facility_id) as (connection, _):
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
