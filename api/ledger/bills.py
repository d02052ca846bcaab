"""Issuing bills: documents over what final statements stated of a lease and month.

A document takes the statements from where the one before it ended up to the newest final one. Final
statements never change, so no document is ever wrong; what is stated later makes a note.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from api.db import bills as store
from api.db.facilities import lock_own_facility, own_facility
from api.db.leases import known_lease_named
from api.db.session import write
from api.db.tables.bills import BillRow, NewBill
from api.domain.bills.documents import (
    Content,
    Issue,
    bill_kind,
    document_hash,
    document_of,
    encode_document,
    is_worth_issuing,
)
from api.domain.facility import DAY_S
from api.domain.units import Bytes32, Epoch, FacilityId, OperatorId
from api.errors import NotFound, RecordsDamaged
from api.ledger.billing import Billing, ChainTerms, LeaseMonth, contents, read_billing

DEFAULT_DUE_DAYS = 14


@dataclass(frozen=True, slots=True)
class Wanted:
    """Of which lease and month documents are wanted; None is all."""

    month: int | None = None
    lease_id: str | None = None


@dataclass(frozen=True, slots=True)
class _Ready:
    """A document that waits for its number. sequence: its place in the month."""

    key: LeaseMonth
    sequence: int
    content: Content


def issue_bills(
    engine: Engine,
    operator_id: OperatorId,
    facility_id: FacilityId,
    wanted: Wanted,
    *,
    chain: ChainTerms,
    due_days: int,
    now_s: int,
) -> list[BillRow]:
    """Issue every document of a facility that can be issued; again, it issues nothing.

    Returns: what was issued, by number.
    Raises:  NotFound for a facility that is not the operator's, or an unknown lease.
    """
    # What final statements say does not change, so the long look needs no lock.
    with own_facility(engine, operator_id, facility_id) as (connection, row):
        lease = None
        if wanted.lease_id is not None:
            lease = known_lease_named(connection, facility_id, wanted.lease_id).lease
        billing = read_billing(connection, row, window_s=chain.challenge_window_s)
        ready = _ready(connection, billing, wanted.month, lease, chain)

    def work(connection: Connection) -> list[BillRow]:
        # In this order, as ingest does: two that wait for each other would end one.
        lock_own_facility(connection, operator_id, facility_id)
        store.lock_numbers(connection, operator_id)
        issued: list[BillRow] = []
        known = store.bill_rows(connection, facility_id)
        for each in ready:
            before = [d for d in known if (d.lease, d.month) == (each.key.lease, each.key.month)]
            # Another one was quicker: what it left, if anything, is for the next call.
            if len(before) == each.sequence:
                first = before[0].number if before else None
                issued.append(
                    _insert(connection, operator_id, each, first, now_s=now_s, due_days=due_days)
                )
        return issued

    return write(engine, work, clashes=(IntegrityError,)) if ready else []


def _ready(
    connection: Connection,
    billing: Billing,
    month: int | None,
    lease: Bytes32 | None,
    chain: ChainTerms,
) -> list[_Ready]:
    """Documents that can be issued, in the order of their numbers: by month, then lease id."""
    after: dict[int, dict[Bytes32, Epoch | None]] = {}
    for key in issuable(billing):
        if month in (None, key.month) and lease in (None, key.lease):
            before = billing.of_month(key)
            through = before[-1].through if before else None
            after.setdefault(key.month, {})[key.lease] = through
    ready = []
    for number, leases in sorted(after.items()):
        found = contents(connection, billing, number, leases, statements=billing.final, chain=chain)
        of_month = [_Ready(key, len(billing.of_month(key)), content) for key, content in found]
        ready += sorted(of_month, key=lambda r: r.content.parties.lease_id)
    return ready


def issuable(billing: Billing) -> set[LeaseMonth]:
    """Leases and months of which a document can be issued now."""
    found: set[LeaseMonth] = set()
    for key, sums in billing.stated(statements=billing.final).items():
        before = billing.of_month(key)
        new = [each for each in sums if not before or each.epoch > before[-1].through]
        worth = is_worth_issuing(
            charge=sum(each.charge_micros for each in new),
            charged_lines=sum(each.charged_lines for each in new),
            first=not before,
        )
        if worth and billing.is_stated(key.month, statements=billing.final):
            found.add(key)
    return found


def _insert(
    connection: Connection,
    operator_id: OperatorId,
    ready: _Ready,
    first: int | None,
    *,
    now_s: int,
    due_days: int,
) -> BillRow:
    number, previous, last_s = store.last_document(connection, operator_id)
    content = ready.content
    # Never before what it is about, nor before the document that it names, whatever the clock says.
    issued_at_s = max(now_s, last_s, *(each.end_s for each in content.statements))
    kind = bill_kind(content.amount, first=first is None)
    issue = Issue(
        number=number + 1,
        kind=kind,
        corrects=first,
        issued_at_s=issued_at_s,
        # What asks for nothing is never due.
        due_at_s=issued_at_s + due_days * DAY_S if content.amount > 0 else None,
        previous=previous,
    )
    document = encode_document(document_of(content, issue))
    bill = NewBill(
        operator_id=operator_id,
        number=issue.number,
        facility_id=content.parties.facility_id,
        lease=ready.key.lease,
        month=ready.key.month,
        sequence=ready.sequence,
        kind=kind.value,
        amount=content.amount,
        through=content.through,
        corrects=first,
        issued_at_s=issued_at_s,
        due_at_s=issue.due_at_s,
        document_hash=document_hash(document),
        document=document,
    )
    store.insert_bill(connection, bill)
    return bill


def stored_document(connection: Connection, facility_id: FacilityId, number: int) -> NewBill:
    """An issued document. Raises NotFound, and RecordsDamaged where its bytes were changed."""
    bill = store.stored_bill(connection, facility_id, number)
    if bill is None:
        raise NotFound(f"facility {facility_id} has no bill {number}", number=number)
    if document_hash(bytes(bill.document)) != bill.document_hash:
        raise RecordsDamaged(f"the bytes of bill {number} are not those that were issued")
    return bill


def draft(connection: Connection, billing: Billing, key: LeaseMonth, *, chain: ChainTerms) -> bytes:
    """What the next document of a lease and month would say, by the statements that stand.

    Raises:  NotFound if none of them says anything of it.
    """
    before = billing.of_month(key)
    through = before[-1].through if before else None
    sums = billing.stated(statements=billing.standing).get(key, [])
    if not any(through is None or each.epoch > through for each in sums):
        raise NotFound("no statement that stands says anything new of this lease and month")
    found = contents(
        connection,
        billing,
        key.month,
        {key.lease: through},
        statements=billing.standing,
        chain=chain,
    )
    ((_, content),) = found
    return encode_document(document_of(content, None))
