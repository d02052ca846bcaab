"""POST /v1/events over a raw socket: clients that stop, lie, or trickle (ATTACKS 35)."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.domain.log.bodies import MAX_BODY_BYTES
from tests.factories import HOUR_S, Ledger
from tests.integration.service import Service, change_service, make_app, serving


@pytest.fixture
def server(database_url: str, ledger: Ledger, tmp_path: Path) -> Iterator[tuple[Service, int]]:
    """The application behind uvicorn, and its port."""
    app = make_app(database_url, tmp_path)
    change_service(app, clock=ledger.clock)
    with serving(app) as port:
        yield Service(app, None, ledger), port  # type: ignore[arg-type]


def _head(service: Service, *more: str) -> bytes:
    lines = [
        "POST /v1/events HTTP/1.1",
        "Host: test",
        f"Authorization: Bearer {service.ledger.api_key}",
        "Content-Type: application/json",
        *more,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def _healthy(port: int) -> bool:
    # One worker and one event loop: an answer means that the cut request is behind us.
    return httpx.get(f"http://127.0.0.1:{port}/health").json() == {"status": "ok"}


def test_events__connection_cut_in_the_body__records_nothing(server: tuple[Service, int]) -> None:
    service, port = server
    body = json.dumps([service.ledger.usage(0, 0, HOUR_S)]).encode()

    for head in (
        _head(service, f"Content-Length: {len(body) + 10}"),
        _head(service, "Transfer-Encoding: chunked") + b"%x\r\n" % (len(body) + 10),
    ):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(head + body)
        assert _healthy(port)

    assert service.pushed() == 0


def test_events__half_closed_after_less_than_announced__records_nothing(
    server: tuple[Service, int],
) -> None:
    service, port = server
    body = json.dumps([service.ledger.usage(0, 0, HOUR_S)]).encode()

    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(_head(service, f"Content-Length: {len(body) + 1}") + body)
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(4_096)

    assert not answer.startswith(b"HTTP/1.1 2")
    assert service.pushed() == 0


def test_events__slow_client__does_not_hold_up_others(server: tuple[Service, int]) -> None:
    service, port = server
    body = json.dumps([service.ledger.usage(0, 0, HOUR_S)]).encode()

    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(_head(service, f"Content-Length: {len(body)}"))
        for byte in body[:50]:
            connection.sendall(bytes([byte]))
        assert _healthy(port)
        assert service.ledger.codes(service.ledger.usage(1, 0, HOUR_S)) == ["accepted"]
        connection.sendall(body[50:])
        answer = connection.recv(4_096)

    assert answer.startswith(b"HTTP/1.1 200")
    assert service.pushed() == 2


def test_events__chunked_without_end__is_cut_at_the_limit(server: tuple[Service, int]) -> None:
    service, port = server
    part = b"40000\r\n" + b" " * 0x40000 + b"\r\n"
    sent = 0

    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(_head(service, "Transfer-Encoding: chunked"))
        try:
            while sent < 20 * MAX_BODY_BYTES:
                connection.sendall(part)
                sent += len(part)
        except ConnectionError:
            pass

    assert sent < 20 * MAX_BODY_BYTES
    assert _healthy(port)
