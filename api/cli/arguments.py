"""Arguments and options that several commands take, checked before a command runs."""

import re
from collections.abc import Callable
from typing import Annotated

import typer

from api.domain.units import Bytes32

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Facility = Annotated[int, typer.Argument(min=1, help="Facility.")]
ApiKey = Annotated[str, typer.Option(envvar="RENTROLL_OPERATOR_KEY", help="Operator's key.")]
ApiUrl = Annotated[
    str | None, typer.Option(help="The API; default is the setting, RENTROLL_API_URL.")
]
Limit = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="At most so many.")]
OnlyLease = Annotated[
    str | None, typer.Option("--lease", help="Only of this lease, by your id of it.")
]
_REASON = "For people, such as a ticket's number; never personal data."
Reason = Annotated[str, typer.Option("--reason", help=_REASON)]
MaybeReason = Annotated[str | None, typer.Option("--reason", help=_REASON)]


def matching(pattern: str, wanted: str) -> Callable[[str], str]:
    """Callback of an argument that must match, or it is wrong usage."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise typer.BadParameter(f"must be {wanted}")
        return value

    return check


def maybe(check: Callable[[str], str]) -> Callable[[str | None], str | None]:
    """The same of an option that can be left out."""
    return lambda value: None if value is None else check(value)


# The same bounds as the HTTP routes have.
name = matching(r"[^\x00-\x1f\x7f]{1,80}", "1 to 80 characters, no control characters")
address = matching("0x[0-9a-fA-F]{40}", "0x and 40 hex digits")
hash_hex = matching("0x[0-9a-fA-F]{64}", "0x and 64 hex digits")
key_id = matching(r"rr_(ad|at|op)_[0-9A-Za-z]{12}", "how a key begins: rr_op_ and 12 characters")
utc_offset = matching(r"[+-]([01]\d|2[0-3]):[0-5]\d", "like +08:00")

OneLease = Annotated[
    str | None, typer.Option(help="Show the lines of this lease, by its operator's id of it.")
]
OneRenter = Annotated[str | None, typer.Option(help="Show the lines of all leases of this renter.")]
NameSecret = Annotated[
    str | None,
    typer.Option(
        envvar="RENTROLL_NAME_SECRET",
        callback=maybe(hash_hex),
        help="The secret of that name, which the operator hands on.",
    ),
]


def named(
    lease: str | None, renter: str | None, secret: str | None
) -> tuple[str, Bytes32, bool] | None:
    """A name, its secret, and whether it is a renter's; None where none is given."""
    if lease is not None and renter is not None:
        raise typer.BadParameter("--lease or --renter, not both")
    name = lease if renter is None else renter
    if (name is None) != (secret is None):
        raise typer.BadParameter("--lease or --renter, and --secret, go together")
    if name is None or secret is None:
        return None
    return name, Bytes32(bytes.fromhex(secret[2:])), renter is not None
