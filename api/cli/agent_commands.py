"""`rentroll agent`: the process near the GPUs that tells the service what they did."""

import signal
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli import agent_output, output
from api.cli.arguments import Json, Limit
from api.telemetry.logs import log, start_logging

if TYPE_CHECKING:
    from api.agent.settings import AgentSettings

agent = typer.Typer(
    no_args_is_help=True,
    help="Collect what GPUs did, near them, and send it to the service. See docs/AGENT.md.",
    epilog="Exit codes: 0 fine, 1 something is wrong, 2 wrong usage or settings.",
)
SettingsFile = Annotated[
    Path,
    typer.Option(
        "--settings",
        envvar="RENTROLL_AGENT_SETTINGS",
        dir_okay=False,
        help="The settings file.",
    ),
]
_DEFAULT = Path("agent.toml")


def _read(path: Path) -> "AgentSettings":
    from api.agent.settings import read_settings

    return read_settings(path)


def _now_s() -> int:
    return int(time.time())


@agent.command("init")
def agent_init(
    folder: Annotated[
        Path, typer.Argument(file_okay=False, help="Folder for the two files.")
    ] = Path(),
    url: Annotated[str, typer.Option(help="The service.")] = "https://rentroll.example",
    facility: Annotated[int, typer.Option(min=1, help="Facility of the devices.")] = 1,
    name: Annotated[
        str | None, typer.Option(help="Name of the agent; default: the host's.")
    ] = None,
) -> None:
    """Write a settings file and a key, and say what to do with them.

    Neither file is written over.
    """
    from api.agent.settings_text import settings_text
    from api.local.key_file import make_key_file

    with output.failing():
        folder.mkdir(parents=True, exist_ok=True)
        settings, key = folder / _DEFAULT.name, folder / "agent.key"
        text = settings_text(name=name or socket.gethostname(), url=url, facility=facility)
        try:
            with settings.open("x") as file:
                file.write(text)
        except OSError as error:
            typer.echo(f"error: {settings}: {error.strerror}", err=True)
            raise typer.Exit(output.EXIT_FOUND) from error
        agent_output.show_made(settings, key, make_key_file(key))


@agent.command("check")
def agent_check(settings: SettingsFile = _DEFAULT, as_json: Json = False) -> None:
    """Say what the agent sees: service, clock, keys, sources, devices, leases. Changes nothing."""
    from api.agent.checks import look

    with output.failing():
        findings = look(_read(settings), now=_now_s)
        output.show_findings(findings, as_json=as_json)
        if any(finding.level == "fail" for finding in findings):
            raise typer.Exit(output.EXIT_FOUND)


@agent.command("run")
def agent_run(settings: SettingsFile = _DEFAULT) -> None:
    """Collect and send, until told to stop. A signal ends it within seconds."""
    from api.agent.running import run_agent

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with output.failing():
        start_logging("agent")
        run_agent(_read(settings), stop, now=_now_s, log=log)


@agent.command("refused")
def agent_refused(
    settings: SettingsFile = _DEFAULT,
    again: Annotated[bool, typer.Option("--again", help="Send all of them again.")] = False,
    drop: Annotated[bool, typer.Option("--drop", help="Forget all of them, unbilled.")] = False,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """Show events that the service refused; send them again once the reason is gone.

    Of an allocation is then told what is known of it by now. May run beside the agent.
    """
    from api.agent.flights import drop_refused, refused, send_again
    from api.agent.spool import Spool

    if again and drop:
        raise typer.BadParameter("either --again or --drop")
    with output.failing():
        read = _read(settings)
        spool = Spool(read.spool, most_mib=read.spool_mib)
        try:
            if again:
                typer.echo(f"{send_again(spool, now_s=_now_s())} events wait to be sent")
            elif drop:
                typer.echo(f"{drop_refused(spool)} events are forgotten")
            else:
                agent_output.show_refused(refused(spool, most=limit), as_json=as_json)
        finally:
            spool.close()


@agent.command("resend")
def agent_resend(
    since: Annotated[
        str | None, typer.Option(help="From when on, such as 2026-01-01T00:00:00Z.")
    ] = None,
    receipts: Annotated[
        bool,
        typer.Option("--receipts", help="Give logs back what they lost, by receipts and bodies."),
    ] = False,
    settings: SettingsFile = _DEFAULT,
) -> None:
    """Send again what a service lost that was restored from a copy of before.

    `--receipts`: of an agent that signs. Logs get back the very entries that they had; the agent
    does it by itself when it sends next. Exit code 1 if a log still lacks others' entries.
    `--since`: of an agent with an API key, as events; what the service still has is a duplicate.
    May run beside the agent.
    """
    if receipts == (since is not None):
        raise typer.BadParameter("either --receipts or --since")
    if receipts:
        from api.agent.wiring import give_back_all

        with output.failing():
            whole = True
            for facility, given in give_back_all(_read(settings), now=_now_s):
                said = "has all that is known here" if given is None else given.message
                typer.echo(f"facility {facility}: {said}")
                whole = whole and (given is None or given.whole)
            if not whole:
                raise typer.Exit(output.EXIT_FOUND)
        return
    assert since is not None  # as was asked above
    from api.agent.flights import send_sent
    from api.agent.spool import Spool
    from api.domain.metering.instants import parse_instant

    with output.failing():
        read, since_s = _read(settings), parse_instant(since, field="since")
        spool = Spool(read.spool, most_mib=read.spool_mib)
        try:
            count = send_sent(spool, since_s=since_s, now_s=_now_s())
        finally:
            spool.close()
        typer.echo(f"{count} events wait to be sent")


@agent.command("receipts")
def agent_receipts(
    settings: SettingsFile = _DEFAULT,
    out: Annotated[
        Path | None,
        typer.Option("--out", file_okay=False, help="Write each into a file of this folder."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Compare all with the log that the service publishes.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List receipts: what the log was given, signed by the log's key. May run beside the agent.

    `--out` writes what `rentroll verify --receipts` reads, which believes the chain alone.
    `--check` compares with what the service itself publishes: exit code 1 if an entry differs or is
    left out. Receipts behind the last statement wait for the next.
    """
    from api.agent.receipts import hold_all, kept_receipts, reader
    from api.agent.spool import Spool, known_logs, pinned_log
    from api.agent.wiring import service_web

    if check and out:
        raise typer.BadParameter("either --out or --check")
    with output.failing():
        read = _read(settings)
        spool = Spool(read.spool, most_mib=read.spool_mib)
        try:
            receipts = kept_receipts(spool)
            logs = [said for n in known_logs(spool) if (said := pinned_log(spool, n))]
        finally:
            spool.close()
        if check:
            web = service_web(read)
            try:
                held = hold_all(receipts, reader(web))
            finally:
                web.close()
            agent_output.show_held(held, as_json=as_json)
            if held.findings:
                raise typer.Exit(output.EXIT_FOUND)
        elif out is not None:
            typer.echo(f"{agent_output.write_receipts(out, receipts, logs)} receipts in {out}")
        else:
            agent_output.show_receipts(receipts, as_json=as_json)
