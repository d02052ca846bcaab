"""Asking for keys over HTTP, as operators do."""

from typing import Any

import httpx

from api.access.accounts import add_operator
from api.access.scopes import SCOPES, Role
from api.db.session import transaction
from tests.factories import START_S
from tests.integration.service import Service

ALL_SCOPES = sorted(SCOPES[Role.OPERATOR])


def post(service: Service, path: str, body: Any = None, *, key: str | None = None) -> Any:
    return service.client.post(path, json=body, headers=service.auth(key))


def make(service: Service, name: str, *scopes: str, key: str | None = None, **more: Any) -> Any:
    body = {"name": name, "scopes": list(scopes) or ALL_SCOPES, **more}
    answer = post(service, "/v1/keys", body, key=key)
    assert answer.status_code == 201, answer.text
    return answer.json()


def look(service: Service, key: str) -> httpx.Response:
    return service.client.get("/v1/console", headers=service.auth(key))


def listed(service: Service, **params: Any) -> list[dict[str, Any]]:
    answer = service.client.get("/v1/keys", params=params, headers=service.auth())
    assert answer.status_code == 200, answer.text
    keys: list[dict[str, Any]] = answer.json()["keys"]
    return keys


def changes(service: Service) -> list[tuple[str, str, str]]:
    answer = service.client.get("/v1/keys/changes", headers=service.auth()).json()
    return [(c["change"], c["name"], c["actor"]) for c in answer["changes"]]


def rival_key(service: Service) -> str:
    with transaction(service.ledger.engine) as connection:
        _, key = add_operator(
            connection, name="rival", address="0x" + "d" * 40, actor="test", now_s=START_S
        )
    return key
