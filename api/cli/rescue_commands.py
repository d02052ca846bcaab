"""`rentroll evidence`, `backup`, `restore`: what brings a service back."""

import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli import output
from api.cli.arguments import Json
from api.cli.environment import settings as _settings

_Passphrase = Annotated[
    Path | None,
    typer.Option(help="File with the passphrase of the keys in the backup, your own alone."),
]

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


def backup(
    folder: Annotated[Path, typer.Argument(help="Folder of backups, made if it is not there.")],
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="Keep the keys of the logs in it, too.")
    ] = False,
    passphrase_file: _Passphrase = None,
    as_json: Json = False,
) -> None:
    """Copy database, evidence and deployment file into a folder, while the service runs.

    What an earlier backup in the folder has is not written again. It holds the secrets of names and
    hashes of API keys: for your eyes alone. Keys that send transactions are never in it.

    Exit code 1: it was made, and published files were damaged or missing.
    """
    from api.cli.rescue_wiring import backup_now

    if passphrase_file is not None and not with_keys:
        raise typer.BadParameter("--passphrase-file is for the keys that --with-keys keeps")
    with output.failing():
        made = backup_now(_settings(), folder, with_keys=with_keys, passphrase_file=passphrase_file)
        manifest = made.manifest
        said = [f"{path}: the backup has it as it is" for path in manifest.not_whole]
        said += [f"{name}: detached, and not in the backup" for name in manifest.detached]
        if manifest.log_key is not None and manifest.log_key_file is None:
            said.append("the keys of the logs are not in it (--with-keys): keep them elsewhere")
        elif manifest.log_key is not None:
            said += [
                f"key {each.key}, which signed receipts before, is not here, nor in the backup"
                for each in manifest.older_keys
                if each.file is None
            ]
        if as_json:
            typer.echo(json.dumps({"backup": str(made.path), "said": said}))
        else:
            rows = sum(table.rows for table in manifest.tables)
            typer.echo(f"{made.path}: {rows} rows, {len(manifest.evidence)} published files")
            for each in said:
                typer.echo(f"  {output.plain(each)}")
        raise typer.Exit(1 if manifest.not_whole else 0)


def restore(
    folder: Annotated[Path, typer.Argument(help="Folder of backups.")],
    name: Annotated[
        str | None, typer.Option("--backup", help="Its manifest's file; default is the newest.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Put database and evidence that are there aside.")
    ] = False,
    passphrase_file: _Passphrase = None,
    as_json: Json = False,
) -> None:
    """Bring a backup into an empty database, and what lacks of its files into the evidence.

    Every hash is looked at first. Stop the service before; cut short, run it again. Evidence that
    is newer than the backup stays. The database may be of the other kind, SQLite or PostgreSQL.

    Everybody has to sign in again. API keys are those of then: what was revoked since counts again.
    """
    from api.cli.rescue_wiring import restore_now

    with output.failing():
        restored, since = restore_now(
            _settings(), folder, name=name, replace=replace, passphrase_file=passphrase_file
        )
        said = [f"{path}: put aside" for path in restored.aside]
        said += [f"{path}: newer than the backup, and kept" for path in restored.newer]
        said += [f"{each}: detached then, and not in it" for each in restored.manifest.detached]
        said += [*restored.lacking, *since]
        if as_json:
            typer.echo(json.dumps({"made_at": restored.manifest.made_at, "said": said}))
            return
        typer.echo(f"restored the backup of {restored.manifest.made_at}")
        for each in said:
            typer.echo(f"  {output.plain(each)}")
        typer.echo("  API keys that were revoked since count again: look at `rentroll keys list`")
