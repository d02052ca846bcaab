"""Accounts of a demo that a visitor may look at, from a file that the settings name."""

from pathlib import Path

from pydantic import Field, TypeAdapter, ValidationError

from api.errors import Misconfigured
from api.routes.http.schemas import Address, Name, Strict, Text


class DemoAccount(Strict):
    """An account of a demo that a visitor may look at."""

    role: Name = Field(description="What it does: investor, operator, auditor or renter.")
    address: Address = Field(description="Wallet address.")
    name: Name = Field(description="For people.")
    note: Text = Field(description="What to look at with it.")


def load_demo_accounts(path: Path | None) -> tuple[DemoAccount, ...]:
    """Accounts of a JSON file. Raises Misconfigured saying what is wrong."""
    if path is None:
        return ()
    try:
        return tuple(TypeAdapter(list[DemoAccount]).validate_json(path.read_bytes()))
    except OSError as error:
        message = f"RENTROLL_DEMO_ACCOUNTS_FILE {path} cannot be read: {error.strerror}"
        raise Misconfigured(message) from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(step) for step in first["loc"]) or "the file"
        message = f"RENTROLL_DEMO_ACCOUNTS_FILE {path}: {field}: {first['msg']}"
        raise Misconfigured(message) from error
