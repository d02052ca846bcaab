"""`make bench`: what ingest, close, attest, verify and index take, beside what bounds them.

Real processes on a local chain: `rentroll serve` over HTTP, anvil with the deployed contracts,
SQLite and, where the dev group is installed, PostgreSQL. Machines differ and are noisy: ratios
measured in one run say more than absolute figures. docs/BENCHMARKS.md explains each figure.
"""

import argparse
import json
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import psycopg
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from sqlalchemy import make_url

from api.domain.units import FacilityId
from api.settings import ClockSource
from scripts.bench import close as bench_close
from scripts.bench import index as bench_index
from scripts.bench import ingest as bench_ingest
from scripts.bench import memory as bench_memory
from scripts.bench import ponder as bench_ponder
from scripts.bench import processes as bench_processes
from scripts.bench import scale as bench_scale
from scripts.bench import signed as bench_signed
from scripts.bench import stalled as bench_stalled
from scripts.bench.load import DAY_S, Load
from scripts.bench.stage import Stage, deploy, serving
from scripts.bench.table import show
from scripts.dev.devchain import dev_chain

_BATCH = 1_000
_EVENTS, _QUICK_EVENTS = 100_000, 4_000
_CHAIN_EVENTS, _QUICK_CHAIN_EVENTS = 4_000, 200
_PONDER_EVENTS = 20_000
_ROUNDS, _QUICK_ROUNDS = 5, 1
_INDEX_ROUNDS, _INDEX_ROUNDS_ALONE = 3, 9
_MEMORY_EVENTS, _QUICK_MEMORY_EVENTS = 5_000_000, 5_000
_BATCHES, _QUICK_BATCHES = 40, 6
_FACILITIES, _QUICK_FACILITIES = 1_000, 8
Step = Callable[[str], Any]
Figures = dict[str, Any]


@contextmanager
def _databases(folder: Path) -> Iterator[Callable[[str], str] | None]:
    """URL of a new PostgreSQL database by name; None where no PostgreSQL is installed."""
    try:
        from tests.postgres import running_server
    except ImportError:
        yield None
        return
    with running_server(folder) as url:

        def create(name: str) -> str:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(
                    psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name))
                )
            return make_url(url).set(database=name).render_as_string(hide_password=False)

        yield create


@contextmanager
def _stage(folder: Path, *, at_s: int, step: Step) -> Iterator[Stage]:
    """A chain with contracts, whose time begins then."""
    step("start a chain")
    with dev_chain(timestamp_s=at_s, log=folder / "anvil.log") as chain:
        step("deploy contracts with brownie")
        with deploy(chain, folder) as stage:
            yield stage


def _day_ago_s() -> int:
    """A window that begins then has just ended its epoch 0, which is still in grace."""
    return int(time.time()) // 60 * 60 - DAY_S  # this machine's clock is the service's


def run(folder: Path, *, quick: bool, step: Step) -> Figures:
    """Measure everything but memory over millions of events; returns figures by subject."""
    start_s = _day_ago_s()
    load = Load(start_s, _QUICK_EVENTS if quick else _EVENTS, _BATCH)
    figures: Figures = {"ingest": {}, "index": {}}
    with ExitStack() as exits:
        # An offer comes before its window: the chain begins there and catches up once funded.
        stage = exits.enter_context(_stage(folder, at_s=start_s - DAY_S, step=step))
        facility_id = _main_line(stage, load, figures, step)
        step("make chain events")
        events = _QUICK_CHAIN_EVENTS if quick else _CHAIN_EVENTS
        bench_index.produce(stage, facility_id, events)
        create = exits.enter_context(_databases(folder))
        step("index, and decode with web3.py")
        rounds = _QUICK_ROUNDS if quick else _INDEX_ROUNDS
        figures["index"] = bench_index.measure(stage, _new(folder, create), rounds=rounds)
        if create is not None:
            figures["ingest"]["postgresql"] = _ingest_postgres(stage, load, create, step)
            figures["processes"] = _two_processes(stage, create, quick=quick, step=step)
        figures |= run_signed(folder, quick=quick, step=step)
    return figures


def _new(folder: Path, create: Callable[[str], str] | None) -> dict[str, Callable[[int], str]]:
    """What makes a new database of each kind, by its number."""
    kinds: dict[str, Callable[[int], str]] = {
        "sqlite": lambda number: f"sqlite:///{folder}/index-{number}.db"
    }
    if create is not None:
        kinds["postgresql"] = lambda number: create(f"index_{number}")
    return kinds


@contextmanager
def _logged(folder: Path, *, events: int, step: Step) -> Iterator[Stage]:
    """A chain with so many events of one facility."""
    load = Load(_day_ago_s(), _BATCH, _BATCH)
    with _stage(folder, at_s=load.start_s - DAY_S, step=step) as stage:
        with serving(stage, f"sqlite:///{folder}/rentroll.db", "serve-sqlite") as service:
            facility, _ = bench_ingest.register(service, load)
        bench_close.offer(stage, facility)
        step("make chain events")
        bench_index.produce(stage, facility["facility_id"], events)
        yield stage


def run_index(folder: Path, *, quick: bool, step: Step) -> Figures:
    """The index beside web3.py, alone."""
    events = _QUICK_CHAIN_EVENTS if quick else _CHAIN_EVENTS
    with _logged(folder, events=events, step=step) as stage, _databases(folder) as create:
        step("index, and decode with web3.py")
        rounds = _QUICK_ROUNDS if quick else _INDEX_ROUNDS_ALONE
        return {"index": bench_index.measure(stage, _new(folder, create), rounds=rounds)}


def run_ponder(folder: Path, *, quick: bool, step: Step) -> Figures:
    """The index beside Ponder, alone. Raises RuntimeError where Ponder is not installed."""
    if not bench_ponder.installed():
        raise RuntimeError("Ponder is not installed: run `make bench-index`")
    events = _QUICK_CHAIN_EVENTS if quick else _PONDER_EVENTS
    with _logged(folder, events=events, step=step) as stage, _databases(folder) as create:
        step("index beside Ponder")
        rounds = _QUICK_ROUNDS if quick else _INDEX_ROUNDS
        return {"ponder": bench_ponder.measure(stage, _new(folder, create), rounds=rounds)}


def _main_line(stage: Stage, load: Load, figures: Figures, step: Step) -> int:
    """Ingest on SQLite, then close, attest, post and verify what was ingested."""
    url = f"sqlite:///{stage.folder}/rentroll.db"
    step("register and offer a facility")
    with serving(stage, url, "serve-sqlite") as service:
        facility, key = bench_ingest.register(service, load)
        facility_id = FacilityId(facility["facility_id"])
        bench_close.offer(stage, facility)
        stage.chain.set_time(int(time.time()))
        service.wait_for_the_present()
        step(f"push {load.events:,} events into SQLite")
        floor = f"sqlite:///{stage.folder}/floor.db"
        ingested = bench_ingest.measure(service, load, facility_id, key, floor)
        figures["ingest"]["sqlite"] = ingested
        step("close the epoch")
        figures["close"] = bench_close.measure_close(stage, service, load, facility_id)
        # An attester signs nothing before the cut-off, by the chain's time.
        stage.chain.set_time(max(int(time.time()), bench_close.cut_off_s(load)))
        bench_close.index(stage, service)
        step("attest the epoch")
        figures["attest"] = bench_close.measure_attest(stage, service)
        step("post the statement")
        bench_close.post(stage, service, facility_id)
        step("verify chain and evidence")
        figures["verify"] = bench_close.measure_verify(stage)
    return facility_id


def _ingest_postgres(
    stage: Stage, load: Load, create: Callable[[str], str], step: Step
) -> dict[str, float]:
    with serving(stage, create("served"), "serve-postgresql") as service:
        facility, key = bench_ingest.register(service, load)
        step(f"push {load.events:,} events into PostgreSQL")
        return bench_ingest.measure(service, load, facility["facility_id"], key, create("floor"))


def run_processes(folder: Path, *, quick: bool, step: Step) -> Figures:
    """What two API processes gain, alone. Raises RuntimeError without PostgreSQL."""
    now_s = int(time.time())
    with _stage(folder, at_s=now_s, step=step) as stage, _databases(folder) as create:
        if create is None:
            raise RuntimeError("no PostgreSQL: the dev group is not installed")
        return {"processes": _two_processes(stage, create, quick=quick, step=step)}


def _two_processes(
    stage: Stage, create: Callable[[str], str], *, quick: bool, step: Step
) -> dict[str, float]:
    step("push with two API processes, copy with two clients")
    rounds = _QUICK_ROUNDS if quick else _ROUNDS
    batch = _QUICK_EVENTS // 40 if quick else _BATCH
    events = bench_processes.events_of(rounds=rounds, batch=batch)
    loads = [Load(_day_ago_s(), events, batch, hall=hall) for hall in (0, 1)]
    return bench_processes.measure(stage, loads, create, rounds=rounds)


def run_memory(folder: Path, *, quick: bool, step: Step) -> Figures:
    """Memory of the service over millions of events, alone, on the database of the default."""
    load = bench_memory.load_of(_QUICK_MEMORY_EVENTS if quick else _MEMORY_EVENTS, _BATCH)
    with (
        _stage(folder, at_s=int(time.time()), step=step) as stage,
        serving(stage, f"sqlite:///{folder}/rentroll.db", "serve-sqlite") as service,
    ):
        return {"memory": bench_memory.measure(service, load, step)}


@contextmanager
def _steps(*, quiet: bool) -> Iterator[Step]:
    """Say what is being done, on a terminal."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda _what: None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting", total=None)
        yield lambda what: bar.update(task, description=what)


def run_signed(folder: Path, *, quick: bool, step: Step) -> Figures:
    """What signing adds to a batch, alone."""
    step("take signed and unsigned batches in turn")
    return {"signed": bench_signed.measure(folder, batches=_QUICK_BATCHES if quick else _BATCHES)}


def run_scale(folder: Path, *, quick: bool, step: Step) -> Figures:
    """What an epoch of many facilities costs the worker, alone."""
    start_s = int(time.time()) // 3_600 * 3_600 - 3 * 3_600
    with (
        _stage(folder, at_s=start_s - DAY_S, step=step) as stage,
        serving(
            stage, f"sqlite:///{folder}/rentroll.db", "serve-sqlite", clock=ClockSource.CHAIN
        ) as service,
    ):
        step("launch facilities, and one epoch of each")
        count = _QUICK_FACILITIES if quick else _FACILITIES
        return {"scale": bench_scale.measure(stage, service, start_s=start_s, count=count)}


def run_stalled(folder: Path, *, quick: bool, step: Step) -> Figures:
    """What a node that says nothing costs who pushes events, alone."""
    batches = 9 if quick else 63
    load = Load(_day_ago_s(), batches * _BATCH, _BATCH)
    with (
        _stage(folder, at_s=load.start_s - DAY_S, step=step) as stage,
        serving(stage, f"sqlite:///{folder}/rentroll.db", "serve-sqlite") as service,
    ):
        facility, key = bench_ingest.register(service, load)
        bench_close.offer(stage, facility)
        stage.chain.set_time(int(time.time()))
        service.wait_for_the_present()
        step("push events while the node stalls")
        found = bench_stalled.measure(
            stage, service, load, FacilityId(facility["facility_id"]), key
        )
        return {"stalled": found}


_RUNS = {
    None: run,
    "index": run_index,
    "ponder": run_ponder,
    "processes": run_processes,
    "memory": run_memory,
    "signed": run_signed,
    "scale": run_scale,
    "stalled": run_stalled,
}


def main() -> int:
    """Read arguments, run, print."""
    parser = argparse.ArgumentParser(
        prog="make bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="small numbers, in a minute")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument(
        "--only",
        choices=sorted(name for name in _RUNS if name),
        help="one subject alone. memory: 5,000,000 events in ten minutes or more, in no other run",
    )
    arguments = parser.parse_args()

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="rentroll-bench-") as folder,
            _steps(quiet=arguments.json) as step,
        ):
            started, work = time.monotonic(), _RUNS[arguments.only]
            figures = work(Path(folder), quick=arguments.quick, step=step)
            figures["run_s"] = time.monotonic() - started
    except KeyboardInterrupt:
        return 130
    except RuntimeError as error:
        print(f"the bench stopped: {error}", file=sys.stderr)
        return 1
    if arguments.json:
        print(json.dumps(figures, indent=2))
    else:
        show(Console(width=100), figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
