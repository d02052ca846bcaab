"""What one account did, as JSON and as a statement in CSV."""

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from api.reads.history import HistoryEntryView, HistoryView, read_history, statement_csv
from api.routes.http.parameters import CSV_FILE, AddressPath, Offset, PageLimit, csv_answer
from api.routes.http.problems import errors
from api.routes.http.schemas import MICROS
from api.routes.service import ServiceDep

router = APIRouter(tags=["public"])


class HistoryEntryOut(BaseModel):
    """One thing that the account did or that happened to it."""

    event: str = Field(
        description="units_bought, units_minted, units_received, units_sent,"
        " units_burned, units_refunded, revenue_claimed, voucher_issued or voucher_paid."
    )
    facility_id: int | None = Field(description="Facility.")
    token_id: str | None = Field(description="ERC-1155 id as decimal text.")
    units: int | None = Field(description="Units, GPU-hours.")
    amount_micros: int | None = Field(description=f"Paid or received; {MICROS}.")
    counterparty: str | None = Field(
        description="The other account; of claims and refunds where the money went."
    )
    block_number: int = Field(description="Block.")
    block_time_s: int = Field(description="Time of the block, UTC seconds.")
    tx_hash: str = Field(description="Transaction, 0x-hex.")


class HistoryOut(BaseModel):
    """A page of history."""

    total: int = Field(description="Number of entries.")
    entries: list[HistoryEntryOut] = Field(description="Newest first.")


def to_api_entry(entry: HistoryEntryView) -> HistoryEntryOut:
    """One thing that an account did."""
    return HistoryEntryOut(
        event=entry.event,
        facility_id=entry.facility_id,
        token_id=entry.token_id,
        units=entry.units,
        amount_micros=entry.amount_micros,
        counterparty=entry.counterparty,
        block_number=entry.block_number,
        block_time_s=entry.block_time_s,
        tx_hash=entry.tx_hash,
    )


def to_api_history(history: HistoryView) -> HistoryOut:
    """A page of history."""
    return HistoryOut(
        total=history.total,
        entries=[to_api_entry(entry) for entry in history.entries],
    )


@router.get("/v1/portfolio/{address}/history", responses=errors(422))
def list_history(
    service: ServiceDep, address: AddressPath, offset: Offset = 0, limit: PageLimit = 100
) -> HistoryOut:
    """What the account did and received, newest first; each thing once.

    A purchase is `units_bought` and its mint is not listed beside it; the same for refunds and
    vouchers with their burns.
    """
    return to_api_history(read_history(service.engine, address, offset=offset, limit=limit))


@router.get(
    "/v1/portfolio/{address}/statement.csv",
    responses=CSV_FILE | errors(422),
    response_class=Response,
)
def export_statement(service: ServiceDep, address: AddressPath) -> Response:
    """All of the history, oldest first, with running totals.

    `units_held` is of the row's tranche, `spent_micros` is less refunds, `received_micros` is
    revenue and what vouchers were paid.
    """
    return csv_answer(statement_csv(service.engine, address), "statement.csv")
