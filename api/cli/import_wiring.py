"""What the commands of `rentroll import` run: a file, a reader, and the service's API."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from api.cli.import_report import Problems, problems
from api.cli.operator_client import operator_client
from api.domain.devices import DeviceName
from api.domain.units import FacilityId
from api.errors import AppError
from api.ledger.importers.devices_csv import Registered, read_devices, read_offer, register
from api.ledger.importers.helios import Pool, read_trace
from api.ledger.importers.helios_pools import import_pools
from api.ledger.importers.leases_csv import LeasesReader
from api.ledger.importers.philly import PhillyReader
from api.ledger.importers.pipeline import Import, Problem, Summary, Told, told_of
from api.ledger.importers.rows import LeftOut, Refused
from api.ledger.importers.sacct import SacctReader
from api.ledger.importers.table_csv import CsvReader
from api.ledger.importers.tables import Source, open_source

Progress = Callable[[int, int], None]
_Reader = PhillyReader | SacctReader | CsvReader


@dataclass(frozen=True, slots=True)
class Run:
    """One import: its file, where to, and what becomes of refused rows.

    api_url: None for that of the settings.
    report: file for them all; None to show the first only.
    """

    path: Path
    api_url: str | None
    api_key: str
    dry_run: bool
    report: Path | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an import did before it ended; failure: what ended it early."""

    summary: Summary
    failure: AppError | None


def import_use(
    run: Run, reader: _Reader, facility_id: FacilityId, *, kind: str, on_progress: Progress
) -> Outcome:
    """Import use of devices."""
    encoding = reader.form.encoding if isinstance(reader, CsvReader) else "utf-8-sig"

    def rows(source: Source) -> Iterator[Told | Refused | LeftOut]:
        return told_of(reader.rows(source), facility_id, source=f"import/{kind}")

    return _run(run, rows, encoding=encoding, on_progress=on_progress)


def import_leases(
    run: Run, facility_id: FacilityId, *, zone: str | None, on_progress: Progress
) -> Outcome:
    """Import leases, row by row."""
    reader = LeasesReader(facility_id, zone=zone)
    return _run(run, reader.rows, on_progress=on_progress)


def import_helios(run: Run, *, utc_offset: str, on_progress: Progress) -> Outcome:
    """Import the pools of a folder: all are read before anything is sent."""
    pools = read_trace(run.path, utc_offset=utc_offset)
    summary = Summary(run.dry_run)
    with (
        problems(run.path, run.report) as refused,
        operator_client(run.api_url, api_key=run.api_key) as api,
    ):

        def note(pool: Pool, problem: Problem) -> None:
            refused.name = pool.file
            refused(problem)

        try:
            import_pools(api, pools, summary, on_problem=note, on_progress=on_progress)
        except AppError as error:
            return Outcome(summary, error)
    return Outcome(summary, None)


def _run(
    run: Run,
    rows: Callable[[Source], Iterator[Told | Refused | LeftOut]],
    *,
    encoding: str = "utf-8-sig",
    on_progress: Progress,
) -> Outcome:
    with (
        problems(run.path, run.report) as refused,
        open_source(run.path, encoding=encoding) as source,
        operator_client(run.api_url, api_key=run.api_key) as api,
    ):
        importing = Import(
            api,
            summary=Summary(run.dry_run),
            on_problem=refused,
            on_batch=lambda: on_progress(source.position(), source.size),
        )
        try:
            importing.run(rows(source))
        except AppError as error:
            return Outcome(importing.summary, error)
        return Outcome(importing.summary, None)


def import_devices(run: Run, offer_file: Path) -> tuple[Registered | None, int]:
    """Register an offer with the devices of a file, all or none.

    Returns: what became of it, None if rows were refused; and how many were.
    """
    offer = read_offer(offer_file)
    with (
        problems(run.path, run.report) as refused,
        open_source(run.path) as source,
        operator_client(run.api_url, api_key=run.api_key) as api,
    ):
        devices = _devices(source, refused)
        if refused.count:
            return None, refused.count
        return register(api, offer, devices, dry_run=run.dry_run), 0


def _devices(source: Source, refused: Problems) -> list[DeviceName]:
    devices = []
    for row in read_devices(source):
        if isinstance(row, Refused):
            refused(Problem(row.line, row.reason, row.detail, device=row.job))
        else:
            devices.append(row)
    return devices
