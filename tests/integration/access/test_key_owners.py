"""Whose keys somebody may see and change: its own, an admin everybody's (ATTACKS 38)."""

from typing import Any

import pytest
from sqlalchemy import select

from api.access.key_text import id_of
from api.access.sessions import add_session, csrf_token
from api.db.session import reading, transaction
from api.db.tables.access import api_key_changes
from tests.factories import Clock
from tests.integration.access.keyring import ALL_SCOPES, look, make, post, rival_key
from tests.integration.service import ADMIN_KEY, SITE, Service, problem

ACCOUNT = "0x" + "a" * 40


@pytest.mark.both_databases
def test_scopes__that_the_caller_lacks__cannot_be_had_by_making_or_rotating(
    keyed: Service,
) -> None:
    maker = make(keyed, "maker", "keys:write", "events:write")["api_key"]
    reader = make(keyed, "reader", "read")["key"]["key_id"]
    own = id_of(maker)

    more = post(keyed, "/v1/keys", {"name": "n", "scopes": ["events:write", "read"]}, key=maker)
    rotated = post(keyed, f"/v1/keys/{reader}/rotate", key=maker)
    raised = post(keyed, f"/v1/keys/{own}/rotate", {"scopes": ALL_SCOPES}, key=maker)
    successor = post(keyed, f"/v1/keys/{own}/rotate", key=maker).json()
    collector = make(keyed, "collector", "events:write", key=maker)

    assert problem(more, 403, "scope_missing")["scope"] == "read"
    assert problem(rotated, 403, "scope_missing")["scope"] == "read"
    problem(raised, 422, "invalid_input")
    assert successor["key"]["scopes"] == ["events:write", "keys:write"]
    assert collector["key"]["scopes"] == ["events:write"]
    # To end a key is no way to use it.
    assert post(keyed, f"/v1/keys/{reader}/revoke", key=maker).status_code == 200


@pytest.mark.both_databases
def test_key__of_another_operator__is_as_if_absent(keyed: Service) -> None:
    rival, own = rival_key(keyed), id_of(keyed.ledger.api_key)
    absent = "rr_op_" + "0" * 12

    for act in ("rotate", "revoke"):
        answers = [post(keyed, f"/v1/keys/{k}/{act}", key=rival) for k in (own, absent)]
        for answer in answers:
            problem(answer, 404, "not_found")
        assert answers[0].text.replace(str(own), absent) == answers[1].text
    for path in ("/v1/keys", "/v1/keys/changes"):
        shown = keyed.client.get(path, params={}, headers=keyed.auth(rival)).text
        assert str(own) not in shown
    assert look(keyed, keyed.ledger.api_key).status_code == 200


@pytest.mark.both_databases
def test_admin__any_account__makes_lists_rotates_and_revokes(keyed: Service) -> None:
    admin = "/v1/admin/keys"
    operator_id = keyed.ledger.operator_id
    bodies = [
        {"role": "operator", "operator_id": operator_id, "name": "a", "scopes": ["read"]},
        {"role": "attester", "name": "a", "scopes": ["attest", "read"], "attester": ACCOUNT},
        {"role": "admin", "name": "a", "scopes": ["read", "keys:write"]},
    ]
    made = [post(keyed, admin, body, key=ADMIN_KEY).json() for body in bodies]
    clerk = made[2]["api_key"]

    def listed(**params: Any) -> list[str]:
        found = keyed.client.get(admin, params=params, headers=keyed.auth(clerk)).json()
        return sorted(key["name"] for key in found["keys"])

    assert listed() == ["a", "a", "a", "first"]
    assert listed(role="attester") == ["a"]
    assert listed(operator_id=operator_id) == ["a", "first"]
    attester = made[1]["key"]["key_id"]
    rotated = post(keyed, f"{admin}/{attester}/rotate", key=clerk).json()
    ended = post(keyed, f"{admin}/{rotated['key']['key_id']}/revoke", key=clerk).json()
    changes = keyed.client.get(
        f"{admin}/changes", params={"role": "attester"}, headers=keyed.auth(clerk)
    ).json()["changes"]
    assert ended["key"]["state"] == "revoked"
    assert [(c["change"], c["actor"]) for c in changes] == [
        ("revoked", id_of(clerk)), ("rotated", id_of(clerk)), ("created", id_of(clerk)),
        ("created", "setting"),
    ]  # fmt: skip
    # This admin cannot make itself more, and cannot register operators.
    body = {"role": "admin", "name": "b", "scopes": ["operators:write"]}
    refused = problem(post(keyed, admin, body, key=clerk), 403, "scope_missing")
    assert refused["scope"] == "operators:write"
    operator = {"name": "n", "address": "0x" + "b" * 40}
    problem(post(keyed, "/v1/operators", operator, key=clerk), 403, "scope_missing")


def test_admin__account_that_is_none__is_refused(keyed: Service) -> None:
    admin, good = "/v1/admin/keys", {"name": "n", "scopes": ["read"]}
    cases: list[tuple[dict[str, Any], int, str]] = [
        ({"role": "operator", "operator_id": 999}, 404, "not_found"),
        ({"role": "operator"}, 422, "invalid_input"),
        ({"role": "attester", "operator_id": 1, "attester": ACCOUNT}, 422, "invalid_input"),
        ({"role": "auditor"}, 422, "invalid_input"),
        ({"role": "attester", "scopes": ["keys:write"], "attester": ACCOUNT}, 422, "invalid_input"),
    ]

    for part, status, code in cases:
        problem(post(keyed, admin, good | part, key=ADMIN_KEY), status, code)
    for params in ({"role": "attester", "operator_id": 1}, {"role": "x"}):
        answer = keyed.client.get(admin, params=params, headers=keyed.auth(ADMIN_KEY))
        problem(answer, 422, "invalid_input")


def test_session__of_the_operators_wallet__manages_keys_by_its_address(
    keyed: Service, clock: Clock
) -> None:
    """A wallet has all scopes of its operator: losing every key locks nobody out."""
    token = "t" * 43
    with reading(keyed.ledger.engine) as connection:
        query = select(api_key_changes.c.actor)
        assert connection.execute(query).scalars().all() == ["test"]
    with transaction(keyed.ledger.engine) as connection:
        address = "0x" + b"op".hex().ljust(40, "0")
        add_session(connection, token, address=address, now_s=1, expires_at_s=clock.now_s + 9)
    headers = {"X-CSRF-Token": csrf_token(token), "Origin": SITE}
    cookies = {"Cookie": f"rentroll_session={token}"}
    body = {"name": "n", "scopes": ALL_SCOPES}

    without = keyed.client.post("/v1/keys", json=body, headers=cookies)
    made = keyed.client.post("/v1/keys", json=body, headers=headers | cookies)
    own = id_of(keyed.ledger.api_key)
    ended = [
        keyed.client.post(f"/v1/keys/{key_id}/revoke", headers=headers | cookies).status_code
        for key_id in (own, made.json()["key"]["key_id"])
    ]
    changes = keyed.client.get("/v1/keys/changes", headers=cookies).json()["changes"]

    problem(without, 403, "csrf_refused")
    assert made.status_code == 201
    assert ended == [200, 200]
    assert [c["actor"] for c in changes] == [address, address, address, "test"]
