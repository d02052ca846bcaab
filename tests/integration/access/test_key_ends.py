"""API keys end: by a successor, by revocation, at a second (ATTACKS 38)."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.access.key_text import id_of
from api.domain.metering.instants import format_instant
from tests.factories import DAY_S, HOUR_S, START_S, Clock
from tests.integration.access.keyring import changes, look, make, post
from tests.integration.service import Service, change_service, make_app, problem


@pytest.mark.both_databases
def test_rotate__live_key__both_work_for_the_overlap_and_then_one(
    keyed: Service, clock: Clock
) -> None:
    old = make(keyed, "pages", "read")
    old_id, first = old["key"]["key_id"], id_of(keyed.ledger.api_key)

    answer = post(keyed, f"/v1/keys/{old_id}/rotate", {"overlap_s": HOUR_S})
    new = answer.json()

    assert answer.status_code == 201
    assert {k: new["key"][k] for k in ("name", "scopes", "state")} == {
        "name": "pages", "scopes": ["read"], "state": "live",
    }  # fmt: skip
    assert new["replaced"]["state"] == "ending"
    assert new["replaced"]["revoked_at_s"] == clock.now_s + HOUR_S
    assert new["replaced"]["successor_id"] == new["key"]["key_id"]
    clock.now_s += HOUR_S - 1
    assert [look(keyed, k["api_key"]).status_code for k in (old, new)] == [200, 200]
    clock.now_s += 1
    assert problem(look(keyed, old["api_key"]), 401, "unauthorized")["reason"] == "revoked"
    assert look(keyed, new["api_key"]).status_code == 200
    assert changes(keyed)[:2] == [("rotated", "pages", first), ("created", "pages", first)]


def test_rotate__without_a_body__leaves_a_day(keyed: Service, clock: Clock) -> None:
    old_id = make(keyed, "pages", "read")["key"]["key_id"]

    new = post(keyed, f"/v1/keys/{old_id}/rotate").json()

    assert new["replaced"]["revoked_at_s"] == clock.now_s + DAY_S


def test_rotate__key_with_an_expiry__gives_the_successor_as_long_a_life(
    keyed: Service, clock: Clock
) -> None:
    expiry = format_instant(clock.now_s + 90 * DAY_S)
    old = make(keyed, "pages", "read", expires_at=expiry)
    clock.now_s += 80 * DAY_S

    new = post(keyed, f"/v1/keys/{old['key']['key_id']}/rotate", {"overlap_s": 30 * DAY_S}).json()

    assert new["key"]["expires_at_s"] == clock.now_s + 90 * DAY_S
    # An overlap gives no key a longer life than it had.
    clock.now_s += 10 * DAY_S
    assert problem(look(keyed, old["api_key"]), 401, "unauthorized")["reason"] == "expired"


def test_rotate__key_that_has_an_end__is_409(keyed: Service, clock: Clock) -> None:
    ending = make(keyed, "a", "read")["key"]["key_id"]
    post(keyed, f"/v1/keys/{ending}/rotate")
    over = make(keyed, "b", "read")["key"]["key_id"]
    post(keyed, f"/v1/keys/{over}/revoke")
    expired = make(keyed, "c", "read", expires_at=format_instant(clock.now_s + 1))
    clock.now_s += 1

    reasons = [
        problem(post(keyed, f"/v1/keys/{key_id}/rotate"), 409, "conflict")["reason"]
        for key_id in (ending, over, expired["key"]["key_id"])
    ]

    assert reasons == ["key_ending", "key_over", "key_over"]


@pytest.mark.both_databases
def test_revoke__live_key__is_refused_by_every_process_from_the_next_request(
    keyed: Service, clock: Clock, database_url: str, tmp_path: Any
) -> None:
    made = make(keyed, "collector", "events:write", "read")
    other = make_app(database_url, tmp_path)
    change_service(other, session_clock=clock)
    path = f"/v1/keys/{made['key']['key_id']}/revoke"
    with TestClient(other, raise_server_exceptions=False) as process:
        auth = keyed.auth(made["api_key"])
        before = process.get("/v1/console", headers=auth)

        first = post(keyed, path).json()
        again = post(keyed, path).json()

        assert before.status_code == 200
        for client in (process, keyed.client):
            refused = problem(client.get("/v1/console", headers=auth), 401, "unauthorized")
            assert refused["reason"] == "revoked"
        assert keyed.post([], key=made["api_key"]).status_code == 401
    assert (first["changed"], again["changed"]) == (True, False)
    assert first["key"] == again["key"]
    assert first["key"]["revoked_at_s"] == clock.now_s
    assert [c[0] for c in changes(keyed)].count("revoked") == 1


def test_revoke__at_a_time__works_until_then_and_can_only_come_sooner(
    keyed: Service, clock: Clock
) -> None:
    made = make(keyed, "pages", "read")
    path = f"/v1/keys/{made['key']['key_id']}/revoke"
    start_s = clock.now_s

    ends = []
    for hours in (5, 3, 4):
        answer = post(keyed, path, {"at": format_instant(start_s + hours * HOUR_S)}).json()
        ends.append((answer["changed"], answer["key"]["revoked_at_s"] - start_s))

    assert ends == [(True, 5 * HOUR_S), (True, 3 * HOUR_S), (False, 3 * HOUR_S)]
    clock.now_s += 3 * HOUR_S - 1
    assert look(keyed, made["api_key"]).status_code == 200
    clock.now_s += 1
    assert look(keyed, made["api_key"]).status_code == 401
    # Over is over.
    late = post(keyed, path, {"at": format_instant(clock.now_s + HOUR_S)}).json()
    assert (late["changed"], late["key"]["revoked_at_s"]) == (False, start_s + 3 * HOUR_S)


def test_revoke__time_that_is_past__is_now(keyed: Service, clock: Clock) -> None:
    """A caller's clock may be behind; nobody writes the record backwards."""
    made = make(keyed, "pages", "read")
    path = f"/v1/keys/{made['key']['key_id']}/revoke"

    answer = post(keyed, path, {"at": format_instant(START_S)}).json()

    assert answer["key"]["revoked_at_s"] == clock.now_s
    problem(post(keyed, path, {"at": "9999-12-31T00:00:00Z"}), 422, "invalid_input")


def test_revoke__itself_as_the_last_manager__must_be_said(keyed: Service, clock: Clock) -> None:
    own = f"/v1/keys/{id_of(keyed.ledger.api_key)}/revoke"
    make(keyed, "reader", "read")
    second = make(keyed, "second")

    assert post(keyed, f"/v1/keys/{second['key']['key_id']}/revoke").status_code == 200
    refused = problem(post(keyed, own), 409, "conflict")
    later = post(keyed, own, {"at": format_instant(clock.now_s + HOUR_S)})
    done = post(keyed, own, {"also_last": True})

    assert refused["reason"] == problem(later, 409, "conflict")["reason"] == "last_manager"
    assert done.json()["changed"] is True
    assert look(keyed, keyed.ledger.api_key).status_code == 401
