"""`rentroll intents`: what the relayer is to do on the chain, and what became of it."""

import json
from typing import Annotated

import typer

from api.cli import output
from api.cli.arguments import Json
from api.cli.environment import settings

intents = typer.Typer(
    no_args_is_help=True,
    help="Transactions of the relayer: list them, resend, cancel or take one over.",
)
Number = Annotated[int, typer.Argument(min=1, help="Number of the intent, as `list` shows it.")]


@intents.command("list")
def list_(
    everything: Annotated[bool, typer.Option("--all", help="Also what is final.")] = False,
    as_json: Json = False,
) -> None:
    """What is due, refused with why, sent or mined, and every transaction of it."""
    from api.cli import intents as verbs

    with output.failing():
        shown = verbs.listed(settings(), everything=everything)
        problems = verbs.problems(settings())
        if as_json:
            typer.echo(json.dumps({"problems": problems, "intents": shown}))
            return
        for problem in problems:
            typer.echo(f"{problem['sender']} sends nothing: {problem['problem']}")
        for row in shown:
            what = f"{row['kind']} of facility {row['facility_id']}, {row['epoch']}"
            why = f": {row['error']}" if row["error"] else ""
            typer.echo(f"{row['intent']:>6}  {row['state']:<10}  {what}{why}")
            for tx in row["transactions"]:
                where = f", block {tx['block']}" if tx["block"] is not None else ""
                note = f" ({tx['note']})" if tx["note"] else ""
                typer.echo(
                    f"        {tx['purpose']} {tx['hash']} {tx['state']}{where},"
                    f" nonce {tx['nonce']} of {tx['sender']}{note}"
                )
        if not shown:
            typer.echo("nothing is open")


@intents.command("resend")
def resend(intent: Number) -> None:
    """Try one again at once: refused, reverted, cancelled, or taken for final."""
    from api.cli import intents as verbs

    with output.failing():
        typer.echo(verbs.resend(settings(), intent))


@intents.command("cancel")
def cancel(intent: Number) -> None:
    """Take one back; if it is sent, its nonce goes to a transaction that does nothing."""
    from api.cli import intents as verbs

    with output.failing():
        typer.echo(verbs.cancel(settings(), intent))


@intents.command("adopt")
def adopt(intent: Number) -> None:
    """Let the present key take over what a former key's transaction carries.

    It does so by itself once the former key cannot pay, or signed nothing for some blocks.
    """
    from api.cli import intents as verbs

    with output.failing():
        typer.echo(verbs.adopt(settings(), intent))
