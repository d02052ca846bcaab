"""What the command line prints of the agent."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from api.domain.metering.instants import format_instant

if TYPE_CHECKING:
    from api.agent.flights import Refused
    from api.agent.receipts import Held
    from api.domain.log.receipts import Receipt


def show_made(settings: Path, key: Path, public: str) -> None:
    """Say what was made, and what comes next."""
    typer.echo(f"settings: {settings}")
    typer.echo(f"key: {key}")
    typer.echo(f"public key: {public}")
    typer.echo("The private key stays in its file, and signs all that the agent sends. Next:")
    typer.echo("  1. the operator lets the log take it:")
    typer.echo(f"       rentroll ledger-key bring FACILITY {public} NAME --ledger-key FILE")
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


def show_receipts(receipts: Sequence["Receipt"], *, as_json: bool) -> None:
    """Print receipts, by log and entry."""
    from api.domain.log.receipts import receipt_document

    if as_json:
        typer.echo(json.dumps([receipt_document(receipt) for receipt in receipts]))
        return
    if not receipts:
        typer.echo("no receipt is kept")
    for receipt in receipts:
        entry = receipt.entry
        when, kind = format_instant(entry.recorded_at_s), entry.kind.name.lower()
        typer.echo(f"{when}  entry {entry.number} of log {entry.log}  {kind}")


def write_receipts(folder: Path, receipts: Sequence["Receipt"], logs: Sequence[bytes]) -> int:
    """Write each receipt into a file of its own, as the service answered it; returns how many.

    Args:    logs: what the service said of logs: of those whose key was followed by another, who
             named it is proof as well, and is written beside.

    Raises:  InvalidInput if the folder cannot be written.
    """
    from api.domain.log.entry import entry_hash
    from api.domain.log.receipts import receipt_document
    from api.errors import InvalidInput

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for receipt in receipts:
            log = str(receipt.entry.log).replace(":", "-")
            # Zeros in front: files sort as entries do. Two of one number are a fork, and both stay.
            named = f"{receipt.entry.number:012}-{entry_hash(receipt.entry).hex()[:12]}"
            file = folder / f"{log}-{named}.json"
            file.write_text(json.dumps(receipt_document(receipt)) + "\n")
        for said in map(json.loads, logs):
            if said.get("successors"):
                name = str(said["log"]).replace(":", "-")
                (folder / f"{name}-keys.json").write_text(json.dumps(said) + "\n")
    except OSError as error:
        message = f"{folder} cannot be written: {error.strerror}"
        raise InvalidInput(message, field="out") from error
    return len(receipts)


def show_held(held: "Held", *, as_json: bool) -> None:
    """Print what became of receipts that were held to published logs."""
    from api.cli import output

    if as_json:
        found = [{"name": f.name, "message": f.message} for f in held.findings]
        said = {"found": held.found, "waiting": held.waiting, "findings": found}
        typer.echo(json.dumps(said))
        return
    output.show_findings(held.findings, as_json=False)
    typer.echo(f"{held.found} receipts are in the published log")
    if held.waiting:
        typer.echo(f"{held.waiting} are newer than its last statement, and wait for the next")
