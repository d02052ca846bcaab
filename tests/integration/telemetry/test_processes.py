"""Real processes as those who run them see them: probes, metrics, and a log in lines of JSON."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from scripts.dev.stack import RELAYER
from tests.world import World, wallet

LOCAL = "127.0.0.1"


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind((LOCAL, 0))
        port: int = taken.getsockname()[1]
    return port


def _until(done: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


def _status(url: str) -> int:
    try:
        return httpx.get(url, timeout=5).status_code
    except httpx.TransportError:
        return 0


@contextmanager
def _process(log: Path, *arguments: str, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "api.cli.commands", *arguments],
            env=os.environ | settings,
            stderr=file,
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def _lines(log: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


@pytest.fixture
def around(world: World, tmp_path: Path) -> dict[str, str]:
    """Settings of processes beside a world."""
    key = tmp_path / "relayer.key"
    key.touch(mode=0o600)
    key.write_text(wallet(RELAYER).key.hex())
    return {
        "DATABASE_URL": world.engine.url.render_as_string(hide_password=False),
        "RENTROLL_RPC_URL": world.client.rpc_url,
        "RENTROLL_DEPLOYMENT_FILE": str(world.deployed.deployment_file),
        "RENTROLL_EVIDENCE_DIR": str(world.evidence.root),
        "RENTROLL_CLOCK": "chain",
        "RENTROLL_POLL_S": "0.1",
        "RENTROLL_RELAYER_KEY_FILE": str(key),
    }


@pytest.mark.chain
def test_worker__running__is_alive_ready_and_counted(
    world: World, around: dict[str, str], tmp_path: Path
) -> None:
    port, log = _free_port(), tmp_path / "worker.log"
    base = f"http://{LOCAL}:{port}"
    world.at_cut_off(0)

    with _process(log, "worker", RENTROLL_MONITOR_PORT=str(port), **around) as process:
        _until(lambda: _status(f"{base}/readyz") == 200)
        _until(lambda: any(line["step"] == "round" for line in _lines(log)))
        live = httpx.get(f"{base}/livez").json()
        families = text_string_to_metric_families(httpx.get(f"{base}/metrics").text)
        samples = {(s.name, *s.labels.values()): s.value for f in families for s in f.samples}

    assert live == {"status": "ok", "problems": []}
    assert samples["rentroll_worker_rounds_total", "done"] >= 1
    assert process.returncode == 0
    for line in _lines(log):
        assert (line["process"], line["level"]) == ("worker", "info")
        assert str(line["time"]).endswith("Z")


@pytest.mark.chain
def test_api__running__is_alive_and_ready_on_both_ports(
    world: World, around: dict[str, str], tmp_path: Path
) -> None:
    port, monitor = _free_port(), _free_port()
    settings = around | {"RENTROLL_MONITOR_PORT": str(monitor), "RENTROLL_ACCESS_LOG": "true"}
    log = tmp_path / "api.log"

    with _process(log, "serve", "--port", str(port), **settings):
        for base in (f"http://{LOCAL}:{port}", f"http://{LOCAL}:{monitor}"):
            _until(lambda base=base: _status(f"{base}/readyz") == 200)  # type: ignore[misc]
            assert _status(f"{base}/livez") == 200
        assert _status(f"http://{LOCAL}:{port}/metrics") == 404
        text = httpx.get(f"http://{LOCAL}:{monitor}/metrics").text

    assert 'rentroll_http_requests_total{method="GET",route="/readyz",status="200"}' in text
    assert {"/readyz", "/livez"} <= {line.get("route") for line in _lines(log)}
