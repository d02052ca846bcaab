"""Options of commands: one name says the same in every `--help`."""

import click
import typer

from api.cli.commands import app

# Options whose names are short for different things in different commands.
DIFFER = {
    "--api-key": "whose it is",
    "--from": "from when; from where: a backup, or any copy of the evidence",
    "--once": "one round; up to the head",
    "--out": "a file; a folder",
    "--receipts": "what is judged by; what is given back",
    "--renter": "whose secret; whose lines",
    "--yes": "is asked otherwise; is refused otherwise",
    "--days": "how long a key, an order or a refusal counts",
    "--evidence": "what is refused; where it is read",
    "--facility": "whose devices a file speaks of; the only one to close",
    "--lease": "what is listed; whom an outage was kept from",
    "--registry": "what is trusted; `verify` goes by the evidence without it",
}


def _options(command: click.Command) -> list[tuple[str, str]]:
    """Names and help of the options of a command and all below it."""
    found = [
        (name, option.help or "")
        for option in command.params
        if option.param_type_name == "option"
        for name in option.opts
    ]
    for below in getattr(command, "commands", {}).values():
        found += _options(below)
    return found


def test_options__of_one_name__have_one_help() -> None:
    words: dict[str, set[str]] = {}
    for name, said in _options(typer.main.get_command(app)):
        words.setdefault(name, set()).add(said)

    assert {name for name, said in words.items() if len(said) > 1} == set(DIFFER)
    assert {"--api-key", "--api-url", "--dry-run", "--report"} <= words.keys()
    assert not [name for name, said in words.items() if "" in said]
