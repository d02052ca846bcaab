"""Slither over the contracts, with an answer to each finding: `make slither`.

`contracts/slither.toml` holds the answers: detector, place and why it stands. A finding without an
answer, an answer without a finding, and a function that slither could not read fail the run.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from rich.console import Console

ROOT = Path(__file__).resolve().parents[2]
SLITHER = ROOT / "build" / "slither" / "bin" / "slither"
ANSWERS = ROOT / "contracts" / "slither.toml"
_UNREAD = "Impossible to generate IR for "
_TIMEOUT_S = 900

Finding = tuple[str, str]


def analyse() -> tuple[set[Finding], set[str]]:
    """Findings as (detector, place), and functions of ours that slither could not read."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        run = subprocess.run(
            [str(SLITHER), ".", "--config-file", "slither.config.json", "--json", str(report)],
            cwd=ROOT,
            env={**os.environ, "PATH": f"{ROOT}/node_modules/.bin:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        if not report.exists():
            raise SystemExit(f"slither failed:\n{(run.stdout + run.stderr)[-2000:]}")
        found = json.loads(report.read_text())
    unread = {
        line.split(_UNREAD)[1].split(" ")[0]
        for line in (run.stdout + run.stderr).splitlines()
        if _UNREAD in line and "(node_modules/" not in line
    }
    return {(f["check"], _place(f)) for f in found["results"].get("detectors", [])}, unread


def _place(finding: dict[str, Any]) -> str:
    """`Contract.member` of the first element, without lines, so that answers outlive edits."""
    element = finding["elements"][0]
    if element["type"] == "node":
        element = element["type_specific_fields"]["parent"]
    if element["type"] == "variable" and "parent" in element["type_specific_fields"]:
        parent = element["type_specific_fields"]["parent"]
        element = parent if parent["type"] == "function" else element
    parent = element.get("type_specific_fields", {}).get("parent", {})
    owner = parent["name"] + "." if parent.get("type") == "contract" else ""
    return f"{owner}{element['name']}"


def main() -> int:
    """Compare findings with answers; `--list` prints the findings alone."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--list", action="store_true", help="print findings, compare nothing")
    arguments = parser.parse_args()
    console = Console(highlight=False, soft_wrap=True)
    findings, unread = analyse()
    if arguments.list:
        for detector, place in sorted(findings):
            console.print(f"{detector:24} {place}", markup=False)
        return 0
    entries = tomllib.loads(ANSWERS.read_text())["answer"]
    answered = {(entry["detector"], place) for entry in entries for place in entry["places"]}
    problems = [f"no answer: {d}: {p}" for d, p in sorted(findings - answered)]
    problems += [f"answer without a finding: {d}: {p}" for d, p in sorted(answered - findings)]
    problems += [f"slither could not read {function}" for function in sorted(unread)]
    for problem in problems:
        console.print(problem, markup=False)
    if not problems:
        console.print(f"slither: {len(findings)} findings, each answered in contracts/slither.toml")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
