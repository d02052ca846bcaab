"""Statements over HTTP: pages, order, and states that are those of the chain."""

from typing import Any

import pytest

from tests.factories import DAY_S, HOUR_S
from tests.integration.service import Service, problem
from tests.story import two_epochs
from tests.world import World


def _list(world: World, **query: Any) -> tuple[int, list[tuple[int, str]]]:
    """Total, and `(epoch, state)` of a page."""
    answer = world.http.get(f"/v1/facilities/{world.facility_id}/statements", params=query)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    return found["total"], [(row["epoch"], row["state"]) for row in found["statements"]]


@pytest.mark.chain
@pytest.mark.both_databases
def test_statements__from_closed_to_settled__follow_the_chain(world: World) -> None:
    two_epochs(world)
    seen = []
    world.at(3 * DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 2 * DAY_S, 2 * DAY_S + HOUR_S))
    world.at_cut_off(2)
    world.round()
    for step in (lambda: None, world.attest, world.round):
        step()
        world.indexer().advance()
        seen.append(_list(world, offset=2)[1][0][1])
    world.at_finality(2)
    world.chain.rpc("anvil_mine", "0x1")
    world.indexer().advance()
    final = _list(world, offset=2)[1]

    assert seen == ["closed", "attested", "posted"]
    assert final == [(2, "final")]
    assert _list(world) == (3, [(0, "settled"), (1, "settled"), (2, "final")])
    assert _list(world, order="desc", limit=2) == (3, [(2, "final"), (1, "settled")])
    assert _list(world, state="settled", order="desc", limit=1) == (2, [(1, "settled")])
    assert _list(world, state="settled", offset=1) == (2, [(1, "settled")])
    assert _list(world, state="voided") == (0, [])
    shown = world.http.get(f"/v1/facilities/{world.facility_id}/epochs/1").json()
    assert shown["state"] == "settled"
    assert shown["standing_hash"] == shown["statement_hash"]
    assert len(shown["attesters"]) == 2


def test_statements__state_or_order_that_is_none__is_422(service: Service) -> None:
    path = f"/v1/facilities/{service.ledger.facility_id}/statements"

    assert service.client.get(path).json() == {"total": 0, "statements": []}
    for query in ("state=pending", "order=newest"):
        problem(service.client.get(f"{path}?{query}"), 422, "invalid_input")


def test_facilities__name_their_operator(service: Service) -> None:
    ledger = service.ledger
    ledger.add_facility(range(8, 9), name="hall-2")

    one = service.client.get(f"/v1/facilities/{ledger.facility_id}").json()
    page = service.client.get("/v1/facilities?offset=1&limit=1").json()

    operator = {"name": "op", "address": "0x" + b"op".hex().ljust(40, "0")}
    assert one["operator"] == operator
    assert [(row["name"], row["operator"]) for row in page] == [("hall-2", operator)]
    assert "name_secret" not in str(one)
