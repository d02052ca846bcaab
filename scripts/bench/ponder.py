"""Bench of the indexer beside Ponder: the same events, of the same node, in turns.

Ponder comes from npm (`make bench-index`; tools/bench-index has its project) and runs as its own
production command does it, with the database that it has by default. Its time is what it says
itself of its backfill: neither Node's start nor its compiler's is counted.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from api.chain.emitted import EVENTS
from scripts.bench.index import Figures, Where, fresh_process, index_once
from scripts.bench.stage import Stage, cpu_s
from scripts.dev.devchain import ROOT, free_port, stop_process

_PROJECT = ROOT / "build" / "bench-index"
_PONDER = _PROJECT / "node_modules" / ".bin" / "ponder"
_TIMEOUT_S = 600.0
_DONE = "Completed backfill indexing across all chains"


def installed() -> bool:
    """Whether npm has installed it."""
    return _PONDER.exists()


def _write_task(stage: Stage, folder: Path) -> Path:
    """What it reads: the events that our index reads."""
    contracts = []
    for name, events in EVENTS.items():
        abi = json.loads((ROOT / "build" / "contracts" / f"{name}.json").read_text())["abi"]
        wanted = {event.__name__ for event in events}
        parts = [part for part in abi if part["type"] == "event" and part["name"] in wanted]
        contracts.append({"name": name, "address": stage.deployment.addresses[name], "abi": parts})
    task = folder / "task.json"
    asked = {
        "chainId": stage.deployment.chain_id,
        "rpcUrl": stage.chain.rpc_url,
        "directory": str(folder / "pglite"),
        "startBlock": stage.deployment.start_block,
        "contracts": contracts,
    }
    task.write_text(json.dumps(asked))
    return task


@contextmanager
def _running(task: Path, log: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    port = free_port()
    command = [str(_PONDER), "start", "--schema", "bench", "--port", str(port)]
    environment = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"}
    environment |= {"BENCH_INDEX_TASK": str(task), "PONDER_TELEMETRY_DISABLED": "true"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--log-format", "json"],
            cwd=_PROJECT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process, f"http://127.0.0.1:{port}/count"
    finally:
        stop_process(process)


def ponder_once(stage: Stage, folder: Path) -> Figures:
    """Let it index the whole chain into an empty database."""
    folder.mkdir()
    log = folder / "ponder.log"
    with _running(_write_task(stage, folder), log) as (process, url):
        deadline = time.monotonic() + _TIMEOUT_S
        done = None
        while done is None:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Ponder does not index: {log.read_text()[-2_000:]}")
            time.sleep(0.1)
            done = next((line for line in _lines(log) if line.get("msg") == _DONE), None)
        used_s = cpu_s(process.pid) or 0.0
        (answer,) = httpx.get(url).json()
    shutil.rmtree(folder / "pglite")
    return {"events": answer["events"], "s": done["duration"] / 1e3, "process_cpu_s": used_s}


def _lines(log: Path) -> Iterator[dict[str, Any]]:
    """Its log; the last line may be half written, and a library may speak plain text."""
    for row in log.read_text().splitlines():
        with suppress(ValueError):
            yield json.loads(row)


def measure(
    stage: Stage, databases: Mapping[str, Callable[[int], str]], *, rounds: int
) -> dict[str, Figures]:
    """Rounds of each kind of database and of Ponder, in turns; the same events each.

    Args:    databases: URL of a new database of a kind, by the number of the round.
    """
    where = Where(stage.chain.rpc_url, stage.folder / "deployment.json")
    runs: dict[str, list[Figures]] = {kind: [] for kind in databases}
    peer = list[Figures]()
    with ExitStack() as exits:
        pools = {kind: exits.enter_context(fresh_process()) for kind in databases}
        for number in range(rounds + 1):
            for kind, pool in pools.items():
                runs[kind].append(pool.submit(index_once, where, databases[kind](number)).result())
            # Each of its runs is of a new process: there is none to be warm.
            if number:
                peer.append(ponder_once(stage, stage.folder / f"ponder-{number}"))
    counts = {run["events"] for each in (*runs.values(), peer) for run in each}
    if len(counts) != 1:
        raise RuntimeError(f"not all found the same events: {sorted(counts)}")
    (events,) = counts
    figures = {"ponder": {"events": float(events), "rounds": float(rounds)}}
    figures["ponder"]["events_per_s"] = events / median(run["s"] for run in peer)
    for kind, each in runs.items():
        pairs = list(zip(each[1:], peer, strict=True))
        figures[kind] = {
            "events_per_s": events / median(run["s"] for run in each[1:]),
            "times_ponder": median(other["s"] / run["s"] for run, other in pairs),
        }
    return figures
