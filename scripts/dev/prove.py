"""Properties of the contracts' arithmetic, proved or drawn: `make prove`.

halmos proves the functions of `tests/forge/proofs` that begin with `check_`, for all inputs; forge
draws the inputs of those that begin with `testFuzz_`. A counterexample, an error, a timeout, a loop
that was not followed to its end and a property that did not run fail the run.
"""

import argparse
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[2]
PROOFS = ROOT / "tests" / "forge" / "proofs"
HALMOS = ROOT / "build" / "halmos" / "bin" / "halmos"
COMPILED = ROOT / "build" / "proofs"
_PROVED = "proved"
_SOLVER_TIMEOUT = "60s"
_HALMOS_TIMEOUT_S = 1_800
_WIDTH = 110

_PROPERTY = re.compile(r"((?:^ +///.*\n)*)^ +function ((?:check|testFuzz)_\w+)\(", re.M)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_VERDICT = re.compile(
    r"^\[(\w+)\] (check_\w+)\(.*\) \(paths: (\d+), time: ([\d.]+)s, bounds: \[(.*)\]\)", re.M
)
_PIECE = re.compile(r"(\d+)(h|ms|m|s|µs|ns)\b")
_SECONDS = {"h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9}


@dataclass(frozen=True)
class Outcome:
    """What became of one property.

    Attributes:
        holds: Whether nothing speaks against it.
        how: `proved`, the number of runs, or what went wrong.
        time_s: How long it took, seconds.
    """

    holds: bool
    how: str
    time_s: float = 0.0


def properties(source: str) -> dict[str, str]:
    """Names of the properties of a Solidity file, and the comment above each as one line."""
    return {
        name: " ".join(line.strip().removeprefix("///").strip() for line in comment.splitlines())
        for comment, name in _PROPERTY.findall(source)
    }


def proofs(output: str) -> dict[str, Outcome]:
    """What halmos said of each property, from its standard output."""
    found = {}
    for word, name, paths, time_s, bounds in _VERDICT.findall(_COLOUR.sub("", output)):
        how = _PROVED if word == "PASS" else word.lower()
        if word == "PASS" and (bounds or paths == "0"):
            how = "incomplete"
        found[name] = Outcome(how == _PROVED, how, float(time_s))
    return found


def draws(report: str) -> dict[str, Outcome]:
    """What forge found of each property, from its JSON."""
    found = {}
    for suite in json.loads(report).values():
        for signature, result in suite["test_results"].items():
            runs = result["kind"].get("Fuzz", {}).get("runs", 0)
            holds = result["status"] == "Success" and runs > 0
            how = f"{runs:,} runs" if holds else f"{_reason(result)} after {runs:,} runs"
            found[signature.split("(")[0]] = Outcome(holds, how, _seconds(result["duration"]))
    return found


def _reason(result: dict[str, object]) -> str:
    """Why forge refused a property, with the inputs that show it."""
    example = result.get("counterexample")
    single = example.get("Single", {}) if isinstance(example, dict) else {}
    return f"{result.get('reason')} with {single.get('raw_args')}"


def _seconds(duration: str) -> float:
    return sum(int(number) * _SECONDS[unit] for number, unit in _PIECE.findall(duration))


def _run(command: list[str], timeout_s: float | None, **variables: str) -> tuple[str, str]:
    """Standard output and error of a command in the folder of the project, with its forge."""
    path = f"{ROOT}/node_modules/.bin:{os.environ['PATH']}"
    run = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PATH": path, "FOUNDRY_PROFILE": "proofs", **variables},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    return run.stdout, run.stderr


def _prove() -> tuple[dict[str, Outcome], str]:
    """Outcomes of all proofs, and what halmos printed."""
    # halmos reads whatever is compiled, also of files that are gone.
    shutil.rmtree(COMPILED, ignore_errors=True)
    command = [str(HALMOS), "--forge-build-out", "build/proofs", "--loop", "16", "--no-status"]
    command += ["--solver-timeout-assertion", _SOLVER_TIMEOUT]
    try:
        output, errors = _run(command, _HALMOS_TIMEOUT_S)
    except subprocess.TimeoutExpired as late:
        said = (late.stdout or b"").decode()
        raise SystemExit(f"{said}prove: halmos took more than {_HALMOS_TIMEOUT_S} s") from None
    return proofs(output), output + errors


def _draw(runs: int, seed: int) -> dict[str, Outcome]:
    """Outcomes of all properties whose inputs are drawn."""
    command = ["forge", "test", "--json", "--match-test", "^testFuzz_", "--fuzz-seed", str(seed)]
    output, errors = _run(command, None, FOUNDRY_FUZZ_RUNS=str(runs))
    if not output.startswith("{"):
        raise SystemExit(f"prove: forge failed:\n{(output + errors)[-2000:]}")
    return draws(output)


def table(said: dict[str, str], outcomes: dict[str, Outcome]) -> Table:
    """A row for each property: its name, what it says, how it was checked, how long that took."""
    name_width = max(map(len, said), default=0)
    rows = Table(show_lines=True)
    rows.add_column("property", min_width=name_width)
    rows.add_column("checked")
    rows.add_column("seconds", justify="right")
    for name, sentence in said.items():
        outcome = outcomes[name]
        how = outcome.how if outcome.holds else f"FAILS: {outcome.how}"
        rows.add_row(f"{name}\n{sentence}", how, f"{outcome.time_s:.1f}")
    return rows


def main() -> int:
    """Prove, draw, and print what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=1_000_000, help="inputs of each drawn property")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32), help="of the draws")
    arguments = parser.parse_args()
    if arguments.runs < 1:
        parser.error("--runs is at least 1")
    console = Console(highlight=False, markup=False, width=_WIDTH)
    said: dict[str, str] = {}
    for path in sorted(PROOFS.glob("*.t.sol")):
        said |= properties(path.read_text())
    console.print(f"prove: seed {arguments.seed}, {arguments.runs:,} runs of each drawn property")
    proved, words = _prove()
    outcomes = {name: Outcome(False, "did not run") for name in said}
    outcomes |= proved | _draw(arguments.runs, arguments.seed)
    console.print(table(said, outcomes))
    if not all(outcome.holds for outcome in proved.values()) or not proved:
        console.print(_COLOUR.sub("", words))
    failed = [name for name, outcome in outcomes.items() if not outcome.holds]
    for name in failed:
        console.print(f"prove: {name}: {outcomes[name].how}")
    if not failed:
        drawn = len(outcomes) - len(proved)
        console.print(f"prove: {len(proved)} properties proved, {drawn} drawn")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
