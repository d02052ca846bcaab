"""Unit tests are pure: no network, not even the loopback's."""

import socket
from typing import Any, NoReturn

import pytest


@pytest.fixture(autouse=True)
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every way to another process by a socket fails, and says why."""

    def refuse(*_: Any, **__: Any) -> NoReturn:
        pytest.fail("a unit test opens a socket: it belongs in tests/integration", pytrace=True)

    for name in ("connect", "connect_ex", "bind"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
