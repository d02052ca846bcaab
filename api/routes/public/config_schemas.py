"""Answer of `/v1/config`, and the file of demo accounts."""

from pathlib import Path

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from api.errors import Misconfigured
from api.routes.operator.schemas import Address, Name, Strict, Text


class DemoAccount(Strict):
    """An account of a demo that a visitor may look at."""

    role: Name = Field(description="What it does: investor, operator, auditor or renter.")
    address: Address = Field(description="Wallet address.")
    name: Name = Field(description="For people.")
    note: Text = Field(description="What to look at with it.")


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


def load_demo_accounts(path: Path | None) -> list[DemoAccount]:
    """Accounts of a JSON file. Raises Misconfigured saying what is wrong."""
    if path is None:
        return []
    try:
        return TypeAdapter(list[DemoAccount]).validate_json(path.read_bytes())
    except OSError as error:
        message = f"RENTROLL_DEMO_ACCOUNTS_FILE {path} cannot be read: {error.strerror}"
        raise Misconfigured(message) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        message = f"RENTROLL_DEMO_ACCOUNTS_FILE {path}: {place}: {first['msg']}"
        raise Misconfigured(message) from error
