"""What clients must know first: chain, contracts, settings."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.reads.settings import CHAINS
from api.routes.http.problems import errors
from api.routes.public.demo_accounts import DemoAccount
from api.routes.service import ServiceDep

router = APIRouter(tags=["public"])


class SettlementTokenOut(BaseModel):
    """The stablecoin of rent and revenue; null while no node answered yet."""

    address: str = Field(description="Checksummed address.")
    symbol: str | None = Field(description="Symbol.")
    name: str | None = Field(description="Name.")
    decimals: int | None = Field(
        description="Decimal places: 6 where its minor units are micros of a dollar."
    )


class ConfigOut(BaseModel):
    """What a client must know before it can talk to the contracts."""

    chain_id: int | None = Field(description="EIP-155 chain id; null without a deployment.")
    chain_name: str | None = Field(description="Name of the chain.")
    rpc_url: str = Field(description="JSON-RPC for browsers.")
    native_symbol: str = Field(description="Currency of fees.")
    settlement_token: SettlementTokenOut | None = Field(
        description="Settlement token; null without a deployment."
    )
    contracts: dict[str, str] = Field(description="Address by name; empty without a deployment.")
    challenge_window_s: int | None = Field(
        description="Seconds between posting and finality; null while no node answered yet."
    )
    confirmations: int | None = Field(
        description="Blocks behind the head that count as final; null: what the node calls"
        " `finalized`, and 12 where it calls nothing so."
    )
    explorer_url: str | None = Field(description="Block explorer; null if there is none.")
    clock: str = Field(description="Where time comes from: system or chain.")
    now_s: int = Field(description="Time now by that clock, UTC seconds.")
    demo_accounts: list[DemoAccount] = Field(description="Accounts of a demo; empty otherwise.")


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
        rpc_url=settings.public_rpc_url or settings.rpc_urls[0],
        native_symbol=symbol,
        settlement_token=token,
        contracts=dict(deployment.addresses) if deployment else {},
        challenge_window_s=facts.challenge_window_s,
        confirmations=settings.confirmations,
        explorer_url=settings.explorer_url,
        clock=settings.clock.value,
        now_s=service.clock(),
        demo_accounts=list(service.demo_accounts),
    )
