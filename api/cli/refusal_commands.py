"""`rentroll refuse`: what attesters sign instead of a statement, and the transactions of it."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from api.cli import output
from api.cli.arguments import Facility
from api.cli.environment import settings
from api.domain.units import FacilityId

refuse = typer.Typer(
    no_args_is_help=True, help="Refuse a statement or published evidence, with code and place."
)


class RefusalReason(StrEnum):
    """Why an attester refuses: as `RefusalCode` of the domain, which starts no command."""

    not_recomputed = "not-recomputed"
    memory_contradicted = "memory-contradicted"
    evidence_missing = "evidence-missing"


def _hash(value: str | None) -> str | None:
    if value is not None and not re.fullmatch("0x[0-9a-fA-F]{64}", value):
        raise typer.BadParameter("must be 0x and 64 hex digits")
    return value


@refuse.command("sign")
def sign(
    key_file: Annotated[Path, typer.Argument(help="Key of an attester, hex.")],
    facility: Facility,
    epoch: Annotated[int, typer.Argument(min=0, help="Epoch, or the number of the closing.")],
    code: Annotated[
        RefusalReason, typer.Option(help="Why. Not yet is no reason.")
    ] = RefusalReason.not_recomputed,
    place: Annotated[
        str, typer.Option(help="File and line, such as lines.csv:17; 32 characters at most.")
    ] = "",
    evidence: Annotated[
        str | None,
        typer.Option(
            metavar="HASH",
            callback=_hash,
            help="Evidence that is refused; default is what its operator published.",
        ),
    ] = None,
    statement: Annotated[
        str | None,
        typer.Option(
            metavar="HASH",
            callback=_hash,
            help="Statement that is refused, if one was shown.",
        ),
    ] = None,
    days: Annotated[
        int, typer.Option(min=1, max=90, help="How long it can take back what is published.")
    ] = 7,
) -> None:
    """Sign that a statement or published evidence is refused, and why; print a line.

    Look first: rejected, the operator loses that epoch and all later ones until they are stated.
    Nothing is sent; `refuse call` and `refuse reject` take the lines.
    """
    from api.cli import refusals
    from api.domain.json_text import as_bytes32
    from api.domain.statements.refusals import NO_HASH, RefusalCode
    from api.domain.units import Epoch

    with output.failing():
        line = refusals.sign_refusal(
            settings(),
            key_file,
            FacilityId(facility),
            Epoch(epoch),
            code=RefusalCode[code.name.upper()],
            place=place,
            days=days,
            evidence_hash=None if evidence is None else as_bytes32(evidence),
            statement_hash=NO_HASH if statement is None else as_bytes32(statement),
        )
        typer.echo(line)


@refuse.command("call")
def call(
    lines: Annotated[list[str], typer.Argument(help="Lines of `refuse sign`, one each.")],
) -> None:
    """Print the transaction that makes refusals public, which are paid as signatures are."""
    from api.cli import refusals

    with output.failing():
        typer.echo(refusals.refusal_call(settings(), lines))


@refuse.command("reject")
def reject(
    lines: Annotated[
        list[str] | None, typer.Argument(help="Refusals as JSON, one each; or find them.")
    ] = None,
    facility: Annotated[
        int | None, typer.Option(min=0, help="Facility whose refusals are looked for.")
    ] = None,
    epoch: Annotated[int | None, typer.Option(min=0, help="Epoch of what was published.")] = None,
    service: Annotated[
        str | None, typer.Option(help="Service that was handed refusals, http(s)://…")
    ] = None,
) -> None:
    """Print the transaction that takes published evidence back. Anybody may send it; nothing is.

    Without lines, refusals are looked for at the service and at the URLs that the facility's
    attesters set on-chain. Exit code 1: fewer than it takes.
    """
    from api.cli import finding_refusals, refusals
    from api.domain.units import Epoch

    with output.failing():
        if lines:
            typer.echo(refusals.rejection_call(settings(), lines))
            return
        if facility is None or epoch is None:
            raise typer.BadParameter("give refusals, or --facility and --epoch to look for them")
        found = finding_refusals.find_rejection(
            settings(), FacilityId(facility), Epoch(epoch), service=service
        )
        for said in found.told:
            typer.echo(said, err=True)
        if found.call is None:
            raise typer.Exit(output.EXIT_FOUND)
        typer.echo(found.call)
