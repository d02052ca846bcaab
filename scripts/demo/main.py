"""`make demo`: the main job end to end, with real processes on a local chain.

Investors onboarded, units sold against a bond, metering over HTTP, epochs closed and attested,
rent paid and settled, units moved in mid-stream, compute delivered, ended facilities closed, one
of them after a default, revenue claimed, everything verified. Exit 0 only if all five numbers
reconcile to the unit.
"""

import argparse
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from rich.console import Console

from scripts.demo.sources import HeliosSource, SimulationSource, Source
from scripts.demo.story import Story
from scripts.demo.table import mismatches, parse_parts, receipts_missing, show, show_logs
from scripts.dev.devchain import ROOT
from scripts.dev.stack import Stack

SEED = 20_261_124
DAYS = 5
_LEAD_S = 7_200


class Timer:
    """How long each kind of step took."""

    def __init__(self, console: Console) -> None:
        self.spent: dict[str, float] = {}
        self._console = console

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step."""
        started = time.monotonic()
        yield
        self.spent[name] = self.spent.get(name, 0.0) + time.monotonic() - started

    def show(self) -> None:
        """Print all steps with their seconds."""
        for name, seconds in self.spent.items():
            self._console.print(f"  {seconds:7.1f} s  {name}", highlight=False)
        self._console.print(f"  {sum(self.spent.values()):7.1f} s  in all", highlight=False)


def run(source: Source, folder: Path, *, kill_worker: bool, keep: bool, console: Console) -> int:
    """Run the demo; returns the exit code."""
    timer = Timer(console)
    with Stack(folder, start_s=source.start_s - _LEAD_S) as stack:
        with timer.step("deploy contracts with brownie"):
            stack.deploy()
        with timer.step("start API, worker and three attesters"):
            stack.start_api()
            stack.start_attesters()
            stack.start_worker()
        story = Story(stack, source, console)
        with timer.step("onboard, register, offer, sell or mint, fund"):
            story.register()
        for day in range(source.days):
            with timer.step("push metering over HTTP"):
                story.push(day)
            with timer.step("close, attest and post epochs"):
                story.close(day, kill_worker=kill_worker and day == source.days // 2)
            with timer.step("pay rent, settle, move units, claim"):
                story.money(day)
        with timer.step("last settlements and claims"):
            story.finish()
        with timer.step("rentroll verify"):
            code, report = stack.verify()
        with timer.step("hold receipts to the published logs"):
            logs = story.signers.logs()
        found = [finding["sentence"] for finding in report["findings"]] + mismatches(
            stack.get("/v1/reconciliation"), report, source.gpu_minutes
        )
        found += receipts_missing(logs)
        console.print()
        show(console, parse_parts(report["facilities"]))
        show_logs(console, logs)
        timer.show()
        for sentence in found:
            console.print(f"[red]✗[/red] {sentence}", highlight=False, soft_wrap=True)
        if code == 0 and not found:
            console.print(
                f"[bold green]VERIFIED[/bold green] {report['statements']} statements,"
                f" every difference has a name"
            )
        else:
            console.print("[bold red]NOT VERIFIED[/bold red]")
        if keep:
            _keep(stack, console)
        return 0 if code == 0 and not found else 1


def _keep(stack: Stack, console: Console) -> None:
    console.print(f"\nAPI and documentation: {stack.api_url}/docs")
    console.print(f"Chain (JSON-RPC):      {stack.chain.rpc_url}")
    console.print(f"Evidence:              {stack.api_url}/v1/evidence/deployment.json")
    console.print("Running until you press Ctrl-C.")
    stack.wait("Ctrl-C", lambda: False, timeout_s=10**9, pause_s=1)


def main() -> int:
    """Read arguments and run."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--trace", type=Path, help="Helios trace folder instead of the simulator")
    parser.add_argument("--utc-offset", default="+00:00", help="offset of the trace's local times")
    parser.add_argument("--days", type=int, help="only so many days")
    parser.add_argument("--seed", type=int, default=SEED, help="seed of the simulator")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "demo")
    parser.add_argument("--kill-worker", action="store_true", help="SIGKILL it in mid-epochs")
    parser.add_argument("--keep", action="store_true", help="keep everything running afterwards")
    arguments = parser.parse_args()
    console = Console(width=150)

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    shutil.rmtree(arguments.folder, ignore_errors=True)
    source: Source
    if arguments.trace:
        if not arguments.trace.is_dir():
            parser.error(f"no such folder: {arguments.trace}")
        source = HeliosSource(arguments.trace, arguments.utc_offset, arguments.days)
    else:
        source = SimulationSource(arguments.seed, arguments.days or DAYS)
    console.print(source.about)
    try:
        return run(
            source,
            arguments.folder,
            kill_worker=arguments.kill_worker,
            keep=arguments.keep,
            console=console,
        )
    except KeyboardInterrupt:
        return 130
    except RuntimeError as error:
        console.print(f"[red]the demo stopped:[/red] {error}", highlight=False)
        return 1


if __name__ == "__main__":
    sys.exit(main())
