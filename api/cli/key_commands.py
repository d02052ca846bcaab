"""`rentroll register` and `rentroll keys`: operators and API keys, in the service's database."""

from typing import Annotated

import typer

from api.access.scopes import Role, Scope
from api.cli import arguments, key_output, output
from api.cli.arguments import Json, Limit
from api.cli.environment import settings

register = typer.Typer(no_args_is_help=True, help="Register operators and attester keys.")
keys = typer.Typer(
    no_args_is_help=True, help="List, make, rotate and revoke API keys; show who did it."
)
_HOUR_S, _DAY_S = 3_600, 86_400
KeyId = Annotated[
    str, typer.Argument(callback=arguments.key_id, help="Id of the key: how it begins.")
]
OfRole = Annotated[
    Role | None, typer.Option("--role", help="Keys of all attesters, or of all admins.")
]
OfOperator = Annotated[
    int | None, typer.Option("--operator", min=1, help="Keys of the operator with this number.")
]


def _role(role: Role | None, operator: int | None) -> Role | None:
    """The role that is meant. An operator's number says it, and nothing else may."""
    if operator is not None:
        if role not in (None, Role.OPERATOR):
            raise typer.BadParameter("--operator goes with role operator alone")
        return Role.OPERATOR
    if role is Role.OPERATOR:
        raise typer.BadParameter("say which one: --operator NUMBER")
    return role


@register.command("operator")
def register_operator(
    name: Annotated[str, typer.Argument(callback=arguments.name, help="Unique name.")],
    address: Annotated[
        str,
        typer.Argument(callback=arguments.address, help="Wallet that offers and mints, 0x-hex."),
    ],
    as_json: Json = False,
) -> None:
    """Register an operator and print its first API key, with all scopes, this once."""
    from api.cli import key_wiring

    with output.failing():
        key_output.show_new(key_wiring.add_operator(settings(), name, address), as_json=as_json)


@register.command("attester")
def register_attester(
    label: Annotated[str, typer.Argument(callback=arguments.name, help="Name of the key.")],
    address: Annotated[
        str,
        typer.Argument(
            callback=arguments.address, help="Account that it speaks for, once and for all, 0x-hex."
        ),
    ],
    as_json: Json = False,
) -> None:
    """Make an attester's API key, with all scopes, and print it, this once.

    It reads the logs of facilities where the account has a seat, and hands in what that signed.
    """
    from api.cli import key_wiring

    with output.failing():
        made = key_wiring.add_attester_key(settings(), label, address)
        key_output.show_new(made, as_json=as_json)


@keys.command("list")
def list_keys(
    role: OfRole = None,
    operator: OfOperator = None,
    ended: Annotated[bool, typer.Option("--ended", help="Also those that work no more.")] = False,
    as_json: Json = False,
) -> None:
    """List keys, newest first: whose, what they may do, when they were used last."""
    from api.cli import key_wiring

    whose = _role(role, operator)
    with output.failing():
        found = key_wiring.list_keys(settings(), role=whose, operator_id=operator, ended=ended)
        key_output.show_keys(found, as_json=as_json)


@keys.command("create")
def create_key(
    name: Annotated[
        str, typer.Argument(callback=arguments.name, help="Unique among live keys of its account.")
    ],
    role: OfRole = None,
    operator: OfOperator = None,
    attester: Annotated[
        str | None,
        typer.Option(
            callback=arguments.maybe(arguments.address),
            help="With --role attester: the account that it speaks for, once and for all, 0x-hex.",
        ),
    ] = None,
    scope: Annotated[
        list[Scope] | None,
        typer.Option(help="What it may do; repeat for more. Default is all of the role."),
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, max=3_660, help="It expires after so many days.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a key and print it, this once.

    Example: rentroll keys create collector-oslo --operator 1 --scope events:write
    """
    from api.cli import key_wiring

    whose = _role(role, operator)
    if whose is None:
        raise typer.BadParameter("say whose: --operator NUMBER, --role attester or --role admin")
    if (whose is Role.ATTESTER) != (attester is not None):
        raise typer.BadParameter("--attester ADDRESS goes with role attester, and with no other")
    life_s = None if days is None else days * _DAY_S
    with output.failing():
        made = key_wiring.make_key(
            settings(),
            name,
            role=whose,
            operator_id=operator,
            attester=attester,
            scopes=scope or (),
            life_s=life_s,
        )
        key_output.show_new(made, as_json=as_json)


@keys.command("rotate")
def rotate_key(
    key_id: KeyId,
    overlap_hours: Annotated[
        int, typer.Option(min=0, max=720, help="How long the old key works on.")
    ] = 24,
    as_json: Json = False,
) -> None:
    """Make a key's successor, with its name, scopes and account, and print it, this once."""
    from api.cli import key_wiring

    with output.failing():
        made = key_wiring.rotate_key(settings(), key_id, overlap_s=overlap_hours * _HOUR_S)
        key_output.show_new(made, as_json=as_json)


@keys.command("revoke")
def revoke_key(
    key_id: KeyId,
    in_hours: Annotated[
        int, typer.Option(min=0, max=87_840, help="End it then, in place of now.")
    ] = 0,
    as_json: Json = False,
) -> None:
    """End a key: from the next request on, or some hours from now.

    Doing it again changes nothing; an end can be brought forward and not put off.
    """
    from api.cli import key_wiring

    with output.failing():
        ended = key_wiring.revoke_key(settings(), key_id, after_s=in_hours * _HOUR_S)
        key_output.show_revoked(ended, as_json=as_json)


@keys.command("changes")
def list_changes(
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """Show who made, rotated and revoked which key, newest first."""
    from api.cli import key_wiring

    with output.failing():
        found = key_wiring.list_changes(settings(), limit=limit)
        key_output.show_changes(found, as_json=as_json)
