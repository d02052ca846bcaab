"""The checks of reliability name tests that are there, and a check holds only if all of them do."""

import ast
from pathlib import Path

from scripts.bench.reliability import CHECKS, table

FOLDER = Path(__file__).resolve().parents[2] / "integration" / "reliability"


def test_checks__by_name__are_the_tests_of_the_folder() -> None:
    trees = [ast.parse(file.read_text()) for file in FOLDER.glob("test_*.py")]
    tests = {
        node.name
        for tree in trees
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }

    named = {test for check in CHECKS for test in check.tests}
    assert named == tests
    assert len(CHECKS) == 35
    assert all(check.tests for check in CHECKS)


def test_table__a_test_failed_once_or_was_skipped__the_check_does_not_hold() -> None:
    well = {test: ["passed", "passed"] for check in CHECKS for test in check.tests}
    (skipped,), (failed,) = CHECKS[10].tests, CHECKS[11].tests

    said = table([well, well | {skipped: ["passed", "skipped"], failed: ["failure", "passed"]}])

    assert "35 of 35 hold in all of 1 runs." in table([well])
    assert "33 of 35 hold in all of 2 runs." in said
    assert f"| {CHECKS[10].asks} | holds, skipped |" in said
    assert f"| {CHECKS[11].asks} | holds, failure |" in said
    assert "| holds, not run |" in table([well, {}])
