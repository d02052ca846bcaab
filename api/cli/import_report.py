"""What the command line says of an import: the first refused rows, a report of all, the counts."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, astuple, fields
from pathlib import Path
from typing import TextIO

import typer

from api.errors import InvalidInput
from api.ledger.importers.devices_csv import Registered
from api.ledger.importers.pipeline import Problem, Summary, to_do
from api.reads.export import encode_csv

# So many refused rows are shown; the report has all.
SHOWN = 20
_HEADER = ["file", *(f.name for f in fields(Problem)), "to_do"]


class Problems:
    """Takes refused rows as they come: shows the first, and writes each to the report.

    name: of the file that is read just now.
    """

    def __init__(self, name: str, report: TextIO | None) -> None:
        self.name, self._report, self.count = name, report, 0
        self._reasons: set[str] = set()

    def __call__(self, problem: Problem) -> None:
        self.count += 1
        self._reasons.add(problem.reason)
        if self.count <= SHOWN:
            where = f"{self.name}:{problem.line}"
            job = f" ({problem.job[:60]})" if problem.job else ""
            line = f"{where}: {problem.reason}: {problem.detail}{job}"
            # A file's text must not steer the terminal.
            typer.echo("".join(c if c.isprintable() else "?" for c in line), err=True)
        if self._report is not None:
            advice = to_do(problem.reason)
            self._report.write(_line([self.name, *astuple(problem), advice]))

    def close(self) -> None:
        """Say how many more there are, and what to do about each reason."""
        if self.count > SHOWN:
            more = f"and {self.count - SHOWN:,} more"
            hint = "" if self._report is not None else "; --report FILE lists all"
            typer.echo(f"{more}{hint}", err=True)
        for reason in sorted(self._reasons):
            if advice := to_do(reason):
                typer.echo(f"  {reason}: {advice}", err=True)


@contextmanager
def problems(source: Path, report: Path | None) -> Iterator[Problems]:
    """Collect refused rows; the report takes its name when the run ends.

    Args:    source: a file, or a folder of them.
    Raises:  InvalidInput if the report cannot be written, or would replace a file that is read.
    """
    if report is None:
        shown = Problems(source.name, None)
        try:
            yield shown
        finally:
            shown.close()
        return
    if report.resolve() == source.resolve():
        raise InvalidInput("the report would replace the file that is imported", field="report")
    if source.is_dir() and report.resolve().parent == source.resolve():
        message = f"the report would lie among the files of {source.name}: name another folder"
        raise InvalidInput(message, field="report")
    part = report.with_name(report.name + ".part")
    try:
        file = part.open("w", encoding="utf-8", newline="")
    except OSError as error:
        message = f"the report cannot be written: {error.strerror}"
        raise InvalidInput(message, field="report") from error
    with file:
        file.write(_line(_HEADER))
        listed = Problems(source.name, file)
        try:
            yield listed
        finally:
            listed.close()
            file.flush()
            part.replace(report)


def _line(cells: Sequence[str | int]) -> str:
    # No cell runs as a formula, whatever a job was called.
    return encode_csv([], [cells]).decode().removeprefix("\r\n")


def show_summary(summary: Summary, *, as_json: bool) -> None:
    """Print the counts of an import."""
    refused = sum(summary.refused.values())
    if as_json:
        typer.echo(json.dumps(asdict(summary)))
        return
    said = "would be " if summary.dry_run else ""
    typer.echo(f"{said}accepted: {summary.accepted:,}")
    if summary.accepted_gpu_seconds:
        typer.echo(f"  GPU-seconds: {summary.accepted_gpu_seconds:,}")
    typer.echo(f"there already: {summary.duplicates:,}")
    typer.echo(f"refused: {refused:,}{_by_reason(summary.refused)}")
    typer.echo(f"left out: {sum(summary.left_out.values()):,}{_by_reason(summary.left_out)}")
    if summary.dry_run:
        typer.echo("dry run: nothing was recorded")


def _by_reason(counts: Mapping[str, int]) -> str:
    listed = [f"{reason} {count:,}" for reason, count in sorted(counts.items())]
    return f" ({', '.join(listed)})" if listed else ""


def show_registered(registered: Registered | None, refused: int, *, as_json: bool) -> None:
    """Print what became of an offer and its devices."""
    if as_json:
        said = {} if registered is None else asdict(registered)
        typer.echo(json.dumps({**said, "refused": refused}))
    elif registered is None:
        typer.echo(f"nothing is registered: {refused:,} rows were refused")
    elif registered.created:
        devices = f"{registered.devices:,} devices"
        typer.echo(f"facility {registered.facility_id} is registered with {devices}")
    elif registered.facility_id is not None:
        typer.echo(f"nothing changed: facility {registered.facility_id} has these devices")
    else:
        typer.echo(f"{registered.devices:,} devices are well named; nothing was registered")
