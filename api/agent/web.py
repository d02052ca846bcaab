"""HTTP as the agent speaks it: one connection, bounded answers, lines of a stream."""

import http.client
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from api.local.settings_table import SettingsWrong

_MOST_ANSWER_BYTES = 256 * 1_048_576
_MOST_LINE_BYTES = 16 * 1_048_576
_BLOCK_BYTES = 65_536
# What a connection can break with. ValueError: an answer that is no HTTP at all.
BROKEN = (OSError, http.client.HTTPException, ValueError)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that came whole. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Web:
    """A server by its URL. Not for several threads at once, but for `abort`."""

    url: str
    timeout_s: float = 30.0
    ca_file: Path | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    _connection: http.client.HTTPConnection | None = None
    _context: ssl.SSLContext | None = None
    _used: bool = False
    _over: bool = False

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingsWrong(f"{self.url!r} is not an http or https URL")
        if parts.scheme == "https":
            try:
                self._context = ssl.create_default_context(cafile=self.ca_file)
            except (OSError, ssl.SSLError) as error:
                raise SettingsWrong(f"ca_file {self.ca_file}: {error}") from error

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request and read the answer whole. Raises one of BROKEN."""
        response = self._send(method, path, body, headers)
        try:
            content = response.read(_MOST_ANSWER_BYTES)
        except BROKEN:
            self.close()
            raise
        if not response.isclosed():
            self.close()
            raise ValueError("the answer is too large")
        return Answer(response.status, _names(response), content)

    def lines(self, path: str, headers: Mapping[str, str] | None = None) -> "Lines":
        """Begin to read an answer line by line. Raises one of BROKEN."""
        return Lines(self, self._send("GET", path, None, headers))

    def path_of(self, path: str) -> str:
        """A path below the service's URL, as a request names it."""
        return urlsplit(self.url).path.rstrip("/") + path or "/"

    def _send(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str] | None
    ) -> http.client.HTTPResponse:
        target = self.path_of(path)
        sent = {**self.headers, **(headers or {})}
        again = self._used and self._connection is not None
        try:
            return self._once(method, target, body, sent)
        except (ConnectionError, http.client.RemoteDisconnected):
            # A connection that was kept may have been closed by the other side meanwhile.
            if not again or self._over:
                raise
            return self._once(method, target, body, sent)

    def _once(
        self, method: str, target: str, body: bytes | None, headers: Mapping[str, str]
    ) -> http.client.HTTPResponse:
        try:
            connection = self._connected()
            if connection.sock is None:
                connection.connect()
            # Looked at behind the connecting: `abort` closes a connection, or is seen here.
            if self._over:
                raise ConnectionAbortedError("told to end")
            connection.request(method, target, body=body, headers=dict(headers))
            response = connection.getresponse()
        except BROKEN:
            self.close()
            raise
        self._used = True
        return response

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            parts = urlsplit(self.url)
            assert parts.hostname is not None
            if self._context is not None:
                self._connection = http.client.HTTPSConnection(
                    parts.hostname, parts.port, timeout=self.timeout_s, context=self._context
                )
            else:
                self._connection = http.client.HTTPConnection(
                    parts.hostname, parts.port, timeout=self.timeout_s
                )
            self._used = False
        return self._connection

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def abort(self) -> None:
        """From another thread: whoever waits for an answer fails at once, and so do all after."""
        self._over = True
        connection = self._connection
        if connection is not None and connection.sock is not None:
            with suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)


@dataclass(slots=True)
class Lines:
    """An answer that comes line by line, for as long as the other side has something to say."""

    web: Web
    response: http.client.HTTPResponse

    @property
    def status(self) -> int:
        """Its status code."""
        return self.response.status

    def __iter__(self) -> Iterator[bytes]:
        """Lines without their ends. A stream that breaks raises one of BROKEN."""
        rest = b""
        try:
            while True:
                block = self.response.read1(_BLOCK_BYTES)
                if not block:
                    break
                *whole, rest = (rest + block).split(b"\n")
                yield from (line for line in whole if line.strip())
                if len(rest) > _MOST_LINE_BYTES:
                    raise ValueError("a line is too long")
            if rest.strip():
                yield rest
        finally:
            # What was not read to its end cannot carry another request.
            self.web.close()


def _names(response: http.client.HTTPResponse) -> Mapping[str, str]:
    return {name.lower(): value for name, value in response.getheaders()}
