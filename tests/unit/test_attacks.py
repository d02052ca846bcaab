"""docs/ATTACKS.md: every row is there and says what shows it, and every citation leads to a row."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "ATTACKS.md"
LAST_ROW = 61
_ROW = re.compile(r"^\| (\d+) \|([^|]+)\|([^|]+)\|([^|]*)\|$", re.MULTILINE)
_TEST = re.compile(r"`((?:test|invariant_|afterInvariant)\w*)`")
_DEFINED = re.compile(r"(?:def|function) (\w+)\(")
# "ATTACKS 30, 31 and 35" cites three rows.
_CITATION = re.compile(r"ATTACKS ((?:\d+(?:, | and )?)+)")


def _rows() -> dict[int, tuple[list[str], str]]:
    """Tests and open part of each row."""
    return {
        int(number): (_TEST.findall(tests), missing.strip())
        for number, _, tests, missing in _ROW.findall(PAGE.read_text())
    }


def _tracked(*patterns: str) -> list[Path]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.splitlines() if (ROOT / name).is_file()]


def test_rows__of_the_page__have_no_gap_and_no_double() -> None:
    numbers = [int(row[0]) for row in _ROW.findall(PAGE.read_text())]

    assert numbers == list(range(1, LAST_ROW + 1))


def test_row__any__has_tests_or_says_what_is_open() -> None:
    empty = [n for n, (tests, missing) in _rows().items() if not tests and not missing]
    unmarked = [n for n, (_, missing) in _rows().items() if missing and missing[:6] != "open: "]

    assert (empty, unmarked) == ([], [])


def test_tests__named_by_a_row__exist() -> None:
    sources = _tracked("tests/*.py", "tests/*.sol")
    defined = {name for path in sources for name in _DEFINED.findall(path.read_text())}

    gone = {test for tests, _ in _rows().values() for test in tests} - defined

    assert gone == set()


def test_citations__in_the_code__lead_to_a_row() -> None:
    cited = {
        int(number)
        for path in _tracked("*.py", "*.sol", "*.ts", "*.tsx", "*.toml")
        for numbers in _CITATION.findall(path.read_text())
        for number in re.findall(r"\d+", numbers)
    }

    assert len(cited) > 30
    assert cited - set(_rows()) == set()
