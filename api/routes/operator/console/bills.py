"""Bills: what was stated, billed, paid and is open, by lease and month; issuing them."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from api.db.bills import bill_rows
from api.db.facilities import own_facility
from api.db.leases import known_lease_named
from api.db.tables.bills import BillRow, NewBill
from api.domain.bills.documents import month_text
from api.domain.bills.payments import Settlement
from api.domain.statements.evidence import hex32
from api.domain.units import MAX_I64, FacilityId, OperatorId
from api.errors import ChainUnavailable
from api.ledger import bills as ledger
from api.ledger.billing import ChainTerms, LeaseMonth, read_billing
from api.ledger.bills import DEFAULT_DUE_DAYS, Wanted, draft, stored_document
from api.reads.bills import DocumentView, MonthView, read_bills, settlement_of
from api.routes.http.credentials import LedgerWriter, OperatorReader
from api.routes.http.parameters import FacilityPath
from api.routes.http.problems import already, errors
from api.routes.http.schemas import MICROS, Strict, Text, example
from api.routes.http.strict import StrictRoute
from api.routes.operator.bill_document import BillDocument
from api.routes.operator.bill_files import FILE, BillFile, bill_file
from api.routes.operator.bill_sheet import Paid
from api.routes.operator.console import CONSOLE_FACILITY
from api.routes.operator.console.epochs import challenge_window_s
from api.routes.service import Service, ServiceDep

router = APIRouter(tags=["console"], route_class=StrictRoute)
_BILLS = f"{CONSOLE_FACILITY}/bills"
# Years that a window can be in.
_MONTH = r"^(20[0-9]{2}|210[0-6])-(0[1-9]|1[0-2])$"
_Number = Annotated[int, Path(ge=1, le=MAX_I64, description="Number of the document.")]
_MonthQuery = Annotated[str, Query(pattern=_MONTH, description="UTC month, such as 2026-12.")]
_LeaseQuery = Annotated[
    str,
    Query(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]+$", description="Your lease."),
]


_FileSuffix = Annotated[BillFile, Path(description="json: exactly the bytes that are hashed.")]


class IssueBillsIn(Strict):
    """Which bills to issue: all that can be, unless named."""

    model_config = example(month="2026-12", due_days=14)

    month: Annotated[str, Field(pattern=_MONTH)] | None = Field(
        default=None, description="Only this UTC month."
    )
    lease_id: Text | None = Field(default=None, description="Only this lease of yours.")
    due_days: Annotated[int, Field(ge=0, le=366)] = Field(
        default=DEFAULT_DUE_DAYS, description="Days of 86,400 seconds until they are due."
    )


class IssuedBillOut(BaseModel):
    """A document that was issued."""

    number: int = Field(description="Your number of it, without gaps.")
    kind: str = Field(description="bill, credit_note or debit_note.")
    corrects: int | None = Field(description="Number of the document that a note corrects.")
    month: str = Field(description="UTC month.")
    amount_micros: int = Field(description=f"Below zero of a credit note; {MICROS}.")
    issued_at_s: int = Field(description="UTC seconds.")
    due_at_s: int | None = Field(description="UTC seconds; null where nothing is asked for.")
    through_statement: int = Field(description="Last statement that it takes.")
    document_hash: str = Field(description="SHA-256 of its bytes, 0x-hex.")


class IssuedBillsOut(BaseModel):
    """What was issued; nothing if all was issued before."""

    issued: list[IssuedBillOut] = Field(description="By number.")


class BillPaidOut(BaseModel):
    """What became of what is asked for: credited + paid + open."""

    credited_micros: int = Field(description=f"Lowered by credit notes; {MICROS}.")
    paid_micros: int = Field(description=f"By rent under the lease, oldest first; {MICROS}.")
    open_micros: int = Field(description=f"Not paid yet; {MICROS}.")


class ListedBillOut(IssuedBillOut, BillPaidOut):
    """A document in the list."""

    lease_id: str = Field(description="Your id of the lease.")
    renter_ref: str = Field(description="Your reference of the renter.")


class BillMonthOut(BillPaidOut):
    """A lease and month."""

    month: str = Field(description="UTC month.")
    lease_id: str = Field(description="Your id of the lease.")
    renter_ref: str = Field(description="Your reference of the renter.")
    state: str = Field(
        description="draft (its statements are not all final), ready (a bill can be issued),"
        " issued, or note_ready (what was stated since can be issued as a note)."
    )
    stated_micros: int = Field(description=f"By statements on-chain; {MICROS}.")
    billed_micros: int = Field(description=f"Sum of its documents; {MICROS}.")
    numbers: list[int] = Field(description="Its documents.")


class LeaseBalanceOut(BaseModel):
    """What a lease has beside its documents."""

    lease_id: str = Field(description="Your id of the lease.")
    paid_micros: int = Field(
        description=f"Rent in its name, less signed credits paid back; shares name none; {MICROS}."
    )
    prepaid_left_micros: int = Field(description=f"Of that, for documents to come; {MICROS}.")
    credit_left_micros: int = Field(description=f"Of credit notes, the same; {MICROS}.")


class BillsOut(BaseModel):
    """Bills of a facility."""

    block_number: int | None = Field(description="Payments are those up to this indexed block.")
    months: list[BillMonthOut] = Field(description="Newest first, then by lease id.")
    documents: list[ListedBillOut] = Field(description="By number.")
    leases: list[LeaseBalanceOut] = Field(description="By lease id.")


class BillOut(BillPaidOut):
    """A document, and what of it is paid."""

    document: BillDocument = Field(description="What it says.")
    document_hash: str = Field(description="SHA-256 of its bytes (`.json`), 0x-hex.")
    block_number: int | None = Field(description="Payments are those up to this indexed block.")


class BillDraftOut(BaseModel):
    """What the next document would say, by the statements that stand on-chain."""

    document: BillDocument = Field(description="It has no number and can change.")


def month_number(text: str) -> int:
    """Number of a month such as `2026-12`."""
    return int(text[:4]) * 12 + int(text[5:]) - 1


def chain_terms(service: Service, settlement_token: str) -> ChainTerms:
    """What bills need of the chain.

    Raises:  ChainUnavailable if the node does not say what the token is called.
    """
    deployment, facts = service.deployment, service.facts.read()
    if deployment is None:
        return ChainTerms(challenge_window_s(service), None, None, None)
    if facts.symbol is None:
        raise ChainUnavailable("the chain's node does not say what the settlement token is called")
    # Another token's units are nobody's dollars.
    own = deployment.settlement_token.lower() == settlement_token.lower()
    return ChainTerms(
        challenge_window_s=challenge_window_s(service),
        symbol=facts.symbol if own else None,
        decimals=facts.decimals if own else None,
        lockbox=deployment.rent_lockbox,
    )


def to_api_issued(row: BillRow) -> IssuedBillOut:
    """A document that was issued."""
    return IssuedBillOut(
        number=row.number,
        kind=row.kind,
        corrects=row.corrects,
        month=month_text(row.month),
        amount_micros=row.amount,
        issued_at_s=row.issued_at_s,
        due_at_s=row.due_at_s,
        through_statement=row.through,
        document_hash=hex32(row.document_hash),
    )


def to_api_paid(settlement: Settlement) -> BillPaidOut:
    """What became of what is asked for."""
    return BillPaidOut(
        credited_micros=settlement.credited,
        paid_micros=settlement.paid,
        open_micros=settlement.open,
    )


def to_api_document(view: DocumentView) -> ListedBillOut:
    """A document in the list."""
    return ListedBillOut(
        **to_api_issued(view.row).model_dump(),
        **to_api_paid(view.settlement).model_dump(),
        lease_id=view.lease_id,
        renter_ref=view.renter_ref,
    )


def to_api_month(view: MonthView) -> BillMonthOut:
    """A lease and month."""
    return BillMonthOut(
        **to_api_paid(view.settlement).model_dump(),
        month=month_text(view.month),
        lease_id=view.lease_id,
        renter_ref=view.renter_ref,
        state=view.state.value,
        stated_micros=view.stated_micros,
        billed_micros=view.billed_micros,
        numbers=list(view.numbers),
    )


@router.get(_BILLS, responses=errors(401, 403, 404, 422))
def list_bills(
    service: ServiceDep, operator_id: OperatorReader, facility_id: FacilityPath
) -> BillsOut:
    """Bills by month and lease: what was stated, billed, paid and is open.

    Figures come from statements on-chain and from rent that the index has seen.
    """
    return bills_of(service, operator_id, facility_id)


def bills_of(service: Service, operator_id: OperatorId, facility_id: FacilityId) -> BillsOut:
    """Bills of an operator's facility. Raises NotFound."""
    window_s = challenge_window_s(service)
    with own_facility(service.engine, operator_id, facility_id) as (connection, row):
        view = read_bills(connection, row, window_s=window_s)
    return BillsOut(
        block_number=view.block_number,
        months=[to_api_month(month) for month in view.months],
        documents=[to_api_document(document) for document in view.documents],
        leases=[
            LeaseBalanceOut(
                lease_id=lease.lease_id,
                paid_micros=lease.paid_micros,
                prepaid_left_micros=lease.prepaid_left_micros,
                credit_left_micros=lease.credit_left_micros,
            )
            for lease in view.leases
        ],
    )


@router.post(
    _BILLS,
    status_code=201,
    responses=errors(400, 401, 403, 404, 413, 422, 429) | already(IssuedBillsOut),
)
def issue_bills(
    service: ServiceDep,
    operator_id: LedgerWriter,
    facility_id: FacilityPath,
    body: IssueBillsIn,
    response: Response,
) -> IssuedBillsOut:
    """Issue bills of months that are stated whole, and notes of what was stated since.

    A document takes final statements alone, gets your next number, and never changes. The same
    request again issues what has become possible since, and answers 200 if that is nothing. So the
    documents of a lease and month always sum to what final statements stated of them, as far as
    they were issued.
    """
    # It goes through a month's facts, as a preview does.
    with service.preview_gate.admitted(operator_id):
        out = issue_of(service, operator_id, facility_id, body)
    if not out.issued:
        response.status_code = 200
    return out


def issue_of(
    service: Service, operator_id: OperatorId, facility_id: FacilityId, body: IssueBillsIn
) -> IssuedBillsOut:
    """Issue what can be issued of an operator's facility. Raises NotFound, ChainUnavailable."""
    with own_facility(service.engine, operator_id, facility_id) as (_, row):
        token = row.settlement_token
    issued = ledger.issue_bills(
        service.engine,
        operator_id,
        facility_id,
        Wanted(None if body.month is None else month_number(body.month), body.lease_id),
        chain=chain_terms(service, token),
        due_days=body.due_days,
        now_s=service.clock(),
    )
    return IssuedBillsOut(issued=[to_api_issued(row) for row in issued])


def _draft(
    service: Service, operator_id: OperatorId, facility_id: FacilityId, month: str, lease_id: str
) -> bytes:
    with own_facility(service.engine, operator_id, facility_id) as (_, row):
        token = row.settlement_token
    # No transaction stays open across calls of the chain.
    chain = chain_terms(service, token)
    with (
        service.preview_gate.admitted(operator_id),
        own_facility(service.engine, operator_id, facility_id) as (connection, row),
    ):
        lease = known_lease_named(connection, facility_id, lease_id)
        billing = read_billing(connection, row, window_s=chain.challenge_window_s)
        return draft(connection, billing, LeaseMonth(lease.lease, month_number(month)), chain=chain)


@router.get(f"{_BILLS}/draft", responses=errors(401, 403, 404, 422, 429))
def get_draft(
    service: ServiceDep,
    operator_id: OperatorReader,
    facility_id: FacilityPath,
    month: _MonthQuery,
    lease_id: _LeaseQuery,
) -> BillDraftOut:
    """What the next document of a lease and month would say, by statements on-chain."""
    data = _draft(service, operator_id, facility_id, month, lease_id)
    return BillDraftOut(document=BillDocument.model_validate_json(data))


@router.get(
    f"{_BILLS}/draft.{{suffix}}",
    responses=FILE | errors(401, 403, 404, 422, 429),
    response_class=Response,
)
def get_draft_file(
    service: ServiceDep,
    operator_id: OperatorReader,
    facility_id: FacilityPath,
    suffix: _FileSuffix,
    month: _MonthQuery,
    lease_id: _LeaseQuery,
) -> Response:
    """A draft as a file: JSON, CSV, HTML or PDF."""
    data = _draft(service, operator_id, facility_id, month, lease_id)
    return _file(service, data, suffix, None)


@router.get(
    f"{_BILLS}/{{number}}.{{suffix}}",
    responses=FILE | errors(401, 403, 404, 422),
    response_class=Response,
)
def get_bill_file(
    service: ServiceDep,
    operator_id: OperatorReader,
    facility_id: FacilityPath,
    number: _Number,
    suffix: _FileSuffix,
) -> Response:
    """A document as a file: JSON (the bytes of its hash), CSV, HTML or PDF."""
    bill, paid = bill_of(service, operator_id, facility_id, number)
    return _file(service, bill.document, suffix, paid)


def bill_of(
    service: Service, operator_id: OperatorId, facility_id: FacilityId, number: int
) -> tuple[NewBill, Paid]:
    """An issued document and what of it is paid. Raises NotFound, RecordsDamaged."""
    with own_facility(service.engine, operator_id, facility_id) as (connection, _):
        bill = stored_document(connection, facility_id, number)
        documents = bill_rows(connection, facility_id)
        block_number, settlement = settlement_of(connection, bill, documents)
    return bill, Paid(settlement, block_number)


@router.get(f"{_BILLS}/{{number}}", responses=errors(401, 403, 404, 422))
def get_bill(
    service: ServiceDep, operator_id: OperatorReader, facility_id: FacilityPath, number: _Number
) -> BillOut:
    """A document, and what of it is paid as of the newest indexed block."""
    bill, paid = bill_of(service, operator_id, facility_id, number)
    return BillOut(
        **to_api_paid(paid.settlement).model_dump(),
        document=BillDocument.model_validate_json(bill.document),
        document_hash=hex32(bill.document_hash),
        block_number=paid.block_number,
    )


def _file(service: Service, data: bytes, suffix: BillFile, paid: Paid | None) -> Response:
    return bill_file(data, suffix, base=base_of(service), paid=paid)


def base_of(service: Service) -> str:
    """Address of the service before the paths of links; empty where it is not said."""
    return (service.settings.public_url or "").rstrip("/")
