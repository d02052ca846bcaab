"""Runs of `rentroll import`: cut short, held up, over several batches, and of a wrong service."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from api.cli.operator_client import OperatorClient
from api.domain.units import FacilityId
from api.ledger.importers import pipeline
from api.ledger.importers.pipeline import Import, Summary, told_of
from api.ledger.importers.rows import Row, Usage
from tests.factories import HOUR_S, START_S, Ledger, device
from tests.integration.ledger.desk import CSV_MAP, Desk, use_row, use_table
from tests.integration.service import NO_CHAIN, Service, change_service, make_app, serving


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
        rows = [use_row(f"j{i}", 0, i * 60, i * 60 + 60) for i in range(20)]
        file = desk.file("use.csv", use_table(*rows))
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
        api = OperatorClient(desk.url, api_key=desk.service.ledger.api_key)
        importing = Import(
            api,
            summary=Summary(dry_run=False),
            on_problem=lambda p: pytest.fail(p.detail),
            on_batch=on_batch,
        )
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
    rows = [use_row(f"j{i}", 0, i * 60, i * 60 + 60) for i in range(3)]
    file = desk.file("use.csv", use_table(*rows) + 'j4,"never closed\n')

    result = desk.run("csv", file, "--mapping", str(mapping))

    assert result.exit_code == 1
    assert json.loads(result.stdout)["accepted"] == 2
    assert "line 5" in result.stderr
    assert "the same command goes on" in result.stderr
    file.write_text(use_table(*rows))
    assert desk.summary("csv", file, "--mapping", str(mapping), code=0)["accepted"] == 1


def test_import__dry_run_over_batches__knows_what_earlier_ones_would_take(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "BATCH", 1)
    mapping = desk.file("map.toml", CSV_MAP)
    rows = [
        use_row("a", 0, 0, HOUR_S),
        use_row("b", 0, 60, 120),
        use_row("a", 0, 0, HOUR_S),
        use_row("a", 0, 0, 2 * HOUR_S),
        use_row("c", 0, HOUR_S, 2 * HOUR_S),
    ]
    file = desk.file("use.csv", use_table(*rows))

    dry = desk.summary("csv", file, "--mapping", str(mapping), "--dry-run", code=1)
    real = desk.summary("csv", file, "--mapping", str(mapping), code=1)

    assert dry == {**real, "dry_run": True}
    assert (real["accepted"], real["duplicates"]) == (2, 1)
    assert real["refused"] == {"overlap": 1, "id_conflict": 1}


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
        file = desk.file("use.csv", use_table(use_row("j", 0, 0, HOUR_S)))
        results = [desk.run("csv", file, "--mapping", mapping) for _ in range(3)]

    assert [r.exit_code for r in results] == [1, 1, 1]
    assert "no answer of a Rentroll API" in results[0].stderr
    assert "answered 0 of 1 events" in results[1].stderr
    assert "no answer of a Rentroll API" in results[2].stderr


def test_import__wrong_key_no_service_or_wrong_files__exit_codes(desk: Desk) -> None:
    mapping = str(desk.file("map.toml", CSV_MAP))
    file = desk.file("use.csv", use_table(use_row("j", 0, 0, HOUR_S)))

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
    assert file.read_text() == use_table(use_row("j", 0, 0, HOUR_S))
    assert desk.service.pushed() == 0
