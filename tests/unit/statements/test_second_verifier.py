"""The second verifier, which shares no code with ours, gives the same lines, roots and totals."""

import ast
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


def test_second_verifier__imports__nothing_of_ours() -> None:
    names = set()
    for node in ast.walk(ast.parse(SOURCE.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
        elif isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}

    assert not names & {"api", "scripts", "tests"}
