"""Answer of `/v1/config`."""

from pydantic import BaseModel, Field

from api.routes.public.demo_accounts import DemoAccount


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
    confirmations: int = Field(description="Blocks behind the head that count as final.")
    explorer_url: str | None = Field(description="Block explorer; null if there is none.")
    clock: str = Field(description="Where time comes from: system or chain.")
    now_s: int = Field(description="Time now by that clock, UTC seconds.")
    demo_accounts: list[DemoAccount] = Field(description="Accounts of a demo; empty otherwise.")
