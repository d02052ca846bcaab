"""Every route with a key names one scope, and a key without it gets nowhere (ATTACKS 38)."""

from collections.abc import Iterator
from typing import Any

import pytest

from api.access.key_book import Account, Maker, NewKey, make_key
from api.access.keys import UNKNOWN
from api.access.scopes import SCOPES, Role, Scope
from api.db.session import transaction
from tests.factories import START_S
from tests.integration.service import Service, problem

_ROLES = {
    "operator": Role.OPERATOR,
    "console": Role.OPERATOR,
    "attester": Role.ATTESTER,
    "admin": Role.ADMIN,
}
# Everything else wants a key. A route that is not here and has none fails the test.
_WITHOUT_KEY = {"public", "session"}
_PLACES = {
    "{facility_id}": "1", "{epoch}": "0", "{lease_id}": "lease-a",
    "{key_id}": "rr_op_" + "a" * 12,
}  # fmt: skip


def _operations(service: Service) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in service.app.openapi()["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def _scopes_of(operation: dict[str, Any]) -> set[str]:
    return {scope for way in operation["security"] for scopes in way.values() for scope in scopes}


def _key(service: Service, role: Role, scopes: frozenset[Scope]) -> str:
    owner = Account(role, service.ledger.operator_id if role is Role.OPERATOR else None)
    attester = "0x" + "a" * 40 if role is Role.ATTESTER else None
    new = NewKey(owner, " ".join(sorted(scopes)), scopes, attester=attester)
    with transaction(service.ledger.engine) as connection:
        return make_key(connection, new, by=Maker(UNKNOWN, None), now_s=START_S).text


def test_routes__all__are_public_or_name_one_scope_of_their_role(service: Service) -> None:
    named: dict[str, set[str]] = {}
    for method, path, operation in _operations(service):
        (tag,) = operation["tags"]
        if tag in _WITHOUT_KEY:
            assert not any("HTTPBearer" in way for way in operation.get("security", [])), (
                f"{method} {path}"
            )
            continue
        (scope,) = _scopes_of(operation)
        assert scope in SCOPES[_ROLES[tag]], f"{method} {path}"
        # What reads is a GET, and nothing else is, but a preview or a file: its question is a body.
        reads = method == "GET" or path.endswith(("/preview", "/read"))
        assert reads == (scope == "read"), f"{method} {path}"
        named.setdefault(_ROLES[tag], set()).add(scope)

    assert named == {role.value: set(scopes) for role, scopes in SCOPES.items()}


def test_routes__key_with_all_scopes_but_theirs__is_403_that_names_it(service: Service) -> None:
    """Before the body is judged, so that a stranger learns nothing of its rules."""
    keys: dict[tuple[Role, str], str] = {}
    tried = 0
    for method, path, operation in _operations(service):
        if operation["tags"][0] in _WITHOUT_KEY:
            continue
        role = _ROLES[operation["tags"][0]]
        (scope,) = _scopes_of(operation)
        if (role, scope) not in keys:
            keys[role, scope] = _key(service, role, SCOPES[role] - {Scope(scope)})
        for place, value in _PLACES.items():
            path = path.replace(place, value)
        for headers in ({}, {"Content-Type": "application/json"}):
            auth = service.auth(keys[role, scope]) | headers
            answer = service.client.request(method, path, headers=auth)
            assert problem(answer, 403, "scope_missing")["scope"] == scope, f"{method} {path}"
        tried += 1

    assert tried > 25


@pytest.mark.parametrize("held", [Scope.EVENTS_WRITE, Scope.READ, Scope.LEDGER_WRITE])
def test_key__with_one_scope__gets_no_further_than_its_routes(
    service: Service, held: Scope
) -> None:
    """A collector's key pushes events, and that is all."""
    key = _key(service, Role.OPERATOR, frozenset({held}))
    let_in = set()
    for method, path, operation in _operations(service):
        if operation["tags"][0] in _WITHOUT_KEY:
            continue
        for place, value in _PLACES.items():
            path = path.replace(place, value)
        answer = service.client.request(method, path, headers=service.auth(key))
        if answer.status_code != 403:
            let_in |= _scopes_of(operation)
        else:
            assert answer.json()["code"] in ("scope_missing", "forbidden")

    assert let_in == {held.value}
