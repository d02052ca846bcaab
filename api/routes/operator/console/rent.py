"""Rent: attested, collected and due, by lease and by payment."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.db.facilities import own_facility
from api.domain.statements.evidence import hex32
from api.reads.console.rent import LeaseRentView, newest_payments, read_rent, rent_by_lease
from api.routes.http.credentials import OperatorReader
from api.routes.http.parameters import FacilityPath
from api.routes.http.problems import errors
from api.routes.http.schemas import MICROS
from api.routes.operator.console import CONSOLE_FACILITY
from api.routes.operator.console.epochs import challenge_window_s
from api.routes.service import ServiceDep

router = APIRouter(tags=["console"])


class LeaseRentOut(BaseModel):
    """Rent of one lease."""

    lease: str = Field(description="Hash of the lease, or whatever the payer named, 0x-hex.")
    lease_id: str | None = Field(description="The operator's id; null if it is no lease of ours.")
    attested_micros: int = Field(description=f"Charges in statements on-chain; {MICROS}.")
    paid_micros: int = Field(description=f"Paid in its name; refunds name no lease; {MICROS}.")
    due_micros: int = Field(description=f"Attested and not paid in its name; {MICROS}.")


class PaymentOut(BaseModel):
    """One payment of rent."""

    block_time_s: int = Field(description="UTC seconds.")
    tx_hash: str = Field(description="Transaction, 0x-hex.")
    payer: str = Field(description="Account that paid.")
    lease: str = Field(description="Lease hash that it named, 0x-hex.")
    amount_micros: int = Field(description=f"Amount; {MICROS}.")


class RentOut(BaseModel):
    """Rent of a facility, as of the newest indexed block."""

    attested_micros: int = Field(description=f"Gross revenue on-chain; {MICROS}.")
    collected_micros: int = Field(description=f"Paid less refunded; {MICROS}.")
    receivable_micros: int = Field(description=f"Attested, not collected; {MICROS}.")
    prepaid_micros: int = Field(description=f"Collected above what is attested; {MICROS}.")
    by_lease: list[LeaseRentOut] = Field(description="By the operator's lease id.")
    payments: list[PaymentOut] = Field(description="Newest first, at most 500.")


def to_api_lease_rent(rent: LeaseRentView) -> LeaseRentOut:
    """Rent of one lease."""
    return LeaseRentOut(
        lease=hex32(rent.lease),
        lease_id=rent.lease_id,
        attested_micros=rent.attested_micros,
        paid_micros=rent.paid_micros,
        due_micros=rent.due_micros,
    )


@router.get(f"{CONSOLE_FACILITY}/rent", responses=errors(401, 403, 404, 422))
def get_console_rent(
    service: ServiceDep, operator_id: OperatorReader, facility_id: FacilityPath
) -> RentOut:
    """Rent: attested, collected and due, by lease and by payment."""
    now_s, window_s = service.clock(), challenge_window_s(service)
    with own_facility(service.engine, operator_id, facility_id) as (connection, _):
        rent = read_rent(connection, facility_id, window_s=window_s, now_s=now_s)
        by_lease = rent_by_lease(connection, facility_id)
        payments = newest_payments(connection, facility_id)
    return RentOut(
        attested_micros=rent.attested_micros,
        collected_micros=rent.collected_micros,
        receivable_micros=rent.receivable_micros,
        prepaid_micros=rent.prepaid_micros,
        by_lease=[to_api_lease_rent(lease) for lease in by_lease],
        payments=[
            PaymentOut(
                block_time_s=payment.block_time_s,
                tx_hash=hex32(payment.tx_hash),
                payer=payment.payer,
                lease=hex32(payment.lease),
                amount_micros=payment.amount_micros,
            )
            for payment in payments
        ],
    )
