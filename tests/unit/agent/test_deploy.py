"""What is deployed with the agent: its unit is one that systemd takes, and fits the documents."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
UNIT = ROOT / "deploy" / "systemd" / "rentroll-agent.service"


def test_unit__verified_by_systemd__is_fine(tmp_path: Path) -> None:
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("no systemd-analyze: the unit cannot be verified")
    copy = tmp_path / UNIT.name
    # The program is not installed where tests run.
    text = re.sub(r"(?<=^ExecStart=)\S+", sys.executable, UNIT.read_text(), flags=re.MULTILINE)
    copy.write_text(text)

    said = subprocess.run([tool, "verify", str(copy)], capture_output=True, text=True, check=False)

    # Whether there are such units and accounts is the machine's affair.
    ours = [line for line in said.stderr.splitlines() if UNIT.name in line]
    assert ours == []


def test_unit__starts_the_agent__with_the_settings_that_the_document_names() -> None:
    text = UNIT.read_text()
    document = (ROOT / "docs" / "AGENT.md").read_text()

    [start] = re.findall(r"^ExecStart=(.+)$", text, re.MULTILINE)
    assert start.split()[1:3] == ["agent", "run"]
    assert start.split()[-1] in document
    assert "/var/lib/rentroll-agent" in document


def test_prolog__is_executable__and_a_script_that_sh_can_read() -> None:
    prolog = ROOT / "deploy" / "slurm" / "rentroll-prolog"

    assert os.access(prolog, os.X_OK)
    subprocess.run(["sh", "-n", str(prolog)], check=True)
