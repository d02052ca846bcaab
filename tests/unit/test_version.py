"""The version stands in pyproject.toml; everything else reads it there, or has none."""

import json
import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _project_version() -> str:
    version: str = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    return version


def test_version__newest_of_the_changelog__is_the_projects() -> None:
    newest = re.search(r"^## (\S+) - ", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert newest is not None
    assert newest[1] == _project_version()


def test_version__installed__is_the_projects() -> None:
    """The API answers with the installed one: `make setup` installs the newest."""
    assert metadata.version("rentroll") == _project_version()


@pytest.mark.parametrize(
    "file",
    [
        "package.json",
        "web/package.json",
        "tools/bench-gas/package.json",
        "tools/bench-index/package.json",
        "tools/foreign/package.json",
    ],
)
def test_version__of_private_tooling__is_not_said_again(file: str) -> None:
    assert "version" not in json.loads((ROOT / file).read_text())


def test_version__of_the_api__is_read_and_not_typed() -> None:
    typed = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "api").rglob("*.py")
        if f'"{_project_version()}"' in path.read_text()
    ]

    assert typed == []
