"""POST /v1/events under load: shares of operators, room, clients that stop (ATTACKS 35)."""

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.cli.server import impatient
from api.domain.log.bodies import MAX_BODY_BYTES
from api.domain.units import OperatorId
from api.errors import IngestBusy
from api.routes.http.limits import IngestGate, TokenBuckets
from api.routes.service import service_of
from tests.factories import HOUR_S, START_S, Ledger
from tests.integration.service import Service, change_service, make_app, problem, serving

_TIMEOUT_S = 0.5


class _Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def _limit(service: Service, clock: _Clock, **settings: Any) -> IngestGate:
    """Give the service a gate of other settings."""
    of_app = service_of(service.app).settings
    gate = IngestGate(of_app.model_copy(update=settings), clock)
    change_service(service.app, gate=gate)
    return gate


def test_buckets__emptied__fill_by_the_second_and_never_above_their_size() -> None:
    clock = _Clock()
    buckets = TokenBuckets(per_s=2, most=6, clock=clock)
    one, other = OperatorId(1), OperatorId(2)

    assert [buckets.take(one, n) for n in (4, 2, 1)] == [0, 0, 1]
    assert buckets.take(one, 5) == 3
    assert buckets.take(other, 6) == 0
    clock.now_s = 2
    assert [buckets.take(one, n) for n in (4, 1)] == [0, 1]
    clock.now_s = 1_000
    assert [buckets.take(one, n) for n in (7, 6)] == [1, 0]


def test_events__more_requests_than_its_share__are_429_until_it_waited(
    service: Service, tmp_path: Path
) -> None:
    clock = _Clock()
    _limit(service, clock, ingest_requests_per_s=0.5, ingest_burst_s=4)
    later_s = START_S + 40 * 86_400
    rival = Ledger(
        service.ledger.engine, tmp_path, name="rival",
        window_start_s=later_s, window_end_s=later_s + 3 * 86_400,
    )  # fmt: skip
    event = service.ledger.usage(0, 0, HOUR_S)

    answers = [service.post([event]) for _ in range(3)]
    others = service.post([], key=rival.api_key)
    clock.now_s = 2

    assert [a.status_code for a in answers] == [200, 200, 429]
    body = problem(answers[2], 429, "too_many_requests")
    assert (body["reason"], body["retry_after_s"]) == ("requests", 2)
    assert answers[2].headers["retry-after"] == "2"
    assert answers[2].headers["connection"] == "close"
    assert others.status_code == 200
    assert service.post([event]).json()["duplicates"] == 1


def test_events__more_events_than_its_share__are_429_and_none_is_recorded(
    service: Service,
) -> None:
    clock = _Clock()
    _limit(service, clock, ingest_events_per_s=2, ingest_burst_s=1)
    events = [service.ledger.usage(i, 0, HOUR_S) for i in range(3)]

    first, second = service.post(events[:2]), service.post(events[2:])
    clock.now_s = 1
    third = service.post(events[2:])

    assert first.json()["accepted"] == 2
    assert problem(second, 429, "too_many_requests")["reason"] == "events"
    assert second.headers["retry-after"] == "1"
    assert third.json()["accepted"] == 1
    assert service.pushed() == 3


def test_events__no_room_for_another_body__is_503_and_room_comes_back(service: Service) -> None:
    gate = _limit(service, _Clock(), ingest_buffer_bytes=1_000)
    event = service.ledger.usage(0, 0, HOUR_S)
    body = json.dumps([event]).encode()
    chunked = (body[i : i + 100] for i in range(0, len(body), 100))

    with gate.holding(OperatorId(99), announced=0) as held:
        held.add(900)
        announced = service.post(body)
        counted = service.client.post(
            "/v1/events",
            content=chunked,
            headers={**service.auth(), "Content-Type": "application/json"},
        )

    for answer in (announced, counted):
        assert problem(answer, 503, "ingest_busy")["reason"] == "memory"
        assert int(answer.headers["retry-after"]) > 0
    assert gate.held_bytes.total() == 0
    assert service.post(body).json()["accepted"] == 1
    assert gate.held_bytes.total() == 0


def test_gate__one_operator_with_half_of_the_room__leaves_the_rest_to_others(
    service: Service,
) -> None:
    gate = _limit(service, _Clock(), ingest_buffer_bytes=4 * MAX_BODY_BYTES)

    with gate.holding(OperatorId(98), announced=0) as held:
        held.add(2 * MAX_BODY_BYTES)
        with pytest.raises(IngestBusy):
            held.add(1)
        with gate.holding(OperatorId(99), announced=MAX_BODY_BYTES) as other:
            other.add(MAX_BODY_BYTES)

    assert gate.held_bytes.total() == 0


def test_events__body_that_fails_anyhow__leaves_its_room(service: Service) -> None:
    gate = _limit(service, _Clock())

    for body in (b"{", b"x" * (MAX_BODY_BYTES + 1)):
        assert service.post(body).status_code in (413, 422)

    assert gate.held_bytes.total() == 0


@pytest.fixture
def server(database_url: str, ledger: Ledger, tmp_path: Path) -> Iterator[tuple[Service, int]]:
    """The application behind the server of `rentroll serve`, with little patience; its port."""
    app = make_app(database_url, tmp_path, body_timeout_s=_TIMEOUT_S)
    change_service(app, clock=ledger.clock)
    with serving(app, http=impatient(_TIMEOUT_S)) as port:
        yield Service(app, None, ledger), port  # type: ignore[arg-type]


def _head(service: Service, path: str, *more: str) -> bytes:
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: test",
        f"Authorization: Bearer {service.ledger.api_key}",
        "Content-Type: application/json",
        *more,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def _all_of(connection: socket.socket) -> bytes:
    """What comes until the other side closes."""
    found = b""
    while part := connection.recv(65_536):
        found += part
    return found


@pytest.mark.parametrize("path", ["/v1/events", "/v1/facilities/1/leases", "/v1/operators"])
@pytest.mark.parametrize("length", ["Content-Length: 5000000", "Transfer-Encoding: chunked"])
def test_body__not_complete_in_time__is_cut_with_408(
    server: tuple[Service, int], path: str, length: str
) -> None:
    service, port = server

    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(_head(service, path, length) + b"2\r\n[[\r\n")
        answer = _all_of(connection)

    assert answer.startswith(b"HTTP/1.1 408")
    assert b'"request_timeout"' in answer


def test_events__300_half_sent_requests__hold_up_nobody_and_are_cut(
    server: tuple[Service, int],
) -> None:
    service, port = server
    event = service.ledger.usage(0, 0, HOUR_S)
    half = _head(service, "/v1/events", "Content-Length: 100000") + b"[" * 50_000

    with ExitStack() as opened:
        connections = [
            opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
            for _ in range(300)
        ]
        for connection in connections:
            connection.sendall(half)
        url = f"http://127.0.0.1:{port}/v1/events"
        answer = httpx.post(url, json=[event], headers=service.auth(), timeout=30)
        cut = [_all_of(connection) for connection in connections]

    assert answer.json()["accepted"] == 1
    assert {part[:12] for part in cut} == {b"HTTP/1.1 408"}
    assert service_of(service.app).gate.held_bytes.total() == 0


@pytest.mark.parametrize("sent", [b"", b"POST /v1/ev", b"GET /health HTTP/1.1\r\nHost: x\r\nX-"])
def test_head__not_complete_in_time__is_closed(server: tuple[Service, int], sent: bytes) -> None:
    _, port = server
    whole = b"GET /health HTTP/1.1\r\nHost: test\r\n\r\n"

    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(sent)
        first = _all_of(connection)
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(whole)
        answer = b""
        while not answer.endswith(b'{"status":"ok"}'):
            answer += connection.recv(65_536)
        connection.sendall(sent)
        second = _all_of(connection)

    assert first == second == b""
