"""Public route of what clients must know first."""

from fastapi import APIRouter

from api.reads.settings import CHAINS
from api.routes.http.problems import errors
from api.routes.public.config_schemas import ConfigOut, SettlementTokenOut
from api.routes.service import ServiceDep

router = APIRouter(tags=["public"])


@router.get("/v1/config", responses=errors())
def get_config(service: ServiceDep) -> ConfigOut:
    """Chain, contracts and settings that a web page needs; also without a deployment."""
    settings, deployment = service.settings, service.deployment
    facts = service.facts.read()
    chain_id = deployment.chain_id if deployment else None
    name, symbol = CHAINS.get(chain_id or 0, (None, "ETH"))
    if name is None and chain_id is not None:
        name = f"Chain {chain_id}"
    token = None
    if deployment is not None:
        token = SettlementTokenOut(
            address=deployment.settlement_token,
            symbol=facts.symbol,
            name=facts.name,
            decimals=facts.decimals,
        )
    return ConfigOut(
        chain_id=chain_id,
        chain_name=name,
        rpc_url=settings.public_rpc_url or settings.rpc_url,
        native_symbol=symbol,
        settlement_token=token,
        contracts=dict(deployment.addresses) if deployment else {},
        challenge_window_s=facts.challenge_window_s,
        confirmations=settings.confirmations,
        explorer_url=settings.explorer_url,
        clock=settings.clock.value,
        now_s=service.clock(),
        demo_accounts=service.demo_accounts,
    )
