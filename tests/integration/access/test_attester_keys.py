"""An attester's key names the account that it speaks for, once and for all (ATTACKS 38)."""

from typing import Any

import pytest
from sqlalchemy import update

from api.chain.calldata import checksum
from api.db.session import transaction
from api.db.tables.access import api_keys
from tests.integration.access.keyring import post
from tests.integration.service import ADMIN_KEY, Service, problem

KEYS = "/v1/admin/keys"
ACCOUNT = checksum("0x" + "a" * 40)
ATTESTER = {"role": "attester", "name": "a", "scopes": ["read"]}


def _listed(service: Service, path: str = KEYS, **params: Any) -> list[dict[str, Any]]:
    answer = service.client.get(path, params=params, headers=service.auth(ADMIN_KEY)).json()
    found: list[dict[str, Any]] = answer["keys" if path == KEYS else "changes"]
    return found


@pytest.mark.both_databases
def test_account__given_with_an_attesters_key__is_shown_with_it_and_its_changes(
    keyed: Service,
) -> None:
    body = {"label": "one", "attester": ACCOUNT.lower()}
    first = post(keyed, "/v1/attester-keys", body, key=ADMIN_KEY).json()
    made = post(keyed, KEYS, ATTESTER | {"attester": ACCOUNT.lower()}, key=ADMIN_KEY).json()

    shown = _listed(keyed, role="attester")

    assert first["attester"] == made["key"]["attester"] == ACCOUNT
    assert [key["attester"] for key in shown] == [ACCOUNT] * 2
    changes = _listed(keyed, f"{KEYS}/changes", role="attester")
    assert [change["attester"] for change in changes] == [ACCOUNT] * 2
    # Nobody else's keys have one.
    assert {key["attester"] for key in _listed(keyed, operator_id=keyed.ledger.operator_id)} == {
        None
    }


def test_account__missing_where_it_must_be_or_given_where_not__is_422_that_names_it(
    keyed: Service,
) -> None:
    named = {"attester": ACCOUNT}
    operator = {"role": "operator", "operator_id": keyed.ledger.operator_id}
    bodies: list[dict[str, Any]] = [
        ATTESTER,
        ATTESTER | {"attester": None},
        ATTESTER | {"role": "admin"} | named,
        ATTESTER | operator | named,
        ATTESTER | {"attester": "0x1"},
    ]

    answers = [post(keyed, KEYS, body, key=ADMIN_KEY) for body in bodies]
    answers.append(post(keyed, "/v1/attester-keys", {"label": "l"}, key=ADMIN_KEY))
    # An operator cannot make itself an attester's key.
    answers.append(post(keyed, "/v1/keys", {"name": "n", "scopes": ["read"]} | named))

    for answer in answers:
        said = problem(answer, 422, "invalid_input")
        assert "attester" in (said.get("field") or str(said)), answer.text
    assert _listed(keyed, role="attester") == []


@pytest.mark.both_databases
def test_rotated__attesters_key__keeps_its_account_and_takes_no_other(keyed: Service) -> None:
    other = {"attester": checksum("0x" + "b" * 40)}
    made = post(keyed, KEYS, ATTESTER | {"attester": ACCOUNT}, key=ADMIN_KEY).json()
    rotate = f"{KEYS}/{made['key']['key_id']}/rotate"

    changed = post(keyed, rotate, other, key=ADMIN_KEY)
    rotated = post(keyed, rotate, key=ADMIN_KEY).json()

    problem(changed, 422, "invalid_input")
    assert rotated["key"]["attester"] == rotated["replaced"]["attester"] == ACCOUNT


def test_rotated__attesters_key_of_before__is_refused_and_can_be_revoked(keyed: Service) -> None:
    """A successor would open nothing either."""
    made = post(keyed, KEYS, ATTESTER | {"attester": ACCOUNT}, key=ADMIN_KEY).json()
    with transaction(keyed.ledger.engine) as connection:
        connection.execute(update(api_keys).values(attester=None))
    path = f"{KEYS}/{made['key']['key_id']}"

    refused = problem(post(keyed, f"{path}/rotate", key=ADMIN_KEY), 409, "conflict")

    assert refused["reason"] == "no_account"
    assert post(keyed, f"{path}/revoke", key=ADMIN_KEY).json()["key"]["state"] == "revoked"
