"""A CSV file that grows: whole rows once, in order, whatever is written and when."""

from pathlib import Path
from typing import Any

import pytest

from api.agent.failures import SourceFailed
from api.agent.settings import CsvSettings
from api.agent.sources.csv_rows import CsvSource
from api.agent.spool import Spool
from api.domain.metering.events import parse_event
from tests.factories import DAY_S, START_S, device
from tests.unit.agent.desk import LEASES, open_spool, spooled

HEADER = "Booking;GPU;Begin;End;Group\n"
COLUMNS = {
    "job": "Booking",
    "device": "GPU",
    "start": "Begin",
    "end": "End",
    "account": "Group",
}


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """An empty spool."""
    return open_spool(tmp_path)


def _source(spool: Spool, file: Path) -> CsvSource:
    return CsvSource(
        CsvSettings(file, ";", COLUMNS, 60),
        spool,
        "agent/n1/csv",
        leases=LEASES,
        facility_of=lambda _d: 1,
    )


def _row(job: str, gpu: int = 0, *, hour: int = 1, group: str = "physics") -> str:
    day = "2026-01-01T"
    return f"{job};{device(gpu)};{day}{hour:02}:00:00Z;{day}{hour:02}:30:00Z;{group}\n"


def _ids(spool: Spool) -> list[Any]:
    return [e["id"].split("/")[0] for e in spooled(spool)]


def test_rows__that_are_appended__become_events_once(spool: Spool, tmp_path: Path) -> None:
    file = tmp_path / "use.csv"
    file.write_text(HEADER + _row("B-1") + _row("B-2", 1)[:40])
    _source(spool, file).step(START_S + DAY_S)
    assert _ids(spool) == ["B-1"]

    with file.open("a") as more:
        more.write(_row("B-2", 1)[40:] + _row("B-3", 2))
    for _ in range(2):
        _source(spool, file).step(START_S + DAY_S)

    assert _ids(spool) == ["B-1", "B-2", "B-3"]
    for event in spooled(spool):
        parse_event(event)


def test_file__of_another_day_under_its_name__is_read_from_its_beginning(
    spool: Spool, tmp_path: Path
) -> None:
    file = tmp_path / "use.csv"
    file.write_text(HEADER + _row("B-1") + _row("B-2", 1))
    _source(spool, file).step(START_S + DAY_S)
    file.rename(tmp_path / "old.csv")
    file.write_text("Group;Booking;GPU;Begin;End\nphysics;" + _row("B-9", 3)[:-9] + "\n")

    _source(spool, file).step(START_S + DAY_S)

    assert _ids(spool) == ["B-1", "B-2", "B-9"]


def test_row__that_cannot_be_billed__is_reported_by_its_place(spool: Spool, tmp_path: Path) -> None:
    file = tmp_path / "use.csv"
    bad = [
        _row("x").replace("GPU-", "gpu "),
        _row("x").replace("Z", ""),
        _row("x", group="chem"),
        _row("x").replace(":30:00Z", ":00:00Z"),
        "only;three;cells\n",
    ]
    file.write_text(HEADER + "".join(bad) + "\n" + _row("good"))

    _source(spool, file).step(START_S + DAY_S)

    assert _ids(spool) == ["good"]
    assert len(spool.problems(since_s=0)) == len(bad)


def test_row__of_time_to_come__waits_with_all_behind_it(spool: Spool, tmp_path: Path) -> None:
    file = tmp_path / "use.csv"
    file.write_text(HEADER + _row("now", hour=1) + _row("later", 1, hour=5) + _row("last", 2))
    source = _source(spool, file)

    source.step(START_S + 3 * 3_600)
    assert _ids(spool) == ["now"]
    source.step(START_S + DAY_S)

    assert _ids(spool) == ["now", "later", "last"]


@pytest.mark.parametrize("text", [None, "", "Booking;GPU", "Booking;GPU;Begin;Group\nB;c;d;e\n"])
def test_file__without_what_is_needed__is_a_sentence(
    spool: Spool, tmp_path: Path, text: str | None
) -> None:
    file = tmp_path / "use.csv"
    if text is not None:
        file.write_text(text)

    with pytest.raises(SourceFailed, match=r"use\.csv"):
        _source(spool, file).step(START_S + DAY_S)
