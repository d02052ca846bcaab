"""A history that was put right: two epochs billed wrong, voided, reopened and posted anew.

A card was replaced meanwhile; rent was paid and settled, and a holder claimed.
"""

from typing import Any

import pytest

from api.chain.abi import Function
from api.chain.signatures import LINE, STATEMENT
from api.db import statements as store
from api.db.session import reading
from api.domain.metering.judge import Recorded
from api.domain.statements.lines import usage_tree
from scripts.dev.stack import RENTER
from tests.factories import DAY_S, GRACE_S, HOUR_S, device
from tests.world import HOLDERS, World, send, wallet

_PAIR = Function("challengePair", (STATEMENT, f"({LINE},bytes32[])", f"({LINE},bytes32[])"))


def restated(world: World) -> None:
    """All of it. Three epochs stand, two statements are voided."""
    world.at(HOUR_S)
    _replace_card(world)
    wrong = _wrong_books(world)
    _challenge(world)
    world.chain.rpc("anvil_mine", "0x3")
    world.refill_bonds()
    world.indexer().advance()
    reopened_s = _post(world, "epochs/0/reopen")["reopened_at_s"]
    world.chain.set_time(reopened_s + 60)
    ledger = world.ledger
    more = ledger.usage(2, 0, HOUR_S), ledger.usage(3, 2 * DAY_S, 2 * DAY_S + HOUR_S)
    assert ledger.codes(ledger.void(wrong), *more) == ["accepted"] * 3
    world.chain.set_time(reopened_s + GRACE_S)
    world.round()
    assert [v.reason for v in world.attest() if not v.signed] == []
    world.round()
    assert world.posted == 2
    world.pay(2_000_000)
    world.post(2)
    world.at_finality(2)
    world.round()
    world.claim(HOLDERS[0])
    world.round()


def _post(world: World, path: str, body: Any = None) -> Any:
    headers = {"Authorization": f"Bearer {world.ledger.api_key}"}
    url = f"/v1/facilities/{world.facility_id}/{path}"
    answer = world.http.post(url, headers=headers, json=body)
    assert answer.is_success, answer.text
    return answer.json()


def _replace_card(world: World) -> None:
    """Another card takes the place of the first, from the third epoch on."""
    body = {"old": device(0), "new": device(50), "reason": "RMA", "from_epoch": 2}
    _post(world, "replacements", body)
    world.attest()
    headers = {"Authorization": f"Bearer {world.ledger.api_key}"}
    path = f"/v1/facilities/{world.facility_id}/replacements"
    (row,) = world.http.get(path, headers=headers).json()
    sent = row["transaction"]
    send(world.client, world.operator, sent["to"], sent["data"])
    world.indexer().advance()


def _wrong_books(world: World) -> dict[str, Any]:
    """A bug of everybody's code bills one half hour of device 0 twice; it is posted, twice over."""
    ledger = world.ledger
    wrong = ledger.usage(0, HOUR_S // 2, HOUR_S + HOUR_S // 2, name="wrong")
    with pytest.MonkeyPatch.context() as bug:
        bug.setattr(Recorded, "_require_free", lambda *_, **__: None)
        bug.setattr("api.domain.statements.closing.check_overlaps", lambda _: None)
        world.at(DAY_S)
        assert ledger.codes(ledger.usage(0, 0, HOUR_S), wrong) == ["accepted"] * 2
        world.at(2 * DAY_S)
        late = ledger.usage(1, 2 * HOUR_S, 3 * HOUR_S)
        assert ledger.codes(ledger.usage(0, DAY_S, DAY_S + HOUR_S), late) == ["accepted"] * 2
        world.at_cut_off(1)
        world.round()
        assert all(v.signed for v in world.attest())
        world.round()
    assert world.posted == 2
    return wrong


def _challenge(world: World) -> None:
    statement = world.statement(0)
    with reading(world.engine) as connection:
        lines = store.lines_of(connection, statement.facility_id, 0)
    tree = usage_tree(statement.facility_id, statement.epoch, lines)
    first, second = (
        (lines[i].as_abi_tuple(statement.facility_id, statement.epoch), tree.proof(i))
        for i in (0, 1)
    )
    data = "0x" + _PAIR.encode(statement.as_abi_tuple(), first, second).hex()
    send(world.client, wallet(RENTER).address, world.deployment.statement_registry, data)
