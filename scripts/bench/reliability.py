"""Bench of reliability: the checks of enviodev/open-indexer-benchmark, as tests of ours, in runs.

A check holds if every test of it passed in every run. Its catalogue, `reliability/README.md` there,
is of 2026: 35 checks in five groups. Nothing of its code is used: its chain is generated, ours is
anvil behind a proxy that plays faults. What each test does is said in the test.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from scripts.dev.devchain import ROOT

_FOLDER = "tests/integration/reliability"
_RUNS = 3


@dataclass(frozen=True, slots=True)
class Check:
    """What is asked, and in which tests of ours."""

    group: str
    asks: str
    tests: tuple[str, ...]


_DATABASE = ("test_database__restarts_in_the_backfill_and_at_the_head__is_indexed_on_once",)
_KILLS = (
    "test_kill__at_any_moments_of_the_backfill__no_gap_nothing_twice_nothing_half",
    "test_kill__in_the_middle_of_a_commit__leaves_nothing_of_it",
    "test_kill__while_another_writes__leaves_nothing_of_it",
)
_STOP = ("test_stop__in_the_backfill__ends_well_and_its_place_agrees_with_its_rows",)
_OUTAGE = (
    "test_node__fails_in_four_ways_in_turn__is_asked_less_and_nothing_is_lost",
    "test_node__fails_right_after_the_events_are_stored__ends_nothing",
)
_TEXT = ("test_text__that_a_contract_takes__is_stored_and_nothing_waits_behind_it",)
_HEAD = ("test_head__a_block_every_two_seconds__has_its_row_within_one_block_time",)
_CRASH, _REORGS, _RPC = "crash recovery", "reorgs", "rpc faults"
_DATA, _LATENCY = "data fidelity", "head latency"

CHECKS = (
    Check(_CRASH, "database restarts in a backfill: indexes on", _DATABASE),
    Check(_CRASH, "database restarts at the head: follows on", _DATABASE),
    Check(_CRASH, "database restarts: nothing lost", _DATABASE),
    Check(_CRASH, "database restarts: nothing twice", _DATABASE),
    Check(_CRASH, "killed: resumes by itself", _KILLS),
    Check(_CRASH, "killed: no gap", _KILLS),
    Check(_CRASH, "killed: nothing applied twice", _KILLS),
    Check(_CRASH, "killed: no half batch to be read", _KILLS),
    Check(_CRASH, "SIGTERM: ends with 0 within 15 s", _STOP),
    Check(_CRASH, "SIGTERM: its place agrees with its rows", _STOP),
    Check(
        _REORGS,
        "one block, an event changes",
        ("test_reorg__of_one_block_that_changes_an_event__has_the_new_amount",),
    ),
    Check(
        _REORGS,
        "an event is removed",
        ("test_reorg__that_removes_an_event__has_neither_its_row_nor_its_money",),
    ),
    Check(
        _REORGS,
        "sixty blocks; and deeper than final: stops and says so",
        (
            "test_reorg__of_sixty_blocks__is_taken_back",
            "test_reorg__of_what_the_node_called_final__stops_and_says_so",
        ),
    ),
    Check(
        _REORGS,
        "while the indexer is down",
        ("test_reorg__while_it_is_down__is_found_by_hash_when_it_starts",),
    ),
    Check(
        _REORGS,
        "three, faster than they are taken back",
        ("test_reorgs__faster_than_they_are_taken_back__end_as_the_chain_is",),
    ),
    Check(
        _REORGS,
        "of blocks that are being backfilled",
        ("test_reorg__of_blocks_that_are_being_backfilled__is_not_walked_past",),
    ),
    Check(_RPC, "four faults in turn: does not exit", _OUTAGE),
    Check(_RPC, "resumes when the node is back", _OUTAGE),
    Check(_RPC, "loses nothing to a failed request", _OUTAGE),
    Check(_RPC, "asks less than 20 times its healthy rate", _OUTAGE),
    Check(
        _RPC,
        "range refused: narrows",
        ("test_range__that_a_node_refuses__is_narrowed_without_being_told",),
    ),
    Check(
        _RPC,
        "too many results: narrows",
        ("test_answer__of_too_many_logs__is_narrowed_then_widened_again",),
    ),
    Check(_RPC, "widens again", ("test_answer__of_too_many_logs__is_narrowed_then_widened_again",)),
    Check(
        _RPC,
        "head goes back: undoes nothing",
        ("test_head__that_goes_back_for_a_while__undoes_nothing",),
    ),
    Check(
        _RPC,
        "logs come twice: stored once",
        ("test_logs__that_come_a_second_time__are_stored_once",),
    ),
    Check(
        _RPC,
        "a block's hash is gone: a reorg",
        ("test_hash__that_is_gone_when_its_logs_are_asked_for__is_a_reorg",),
    ),
    Check(_DATA, "text that is empty", _TEXT),
    Check(_DATA, "NUL byte in a text", _TEXT),
    Check(
        _DATA,
        "log index 0xffffffe2",
        ("test_log_index__near_the_ceiling_of_32_bits__is_stored_as_it_is",),
    ),
    Check(_DATA, "2^256 - 1", ("test_amount__of_256_bits__is_the_same_to_the_last",)),
    Check(
        _DATA, "500 blocks without a log", ("test_blocks__five_hundred_without_a_log__are_passed",)
    ),
    Check(_LATENCY, "median within a block time of 2 s", _HEAD),
    Check(_LATENCY, "slowest within 10 s", _HEAD),
    Check(_LATENCY, "never five blocks behind", _HEAD),
    Check(_LATENCY, "the same after a reorg", _HEAD),
)


def _run(report: Path) -> dict[str, list[str]]:
    """One run of all tests; outcomes of each by its name, a parameter each."""
    command = [sys.executable, "-m", "pytest", "-q", _FOLDER, f"--junit-xml={report}"]
    subprocess.run(command, cwd=ROOT, stdout=sys.stderr, check=False)
    outcomes: dict[str, list[str]] = {}
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 - pytest's own report
        kinds = {child.tag for child in case} & {"failure", "error", "skipped"}
        name = case.attrib["name"].partition("[")[0]
        outcomes.setdefault(name, []).append(min(kinds, default="passed"))
    return outcomes


def _word(check: Check, outcomes: dict[str, list[str]]) -> str:
    """What a run says of a check. One that was skipped in part was not asked in full."""
    found = [outcome for test in check.tests for outcome in outcomes.get(test, ["not run"])]
    bad = sorted({outcome for outcome in found if outcome != "passed"})
    return "holds" if not bad else ", ".join(bad)


def table(runs: list[dict[str, list[str]]]) -> str:
    """Checks with the outcome of each run, as Markdown."""
    lines = ["| group | check | runs | tests |", "|---|---|---|---|"]
    for check in CHECKS:
        said = ", ".join(_word(check, outcomes) for outcomes in runs)
        tests = "; ".join(f"`{test}`" for test in check.tests)
        lines.append(f"| {check.group} | {check.asks} | {said} | {tests} |")
    held = sum(all(_word(check, run) == "holds" for run in runs) for check in CHECKS)
    return "\n".join([*lines, "", f"{held} of {len(CHECKS)} hold in all of {len(runs)} runs."])


def main() -> int:
    """Run, print the table."""
    parser = argparse.ArgumentParser(prog="python -m scripts.bench.reliability")
    parser.add_argument("--runs", type=int, default=_RUNS)
    runs = list[dict[str, list[str]]]()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="rentroll-reliability-") as folder:
        for number in range(parser.parse_args().runs):
            runs.append(_run(Path(folder) / f"{number}.xml"))
    print(table(runs))
    print(f"{time.monotonic() - begun:.0f} s in all.")
    return 0 if all(_word(check, run) == "holds" for check in CHECKS for run in runs) else 1


if __name__ == "__main__":
    sys.exit(main())
