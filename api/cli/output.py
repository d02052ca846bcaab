"""What the command line prints: tables for people, JSON for machines, one log line a step."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer
from sqlalchemy.exc import ArgumentError, OperationalError

from api.errors import AppError, ChainUnavailable, DatabaseUnavailable
from api.local.secret_file import KeyFileWrong
from api.local.settings_table import SettingsWrong
from api.telemetry.logs import log

if TYPE_CHECKING:
    from rich.table import Table

    from api.cli.doctor import Check
    from api.cli.duties import Duties
    from api.domain.capital.reconciliation import Reconciliation
    from api.epochs.close import Closed
    from api.epochs.queue import Failed
    from api.epochs.worker import Round
    from api.local.finding import Finding

EXIT_FOUND, EXIT_USAGE, EXIT_UNREACHABLE = 1, 2, 3


def plain(text: str) -> str:
    """Text without characters that move a cursor, change a colour, or hide or turn what is near.

    Messages quote files and nodes of strangers.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


@contextmanager
def failing() -> Iterator[None]:
    """Turn expected failures into a sentence and an exit code.

    Settings and key files that break a rule are wrong usage.
    """
    try:
        yield
    except ChainUnavailable as error:
        typer.echo(f"error: {plain(error.message)}", err=True)
        raise typer.Exit(EXIT_UNREACHABLE) from error
    except DatabaseUnavailable as error:
        typer.echo(f"error: {plain(error.message)} (DATABASE_URL)", err=True)
        raise typer.Exit(EXIT_UNREACHABLE) from error
    except (SettingsWrong, KeyFileWrong) as error:
        typer.echo(f"error: {plain(error.message)}", err=True)
        raise typer.Exit(EXIT_USAGE) from error
    except AppError as error:
        typer.echo(f"error: {plain(error.message)}", err=True)
        raise typer.Exit(EXIT_FOUND) from error
    except ArgumentError as error:
        typer.echo("error: DATABASE_URL is not a database URL", err=True)
        raise typer.Exit(EXIT_USAGE) from error
    except OperationalError as error:
        # The driver's text may quote the URL with its password.
        typer.echo("error: the database does not answer (DATABASE_URL)", err=True)
        raise typer.Exit(EXIT_UNREACHABLE) from error


def log_round(done: "Round") -> None:
    """Log a worker's round, unless it was idle."""
    if done.idle:
        return
    failed = [f"{o.kind} {o.facility_id}/{o.epoch}: {o.error}" for o in done.outcomes if o.error]
    failed += [f"{f.step} {_of(f)}: {f.reason}" for f in done.not_done]
    log(
        "round",
        closed=done.closed,
        sent=len(done.outcomes),
        events=done.events_indexed,
        behind=done.blocks_behind,
        **({"failed": failed} if failed else {}),
    )


def _of(failed: "Failed") -> str:
    """Of whom a step failed: a facility, its epoch, or the service itself."""
    if not failed.facility_id:
        return "of the service"
    return (
        str(failed.facility_id) if failed.epoch is None else f"{failed.facility_id}/{failed.epoch}"
    )


def show_duties(duties: "Duties", *, as_json: bool) -> None:
    """What an attester did and earned, and the transactions that bring its pay."""
    if as_json:
        typer.echo(json.dumps(asdict(duties)))
        return
    due, booked = duties.due, len(duties.booked)
    typer.echo(f"{booked} of {due} duties booked, {len(duties.unbooked)} more can be")
    typer.echo(
        f"earned {micros(duties.earned_micros)}, of which {micros(duties.paid_micros)} credited;"
        f" {micros(duties.withdrawable_micros)} can be withdrawn"
    )
    for call in duties.calls:
        typer.echo(call)


@contextmanager
def progress(label: str, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on a terminal; silence elsewhere. Yields `advance(done, total)`."""
    if quiet or not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def micros(amount: int) -> str:
    """Money to the last micro: `1,234.567890`."""
    sign = "-" if amount < 0 else ""
    whole, fraction = divmod(abs(amount), 1_000_000)
    return f"{sign}{whole:,}.{fraction:06d}"


def reconciliation_table(parts: Sequence["Reconciliation"], total: "Reconciliation") -> "Table":
    """Rich table of the five numbers, with GPU-minutes and the named differences."""
    from rich.table import Table

    table = Table(title="Five numbers by facility (money in dollars, to the micro)")
    heads = (
        "facility", "metered GPU-min", "GPU-s", "rated", "attested", "collected", "settled",
        "claimed",
    )  # fmt: skip
    for head in heads:
        table.add_column(head, justify="right")
    for part in (*parts, total):
        minutes, seconds = divmod(part.metered_gpu_seconds, 60)
        table.add_row(
            "all" if part.facility_id is None else str(part.facility_id),
            f"{minutes:,}" + (f" + {seconds} s" if seconds else ""),
            f"{part.metered_gpu_seconds:,}",
            *(
                micros(v)
                for v in (
                    part.rated_micros,
                    part.attested_micros,
                    part.collected_micros,
                    part.settled_micros,
                    part.claimed_micros,
                )
            ),
            end_section=part is parts[-1] if parts else False,
        )
    return table


def differences_table(parts: Sequence["Reconciliation"], total: "Reconciliation") -> "Table":
    """Rich table of the differences that are not zero somewhere."""
    from rich.table import Table

    table = Table(title="What explains one number from the next")
    table.add_column("difference")
    for part in (*parts, total):
        table.add_column(
            "all" if part.facility_id is None else str(part.facility_id), justify="right"
        )
    columns = [asdict(part.differences) for part in (*parts, total)]
    for name in columns[-1]:
        if any(column[name] for column in columns):
            money = name.endswith("_micros")
            shown = [micros(c[name]) if money else f"{c[name]:,}" for c in columns]
            table.add_row(name.removesuffix("_micros").replace("_", " "), *shown)
    return table


def show_checks(checks: Sequence["Check"], *, as_json: bool) -> None:
    """Print what doctor found."""
    if as_json:
        typer.echo(json.dumps([asdict(check) for check in checks]))
        return
    for check in checks:
        typer.echo(f"{check.level:5} {check.name}: {check.message}")
        if check.advice:
            typer.echo(f"      → {check.advice}")


def show_findings(findings: Sequence["Finding"], *, as_json: bool) -> None:
    """Print what a check found."""
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings]))
        return
    for finding in findings:
        typer.echo(f"{finding.level:5} {finding.name}: {finding.message}")
        if finding.advice:
            typer.echo(f"      → {finding.advice}")


def show_closed(closed: Sequence["Closed"], *, as_json: bool) -> None:
    """Print closed epochs, and closing statements."""
    rows = [
        {
            "facility_id": c.statement.facility_id,
            "epoch": c.statement.epoch,
            "closing": c.closing,
            "line_count": c.statement.line_count,
            "gross_revenue_micros": c.statement.gross_revenue_micros,
        }
        for c in closed
    ]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    for row in rows:
        what = "its books" if row["closing"] else f"epoch {row['epoch']}"
        typer.echo(
            f"closed facility {row['facility_id']} {what}:"
            f" {row['line_count']} lines, {micros(row['gross_revenue_micros'])}"
        )
    typer.echo(f"{sum(not c.closing for c in closed)} epochs closed")
