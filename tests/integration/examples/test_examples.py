"""examples/: each runs as its reader would run it, against the real service and a real chain."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest
from sqlalchemy import func, select

from api.db.session import reading
from api.db.tables.ledger import FactKind, facts
from api.domain.metering.instants import format_instant
from api.main import create_app
from tests.factories import DAY_S, HOUR_S, START_S, device
from tests.integration.service import ADMIN_KEY, Service, serving
from tests.world import World

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.chain


def _run(*command: str, text: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        input=text,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def _collector(url: str, service: Service, *intervals: dict[str, str]) -> str:
    lines = "".join(json.dumps(interval) + "\n" for interval in intervals)
    facility = str(service.ledger.facility_id)
    command = (sys.executable, "examples/collector.py", url, facility)
    done = _run(*command, text=lines, RENTROLL_API_KEY=service.ledger.api_key)
    return f"{done.stdout}{done.stderr}rc {done.returncode}"


def _told(service: Service, kind: FactKind) -> int:
    with reading(service.ledger.engine) as connection:
        query = select(func.count()).select_from(facts).where(facts.c.kind == kind.value)
        return int(connection.execute(query).scalar_one())


def _interval(gpu: int, start_s: int, end_s: int) -> dict[str, str]:
    start, end = format_instant(START_S + start_s), format_instant(START_S + end_s)
    return {"device": device(gpu), "lease": "lease-a", "start": start, "end": end}


@pytest.fixture
def url(service: Service) -> Iterator[str]:
    """The service behind uvicorn."""
    with serving(service.app) as port:
        yield f"http://127.0.0.1:{port}"


def test_collector__run_twice__counts_every_interval_once(service: Service, url: str) -> None:
    intervals = [_interval(gpu, 0, HOUR_S) for gpu in range(3)]

    first = _collector(url, service, *intervals)
    second = _collector(url, service, *intervals, _interval(3, 0, HOUR_S))

    assert first == "accepted 3\nduplicate 0\nrejected 0\nrc 0"
    assert second == "accepted 1\nduplicate 3\nrejected 0\nrc 0"
    assert _told(service, FactKind.USAGE) == 4


def test_collector__line_without_a_lease__says_that_the_device_was_seen(
    service: Service, url: str
) -> None:
    idle = _interval(0, 0, HOUR_S)
    del idle["lease"]

    told = _collector(url, service, idle, _interval(1, 0, HOUR_S))

    assert told == "accepted 2\nduplicate 0\nrejected 0\nrc 0"
    assert [_told(service, kind) for kind in (FactKind.SEEN, FactKind.USAGE)] == [1, 1]


def test_collector__event_rejected__says_why_and_exits_1(service: Service, url: str) -> None:
    backwards = _collector(url, service, _interval(0, HOUR_S, 0), _interval(1, 0, HOUR_S))

    assert "accepted 1\nduplicate 0\nrejected 1\n" in backwards
    assert "interval_empty" in backwards or "gpu_seconds" in backwards
    assert backwards.endswith("rc 1")


def test_collector__answer_lost__retries_and_counts_once(service: Service, url: str) -> None:
    """ATTACKS 30: the batch arrived, the collector cannot know."""
    answers: list[httpx.Response] = []

    class Losing(BaseHTTPRequestHandler):
        """Passes requests on, and hangs up instead of giving the first answer back."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answers.append(httpx.post(url + self.path, content=body, headers=dict(self.headers)))
            if len(answers) == 1:
                self.close_connection = True
                return
            self.send_response(answers[-1].status_code)
            self.end_headers()
            self.wfile.write(answers[-1].content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Losing) as proxy:
        Thread(target=proxy.serve_forever, daemon=True).start()
        proxy_url = f"http://127.0.0.1:{proxy.server_address[1]}"
        told = _collector(proxy_url, service, _interval(0, 0, HOUR_S))
        proxy.shutdown()

    assert [answer.json()["accepted"] for answer in answers] == [1, 0]
    assert told == "accepted 0\nduplicate 1\nrejected 0\nrc 0"
    assert _told(service, FactKind.USAGE) == 1


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_session__with_curl__ends_with_what_a_statement_would_say(world: World) -> None:
    world.at(DAY_S)
    app = create_app(world.settings(admin_key=ADMIN_KEY))
    with serving(app) as port:
        session = subprocess.run(
            ("bash", "examples/session.sh", f"http://127.0.0.1:{port}"),
            cwd=ROOT,
            env={**os.environ, "RENTROLL_ADMIN_KEY": ADMIN_KEY},
            capture_output=True,
            text=True,
            check=False,
        )

    assert session.returncode == 0, session.stdout + session.stderr
    shown = session.stdout.splitlines()
    assert [
        json.loads(s)["results"][0]["status"] for s in shown if s.startswith('{"accepted"')
    ] == [
        "accepted",
        "accepted",
        "duplicate",
    ]
    [offer] = [s for s in shown if s.startswith('"offer"')]
    assert world.deployment.facility_registry.lower() in offer.lower()
    [foreseen] = json.loads(shown[-1])["statements"]
    # 2.49 an hour, in micros: half an hour of use, and a quarter more.
    assert foreseen["before"]["gross_micros"] == 1_245_000
    assert foreseen["after"]["gross_micros"] == 1_867_500
    assert foreseen["before"]["available_gpu_seconds"] == HOUR_S


def test_auditor__honest_and_forged__tells_them_apart(world: World) -> None:
    world.at(2 * HOUR_S)
    usage = (world.ledger.usage(gpu, 0, HOUR_S) for gpu in range(3))
    assert world.ledger.codes(*usage) == ["accepted"] * 3
    world.post(0)
    registry = world.deployment.statement_registry
    facility = str(world.facility_id)
    with serving(world.app) as port:
        url = f"http://127.0.0.1:{port}"
        program = (sys.executable, "examples/auditor.py", url, world.chain.rpc_url)

        honest = _run(*program, registry, facility, "0", "1", "latest")
        # A contract that stores nothing of ours: the statement is not the posted one.
        other = _run(*program, world.deployment.rent_lockbox, facility, "0", "1", "latest")

    assert honest.returncode == 0, honest
    assert honest.stdout.count("holds") == 3
    assert "2 attesters signed it" in honest.stdout
    assert other.returncode == 1


def test_verifier__honest_and_changed__tells_them_apart(world: World, tmp_path: Path) -> None:
    world.at(2 * HOUR_S)
    world.ledger.ingest(*(world.ledger.usage(gpu, 0, HOUR_S) for gpu in range(3)))
    world.post(0)
    changed = tmp_path / "changed"
    shutil.copytree(world.evidence.root, changed)
    lines = changed / f"facility-{world.facility_id}" / "epoch-00000" / "lines.csv"
    lines.write_text(lines.read_text().replace(",1000000,", ",1000001,", 1))
    program = (sys.executable, "examples/verifier.py")

    honest = _run(*program, str(world.evidence.root), world.chain.rpc_url)
    forged = _run(*program, str(changed), world.chain.rpc_url)

    assert (honest.returncode, honest.stdout.strip()) == (0, "every statement holds")
    assert forged.returncode == 1
    assert "epoch-00000: lines.csv is not what its facts give" in forged.stdout
