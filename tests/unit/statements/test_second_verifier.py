"""The second verifier, which shares no code with ours, gives the same lines, roots and totals."""

import ast
import json
from pathlib import Path

import pytest

from api.domain.statements.closing import ClosedEpoch
from api.domain.statements.evidence import encode_facility, encode_statement
from examples import verifier as second
from tests.ledgers import Ledger, closed_books, facility

SOURCE = Path(second.__file__)


def _differences(closed: list[ClosedEpoch]) -> list[str]:
    terms = facility()
    books = second.Facility(json.loads(encode_facility(terms)), [])
    found = []
    for each in closed:
        said = json.loads(encode_statement(each.statement))
        names = ("facts.jsonl", "terms.jsonl")
        books.take([json.loads(row) for name in names for row in each.files[name].splitlines()])
        start_s, end_s, closing = second.period_of(books, said["epoch"], None)
        lines, rest = books.close(said["epoch"], (start_s, end_s), closing)
        text, root, seconds, gross = second.csv_of(terms.facility_id, said["epoch"], lines)
        ours = (text, root, seconds, gross, *rest, second.credits_of(lines if closing else []))
        theirs = (
            each.files["lines.csv"],
            each.statement.usage_root,
            each.statement.billed_gpu_seconds,
            each.statement.gross_revenue_micros,
            each.statement.available_gpu_seconds,
            each.statement.available_adjustment,
            each.statement.top_renter_bps,
            each.statement.committed_bps,
            each.files["credits.csv"],
        )
        hashed = second.struct_hash(said).hex()
        if ours != theirs or said["statement_hash"] != f"0x{hashed}":
            found.append(f"epoch {said['epoch']}")
    return found


@pytest.mark.parametrize("seed", range(40))
def test_second_verifier__drawn_ledger__gives_the_same(seed: int) -> None:
    """Facts of every kind, in any order, corrected and late, up to the closing statement."""
    closed = list(closed_books(Ledger(seed, facility())))

    assert len(closed) > 1
    assert _differences(closed) == []


def test_second_verifier__imports__nothing_of_ours() -> None:
    names = set()
    for node in ast.walk(ast.parse(SOURCE.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
        elif isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}

    assert not names & {"api", "scripts", "tests"}
