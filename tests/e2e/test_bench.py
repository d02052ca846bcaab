"""The bench runs through and gives every figure; how fast is for people to judge."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.bench import ponder

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.chain, pytest.mark.postgres]

RATES = ("events_per_s", "raw_events_per_s", "share_of_raw")
INGEST = {"events", *(f"{c}_{r}" for c in ("one_client", "two_clients") for r in RATES)}
GAIN = ("one_events_per_s", "two_events_per_s", "gain")
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
SHARES = ("events_per_s", "times_web3", "cpu_us_per_event", "cpu_times_web3")
INDEX = {"events", "reindex_events_per_s", *SHARES, *(f"stored_{name}" for name in SHARES)}
EXPECTED = {
    ("ingest", "sqlite"): INGEST,
    ("ingest", "postgresql"): INGEST,
    ("processes",): {
        "events",
        "rounds",
        *(f"{who}_{what}" for who in ("service", "raw") for what in GAIN),
        "share_of_raw_gain",
    },
    ("close",): CLOSE,
    ("attest",): {"fetch_s", "recompute_s", "compare_s", "sign_s", "total_s"},
    ("verify",): {"total_s"},
    ("index", "sqlite"): INDEX,
    ("index", "postgresql"): INDEX,
    ("index", "web3"): {"events", "events_per_s", "cpu_us_per_event"},
}


def _numbers(value: Any) -> Iterator[float]:
    for item in value.values():
        if isinstance(item, dict):
            yield from _numbers(item)
        else:
            yield item


def _bench(*arguments: str) -> Any:
    command = [sys.executable, "-m", "scripts.bench.main", "--quick", "--json", *arguments]
    run = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return json.loads(run.stdout)


def test_bench__quick__gives_every_figure() -> None:
    figures = _bench()

    for path, names in EXPECTED.items():
        part = figures
        for name in path:
            part = part[name]
        assert names <= part.keys(), path
    assert all(number > 0 for number in _numbers(figures))


def test_bench__memory_alone__says_it_on_the_way() -> None:
    figures = _bench("--only", "memory")

    assert figures.keys() == {"memory", "run_s"}
    samples = {f"rss_mb_after_{pushed}" for pushed in range(0, 6_000, 1_000)}
    assert figures["memory"].keys() == {"events", "peak_rss_mb", *samples}
    assert figures["memory"]["events"] == 5_000
    at_most_mb = figures["memory"]["peak_rss_mb"]
    assert all(0 < figures["memory"][name] <= at_most_mb for name in samples)


def test_bench__two_processes_alone__gain_is_of_both() -> None:
    figures = _bench("--only", "processes")["processes"]

    share = figures["service_gain"] / figures["raw_gain"]
    assert figures["share_of_raw_gain"] == pytest.approx(share)
    rates = figures["service_two_events_per_s"], figures["service_one_events_per_s"]
    # Of one round the median is the round.
    assert figures["service_gain"] == pytest.approx(rates[0] / rates[1])


def test_bench__index_alone__all_find_the_same_events() -> None:
    """Who finds others than its peer, or asks a node to decode again, stops the bench."""
    figures = _bench("--only", "index")["index"]

    assert figures.keys() == {"sqlite", "postgresql", "web3"}
    assert len({found["events"] for found in figures.values()}) == 1
    for kind in ("sqlite", "postgresql"):
        assert figures[kind]["stored_events_per_s"] >= figures[kind]["events_per_s"]


@pytest.mark.skipif(not ponder.installed(), reason="Ponder is installed by `make bench-index`")
def test_bench__ponder_alone__finds_the_same_events() -> None:
    figures = _bench("--only", "ponder")["ponder"]

    assert figures.keys() == {"sqlite", "postgresql", "ponder"}
    assert figures["ponder"]["events"] > 200
