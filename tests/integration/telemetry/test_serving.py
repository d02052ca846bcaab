"""Probes and metrics over a real port, and the checks behind them."""

import socket
import threading
from collections.abc import Sequence

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.parser import text_string_to_metric_families

from api.errors import Misconfigured
from api.telemetry.serving import monitored

LOCAL = "127.0.0.1"


@pytest.fixture
def port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind((LOCAL, 0))
        number: int = taken.getsockname()[1]
        return number


def test_probes__fine_or_not__answer_with_the_reason(port: int) -> None:
    problems: list[str] = []
    with monitored(LOCAL, port, live=lambda: problems, ready=lambda: [*problems, "no database"]):
        base = f"http://{LOCAL}:{port}"
        live, ready = httpx.get(f"{base}/livez"), httpx.get(f"{base}/readyz")
        problems.append("no round has ended for 700 s")
        stuck = httpx.get(f"{base}/livez?verbose")
        missing = httpx.get(f"{base}/other")

    assert (live.status_code, live.json()) == (200, {"status": "ok", "problems": []})
    assert (ready.status_code, ready.json()["problems"]) == (503, ["no database"])
    assert (stuck.status_code, stuck.json()["status"]) == (503, "failing")
    assert missing.status_code == 404


def test_probe__that_raises__is_a_problem_and_no_cut_connection(port: int) -> None:
    def broken() -> Sequence[str]:
        raise ZeroDivisionError

    with monitored(LOCAL, port, live=broken, ready=tuple):
        answer = httpx.get(f"http://{LOCAL}:{port}/livez")

    assert (answer.status_code, answer.json()["problems"]) == (503, ["ZeroDivisionError: "])


def test_metrics__scraped__are_what_prometheus_reads(port: int) -> None:
    registry = CollectorRegistry()
    Counter("posted", "Statements.", ["facility"], registry=registry).labels("7").inc(3)

    with monitored(LOCAL, port, live=tuple, ready=tuple, registry=registry):
        answer = httpx.get(f"http://{LOCAL}:{port}/metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=")
    samples = [s for f in text_string_to_metric_families(answer.text) for s in f.samples]
    assert [(s.labels, s.value) for s in samples if s.name == "posted_total"] == [
        ({"facility": "7"}, 3.0)
    ]


def test_monitored__port_taken__says_which(port: int) -> None:
    with (
        monitored(LOCAL, port, live=tuple, ready=tuple),
        pytest.raises(Misconfigured, match=f"{LOCAL}:{port} cannot be used"),
        monitored(LOCAL, port, live=tuple, ready=tuple),
    ):
        pytest.fail("two of them listen")


def test_monitored__no_port__serves_nothing() -> None:
    with monitored(LOCAL, 0, live=tuple, ready=tuple) as port:
        assert port == 0
        assert not [t for t in threading.enumerate() if t.name == "monitoring"]
