"""The way to the service, over real HTTP: what each answer means for the events of a body."""

import http.server
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import pytest

from api.agent.failures import BodyRefused, NotAdmitted, Unreachable
from api.agent.flights import Flight, Result
from api.agent.transport import BearerSigner, HttpTransport
from api.agent.web import Web
from api.local.settings_table import SettingsWrong

FLIGHT = Flight("1", "bearer", 1, (1, 2), b"[{},{}]", b"")
GOOD = (
    b'{"results": [{"status": "accepted"},'
    b' {"status": "rejected", "code": "overlap", "detail": "in use"}]}'
)


@dataclass
class Far:
    """Answers the next request with this, and keeps what was asked."""

    status: int = 200
    body: bytes = GOOD
    headers: dict[str, str] = field(default_factory=dict)
    hang_up: bool = False
    asked: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def far() -> Far:
    """A service that takes the first event and rejects the second."""
    return Far()


@pytest.fixture
def transport(far: Far) -> Iterator[HttpTransport]:
    """The way to it."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            far.asked.append((self.path, dict(self.headers), body))
            if far.hang_up:
                self.close_connection = True
                return
            self.send_response(far.status)
            for name, value in far.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(far.body)))
            self.end_headers()
            self.wfile.write(far.body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    web = Web(f"http://127.0.0.1:{server.server_address[1]}/base/", timeout_s=10)
    made = HttpTransport(web, BearerSigner("rr_op_key"))
    try:
        yield made
    finally:
        made.close()
        server.shutdown()
        server.server_close()
        thread.join()


def test_body__that_is_answered__has_a_result_an_event(transport: HttpTransport, far: Far) -> None:
    answered = transport.send(FLIGHT)

    assert answered.results == [Result("accepted"), Result("rejected", "overlap", "in use")]
    assert answered.receipt is None
    assert answered.date
    path, headers, body = far.asked[0]
    assert (path, body) == ("/base/v1/events", FLIGHT.body)
    assert headers["Authorization"] == "Bearer rr_op_key"
    assert headers["Content-Type"] == "application/cloudevents-batch+json"


@pytest.mark.parametrize(
    ("status", "headers", "error", "retry_after_s"),
    [
        (429, {"Retry-After": "7"}, Unreachable, 7),
        (503, {"Retry-After": "999999"}, Unreachable, 3_600),
        (503, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, Unreachable, 0),
        (500, {}, Unreachable, 0),
        (408, {}, Unreachable, 0),
        (401, {}, NotAdmitted, None),
        (403, {}, NotAdmitted, None),
        (404, {}, NotAdmitted, None),
        (302, {"Location": "/elsewhere"}, NotAdmitted, None),
        (400, {}, BodyRefused, None),
        (409, {}, BodyRefused, None),
        (413, {}, BodyRefused, None),
        (422, {}, BodyRefused, None),
    ],
)
def test_answer__of_each_kind__is_what_it_means(
    transport: HttpTransport,
    far: Far,
    status: int,
    headers: dict[str, str],
    error: type[Exception],
    retry_after_s: int | None,
) -> None:
    far.status, far.headers = status, headers
    far.body = b'{"code": "some_code", "detail": "a sentence"}'

    with pytest.raises(error, match=f"{status} some_code a sentence") as raised:
        transport.send(FLIGHT)

    assert getattr(raised.value, "retry_after_s", None) == retry_after_s


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"{}", b'{"results": [{}]}', b'{"results": [{"status": "accepted"}]}'],
)
def test_answer__that_no_service_of_ours_gives__is_tried_again(
    transport: HttpTransport, far: Far, body: bytes
) -> None:
    far.body = body

    with pytest.raises(Unreachable, match="answers"):
        transport.send(FLIGHT)


def test_answer__of_a_newer_service__is_a_refusal_that_is_shown(
    transport: HttpTransport, far: Far
) -> None:
    """Neither taken for recorded, which would lose the event, nor asked for ever."""
    far.body = (
        b'{"results": [{"status": "held", "until": 9},'
        b' {"status": "rejected", "code": "no_such_code", "detail": "why", "more": [1]}]}'
    )

    results = transport.send(FLIGHT).results

    word = "the service says 'held', which this version does not know"
    assert results == [
        Result("rejected", "unknown_status", word),
        Result("rejected", "no_such_code", "why"),
    ]


def test_connection__that_was_kept_and_is_closed__is_opened_anew(
    transport: HttpTransport, far: Far
) -> None:
    transport.send(FLIGHT)
    far.headers = {"Connection": "close"}
    transport.send(FLIGHT)

    assert transport.send(FLIGHT).results[0] == Result("accepted")


def test_service__that_hangs_up__is_unreachable(transport: HttpTransport, far: Far) -> None:
    far.hang_up = True

    with pytest.raises(Unreachable, match="no answer"):
        transport.send(FLIGHT)


def test_service__that_is_not_there__is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    transport = HttpTransport(Web(f"http://127.0.0.1:{port}"), BearerSigner("k"))

    calls: list[Callable[[], object]] = [
        lambda: transport.send(FLIGHT),
        transport.ask_time,
        partial(transport.check_key, 1),
    ]
    for call in calls:
        with pytest.raises(Unreachable, match="no answer"):
            call()


@pytest.mark.parametrize("url", ["", "ftp://host", "host:80", "http://"])
def test_url__that_is_none__is_a_setting_that_is_wrong(url: str) -> None:
    with pytest.raises(SettingsWrong, match="URL"):
        Web(url)


def test_abort__between_two_requests__lets_none_open_another_connection(
    transport: HttpTransport, far: Far
) -> None:
    transport.send(FLIGHT)

    transport.abort()

    for _ in range(2):
        with pytest.raises(Unreachable, match="told to end"):
            transport.send(FLIGHT)
    assert len(far.asked) == 1
