"""Real processes as those who run them see them: probes, metrics, and a log in lines of JSON."""

import json
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from scripts.dev.stack import RELAYER
from tests.integration.telemetry.processes import LOCAL, free_port, process, status_of, until
from tests.world import World, wallet


def _lines(log: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def _until_scraped(base: str, name: str) -> None:
    until(lambda: name in httpx.get(f"{base}/metrics").text)


@pytest.mark.chain
def test_worker__running__is_alive_ready_and_counted(
    world: World, around: dict[str, str], tmp_path: Path
) -> None:
    port, log = free_port(), tmp_path / "worker.log"
    base = f"http://{LOCAL}:{port}"
    world.at_cut_off(0)

    with process(log, "worker", RENTROLL_MONITOR_PORT=str(port), **around) as running:
        until(lambda: status_of(f"{base}/readyz") == 200)
        until(lambda: any(line["step"] == "round" for line in _lines(log)))
        for name in ("rentroll_relayer_balance_wei{", "rentroll_work{"):
            _until_scraped(base, name)
        live = httpx.get(f"{base}/livez").json()
        families = text_string_to_metric_families(httpx.get(f"{base}/metrics").text)
        samples = {(s.name, *s.labels.values()): s.value for f in families for s in f.samples}

    assert live == {"status": "ok", "problems": []}
    assert samples["rentroll_worker_rounds_total", "done"] >= 1
    relayer = wallet(RELAYER).address
    assert samples["rentroll_relayer_balance_wei", relayer] > 10**18
    assert [v for (name, *_), v in samples.items() if name == "rentroll_rpc_up"] == [1]
    assert running.returncode == 0
    for line in _lines(log):
        assert (line["process"], line["level"]) == ("worker", "info")
        assert str(line["time"]).endswith("Z")


@pytest.mark.chain
def test_api__running__is_alive_and_ready_on_both_ports(
    world: World, around: dict[str, str], tmp_path: Path
) -> None:
    port, monitor = free_port(), free_port()
    settings = around | {"RENTROLL_MONITOR_PORT": str(monitor), "RENTROLL_ACCESS_LOG": "true"}
    log = tmp_path / "api.log"

    with process(log, "serve", "--port", str(port), **settings):
        for base in (f"http://{LOCAL}:{port}", f"http://{LOCAL}:{monitor}"):
            until(lambda base=base: status_of(f"{base}/readyz") == 200)  # type: ignore[misc]
            assert status_of(f"{base}/livez") == 200
        assert status_of(f"http://{LOCAL}:{port}/metrics") == 404
        text = httpx.get(f"http://{LOCAL}:{monitor}/metrics").text

    assert 'rentroll_http_requests_total{method="GET",route="/readyz",status="200"}' in text
    assert {"/readyz", "/livez"} <= {line.get("route") for line in _lines(log)}
