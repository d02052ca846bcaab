"""Serving refusals: GET of plain files from one folder, and nothing else."""

import http.server
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

from api.attester.shelf import INDEX_FILE, NAME
from api.local.settings_table import SettingsWrong

# Connections at once: whoever opens more waits, and the attester goes on signing.
_MOST_AT_ONCE = 32
_TIMEOUT_S = 10
_Request = socket.socket | tuple[bytes, socket.socket]


class _Handler(http.server.BaseHTTPRequestHandler):
    """Names of refusals and of the index alone: no path leads anywhere else."""

    timeout = _TIMEOUT_S
    server_version, sys_version = "rentroll", ""
    folder: Path

    def do_GET(self) -> None:
        """Answer with the file."""
        self._answer(body=True)

    def do_HEAD(self) -> None:
        """Answer as GET does, without the body."""
        self._answer(body=False)

    def _answer(self, *, body: bool) -> None:
        name = self.path.partition("?")[0].removeprefix("/") or INDEX_FILE
        data = _read(self.folder, name)
        if data is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        # Anybody's page may compare them with the service's.
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        if body:
            self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing: anybody may ask."""


class _Server(http.server.ThreadingHTTPServer):
    """So many connections at once and no more."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[_Handler]) -> None:
        self._room = threading.BoundedSemaphore(_MOST_AT_ONCE)
        super().__init__(address, handler)

    def process_request(self, request: _Request, client_address: object) -> None:
        """A thread for a connection, or none while there are too many."""
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: _Request, client_address: object) -> None:
        """The connection's thread."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: _Request, client_address: object) -> None:
        """A caller that breaks off is no news."""


@contextmanager
def serving_refusals(folder: Path, *, host: str, port: int) -> Iterator[None]:
    """Serve a folder of refusals until the block ends; port 0 serves nothing. `/` is the index.

    Raises:  SettingsWrong if the port is taken.
    """
    if port == 0:
        yield
        return
    handler = type("Handler", (_Handler,), {"folder": folder})
    try:
        server = _Server((host, port), handler)
    except OSError as error:
        message = f"[refusals] port: {host}:{port} cannot be used: {error.strerror}"
        raise SettingsWrong(message) from error
    thread = threading.Thread(target=server.serve_forever, args=(0.2,), name="refusals")
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _read(folder: Path, name: str) -> bytes | None:
    if name != INDEX_FILE and not NAME.fullmatch(name):
        return None
    try:
        return (folder / name).read_bytes()
    except OSError:
        return None
