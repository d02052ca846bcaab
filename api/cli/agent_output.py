"""What the command line prints of the agent."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from api.domain.metering.instants import format_instant

if TYPE_CHECKING:
    from api.agent.flights import Refused


def show_made(settings: Path, key: Path, public: str) -> None:
    """Say what was made, and what comes next."""
    typer.echo(f"settings: {settings}")
    typer.echo(f"key: {key}")
    typer.echo(f"public key: {public}")
    typer.echo("The private key stays in its file. The operator enters the public key for this")
    typer.echo("agent once requests are signed; until then an API key shows who sends:")
    typer.echo(f"  1. put a key with the scope events:write into {settings.parent / 'api.key'},")
    typer.echo("     and run chmod 600 on it")
    typer.echo(f"  2. turn on sources and write [[lease]] rows in {settings}")
    typer.echo(f"  3. rentroll agent check --settings {settings}")


def show_refused(events: Sequence["Refused"], *, as_json: bool) -> None:
    """Print events that were refused, newest first."""
    if as_json:
        rows = [
            {
                "source": each.source,
                "id": each.id,
                "code": each.code,
                "detail": each.detail,
                "answered_s": each.answered_s,
                "event": json.loads(each.body),
            }
            for each in events
        ]
        typer.echo(json.dumps(rows))
        return
    if not events:
        typer.echo("no event is refused")
    for each in events:
        typer.echo(f"{format_instant(each.answered_s)}  {each.code}  {each.id}")
        typer.echo(f"      {each.detail}")
