"""The second verifier, which shares no code with ours, gives the same lines, roots and totals."""

import ast
from dataclasses import replace
from pathlib import Path

import pytest

from api.domain.statements.closing import ClosedEpoch
from api.domain.statements.evidence import encode_statement
from examples import verifier as second
from tests.ledgers import EPOCH_S, WINDOW_START_S, Ledger, closed_books, facility

SOURCE = Path(second.__file__)


def _checked(ledger: Ledger, closed: list[ClosedEpoch], folder: Path) -> list[str]:
    """What the second verifier says of a facility's folder, but for its signatures."""
    home = folder / f"facility-{ledger.terms.facility_id}"
    for each in closed:
        epoch = home / f"epoch-{each.statement.epoch:05d}"
        epoch.mkdir(parents=True)
        for name, data in each.files.items():
            (epoch / name if name != "facility.json" else home / name).write_bytes(data)
        (epoch / "statement.json").write_bytes(encode_statement(each.statement))
    named = [(bytes(key.key), key.named_at_s) for key in ledger.named]
    return second.verify_facility(home, _Chain(ledger.ended_at_s, named))


class _Chain(second.Chain):
    """A chain on which nothing but an end and ledger keys is known."""

    def __init__(self, ended_at_s: int | None, named: second.Named) -> None:
        super().__init__({"chainId": 1, "contracts": {}, "startBlock": 0}, None)
        self._ended_at_s, self._named = ended_at_s, named

    def ended_at(self, facility: int) -> int | None:
        return self._ended_at_s

    def named(self, operator: str) -> second.Named | None:
        return self._named


@pytest.mark.parametrize("seed", range(40))
def test_second_verifier__drawn_ledger__gives_the_same(seed: int, tmp_path: Path) -> None:
    """Facts of every kind, in any order, corrected and late, up to the closing statement; entries
    that somebody signed or nobody, keys that come and go."""
    ended_at_s = None if seed % 3 else WINDOW_START_S + EPOCH_S * (1 + seed % 4) + seed
    ledger = Ledger(seed, facility(), ended_at_s)
    closed = closed_books(ledger)

    assert len(closed) > 1
    assert _checked(ledger, closed, tmp_path) == []


@pytest.mark.parametrize(
    "case", ["another lease", "one less", "one more", "kept from none", "epoch", "missing"]
)
def test_second_verifier__state_that_says_otherwise__is_found(tmp_path: Path, case: str) -> None:
    """Of whom something was not signed: manifest and statement agree with the file."""
    ledger = next(x for x in (Ledger(n, facility()) for n in (8, 12)) if x.named)
    closed = closed_books(ledger)[:2]
    rows = closed[1].files["state.jsonl"].splitlines(keepends=True)
    last = max(i for i, row in enumerate(rows) if b"unsigned" in row)
    head, tail = rows[:last], rows[last + 1 :]
    assert any(b"kept_from" in row for row in tail)
    changed = {
        "another lease": [*head, b'{"unsigned":"0x%s"}\n' % (b"11" * 32), *tail],
        "one less": head + tail,
        "one more": [*head, rows[last], b'{"unsigned":"0x%s"}\n' % (b"ff" * 32), *tail],
        "kept from none": rows[: last + 1],
        "epoch": [rows[0].replace(b'"next_epoch":2', b'"next_epoch":3'), *rows[1:]],
        "missing": [],
    }[case]
    files = {**closed[1].files, "state.jsonl": b"".join(changed)}
    closed[1] = replace(closed[1], files=files)

    said = _checked(ledger, closed, tmp_path)

    assert any("epoch-00001: state.jsonl" in sentence for sentence in said), said


@pytest.mark.parametrize(("seed", "share"), [(1, 1.0), (23, 0.7)])
def test_second_verifier__unsigned_batch_where_terms_refuse_it__is_found(
    tmp_path: Path, seed: int, share: float
) -> None:
    ledger = Ledger(seed, replace(facility(), unsigned_taken=False))
    assert ledger.scribes.share == share

    said = _checked(ledger, closed_books(ledger), tmp_path)

    assert any("nobody signed it" in sentence for sentence in said) == (share < 1)


def test_second_verifier__imports__nothing_of_ours() -> None:
    names = set()
    for node in ast.walk(ast.parse(SOURCE.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
        elif isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}

    assert not names & {"api", "scripts", "tests"}
