"""What the command line prints of API keys."""

import json
from collections.abc import Mapping, Sequence

import typer

from api.access.scopes import Role
from api.domain.metering.instants import format_instant

Shown = Mapping[str, object]


def _time(value: object) -> str:
    return format_instant(value) if isinstance(value, int) else "never"


def _owner(key: Shown) -> str:
    if key["role"] == Role.ATTESTER:
        return f"{key['role']} {key['attester'] or 'of no account: it may nothing, make another'}"
    number = key["operator_id"]
    return str(key["role"]) if number is None else f"{key['role']} {number}"


def show_new(values: Shown, *, as_json: bool) -> None:
    """Print a new key."""
    if as_json:
        typer.echo(json.dumps(values))
        return
    for name, value in values.items():
        if value is not None:
            shown = _time(value) if name.endswith("_s") else value
            typer.echo(f"{name.removesuffix('_s')}: {shown}")
    typer.echo("Keep the key: it is stored only as a hash and never shown again.")


def show_keys(keys: Sequence[Shown], *, as_json: bool) -> None:
    """Print a list of keys, three lines each."""
    if as_json:
        typer.echo(json.dumps(keys))
        return
    for key in keys:
        typer.echo(f"{key['key_id']}  {key['state']}  {_owner(key)}  {key['name']}")
        typer.echo(f"  may: {key['scopes']}")
        ends = [f"last used {_time(key['last_used_s'])}"]
        if key["expires_at_s"] is not None:
            ends.append(f"expires {_time(key['expires_at_s'])}")
        if key["revoked_at_s"] is not None:
            ends.append(f"ends {_time(key['revoked_at_s'])}")
        if key["successor_id"] is not None:
            ends.append(f"replaced by {key['successor_id']}")
        made = f"created {_time(key['created_at_s'])} by {key['created_by']}"
        typer.echo(f"  {', '.join([made, *ends])}")
    typer.echo(f"{len(keys)} keys")


def show_revoked(key: Shown, *, as_json: bool) -> None:
    """Print what became of a key."""
    if as_json:
        typer.echo(json.dumps(key))
        return
    said = "" if key["changed"] else "nothing changed: "
    typer.echo(f"{said}{key['key_id']} ({key['name']}) ends {_time(key['revoked_at_s'])}")


def show_changes(changes: Sequence[Shown], *, as_json: bool) -> None:
    """Print changes of keys, one a line."""
    if as_json:
        typer.echo(json.dumps(changes))
        return
    for change in changes:
        until = "" if change["ends_at_s"] is None else f", ends {_time(change['ends_at_s'])}"
        typer.echo(
            f"{_time(change['at_s'])}  {change['change']} {change['key_id']}"
            f" ({change['name']}, {_owner(change)}) by {change['actor']}{until}"
        )
