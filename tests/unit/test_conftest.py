"""The block on sockets is in place."""

import socket

import pytest


@pytest.mark.parametrize("action", ["connect", "connect_ex", "bind"])
def test_socket__used__fails_the_test(action: str) -> None:
    with (
        socket.socket() as probe,
        pytest.raises(pytest.fail.Exception, match="belongs in tests/integration"),
    ):
        getattr(probe, action)(("127.0.0.1", 0))


def test_name__looked_up__fails_the_test() -> None:
    with pytest.raises(pytest.fail.Exception, match="belongs in tests/integration"):
        socket.create_connection(("localhost", 80))
