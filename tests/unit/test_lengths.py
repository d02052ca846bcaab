"""Functions of Python have at most 70 lines, files 400, also of tests: else split by reason."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MOST_FUNCTION_LINES, MOST_FILE_LINES = 70, 400


def _sources() -> list[Path]:
    return [p for folder in ("api", "scripts") for p in sorted((ROOT / folder).rglob("*.py"))]


def _functions(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield node.name, node.end_lineno - node.lineno + 1


def test_functions__of_service_and_scripts__are_short() -> None:
    lengths = {
        f"{path.relative_to(ROOT)}:{name}": lines
        for path in _sources()
        for name, lines in _functions(ast.parse(path.read_text()))
    }

    assert {name: n for name, n in lengths.items() if n > MOST_FUNCTION_LINES} == {}


def test_files__of_service_scripts_and_tests__are_short() -> None:
    files = [*_sources(), *sorted((ROOT / "tests").rglob("*.py"))]

    lengths = {str(p.relative_to(ROOT)): len(p.read_text().splitlines()) for p in files}

    assert {name: n for name, n in lengths.items() if n > MOST_FILE_LINES} == {}
