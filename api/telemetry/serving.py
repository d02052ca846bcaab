"""`/livez`, `/readyz` and `/metrics` of a process, from a thread and a port of their own.

Nothing that a process works with is needed to answer: a pool that is used up, or a node that hangs,
is seen and does not hide itself.
"""

import http.server
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus

from prometheus_client import REGISTRY, CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from api.errors import Misconfigured

# Problems in words; none of them: fine.
Problems = Callable[[], Sequence[str]]
_TIMEOUT_S = 10
_TEXT, _JSON = "text/plain; charset=utf-8", "application/json"


class _Handler(http.server.BaseHTTPRequestHandler):
    timeout = _TIMEOUT_S
    server_version, sys_version = "rentroll", ""
    live: Problems
    ready: Problems
    registry: CollectorRegistry

    def do_GET(self) -> None:
        """One of the three paths."""
        path = self.path.partition("?")[0]
        if path == "/livez":
            self._probe(type(self).live)
        elif path == "/readyz":
            self._probe(type(self).ready)
        elif path == "/metrics":
            self._answer(HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(self.registry))
        else:
            self._answer(HTTPStatus.NOT_FOUND, _TEXT, b"/livez, /readyz, /metrics\n")

    def _probe(self, asked: Problems) -> None:
        try:
            problems = [*asked()]
        except Exception as error:  # whatever is wrong with a process is an answer here
            problems = [f"{type(error).__name__}: {error}"]
        said = {"status": "failing" if problems else "ok", "problems": problems}
        status = HTTPStatus.SERVICE_UNAVAILABLE if problems else HTTPStatus.OK
        self._answer(status, _JSON, json.dumps(said).encode() + b"\n")

    def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: a monitor asks every few seconds."""


def exposed(numbers: Mapping[str, tuple[str, float]]) -> tuple[str, bytes]:
    """Numbers as Prometheus reads them: media type, and text.

    Args:    numbers: by name, what each means and its value.
    """
    registry = CollectorRegistry()
    for name, (about, value) in numbers.items():
        Gauge(name, about, registry=registry).set(value)
    return CONTENT_TYPE_LATEST, generate_latest(registry)


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        """A monitor that breaks off is no news."""


@contextmanager
def monitored(
    host: str,
    port: int,
    *,
    live: Problems,
    ready: Problems,
    registry: CollectorRegistry = REGISTRY,
) -> Iterator[int]:
    """Answer until the block ends; port 0 answers nothing. Yields the port.

    Args:    live: what only a new start of the process mends. ready: what keeps it from working
             now, and may pass.
    Raises:  Misconfigured if the port is taken.
    """
    if port == 0:
        yield 0
        return
    handler = type(
        "Handler",
        (_Handler,),
        {"live": staticmethod(live), "ready": staticmethod(ready), "registry": registry},
    )
    try:
        server = _Server((host, port), handler)
    except OSError as error:
        raise Misconfigured(
            f"monitoring: {host}:{port} cannot be used: {error.strerror}"
        ) from error
    thread = threading.Thread(target=server.serve_forever, args=(0.2,), name="monitoring")
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
