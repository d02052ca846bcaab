"""API keys: named, scoped, several at once, rotated, revoked (ATTACKS 38)."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event, insert, select, update

from api.access.accounts import add_operator
from api.access.key_book import MAX_LIVE_KEYS, MAX_NEW_KEYS_A_DAY
from api.access.key_text import id_of
from api.access.scopes import SCOPES, Role
from api.access.sessions import add_session, csrf_token
from api.db.session import reading, transaction
from api.db.tables.access import api_key_changes, api_keys
from api.domain.hashing import sha256
from api.domain.metering.instants import format_instant
from api.routes.service import service_of
from tests.factories import DAY_S, HOUR_S, START_S, Clock
from tests.integration.service import (
    ADMIN_KEY,
    SITE,
    Service,
    change_service,
    make_app,
    problem,
)

_ALL = sorted(SCOPES[Role.OPERATOR])


@pytest.fixture
def clock() -> Clock:
    """The wall clock, by which keys live. The chain's is another one."""
    return Clock(START_S + 30 * DAY_S)


@pytest.fixture
def keyed(service: Service, clock: Clock) -> Service:
    """The application with a wall clock that stands still."""
    change_service(service.app, session_clock=clock)
    return service


def _post(service: Service, path: str, body: Any = None, *, key: str | None = None) -> Any:
    return service.client.post(path, json=body, headers=service.auth(key))


def _make(service: Service, name: str, *scopes: str, key: str | None = None, **more: Any) -> Any:
    body = {"name": name, "scopes": list(scopes) or _ALL, **more}
    answer = _post(service, "/v1/keys", body, key=key)
    assert answer.status_code == 201, answer.text
    return answer.json()


def _look(service: Service, key: str) -> httpx.Response:
    return service.client.get("/v1/console", headers=service.auth(key))


def _listed(service: Service, **params: Any) -> list[dict[str, Any]]:
    answer = service.client.get("/v1/keys", params=params, headers=service.auth())
    assert answer.status_code == 200, answer.text
    keys: list[dict[str, Any]] = answer.json()["keys"]
    return keys


def _changes(service: Service) -> list[tuple[str, str, str]]:
    answer = service.client.get("/v1/keys/changes", headers=service.auth()).json()
    return [(c["change"], c["name"], c["actor"]) for c in answer["changes"]]


def _rival(service: Service) -> str:
    with transaction(service.ledger.engine) as connection:
        _, key = add_operator(
            connection, name="rival", address="0x" + "d" * 40, actor="test", now_s=START_S
        )
    return key


@pytest.mark.both_databases
def test_create__several_at_once__work_and_are_shown_once(keyed: Service, clock: Clock) -> None:
    first = id_of(keyed.ledger.api_key)
    made = [_make(keyed, "collector", "events:write"), _make(keyed, "pages", "read")]

    keys = {key["name"]: key for key in _listed(keyed)}

    assert set(keys) == {"first", "collector", "pages"}
    assert keys["collector"] | {"created_by": first} == {
        "key_id": made[0]["key"]["key_id"], "name": "collector", "role": "operator",
        "operator_id": keyed.ledger.operator_id, "scopes": ["events:write"], "state": "live",
        "created_at_s": clock.now_s, "last_used_s": None, "expires_at_s": None,
        "revoked_at_s": None, "successor_id": None, "created_by": first,
    }  # fmt: skip
    assert keys["first"]["scopes"] == _ALL
    assert keyed.post([], key=made[0]["api_key"]).status_code == 200
    assert _look(keyed, made[1]["api_key"]).status_code == 200
    assert made[0]["api_key"] not in str(keys)
    assert _changes(keyed) == [
        ("created", "pages", first), ("created", "collector", first), ("created", "first", "test"),
    ]  # fmt: skip


def test_create__body_that_breaks_a_rule__is_422_naming_the_field(
    keyed: Service, clock: Clock
) -> None:
    past, far = format_instant(clock.now_s), format_instant(clock.now_s + 3_661 * DAY_S)
    wrong: list[tuple[str, dict[str, Any]]] = [
        *(("name", {"name": n}) for n in ("", "a\n", "a\0b", " a", "a ", "x" * 81, "a\u202eb",
                                          "a\u2028b", "a\u0085b", "\u200b")),
        *(("scopes", {"scopes": s}) for s in ([], ["attest"], ["operators:write"])),
        *(("scopes.0", {"scopes": s}) for s in (["all"], ["READ"], [1])),
        ("expires_at", {"expires_at": past}), ("expires_at", {"expires_at": far}),
    ]  # fmt: skip

    for field, part in wrong:
        answer = _post(keyed, "/v1/keys", {"name": "n", "scopes": ["read"]} | part)
        assert problem(answer, 422, "invalid_input")["field"] == field, part

    assert len(_listed(keyed)) == 1


def test_create__name_of_a_live_key__is_409_until_that_one_ends(keyed: Service) -> None:
    made = _make(keyed, "collector", "events:write")
    body = {"name": "collector", "scopes": ["read"]}

    refused = problem(_post(keyed, "/v1/keys", body), 409, "conflict")
    other = _make(keyed, "collector", "read", key=_rival(keyed))
    _post(keyed, f"/v1/keys/{made['key']['key_id']}/revoke")

    assert (refused["reason"], refused["field"]) == ("name_taken", "name")
    assert other["key"]["name"] == "collector"
    assert _post(keyed, "/v1/keys", body).status_code == 201


@pytest.mark.both_databases
def test_create__two_of_one_name_at_once__one_is_made(keyed: Service) -> None:
    body = {"name": "twin", "scopes": ["read"]}

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: _post(keyed, "/v1/keys", body).status_code, range(6)))

    assert sorted(answers) == [201, *[409] * 5]


def test_create__more_than_an_account_may_have__is_409(keyed: Service) -> None:
    most = MAX_LIVE_KEYS[Role.OPERATOR]
    ids = [_make(keyed, f"key-{n}", "read")["key"]["key_id"] for n in range(most - 1)]
    body = {"name": "one more", "scopes": ["read"]}

    refused = problem(_post(keyed, "/v1/keys", body), 409, "conflict")
    rotated = _post(keyed, f"/v1/keys/{ids[0]}/rotate")
    _post(keyed, f"/v1/keys/{ids[1]}/revoke")

    assert refused["reason"] == "too_many_keys"
    # A leaked key can be rotated all the same.
    assert rotated.status_code == 201
    assert _post(keyed, "/v1/keys", body).status_code == 201


def test_create__in_a_loop__is_409_after_a_day_of_it(keyed: Service, clock: Clock) -> None:
    row = {
        "role": "operator", "operator_id": keyed.ledger.operator_id, "name": "n", "scopes": "read",
        "created_at_s": clock.now_s, "revoked_at_s": clock.now_s,
    }  # fmt: skip
    with transaction(keyed.ledger.engine) as connection:
        for n in range(MAX_NEW_KEYS_A_DAY):
            values = row | {"key_id": f"rr_op_{n:012d}", "key_hash": sha256(str(n).encode())}
            connection.execute(insert(api_keys).values(values))
    own = id_of(keyed.ledger.api_key)

    for path, body in (("", {"name": "n", "scopes": ["read"]}), (f"/{own}/rotate", None)):
        refused = problem(_post(keyed, f"/v1/keys{path}", body), 409, "conflict")
        assert refused["reason"] == "too_many_keys"
    clock.now_s += DAY_S
    assert _make(keyed, "n", "read")


@pytest.mark.both_databases
def test_scopes__that_the_caller_lacks__cannot_be_had_by_making_or_rotating(
    keyed: Service,
) -> None:
    maker = _make(keyed, "maker", "keys:write", "events:write")["api_key"]
    reader = _make(keyed, "reader", "read")["key"]["key_id"]
    own = id_of(maker)

    more = _post(keyed, "/v1/keys", {"name": "n", "scopes": ["events:write", "read"]}, key=maker)
    rotated = _post(keyed, f"/v1/keys/{reader}/rotate", key=maker)
    raised = _post(keyed, f"/v1/keys/{own}/rotate", {"scopes": _ALL}, key=maker)
    successor = _post(keyed, f"/v1/keys/{own}/rotate", key=maker).json()
    collector = _make(keyed, "collector", "events:write", key=maker)

    assert problem(more, 403, "scope_missing")["scope"] == "read"
    assert problem(rotated, 403, "scope_missing")["scope"] == "read"
    problem(raised, 422, "invalid_input")
    assert successor["key"]["scopes"] == ["events:write", "keys:write"]
    assert collector["key"]["scopes"] == ["events:write"]
    # To end a key is no way to use it.
    assert _post(keyed, f"/v1/keys/{reader}/revoke", key=maker).status_code == 200


@pytest.mark.both_databases
def test_rotate__live_key__both_work_for_the_overlap_and_then_one(
    keyed: Service, clock: Clock
) -> None:
    old = _make(keyed, "pages", "read")
    old_id, first = old["key"]["key_id"], id_of(keyed.ledger.api_key)

    answer = _post(keyed, f"/v1/keys/{old_id}/rotate", {"overlap_s": HOUR_S})
    new = answer.json()

    assert answer.status_code == 201
    assert {k: new["key"][k] for k in ("name", "scopes", "state")} == {
        "name": "pages", "scopes": ["read"], "state": "live",
    }  # fmt: skip
    assert new["replaced"]["state"] == "ending"
    assert new["replaced"]["revoked_at_s"] == clock.now_s + HOUR_S
    assert new["replaced"]["successor_id"] == new["key"]["key_id"]
    clock.now_s += HOUR_S - 1
    assert [_look(keyed, k["api_key"]).status_code for k in (old, new)] == [200, 200]
    clock.now_s += 1
    assert problem(_look(keyed, old["api_key"]), 401, "unauthorized")["reason"] == "revoked"
    assert _look(keyed, new["api_key"]).status_code == 200
    assert _changes(keyed)[:2] == [("rotated", "pages", first), ("created", "pages", first)]


def test_rotate__without_a_body__leaves_a_day(keyed: Service, clock: Clock) -> None:
    old_id = _make(keyed, "pages", "read")["key"]["key_id"]

    new = _post(keyed, f"/v1/keys/{old_id}/rotate").json()

    assert new["replaced"]["revoked_at_s"] == clock.now_s + DAY_S


def test_rotate__key_with_an_expiry__gives_the_successor_as_long_a_life(
    keyed: Service, clock: Clock
) -> None:
    expiry = format_instant(clock.now_s + 90 * DAY_S)
    old = _make(keyed, "pages", "read", expires_at=expiry)
    clock.now_s += 80 * DAY_S

    new = _post(keyed, f"/v1/keys/{old['key']['key_id']}/rotate", {"overlap_s": 30 * DAY_S}).json()

    assert new["key"]["expires_at_s"] == clock.now_s + 90 * DAY_S
    # An overlap gives no key a longer life than it had.
    clock.now_s += 10 * DAY_S
    assert problem(_look(keyed, old["api_key"]), 401, "unauthorized")["reason"] == "expired"


def test_rotate__key_that_has_an_end__is_409(keyed: Service, clock: Clock) -> None:
    ending = _make(keyed, "a", "read")["key"]["key_id"]
    _post(keyed, f"/v1/keys/{ending}/rotate")
    over = _make(keyed, "b", "read")["key"]["key_id"]
    _post(keyed, f"/v1/keys/{over}/revoke")
    expired = _make(keyed, "c", "read", expires_at=format_instant(clock.now_s + 1))
    clock.now_s += 1

    reasons = [
        problem(_post(keyed, f"/v1/keys/{key_id}/rotate"), 409, "conflict")["reason"]
        for key_id in (ending, over, expired["key"]["key_id"])
    ]

    assert reasons == ["key_ending", "key_over", "key_over"]


@pytest.mark.both_databases
def test_revoke__live_key__is_refused_by_every_process_from_the_next_request(
    keyed: Service, clock: Clock, database_url: str, tmp_path: Any
) -> None:
    made = _make(keyed, "collector", "events:write", "read")
    other = make_app(database_url, tmp_path)
    change_service(other, session_clock=clock)
    path = f"/v1/keys/{made['key']['key_id']}/revoke"
    with TestClient(other, raise_server_exceptions=False) as process:
        auth = keyed.auth(made["api_key"])
        before = process.get("/v1/console", headers=auth)

        first = _post(keyed, path).json()
        again = _post(keyed, path).json()

        assert before.status_code == 200
        for client in (process, keyed.client):
            refused = problem(client.get("/v1/console", headers=auth), 401, "unauthorized")
            assert refused["reason"] == "revoked"
        assert keyed.post([], key=made["api_key"]).status_code == 401
    assert (first["changed"], again["changed"]) == (True, False)
    assert first["key"] == again["key"]
    assert first["key"]["revoked_at_s"] == clock.now_s
    assert [c[0] for c in _changes(keyed)].count("revoked") == 1


def test_revoke__at_a_time__works_until_then_and_can_only_come_sooner(
    keyed: Service, clock: Clock
) -> None:
    made = _make(keyed, "pages", "read")
    path = f"/v1/keys/{made['key']['key_id']}/revoke"
    start_s = clock.now_s

    ends = []
    for hours in (5, 3, 4):
        answer = _post(keyed, path, {"at": format_instant(start_s + hours * HOUR_S)}).json()
        ends.append((answer["changed"], answer["key"]["revoked_at_s"] - start_s))

    assert ends == [(True, 5 * HOUR_S), (True, 3 * HOUR_S), (False, 3 * HOUR_S)]
    clock.now_s += 3 * HOUR_S - 1
    assert _look(keyed, made["api_key"]).status_code == 200
    clock.now_s += 1
    assert _look(keyed, made["api_key"]).status_code == 401
    # Over is over.
    late = _post(keyed, path, {"at": format_instant(clock.now_s + HOUR_S)}).json()
    assert (late["changed"], late["key"]["revoked_at_s"]) == (False, start_s + 3 * HOUR_S)


def test_revoke__time_that_is_past__is_now(keyed: Service, clock: Clock) -> None:
    """A caller's clock may be behind; nobody writes the record backwards."""
    made = _make(keyed, "pages", "read")
    path = f"/v1/keys/{made['key']['key_id']}/revoke"

    answer = _post(keyed, path, {"at": format_instant(START_S)}).json()

    assert answer["key"]["revoked_at_s"] == clock.now_s
    problem(_post(keyed, path, {"at": "9999-12-31T00:00:00Z"}), 422, "invalid_input")


def test_revoke__itself_as_the_last_manager__must_be_said(keyed: Service, clock: Clock) -> None:
    own = f"/v1/keys/{id_of(keyed.ledger.api_key)}/revoke"
    _make(keyed, "reader", "read")
    second = _make(keyed, "second")

    assert _post(keyed, f"/v1/keys/{second['key']['key_id']}/revoke").status_code == 200
    refused = problem(_post(keyed, own), 409, "conflict")
    later = _post(keyed, own, {"at": format_instant(clock.now_s + HOUR_S)})
    done = _post(keyed, own, {"also_last": True})

    assert refused["reason"] == problem(later, 409, "conflict")["reason"] == "last_manager"
    assert done.json()["changed"] is True
    assert _look(keyed, keyed.ledger.api_key).status_code == 401


@pytest.mark.both_databases
def test_key__of_another_operator__is_as_if_absent(keyed: Service) -> None:
    rival, own = _rival(keyed), id_of(keyed.ledger.api_key)
    absent = "rr_op_" + "0" * 12

    for act in ("rotate", "revoke"):
        answers = [_post(keyed, f"/v1/keys/{k}/{act}", key=rival) for k in (own, absent)]
        for answer in answers:
            problem(answer, 404, "not_found")
        assert answers[0].text.replace(str(own), absent) == answers[1].text
    for path in ("/v1/keys", "/v1/keys/changes"):
        shown = keyed.client.get(path, params={}, headers=keyed.auth(rival)).text
        assert str(own) not in shown
    assert _look(keyed, keyed.ledger.api_key).status_code == 200


def test_auth__key_that_is_none__is_401_with_its_reason(keyed: Service, clock: Clock) -> None:
    made = _make(keyed, "pages", "read", expires_at=format_instant(clock.now_s + 10))
    key = made["api_key"]
    with transaction(keyed.ledger.engine) as connection:
        stranger = "rr_op_" + "a" * 43
        forged = id_of(stranger)
        # Another key's row under this id: the id alone opens nothing.
        values = {"key_id": forged, "key_hash": b"\1" * 32, "role": "operator", "name": "x"}
        values |= {"operator_id": keyed.ledger.operator_id, "scopes": "read", "created_at_s": 1}
        connection.execute(insert(api_keys).values(values))

    reasons = {
        text: problem(_look(keyed, text), 401, "unauthorized")["reason"]
        for text in (key[:-1], key + "x", key.swapcase(), stranger, "x", key.split("_")[-1])
    }
    clock.now_s += 10
    reasons[key] = problem(_look(keyed, key), 401, "unauthorized")["reason"]

    assert list(reasons.values()) == [
        "mistyped", "mistyped", "unknown", "unknown", "unknown", "unknown", "expired",
    ]  # fmt: skip
    assert problem(keyed.client.get("/v1/console"), 401, "unauthorized")["reason"] == "missing"


@pytest.mark.both_databases
def test_last_used__many_requests__is_written_once_a_minute_beside_them(
    keyed: Service, clock: Clock
) -> None:
    written: list[str] = []
    engine = keyed.ledger.engine
    served = service_of(keyed.app)

    @event.listens_for(served.engine, "before_cursor_execute")
    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if "last_used_s=" in statement.replace(" ", "") and statement.startswith("UPDATE"):
            written.append(statement)

    def last() -> int | None:
        served.key_uses.close()
        with reading(engine) as connection:
            return connection.execute(select(api_keys.c.last_used_s)).scalar_one()

    times = []
    for step in (0, 1, 58, 1, 59):
        clock.now_s += step
        for _ in range(3):
            assert keyed.post([keyed.ledger.usage(0, 0, HOUR_S)]).status_code == 200
        times.append((last(), len(written)))

    start_s = clock.now_s - 119
    assert times == [(start_s, 1)] * 3 + [(start_s + 60, 2)] * 2


def test_last_used__database_that_takes_no_writes__hinders_no_request(
    keyed: Service, clock: Clock
) -> None:
    served = service_of(keyed.app)
    with transaction(keyed.ledger.engine) as connection:
        # Somebody writes: on SQLite the note has to wait, the request has not.
        connection.execute(update(api_keys).values(last_used_s=None))
        assert _look(keyed, keyed.ledger.api_key).status_code == 200

    served.key_uses.close()
    assert _listed(keyed)[0]["last_used_s"] == clock.now_s


@pytest.mark.both_databases
def test_admin__any_account__makes_lists_rotates_and_revokes(keyed: Service) -> None:
    admin = "/v1/admin/keys"
    operator_id = keyed.ledger.operator_id
    bodies = [
        {"role": "operator", "operator_id": operator_id, "name": "a", "scopes": ["read"]},
        {"role": "attester", "name": "a", "scopes": ["attest", "read"]},
        {"role": "admin", "name": "a", "scopes": ["read", "keys:write"]},
    ]
    made = [_post(keyed, admin, body, key=ADMIN_KEY).json() for body in bodies]
    clerk = made[2]["api_key"]

    def listed(**params: Any) -> list[str]:
        found = keyed.client.get(admin, params=params, headers=keyed.auth(clerk)).json()
        return sorted(key["name"] for key in found["keys"])

    assert listed() == ["a", "a", "a", "first"]
    assert listed(role="attester") == ["a"]
    assert listed(operator_id=operator_id) == ["a", "first"]
    attester = made[1]["key"]["key_id"]
    rotated = _post(keyed, f"{admin}/{attester}/rotate", key=clerk).json()
    ended = _post(keyed, f"{admin}/{rotated['key']['key_id']}/revoke", key=clerk).json()
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
    refused = problem(_post(keyed, admin, body, key=clerk), 403, "scope_missing")
    assert refused["scope"] == "operators:write"
    operator = {"name": "n", "address": "0x" + "b" * 40}
    problem(_post(keyed, "/v1/operators", operator, key=clerk), 403, "scope_missing")


def test_admin__account_that_is_none__is_refused(keyed: Service) -> None:
    admin, good = "/v1/admin/keys", {"name": "n", "scopes": ["read"]}
    cases: list[tuple[dict[str, Any], int, str]] = [
        ({"role": "operator", "operator_id": 999}, 404, "not_found"),
        ({"role": "operator"}, 422, "invalid_input"),
        ({"role": "attester", "operator_id": 1}, 422, "invalid_input"),
        ({"role": "auditor"}, 422, "invalid_input"),
        ({"role": "attester", "scopes": ["keys:write"]}, 422, "invalid_input"),
    ]

    for part, status, code in cases:
        problem(_post(keyed, admin, good | part, key=ADMIN_KEY), status, code)
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
    body = {"name": "n", "scopes": _ALL}

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
