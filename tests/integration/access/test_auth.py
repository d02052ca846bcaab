"""Keys and tenants: who may call what, and what never leaves (ATTACKS 38)."""

import logging
from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from api.access.accounts import add_attester_key, add_operator
from api.db.session import reading, transaction
from api.db.tables.access import api_keys
from api.db.tables.facilities import facilities, operators
from api.db.tables.leases import leases
from api.domain.hashing import sha256
from api.domain.metering.names import SecretNames
from api.domain.units import FacilityId
from api.epochs.close import close_due
from tests.factories import DAY_S, GRACE_S, HOUR_S, START_S, device
from tests.integration.service import ADMIN_KEY, Service, problem

_OPEN = {
    "lease_id": "x",
    "renter_ref": "r",
    "plan": "spot",
    "opened_at": "2026-01-01T00:00:00Z",
    "price_micros_per_gpu_hour": 1,
}
_PRICE = {"effective_from": "2026-01-02T00:00:00Z", "price_micros_per_gpu_hour": 1}
_CLOSE = {"closed_at": "2026-01-02T00:00:00Z"}
_HARDWARE = {"cost_micros_per_device": 1, "in_service_at": "2025-01-01T00:00:00Z"}
_SIGN = {"attester": "0x" + "a" * 40, "signature": "0x" + "0" * 130}
_PENDING = "/v1/attester/pending?attester=0x" + "a" * 40


def _routes(facility_id: int) -> list[tuple[str, str, str, object]]:
    """Role, method, path and body of every route with a key."""
    leases_path = f"/v1/facilities/{facility_id}/leases"
    epoch = f"/v1/attester/facilities/{facility_id}/epochs/0"
    operator = {"name": "n", "address": "0x" + "b" * 40}
    return [
        ("admin", "POST", "/v1/operators", operator),
        ("admin", "POST", "/v1/attester-keys", {"label": "l", "attester": _SIGN["attester"]}),
        ("operator", "POST", "/v1/facilities", None),
        ("operator", "POST", leases_path, _OPEN),
        ("operator", "POST", f"{leases_path}/lease-a/prices", _PRICE),
        ("operator", "POST", f"{leases_path}/lease-a/close", _CLOSE),
        ("operator", "POST", "/v1/events", []),
        ("operator", "POST", f"/v1/facilities/{facility_id}/hardware", _HARDWARE),
        ("operator", "POST", f"/v1/facilities/{facility_id}/epochs/0/reopen", None),
        ("attester", "GET", _PENDING, None),
        ("attester", "GET", "/v1/attester/facilities/1/log", None),
        ("attester", "POST", f"{epoch}/attestations", _SIGN),
    ]


def _facility_body() -> dict[str, object]:
    return {
        "name": "f", "gpu_class": "X", "site": "Y", "window_start": "2026-01-01T00:00:00Z",
        "window_end": "2026-01-02T00:00:00Z", "epoch_length_s": DAY_S,
        "tranches": [{"unit_cap": 1}], "devices": [device(40)],
    }  # fmt: skip


def _attester_key(service: Service) -> str:
    with transaction(service.ledger.engine) as connection:
        return add_attester_key(
            connection, actor="test", name="a", attester=_SIGN["attester"], now_s=START_S
        )


def test_auth__no_wrong_or_revoked_key__is_401(service: Service) -> None:
    key = service.ledger.api_key
    with transaction(service.ledger.engine) as connection:
        _, revoked = add_operator(
            connection, actor="test", name="gone", address="0x" + "c" * 40, now_s=START_S
        )
        named = update(api_keys).where(api_keys.c.key_hash == sha256(revoked.encode()))
        connection.execute(named.values(revoked_at_s=START_S))
    headers = [
        {}, {"Authorization": key}, {"Authorization": f"Basic {key}"}, {"Authorization": "Bearer "},
        *(service.auth(k) for k in ("x", key + "x", key[:-1], key.upper(), revoked, "é")),
        service.auth(sha256(key.encode()).hex()),
    ]  # fmt: skip

    for _, method, path, body in _routes(service.ledger.facility_id):
        for sent in headers:
            raw = {k: v.encode("latin-1") for k, v in sent.items()}
            json = _facility_body() if path == "/v1/facilities" else body
            answer = service.client.request(method, path, json=json, headers=raw)  # type: ignore[arg-type]
            problem(answer, 401, "unauthorized")
            assert answer.headers["www-authenticate"] == "Bearer"


def test_auth__key_of_another_role__is_403(service: Service) -> None:
    keys = {
        "admin": ADMIN_KEY,
        "operator": service.ledger.api_key,
        "attester": _attester_key(service),
    }

    for role, method, path, body in _routes(service.ledger.facility_id):
        json = _facility_body() if path == "/v1/facilities" else body
        for other in keys.keys() - {role}:
            headers = service.auth(keys[other])
            answer = service.client.request(method, path, json=json, headers=headers)
            problem(answer, 403, "forbidden")


def test_tenancy__facility_of_another_operator__is_as_if_absent(service: Service) -> None:
    with transaction(service.ledger.engine) as connection:
        _, rival = add_operator(
            connection, actor="test", name="rival", address="0x" + "d" * 40, now_s=START_S
        )
    own = service.ledger.facility_id

    for role, method, path, body in _routes(own):
        if role != "operator" or f"/{own}/" not in path:
            continue
        headers = service.auth(rival)
        foreign = service.client.request(method, path, json=body, headers=headers)
        absent_path = path.replace(f"/{own}/", "/999/")
        absent = service.client.request(method, absent_path, json=body, headers=headers)
        assert foreign.text.replace(str(own), "#") == absent.text.replace("999", "#")
        problem(foreign, 404, "not_found")
    event = service.ledger.usage(0, 0, HOUR_S)
    results = [
        service.post([{**event, "data": {**event["data"], "facility_id": f}}], key=rival).json()
        for f in (own, 999)
    ]
    assert [r["results"][0]["code"] for r in results] == ["facility_unknown"] * 2
    # The rival's attempt has not taken the identity.
    assert service.post([event]).json()["accepted"] == 1


@pytest.mark.both_databases
def test_tenancy__same_source_and_id_of_two_operators__are_two_events(service: Service) -> None:
    """ATTACKS 34: neither a duplicate nor a target of the other's correction."""
    with transaction(service.ledger.engine) as connection:
        _, rival = add_operator(
            connection, actor="test", name="rival", address="0x" + "d" * 40, now_s=START_S
        )
    body = _facility_body() | {"settlement_token": "0x" + "a" * 40}
    made = service.client.post("/v1/facilities", json=body, headers=service.auth(rival)).json()
    target = service.ledger.usage(0, 0, HOUR_S)
    service.post([target])
    void = service.ledger.void(target)
    foreign = {**void, "data": {**void["data"], "facility_id": made["facility_id"]}}

    results = service.post([foreign], key=rival).json()["results"]

    assert results[0]["code"] == "correction_target_unknown"


def test_keys__in_the_database__are_hashes_only(service: Service) -> None:
    keys = [service.ledger.api_key, _attester_key(service)]
    answer = service.client.post(
        "/v1/operators", json={"name": "n", "address": "0x" + "b" * 40},
        headers=service.auth(ADMIN_KEY),
    )  # fmt: skip
    keys.append(answer.json()["api_key"])

    with reading(service.ledger.engine) as connection:
        stored = {row.key_hash for row in connection.execute(select(api_keys))}
        rows = [tuple(r) for t in (api_keys, operators) for r in connection.execute(select(t))]

    assert {sha256(key.encode()) for key in keys} == stored
    assert not any(key in str(rows) for key in keys)


def test_secrets__on_public_routes_evidence_errors_and_logs__never_appear(
    service: Service, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    ledger = service.ledger
    ledger.ingest(ledger.usage(0, 0, HOUR_S), ledger.outage(1, 0, HOUR_S, lease="lease-a"))
    ledger.clock.now_s = START_S + DAY_S + GRACE_S
    close_due(ledger.engine, ledger.evidence, ledger.clock.now_s)
    with reading(ledger.engine) as connection:
        name_secret = connection.execute(select(facilities.c.name_secret)).scalar_one()
        names = [v for row in connection.execute(select(leases)) for v in (row[2], row[3])]
        uuids = connection.execute(text("SELECT uuid FROM devices")).scalars().all()
    secret_names = SecretNames(FacilityId(ledger.facility_id), name_secret)
    made = [secret_names.lease_secret(name).hex() for name in names]
    made += [secret_names.party_secret(name).hex() for name in names]
    facility = f"/v1/facilities/{ledger.facility_id}"
    paths = [
        "/v1/facilities", facility, f"{facility}/statements", f"{facility}/epochs/0",
        f"{facility}/epochs/0/lines", f"{facility}/epochs/0/lines/0/proof",
        f"{facility}/cash-flows", f"{facility}/reconciliation", "/v1/reconciliation",
        "/v1/status", "/health", "/openapi.json",
    ]  # fmt: skip
    folder = ledger.evidence.root
    files = [p for p in folder.rglob("*") if p.is_file()]

    answers = [service.client.get(path) for path in paths]
    answers += [service.client.get(f"/v1/evidence/{p.relative_to(folder)}") for p in files]

    assert len(files) == 8
    assert {a.status_code for a in answers} == {200}
    shown = "\n".join(a.text for a in answers) + caplog.text
    for secret in (name_secret.hex(), *made, *names, *uuids, ledger.api_key, ADMIN_KEY):
        assert secret not in shown
