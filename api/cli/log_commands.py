"""`rentroll log`: a facility's log, copies of it, and what it lost with a restored database."""

import json
from pathlib import Path
from typing import Annotated

import typer

from api.cli import output
from api.cli.arguments import ApiKey, ApiUrl, Facility, Json
from api.domain.units import FacilityId

log = typer.Typer(
    no_args_is_help=True,
    help="Where a facility's log stands; copies of it; what it lost, given back.",
)
File = Annotated[Path, typer.Option("--from", exists=True, dir_okay=False, help="The copy.")]


def _told(standing: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(standing, indent=2))
        return
    size, due = standing["size"], standing["due"]
    typer.echo(f"log {standing['log']}: {size} entries, head {standing['head']}")
    if isinstance(size, int) and isinstance(due, int) and due > size:
        typer.echo(f"It had {due}: its database was restored from an older copy.")
        typer.echo(f"Nobody has shown: {json.dumps(standing['missing'])}")
    for name, words in (("forks", "of a fork"), ("given_up", "given up")):
        entries = standing[name]
        for entry in entries if isinstance(entries, list) else ():
            typer.echo(f"entry {entry['number']}, {words}: {entry['entry']}")


@log.command("status")
def status(facility: Facility, api_url: ApiUrl = None, as_json: Json = False) -> None:
    """Show where a log ends, what it lacks of what it had, and forks of it.

    Exit code 1 if it lacks anything, or was forked.
    """
    from api.cli.operator_client import operator_client

    with output.failing(), operator_client(api_url, api_key="none") as client:
        standing = client.get_object(f"/v1/facilities/{facility}/log", {})
        _told(standing, as_json=as_json)
        if standing["missing"] or standing["forks"]:
            raise typer.Exit(output.EXIT_FOUND)


@log.command("copy")
def copy(
    facility: Facility,
    out: Annotated[Path, typer.Option("--out", dir_okay=False, help="File; it grows by each run.")],
    api_key: Annotated[
        str, typer.Option(envvar="RENTROLL_ATTESTER_KEY", help="An attester's API key.")
    ],
    api_url: ApiUrl = None,
) -> None:
    """Copy a log with its bodies, behind what the file has already. It is checked hash by hash.

    Of what nobody signed nobody has a receipt: after a disaster only such a copy has it.
    """
    from api.cli.environment import settings
    from api.cli.log_copies import copy_log

    with output.failing():
        url = (api_url or settings().api_url).rstrip("/")
        end = copy_log(url, api_key, FacilityId(facility), out)
        typer.echo(f"{out}: {end.size} entries, head 0x{end.head.hex()}")


@log.command("restore")
def restore(
    facility: Facility,
    file: File,
    api_key: ApiKey,
    api_url: ApiUrl = None,
    as_json: Json = False,
) -> None:
    """Give a log back what it lost and a copy has. Needs an API key with ledger:write.

    Only what the log's key signed is taken, and what leads to it hash by hash: first let the
    authors show their receipts (`rentroll agent resend --receipts`). Exit code 1 if anything is
    still missing.
    """
    from api.cli.log_copies import restore_log
    from api.cli.operator_client import operator_client

    def refused(number: int, why: str) -> None:
        typer.echo(f"entry {number} is not taken: {why}", err=True)

    with output.failing(), operator_client(api_url, api_key=api_key) as client:
        standing = restore_log(client, FacilityId(facility), file, on_refused=refused)
        _told(standing, as_json=as_json)
        if standing["missing"]:
            raise typer.Exit(output.EXIT_FOUND)


@log.command("give-up")
def give_up(
    facility: Facility,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without it nothing is done.")] = False,
) -> None:
    """Give up what a log lost, for ever, so that it takes new requests again.

    Run it where the service's database is. Whoever has receipts of those entries can prove that
    they were left out, and the service shows it itself; their keys sign nothing more in this log.
    """
    from api.cli.environment import settings
    from api.cli.log_wiring import give_up_lost

    with output.failing():
        if not yes:
            message = "receipts of what is given up prove an omission for ever: repeat with --yes"
            raise typer.BadParameter(message)
        count = give_up_lost(settings(), FacilityId(facility))
        typer.echo(f"{count} entries are given up; facility {facility} takes requests again")


@log.command("rotate-key")
def rotate_key(facility: Facility) -> None:
    """Let the key that signs a log's receipts name the one that takes its place.

    Run it where the service's database and key file are; first bring attesters and agents to a
    version that knows of it. The new key is that of the key file, made anew where the log has it
    already; the one of before stays beside it as `log-key-….pem`, for other logs. Of a key that
    is lost it says what the operator signs. After a restore from a copy of before, it gives the
    log back the entry that it lost.
    """
    from api.cli.environment import settings
    from api.cli.log_wiring import rotate_key as rotated

    with output.failing():
        done = rotated(settings(), FacilityId(facility))
        if done.again:
            typer.echo(f"entry {done.entry}, which names {done.key}, was given back to the log")
            return
        typer.echo(f"entry {done.entry} names {done.key}: it signs receipts from here on")
        typer.echo("Run it for each facility whose receipts the old key signs. Back up both files.")
