"""docs/IMPORT.md: its files are read as it says, and its reasons are those of the code."""

import re
from pathlib import Path

import pytest

from api.domain.devices import DeviceName
from api.domain.units import FacilityId
from api.ledger.importers.devices_csv import read_devices
from api.ledger.importers.leases_csv import LeasesReader
from api.ledger.importers.philly import PhillyReader
from api.ledger.importers.pipeline import Told
from api.ledger.importers.rows import LEFT_OUT, REFUSALS, TO_DO
from api.ledger.importers.sacct import SacctReader
from api.ledger.importers.table_csv import CsvReader
from api.ledger.importers.tables import open_source
from tests.unit.ledger.reading import left_out, refusals, rows_of, uses

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "IMPORT.md").read_text()
FIRST, SECOND = (
    "GPU-0b9f1a52-3c1d-4e5f-8a6b-7c8d9e0f1a2b",
    "GPU-1c0a2b63-4d2e-4f60-9b7c-8d9e0f1a2b3c",
)
_FILE = re.compile(r"^`([\w.]+)`:\n\n```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The page's files."""
    for name, text in _FILE.findall(PAGE):
        (tmp_path / name).write_text(text)
    return tmp_path


def test_page__files__are_read_as_it_says(folder: Path) -> None:
    slurm = rows_of(SacctReader(folder / "sacct.toml", zone="Europe/Oslo"), folder / "jobs.txt")
    philly = rows_of(PhillyReader(folder / "philly.toml"), folder / "cluster_job_log")
    usage = rows_of(CsvReader(folder / "usage.toml"), folder / "usage.csv")

    assert [(u.job, u.device, u.end_s - u.start_s) for u in uses(slurm)] == [
        ("101", FIRST, 3_600), ("101", SECOND, 3_600), ("102", SECOND, 1_800),
    ]  # fmt: skip
    assert refusals(slurm) == [(5, "gpus_unknown")]
    assert left_out(slurm) == {"step": 1, "not_rented": 1}
    assert [(u.device, u.end_s - u.start_s) for u in uses(philly)] == [(FIRST, 74), (SECOND, 74)]
    assert refusals(philly) == [(1, "time_ambiguous")]
    assert [(u.job, u.end_s - u.start_s) for u in uses(usage)] == [("B-1", 3_600), ("B-2", 5_400)]
    assert refusals(usage) == [(4, "not_a_number")]


def test_page__leases_and_devices__are_read_as_it_says(folder: Path) -> None:
    reader = LeasesReader(FacilityId(1), zone="Europe/Oslo")
    with open_source(folder / "leases.csv") as source:
        leases = list(reader.rows(source))
    with open_source(folder / "devices.csv") as source:
        devices = list(read_devices(source))

    assert [type(x) for x in leases] == [Told, Told]
    slice_name = "MIG-c7384736-a75d-5afc-978f-d2f1294409fd"
    assert devices == [DeviceName(slice_name, card=FIRST, profile="1g.10gb")]


def test_page__reasons__are_those_of_the_code() -> None:
    listed = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", PAGE, re.MULTILINE))
    tables = {**{name: f"{why} | {TO_DO[name]}" for name, why in REFUSALS.items()}, **LEFT_OUT}

    assert TO_DO.keys() == REFUSALS.keys()
    assert {k: v for k, v in listed.items() if k in tables} == tables
