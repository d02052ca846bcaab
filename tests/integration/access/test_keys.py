"""API keys: made, several at once, refused, last used (ATTACKS 38)."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import event, insert, select, update

from api.access.key_book import MAX_LIVE_KEYS, MAX_NEW_KEYS_A_DAY
from api.access.key_text import id_of
from api.access.scopes import Role
from api.db.session import reading, transaction
from api.db.tables.access import api_keys
from api.domain.hashing import sha256
from api.domain.metering.instants import format_instant
from api.routes.service import service_of
from tests.factories import DAY_S, HOUR_S, Clock
from tests.integration.access.keyring import (
    ALL_SCOPES,
    changes,
    listed,
    look,
    make,
    post,
    rival_key,
)
from tests.integration.service import Service, problem


@pytest.mark.both_databases
def test_create__several_at_once__work_and_are_shown_once(keyed: Service, clock: Clock) -> None:
    first = id_of(keyed.ledger.api_key)
    made = [make(keyed, "collector", "events:write"), make(keyed, "pages", "read")]

    keys = {key["name"]: key for key in listed(keyed)}

    assert set(keys) == {"first", "collector", "pages"}
    assert keys["collector"] | {"created_by": first} == {
        "key_id": made[0]["key"]["key_id"], "name": "collector", "role": "operator",
        "operator_id": keyed.ledger.operator_id, "scopes": ["events:write"], "state": "live",
        "created_at_s": clock.now_s, "last_used_s": None, "expires_at_s": None,
        "revoked_at_s": None, "successor_id": None, "created_by": first,
        "attester": None,
    }  # fmt: skip
    assert keys["first"]["scopes"] == ALL_SCOPES
    assert keyed.post([], key=made[0]["api_key"]).status_code == 200
    assert look(keyed, made[1]["api_key"]).status_code == 200
    assert made[0]["api_key"] not in str(keys)
    assert changes(keyed) == [
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
        answer = post(keyed, "/v1/keys", {"name": "n", "scopes": ["read"]} | part)
        assert problem(answer, 422, "invalid_input")["field"] == field, part

    assert len(listed(keyed)) == 1


def test_create__name_of_a_live_key__is_409_until_that_one_ends(keyed: Service) -> None:
    made = make(keyed, "collector", "events:write")
    body = {"name": "collector", "scopes": ["read"]}

    refused = problem(post(keyed, "/v1/keys", body), 409, "conflict")
    other = make(keyed, "collector", "read", key=rival_key(keyed))
    post(keyed, f"/v1/keys/{made['key']['key_id']}/revoke")

    assert (refused["reason"], refused["field"]) == ("name_taken", "name")
    assert other["key"]["name"] == "collector"
    assert post(keyed, "/v1/keys", body).status_code == 201


@pytest.mark.both_databases
def test_create__two_of_one_name_at_once__one_is_made(keyed: Service) -> None:
    body = {"name": "twin", "scopes": ["read"]}

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: post(keyed, "/v1/keys", body).status_code, range(6)))

    assert sorted(answers) == [201, *[409] * 5]


def test_create__more_than_an_account_may_have__is_409(keyed: Service) -> None:
    most = MAX_LIVE_KEYS[Role.OPERATOR]
    ids = [make(keyed, f"key-{n}", "read")["key"]["key_id"] for n in range(most - 1)]
    body = {"name": "one more", "scopes": ["read"]}

    refused = problem(post(keyed, "/v1/keys", body), 409, "conflict")
    rotated = post(keyed, f"/v1/keys/{ids[0]}/rotate")
    post(keyed, f"/v1/keys/{ids[1]}/revoke")

    assert refused["reason"] == "too_many_keys"
    # A leaked key can be rotated all the same.
    assert rotated.status_code == 201
    assert post(keyed, "/v1/keys", body).status_code == 201


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
        refused = problem(post(keyed, f"/v1/keys{path}", body), 409, "conflict")
        assert refused["reason"] == "too_many_keys"
    clock.now_s += DAY_S
    assert make(keyed, "n", "read")


def test_auth__key_that_is_none__is_401_with_its_reason(keyed: Service, clock: Clock) -> None:
    made = make(keyed, "pages", "read", expires_at=format_instant(clock.now_s + 10))
    key = made["api_key"]
    with transaction(keyed.ledger.engine) as connection:
        stranger = "rr_op_" + "a" * 43
        forged = id_of(stranger)
        # Another key's row under this id: the id alone opens nothing.
        values = {"key_id": forged, "key_hash": b"\1" * 32, "role": "operator", "name": "x"}
        values |= {"operator_id": keyed.ledger.operator_id, "scopes": "read", "created_at_s": 1}
        connection.execute(insert(api_keys).values(values))

    reasons = {
        text: problem(look(keyed, text), 401, "unauthorized")["reason"]
        for text in (key[:-1], key + "x", key.swapcase(), stranger, "x", key.split("_")[-1])
    }
    clock.now_s += 10
    reasons[key] = problem(look(keyed, key), 401, "unauthorized")["reason"]

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


def test_last_used__noted_by_a_clock_that_was_wrong__is_put_right(
    keyed: Service, clock: Clock
) -> None:
    """ATTACKS 51: one wrong clock, once: the key looked unused until the clock caught up."""
    served = service_of(keyed.app)
    clock.now_s += 40 * DAY_S
    assert look(keyed, keyed.ledger.api_key).status_code == 200
    served.key_uses.close()
    clock.now_s -= 40 * DAY_S - 5

    assert look(keyed, keyed.ledger.api_key).status_code == 200
    served.key_uses.close()

    assert listed(keyed)[0]["last_used_s"] == clock.now_s


def test_last_used__database_that_takes_no_writes__hinders_no_request(
    keyed: Service, clock: Clock
) -> None:
    served = service_of(keyed.app)
    with transaction(keyed.ledger.engine) as connection:
        # Somebody writes: on SQLite the note has to wait, the request has not.
        connection.execute(update(api_keys).values(last_used_s=None))
        assert look(keyed, keyed.ledger.api_key).status_code == 200

    served.key_uses.close()
    assert listed(keyed)[0]["last_used_s"] == clock.now_s
