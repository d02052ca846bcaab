"""`rentroll import sacct|philly|csv|leases|devices` against the real service."""

import csv
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from typer.testing import CliRunner

from api.chain.client import ChainClient
from api.chain.contracts import Contracts
from api.chain.deployment import parse_deployment
from api.cli.commands import app
from api.db.session import reading
from api.db.tables.ledger import HELD_KINDS, facts
from api.domain.hashing import device_hash
from api.domain.metering.instants import format_instant
from api.domain.units import FacilityId
from api.ledger.importers import pipeline
from api.ledger.importers.operator_api import OperatorApi
from api.ledger.importers.pipeline import Import, told_of
from api.ledger.importers.rows import Row, Usage
from tests.factories import DAY_S, HOUR_S, START_S, Ledger, device
from tests.integration.service import (
    NO_CHAIN,
    Service,
    change_service,
    deployment_document,
    make_app,
    serving,
)

CSV_MAP = """
[columns]
job = "job"
device = "gpu"
start = "start"
end = "end"
[lease]
column = "lease"
"""
HEADER = "job,gpu,lease,start,end"


@pytest.fixture
def server(database_url: str, ledger: Ledger, tmp_path: Path) -> Iterator[tuple[Service, str]]:
    """The application behind uvicorn, and its URL."""
    api = make_app(database_url, tmp_path)
    contracts = Contracts(ChainClient(NO_CHAIN), parse_deployment(deployment_document()))
    change_service(api, clock=ledger.clock, contracts=contracts)
    with serving(api) as port:
        yield Service(api, None, ledger), f"http://127.0.0.1:{port}"  # type: ignore[arg-type]


class Desk:
    """An operator's desk: files, and the command to import them."""

    def __init__(self, folder: Path, service: Service, url: str) -> None:
        self.folder, self.service, self.url = folder, service, url
        self.facilities: list[int] = []

    def file(self, name: str, text: str) -> Path:
        """A file with a text."""
        path = self.folder / name
        path.write_text(text)
        return path

    def run(self, kind: str, file: Path, *more: str, key: str | None = None) -> Any:
        """Run `rentroll import`; whatever the exit code."""
        named = [] if kind == "devices" else ["--facility", str(self.service.ledger.facility_id)]
        arguments = ["import", kind, str(file), *named, "--api-url", self.url, "--json"]
        result = CliRunner().invoke(
            app, [*arguments, "--api-key", key or self.service.ledger.api_key, *more]
        )
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return result

    def summary(self, kind: str, file: Path, *more: str, code: int) -> dict[str, Any]:
        """What an import printed, with its exit code checked."""
        result = self.run(kind, file, *more)
        assert result.exit_code == code, result.output
        return dict(json.loads(result.stdout))

    def held(self) -> dict[bytes, int]:
        """Seconds that the ledger has of each device of the operator's facility."""
        kinds = [kind.value for kind in HELD_KINDS]
        query = select(facts.c.device, facts.c.start_s, facts.c.end_s).where(
            facts.c.kind.in_(kinds), facts.c.facility_id == self.service.ledger.facility_id
        )
        seconds: dict[bytes, int] = {}
        with reading(self.service.ledger.engine) as connection:
            for held, start_s, end_s in connection.execute(query):
                seconds[bytes(held)] = seconds.get(bytes(held), 0) + end_s - start_s
        return seconds


@pytest.fixture
def desk(server: tuple[Service, str], tmp_path: Path) -> Desk:
    """A desk with an empty folder."""
    folder = tmp_path / "desk"
    folder.mkdir()
    return Desk(folder, *server)


def _row(job: str, gpu: int, from_s: int, to_s: int, lease: str = "lease-a") -> str:
    start, end = (format_instant(START_S + t) for t in (from_s, to_s))
    return f"{job},{device(gpu)},{lease},{start},{end}"


def _csv(*rows: str) -> str:
    return "\n".join([HEADER, *rows]) + "\n"


DIRTY = _csv(
    _row("good", 0, 0, HOUR_S),
    _row("zero", 0, HOUR_S, HOUR_S),
    _row("negative", 0, 2 * HOUR_S, HOUR_S),
    _row("overlap", 0, 60, 120),
    _row("good", 0, 0, HOUR_S),
    _row("early", 1, -HOUR_S, HOUR_S),
    _row("future", 1, 2 * DAY_S, 2 * DAY_S + 60),
    _row("stranger", 9, 0, HOUR_S),
    _row("no lease", 1, 0, HOUR_S, "lease-z"),
    _row("full", 1, 0, HOUR_S, "lease-b"),
    _row("fuller", 2, 0, HOUR_S, "lease-b"),
    _row("gpu name", 1, 0, HOUR_S).replace("GPU-", "gpu-"),
    _row("no end", 3, 0, HOUR_S).rpartition(",")[0] + ",",
    _row("=HYPERLINK(1)", 3, 60, 60),
)
REFUSED = [
    (3, "interval_empty"), (4, "interval_empty"), (5, "overlap"), (7, "outside_window"),
    (8, "in_the_future"), (9, "device_unknown"), (10, "lease_unknown"), (12, "over_capacity"),
    (13, "malformed_event"), (14, "still_running"), (15, "interval_empty"),
]  # fmt: skip


def test_import_csv__dirty_rows__are_judged_one_by_one_and_reported(desk: Desk) -> None:
    """ATTACKS 31, 39."""
    mapping, file = desk.file("map.toml", CSV_MAP), desk.file("use.csv", DIRTY)
    report = desk.folder / "refused.csv"
    options = ("--mapping", str(mapping), "--report", str(report))

    dry = desk.summary("csv", file, *options, "--dry-run", code=1)
    foreseen = report.read_text()
    recorded_dry = desk.service.pushed()
    first = desk.summary("csv", file, *options, code=1)
    listed = report.read_text()
    again = desk.summary("csv", file, *options, code=1)

    assert recorded_dry == 0
    assert dry == {**first, "dry_run": True}
    assert foreseen == listed
    assert (first["accepted"], first["duplicates"], first["accepted_gpu_seconds"]) == (2, 1, 7_200)
    assert (again["accepted"], again["duplicates"]) == (0, 3)
    assert again["refused"] == first["refused"]
    with report.open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert [(int(row["line"]), row["reason"]) for row in rows] == REFUSED
    assert {row["file"] for row in rows} == {"use.csv"}
    by_line = {row["line"]: row for row in rows}
    assert by_line["5"]["device"] == device(0)
    assert by_line["5"]["start"] == format_instant(START_S + 60)
    assert by_line["5"]["source"] == "import/csv"
    assert len(by_line["5"]["id"]) == 40
    # A job's name is no formula to whoever opens the report.
    assert by_line["15"]["job"] == "'=HYPERLINK(1)"
    assert not list(desk.folder.glob("*.part"))


def test_import_csv__row_that_changed__is_a_conflict_that_says_what_to_do(desk: Desk) -> None:
    mapping = desk.file("map.toml", CSV_MAP)
    file = desk.file("use.csv", _csv(_row("j1", 0, 0, HOUR_S)))
    desk.summary("csv", file, "--mapping", str(mapping), code=0)
    file.write_text(_csv(_row("j1", 0, 0, 2 * HOUR_S)))

    result = desk.run("csv", file, "--mapping", str(mapping))

    assert result.exit_code == 1
    assert json.loads(result.stdout)["refused"] == {"id_conflict": 1}
    assert "use.csv:2: id_conflict: it was imported otherwise before" in result.stderr
    assert "action replace or void" in result.stderr
    assert desk.held() == {device_hash(device(0)): HOUR_S}


def test_import__service_that_asks_it_to_wait__waits_and_goes_on(
    database_url: str, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "BATCH", 10)
    api = make_app(database_url, tmp_path, ingest_requests_per_s=1, ingest_burst_s=1)
    change_service(api, clock=ledger.clock)
    with serving(api) as port:
        service = Service(api, None, ledger)  # type: ignore[arg-type]
        desk = Desk(tmp_path, service, f"http://127.0.0.1:{port}")
        mapping = desk.file("map.toml", CSV_MAP)
        rows = [_row(f"j{i}", 0, i * 60, i * 60 + 60) for i in range(20)]
        file = desk.file("use.csv", _csv(*rows))
        began_s = time.monotonic()

        summary = desk.summary("csv", file, "--mapping", str(mapping), code=0)

    # One request a second: the second one was told to wait, and came again.
    assert time.monotonic() - began_s >= 1
    assert summary["accepted"] == 20


@pytest.mark.parametrize("cut", [0, 1, 2])
def test_import__killed_between_batches__is_finished_by_the_same_command(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, cut: int
) -> None:
    """ATTACKS 30: nothing twice, nothing lost."""
    monkeypatch.setattr(pipeline, "BATCH", 10)
    uses = [Usage(i + 2, f"j{i}", device(i % 4), "lease-a", *_minute(i)) for i in range(25)]
    answered = 0

    def killed() -> None:
        nonlocal answered
        answered += 1
        if answered > cut:
            raise KeyboardInterrupt

    def run(on_batch: Any) -> Import:
        api = OperatorApi(desk.url, api_key=desk.service.ledger.api_key)
        importing = Import(api, on_problem=lambda p: pytest.fail(p.detail), on_batch=on_batch)
        facility = FacilityId(desk.service.ledger.facility_id)
        rows: Iterator[Row] = iter(uses)
        try:
            importing.run(told_of(rows, facility, source="import/test"))
        finally:
            api.close()
        return importing

    with pytest.raises(KeyboardInterrupt):
        run(killed)
    before = desk.service.pushed()
    finished = run(lambda: None).summary

    assert before == min(10 * (cut + 1), 25)
    assert (finished.duplicates, finished.accepted) == (before, 25 - before)
    assert desk.service.pushed() == 25
    assert sum(desk.held().values()) == 25 * 60


def _minute(i: int) -> tuple[int, int]:
    start_s = START_S + i // 4 * 60
    return start_s, start_s + 60


def test_import__file_that_breaks_off__keeps_what_came_before_and_says_so(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "BATCH", 2)
    mapping = desk.file("map.toml", CSV_MAP)
    rows = [_row(f"j{i}", 0, i * 60, i * 60 + 60) for i in range(3)]
    file = desk.file("use.csv", _csv(*rows) + 'j4,"never closed\n')

    result = desk.run("csv", file, "--mapping", str(mapping))

    assert result.exit_code == 1
    assert json.loads(result.stdout)["accepted"] == 2
    assert "line 5" in result.stderr
    assert "the same command goes on" in result.stderr
    file.write_text(_csv(*rows))
    assert desk.summary("csv", file, "--mapping", str(mapping), code=0)["accepted"] == 1


def test_import__dry_run_over_batches__knows_what_earlier_ones_would_take(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "BATCH", 1)
    mapping = desk.file("map.toml", CSV_MAP)
    rows = [
        _row("a", 0, 0, HOUR_S),
        _row("b", 0, 60, 120),
        _row("a", 0, 0, HOUR_S),
        _row("a", 0, 0, 2 * HOUR_S),
        _row("c", 0, HOUR_S, 2 * HOUR_S),
    ]
    file = desk.file("use.csv", _csv(*rows))

    dry = desk.summary("csv", file, "--mapping", str(mapping), "--dry-run", code=1)
    real = desk.summary("csv", file, "--mapping", str(mapping), code=1)

    assert dry == {**real, "dry_run": True}
    assert (real["accepted"], real["duplicates"]) == (2, 1)
    assert real["refused"] == {"overlap": 1, "id_conflict": 1}


def test_import_sacct_and_philly__by_command__bill_devices_of_nodes(desk: Desk) -> None:
    devices = f'[devices]\ncomplete = true\n[devices.n1]\n0 = "{device(0)}"\n1 = "{device(1)}"\n'
    slurm = desk.file("s.toml", '[lease]\ncolumn = "Account"\n' + devices)
    jobs = desk.file(
        "jobs.txt",
        "JobIDRaw|Account|Start|End|NodeList|AllocTRES\n"
        "1|lease-a|2026-01-01T01:00:00|2026-01-01T02:00:00|n1|gres/gpu=2\n"
        "1.0|lease-a|2026-01-01T01:00:00|2026-01-01T02:00:00|n1|gres/gpu=2\n"
        "2|lease-a|2026-01-01T03:00:00|2026-01-01T04:00:00|n1|gres/gpu=1\n",
    )
    philly = desk.file("p.toml", '[lease]\nid = "lease-a"\n' + devices)
    attempt = {
        "start_time": "2025-12-31 20:00:00",
        "end_time": "2025-12-31 20:00:10",
        "detail": [{"ip": "n1", "gpus": ["1"]}],
    }
    table = desk.file("p.json", json.dumps([{"jobid": "p1", "attempts": [attempt]}]))

    zone = ("--timezone", "Europe/Oslo")
    first = desk.summary("sacct", jobs, "--mapping", str(slurm), *zone, code=1)
    second = desk.summary("philly", table, "--mapping", str(philly), code=0)

    assert (first["accepted"], first["left_out"]) == (2, {"step": 1})
    assert first["refused"] == {"gpus_unknown": 1}
    assert second["accepted_gpu_seconds"] == 10
    assert desk.held() == {device_hash(device(0)): HOUR_S, device_hash(device(1)): HOUR_S + 10}


LEASES = "lease_id,renter_ref,from,price_micros_per_gpu_hour,until,committed_gpus"


def test_import_leases__good_and_bad_rows__are_agreed_one_by_one(desk: Desk) -> None:
    rows = [
        "lease-1,renter-1,2026-01-01T00:00:00Z,2490000,2026-01-03T00:00:00Z,2",
        "lease-2,renter-2,2026-01-01T00:00:00Z,2.49,,",
        "lease-3,renter-3,2026-01-01T00:00:00Z,2490000,2025-12-01T00:00:00Z,",
        "lease-4,renter-4,2026-01-01T00:00:00Z,2490000,,500",
        # It is there, opened by the console.
        "lease-a,renter-of-lease-a,2026-01-01T00:00:00Z,1000000,,",
    ]
    file = desk.file("leases.csv", "\n".join([LEASES, *rows]))
    use = desk.file("use.csv", _csv(_row("j", 0, 0, HOUR_S, "lease-1")))
    mapping = desk.file("map.toml", CSV_MAP)

    dry = desk.summary("leases", file, "--dry-run", code=1)
    first = desk.summary("leases", file, code=1)
    again = desk.summary("leases", file, code=1)
    file.write_text(
        file.read_text().replace("lease-1,renter-1,2026-01-01", "lease-1,renter-1,2026-01-02")
    )
    changed = desk.run("leases", file)

    assert dry == {**first, "dry_run": True}
    assert first["accepted"] == again["duplicates"] == 1
    assert first["refused"] == {"not_a_number": 1, "terms_invalid": 2, "over_capacity": 1}
    assert "agree a new version of the lease's terms" in changed.stderr
    assert desk.summary("csv", use, "--mapping", str(mapping), code=0)["accepted"] == 1


def _offer(desk: Desk) -> Path:
    offer = {
        "name": "hall-2",
        "gpu_class": "H100-SXM5-80GB",
        "site": "SE-LULEA-1",
        "window_start": format_instant(START_S + 10 * DAY_S),
        "window_end": format_instant(START_S + 12 * DAY_S),
        "epoch_length_s": DAY_S,
        "tranches": [{"unit_cap": 10}],
    }
    return desk.file("offer.json", json.dumps(offer))


def test_import_devices__all_or_none__and_once(desk: Desk) -> None:
    offer = ("--offer", str(_offer(desk)))
    bad = desk.file("bad.csv", f"device\n{device(20)}\ngpu-1\n{device(20)}\n")
    good = desk.file("good.csv", f"device\n{device(20)}\n{device(21)}\n")
    refused = desk.run("devices", bad, *offer)
    dry = desk.summary("devices", good, *offer, "--dry-run", code=0)
    first = desk.summary("devices", good, *offer, code=0)
    again = desk.summary("devices", good, *offer, code=0)
    part = desk.file("part.csv", f"device\n{device(21)}\n")
    taken = desk.run("devices", part, *offer)

    assert refused.exit_code == taken.exit_code == 1
    assert json.loads(refused.stdout) == {"refused": 2}
    assert "bad.csv:3: device_refused" in refused.stderr
    assert "bad.csv:4: device_refused" in refused.stderr
    assert dry == {"devices": 2, "facility_id": None, "created": False, "refused": 0}
    assert first["created"]
    assert again == {**first, "created": False}
    assert f"is pledged to facility {first['facility_id']}" in taken.stderr


def test_import__other_service_that_answers_json__is_named(tmp_path: Path, ledger: Ledger) -> None:
    """A wrong URL may lead to anything: nothing is taken for an answer that is none."""
    answers = iter([{"ok": True}, {"results": []}, {"results": [7]}])
    other = FastAPI()

    @other.post("/v1/events")
    def answer() -> dict[str, Any]:
        return next(answers)

    with serving(other) as port:
        desk = Desk(tmp_path, Service(other, None, ledger), f"http://127.0.0.1:{port}")  # type: ignore[arg-type]
        mapping = str(desk.file("map.toml", CSV_MAP))
        file = desk.file("use.csv", _csv(_row("j", 0, 0, HOUR_S)))
        results = [desk.run("csv", file, "--mapping", mapping) for _ in range(3)]

    assert [r.exit_code for r in results] == [1, 1, 1]
    assert "no answer of a Rentroll API" in results[0].stderr
    assert "answered 0 of 1 events" in results[1].stderr
    assert "no answer of a Rentroll API" in results[2].stderr


def test_import__text_that_steers_terminals__is_shown_without(desk: Desk) -> None:
    """ATTACKS 39."""
    mapping = str(desk.file("map.toml", CSV_MAP))
    file = desk.file("use.csv", _csv(_row("\x1b]0;owned\x07\x1b[2J", 9, 0, HOUR_S)))

    result = desk.run("csv", file, "--mapping", mapping)

    assert "device_unknown" in result.stderr
    assert "\x1b" not in result.stderr
    assert "?]0;owned" in result.stderr


def test_import__wrong_key_no_service_or_wrong_files__exit_codes(desk: Desk) -> None:
    mapping = str(desk.file("map.toml", CSV_MAP))
    file = desk.file("use.csv", _csv(_row("j", 0, 0, HOUR_S)))

    refused = desk.run("csv", file, "--mapping", mapping, key="wrong")
    absent = desk.run("csv", file, "--mapping", mapping, "--api-url", NO_CHAIN)
    itself = desk.run("csv", file, "--mapping", mapping, "--report", str(file))
    nowhere = desk.run("csv", file, "--mapping", mapping, "--report", str(file / "x"))
    usage = desk.run("csv", file, "--mapping", str(desk.folder / "absent.toml"))

    codes = [r.exit_code for r in (refused, absent, itself, nowhere, usage)]
    assert codes == [1, 3, 1, 1, 2]
    assert "the API key is unknown" in refused.stderr
    assert "no Rentroll API answers" in absent.stderr
    assert "would replace the file" in itself.stderr
    assert file.read_text() == _csv(_row("j", 0, 0, HOUR_S))
    assert desk.service.pushed() == 0


# GPU (two of six are of no facility), start and length in hours, and lease.
_JOBS = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.integers(-3, 75),
        st.integers(-2, 12),
        st.sampled_from(["lease-a", "lease-b"]),
    ),
    max_size=40,
)
_WINDOW_HOURS = 72


def _counted(jobs: list[tuple[int, int, int, str]]) -> dict[int, int]:
    """Hours of each GPU, hour by hour: the first row that asks for an hour has it.

    lease-b covers one GPU at once.
    """
    taken: dict[tuple[int, int], str] = {}
    for gpu, start, length, lease in jobs:
        wanted = range(start, start + length)
        of_lease = {hour for (_, hour), other in taken.items() if other == "lease-b" == lease}
        free = not any((gpu, hour) in taken or hour in of_lease for hour in wanted)
        if gpu < 4 and wanted and start >= 0 and wanted[-1] < _WINDOW_HOURS and free:
            taken |= {(gpu, hour): lease for hour in wanted}
    return {gpu: sum(g == gpu for g, _ in taken) for gpu in {g for g, _ in taken}}


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(jobs=_JOBS)
def test_import__random_job_tables__bill_what_an_independent_count_gives(
    desk: Desk, jobs: list[tuple[int, int, int, str]]
) -> None:
    """Through file, reader, HTTP and judge, twice over, on a facility of its own."""
    ledger = desk.service.ledger
    ledger.clock.now_s = START_S + 3 * DAY_S
    first_gpu = 1_000 + 10 * len(desk.facilities)
    devices = range(first_gpu, first_gpu + 4)
    ledger.facility_id = ledger.add_facility(devices)
    desk.facilities.append(ledger.facility_id)
    ledger.add_lease("lease-a")
    ledger.add_lease("lease-b", max_gpus=1)
    mapping = desk.file("map.toml", CSV_MAP)
    rows = [
        _row(f"j{i}", first_gpu + gpu, start * HOUR_S, (start + length) * HOUR_S, lease)
        for i, (gpu, start, length, lease) in enumerate(jobs)
    ]
    file = desk.file("use.csv", _csv(*rows))

    first, again = (
        json.loads(desk.run("csv", file, "--mapping", str(mapping)).stdout) for _ in range(2)
    )

    hours = _counted(jobs)
    held = desk.held()
    assert held == {device_hash(device(first_gpu + g)): n * HOUR_S for g, n in hours.items()}
    assert first["accepted_gpu_seconds"] == sum(held.values())
    assert first["accepted"] + sum(first["refused"].values()) == len(jobs)
    assert (again["accepted"], again["duplicates"]) == (0, first["accepted"])
