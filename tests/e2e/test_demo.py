"""The demo: everything real, small; killed in the middle; tampered with afterwards."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.chain]


def _demo(folder: Path, *arguments: str, days: int = 3) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scripts.demo.main", "--days", str(days)]
    command += ["--folder", str(folder)]
    return subprocess.run(
        [*command, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )


def _tables(output: str) -> list[str]:
    """Rows of the tables: what must not depend on when the worker ran."""
    return [line for line in output.splitlines() if re.match(r"^[│├┃]", line)]


def test_demo__worker_killed_in_mid_epoch__gives_the_same_tables(tmp_path: Path) -> None:
    """ATTACKS 37: no statement is missing or double."""
    plain = _demo(tmp_path / "plain")
    killed = _demo(tmp_path / "killed", "--kill-worker")

    assert plain.returncode == 0, plain.stdout + plain.stderr
    assert killed.returncode == 0, killed.stdout + killed.stderr
    assert "VERIFIED 15 statements" in plain.stdout
    assert plain.stdout.count("pledge approved by 2 of 3 attesters") == 4
    assert "SIGKILL" in killed.stdout
    assert _tables(plain.stdout)
    assert _tables(killed.stdout) == _tables(plain.stdout)


def test_demo__as_people_run_it__prints_what_the_readme_says(tmp_path: Path) -> None:
    """Its tables, to the micro and the receipt, and its last line."""
    readme = (ROOT / "README.md").read_text()
    [said] = re.findall(r"^```\n(┃ facility .*?)\n```$", readme, re.MULTILINE | re.DOTALL)

    shown = _demo(tmp_path / "demo", days=5)

    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert [row for row in _tables(shown.stdout) if row[0] != "├"] == _tables(said)
    assert said.splitlines()[-1] in shown.stdout.splitlines()
