"""`rentroll agent` as people run it: init, check, run, health, signals, what was refused."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from api.agent.settings import read_settings
from api.cli.commands import app
from tests.factories import START_S, Clock, Ledger, device
from tests.integration.service import change_service, make_app, serving

ROOT = Path(__file__).resolve().parents[3]
NOW = "2026-01-02T00:00:00Z"


def _cli(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["agent", *arguments])


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder that `agent init` filled."""
    folder = tmp_path / "agent"
    result = _cli("init", str(folder), "--name", "n1", "--url", "http://127.0.0.1:1")
    assert result.exit_code == 0, result.output
    return folder


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _settings(site: Path, port: int, ledger: Ledger, health_port: int) -> str:
    """Settings of a CSV source towards a service."""
    (site / "api.key").write_text(ledger.api_key)
    (site / "api.key").chmod(0o600)
    path = site / "agent.toml"
    path.write_text(
        f"""
[agent]
name = "n1"
health_port = {health_port}
[service]
url = "http://127.0.0.1:{port}"
facility = {ledger.facility_id}
api_key_file = "api.key"
[[lease]]
id = "lease-a"
account = "physics"
[[lease]]
id = "no-such-lease"
account = "chem"
[csv]
file = "use.csv"
poll_s = 1
"""
    )
    return str(path)


def _row(job: str, gpu: int, hour: int, account: str = "physics") -> str:
    day = "2026-01-01T"
    return f"{job},{device(gpu)},{day}{hour:02}:00:00Z,{day}{hour:02}:30:00Z,{account}\n"


@contextmanager
def _running(settings: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "api.cli.commands", "agent", "run", "--settings", settings]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _health(port: int) -> tuple[int, dict[str, Any]]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)
    except OSError:
        return 0, {}


def _until(holds: Callable[[], bool]) -> None:
    for _ in range(600):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError("it never holds")


def test_init__in_a_folder__writes_two_files_and_says_what_to_do(site: Path) -> None:
    again = _cli("init", str(site))

    assert (site / "agent.key").stat().st_mode & 0o777 == 0o600
    assert read_settings(site / "agent.toml").name == "n1"
    assert again.exit_code == 1
    assert "File exists" in again.stderr


def test_init__all_that_its_file_shows__can_be_set(site: Path) -> None:
    """Every example of the file is a setting: taking the # away breaks nothing."""
    text = (site / "agent.toml").read_text()
    bare = re.sub(r'^# (?=\[|"GPU|[a-z_]+ = )', "", text, flags=re.MULTILINE)
    (site / "agent.toml").write_text(bare)

    read = read_settings(site / "agent.toml")

    assert bare.count("\n# ") < text.count("\n# ") // 2
    assert all((read.nvml, read.dcgm, read.slurm, read.kubernetes, read.csv))
    assert len(read.leases.rows) == 3


def test_check__of_nothing_set_up__says_what_is_missing(site: Path) -> None:
    settings = ("--settings", str(site / "agent.toml"))
    text, machine = _cli("check", *settings), _cli("check", *settings, "--json")

    assert text.exit_code == machine.exit_code == 1
    levels = {found["name"]: found["level"] for found in json.loads(machine.stdout)}
    assert levels["key file"] == "ok"
    # Nobody answers, so of the key nothing is known.
    assert levels["service"] == levels["sources"] == "fail"
    assert not (site / "spool.db").exists()


def test_check__of_settings_that_are_wrong__is_wrong_usage(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text("[service]\nurl = 1\n")

    for command in ("check", "run", "refused"):
        result = _cli(command, "--settings", str(file))
        assert result.exit_code == 2
        assert "[service] url" in result.stderr


def test_check__of_a_service_that_answers__is_fine(
    site: Path, ledger: Ledger, database_url: str, tmp_path: Path
) -> None:
    application = make_app(database_url, tmp_path)
    (site / "use.csv").write_text("job,device,start,end,account\n")

    with serving(application) as port:
        settings = _settings(site, port, ledger, 0)
        fine = _cli("check", "--settings", settings)
        (site / "api.key").write_text("rr_op_nonsense")
        unknown = _cli("check", "--settings", settings, "--json")

    assert fine.exit_code == 0, fine.output
    for line in ("service: http", "agree on the time", "the service takes it", "csv: "):
        assert line in fine.output
    assert unknown.exit_code == 1
    [found] = [f for f in json.loads(unknown.stdout) if f["level"] == "fail"]
    assert found["name"] == "API key"
    assert "events:write" in found["advice"]


def test_run__from_start_to_signal__sends_keeps_what_is_refused_and_ends_in_seconds(
    site: Path, ledger: Ledger, database_url: str, tmp_path: Path
) -> None:
    application = make_app(database_url, tmp_path)
    clock = Clock(START_S + 86_400)
    change_service(application, clock=clock)
    file = site / "use.csv"
    file.write_text(
        "job,device,start,end,account\n"
        + _row("a", 0, 1)
        + _row("b", 1, 2)
        + _row("c", 2, 3, account="chem")
        + _row("d", 3, 4, account="nobody")
    )
    health = _free_port()

    with serving(application) as port:
        settings = _settings(site, port, ledger, health)
        with _running(settings) as process:
            _until(lambda: _health(health)[1].get("spool", {}).get("refused") == 1)
            status, said = _health(health)
            second = subprocess.run(
                [sys.executable, "-m", "api.cli.commands", "agent", "run", "--settings", settings],
                cwd=ROOT, capture_output=True, text=True, check=False,
            )  # fmt: skip
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
            took_s = time.monotonic() - began
        listed = _cli("refused", "--settings", settings, "--json")
        shown = _cli("refused", "--settings", settings)

    assert took_s < 10
    assert status == 200, said
    assert said["sender"]["sent"] == 2
    assert said["sender"]["last_sent_s"] > 0
    assert said["sources"]["csv"]["failure"] is None
    [problem] = said["problems"]
    assert "no lease fits account=nobody" in problem["detail"]
    assert second.returncode == 1
    assert "taken" in second.stderr or "another agent" in second.stderr
    [refused] = json.loads(listed.stdout)
    assert (refused["code"], refused["event"]["data"]["lease"]) == (
        "lease_unknown",
        "no-such-lease",
    )
    assert "lease_unknown" in shown.output
    with ledger.engine.connect() as connection:
        count = connection.exec_driver_sql(
            "SELECT count(*) FROM meter_events WHERE source = 'agent/n1/csv'"
        ).scalar_one()
    assert count == 2


def test_refused__once_the_reason_is_gone__is_sent_again(
    site: Path, ledger: Ledger, database_url: str, tmp_path: Path
) -> None:
    application = make_app(database_url, tmp_path)
    change_service(application, clock=Clock(START_S + 86_400))
    (site / "use.csv").write_text("job,device,start,end,account\n" + _row("c", 2, 3, "chem"))
    health = _free_port()

    with serving(application) as port:
        settings = _settings(site, port, ledger, health)
        with _running(settings):
            _until(lambda: _health(health)[1].get("spool", {}).get("refused") == 1)
            ledger.add_lease("no-such-lease")
            again = _cli("refused", "--settings", settings, "--again")
            _until(lambda: _health(health)[1]["sender"]["sent"] == 1)
            after = _health(health)[1]

    assert "1 events wait" in again.output
    assert after["spool"]["refused"] == 0


def test_refused__both_ways_at_once__is_wrong_usage(site: Path) -> None:
    settings = ("--settings", str(site / "agent.toml"))

    assert _cli("refused", *settings, "--again", "--drop").exit_code == 2
    assert "0 events are forgotten" in _cli("refused", *settings, "--drop").output
    assert "no event is refused" in _cli("refused", *settings).output


def test_service__away_from_the_start__is_said_by_health_and_ends_nothing(
    site: Path, ledger: Ledger
) -> None:
    (site / "use.csv").write_text("job,device,start,end,account\n" + _row("a", 0, 1))
    health = _free_port()

    with _running(_settings(site, 1, ledger, health)) as process:
        _until(lambda: _health(health)[1].get("spool", {}).get("waiting") == 1)
        _until(lambda: _health(health)[0] == 503)
        status, said = _health(health)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0

    assert status == 503
    assert said["status"] == "failing"
    assert any("sender: no answer" in failure for failure in said["failures"])


def test_disk__that_is_full__stops_the_source_with_a_sentence_and_loses_nothing(
    site: Path, ledger: Ledger
) -> None:
    """The spool may not grow: the file's place does not move, and goes on when there is room."""
    header = "job,device,start,end,account\n"
    rows = [
        f"j{i},{device(0)},2026-01-01T{i // 3600:02}:{i // 60 % 60:02}:{i % 60:02}Z,"
        f"2026-01-01T{(i + 1) // 3600:02}:{(i + 1) // 60 % 60:02}:{(i + 1) % 60:02}Z,physics\n"
        for i in range(6_000)
    ]
    (site / "use.csv").write_text(header + "".join(rows))
    health = _free_port()
    settings = Path(_settings(site, 1, ledger, health))
    roomy = settings.read_text()
    settings.write_text(roomy.replace("[service]", "spool_mib = 1\n[service]"))

    with _running(str(settings)) as process:
        _until(lambda: bool((_health(health)[1].get("sources") or {"csv": {}})["csv"]
                            .get("failure")))  # fmt: skip
        said = _health(health)[1]
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        error = process.stderr.read() if process.stderr else ""
    settings.write_text(roomy)
    with _running(str(settings)):
        _until(lambda: _health(health)[1].get("spool", {}).get("waiting") == 6_000)

    assert "disk is full" in said["sources"]["csv"]["failure"]
    assert "disk is full" in error
    assert "Traceback" not in error


def test_clock__far_off_the_service__is_said_by_health(
    site: Path, ledger: Ledger, database_url: str, tmp_path: Path
) -> None:
    """The service says its time by the machine's clock; the agent's is an hour ahead of it."""
    (site / "use.csv").write_text("job,device,start,end,account\n")
    program = (
        "import sys, threading, time\n"
        "from pathlib import Path\n"
        "from api.agent.running import run_agent\n"
        "from api.agent.settings import read_settings\n"
        "run_agent(read_settings(Path(sys.argv[1])), threading.Event(),\n"
        "          now=lambda: int(time.time()) + 3_600, log=lambda *a, **k: None)\n"
    )
    health = _free_port()
    with serving(make_app(database_url, tmp_path)) as port:
        settings = _settings(site, port, ledger, health)
        process = subprocess.Popen(
            [sys.executable, "-c", program, settings], cwd=ROOT, env={**os.environ}
        )
        try:
            _until(lambda: _health(health)[0] == 503)
            said = _health(health)[1]
        finally:
            process.kill()
            process.wait()

    assert -3_605 < said["skew_s"] < -3_595
    assert any("ahead of the service's" in failure for failure in said["failures"])
