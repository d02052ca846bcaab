"""Traces of a real process, as a collector gets them; and none without the setting."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.integration.service import NO_CHAIN
from tests.integration.telemetry.processes import LOCAL, free_port, process, status_of, until


@pytest.fixture
def collector() -> Iterator[tuple[str, list[ExportTraceServiceRequest]]]:
    """A collector's URL, and what it got."""
    got: list[ExportTraceServiceRequest] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.path == "/v1/traces"
            got.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer((LOCAL, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://{LOCAL}:{server.server_port}", got
    server.shutdown()
    server.server_close()
    thread.join()


def _settings(folder: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": f"sqlite:///{folder / 'rentroll.db'}",
        "RENTROLL_RPC_URL": NO_CHAIN,
        "RENTROLL_EVIDENCE_DIR": str(folder / "evidence"),
        "RENTROLL_DEPLOYMENT_FILE": str(folder / "none.json"),
    }


def _serve_once(folder: Path, **more: str) -> None:
    port = free_port()
    base = f"http://{LOCAL}:{port}"
    with process(folder / "api.log", "serve", "--port", str(port), **_settings(folder), **more):
        until(lambda: status_of(f"{base}/livez") == 200)
        httpx.get(f"{base}/v1/facilities/7", headers={"Authorization": "Bearer c0ffee"})


def test_traces__by_setting__name_process_and_route_and_no_secret(
    tmp_path: Path, collector: tuple[str, list[ExportTraceServiceRequest]]
) -> None:
    url, got = collector

    _serve_once(tmp_path, RENTROLL_OTLP_URL=url)

    resources = [r for request in got for r in request.resource_spans]
    names = {s.name for r in resources for scope in r.scope_spans for s in scope.spans}
    services = {
        a.value.string_value
        for r in resources
        for a in r.resource.attributes
        if a.key == "service.name"
    }
    assert services == {"rentroll-api"}
    assert "GET /v1/facilities/{facility_id}" in names
    assert b"c0ffee" not in b"".join(request.SerializeToString() for request in got)


def test_traces__no_collector_there__nothing_waits_for_it(tmp_path: Path) -> None:
    _serve_once(tmp_path, RENTROLL_OTLP_URL=f"http://{LOCAL}:{free_port()}")


def test_traces__without_the_setting__none_are_made(
    tmp_path: Path, collector: tuple[str, list[ExportTraceServiceRequest]]
) -> None:
    _, got = collector

    _serve_once(tmp_path)

    assert got == []
