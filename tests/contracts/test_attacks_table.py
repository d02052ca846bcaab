"""The table of attacks in this folder's README names tests that exist, for every row."""

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
LAST_ROW = 29


def _rows() -> dict[int, list[str]]:
    text = (TESTS / "contracts" / "README.md").read_text()
    rows = re.findall(r"^\| (\d+) \|[^|]*\|(.*)\|$", text, re.MULTILINE)
    named = r"`((?:test|invariant|afterInvariant)\w*)`"
    return {int(number): re.findall(named, cell) for number, cell in rows}


def test_attacks__every_row__names_tests_that_exist():
    sources = [*TESTS.glob("contracts/*.py"), *TESTS.glob("forge/**/*.sol")]
    defined = {
        name
        for path in sources
        for name in re.findall(r"(?:def|function) (\w+)\(", path.read_text())
    }

    rows = _rows()

    assert sorted(rows) == list(range(1, LAST_ROW + 1))
    assert [number for number, tests in rows.items() if not tests] == []
    assert {test for tests in rows.values() for test in tests} - defined == set()
