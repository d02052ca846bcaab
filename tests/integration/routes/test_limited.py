"""Shares of clients and keys: who asks too much is refused, and nobody else notices."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY

from api.access.key_text import new_key
from api.access.scopes import Role
from api.db.session import transaction
from api.db.tables.facilities import facilities
from api.errors import Misconfigured
from api.evidence_store import EvidenceUrl
from api.routes.http.shares import ClientGate
from api.routes.service import service_of
from tests.factories import HOUR_S
from tests.integration.service import Service, change_service, make_app, problem, serving
from tests.postgres import postgres_only

_STRANGER, _OTHER = "198.51.100.7", "198.51.100.8"
_PROXY = "10.0.0.2"
_FACILITIES = "/v1/facilities"


class _Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> _Clock:
    """A clock that tests set."""
    return _Clock()


def _limit(
    app: FastAPI, clock: Callable[[], float], *, patience_s: float = 10.0, **settings: Any
) -> ClientGate:
    """Give the application shares of other settings."""
    changed = service_of(app).settings.model_copy(update=settings)
    gate = ClientGate(changed, clock, patience_s=patience_s)
    change_service(app, clients=gate)
    return gate


def _from(app: FastAPI, peer: str, **headers: str) -> TestClient:
    return TestClient(app, raise_server_exceptions=False, client=(peer, 5_000), headers=headers)


def _refused(share: str, reason: str) -> float:
    labels = {"share": share, "reason": reason}
    return REGISTRY.get_sample_value("rentroll_refused_requests_total", labels) or 0.0


def test_client__beyond_its_share__is_429_until_it_waited_and_others_are_served(
    service: Service, clock: _Clock
) -> None:
    _limit(service.app, clock, client_reads_per_s=1, client_burst_s=10)
    stranger, before = _from(service.app, _STRANGER), _refused("client", "requests")

    answers = [stranger.get(_FACILITIES) for _ in range(3)]
    other = _from(service.app, _OTHER).get(_FACILITIES)

    assert [a.status_code for a in answers] == [200, 200, 429]
    body = problem(answers[2], 429, "too_many_requests")
    assert (body["reason"], body["retry_after_s"]) == ("requests", 5)
    assert answers[2].headers["retry-after"] == "5"
    assert answers[2].headers["connection"] == "close"
    assert answers[2].headers["x-request-id"]
    assert _refused("client", "requests") == before + 1
    assert other.status_code == 200
    clock.now_s = 4.9
    assert stranger.get(_FACILITIES).status_code == 429
    clock.now_s = 5
    assert [stranger.get(_FACILITIES).status_code for _ in range(2)] == [200, 429]


def test_client__answer__says_what_is_left(service: Service, clock: _Clock) -> None:
    _limit(service.app, clock, client_reads_per_s=2, client_burst_s=10)
    stranger = _from(service.app, _STRANGER)

    first, refused = stranger.get(_FACILITIES), [stranger.get(_FACILITIES) for _ in range(4)][-1]

    assert first.headers["ratelimit-policy"] == '"client";q=20;w=10'
    assert first.headers["ratelimit"] == '"client";r=15;t=3'
    assert refused.headers["ratelimit"] == '"client";r=0;t=10'


def test_client__that_hammers__leaves_the_time_of_another_as_it_was(
    database_url: str, service: Service, tmp_path: Path
) -> None:
    """By the real server, sixteen threads without a pause, and a visitor."""
    app = make_app(database_url, tmp_path, client_reads_per_s=20, trusted_proxies="127.0.0.1")
    change_service(app, clients=ClientGate(service_of(app).settings))
    stop = threading.Event()
    codes: list[int] = []

    def hammer(url: str) -> None:
        with httpx.Client(headers={"X-Forwarded-For": _STRANGER}, timeout=30) as stranger:
            while not stop.is_set():
                codes.append(stranger.get(url).status_code)

    with serving(app, proxy_headers=False) as port:
        url = f"http://127.0.0.1:{port}{_FACILITIES}"
        threads = [threading.Thread(target=hammer, args=(url,)) for _ in range(16)]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 20
        while codes.count(429) < 50 and time.monotonic() < deadline:
            time.sleep(0.01)
        with httpx.Client(headers={"X-Forwarded-For": _OTHER}, timeout=30) as visitor:
            began = time.perf_counter()
            seen = [visitor.get(url).status_code for _ in range(20)]
            took_s = (time.perf_counter() - began) / 20
        stop.set()
        for thread in threads:
            thread.join(30)

    assert seen == [200] * 20
    assert codes.count(429) > codes.count(200)
    assert set(codes) == {200, 429}
    print(f"\n{len(codes)} of the stranger's, {took_s * 1_000:.0f} ms for the visitor's")
    assert took_s < 1


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "CF-Connecting-IP"])
def test_client__header_that_nobody_vouches_for__changes_nothing(
    service: Service, clock: _Clock, name: str
) -> None:
    _limit(service.app, clock, client_reads_per_s=1, client_burst_s=5)
    stranger = _from(service.app, _STRANGER)

    codes = [
        stranger.get(_FACILITIES, headers={name: f"203.0.113.{i}"}).status_code for i in range(3)
    ]

    assert codes == [200, 429, 429]


def test_client__behind_a_proxy_of_ours__is_whom_the_proxy_saw(
    database_url: str, tmp_path: Path, clock: _Clock, service: Service
) -> None:
    """Whatever the client wrote stands to the left of that."""
    app = make_app(database_url, tmp_path, trusted_proxies="10.0.0.0/30, 2001:db8::1")
    _limit(app, clock, client_reads_per_s=1, client_burst_s=5)

    def ask(peer: str, *forwarded: str) -> int:
        with _from(app, peer) as client:
            sent = [("X-Forwarded-For", each) for each in forwarded]
            return client.get(_FACILITIES, headers=httpx.Headers(sent)).status_code

    assert ask(_PROXY, f"1.1.1.1, {_STRANGER}") == 200
    assert ask(_PROXY, f"2.2.2.2, {_STRANGER}") == 429
    # Through two proxies of ours, in one header or in two, with a port as some write it.
    assert ask(_PROXY, f"3.3.3.3, {_STRANGER}:4711, 10.0.0.1") == 429
    assert ask("2001:db8::1", f"4.4.4.4, {_STRANGER}", "10.0.0.1") == 429
    assert ask(_PROXY, _OTHER) == 200
    # Who is no proxy of ours is a client, whatever it says.
    assert ask("10.0.0.9", _OTHER) == 200
    assert ask("10.0.0.9", "5.5.5.5") == 429
    # A proxy that says nothing, or nonsense, is a client itself.
    assert ask(_PROXY, "nonsense") == 200
    assert ask(_PROXY) == 429


def test_settings__proxies_that_are_no_networks__are_refused(
    database_url: str, tmp_path: Path
) -> None:
    with pytest.raises(Misconfigured, match="RENTROLL_TRUSTED_PROXIES"):
        make_app(database_url, tmp_path, trusted_proxies="10.0.0.1, the-proxy")


def test_client__many_addresses_of_one_ipv6_network__are_one(
    service: Service, clock: _Clock
) -> None:
    _limit(service.app, clock, client_reads_per_s=1, client_burst_s=5)

    def ask(peer: str) -> int:
        return _from(service.app, peer).get(_FACILITIES).status_code

    assert ask("2001:db8:1:2::1") == 200
    assert ask("2001:db8:1:2:ffff::9") == 429
    assert ask("2001:db8:1:3::1") == 200
    assert ask("::ffff:192.0.2.1") == 200
    assert ask("192.0.2.1") == 429


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_probes__client_without_a_read_left__are_answered(
    service: Service, clock: _Clock, path: str
) -> None:
    _limit(service.app, clock, client_reads_per_s=1, client_burst_s=1)
    stranger = _from(service.app, _STRANGER)
    codes = [stranger.get(_FACILITIES).status_code for _ in range(3)]

    answers = [stranger.get(path) for _ in range(5)]

    assert codes == [200, 429, 429]
    assert {answer.status_code for answer in answers} == {200}
    assert "ratelimit" not in answers[0].headers


def test_key__that_works__has_a_share_of_its_own(service: Service, clock: _Clock) -> None:
    _limit(service.app, clock, client_reads_per_s=1, key_reads_per_s=4, client_burst_s=5)
    stranger = _from(service.app, _STRANGER)

    anonymous = [stranger.get(_FACILITIES).status_code for _ in range(2)]
    # The first look at a key is paid for by its address, until it turns out to work.
    early = stranger.get(_FACILITIES, headers=service.auth())
    clock.now_s = 5
    keyed = [stranger.get(_FACILITIES, headers=service.auth()) for _ in range(5)]
    after = stranger.get(_FACILITIES)

    assert anonymous == [200, 429]
    assert early.status_code == 429
    assert [answer.status_code for answer in keyed] == [200] * 4 + [429]
    assert keyed[0].headers["ratelimit-policy"] == '"key";q=20;w=5'
    assert after.status_code == 200


def test_key__guessed__is_paid_for_by_the_address(service: Service, clock: _Clock) -> None:
    """Each has the form of a key and its checksum, and none works."""
    _limit(service.app, clock, client_reads_per_s=1, client_burst_s=3)
    stranger = _from(service.app, _STRANGER)

    codes = [
        stranger.get("/v1/keys", headers=service.auth(new_key(Role.OPERATOR)[1])).status_code
        for _ in range(5)
    ]

    assert codes == [401, 401, 401, 429, 429]


def test_events__of_a_key_beside_a_stranger_without_reads__are_recorded(
    service: Service, clock: _Clock
) -> None:
    """A collector and a stranger behind one address: the key has a share apart from it."""
    _limit(service.app, clock, client_reads_per_s=1, client_burst_s=5)
    stranger = _from(service.app, _STRANGER)
    batch = [service.ledger.usage(0, 0, HOUR_S)]
    first = stranger.post("/v1/events", json=batch, headers=service.auth())

    codes = [stranger.get(_FACILITIES).status_code for _ in range(3)]
    second = stranger.post("/v1/events", json=batch, headers=service.auth())

    assert codes == [200, 429, 429]
    assert [answer.status_code for answer in (first, second)] == [200, 200]


def test_client__large_answer__costs_by_its_size(service: Service, clock: _Clock) -> None:
    _limit(service.app, clock, client_reads_per_s=1, client_burst_s=5)
    root = service_of(service.app).evidence.root
    (root / "facility-1").mkdir(parents=True)
    (root / "facility-1" / "big.csv").write_bytes(bytes(2 * 1024 * 1024))
    stranger = _from(service.app, _STRANGER)

    first, second = (stranger.get("/v1/evidence/facility-1/big.csv") for _ in range(2))
    clock.now_s = 5
    third = stranger.get("/v1/evidence/facility-1/big.csv")

    assert first.status_code == 200
    # One for the request and eight for what was sent, of five.
    assert problem(second, 429, "too_many_requests")["retry_after_s"] == 5
    assert third.status_code == 200


@contextmanager
def _held_up(service: Service) -> Iterator[None]:
    """Nobody can read facilities until the block ends, on PostgreSQL."""
    with transaction(service.ledger.engine) as connection:
        connection.exec_driver_sql(f"LOCK TABLE {facilities.name} IN ACCESS EXCLUSIVE MODE")
        yield


@postgres_only
def test_client__all_its_places_taken__waits_and_others_do_not(
    service: Service, clock: _Clock
) -> None:
    gate = _limit(service.app, clock, client_at_once=3, patience_s=0.5)
    stranger, codes = _from(service.app, _STRANGER), []

    def ask() -> None:
        codes.append(stranger.get(_FACILITIES).status_code)

    with _held_up(service):
        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 20
        while len(codes) < 5 and time.monotonic() < deadline:
            time.sleep(0.01)
        other = _from(service.app, _OTHER).get("/v1/session")
        early = sorted(codes)
    for thread in threads:
        thread.join(20)

    assert early == [429] * 5
    assert other.status_code == 401
    assert sorted(codes) == [200] * 3 + [429] * 5
    assert gate.at_work == 0


def test_evidence__read_faster_than_a_client_may__is_waited_for(
    service: Service, tmp_path: Path, database_url: str
) -> None:
    """An auditor reads thousands of files, and needs no key for them."""
    app = make_app(database_url, tmp_path, client_reads_per_s=5)
    _limit(app, time.monotonic, client_burst_s=1)
    folder = service_of(app).evidence.root / "facility-1"
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(12):
        (folder / f"{number}.json").write_text("{}")
    before = _refused("client", "requests")

    with (
        serving(app) as port,
        closing(EvidenceUrl(f"http://127.0.0.1:{port}/v1/evidence")) as source,
    ):
        found = [source.read(f"facility-1/{number}.json") for number in range(12)]

    assert found == [b"{}"] * 12
    assert _refused("client", "requests") > before


def test_log__proxy_that_no_setting_names__names_the_setting_once(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    stranger = _from(service.app, _STRANGER, **{"X-Forwarded-For": "203.0.113.1"})

    with caplog.at_level("WARNING", "rentroll"):
        codes = [stranger.get("/v1/status").status_code for _ in range(3)]

    said = [record for record in caplog.records if record.getMessage() == "limits"]
    assert codes == [200] * 3
    assert len(said) == 1
    assert "RENTROLL_TRUSTED_PROXIES" in vars(said[0])["fields"]["warning"]
