"""What a request leaves behind: its id, counts by route, probes, and the log of what went wrong."""

import json
import logging
import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from api.db.session import transaction
from api.reads import market
from api.routes.service import service_of
from api.telemetry.logs import start_logging
from tests.factories import HOUR_S
from tests.integration.service import Service, make_app, problem


def _count(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_request__answered__is_counted_by_its_route_and_not_by_its_path(service: Service) -> None:
    labels = {"method": "GET", "route": "/v1/facilities/{facility_id}", "status": "404"}
    before = _count("rentroll_http_requests_total", **labels)
    strange = _count("rentroll_http_requests_total", method="other", route="none", status="405")

    for number in (999, 998):
        service.client.get(f"/v1/facilities/{number}")
    service.client.request("BREW", "/v1/facilities")

    assert _count("rentroll_http_requests_total", **labels) == before + 2
    after = _count("rentroll_http_requests_total", method="other", route="none", status="405")
    routed = _count(
        "rentroll_http_requests_total", method="other", route="/v1/facilities", status="405"
    )
    assert after + routed >= strange + 1
    assert _count("rentroll_http_request_seconds_count", route=labels["route"]) >= 2


def test_events__recorded__are_counted_by_answer_and_checks_are_not(service: Service) -> None:
    names = ("accepted", "duplicate", "rejected")
    before = [_count("rentroll_events_total", answer=name) for name in names]
    good = service.ledger.usage(0, 0, HOUR_S)
    batch = [good, service.ledger.usage(0, 60, 120)]

    service.post(batch)
    service.post(good, media="application/cloudevents+json")
    key = service.auth()
    service.client.post("/v1/events/check", json=batch, headers=key)

    after = [_count("rentroll_events_total", answer=name) for name in names]
    assert [a - b for a, b in zip(after, before, strict=True)] == [1, 1, 1]


@pytest.mark.parametrize("given", ["", "short", "x" * 65, "with space1", "line\tfeed1"])
def test_request_id__none_or_a_bad_one__is_made(service: Service, given: str) -> None:
    answer = service.client.get("/v1/config", headers={"X-Request-Id": given})

    assert re.fullmatch("[0-9a-f]{16}", answer.headers["X-Request-Id"])


def test_request_id__of_a_proxy__is_kept(service: Service) -> None:
    answer = service.client.get("/v1/config", headers={"X-Request-Id": "proxy-0001"})

    assert answer.headers["X-Request-Id"] == "proxy-0001"


@pytest.fixture
def logged(
    capsys: pytest.CaptureFixture[str],
) -> Iterator[pytest.CaptureFixture[str]]:
    """The log as a process writes it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    start_logging("api")
    yield capsys
    root.handlers[:] = handlers
    root.setLevel(level)


def test_unexpected_error__is_found_by_the_id_that_its_caller_got(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = RuntimeError("a bug")

    def raising(*_args: object, **_more: object) -> None:
        raise broken

    monkeypatch.setattr(market, "listed_facilities", raising)

    answer = service.client.get("/v1/tranches", headers={"X-Request-Id": "proxy-0002"})

    assert answer.status_code == 500
    assert answer.json()["request_id"] == answer.headers["X-Request-Id"] == "proxy-0002"
    assert broken.__notes__ == ["request proxy-0002: GET /v1/tranches"]


def test_access_log__by_setting__is_a_line_with_id_and_without_the_query(
    service: Service, tmp_path: object, logged: pytest.CaptureFixture[str]
) -> None:
    settings = service_of(service.app).settings
    app = make_app(settings.database_url, settings.evidence_dir.parent, access_log=True)

    with TestClient(app) as client:
        client.get("/v1/config?token=c0ffee", headers={"X-Request-Id": "proxy-0003"})

    lines = [json.loads(line) for line in logged.readouterr().err.splitlines()]
    [line] = [line for line in lines if line["step"] == "request"]
    assert (line["request"], line["method"], line["route"], line["status"]) == (
        "proxy-0003", "GET", "/v1/config", 200,
    )  # fmt: skip
    assert "c0ffee" not in json.dumps(lines)


@pytest.mark.both_databases
def test_readyz__database_of_another_version__says_so(service: Service) -> None:
    readiness = service_of(service.app).readiness
    readiness.run()
    ready = service.client.get("/readyz")
    with transaction(service_of(service.app).engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    readiness.run()
    old = service.client.get("/readyz")

    assert (ready.status_code, ready.json()["status"]) == (200, "ok")
    problem(old, 503, "not_ready")
    assert "migration 9999" in old.json()["problems"][0]
    assert service.client.get("/livez").json() == {"status": "ok"}


def test_errors__of_the_database__name_no_value(service: Service) -> None:
    """ATTACKS 38: what is logged of a failed statement holds none of its secrets."""
    with (
        pytest.raises(OperationalError) as failed,
        transaction(service_of(service.app).engine) as connection,
    ):
        connection.execute(text("INSERT INTO nowhere VALUES (:salt)"), {"salt": "c0ffee"})

    assert "c0ffee" not in str(failed.value)
