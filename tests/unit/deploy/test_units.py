"""What is deployed: units that systemd takes, whose settings and folders are ours."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from api.agent.settings_text import settings_text as agent_text
from api.attester.settings_text import settings_text as attester_text
from api.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "deploy" / "systemd"
UNITS = sorted(FOLDER.glob("*.service"))
OURS = [unit for unit in UNITS if "EnvironmentFile=" in unit.read_text()]
DOCUMENTS = {
    "rentroll-agent": ROOT / "docs" / "AGENT.md",
    "rentroll-attester": ROOT / "docs" / "ATTESTER.md",
}
# Whatever a process of ours could be made to do, it cannot do this.
HARDENED = {
    "NoNewPrivileges=yes",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "PrivateTmp=yes",
    "ProtectKernelTunables=yes",
    "ProtectControlGroups=yes",
    "RestrictRealtime=yes",
    "LockPersonality=yes",
    "Restart=always",
    "StateDirectoryMode=0700",
}


def _values(unit: Path, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", unit.read_text(), re.MULTILINE)


def _settings() -> set[str]:
    names = {f"RENTROLL_{name.upper()}" for name in Settings.model_fields}
    return (names - {"RENTROLL_DATABASE_URL"}) | {"DATABASE_URL"}


def _id(unit: Path) -> str:
    return unit.stem


@pytest.mark.parametrize("unit", UNITS, ids=_id)
def test_unit__verified_by_systemd__is_fine(unit: Path, tmp_path: Path) -> None:
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("no systemd-analyze: the unit cannot be verified")
    copy = tmp_path / unit.name
    # The program is not installed where tests run.
    text = re.sub(r"(?<=^ExecStart=)\S+", sys.executable, unit.read_text(), flags=re.MULTILINE)
    copy.write_text(text)

    said = subprocess.run([tool, "verify", str(copy)], capture_output=True, text=True, check=False)

    # Whether there are such units and accounts is the machine's affair.
    assert [line for line in said.stderr.splitlines() if unit.name in line] == []


@pytest.mark.parametrize("unit", UNITS, ids=_id)
def test_unit__starts_a_command_that_is_there__as_an_account_of_its_own(unit: Path) -> None:
    [start] = _values(unit, "ExecStart")
    program, *arguments = start.split()
    words = arguments[: arguments.index("--settings")] if "--settings" in arguments else arguments

    helped = subprocess.run(
        [sys.executable, "-m", "api.cli.commands", *words, "--help"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert program == "/opt/rentroll/bin/rentroll"
    assert helped.returncode == 0, helped.stderr
    assert set(_values(unit, "User")) < {"rentroll", "rentroll-agent", "rentroll-attester"}
    assert set(unit.read_text().splitlines()) >= HARDENED


@pytest.mark.parametrize("unit", UNITS, ids=_id)
def test_unit__says_how_to_install_it__in_the_document(unit: Path) -> None:
    """The document names the unit, the settings that it starts with, and its folder."""
    document = DOCUMENTS.get(unit.stem, ROOT / "docs" / "OPERATE.md").read_text()
    [start], [state] = _values(unit, "ExecStart"), _values(unit, "StateDirectory")

    assert unit.name in document
    assert f"/var/lib/{state}" in document
    for path in re.findall(r"/etc/\S+", start) + _values(unit, "EnvironmentFile"):
        assert path in document


def test_units__settings_that_they_name__exist() -> None:
    """A setting in capitals is the service's; one after a table's name is in a file of settings."""
    tables: dict[str, set[str]] = {}
    for text in (
        agent_text(name="a", url="https://x", facility=1),
        attester_text(url="https://x", rpc_url="http://y", registry="0x"),
    ):
        for part in re.split(r"^(?:# )?(?=\[)", text, flags=re.MULTILINE)[1:]:
            names = set(re.findall(r"^(?:# )?([a-z_]+) = ", part, re.MULTILINE))
            tables.setdefault(part[1 : part.index("]")], set()).update(names)
    for unit in UNITS:
        text = unit.read_text()
        for table, name in re.findall(r"\[([a-z]+)\](?: ([a-z_]+) =)?", text):
            assert table in tables
            assert not name or name in tables[table]
        assert set(re.findall(r"RENTROLL_[A-Z_]+[A-Z]", text)) <= _settings()


def test_environment__every_setting__exists_and_is_one_that_the_service_takes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lines = re.findall(r"^#?([A-Z_]+)=(.*)$", (FOLDER / "rentroll.env").read_text(), re.MULTILINE)
    for name, value in lines:
        monkeypatch.setenv(name, value)

    settings = Settings(_env_file=None)  # type: ignore[call-arg]

    assert {name for name, _ in lines} <= _settings()
    assert len(lines) > 10
    assert str(settings.deployment_file) == "/etc/rentroll/deployment.json"
    # Ports of probes are the units': one for each process.
    assert "RENTROLL_MONITOR_PORT" not in dict(lines)


def test_document__settings_files_and_commands_that_it_names__exist() -> None:
    """docs/OPERATE.md can be followed: what it says to set, copy or run is there."""
    document = (ROOT / "docs" / "OPERATE.md").read_text()
    deploying = "".join((ROOT / "scripts" / f"{n}.py").read_text() for n in ("deploy", "deployer"))
    ours = _settings() | set(re.findall(r"RENTROLL_[A-Z_]+", deploying))
    # Whatever brownie's networks are given.
    ours |= set(re.findall(r"RENTROLL_[A-Z_]+", (ROOT / "tools" / "brownie").read_text()))

    assert set(re.findall(r"RENTROLL_[A-Z_]+[A-Z]", document)) <= ours
    paths = re.findall(r"(?:^|\s)((?:deploy|tools|scripts)/[a-z][\w./-]+)", document)
    paths += [f"{p.replace('.', '/')}.py" for p in re.findall(r"-m (scripts[\w.]+)", document)]
    assert len(paths) > 4
    for path in paths:
        assert (ROOT / path).exists(), path
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", document, re.MULTILINE):
        assert f"\n{target}:" in makefile


def test_units_of_the_service__share_all_but_what_they_run__and_a_port_each() -> None:
    """A line that is mended in one is mended in all."""

    def shared(unit: Path) -> list[str]:
        section = unit.read_text().split("[Service]")[1].splitlines()
        own = re.compile(r"ExecStart=|Environment=|# Ready")
        return [line for line in section if not own.match(line)]

    ports = [port for unit in OURS for port in _values(unit, "Environment")]

    assert len(OURS) > 1
    assert all(shared(unit) == shared(OURS[0]) for unit in OURS)
    assert len(set(ports)) == len(OURS)


@pytest.mark.parametrize("unit", OURS, ids=_id)
def test_unit__watched__ends_in_time_and_starts_again(unit: Path) -> None:
    """SIGTERM is done with within 15 s; what stands still is noticed."""
    assert _values(unit, "Type") == ["notify"]
    assert int(_values(unit, "WatchdogSec")[0]) >= 30
    assert 15 < int(_values(unit, "TimeoutStopSec")[0]) <= 30


def test_prolog__is_executable__and_a_script_that_sh_can_read() -> None:
    prolog = ROOT / "deploy" / "slurm" / "rentroll-prolog"

    assert os.access(prolog, os.X_OK)
    subprocess.run(["sh", "-n", str(prolog)], check=True)
