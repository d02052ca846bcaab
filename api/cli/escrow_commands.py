"""`rentroll escrow`: what an operator keeps of its facilities, for a successor of the service."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli import output
from api.cli.arguments import ApiKey, ApiUrl, Json
from api.domain.units import FacilityId
from api.errors import AppError

if TYPE_CHECKING:
    from api.rescue.escrow_check import Checked

escrow = typer.Typer(
    no_args_is_help=True,
    help="What only the service's database knows of your facilities, kept by you.",
)
_Evidence = Annotated[
    str | None,
    typer.Option(help="Published evidence, a folder or URL, to compare with."),
]


@escrow.command("pull")
def pull(
    out: Annotated[Path, typer.Option("--out", file_okay=False, help="Folder; it grows.")],
    api_key: ApiKey,
    facility: Annotated[
        list[int] | None, typer.Option("--facility", min=1, help="Only these; default is all.")
    ] = None,
    evidence: _Evidence = None,
    api_url: ApiUrl = None,
    as_json: Json = False,
) -> None:
    """Bring the escrow of your facilities up to date, and check it hash by hash.

    It holds the secret of every renter's name: the folder is for your eyes alone, and is not
    encrypted. Run it every hour: what is newer comes back from your agents, and what nobody signed
    does not. Needs an API key with read and ledger:write. Cut short, run it again.

    Exit code 1: a facility's escrow could not be brought up to date, or does not hold.
    """
    from api.cli.environment import settings
    from api.cli.escrow_pull import own_facilities, pull_escrow
    from api.cli.operator_client import operator_client
    from api.evidence_store import open_evidence

    failed = False
    with output.failing(), operator_client(api_url, api_key=api_key) as client:
        where = evidence or f"{(api_url or settings().api_url).rstrip('/')}/v1/evidence"
        ids = own_facilities(client) if not facility else [FacilityId(i) for i in facility]
        with open_evidence(where) as source:
            for facility_id in ids:
                try:
                    checked = pull_escrow(client, facility_id, out, source)
                except AppError as error:
                    typer.echo(f"facility {facility_id}: {output.plain(error.message)}", err=True)
                    failed = True
                    continue
                _show(checked, as_json=as_json)
    raise typer.Exit(output.EXIT_FOUND if failed else 0)


@escrow.command("check")
def check(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="The escrow.")],
    evidence: _Evidence = None,
    as_json: Json = False,
) -> None:
    """Check every hash of an escrow, without a service; with evidence, that it is the log of that.

    Exit code 1: something does not hold.
    """
    from contextlib import nullcontext

    from api.evidence_store import open_evidence
    from api.rescue.escrow import escrow_of, facilities_in
    from api.rescue.escrow_check import check_escrow

    failed = False
    with output.failing():
        opened = nullcontext(None) if evidence is None else open_evidence(evidence)
        with opened as source:
            for facility_id in facilities_in(folder):
                try:
                    checked = check_escrow(escrow_of(folder, facility_id), source)
                    _show(checked, as_json=as_json)
                except AppError as error:
                    typer.echo(f"facility {facility_id}: {output.plain(error.message)}", err=True)
                    failed = True
    raise typer.Exit(output.EXIT_FOUND if failed else 0)


def _show(checked: "Checked", *, as_json: bool) -> None:
    facility_id, end = checked.state.facility_id, checked.end
    if as_json:
        row = {
            "facility_id": facility_id,
            "entries": end.size,
            "head": "0x" + end.head.hex(),
            "signed": checked.signed,
            "said": checked.said,
        }
        typer.echo(json.dumps(row))
        return
    typer.echo(f"facility {facility_id}: {end.size} entries, the log's key signed {checked.signed}")
    for each in checked.said:
        typer.echo(f"  {output.plain(each)}")
