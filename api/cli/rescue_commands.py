"""`rentroll evidence`: published files against the database, and writing them again."""

import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli import output
from api.cli.arguments import Json
from api.cli.environment import settings as _settings

if TYPE_CHECKING:
    from api.rescue.check import Found
    from api.rescue.repair import Repaired

evidence = typer.Typer(
    no_args_is_help=True, help="Check published evidence against the database, and repair it."
)


@evidence.command("check")
def check(as_json: Json = False) -> None:
    """Compare every file that the database says was published with its bytes. Writes nothing.

    Exit code 1: a file is missing, damaged or nobody's. What is newer than the database is named,
    and no fault.
    """
    from api.cli.rescue_wiring import check_now

    with output.failing():
        found = check_now(_settings())
        _show_found(found, as_json=as_json)
        raise typer.Exit(1 if any(each.wrong for each in found) else 0)


@evidence.command("repair")
def repair(
    copy: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="A copy of the evidence, folder or URL, from anybody: only hashes are believed.",
        ),
    ] = None,
    aside: Annotated[
        Path | None,
        typer.Option(help="Where goes what is in the way; default is beside the evidence."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write again what is missing or damaged, to the byte, and set aside what is nobody's.

    From the database, where it comes to the bytes that were published; else from a copy. Nothing is
    deleted. Safe to run again, and while the service runs. Exit code 1: something stays wrong.
    """
    from api.cli.rescue_wiring import repair_now
    from api.evidence_store import open_evidence
    from api.rescue.repair import Outcome

    with output.failing(), ExitStack() as opened:
        source = None if copy is None else opened.enter_context(open_evidence(copy))
        done = repair_now(_settings(), source=source, aside=aside)
        _show_repaired(done, as_json=as_json)
        raise typer.Exit(1 if any(each.outcome is Outcome.REFUSED for each in done) else 0)


def _show_found(found: "Sequence[Found]", *, as_json: bool) -> None:
    if as_json:
        rows = [
            {"path": f.path, "state": f.state, "message": f.message, "facility_id": f.facility_id}
            for f in found
        ]
        typer.echo(json.dumps(rows))
        return
    for each in found:
        typer.echo(f"{each.state:9} {output.plain(each.path)}: {output.plain(each.message)}")
    wrong = sum(each.wrong for each in found)
    typer.echo(f"{wrong} files are wrong" if wrong else "the evidence is whole")


def _show_repaired(done: "Sequence[Repaired]", *, as_json: bool) -> None:
    if as_json:
        rows = [
            {
                "path": each.found.path,
                "state": each.found.state,
                "outcome": each.outcome,
                "message": each.message,
                "facility_id": each.found.facility_id,
            }
            for each in done
        ]
        typer.echo(json.dumps(rows))
        return
    for each in done:
        path, message = output.plain(each.found.path), output.plain(each.message)
        typer.echo(f"{each.outcome:9} {path} ({each.found.state}): {message}")
    if not done:
        typer.echo("the evidence is whole")
