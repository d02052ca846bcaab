"""`rentroll attester`: the process of somebody else that recomputes, signs and refuses."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli import arguments, output
from api.cli.arguments import Json
from api.cli.stopping import end_in_time, stop_event
from api.telemetry.logs import log, start_logging

if TYPE_CHECKING:
    from api.attester.settings import AttesterSettings

attester = typer.Typer(
    no_args_is_help=True,
    help="Recompute statements; sign what holds and refuse what does not. See docs/ATTESTER.md.",
    epilog="Exit codes: 0 fine, 1 something is wrong, 2 wrong usage or settings, 3 not reachable.",
)
memory = typer.Typer(no_args_is_help=True, help="Move what an attester signed to another machine.")
attester.add_typer(memory, name="memory")
SettingsFile = Annotated[
    Path,
    typer.Option(
        "--settings",
        envvar="RENTROLL_ATTESTER_SETTINGS",
        dir_okay=False,
        help="The settings file.",
    ),
]
_DEFAULT = Path("attester.toml")
_MODE = 0o600


def _read(path: Path) -> "AttesterSettings":
    from api.attester.settings import read_settings

    return read_settings(path)


@attester.command("init")
def attester_init(
    folder: Annotated[
        Path, typer.Argument(file_okay=False, help="Folder for settings and key.")
    ] = Path(),
    url: Annotated[str, typer.Option(help="The service.")] = "https://rentroll.example",
    rpc: Annotated[str, typer.Option(help="A node of your own.")] = "http://127.0.0.1:8545",
    registry: Annotated[
        str, typer.Option(callback=arguments.address, help="StatementRegistry that you trust.")
    ] = "0x0000000000000000000000000000000000000000",
    no_key: Annotated[
        bool, typer.Option("--no-key", help="Make no keystore: the key is elsewhere.")
    ] = False,
) -> None:
    """Write a settings file and a key, and say what to do with them.

    No file is written over.
    """
    from api.attester.settings_text import settings_text
    from api.keys.keystore import make_keystore
    from api.local.secret_file import write_secret

    with output.failing():
        folder.mkdir(parents=True, exist_ok=True)
        settings = folder / _DEFAULT.name
        # A node's URL may hold a key of its own.
        text = settings_text(url=url, rpc_url=rpc, registry=registry)
        write_secret(settings, text.encode())
        typer.echo(f"settings: {settings}")
        if not no_key:
            store, password = folder / "attester.json", folder / "attester.password"
            address = make_keystore(store, password_file=password)
            typer.echo(f"keystore: {store}, its password: {password}")
            typer.echo(f"address: {address}")
        typer.echo("What comes next:")
        typer.echo(f"  1. put an API key of the role attester into {folder / 'api.key'},")
        typer.echo("     and run chmod 600 on it")
        typer.echo("  2. deposit the bond for this address, and ask governance for a seat")
        typer.echo(f"  3. rentroll attester check --settings {settings}")


@attester.command("check")
def attester_check(settings: SettingsFile = _DEFAULT, as_json: Json = False) -> None:
    """Say what the attester sees: key, service, node, contracts, seats, bond, memory, clock.

    Changes nothing, and may run beside the attester.
    """
    from api.attester.checks import look

    with output.failing():
        findings = look(_read(settings))
        output.show_findings(findings, as_json=as_json)
        if any(finding.level == "fail" for finding in findings):
            raise typer.Exit(output.EXIT_FOUND)


@attester.command("run")
def attester_run(
    settings: SettingsFile = _DEFAULT,
    once: Annotated[bool, typer.Option("--once", help="One round, then exit.")] = False,
) -> None:
    """Sign statements that the log gives to the byte, and pledges that clash with none.

    Only for facilities on whose panel this attester sits. What does not hold is refused, and the
    refusal served. A signal ends it after the running round, or in ten seconds.
    """
    from api.attester.running import run_once
    from api.cli.attester_process import run_process
    from api.cli.collecting import rarely_collecting

    rarely_collecting()

    stop = stop_event()
    with output.failing():
        read = _read(settings)
        start_logging("attester")
        end_in_time(stop, "attester", once=once)
        if once:
            verdicts = run_once(read, log=log)
            raise typer.Exit(0 if all(v.signed for v in verdicts) else output.EXIT_FOUND)
        run_process(read, stop)


@memory.command("export")
def memory_export(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="New file for the export.")],
    settings: SettingsFile = _DEFAULT,
) -> None:
    """Stop this signer for good, then write what it knows, for another machine to go on from.

    Asked again, the same export is written.
    """
    from api.attester.moving import export_memory
    from api.attester.wiring import now_s, open_memory
    from api.local.secret_file import write_secret

    with output.failing():
        if file.exists():
            raise typer.BadParameter(f"{file} is there already: it is not written over")
        with open_memory(_read(settings)) as held:
            write_secret(file, export_memory(held, now_s=now_s()))
        typer.echo(f"{file} holds the memory; this signer signs no more")


@memory.command("import")
def memory_import(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The export.")],
    settings: SettingsFile = _DEFAULT,
) -> None:
    """Take over what an export knows, the higher of each, and sign on from there.

    Refused for another key or registry, and for two logs of which none extends the other.
    """
    from api.attester.moving import import_memory
    from api.attester.wiring import extends_by, now_s, open_memory

    with output.failing():
        read = _read(settings)
        with open_memory(read) as held:
            facilities = import_memory(
                held, file.read_bytes(), extends=extends_by(read), now_s=now_s()
            )
        known = ", ".join(map(str, facilities)) or "none"
        typer.echo(f"facilities in the memory of {file}: {known}. This signer signs on")
