"""Bills of a facility as its operator sees them: what was stated, billed, paid and is open."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from api.db.chain_store import last_block
from api.db.session import Connection
from api.db.tables.bills import BillRow
from api.db.tables.facilities import FacilityRow
from api.domain.bills.payments import Allocation, Billed, Settlement, allocate
from api.domain.units import NO_MONEY, Bytes32, FacilityId, Minor
from api.ledger.billing import Billing, read_billing
from api.ledger.bills import issuable
from api.reads.sql import rent


class MonthState(StrEnum):
    """How far the billing of a lease and month came.

    draft: nothing is issued, and nothing can be yet.  ready: its bill can be issued.
    issued: there is nothing more to issue.  note_ready: a note to what was issued can be.
    """

    DRAFT = "draft"
    READY = "ready"
    ISSUED = "issued"
    NOTE_READY = "note_ready"


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A document and what is paid of it."""

    row: BillRow
    lease_id: str
    renter_ref: str
    settlement: Settlement


@dataclass(frozen=True, slots=True)
class MonthView:
    """A lease and month. stated: by the statements that stand on-chain; billed: by documents."""

    lease: Bytes32
    lease_id: str
    renter_ref: str
    month: int
    state: MonthState
    stated_micros: int
    billed_micros: int
    settlement: Settlement
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LeaseBalanceView:
    """What a lease has beside its documents."""

    lease: Bytes32
    lease_id: str
    paid_micros: int
    prepaid_left_micros: int
    credit_left_micros: int


@dataclass(frozen=True, slots=True)
class BillsView:
    """Bills of a facility; payments are those up to an indexed block, None before the first."""

    block_number: int | None
    months: Sequence[MonthView]
    documents: Sequence[DocumentView]
    leases: Sequence[LeaseBalanceView]


def read_bills(connection: Connection, facility: FacilityRow, *, window_s: int) -> BillsView:
    """All months and documents of a facility, newest months first."""
    billing = read_billing(connection, facility, window_s=window_s)
    block = last_block(connection)
    paid = paid_by_lease(connection, facility.facility_id)
    allocations = {lease: _allocation(billing.documents, lease, paid) for lease in billing.leases}
    documents = [
        DocumentView(
            row=row,
            lease_id=billing.leases[row.lease].lease_id,
            renter_ref=billing.leases[row.lease].renter_ref,
            settlement=allocations[row.lease].of[row.number],
        )
        for row in billing.documents
    ]
    return BillsView(
        block_number=None if block is None else block.number,
        months=_months(billing, allocations),
        documents=documents,
        leases=[
            LeaseBalanceView(
                lease=lease,
                lease_id=row.lease_id,
                paid_micros=paid.get(lease, NO_MONEY),
                prepaid_left_micros=allocations[lease].prepaid_left,
                credit_left_micros=allocations[lease].credit_left,
            )
            for lease, row in sorted(billing.leases.items(), key=lambda item: item[1].lease_id)
        ],
    )


def settlement_of(
    connection: Connection, row: BillRow, documents: Sequence[BillRow]
) -> tuple[int | None, Settlement]:
    """Newest indexed block, and what of one document is paid as of it.

    Args:    documents: all of its facility.
    """
    block = last_block(connection)
    paid = paid_by_lease(connection, row.facility_id)
    shared = _allocation(documents, row.lease, paid)
    return None if block is None else block.number, shared.of[row.number]


def paid_by_lease(connection: Connection, facility_id: FacilityId) -> dict[Bytes32, Minor]:
    """Rent that was paid in the name of each lease, less its credits that were paid back.

    Shares of what no credit took go back to payers without naming a lease; they are not in it.
    """
    paid: dict[Bytes32, Minor] = {}
    for payment in rent.rent_payments(connection, facility_id):
        paid[payment.lease] = Minor(paid.get(payment.lease, 0) + payment.amount_micros)
    for refund in rent.rent_refunds(connection, facility_id):
        paid[refund.lease] = Minor(paid.get(refund.lease, 0) - refund.amount_micros)
    return paid


def _allocation(
    documents: Sequence[BillRow], lease: Bytes32, paid: Mapping[Bytes32, Minor]
) -> Allocation:
    billed = [Billed(d.number, d.month, d.amount) for d in documents if d.lease == lease]
    return allocate(billed, paid=paid.get(lease, NO_MONEY))


def _months(billing: Billing, allocations: Mapping[Bytes32, Allocation]) -> list[MonthView]:
    stated = billing.stated(statements=billing.standing)
    can_issue = issuable(billing)
    found = []
    for key in stated.keys() | billing.by_month.keys():
        rows = billing.of_month(key)
        sums = stated.get(key, [])
        if not rows and not any(each.charged_lines for each in sums):
            continue
        names = billing.leases[key.lease]
        parts = [allocations[key.lease].of[row.number] for row in rows]
        found.append(
            MonthView(
                lease=key.lease,
                lease_id=names.lease_id,
                renter_ref=names.renter_ref,
                month=key.month,
                state=_state(issued=bool(rows), can_issue=key in can_issue),
                stated_micros=sum(each.charge_micros for each in sums),
                billed_micros=sum(row.amount for row in rows),
                settlement=_sum(parts),
                numbers=tuple(row.number for row in rows),
            )
        )
    return sorted(found, key=lambda m: (-m.month, m.lease_id))


def _state(*, issued: bool, can_issue: bool) -> MonthState:
    if issued:
        return MonthState.NOTE_READY if can_issue else MonthState.ISSUED
    return MonthState.READY if can_issue else MonthState.DRAFT


def _sum(parts: Sequence[Settlement]) -> Settlement:
    return Settlement(
        Minor(sum(part.credited for part in parts)),
        Minor(sum(part.paid for part in parts)),
        Minor(sum(part.open for part in parts)),
    )
