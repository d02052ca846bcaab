"""Vouchers served by the service alone: delivery events, statements, lines, proofs, and no hand."""

from typing import Any

import pytest

from api.chain.client import ChainClient
from api.chain.contracts.delivery_desk import Voucher
from api.db import outbox as outbox_rows
from api.db.leases import known_lease_named
from api.db.session import reading, transaction
from api.db.tables.statements import statement_trees
from api.domain.units import Bytes32
from api.epochs.serve import Serve
from tests.factories import DAY_S, HOUR_S
from tests.world import HOLDERS, World

pytestmark = pytest.mark.chain

ANN = HOLDERS[0]


def _lease(world: World, name: str = "lease-a") -> Bytes32:
    with reading(world.engine) as connection:
        return known_lease_named(connection, world.facility_id, name).lease


def _burn(world: World, units: int, nonce: int) -> int:
    return world.take_delivery(ANN, world.token_ids[1], units, _lease(world), nonce=nonce)


def _delivered(world: World) -> None:
    """In the first day one GPU delivers an hour, another two hours and a half."""
    world.at(DAY_S)
    delivers = {"kind": "delivery"}
    world.ledger.ingest(
        world.ledger.usage(0, HOUR_S, 2 * HOUR_S, **delivers),
        world.ledger.usage(1, HOUR_S, 3 * HOUR_S + HOUR_S // 2, **delivers),
        world.ledger.usage(2, 0, HOUR_S),
    )
    world.post(0)


def _voucher(world: World, number: int) -> Voucher:
    return world.now(world.contracts.delivery_desk.voucher_of(number))


def _served(world: World) -> list[tuple[int, int]]:
    """Line and GPU-seconds of every count, as the index has them."""
    world.indexer().advance()
    return [(e.payload_index, e.extra) for e in map(_Event, world.events("VoucherServed"))]


class _Event:
    """A VoucherServed in the index."""

    def __init__(self, row: Any) -> None:
        import json

        self.payload_index, self.extra = json.loads(row.payload)["index"], row.extra


@pytest.mark.both_databases
def test_worker__delivery_lines_are_final__vouchers_are_served_without_a_hand(
    world: World,
) -> None:
    """Three hours owed by two vouchers, three and a half delivered: served once, in full."""
    first, second = _burn(world, 2, nonce=1), _burn(world, 1, nonce=2)
    _delivered(world)
    assert [o.kind for o in world.round().outcomes] == []
    world.at_finality(0)

    outcomes = world.round().outcomes

    # One GPU's hour, then two of the other's: a call for each line, and one of both vouchers.
    assert [o.kind for o in outcomes] == ["serve", "serve"]
    for number, owed in ((first, 2 * HOUR_S), (second, HOUR_S)):
        assert _voucher(world, number).served_gpu_seconds == owed
    counts = _served(world)
    assert sum(gpu_seconds for _, gpu_seconds in counts) == 3 * HOUR_S
    assert not any(world.now(world.contracts.delivery_desk.open_gpu_seconds(world.facility_id)))
    assert [o.kind for o in world.round().outcomes] == []
    assert world.verify().findings == ()


def test_worker__delivery_is_late__serves_by_its_length_from_the_next_statement(
    world: World,
) -> None:
    number = _burn(world, 1, nonce=1)
    world.at(DAY_S)
    world.post(0)
    world.ledger.ingest(world.ledger.usage(0, HOUR_S, 2 * HOUR_S, kind="delivery"))
    world.at(2 * DAY_S)
    world.post(1)
    world.at_finality(1)

    outcomes = world.round().outcomes

    assert [o.kind for o in outcomes] == ["serve"]
    assert _voucher(world, number).served_gpu_seconds == HOUR_S
    assert world.statement(1).billed_gpu_seconds == 0
    assert world.verify().findings == ()


def test_worker__units_burned_after_the_line_began__line_serves_none(world: World) -> None:
    """Compute of before the burn earned revenue: the service does not even try."""
    world.at(HOUR_S + 1)
    number = _burn(world, 1, nonce=1)
    _delivered(world)
    world.at_finality(0)

    assert [o.kind for o in world.round().outcomes] == []

    assert _voucher(world, number).served_gpu_seconds == 0


def _crash(*_args: Any, **_more: Any) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("target", "name"),
    [
        (outbox_rows, "save_signed"),
        (ChainClient, "send_raw"),
        (outbox_rows, "restated"),
    ],
)
def test_worker__killed_while_serving__next_one_doubles_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, target: Any, name: str
) -> None:
    number = _burn(world, 5, nonce=1)
    _delivered(world)
    world.at_finality(0)
    with monkeypatch.context() as patch:
        patch.setattr(target, name, _crash)
        with pytest.raises(KeyboardInterrupt):
            world.worker().run_once()

    world.round()
    world.round()

    assert _voucher(world, number).served_gpu_seconds == 7 * HOUR_S // 2
    assert len(_served(world)) == 2


def test_worker__somebody_served_meanwhile__index_is_behind__waits_a_round(world: World) -> None:
    """What the chain says rules: nothing is sent on an old picture, and nothing is lost."""
    number = _burn(world, 2, nonce=1)
    _delivered(world)
    world.at_finality(0)
    intents = _servable(world)
    world.outbox().store(intents[:1], world.clock())
    world.outbox().advance(world.clock())

    assert _servable(world) == []
    world.indexer().advance()
    later = _servable(world)

    assert [(i.epoch, i.data) for i in later] == [(i.epoch, i.data) for i in intents[1:]]
    world.round()
    assert _voucher(world, number).served_gpu_seconds == 2 * HOUR_S


def test_worker__stored_tree_is_damaged__sends_nothing_and_settles(world: World) -> None:
    """A proof that would not hold is never sent: one facility's damage stops no other step."""
    _burn(world, 2, nonce=1)
    _delivered(world)
    with transaction(world.engine) as connection:
        damaged = statement_trees.update().values(nodes=b"\0" * 32 * 8)
        connection.execute(damaged)
    world.at_finality(0)
    world.pay(500_000)

    assert [o.kind for o in world.round().outcomes] == ["settle"]


def _servable(world: World) -> list[Any]:
    return world.intents(Serve(world.engine, world.contracts))
