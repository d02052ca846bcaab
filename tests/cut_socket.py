"""A port in front of a database's socket that can be taken away, as a restart does."""

import selectors
import socket
import threading
from contextlib import suppress
from typing import Self

from sqlalchemy import make_url


class CutSocket:
    """Forwards a port to a PostgreSQL. `down`: every connection ends, and none is taken."""

    def __init__(self, database_url: str) -> None:
        self._url = make_url(database_url)
        self._taken = threading.Event()
        self._taken.set()
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._listener.close()
        self.down()

    @property
    def url(self) -> str:
        """The database through this port."""
        through = self._url.set(host="127.0.0.1", port=self._port, query={})
        return through.render_as_string(hide_password=False)

    def down(self) -> None:
        """End all connections, and every new one at once."""
        self._taken.clear()
        for pair in list(self._pairs):
            for end in pair:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def up(self) -> None:
        """Take connections again."""
        self._taken.set()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if not self._taken.is_set():
                    client.close()
                    continue
                server = self._connect()
                self._pairs.add((client, server))
                threading.Thread(target=self._pump, args=(client, server), daemon=True).start()

    def _connect(self) -> socket.socket:
        folder = self._url.query.get("host")
        if folder is None:
            return socket.create_connection((self._url.host, self._url.port or 5432))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{folder}/.s.PGSQL.{self._url.port or 5432}")
        return server

    def _pump(self, client: socket.socket, server: socket.socket) -> None:
        other = {client: server, server: client}
        with selectors.DefaultSelector() as waiting, suppress(OSError):
            for end in other:
                waiting.register(end, selectors.EVENT_READ)
            while True:
                for key, _ in waiting.select():
                    end = key.fileobj
                    assert isinstance(end, socket.socket)
                    data = end.recv(65_536)
                    if not data:
                        raise OSError
                    other[end].sendall(data)
        for end in other:
            end.close()
        self._pairs.discard((client, server))
