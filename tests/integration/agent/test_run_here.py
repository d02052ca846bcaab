"""The agent's parts in this process: it starts, is asked for its health, and ends."""

import json
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from api.agent.failures import SourceFailed, SpoolFailed
from api.agent.health import serving_health
from api.agent.running import run_agent
from api.agent.settings import read_settings
from api.agent.sources.dcgm import DcgmSource
from api.agent.spool import Spool
from api.local.settings_table import SettingsWrong
from tests.factories import START_S, Clock, Ledger, device
from tests.integration.agent.kube_stand_in import serving_kubernetes
from tests.integration.agent.site import Job, Site, serving_exporter
from tests.integration.agent.test_process import _free_port, _row, _settings
from tests.integration.service import change_service, make_app, serving


def _health(port: int, path: str = "/health") -> tuple[int, dict[str, Any]]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            text = error.read()
            return error.code, json.loads(text) if text.startswith(b"{") else {}
    except OSError:
        return 0, {}


def _threads() -> set[str]:
    """Names of threads, without the one on which this process, the service's too, asks chains."""
    names = {thread.name for thread in threading.enumerate()}
    return {name for name in names if name != "chain" and not name.startswith("asyncio_")}


def test_run__until_told_to_stop__says_what_it_did(
    ledger: Ledger, database_url: str, tmp_path: Path
) -> None:
    application = make_app(database_url, tmp_path)
    change_service(application, clock=Clock(START_S + 86_400))
    (tmp_path / "use.csv").write_text(
        "job,device,start,end,account\n" + _row("a", 0, 1) + _row("b", 1, 2, "nobody")
    )
    port, stop = _free_port(), threading.Event()
    said: list[tuple[Any, ...]] = []

    with serving(application) as api:
        settings = read_settings(Path(_settings(tmp_path, api, ledger, port)))
        thread = threading.Thread(
            target=run_agent,
            args=(settings, stop),
            kwargs={"now": lambda: int(time.time()), "log": lambda *a, **k: said.append((*a, k))},
        )
        thread.start()
        for _ in range(600):
            if _health(port)[1].get("sender", {}).get("sent") == 1:
                break
            time.sleep(0.05)
        status, shown = _health(port)
        elsewhere = _health(port, "/")[0]
        probes = [_health(port, path) for path in ("/livez", "/readyz")]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            numbers = answer.read().decode().splitlines()
        with pytest.raises(SettingsWrong, match="is taken"), serving_health(port, dict):
            pass
        stop.set()
        thread.join(20)

    assert not thread.is_alive()
    assert (status, elsewhere) == (200, 404)
    assert probes == [(200, {"status": "ok", "problems": []})] * 2
    assert {"rentroll_agent_sent 1.0", "rentroll_agent_failing 0.0"} <= {*numbers}
    assert any(line.startswith("rentroll_agent_oldest_waiting_seconds ") for line in numbers)
    assert shown["failures"] == []
    assert shown["problems"][0]["kind"] == "row"
    assert said[0] == ("agent", {"started": "n1", "sources": ["csv"]})
    assert said[-1] == ("agent", {"stopped": "n1"})


def test_run__with_every_source__begins_and_ends_their_threads(
    ledger: Ledger, database_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    said: list[Site] = []
    before = _threads()
    stop = threading.Event()
    with (
        serving_exporter(said) as exporter,
        serving(make_app(database_url, tmp_path)) as api,
    ):
        site = Site(folder, [Job("1", "slurm", 4, 0, 9_999_999)], exporter, "")
        said.append(site)
        with serving_kubernetes(site.kube) as kube_url:
            site._urls = exporter, kube_url
            site.go(600)
            path = site.settings(
                api_url=f"http://127.0.0.1:{api}",
                api_key=ledger.api_key,
                facility=ledger.facility_id,
                library=None,
            )
            clock = Clock(START_S + 600)
            thread = threading.Thread(
                target=run_agent,
                args=(read_settings(path), stop),
                kwargs={"now": clock, "log": lambda *_, **__: None},
            )
            thread.start()
            for _ in range(600):
                if site.scrapes and site.kube.watches:
                    break
                time.sleep(0.05)
            stop.set()
            thread.join(20)
            assert not thread.is_alive()

    for _ in range(200):
        if _threads() <= before:
            break
        time.sleep(0.05)
    assert _threads() <= before


def test_exporters__of_which_one_is_silent__go_on_with_the_others(tmp_path: Path) -> None:
    said: list[Site] = []
    with serving_exporter(said) as port:
        site = Site(tmp_path, [], port, "")
        site.go(0)
        said.append(site)
        gone = _free_port()
        path = tmp_path / "agent.toml"
        path.write_text(
            '[service]\nurl = "http://127.0.0.1:1"\nfacility = 1\n[dcgm]\nallocations = "pod"\n'
            f'urls = ["http://127.0.0.1:{port}", "http://127.0.0.1:{gone}/metrics"]\n'
        )
        settings = read_settings(path).dcgm
        assert settings is not None
        source = DcgmSource(settings)
        source.read(lambda: 0)
        site.go(60)
        look, uses = source.read(lambda: 60)
        source.close()

    assert device(16) in look.devices
    [problem] = look.problems
    assert (problem.kind, str(gone) in problem.subject) == ("exporter_silent", True)
    # What the silent one would say of its jobs is not known: nothing ends.
    assert uses is not None
    assert not uses.complete
    with pytest.raises(SourceFailed, match=r"127\.0\.0\.1"):
        source.read(lambda: 120)


def test_spool__of_another_version__or_no_database__is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    spool = Spool(path, most_mib=1)
    with spool.read() as db:
        db.execute("PRAGMA user_version = 99")
    spool.close()

    with pytest.raises(SpoolFailed, match="version 99"):
        Spool(path, most_mib=1)
    (tmp_path / "text").write_text("no database at all, and longer than a header of one is" * 9)
    with pytest.raises(SpoolFailed, match="cannot be opened"):
        Spool(tmp_path / "text", most_mib=1)
    with pytest.raises(SpoolFailed, match="cannot be opened"):
        Spool(tmp_path / "absent" / "spool.db", most_mib=1)
