"""The agent's bench runs as people run it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_agent_bench__of_a_minute__prints_its_figures() -> None:
    command = [sys.executable, "-m", "scripts.bench.agent", "--rounds", "2"]

    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert "1000 GPUs" in said
    assert "% of a core" in said
    assert "MiB at most" in said
