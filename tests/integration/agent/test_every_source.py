"""An agent with every source at once: what `check` says of them, and how fast `run` ends."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api.cli.commands import app
from tests.factories import START_S, Ledger, device
from tests.integration.agent.kube_stand_in import KubeServer, serving_kubernetes
from tests.integration.agent.signed import bring_without_chain, log_home, made_key
from tests.integration.agent.site import EVERY, Job, Site, serving_exporter
from tests.integration.service import make_app, serving
from tests.unit.agent.nvml_library import card, compiled

ROOT = Path(__file__).resolve().parents[3]
SLICE = "MIG-c7384736-a75d-5afc-978f-d2f1294409fd"
JOBS = [
    Job("1", "slurm", 4, 0, 10_000_000),
    Job("2", "kubernetes", 10, 0, 10_000_000),
    Job("3", "dcgm", 16, 0, 10_000_000),
]


@pytest.fixture
def settings(
    ledger: Ledger, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """Settings of an agent whose site is played and whose service answers."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.setenv("NVML_STAND_IN", str(folder / "driver"))
    with ExitStack() as exits:
        said: list[Site] = []
        port = exits.enter_context(serving_exporter(said))
        kube = KubeServer()
        site = Site(folder, JOBS, port, exits.enter_context(serving_kubernetes(kube)))
        site.kube = kube
        site.go(600)
        said.append(site)
        (folder / "driver").write_text(
            "".join(f"{card(device(gpu), 1)}\n" for gpu in EVERY)
            + f"{card(device(40), 1, mig=1)}\n"
            + f"slice {len(EVERY)} 9 {SLICE} NVIDIA H100 80GB HBM3 MIG 1g.10gb\n"
        )
        ledger.home = log_home(tmp_path)
        ledger.facility_id = ledger.add_facility(EVERY)
        application = make_app(database_url, tmp_path)
        bring_without_chain(application, ledger, made_key(folder / "agent.key"))
        api = exits.enter_context(serving(application))
        library = compiled(folder) if shutil.which("cc") else None
        yield site.settings(
            api_url=f"http://127.0.0.1:{api}",
            facility=ledger.facility_id,
            library=library,
        )


def _check(path: Path) -> dict[str, list[dict[str, Any]]]:
    result = CliRunner().invoke(app, ["agent", "check", "--settings", str(path), "--json"])
    found: dict[str, list[dict[str, Any]]] = {}
    for each in json.loads(result.stdout):
        found.setdefault(each["name"], []).append(each)
    return found


def test_check__of_every_source__names_devices_slices_and_leases(settings: Path) -> None:
    found = _check(settings)

    assert found["key"][0]["message"] == "the log takes what it signs"
    for source in ("dcgm", "slurm", "kubernetes", "csv"):
        assert found[source][0]["level"] == "ok", found[source]
    leases = {each["message"] for each in found["lease"]}
    assert {f"lease-a: 1 uses of {kind}" for kind in ("slurm", "kubernetes", "dcgm")} <= leases
    if "nvml" in found:
        shown = [each["message"] for each in found["device"]]
        assert f"{SLICE}  1g.10gb of {device(40)}  NVIDIA H100 80GB HBM3" in shown
        assert any(line.startswith(device(4)) for line in shown)


def test_check__of_sources_that_are_away__says_each_and_what_to_try(settings: Path) -> None:
    text = settings.read_text().replace('id = "lease-a"', 'id = "lease-a"\naccount = "nobody"')
    settings.write_text(text)
    unmapped = _check(settings)
    (settings.parent / "sacct.py").write_text("import sys\nsys.exit('no slurmdbd')\n")
    (settings.parent / "token").write_text("wrong")
    (settings.parent / "driver").write_text("init 9\n")
    (settings.parent / "use.csv").unlink()
    settings.write_text(text.replace("/metrics", "/metrics?x").replace("127.0.0.1:", "127.0.0.1:1"))

    away = _check(settings)

    holders = [each["message"] for each in unmapped["lease"] if each["level"] == "warn"]
    assert any("no lease for account=x user=ada" in line for line in holders)
    assert any("no lease for namespace=team-a" in line for line in holders)
    for source in ("slurm", "kubernetes", "csv", *(("nvml",) if "nvml" in away else ())):
        assert away[source][0]["level"] == "fail"
        assert away[source][0]["advice"]
    assert "no slurmdbd" in away["slurm"][0]["message"]


def test_run__with_watches_that_wait__ends_within_seconds_of_a_signal(
    settings: Path, tmp_path: Path
) -> None:
    clock = tmp_path / "site" / "clock"
    clock.write_text(str(START_S + 600))
    program = ["-m", "tests.integration.agent.warm_agent", str(clock)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, *program], cwd=ROOT, text=True, **pipes) as warm:
        assert warm.stdin is not None
        assert warm.stdout is not None
        warm.stdin.write(f"{settings}\n")
        warm.stdin.flush()
        pid = int(warm.stdout.readline())
        log = tmp_path / "site" / "log"
        for _ in range(600):
            if log.exists() and "kubernetes',) {'recovered" in log.read_text():
                break
            time.sleep(0.05)
        began = time.monotonic()
        os.kill(pid, signal.SIGTERM)
        while "stopped" not in log.read_text():
            assert time.monotonic() - began < 30, log.read_text()
            time.sleep(0.02)
        took_s = time.monotonic() - began
        warm.stdin.close()

    assert took_s < 8
