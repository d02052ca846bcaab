"""Reading the Philly job table: a long JSON list, attempts, local times, machines and GPUs."""

import json
import os
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from api.errors import InvalidInput
from api.ledger.importers.json_rows import MOST_CHARS, json_rows
from api.ledger.importers.philly import PhillyReader
from api.ledger.importers.rows import Row, Usage
from api.ledger.importers.tables import open_source
from tests.factories import device
from tests.unit.ledger.reading import DEVICES, left_out, refusals, rows_of, uses, written

# The trace is other people's data: it lies beside a checkout, or where the variable says.
ROOT = Path(__file__).resolve().parents[3]
TRACES = Path(os.environ.get("RENTROLL_TRACES", ROOT.parent / "shared" / "traces"))
JOB_LOGS = sorted(TRACES.glob("*philly*/**/cluster_job_log*"))
LEASES = '[lease]\ncolumn = "vc"\n[lease.by]\nee9e8c = "lease-a"\nown = "-"\n'
# 2017-10-07 01:12:09 in Los Angeles, in summer time.
BEGUN_S = 1_507_363_929


def _job(**changes: Any) -> dict[str, Any]:
    attempt = {
        "start_time": "2017-10-07 01:12:09",
        "end_time": "2017-10-07 01:13:23",
        "detail": [{"ip": "n1", "gpus": ["0", "1"]}],
    }
    attempt |= {k: v for k, v in changes.items() if k in attempt}
    job = {"status": "Pass", "vc": "ee9e8c", "jobid": "app_1", "attempts": [attempt], "user": "u"}
    return job | {k: v for k, v in changes.items() if k in job}


def _read(folder: Path, text: str) -> list[Row]:
    mapping = written(folder, "map.toml", LEASES + DEVICES)
    return rows_of(PhillyReader(mapping), written(folder, "cluster_job_log", text))


def test_philly__attempts__are_uses_each_with_its_own_name(tmp_path: Path) -> None:
    second = {
        "start_time": "2017-12-07 01:12:09",
        "end_time": "2017-12-07 01:12:10",
        "detail": [{"ip": "n1", "gpus": ["0"]}, {"ip": "n2", "gpus": ["0"]}],
    }
    job = _job()
    job["attempts"].append(second)

    rows = _read(tmp_path, json.dumps([job], indent=4))

    # In winter time an hour later.
    winter_s = BEGUN_S + 61 * 86_400 + 3_600
    assert rows == [
        Usage(2, "app_1/1", device(0), "lease-a", BEGUN_S, BEGUN_S + 74),
        Usage(2, "app_1/1", device(1), "lease-a", BEGUN_S, BEGUN_S + 74),
        Usage(2, "app_1/2", device(0), "lease-a", winter_s, winter_s + 1),
        Usage(2, "app_1/2", device(2), "lease-a", winter_s, winter_s + 1),
    ]


@pytest.mark.parametrize(
    ("job", "reason"),
    [
        (_job(end_time=None), "still_running"),
        (_job(end_time="None"), "still_running"),
        (_job(start_time=None), "start_missing"),
        (_job(start_time="2017-11-05 01:30:00"), "time_ambiguous"),
        (_job(end_time="2018-03-11 02:00:00"), "time_skipped"),
        (_job(start_time="yesterday"), "time_unreadable"),
        (_job(detail=[{"ip": "m9", "gpus": ["0"]}]), "node_unknown"),
        (_job(detail=[{"ip": "n1", "gpus": ["gpu7"]}]), "gpu_unknown"),
        (_job(detail=[{"ip": "n1", "gpus": ["0", "0"]}]), "gpu_repeated"),
        (_job(detail=[{"ip": "n1", "gpus": "0"}]), "row_malformed"),
        (_job(detail=[{"gpus": ["0"]}]), "row_malformed"),
        (_job(detail=None), "row_malformed"),
        (_job(attempts=[7]), "row_malformed"),
        (_job(attempts=None), "row_malformed"),
        (_job(jobid=None), "field_missing"),
        (_job(vc="unknown"), "lease_unknown_here"),
        (_job(vc=7), "lease_unknown_here"),
        (_job(jobid="\ud800"), "row_malformed"),
        (_job(detail=[{"ip": "n1\udfff", "gpus": ["0"]}]), "row_malformed"),
        ([], "row_malformed"),
        (None, "row_malformed"),
    ],
)
def test_philly__attempt_that_is_not_clear__is_refused_with_line_and_reason(
    tmp_path: Path, job: Any, reason: str
) -> None:
    rows = _read(tmp_path, f"[{json.dumps(_job())},\n\n{json.dumps(job)}]")

    assert refusals(rows) == [(3, reason)]
    assert len(uses(rows)) == 2


def test_philly__jobs_that_held_nothing__are_left_out_and_counted(tmp_path: Path) -> None:
    jobs = [
        _job(attempts=[]),
        _job(start_time=None, detail=[]),
        _job(detail=[]),
        _job(vc="own"),
        _job(detail=[{"ip": "n2", "gpus": ["1"]}]),
    ]

    rows = _read(tmp_path, json.dumps(jobs))

    assert uses(rows) == []
    assert left_out(rows) == {
        "never_started": 2, "no_gpu": 1, "not_rented": 1, "other_facility": 1,
    }  # fmt: skip


def test_philly__long_file__is_read_piece_by_piece(tmp_path: Path) -> None:
    """Objects lie across the pieces in which a file is read, and keep their lines."""
    text = "[\n" + ",\n".join(json.dumps(_job(jobid=f"j{i}é")) for i in range(5_000)) + "\n]\n"

    found = uses(_read(tmp_path, text))

    assert len(text) > 900_000
    assert [(u.line, u.job) for u in found[::2]] == [(i + 2, f"j{i}é/1") for i in range(5_000)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "is no JSON list"),
        ("", "is no JSON list"),
        ('[{"a": 1}\n,\n{"b": ', "line 3"),
        ('[{"a": 1}\n\n{"b": 2}]', "line 1"),
        ("[{}\n", "line 1"),
        ("[" * 100_000, "line 1"),
        ('[{"a": "' + "x" * (2 * MOST_CHARS), "line 1"),
    ],
)
def test_philly__file_that_breaks_off__names_the_line(
    tmp_path: Path, text: str, message: str
) -> None:
    """ATTACKS 35: also where it is nested without an end, or holds one text without an end."""
    with pytest.raises(InvalidInput, match=message):
        _read(tmp_path, text)


@pytest.mark.skipif(not JOB_LOGS, reason="no Philly trace: RENTROLL_TRACES names its folder")
def test_philly__first_jobs_of_the_real_trace__are_read_or_refused_by_name(tmp_path: Path) -> None:
    with open_source(JOB_LOGS[0]) as source:
        jobs: list[Any] = [job for _, job in islice(json_rows(source), 2_000)]
    attempts = [attempt for job in jobs for attempt in job["attempts"]]
    parts = [part for attempt in attempts for part in attempt["detail"]]
    places = sorted({(part["ip"], gpu) for part in parts for gpu in part["gpus"]})
    devices = "".join(
        f'[devices."{machine}"]\n'
        + "".join(f'"{g}" = "{device(i)}"\n' for i, (m, g) in enumerate(places) if m == machine)
        for machine in sorted({machine for machine, _ in places})
    )
    mapping = written(tmp_path, "map.toml", '[lease]\nid = "lease-a"\n' + devices)

    rows = rows_of(PhillyReader(mapping), written(tmp_path, "log", json.dumps(jobs)))

    assert len(uses(rows)) > 1_000
    assert {reason for _, reason in refusals(rows)} <= {
        "still_running", "start_missing", "time_ambiguous", "gpu_repeated",
    }  # fmt: skip
