"""`rentroll import helios` on a trace made here, against the real service."""

import csv
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api.access.accounts import add_operator
from api.cli.commands import app
from api.cli.operator_client import operator_client
from api.db.session import transaction
from api.db.tables.facilities import facilities
from api.db.tables.ledger import facts
from api.domain.metering.instants import format_instant
from api.domain.statements.statement import Statement
from api.epochs.close import close_due
from api.ledger.importers import helios, pipeline
from api.ledger.importers.helios import PRICE_MICROS_PER_GPU_HOUR
from api.ledger.importers.helios_pools import import_pools
from api.ledger.importers.pipeline import Summary
from tests.factories import DAY_S, START_S
from tests.integration.service import (
    NO_CHAIN,
    Service,
)

MINUTES = 1_440
HEADER = "time,running_gpu_num,idle_gpu_num"


def rows(running: Callable[[int], int], capacity: int, minutes: int = MINUTES) -> str:
    """A pool file, from the number of running GPUs by minute."""
    lines = [HEADER]
    for minute in range(minutes):
        time = format_instant(START_S + minute * 60).replace("T", " ").rstrip("Z")
        busy = running(minute)
        lines.append(f"{time},{busy},{capacity - busy}")
    return "\n".join(lines) + "\n"


def _import(folder: Path, url: str, key: str, *more: str) -> Any:
    arguments = ["import", "helios", str(folder), "--api-url", url, "--api-key", key, "--json"]
    return CliRunner().invoke(app, [*arguments, *more])


def test_import__small_trace__counts_exactly_and_repeats_as_duplicates(
    server: tuple[Service, str], tmp_path: Path
) -> None:
    service, url = server
    folder = tmp_path / "trace"
    folder.mkdir()
    # Two GPUs: GPU 0 all day, 24 records; GPU 1 in the first 90 minutes, 2 records. Both were seen.
    (folder / "vcA.csv").write_text(rows(lambda m: 2 if m < 90 else 1, 2))
    # One GPU, busy every other 10 minutes: 3 records an hour. It was seen too.
    packed = gzip.compress(rows(lambda m: m // 10 % 2, 1).encode())
    (folder / "vcB.csv.gz").write_bytes(packed)
    minutes = 1_440 + 90 + 720

    first = _import(folder, url, service.ledger.api_key)
    again = _import(folder, url, service.ledger.api_key)

    assert first.exit_code == again.exit_code == 0, first.output
    assert json.loads(first.stdout) == {
        "dry_run": False, "accepted": 101, "duplicates": 0, "refused": {}, "left_out": {},
        "accepted_gpu_seconds": minutes * 60,
    }  # fmt: skip
    assert json.loads(again.stdout)["duplicates"] == 101
    # And the terms of three leases beside: two of the ledger's own facility are older.
    assert service.count(facts) == 101 + 4
    service.ledger.clock.now_s += 2 * DAY_S
    closed = [s for s in _close(service) if s.billed_gpu_seconds]
    revenue = sum(s.gross_revenue_micros for s in closed)
    assert revenue == minutes * PRICE_MICROS_PER_GPU_HOUR // 60
    # The trace counts idle GPUs too: they were there all day.
    assert sum(s.available_gpu_seconds for s in closed) == 3 * DAY_S


def _close(service: Service) -> list[Statement]:
    now_s = service.ledger.clock.now_s
    closed = close_due(service.ledger.engine, service.ledger.evidence, now_s)
    return [c.statement for c in closed]


def test_import__half_hour_offset_and_broken_last_day__rejects_what_is_beyond(
    server: tuple[Service, str], tmp_path: Path
) -> None:
    """A day and a half at +05:30: what lies beyond the last whole day is rejected, and shown."""
    service, url = server
    # The one epoch ends at 18:30 UTC; half an hour later its grace still runs.
    service.ledger.clock.now_s = START_S + 19 * 3_600
    folder = tmp_path / "trace"
    folder.mkdir()
    (folder / "vcA.csv").write_text(rows(lambda _: 1, 1, minutes=36 * 60))

    report = tmp_path / "refused.csv"
    options = ("--utc-offset", "+05:30", "--report", str(report))

    foreseen = _import(folder, url, service.ledger.api_key, *options, "--dry-run")
    listed = report.read_text()
    result = _import(folder, url, service.ledger.api_key, *options)
    known = _import(folder, url, service.ledger.api_key, *options, "--dry-run")

    assert foreseen.exit_code == result.exit_code == known.exit_code == 1
    summary = json.loads(result.stdout)
    assert (summary["accepted"], summary["refused"]) == (25, {"outside_window": 12})
    # Before the pool is registered and after it, a dry run foresees the same rows.
    assert json.loads(foreseen.stdout) == {**summary, "dry_run": True}
    assert json.loads(known.stdout) == {
        **summary, "dry_run": True, "accepted": 0, "duplicates": 25, "accepted_gpu_seconds": 0,
    }  # fmt: skip
    assert report.read_text() == listed
    with report.open(newline="") as opened:
        refused = list(csv.DictReader(opened))
    assert [(row["file"], row["line"]) for row in refused[:2]] == [
        ("vcA.csv", str(2 + 24 * 60)),
        ("vcA.csv", str(2 + 25 * 60)),
    ]
    assert {row["reason"] for row in refused} == {"outside_window"}
    assert refused[0]["job"] == "gpu 0"


def test_import__dry_run__registers_and_records_nothing(
    server: tuple[Service, str], tmp_path: Path
) -> None:
    service, url = server
    folder = tmp_path / "trace"
    folder.mkdir()
    (folder / "vcA.csv").write_text(rows(lambda m: m % 3, 2))
    (folder / "vcB.csv").write_text(rows(lambda m: m % 3, 2))
    before = service.count(facilities), service.count(facts)

    dry = _import(folder, url, service.ledger.api_key, "--dry-run")

    assert (service.count(facilities), service.count(facts)) == before
    real = _import(folder, url, service.ledger.api_key)
    assert json.loads(dry.stdout) == {**json.loads(real.stdout), "dry_run": True}


def test_import__killed_between_batches__is_finished_by_the_same_command(
    server: tuple[Service, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ATTACKS 30: nothing twice, nothing lost; also where the lease was not opened yet."""
    service, url = server
    monkeypatch.setattr(pipeline, "BATCH", 10)
    folder = tmp_path / "trace"
    folder.mkdir()
    (folder / "vcA.csv").write_text(rows(lambda _: 1, 1))
    pool = helios.read_trace(folder)[0]
    with operator_client(url, api_key=service.ledger.api_key) as api:
        api.post("/v1/facilities", helios.facility_body(pool))
        dry = json.loads(_import(folder, url, service.ledger.api_key, "--dry-run").stdout)
        with pytest.raises(KeyboardInterrupt):
            import_pools(
                api,
                [pool],
                Summary(dry_run=False),
                on_problem=lambda _, problem: pytest.fail(problem.detail),
                on_progress=_interrupt,
            )

    real = json.loads(_import(folder, url, service.ledger.api_key).stdout)

    assert (dry["accepted"], dry["refused"]) == (25, {})
    assert (real["accepted"], real["duplicates"]) == (15, 10)


def _interrupt(done: int, total: int) -> None:
    assert (done, total) == (10, 25)
    raise KeyboardInterrupt


def test_import__report_among_the_files__is_refused(
    server: tuple[Service, str], tmp_path: Path
) -> None:
    service, url = server
    (tmp_path / "vcA.csv").write_text(rows(lambda _: 1, 1))

    result = _import(tmp_path, url, service.ledger.api_key, "--report", str(tmp_path / "vcA.csv"))

    assert result.exit_code == 1
    assert "name another folder" in result.stderr
    assert service.count(facts) == 2


def test_import__errors__are_named(server: tuple[Service, str], tmp_path: Path) -> None:
    service, url = server
    folder = tmp_path / "trace"
    folder.mkdir()
    pool = folder / "vcA.csv"
    good = rows(lambda _: 1, 2)
    lines = good.split("\n")
    cases = [
        ("time,running\n1,2\n", "vcA.csv lacks one of time, running_gpu_num, idle_gpu_num"),
        (HEADER + "\n", "vcA.csv has no rows"),
        ("", "vcA.csv lacks one of"),
        ("\n".join(lines[:5] + lines[6:]), "vcA.csv row 6: a minute is missing or repeated"),
        ("\n".join(lines[:5] + lines[4:]), "vcA.csv row 6: a minute is missing or repeated"),
        (
            good.replace(":03:00,1,1", ":03:00,1,2", 1),
            "vcA.csv row 5: running and idle GPUs are not 2",
        ),
        (
            good.replace(":03:00,1,1", ":03:00,-1,3", 1),
            "vcA.csv row 5: running and idle GPUs are not 2",
        ),
        (good.replace(":03:00,1,1", ":03:00,1.0,1", 1), "must be a time and two whole numbers"),
        (good.replace(":03:00,1,1", ":03:00,1", 1), "vcA.csv row 5:"),
        (good.replace("2026-01-01 00:03:00", "03/01", 1), "vcA.csv row 5"),
        (rows(lambda _: 1, 1, minutes=60), "shorter than a day"),
    ]

    for text, message in cases:
        pool.write_text(text)
        result = _import(folder, url, service.ledger.api_key)
        assert result.exit_code == 1, message
        assert message in result.stderr
        assert isinstance(result.exception, SystemExit)
    for name in ("vcB.csv.gz", "vcB.csv"):
        pool.write_text(good)
        (folder / name).write_bytes(b"\xff\xfe\xfd")
        assert name in _import(folder, url, service.ledger.api_key).stderr
        (folder / name).unlink()
    (folder / "vcA.csv.gz").write_bytes(gzip.compress(good.encode()))
    assert "vcA is there twice" in _import(folder, url, service.ledger.api_key).stderr


def test_import__wrong_key_no_service_or_no_trace__exit_codes(
    server: tuple[Service, str], tmp_path: Path
) -> None:
    _, url = server
    folder = tmp_path / "trace"
    folder.mkdir()

    empty = _import(folder, url, "k")
    (folder / "vcA.csv").write_text(rows(lambda _: 1, 2))
    refused, absent = _import(folder, url, "wrong"), _import(folder, NO_CHAIN, "k")

    assert (empty.exit_code, refused.exit_code, absent.exit_code) == (1, 1, 3)
    assert "no vc*.csv" in empty.stderr
    assert "the API key is unknown" in refused.stderr
    assert "no Rentroll API answers" in absent.stderr


def test_import__name_taken_by_another_operator__makes_an_own_facility(
    server: tuple[Service, str], tmp_path: Path
) -> None:
    """ATTACKS 38: names are not unique, so a rival could otherwise block an import."""
    service, url = server
    rival = service.ledger
    rival.add_facility(range(10, 11), name="helios-vcA")
    with transaction(rival.engine) as connection:
        _, key = add_operator(
            connection, actor="test", name="other", address="0x" + "d" * 40, now_s=START_S
        )
    folder = tmp_path / "trace"
    folder.mkdir()
    (folder / "vcA.csv").write_text(rows(lambda _: 1, 1))

    first, again = _import(folder, url, key), _import(folder, url, key)

    assert json.loads(first.stdout)["accepted"] == json.loads(again.stdout)["duplicates"] == 25
