"""`rentroll takeover`: a new service from the chain, published evidence and operators' escrows."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli import output
from api.cli.arguments import Json
from api.cli.environment import settings as _settings
from api.domain.units import FacilityId

if TYPE_CHECKING:
    from api.rescue.taken import OnProgress
    from api.rescue.takeover import TakenOver

# What no escrow has, and what comes next.
_NOT_BACK = (
    "bills, disclosures of hardware, rejected events, and what nobody signed and no escrow has",
    "API keys and sessions: the admin makes operators one each (`rentroll keys create first"
    " --operator NUMBER`), and attesters theirs (`rentroll register attester`)",
)
_NEXT = (
    "bring the key of the logs (RENTROLL_LOG_KEY_FILE), a key of the relayer with its role and gas",
    "start `rentroll serve`, tell agents and attesters the new URL, then start `rentroll worker`",
    "ask operators for `rentroll escrow pull` into a new folder, and make a backup",
)


def takeover(
    escrows: Annotated[
        list[Path], typer.Argument(exists=True, file_okay=False, help="Operators' escrows.")
    ],
    evidence: Annotated[
        str | None,
        typer.Option(
            help="The published evidence, folder or URL of any copy; default RENTROLL_EVIDENCE_DIR."
        ),
    ] = None,
    without: Annotated[
        list[int] | None,
        typer.Option("--without", min=1, help="Leave this facility out, for ever: it is lost."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Judge everything, and keep nothing.")
    ] = False,
    scratch: Annotated[
        Path | None,
        typer.Option(help="Folder to work in; it is taken away. Default is beside the evidence."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a new database by which another service closes the next epoch to the same bytes.

    The chain is believed for what is posted, evidence by its hashes, logs by their hash chains up
    to what the log's key or a posted statement vouches for. Every statement that was posted or
    published is closed again and has to come to the same bytes; anything else stops it, and names
    facility, epoch and file. The database (DATABASE_URL, SQLite or PostgreSQL) has to be empty, and
    is written whole or not at all: cut short, run it again.

    Exit code 1: something does not hold; 3: the node or the database does not answer.
    """
    from api.cli.rescue_wiring import takeover_now
    from api.evidence_store import open_evidence

    with output.failing():
        settings = _settings()
        with open_evidence(evidence or str(settings.evidence_dir)) as source:
            done = takeover_now(
                settings,
                escrows,
                source,
                without=[FacilityId(each) for each in without or ()],
                dry_run=dry_run,
                scratch=scratch,
                on_progress=_progress(quiet=as_json),
            )
        _show(done, dry_run=dry_run, as_json=as_json)


def _progress(*, quiet: bool) -> "OnProgress":
    def say(facility_id: FacilityId, what: str, done: int) -> None:
        if not quiet:
            of = f"facility {facility_id}" if facility_id else "chain"
            typer.echo(f"{of}: {what} {done}" if done else f"{of}: {what}", err=True)

    return say


def _show(done: "TakenOver", *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        rows = [
            {
                "facility_id": each.facility_id,
                "operator_id": each.operator_id,
                "operator": each.operator_name,
                "entries": each.entries,
                "statements": each.statements,
                "said": each.said,
            }
            for each in done.facilities
        ]
        document = {
            "facilities": rows,
            "without": done.without,
            "block": done.block,
            "dry_run": dry_run,
        }
        typer.echo(json.dumps(document))
        return
    for each in done.facilities:
        count = f"{each.entries} entries, {each.statements} statements to the same bytes"
        of = f"operator {each.operator_id}, {output.plain(each.operator_name)}"
        typer.echo(f"facility {each.facility_id} ({of}): {count}")
        for sentence in each.said:
            typer.echo(f"  {output.plain(sentence)}")
    for facility_id in done.without:
        typer.echo(f"facility {facility_id}: left out")
    if dry_run:
        typer.echo(f"nothing was kept; as of block {done.block} it can be taken over")
        return
    typer.echo(f"taken over as of block {done.block}. Not back:")
    for sentence in _NOT_BACK:
        typer.echo(f"  {sentence}")
    typer.echo("Next:")
    for sentence in _NEXT:
        typer.echo(f"  {sentence}")
