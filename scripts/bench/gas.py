"""Gas of whole transactions beside what one would pick instead: `make bench-gas`.

Ours is deployed by its own deployment script; the peers come from their own npm packages, compiled
by `tools/bench-gas/compile.js`. Everything runs on one anvil (hardfork prague) and every figure is
`gasUsed` of a receipt: 21,000 and calldata included. Exit 1 if a goal is missed.
"""

import argparse
import json
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from scripts.bench.gas_ours import (
    ATTESTERS,
    BATCH,
    CHALLENGE_WINDOW_S,
    FIFTY_TRANCHES,
    ONE_TRANCHE,
    OPERATOR,
    Ours,
    tranche_id,
)
from scripts.bench.gas_peers import Peers
from scripts.bench.gas_yard import Yard
from scripts.dev.devchain import ROOT, deploy_contracts, dev_chain

PEER_ARTIFACTS = ROOT / "build" / "bench-gas" / "peers"
DOCUMENT = ROOT / "docs" / "BENCHMARKS.md"
_EPOCHS_BEFORE_CLAIM = 10
_TRANCHES_IN_ONE_CALL = 50


@dataclass(frozen=True)
class Row:
    """One operation: our gas, the most that it may be (None: shown only), and peers by label."""

    operation: str
    ours: int
    goal: int | None
    peers: tuple[tuple[str, int], ...] = ()

    @property
    def missed(self) -> bool:
        """Whether the goal is not reached."""
        return self.goal is not None and self.ours > self.goal


def _measure_ours(ours: Ours) -> dict[str, int]:
    """Every figure of ours, in an order that leaves later ones their steady state."""
    found: dict[str, int] = {}
    ours.prepare()
    found["settle_fifty"] = ours.settle_epoch(tuple(FIFTY_TRANCHES))
    ids = ours.ten_ids()
    ours.settle_epoch(sorted({n >> 8 for n in ids}))
    ours.yard.wait(60)
    found["transfer"] = ours.transfer()
    ours.settle_epoch(sorted({n >> 8 for n in ids}))
    ours.yard.wait(60)
    found["batch_ten"] = ours.transfer_ten()
    ours.settle_epoch(sorted({n >> 8 for n in ids}))
    found["claim_ten"] = ours.claim(ids)
    for _ in range(_EPOCHS_BEFORE_CLAIM):
        found["post"], found["settle"] = ours.post_and_settle()
    found["post_many"], found["settle_many"] = ours.post_and_settle_many()
    found["claim"] = ours.claim([tranche_id(ONE_TRANCHE, 0)])
    found["book"], found["pay"] = ours.book_and_pay()
    found["inclusion"], found["fault"] = ours.proofs()
    return found


def _holder_rows(ours: dict[str, int], peers: dict[str, dict[str, int]]) -> list[Row]:
    """What holders do."""
    plain, book = peers["plain_erc1155"], peers["accumulator_erc1155"]
    t_rex, synthetix, uniswap = peers["t_rex"], peers["synthetix"], peers["uniswap"]
    return [
        Row(
            "transfer, both hold",
            ours["transfer"],
            49_000,
            (
                ("OpenZeppelin ERC1155: no revenue, no compliance", plain["transfer"]),
                ("OpenZeppelin and an accumulator: no compliance", book["transfer"]),
                ("T-REX without a rule: no revenue", t_rex["transfer_no_rule"]),
                ("T-REX, one claim and one country rule", t_rex["transfer"]),
            ),
        ),
        Row(
            "transfer of ten ids in a batch",
            ours["batch_ten"],
            187_000,
            (
                ("OpenZeppelin ERC1155", plain["batch_ten"]),
                ("OpenZeppelin and an accumulator", book["batch_ten"]),
            ),
        ),
        Row(
            f"claim one id after {_EPOCHS_BEFORE_CLAIM} epochs",
            ours["claim"],
            55_000,
            (
                ("OpenZeppelin and an accumulator", book["claim"]),
                ("Synthetix StakingRewards", synthetix["claim"]),
                ("Uniswap MerkleDistributor, an epoch", uniswap["claim"]),
                ("the same, first of 256 holders", uniswap["claim_first"]),
            ),
        ),
        Row(
            "claim ten ids",
            ours["claim_ten"],
            136_000,
            (
                ("OpenZeppelin and an accumulator", book["claim_ten"]),
                ("ten Synthetix StakingRewards", 10 * synthetix["claim"]),
                ("ten Uniswap MerkleDistributors", 10 * uniswap["claim"]),
            ),
        ),
    ]


def _statement_rows(ours: dict[str, int], peers: dict[str, dict[str, int]]) -> list[Row]:
    """What is done with a statement: posted, settled, challenged."""
    eas, synthetix = peers["eas"], peers["synthetix"]
    return [
        Row(
            "post a statement, three signers",
            ours["post"],
            None,
            (
                ("EAS attest of a hash, one signer", eas["attest_hash"]),
                ("EAS attest of a statement, one signer", eas["attest_statement"]),
            ),
        ),
        Row(
            "settle one tranche",
            ours["settle"],
            None,
            (("Synthetix fund and notify, no attestation", synthetix["fund"]),),
        ),
        Row(
            "post and settle, one tranche",
            ours["post"] + ours["settle"],
            None,
            (
                (
                    "EAS attest of a hash, Synthetix fund and notify",
                    eas["attest_hash"] + synthetix["fund"],
                ),
            ),
        ),
        Row(
            "post and settle 50 facilities of one tranche in a batch, each",
            (ours["post_many"] + ours["settle_many"]) // len(BATCH),
            120_000,
        ),
        Row(
            "settle 50 tranches of 13 facilities in one call, a tranche",
            ours["settle_fifty"] // _TRANCHES_IN_ONE_CALL,
            9_000,
            (("Synthetix fund and notify", synthetix["fund"]),),
        ),
        Row("book what three attesters did for a statement", ours["book"], None),
        Row("pay an attester for all of a facility so far", ours["pay"], None),
        Row("inclusion of one line among 2^20", ours["inclusion"], 66_000),
        Row("fault: one device billed twice, 2^20 lines", ours["fault"], 115_000),
    ]


def measure() -> list[Row]:
    """Deploy everything on one chain and measure it."""
    with tempfile.TemporaryDirectory() as folder, dev_chain() as chain:
        yard = Yard(chain)
        deployment_file = Path(folder) / "deployment.json"
        environment = {
            "RENTROLL_ATTESTERS": ",".join(yard.accounts[i] for i in ATTESTERS),
            "RENTROLL_OPERATORS": yard.accounts[OPERATOR],
            "RENTROLL_CHALLENGE_WINDOW_S": str(CHALLENGE_WINDOW_S),
        }
        deploy_contracts(chain, deployment_file, environment)
        ours = Ours(yard, deployment_file)
        figures = _measure_ours(ours)
        peers = Peers(yard, PEER_ARTIFACTS, ours.dollar)
        found = {
            name: getattr(peers, name)()
            for name in (
                "plain_erc1155",
                "accumulator_erc1155",
                "synthetix",
                "uniswap",
                "eas",
                "t_rex",
            )
        }
    return _holder_rows(figures, found) + _statement_rows(figures, found)


def show(console: Console, rows: list[Row]) -> None:
    """Print the table."""
    table = Table(title="Gas of whole transactions, prague", title_justify="left")
    table.add_column("operation")
    for head in ("gas", "goal", "times ours"):
        table.add_column(head, justify="right")
    for row in rows:
        goal = "" if row.goal is None else f"{row.goal:,}"
        colour = "red" if row.missed else "bold"
        table.add_row(f"[bold]{row.operation}[/bold]", f"[{colour}]{row.ours:,}[/{colour}]", goal)
        for label, gas in row.peers:
            table.add_row(f"  {label}", f"{gas:,}", "", f"{gas / row.ours:.2f}")
        table.add_section()
    console.print(table)


_HEADER = """## Gas

Written by `make bench-gas`. Whole transactions (21,000 and calldata included) from receipts of one
anvil, hardfork prague; contracts of ours by their own deployment script, with the allow-list on;
peers from their own npm packages (`tools/bench-gas/package.json`), optimized alike, each in its
steady state. Uniswap publishes its build and no sources; "OpenZeppelin and an accumulator" is of
our writing (`tools/bench-gas/src`), what one would write instead. Any machine gives these figures.
Which goals are out of reach, and the floors: `docs/decisions/0009-settlement-batches.md`.

| operation | gas | goal | times ours |
|---|---:|---:|---:|
"""


def write(document: Path, rows: list[Row]) -> None:
    """Replace the section "Gas" of the document, or append it."""
    text = _HEADER
    for row in rows:
        goal = "" if row.goal is None else f"{row.goal:,}"
        text += f"| **{row.operation}** | **{row.ours:,}** | {goal} | |\n"
        for label, gas in row.peers:
            text += f"| {label} | {gas:,} | | {gas / row.ours:.2f} |\n"
    before = document.read_text()
    section = re.compile(r"^## Gas\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
    if section.search(before):
        after = section.sub(lambda _: text + "\n", before).rstrip("\n") + "\n"
    else:
        after = before.rstrip("\n") + "\n\n" + text
    document.write_text(after)


def main() -> int:
    """Measure, print or write, and name what misses its goal."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true", help="print figures as JSON")
    parser.add_argument("--write", action="store_true", help="write docs/BENCHMARKS.md")
    arguments = parser.parse_args()
    rows = measure()
    if arguments.json:
        document = [
            {"operation": r.operation, "gas": r.ours, "goal": r.goal, "peers": dict(r.peers)}
            for r in rows
        ]
        print(json.dumps(document, indent=2))
    else:
        show(Console(), rows)
    if arguments.write:
        write(DOCUMENT, rows)
    missed = [row for row in rows if row.missed]
    for row in missed:
        print(f"goal missed: {row.operation}: {row.ours:,} > {row.goal:,}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
