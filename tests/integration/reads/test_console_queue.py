"""`GET /v1/console/queue`: what could not be done for an operator, and nothing of others."""

from pathlib import Path

import pytest

from api.access.accounts import add_attester_key
from api.db import work
from api.db.session import transaction
from api.domain.units import FacilityId
from api.epochs.queue import Look
from api.errors import HeldBack
from tests.factories import START_S, Ledger, device
from tests.integration.service import ADMIN_KEY, Service, change_service, problem
from tests.queues import note

NOW_S = START_S + 100
PATH = "/v1/console/queue"
pytestmark = pytest.mark.both_databases


@pytest.fixture(autouse=True)
def _clock(service: Service) -> None:
    """Steps are tried by a wall clock."""
    change_service(service.app, session_clock=lambda: NOW_S)


@pytest.fixture
def rival(service: Service, tmp_path: Path) -> Ledger:
    """Another operator with a facility of its own."""
    return Ledger(
        service.ledger.engine,
        tmp_path,
        name="rival",
        device_uuids=[device(i) for i in range(9, 12)],
    )


def _shown(service: Service, key: str | None = None) -> list[dict[str, object]]:
    answer = service.client.get(PATH, headers=service.auth(key))
    assert answer.status_code == 200, answer.text
    found: list[dict[str, object]] = answer.json()["work"]
    return found


def test_queue__failing_held_waiting_and_running__says_why_since_when_and_what_next(
    service: Service,
) -> None:
    engine, mine = service.ledger.engine, service.ledger.facility_id
    note(engine, mine, "post", OSError(28, "No space left on device", "x.csv"), now_s=NOW_S)
    note(engine, mine, "settle", Look(waits="2 of 3 signatures are there"), now_s=NOW_S)
    note(engine, mine, "close", HeldBack("ask first"), now_s=NOW_S)
    note(engine, mine, "finish", None, now_s=NOW_S)

    shown = _shown(service)
    close, post, finish, settle = (*shown[:2], *sorted(shown[2:], key=lambda row: str(row["step"])))

    assert close == {
        "step": "close", "facility_id": mine, "state": "held", "reason": "ask first",
        "attempts": 1, "since_s": NOW_S, "next_try_s": None,
    }  # fmt: skip
    assert (post["state"], post["reason"]) == ("failing", "No space left on device: x.csv")
    assert NOW_S < int(str(post["next_try_s"])) <= NOW_S + 2
    assert (settle["state"], settle["reason"]) == ("waiting", "2 of 3 signatures are there")
    assert (finish["step"], finish["state"], finish["reason"]) == ("finish", "running", None)


def test_queue__nothing_fails_or_waits__is_empty(service: Service) -> None:
    """What is due and not begun is nothing to tell, nor what waits for an event alone."""
    engine, mine = service.ledger.engine, service.ledger.facility_id
    note(engine, mine, "post", Look(from_block_s=work.NEVER_S), now_s=NOW_S)
    with transaction(engine) as connection:
        work.wake(connection, "settle", [FacilityId(mine)], now_s=NOW_S)

    assert _shown(service) == []


def test_queue__made_due_again__is_not_told_as_it_stood_before(service: Service) -> None:
    """What was released, or woken by a signature, neither is held nor waits any more."""
    engine, mine = service.ledger.engine, FacilityId(service.ledger.facility_id)
    note(engine, mine, "close", HeldBack("ask first"), now_s=NOW_S)
    note(engine, mine, "post", Look(waits="1 of 2 signatures"), now_s=NOW_S)
    before = len(_shown(service))
    with transaction(engine) as connection:
        work.release(connection, mine, now_s=NOW_S)
        work.wake(connection, "post", [mine], now_s=NOW_S)

    assert (before, _shown(service)) == (2, [])


def test_queue__worker_is_gone__its_steps_do_not_run_for_ever(service: Service) -> None:
    engine, mine = service.ledger.engine, service.ledger.facility_id
    note(engine, mine, "post", RuntimeError(), now_s=NOW_S - 9)
    note(engine, mine, "post", None, now_s=NOW_S)
    note(engine, mine, "settle", None, now_s=NOW_S)
    running = {row["step"]: row["state"] for row in _shown(service)}
    change_service(service.app, session_clock=lambda: NOW_S + work.CLAIM_S)

    (left,) = _shown(service)

    assert running == {"post": "running", "settle": "running"}
    assert (left["step"], left["state"]) == ("post", "failing")


def test_queue__of_other_tenants_and_of_the_service__is_never_shown(
    service: Service, rival: Ledger
) -> None:
    """ATTACKS 38: nor does a parameter ask for it."""
    engine, mine = service.ledger.engine, service.ledger.facility_id
    note(engine, rival.facility_id, "post", RuntimeError("theirs"), now_s=NOW_S)
    with transaction(engine) as connection:
        work.note_service(connection, "index", reason="the node", attempts=1, now_s=NOW_S)
    before = _shown(service)
    note(engine, mine, "close", HeldBack("mine"), now_s=NOW_S)

    asked = service.client.get(
        PATH, params={"facility_id": rival.facility_id, "operator_id": rival.operator_id},
        headers=service.auth(),
    ).json()["work"]  # fmt: skip

    assert before == []
    assert [row["facility_id"] for row in asked] == [mine]
    assert [row["facility_id"] for row in _shown(service, rival.api_key)] == [rival.facility_id]
    assert "mine" not in str(_shown(service, rival.api_key))


def test_queue__operator_without_facilities__sees_nothing(service: Service) -> None:
    """An empty list of facilities is none, not all."""
    ledger = service.ledger
    note(ledger.engine, ledger.facility_id, "post", RuntimeError(), now_s=NOW_S)
    made = service.client.post(
        "/v1/operators", json={"name": "new", "address": "0x" + "b" * 40},
        headers=service.auth(ADMIN_KEY),
    ).json()  # fmt: skip

    assert _shown(service, made["api_key"]) == []


def test_queue__who_is_no_operator__is_refused(service: Service) -> None:
    with transaction(service.ledger.engine) as connection:
        attester = add_attester_key(
            connection, actor="test", name="a", attester="0x" + "a" * 40, now_s=START_S
        )

    problem(service.client.get(PATH), 401, "unauthorized")
    for key in (ADMIN_KEY, attester):
        problem(service.client.get(PATH, headers=service.auth(key)), 403, "forbidden")
