"""Lost entries as they come back: killed in between, by many at once, judged as they were then."""

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.ledger import appending, restoring, snapshot
from api.main import create_app
from api.routes.service import service_of
from tests.factories import DAY_S, HOUR_S, START_S
from tests.integration.ledger.test_lost_entries import Lost, lost

__all__ = ["lost"]
pytestmark = pytest.mark.chain


def test_entries__held_when_the_process_died__are_appended_by_the_next_word(
    lost: Lost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is kept before it is appended, and appended in a transaction of its own."""
    lost.use(0, 1, 2)
    lost.lose()
    append, done = appending._append, []

    def killed(*given: Any) -> Any:
        if done:
            raise RuntimeError("killed")
        done.append(1)
        return append(*given)

    with monkeypatch.context() as patched:
        patched.setattr(restoring, "advance", lambda *_: None)
        lost.collector.give_back(2)
        lost.collector.give_back(1)
    with monkeypatch.context() as patched:
        patched.setattr(appending, "_append", killed)
        with pytest.raises(RuntimeError, match="killed"):
            lost.collector.give_back(0)
    assert lost.copies.row.log_size == lost.size + 1
    assert lost.copies.row.behind

    lost.collector.give_back(2, bare=True)

    assert lost.copies.entries() == lost.before


@pytest.mark.both_databases
def test_entries__shown_by_many_at_once__are_appended_once(lost: Lost) -> None:
    """Two processes of the service, four threads, every one shows all in an order of its own."""
    lost.use(*range(6))
    lost.lose()
    dice = random.Random(7)
    other = create_app(lost.world.settings())
    clients = [TestClient(app) for app in (lost.world.app, other) * 2]
    orders = [dice.sample(range(6), 6) for _ in clients]

    def show(client: TestClient, order: list[int]) -> set[int]:
        return {lost.collector.give_back(i, by=client).status_code for i in order}

    with ThreadPoolExecutor(4) as threads:
        statuses = set().union(*threads.map(show, clients, orders))
    service_of(other).engine.dispose()
    service_of(other).client.close()

    assert statuses == {200}
    assert lost.copies.entries() == lost.before
    lost.use(6)


def test_entry__taken_before_an_end_was_heard_of__is_taken_again(
    lost: Lost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its answer was right by what the service knew then; the books leave out what they must."""
    lost.use(0)
    lost.lose()
    ends = {lost.world.facility_id: START_S - 100 * DAY_S}
    monkeypatch.setattr(snapshot, "ended_at", lambda *_: ends)
    monkeypatch.setattr(appending, "ended_at", lambda *_: ends)
    assert "facility_closed" in lost.unsigned(lost.world.ledger.usage(1, 0, HOUR_S)).text

    answer = lost.collector.give_back(0)

    assert answer.json()["state"] == "restored"
    assert lost.copies.entries() == lost.before


def test_entry__that_comes_to_other_answers__waits_and_says_which(
    lost: Lost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule that changed in between: it is not forced in, and a person decides."""
    lost.use(0)
    lost.lose()
    monkeypatch.setattr(snapshot.Recorded, "accept", lambda *_: [])

    answer = lost.collector.give_back(0).json()

    assert answer["state"] == "held"
    assert (
        "judged again it comes to another answer to event 0: 2, and it says 0" in answer["detail"]
    )
    assert lost.copies.row.log_size == lost.size
