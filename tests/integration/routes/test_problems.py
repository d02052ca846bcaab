"""Every failing answer is an RFC 9457 problem with a stable code and nothing of the inside."""

from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from api.reads import market
from tests.integration.service import ADMIN_KEY, Service, problem

HUGE = 10**30
_PATHS = (
    "/v1/facilities/{}",
    "/v1/facilities/{}/statements",
    "/v1/facilities/{}/reconciliation",
    "/v1/facilities/{}/cash-flows",
    "/v1/facilities/{}/epochs/0",
    "/v1/facilities/1/epochs/{}",
    "/v1/facilities/1/epochs/{}/lines",
    "/v1/facilities/1/epochs/0/lines/{}/proof",
)
_LEASE = {
    "lease_id": "x",
    "renter_ref": "r",
    "plan": "spot",
    "opened_at": "2026-01-02T00:00:00Z",
    "price_micros_per_gpu_hour": 1,
}


def test_problem__unknown_path_or_method__is_404_or_405(service: Service) -> None:
    problem(service.client.get("/v1/nothing"), 404, "not_found")
    answer = service.client.delete("/v1/events")
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


@pytest.mark.both_databases
def test_problem__numbers_larger_than_a_column__are_422(service: Service) -> None:
    for path in _PATHS:
        for value in (HUGE, -HUGE, 2**63, "x", "1.5"):
            problem(service.client.get(path.format(value)), 422, "invalid_input")
        problem(service.client.get(path.format(2**31 - 1)), 404, "not_found")
    for query in (f"offset={HUGE}", "limit=0", "limit=1001", "offset=-1"):
        answer = service.client.get(f"/v1/facilities/1/statements?{query}")
        problem(answer, 422, "invalid_input")


@pytest.mark.both_databases
def test_problem__nul_and_broken_text__never_reaches_the_database(service: Service) -> None:
    leases = f"/v1/facilities/{service.ledger.facility_id}/leases"
    admin = service.auth(ADMIN_KEY)
    close = {"closed_at": "2026-01-02T00:00:00Z"}
    name = b'{"name": "%b", "address": "0x%b"}'
    cases: list[tuple[str, dict[str, str], Any]] = [
        ("/v1/operators", admin, name % (b"a\\u0000b", b"a" * 40)),
        ("/v1/operators", admin, name % (b"a\\ud800b", b"a" * 40)),
        ("/v1/operators", admin, name % (b"a\xffb", b"a" * 40)),
        ("/v1/operators", admin, b'{"\\ud800": 1}'),
        ("/v1/attester-keys", admin, b'{"label": "a\\u0000b"}'),
        (leases, service.auth(), b"[" * 100_000),
        (leases, service.auth(), b'{"x": %b}' % (b"9" * 5_000)),
        (leases, service.auth(), b'{"lease_id": NaN}'),
        (leases, service.auth(), b""),
        (f"{leases}/a%00b/close", service.auth(), close),
        (f"{leases}/a%09b/close", service.auth(), close),
    ]

    for path, headers, body in cases:
        sent = {"content": body} if isinstance(body, bytes) else {"json": body}
        headers = {**headers, "Content-Type": "application/json"}
        answer = service.client.post(path, headers=headers, **sent)  # type: ignore[arg-type]
        problem(answer, 422, "invalid_input")


def test_problem__key_named_twice__changes_no_price(service: Service) -> None:
    """ATTACKS 32: of two prices neither is taken."""
    path = f"/v1/facilities/{service.ledger.facility_id}/leases/lease-a/prices"
    body = (
        b'{"effective_from": "2026-01-02T00:00:00Z", "price_micros_per_gpu_hour": 1,'
        b' "price_micros_per_gpu_hour": 1000000000}'
    )
    headers = {**service.auth(), "Content-Type": "application/json"}

    answer = service.client.post(path, content=body, headers=headers)

    assert "twice" in problem(answer, 422, "invalid_input")["detail"]


def test_problem__body_above_the_limit__is_413_before_the_key(service: Service) -> None:
    answer = service.client.post(
        "/v1/facilities", content=b" " * 6_000_000, headers={"Content-Type": "application/json"}
    )

    problem(answer, 413, "too_large")


def test_lease__id_with_a_slash__can_be_closed(service: Service) -> None:
    leases = f"/v1/facilities/{service.ledger.facility_id}/leases"
    made = {**_LEASE, "lease_id": "team/7"}
    close = {"closed_at": "2026-01-03T00:00:00Z"}
    assert service.client.post(leases, json=made, headers=service.auth()).status_code == 201

    answer = service.client.post(f"{leases}/team%2F7/close", json=close, headers=service.auth())

    assert answer.json() == {"created": True}


def test_evidence__path_that_leads_out__is_404(service: Service) -> None:
    secret = service.ledger.evidence.root.parent / "secret"
    secret.write_text("not yours")
    service.ledger.evidence.root.mkdir()

    for path in (
        "../secret", "%2e%2e/secret", "..%2fsecret", "a/..%2f..%2fsecret", f"/{secret}",
        f"%2F{secret}", "", ".", "a%00b", "%ff", "..%5csecret", "x" * 300,
    ):  # fmt: skip
        answer = service.client.get(f"/v1/evidence/{path}")
        problem(answer, 404, "not_found")
    problem(service.client.get("/v1/evidence/" + "x" * 301), 422, "invalid_input")


def test_problem__unexpected_error__says_nothing_of_the_inside(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_more: object) -> None:
        raise RuntimeError("name_secret=c0ffee at /srv/rentroll")

    monkeypatch.setattr(market, "listed_facilities", broken)

    answer = service.client.get("/v1/tranches")

    problem(answer, 500, "internal")
    assert "c0ffee" not in answer.text
    assert "/srv" not in answer.text


@pytest.mark.both_databases
def test_problem__database_or_chain_down__is_503(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_args: object, **_more: object) -> None:
        raise OperationalError("SELECT secret", {"password": "c0ffee"}, Exception("c0ffee"))

    monkeypatch.setattr("api.routes.public.status.ping", down)

    answer = service.client.get("/health")

    problem(answer, 503, "database_unavailable")
    assert "c0ffee" not in answer.text
    assert "SELECT" not in answer.text
