"""`rentroll import`: use of devices, leases and devices from files, over the service's API."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli import arguments, output
from api.cli.arguments import ApiKey, ApiUrl, Json
from api.domain.units import FacilityId

if TYPE_CHECKING:
    from api.cli.import_wiring import Outcome, Run

importers = typer.Typer(
    no_args_is_help=True,
    help="Import use of GPUs, leases and devices from files, over the API. Safe to run again.",
    epilog="Exit codes: 0 all recorded, 1 something refused, 2 wrong usage, 3 not reachable.",
)
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The file, plain or gzip.")]
Facility = Annotated[int, typer.Option(min=1, help="Facility whose devices the file speaks of.")]
Mapping = Annotated[
    Path,
    typer.Option(exists=True, dir_okay=False, help="TOML: devices, leases, times; docs/IMPORT.md."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Judge everything, and keep nothing.")]
Report = Annotated[Path | None, typer.Option(dir_okay=False, help="CSV file for all refused rows.")]
_ZONE = "Zone of times without an offset, such as Europe/Oslo."
Zone = Annotated[str | None, typer.Option("--timezone", help=_ZONE)]


def _run(
    path: Path, api_key: str, api_url: str | None, dry_run: bool, report: Path | None
) -> "Run":
    from api.cli.import_wiring import Run

    return Run(path, api_url, api_key, dry_run, report)


def _end(outcome: "Outcome", *, as_json: bool) -> None:
    """Print what an import did, and end with its exit code."""
    from api.cli.import_report import show_summary

    show_summary(outcome.summary, as_json=as_json)
    if outcome.failure is not None:
        if not outcome.summary.dry_run and (outcome.summary.accepted or outcome.summary.duplicates):
            typer.echo("not finished: the same command goes on from here", err=True)
        raise outcome.failure
    raise typer.Exit(output.EXIT_FOUND if outcome.summary.refused else 0)


@importers.command("helios")
def import_helios(
    path: Annotated[
        Path,
        typer.Argument(
            exists=True, file_okay=False, help="Folder with the pools' vc*.csv(.gz) files."
        ),
    ],
    api_key: ApiKey,
    api_url: ApiUrl = None,
    utc_offset: Annotated[
        str,
        typer.Option(
            callback=arguments.utc_offset, help="Offset of the trace's naive local times."
        ),
    ] = "+00:00",
    dry_run: DryRun = False,
    report: Report = None,
    as_json: Json = False,
) -> None:
    """Import the public Helios per-minute pool format: each pool becomes a facility.

    No public trace has device ids, leases or prices, so they are assigned: GPU i is busy while
    more than i GPUs run, devices get UUID5 stand-ins, each pool one on-demand lease.
    """
    from api.cli import import_wiring

    with output.failing():
        run = _run(path, api_key, api_url, dry_run, report)
        with output.progress("events", quiet=as_json) as advance:
            outcome = import_wiring.import_helios(run, utc_offset=utc_offset, on_progress=advance)
        _end(outcome, as_json=as_json)


@importers.command("sacct")
def import_sacct(
    path: File,
    facility: Facility,
    mapping: Mapping,
    api_key: ApiKey,
    api_url: ApiUrl = None,
    timezone: Zone = None,
    dry_run: DryRun = False,
    report: Report = None,
    as_json: Json = False,
) -> None:
    """Import jobs of Slurm, as `sacct --parsable2` prints them: a record a job and GPU.

    sacct does not name GPUs. The mapping says which column has their numbers; a job that held every
    GPU of its nodes needs none. What cannot be known is refused, never guessed.
    """
    from api.cli.import_wiring import import_use
    from api.ledger.importers.sacct import SacctReader

    with output.failing():
        run = _run(path, api_key, api_url, dry_run, report)
        reader, own = SacctReader(mapping, zone=timezone), FacilityId(facility)
        with output.progress("bytes", quiet=as_json) as advance:
            outcome = import_use(run, reader, own, kind="sacct", on_progress=advance)
        _end(outcome, as_json=as_json)


@importers.command("philly")
def import_philly(
    path: File,
    facility: Facility,
    mapping: Mapping,
    api_key: ApiKey,
    api_url: ApiUrl = None,
    timezone: Annotated[str, typer.Option("--timezone", help=_ZONE)] = "America/Los_Angeles",
    dry_run: DryRun = False,
    report: Report = None,
    as_json: Json = False,
) -> None:
    """Import Microsoft's Philly job table, `cluster_job_log`: a record an attempt and GPU."""
    from api.cli.import_wiring import import_use
    from api.ledger.importers.philly import PhillyReader

    with output.failing():
        run = _run(path, api_key, api_url, dry_run, report)
        reader, own = PhillyReader(mapping, zone=timezone), FacilityId(facility)
        with output.progress("bytes", quiet=as_json) as advance:
            outcome = import_use(run, reader, own, kind="philly", on_progress=advance)
        _end(outcome, as_json=as_json)


@importers.command("csv")
def import_csv(
    path: File,
    facility: Facility,
    mapping: Mapping,
    api_key: ApiKey,
    api_url: ApiUrl = None,
    timezone: Zone = None,
    dry_run: DryRun = False,
    report: Report = None,
    as_json: Json = False,
) -> None:
    """Import use from any CSV file, a record a row; the mapping says which column is what."""
    from api.cli.import_wiring import import_use
    from api.ledger.importers.table_csv import CsvReader

    with output.failing():
        run = _run(path, api_key, api_url, dry_run, report)
        reader, own = CsvReader(mapping, zone=timezone), FacilityId(facility)
        with output.progress("bytes", quiet=as_json) as advance:
            outcome = import_use(run, reader, own, kind="csv", on_progress=advance)
        _end(outcome, as_json=as_json)


@importers.command("leases")
def import_leases(
    path: File,
    facility: Facility,
    api_key: ApiKey,
    api_url: ApiUrl = None,
    timezone: Zone = None,
    dry_run: DryRun = False,
    report: Report = None,
    as_json: Json = False,
) -> None:
    """Import leases with their first terms, a lease a row.

    Columns: lease_id, renter_ref, from, price_micros_per_gpu_hour; and, if wanted, until, max_gpus,
    committed_gpus, minimum_micros_per_month.
    """
    from api.cli import import_wiring

    with output.failing():
        run = _run(path, api_key, api_url, dry_run, report)
        own = FacilityId(facility)
        with output.progress("bytes", quiet=as_json) as advance:
            outcome = import_wiring.import_leases(run, own, zone=timezone, on_progress=advance)
        _end(outcome, as_json=as_json)


@importers.command("devices")
def import_devices(
    path: File,
    offer: Annotated[
        Path,
        typer.Option(
            exists=True, dir_okay=False, help="JSON of POST /v1/facilities, without devices."
        ),
    ],
    api_key: ApiKey,
    api_url: ApiUrl = None,
    dry_run: DryRun = False,
    report: Report = None,
    as_json: Json = False,
) -> None:
    """Register an offer with the devices of a file: all of them, or none.

    Columns: device; of slices also card and profile.
    """
    from api.cli import import_report, import_wiring

    with output.failing():
        run = _run(path, api_key, api_url, dry_run, report)
        registered, refused = import_wiring.import_devices(run, offer)
        import_report.show_registered(registered, refused, as_json=as_json)
        raise typer.Exit(output.EXIT_FOUND if refused else 0)
