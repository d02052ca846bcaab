"""`rentroll replace`: a card that failed gives its place to another one, over the service's API."""

import json
from typing import Annotated

import typer

from api.cli import output
from api.cli.arguments import ApiKey, ApiUrl, Facility, Json, Reason

replace = typer.Typer(
    no_args_is_help=True, help="Replace a card that failed, from an epoch on (RMA)."
)


def _show(row: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(row))
        return
    line = (
        f"{row['state']}: {row['new']} in the place of {row['old']} from epoch {row['from_epoch']}"
    )
    if row["signatures"] is not None:
        line += f", {row['signatures']} of {row['threshold']} signatures"
    typer.echo(line)
    if row["transaction"] is not None:
        typer.echo(f"send before the epoch begins: {json.dumps(row['transaction'])}")


@replace.command("ask")
def ask(
    facility: Facility,
    old: Annotated[str, typer.Argument(help="Name of the device that goes.")],
    new: Annotated[str, typer.Argument(help="Name of the device that comes.")],
    reason: Reason,
    api_key: ApiKey,
    card: Annotated[str | None, typer.Option(help="Of a slice: its card.")] = None,
    profile: Annotated[str | None, typer.Option(help="Of a slice: its profile.")] = None,
    from_epoch: Annotated[
        int | None, typer.Option(min=0, help="First epoch of the new one; default is the next.")
    ] = None,
    api_url: ApiUrl = None,
    as_json: Json = False,
) -> None:
    """Ask for a device to be replaced, and attesters to sign it. Safe to run again.

    Until the epoch the failed one stays: tell its outage.
    """
    from api.cli.operator_client import operator_client

    if (card is None) != (profile is None):
        raise typer.BadParameter("--card and --profile go together, for slices")
    coming = new if card is None else {"device": new, "card": card, "profile": profile}
    body = {"old": old, "new": coming, "reason": reason, "from_epoch": from_epoch}
    with output.failing(), operator_client(api_url, api_key=api_key) as api:
        _show(api.post(f"/v1/facilities/{facility}/replacements", body), as_json=as_json)


@replace.command("withdraw")
def withdraw(
    facility: Facility,
    new: Annotated[str, typer.Argument(help="Name of the device that was to come.")],
    api_key: ApiKey,
    api_url: ApiUrl = None,
    as_json: Json = False,
) -> None:
    """Take back what was asked for and is not approved; the old device stays. Safe to run again.

    A transaction that was shown before can still be sent until its epoch begins, and counts.
    """
    from api.cli.operator_client import operator_client
    from api.domain.json_text import as_list, as_object
    from api.errors import NotFound

    path = f"/v1/facilities/{facility}/replacements"
    with output.failing(), operator_client(api_url, api_key=api_key) as api:
        asked = [as_object(row) for row in as_list(api.get(path))]
        named = [row for row in asked if row["new"] == new]
        # One waits at a time; otherwise the newest says what became of it.
        named = [row for row in named if row["state"] == "pending"] or named[-1:]
        if not named:
            message = f"facility {facility} was asked for no replacement by {new}"
            raise NotFound(message, facility_id=facility)
        root = named[0]["pledge_root"]
        _show(api.post(f"{path}/{root}/withdraw", {}), as_json=as_json)


@replace.command("list")
def show(
    facility: Facility, api_key: ApiKey, api_url: ApiUrl = None, as_json: Json = False
) -> None:
    """Show what was asked for, what became of it, and the transaction that the operator's wallet
    sends."""
    from api.cli.operator_client import operator_client
    from api.domain.json_text import as_list, as_object

    with output.failing(), operator_client(api_url, api_key=api_key) as api:
        for row in as_list(api.get(f"/v1/facilities/{facility}/replacements")):
            _show(as_object(row), as_json=as_json)
