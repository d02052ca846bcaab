"""Public routes of one account: what it holds and what it did."""

from fastapi import APIRouter, Request

from api.pipeline.portfolio import read_portfolio
from api.routes import portfolio_schemas as schemas
from api.routes.parameters import AddressPath
from api.routes.problems import errors

router = APIRouter(tags=["public"])


@router.get("/v1/portfolio/{address}", responses=errors(422))
def get_portfolio(request: Request, address: AddressPath) -> schemas.PortfolioOut:
    """Positions, revenue, vouchers, refunds and eligibility, as of the newest indexed block."""
    state = request.app.state
    found = read_portfolio(state.engine, state.client, state.deployment, address)
    return schemas.PortfolioOut.model_validate(found)
