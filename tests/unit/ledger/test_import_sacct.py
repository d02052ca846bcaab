"""Reading Slurm's accounting: whose a row is, when, and which GPUs, or why it is refused."""

from pathlib import Path

import pytest

from api.errors import InvalidInput
from api.ledger.importers.rows import Row, Usage
from api.ledger.importers.sacct import SacctReader
from tests.factories import START_S, device
from tests.unit.ledger.reading import DEVICES, left_out, refusals, rows_of, uses, written

HEADER = "JobIDRaw|Account|State|Start|End|Suspended|ElapsedRaw|NodeList|AllocTRES|AdminComment"
HOUR = "2026-01-01T00:00:00|2026-01-01T01:00:00|00:00:00|3600"
LEASES = """
[lease]
column = "Account"
[lease.by]
physics = "lease-a"
"it's" = "lease-b"
internal = "-"
[sacct]
gpus = "AdminComment"
"""


def _read(folder: Path, *lines: str, header: str = HEADER, devices: str = DEVICES) -> list[Row]:
    mapping = written(folder, "map.toml", LEASES + devices)
    file = written(folder, "jobs.txt", "\n".join([header, *lines]) + "\n")
    return rows_of(SacctReader(mapping, zone="UTC"), file)


def _job(gpus: str, *, job: str = "7", nodes: str = "n1", said: str = "", when: str = HOUR) -> str:
    return f"{job}|physics|COMPLETED|{when}|{nodes}|cpu=8,mem=1G,node=1,{gpus}|{said}"


@pytest.mark.parametrize(
    ("nodes", "gpus", "said", "held"),
    [
        # All GPUs of the nodes: nobody has to say which.
        ("n1", "gres/gpu:a100=2,gres/gpu=2", "", [0, 1]),
        ("n[1-2]", "gres/gpu=4", "", [0, 1, 2]),
        # By numbers: of the only node, by node, and as scontrol prints them.
        ("n1", "gres/gpu:a100=1", "1", [1]),
        ("n1", "gres/gpu=2", "0-1", [0, 1]),
        ("n1,n2", "gres/gpu=2", "n1:1 n2:0", [1, 2]),
        ("n1,n2", "gres/gpu=2", "n1:1;n2:0;", [1, 2]),
        ("n1", "gres/gpu=1", "Nodes=n1 Mem=0 GRES=gpu:a100:1(IDX:1),nic:2(IDX:0-1)", [1]),
        ("n[1-2]", "gres/gpu=2", "Nodes=n[1-2] CPU_IDs=0 Mem=1 GRES=gpu:1(IDX:0)", [0, 2]),
        (
            "n[1-2]",
            "gres/gpu:a100=1,gres/gpu:v100=1",
            "Nodes=n1 CPU_IDs=0 Mem=1 GRES=gpu:a100:1(IDX:1) Nodes=n2 GRES=gpu:v100:1(IDX:0)",
            [1, 2],
        ),
    ],
)  # fmt: skip
def test_sacct__gpus_that_are_known__are_a_use_each(
    tmp_path: Path, nodes: str, gpus: str, said: str, held: list[int]
) -> None:
    rows = _read(tmp_path, _job(gpus, nodes=nodes, said=said))

    assert uses(rows) == [
        Usage(2, "7", device(i), "lease-a", START_S, START_S + 3_600) for i in held
    ]
    assert refusals(rows) == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (_job("gres/gpu=1"), "gpus_unknown"),
        (_job("gres/gpu=3"), "gpus_unknown"),
        (_job("gres/gpu=2", nodes="n[1-2]", said="0,1"), "gpus_unknown"),
        # Slurm says N/A of jobs that are over.
        (_job("gres/gpu=1", said="Nodes=n1 CPU_IDs=0 GRES=gpu:1(IDX:N/A)"), "gpus_unknown"),
        (_job("gres/gpu=1", said="ask Bob"), "gpus_unknown"),
        (_job("gres/gpu=1", said="0-1"), "gpu_count_mismatch"),
        (_job("gres/gpu=1", said="n2:0"), "gpu_count_mismatch"),
        (_job("gres/gpu=2", said="0,0"), "gpu_repeated"),
        (_job("gres/gpu=1", said="7"), "gpu_unknown"),
        (_job("gres/gpu=2", nodes="n9"), "node_unknown"),
        (_job("gres/gpu=1", said="9-0"), "field_missing"),
        (_job("gres/gpu=2", nodes="n[1-"), "field_missing"),
        (_job("gres/gpu=2", nodes="n[0-999999]"), "field_missing"),
        (_job("gres/shard=4"), "gpu_shared"),
        (_job("gres/gpu=1,gres/mps:a100=50"), "gpu_shared"),
        (_job("gres/gpu=2").replace("physics", "alchemy"), "lease_unknown_here"),
        (_job("gres/gpu=2").replace("physics", ""), "lease_unknown_here"),
        (_job("gres/gpu=2").replace("2026-01-01T01:00:00", "Unknown"), "still_running"),
        (_job("gres/gpu=2").replace("2026-01-01T00:00:00", "Unknown"), "start_missing"),
        (_job("gres/gpu=2").replace("00:00:00|3600", "00:30:00|1800"), "suspended"),
        (_job("gres/gpu=2").replace("3600", "1800"), "elapsed_mismatch"),
        (_job("gres/gpu=2").replace("2026-01-01T00", "2026-13-01T00"), "time_unreadable"),
        ("7|physics|COMPLETED|" + HOUR + "|n1||", "field_missing"),
        (_job("gres/gpu=2", job=""), "field_missing"),
        (_job("gres/gpu=2") + "|name|with|pipes", "row_malformed"),
        ("7|phys", "row_malformed"),
    ],
)
def test_sacct__row_that_is_not_clear__is_refused_with_line_and_reason(
    tmp_path: Path, line: str, reason: str
) -> None:
    rows = _read(tmp_path, _job("gres/gpu=2", job="6"), line)

    assert refusals(rows) == [(3, reason)]
    assert [u.job for u in uses(rows)] == ["6", "6"]


def test_sacct__steps_pending_cpu_and_internal_jobs__are_left_out_and_counted(
    tmp_path: Path,
) -> None:
    whole = _job("gres/gpu=2")
    rows = _read(
        tmp_path,
        whole,
        whole.replace("7|", "7.batch|", 1),
        whole.replace("7|", "7.0|", 1),
        "8|physics|PENDING|Unknown|Unknown|00:00:00|0|None assigned||",
        "9|physics|CANCELLED by 1|None|2026-01-01T01:00:00|00:00:00|0|None assigned||",
        "",
        _job("billing=1", job="10"),
        whole.replace("physics", "internal"),
        _job("gres/gpu=1", nodes="n2", said="1", job="11"),
    )

    assert len(uses(rows)) == 2
    assert refusals(rows) == []
    assert left_out(rows) == {
        "step": 2, "never_started": 2, "no_gpu": 1, "not_rented": 1, "other_facility": 1,
    }  # fmt: skip


def test_sacct__requeued_resized_array_and_wrapped_jobs__are_uses_of_their_own(
    tmp_path: Path,
) -> None:
    """A job id comes again: requeued, resized, or after Slurm's counter wrapped round."""
    later = "2026-01-01T02:00:00|2026-01-01T02:30:00|00:00:00|1800"
    rows = _read(
        tmp_path,
        _job("gres/gpu=2").replace("COMPLETED", "REQUEUED"),
        _job("gres/gpu=2", when=later).replace("COMPLETED", "RESIZED"),
        _job("gres/gpu=2", job="12_3", when=later.replace("T02", "T03")),
        _job("gres/gpu=2", job="12+1", when=later.replace("T02", "T04")),
    )

    assert [(u.job, u.start_s - START_S) for u in uses(rows)[::2]] == [
        ("7", 0), ("7", 7_200), ("12_3", 10_800), ("12+1", 14_400),
    ]  # fmt: skip


def test_sacct__times_by_slurm_time_format__need_no_zone(tmp_path: Path) -> None:
    mapping = written(tmp_path, "map.toml", LEASES + DEVICES)
    header = HEADER.replace("|Suspended|ElapsedRaw", "")
    lines = [
        "1|physics|COMPLETED|1767225600|1767229200|n1|gres/gpu=2|",
        "2|physics|COMPLETED|2026-01-01T02:00:00+0100|2026-01-01T03:00:00+0100|n1|gres/gpu=2|",
        "3|physics|COMPLETED|2026-01-01T02:00:00|2026-01-01T03:00:00|n1|gres/gpu=2|",
    ]
    file = written(tmp_path, "jobs.txt", "\n".join([header, *lines]))

    rows = rows_of(SacctReader(mapping), file)

    assert [u.start_s for u in uses(rows)] == [START_S, START_S, START_S + 3_600, START_S + 3_600]
    assert refusals(rows) == [(4, "time_without_zone")]


def test_sacct__quotes_and_trailing_pipe__are_text(tmp_path: Path) -> None:
    """`--parsable` ends rows with a pipe; a name may hold a quote that is never closed."""
    line = _job("gres/gpu=2").replace("physics", "it's") + '|"a'

    rows = _read(tmp_path, line + "|", header=HEADER + "|JobName|")

    assert [u.lease for u in uses(rows)] == ["lease-b", "lease-b"]


def test_sacct__nodes_not_said_to_be_complete__tell_nothing(tmp_path: Path) -> None:
    """A facility may pledge two of a node's eight GPUs: a job of two need not have held these."""
    rows = _read(tmp_path, _job("gres/gpu=2"), devices=DEVICES.replace("true", "false"))

    assert refusals(rows) == [(2, "gpus_unknown")]


def test_sacct__cluster_that_does_not_count_gpus__is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="AccountingStorageTRES"):
        _read(tmp_path, _job("billing=8"))


@pytest.mark.parametrize("column", ["Start", "AllocTRES", "Account", "AdminComment", "JobIDRaw"])
def test_sacct__column_that_is_missing__is_named(tmp_path: Path, column: str) -> None:
    with pytest.raises(InvalidInput, match=f"jobs.txt has no column '{column}'"):
        _read(tmp_path, header=HEADER.replace(column, "Other"))
