"""One licence, said in every place where a tool or a reader looks for it."""

import json
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LICENCE = "Apache-2.0"


def _tracked(pattern: str) -> list[Path]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", pattern]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.splitlines() if (ROOT / name).is_file()]


def test_licence__text__is_the_apache_licence() -> None:
    text = (ROOT / "LICENSE").read_text()

    assert text.split()[:4] == ["Apache", "License", "Version", "2.0,"]


def test_licence__solidity__every_file_names_it() -> None:
    first = {path: path.read_text().split("\n", 1)[0] for path in _tracked("*.sol")}

    assert first
    assert {
        p for p, line in first.items() if line != f"// SPDX-License-Identifier: {LICENCE}"
    } == set()


@pytest.mark.parametrize("file", ["package.json", "web/package.json"])
def test_licence__package_files__name_it(file: str) -> None:
    package = json.loads((ROOT / file).read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert (package["license"], project["license"]) == (LICENCE, LICENCE)
