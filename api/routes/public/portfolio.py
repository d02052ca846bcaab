"""Public routes of one account: what it holds and what it did."""

from fastapi import APIRouter, Response

from api.reads.attesters import read_attesters
from api.reads.history import read_history, statement_csv
from api.reads.portfolio import read_portfolio
from api.routes.http.parameters import CSV_FILE, AddressPath, Offset, PageLimit, csv_answer
from api.routes.http.problems import errors
from api.routes.public import portfolio_schemas as schemas
from api.routes.service import ServiceDep

router = APIRouter(tags=["public"])


@router.get("/v1/portfolio/{address}", responses=errors(422))
def get_portfolio(service: ServiceDep, address: AddressPath) -> schemas.PortfolioOut:
    """Positions, revenue, vouchers, refunds and eligibility, as of the newest indexed block."""
    found = read_portfolio(service.engine, service.client, service.deployment, address)
    return schemas.PortfolioOut.model_validate(found)


@router.get("/v1/portfolio/{address}/history", responses=errors(422))
def list_history(
    service: ServiceDep, address: AddressPath, offset: Offset = 0, limit: PageLimit = 100
) -> schemas.HistoryOut:
    """What the account did and received, newest first; each thing once.

    A purchase is `units_bought` and its mint is not listed beside it; the same for refunds and
    vouchers with their burns.
    """
    found = read_history(service.engine, address, offset=offset, limit=limit)
    return schemas.HistoryOut.model_validate(found)


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


@router.get("/v1/attesters", responses=errors())
def list_attesters(service: ServiceDep) -> schemas.AttestersOut:
    """Every account that ever was an attester: its period, bond and record."""
    found = read_attesters(service.engine, service.client, service.deployment)
    return schemas.AttestersOut.model_validate(found)
