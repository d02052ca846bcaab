"""Breaks the contracts line by line and counts which breaks forge's tests notice: `make mutate`.

`tests/mutants.toml` lists the mutants. Each is applied in a copy of the tree under build/mutants,
compiled (a mutant that does not compile is an error of the list) and tested with `forge test
--fail-fast`. Exit 1 if more than one in twenty survives.

`--operators N` tries N breaks drawn from all that slither-mutate's operators make of the contracts
of money and state; what does not compile is passed over. `tests/survivors.toml` explains those that
no test can tell from the original.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from typing import Any

from rich.console import Console

ROOT = Path(__file__).resolve().parents[2]
LIST = ROOT / "tests" / "mutants.toml"
TREES = ROOT / "build" / "mutants"
SLITHER = ROOT / "build" / "slither" / "bin" / "python"
SURVIVORS = ROOT / "tests" / "survivors.toml"
# Contracts of money and state.
_OPERATED = (
    *(f"money/{n}" for n in ("BondVault", "ClosingRules", "Closings", "DeliveryDesk", "Payouts")),
    *(f"money/{n}" for n in ("RefundDesk", "RentLockbox", "Settlements", "Waterfall")),
    *(f"sale/{n}" for n in ("PrimarySale", "SaleBounds", "SaleCheckout", "SaleRefunds")),
    *(f"statements/{n}" for n in ("Publications", "StatementChallenges", "StatementRegistry")),
    *(f"statements/{n}" for n in ("StatementStore", "FaultRules", "Faults", "UsageProof")),
    *(f"facility/{n}" for n in ("FacilityRegistry", "FacilityStore", "OfferTerms")),
    *(f"facility/{n}" for n in ("FacilityLinks", "PledgeRegistry")),
    *(f"attesters/{n}" for n in ("AttesterBonds", "AttesterDesk", "AttesterRegistry", "Duties")),
    *(f"attesters/{n}" for n in ("Members", "Panels", "SignerCharges")),
    *(f"token/{n}" for n in ("Accumulator", "PackedPosition", "TrancheToken", "UnitCompliance")),
    *(f"token/{n}" for n in ("UnitPositions", "UnitRevenue")),
)
# A longer text is a whole contract, of which an operator changed one header among many.
_LONGEST = 400
_COPIED = ("contracts", "tests/forge", "tests/vectors", "tools", "foundry.toml")
_TIMEOUT_S = 1_800
# Gas says nothing where the optimizer is off.
_TEST = ("test", "--fail-fast", "--no-match-contract", "Gas")
# The least share of mutants that tests must catch: 19 of 20.
_CAUGHT_OF_TWENTY = 19


@dataclass(frozen=True)
class Mutant:
    """One line of one file, replaced by another; `why` says what would be wrong with it."""

    name: str
    file: str
    old: str
    new: str
    why: str


@dataclass(frozen=True)
class Operated:
    """A stretch of a file, replaced by another, as an operator of slither-mutate makes it."""

    name: str
    file: str
    old: str
    new: str
    start: int

    @property
    def why(self) -> str:
        """Both texts, on one line each."""
        return f"{' '.join(self.old.split())} -> {' '.join(self.new.split())}"


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant: `caught`, `survived` or `broken` (it does not compile)."""

    mutant: Mutant | Operated
    result: str
    detail: str


def load(names: Sequence[str] = ()) -> list[Mutant]:
    """Mutants of the list, or those of `names`. Raises SystemExit where the list is wrong."""
    mutants = [Mutant(**entry) for entry in tomllib.loads(LIST.read_text())["mutant"]]
    if len({m.name for m in mutants}) != len(mutants):
        raise SystemExit("tests/mutants.toml: a name is there twice")
    for mutant in mutants:
        lines = [line.strip() for line in (ROOT / mutant.file).read_text().splitlines()]
        if lines.count(mutant.old) != 1:
            raise SystemExit(f"{mutant.name}: {lines.count(mutant.old)} lines are `{mutant.old}`")
    unknown = set(names) - {m.name for m in mutants}
    if unknown:
        raise SystemExit(f"no such mutant: {', '.join(sorted(unknown))}")
    return [m for m in mutants if not names or m.name in names]


def operated(count: int, seed: int) -> list[Operated]:
    """Breaks of slither-mutate's operators: `count` of all there are, by lot."""
    files = [f"contracts/{name}.sol" for name in _OPERATED]
    listing = subprocess.run(
        # -P: else slither would find our module of its name first.
        [str(SLITHER), "-P", "scripts/dev/operators.py", *files],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{ROOT}/node_modules/.bin:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if listing.returncode != 0:
        raise SystemExit(f"slither lists no operators:\n{listing.stderr[-2000:]}")
    found = [m for line in listing.stdout.splitlines() if (m := _operated(json.loads(line)))]
    random.Random(seed).shuffle(found)  # noqa: S311  repeatable, not secret
    return found[:count]


def _operated(patch: dict[str, Any]) -> Operated | None:
    """A patch, where its text is what stands there; operators name a part of it now and then."""
    old, new, start = str(patch["old"]), str(patch["new"]), int(patch["start"])
    raw = (ROOT / patch["file"]).read_bytes()
    part = raw[start : int(patch["end"])].decode()
    if part != old:
        within = old.find(part)
        if within < 0:
            return None
        start -= len(old[:within].encode())
        if raw[start : start + len(old.encode())].decode(errors="replace") != old:
            return None
    if len(old) > _LONGEST or old == new:
        return None
    return Operated(
        f"{patch['operator']}:{patch['file']}:{patch['line']}", patch["file"], old, new, start
    )


def make_tree(folder: Path) -> None:
    """A copy of what forge needs; its cache of earlier runs is kept, which saves compiling."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in _COPIED:
        source, target = ROOT / name, folder / name
        if source.is_file():
            shutil.copy2(source, target)
            continue
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(
            source, target, symlinks=True, ignore=shutil.ignore_patterns("node_modules")
        )
    modules = folder / "node_modules"
    if not modules.exists():
        modules.symlink_to(ROOT / "node_modules")


def forge(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run forge in a tree, unoptimized: compiling is most of the time, and rules do not change."""
    environment = {**os.environ, "FOUNDRY_PROFILE": "mutants", "FORGE_SNAPSHOT_EMIT": "false"}
    # A failing history is all that is asked for; making it short takes minutes.
    environment["FOUNDRY_INVARIANT_SHRINK_RUN_LIMIT"] = "0"
    return subprocess.run(
        [str(ROOT / "node_modules" / ".bin" / "forge"), *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )


def _applied(mutant: Mutant | Operated, source: str) -> str:
    if isinstance(mutant, Operated):
        raw = source.encode()
        end = mutant.start + len(mutant.old.encode())
        return (raw[: mutant.start] + mutant.new.encode() + raw[end:]).decode()
    lines = source.splitlines(keepends=True)
    place = next(n for n, line in enumerate(lines) if line.strip() == mutant.old)
    lines[place] = lines[place].replace(mutant.old, mutant.new)
    return "".join(lines)


def try_mutant(mutant: Mutant | Operated, folder: Path) -> Outcome:
    """Apply, compile, test, and put the line back."""
    target = folder / mutant.file
    before = target.read_text()
    try:
        target.write_text(_applied(mutant, before))
        built = forge(folder, "build", "--quiet")
        if built.returncode != 0:
            return Outcome(mutant, "broken", (built.stdout + built.stderr).strip()[-400:])
        tested = forge(folder, *_TEST)
        if tested.returncode == 0:
            return Outcome(mutant, "survived", mutant.why)
        return Outcome(mutant, "caught", _first_failure(tested.stdout))
    finally:
        target.write_text(before)


def _first_failure(output: str) -> str:
    failures = [line.strip() for line in output.splitlines() if line.startswith("[FAIL")]
    return failures[0][:160] if failures else output.strip()[-160:]


def run(mutants: Sequence[Mutant | Operated], *, jobs: int, console: Console) -> list[Outcome]:
    """Try all mutants in `jobs` trees at once. Raises SystemExit if tests fail without any."""
    free: Queue[Path] = Queue()
    for number in range(min(jobs, len(mutants))):
        folder = TREES / f"tree-{number}"
        make_tree(folder)
        whole = forge(folder, *_TEST)
        if whole.returncode != 0:
            raise SystemExit(
                f"tests fail before any mutant:\n{(whole.stdout + whole.stderr)[-2000:]}"
            )
        free.put(folder)

    def work(mutant: Mutant | Operated) -> Outcome:
        folder = free.get()
        try:
            outcome = try_mutant(mutant, folder)
        finally:
            free.put(folder)
        console.print(f"{outcome.result:9} {mutant.name}: {outcome.detail}", markup=False)
        return outcome

    with ThreadPoolExecutor(free.qsize()) as pool:
        return list(pool.map(work, mutants))


def _explained() -> dict[tuple[str, str, str], str]:
    entries = tomllib.loads(SURVIVORS.read_text()).get("survivor", [])
    return {(e["file"], e["old"], e["new"]): e["why"] for e in entries}


def _try_operators(arguments: argparse.Namespace, console: Console) -> int:
    """Every survivor is killed by a test that is to be written, or explained."""
    mutants = operated(arguments.operators, arguments.seed)
    console.print(f"seed {arguments.seed}: {len(mutants)} breaks of slither-mutate's operators")
    outcomes = run(mutants, jobs=arguments.jobs, console=console)
    compiled = [o for o in outcomes if o.result != "broken"]
    caught = sum(o.result == "caught" for o in compiled)
    known = _explained()
    left = []
    for outcome in compiled:
        mutant = outcome.mutant
        why = known.get((mutant.file, mutant.old, mutant.new))
        if outcome.result == "survived" and why is None:
            left.append(outcome)
    explained = len(compiled) - caught - len(left)
    console.print(
        f"of {len(compiled)} that compile {caught} were caught, {explained} are explained,"
        f" {len(left)} survive"
    )
    return 1 if left else 0


def main() -> int:
    """Run the list, or the mutants named, and say how many were caught."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", help="mutants to try; all if none is named")
    parser.add_argument("--jobs", type=int, default=2, help="trees that are tested at once")
    parser.add_argument("--list", action="store_true", help="only check and print the list")
    parser.add_argument("--operators", type=int, help="try so many breaks of slither-mutate's")
    parser.add_argument("--seed", type=int, default=1, help="which of them are drawn")
    arguments = parser.parse_args()
    console = Console(highlight=False, soft_wrap=True)
    if arguments.operators:
        return _try_operators(arguments, console)
    mutants = load(arguments.names)
    if arguments.list:
        for mutant in mutants:
            console.print(f"{mutant.name:28} {mutant.file}: {mutant.why}", markup=False)
        return 0
    outcomes = run(mutants, jobs=arguments.jobs, console=console)
    caught = sum(o.result == "caught" for o in outcomes)
    console.print(f"{caught} of {len(outcomes)} mutants were caught")
    broken = [o.mutant.name for o in outcomes if o.result == "broken"]
    if broken:
        console.print(f"these do not compile: {', '.join(broken)}")
    enough = caught * 20 >= _CAUGHT_OF_TWENTY * len(outcomes)
    return 0 if enough and not broken else 1


if __name__ == "__main__":
    sys.exit(main())
