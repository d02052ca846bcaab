"""Slurm: rows in the style of sacct, records in the style of its prolog, and what follows."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from api.agent.book import Round
from api.agent.failures import SourceFailed
from api.agent.settings import SlurmSettings
from api.agent.sources.slurm import COLUMNS, SlurmSource
from tests.factories import DAY_S, START_S, device
from tests.unit.agent.desk import kinds, make_book, open_spool, spooled

PROLOG = Path(__file__).resolve().parents[3] / "deploy" / "slurm" / "rentroll-prolog"
HEADER = "|".join(COLUMNS)
# A stand-in for sacct: prints a file, and notes how it was called.
SACCT = """\
import os, pathlib, sys
here = pathlib.Path(__file__).parent
here.joinpath("called").write_text(" ".join(sys.argv[1:]) + " TZ=" + os.environ["TZ"])
sys.stdout.write(here.joinpath("rows").read_text())
sys.exit(int(here.joinpath("rc").read_text()))
"""


class Cluster:
    """Slurm as the agent sees it."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.folder = folder
        self.records = folder / "records"
        self.records.mkdir()
        (folder / "sacct.py").write_text(SACCT)
        (folder / "rc").write_text("0")
        values: dict[str, Any] = {
            "command": (sys.executable, str(folder / "sacct.py")),
            "records": self.records,
            "node": "",
            "poll_s": 60,
            "overlap_s": 3_600,
            "first_s": DAY_S,
            "absent_s": 0,
        }
        self.source = SlurmSource(SlurmSettings(**(values | changes)))

    def says(self, *rows: str) -> None:
        """What sacct prints from now on."""
        (self.folder / "rows").write_text("\n".join((HEADER, *rows)) + "\n")

    def got(self, job: str, node: str, at_s: int, *gpus: int) -> None:
        """The prolog's record of a job on a node."""
        names = " ".join(device(gpu) for gpu in gpus)
        time = START_S + at_s
        text = f"job={job}\nnode={node}\ntime={time}\ngpus={names}\n"
        (self.records / f"{job}@{node}@{time}").write_text(text)

    def read(self, at_s: int, cursor: str | None = None) -> Round:
        """Poll at a time."""
        return self.source.read(START_S + at_s, cursor)


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    """A cluster without jobs."""
    return Cluster(tmp_path)


def _row(
    job: str,
    start: str = "2026-01-01T00:00:00",
    end: str = "Unknown",
    state: str = "RUNNING",
    *,
    gpus: str = "gres/gpu=2",
    nodes: str = "n1",
    suspended: str = "00:00:00",
    account: str = "physics",
) -> str:
    tres = f"billing=8,cpu=8,{gpus},mem=64G,node=1"
    return f"{job}|{account}|ada|h100|{state}|{start}|{end}|{suspended}|{nodes}|{tres}"


def test_job__that_runs__holds_the_devices_of_its_record(cluster: Cluster) -> None:
    cluster.says(_row("101"), _row("101.batch"), _row("101.extern"))
    cluster.got("101", "n1", 2, 0, 1)

    said = cluster.read(600)

    assert [(u.job, u.device, u.end_s) for u in said.uses] == [
        (f"101@{START_S}", device(0), None),
        (f"101@{START_S}", device(1), None),
    ]
    assert (said.uses[0].holder.account, said.uses[0].holder.partition) == ("physics", "h100")
    assert said.cursor == str(START_S + 600)
    called = (cluster.folder / "called").read_text()
    assert "--starttime 2025-12-30T23:10:00" in called
    assert "--duplicates" in called
    assert called.endswith("TZ=UTC")


def test_poll__after_the_first__asks_from_the_cursor_on(cluster: Cluster) -> None:
    cluster.says()

    cluster.read(90_000, str(START_S + 86_400))

    assert "--starttime 2026-01-01T23:00:00" in (cluster.folder / "called").read_text()


def test_job__over_two_nodes__needs_a_record_of_each(cluster: Cluster) -> None:
    cluster.says(_row("5", gpus="gres/gpu:h100=4", nodes="n[1-2]"))
    cluster.got("5", "n1", 2, 0, 1)

    first = cluster.read(600)
    cluster.got("5", "n2", 3, 2, 3)
    second = cluster.read(660)

    assert first.uses == []
    [problem] = first.problems
    assert (problem.kind, problem.subject) == ("gpus_unknown", "5")
    assert "n2" in problem.detail
    assert len(second.uses) == 4


def test_job__run_again_under_its_number__has_the_devices_of_each_run(cluster: Cluster) -> None:
    cluster.says(
        _row("9", end="2026-01-01T01:00:00", state="NODE_FAIL", gpus="gres/gpu=1"),
        _row("9", start="2026-01-01T02:00:00", gpus="gres/gpu=1"),
    )
    cluster.got("9", "n1", 1, 0)
    cluster.got("9", "n1", 7_201, 1)

    said = cluster.read(9_000)

    assert [(u.device, u.start_s - START_S, u.end_s) for u in said.uses] == [
        (device(0), 0, START_S + 3_600),
        (device(1), 7_200, None),
    ]


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (_row("1", state="SUSPENDED"), "suspended"),
        (_row("1", end="2026-01-01T01:00:00", suspended="00:10:00"), "suspended"),
        (_row("1", gpus="gres/gpu=3"), "gpu_count"),
        (_row("1", gpus="gres/shard=3"), "gpu_shared"),
        (_row("1", start="yesterday"), "time_unreadable"),
    ],
)
def test_job__of_which_something_is_not_known__is_reported_and_not_billed(
    cluster: Cluster, row: str, kind: str
) -> None:
    cluster.says(row)
    cluster.got("1", "n1", 1, 0, 1)

    said = cluster.read(7_200)

    assert said.uses == []
    assert [p.kind for p in said.problems] == [kind]


@pytest.mark.parametrize(
    "row",
    [
        _row("1", start="Unknown", state="PENDING", nodes="None assigned"),
        _row("1", start="None", end="2026-01-01T00:00:05", state="CANCELLED by 1000", nodes=""),
        _row("1", gpus="gres/fpga=1"),
        _row("1.0"),
    ],
)
def test_row__that_holds_no_gpu__is_left_out(cluster: Cluster, row: str) -> None:
    cluster.says(row)

    said = cluster.read(600)

    assert (said.uses, said.problems) == ([], [])


def test_record__that_is_broken__is_reported(cluster: Cluster) -> None:
    cluster.says(_row("1"))
    (cluster.records / f"1@n1@{START_S}").write_text("job=1\nnode=n1\ngpus=GPU-1\n")

    [problem] = cluster.read(600).problems

    assert problem.kind == "unreadable"
    assert problem.detail.startswith("record 1@n1")


def test_agent__of_one_node__sees_that_node_alone(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, node="n2")
    cluster.says(_row("5", gpus="gres/gpu=4", nodes="n[1-2]"), _row("6"))
    cluster.got("5", "n2", 2, 2, 3)

    said = cluster.read(600)

    assert [u.device for u in said.uses] == [device(2), device(3)]
    assert said.problems == []


def test_times__in_seconds__are_read_too(cluster: Cluster) -> None:
    cluster.says(_row("1", start=str(START_S), end=str(START_S + 50), gpus="gres/gpu=1"))
    cluster.got("1", "n1", 1, 0)

    [use] = cluster.read(600).uses

    assert (use.start_s, use.end_s) == (START_S, START_S + 50)


def test_sacct__that_fails_or_prints_something_else__ends_nothing(cluster: Cluster) -> None:
    cluster.says(_row("1"))
    (cluster.folder / "rc").write_text("1")
    with pytest.raises(SourceFailed):
        cluster.read(600)
    (cluster.folder / "rc").write_text("0")
    for text in ("", "JobID|State\n", HEADER + "\n1|2\n"):
        (cluster.folder / "rows").write_text(text)
        with pytest.raises(SourceFailed):
            cluster.read(600)


def test_abort__between_two_polls__lets_no_sacct_work_on(cluster: Cluster) -> None:
    cluster.says(_row("1"))
    # One that waits for a database which does not answer.
    (cluster.folder / "sacct.py").write_text("import time\ntime.sleep(600)\n")

    cluster.source.abort()

    with pytest.raises(SourceFailed, match=r"failed$"):
        cluster.read(600)


def test_jobs__from_start_to_end_over_restarts__are_in_the_book_once(
    cluster: Cluster, tmp_path: Path
) -> None:
    spool = open_spool(tmp_path)
    cluster.got("101", "n1", 2, 0, 1)
    cluster.says(_row("101"))
    make_book(spool).take(cluster.read(600), now_s=START_S + 600)
    cluster.says(_row("101", end="2026-01-01T00:30:00", state="COMPLETED"))

    for at_s in (2_400, 2_460):
        make_book(spool).take(cluster.read(at_s), now_s=START_S + at_s)

    assert kinds(spool) == ["opened", "confirmed"] * 2 + ["ended"] * 2
    assert spooled(spool)[-1]["data"]["until"] == "2026-01-01T00:30:00Z"


def test_job__whose_records_are_gone__ends_when_sacct_says(
    cluster: Cluster, tmp_path: Path
) -> None:
    spool = open_spool(tmp_path)
    cluster.got("101", "n1", 2, 0, 1)
    cluster.says(_row("101"))
    make_book(spool).take(cluster.read(600), now_s=START_S + 600)
    for path in cluster.records.iterdir():
        path.unlink()
    cluster.says(_row("101", end="2026-01-01T00:30:00", state="COMPLETED"))

    make_book(spool).take(cluster.read(2_400), now_s=START_S + 2_400)

    assert spooled(spool)[-1]["data"]["until"] == "2026-01-01T00:30:00Z"


def _prolog(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    for minor, gpu in ((0, 1), (1, 0)):
        place = folder / "proc" / f"0000:{minor}b:00.0"
        place.mkdir(parents=True, exist_ok=True)
        (place / "information").write_text(
            f"Model: \t\t NVIDIA H100\nGPU UUID: \t {device(gpu)}\nDevice Minor: \t {minor}\n"
        )
    (folder / "records").mkdir(exist_ok=True)
    variables = {
        "RENTROLL_SLURM_RECORDS": str(folder / "records"),
        "RENTROLL_NVIDIA_PROC": str(folder / "proc"),
        "SLURMD_NODENAME": "n1",
        "SLURM_JOB_ID": "101",
    }
    return subprocess.run(
        ["sh", str(PROLOG)],
        env={"PATH": os.environ["PATH"], **variables, **environment},
        capture_output=True,
        text=True,
        check=True,
    )


def test_prolog__numbers_of_cards__become_their_names(tmp_path: Path) -> None:
    _prolog(tmp_path, SLURM_JOB_GPUS="1,0")

    [record] = (tmp_path / "records").iterdir()
    assert record.name.startswith("101@n1@")
    assert f"gpus={device(0)} {device(1)}\n" in record.read_text()


def test_prolog__names_of_slices__are_taken_as_they_are(tmp_path: Path) -> None:
    name = "MIG-c7384736-a75d-5afc-978f-d2f1294409fd"

    _prolog(tmp_path, CUDA_VISIBLE_DEVICES=name)

    [record] = (tmp_path / "records").iterdir()
    assert f"gpus={name}\n" in record.read_text()


def test_prolog__that_cannot_know__writes_nothing_and_lets_the_job_run(tmp_path: Path) -> None:
    assert "no card" in _prolog(tmp_path, SLURM_JOB_GPUS="7").stderr
    _prolog(tmp_path)
    said = _prolog(tmp_path, SLURM_JOB_GPUS="0", RENTROLL_SLURM_RECORDS=str(tmp_path / "no"))

    assert "cannot be written" in said.stderr
    assert list((tmp_path / "records").iterdir()) == []
