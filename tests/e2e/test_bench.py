"""The bench runs through and gives every figure; how fast is for people to judge."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.chain, pytest.mark.postgres]

RATES = ("events_per_s", "raw_events_per_s", "share_of_raw")
INGEST = {"events", *(f"{c}_{r}" for c in ("one_client", "two_clients") for r in RATES)}
CLOSE = {
    "events",
    "lines",
    "read_s",
    "rate_s",
    "tree_s",
    "encode_s",
    "evidence_s",
    "store_s",
    "total_s",
}
EXPECTED = {
    ("ingest", "sqlite"): INGEST,
    ("ingest", "postgresql"): INGEST,
    ("close",): CLOSE,
    ("attest",): {"fetch_s", "recompute_s", "compare_s", "sign_s", "total_s"},
    ("verify",): {"total_s"},
    ("index", "sqlite"): {"events", "events_per_s", "times_web3"},
    ("index", "postgresql"): {"events", "events_per_s", "times_web3"},
    ("index", "web3"): {"events", "events_per_s"},
}


def _numbers(value: Any) -> Iterator[float]:
    for item in value.values():
        if isinstance(item, dict):
            yield from _numbers(item)
        else:
            yield item


def test_bench__quick__gives_every_figure() -> None:
    command = [sys.executable, "-m", "scripts.bench.main", "--quick", "--json"]

    run = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
    )

    assert run.returncode == 0, run.stdout + run.stderr
    figures = json.loads(run.stdout)
    for path, names in EXPECTED.items():
        part = figures
        for name in path:
            part = part[name]
        assert names <= part.keys(), path
    assert all(number > 0 for number in _numbers(figures))
