"""A statement of our own books that is provably wrong: posted, challenged, reopened, corrected."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from api.chain.abi import Function
from api.chain.signatures import LINE, STATEMENT
from api.db import statements as store
from api.db.session import reading
from api.domain.metering.judge import Recorded
from api.domain.statements.lines import Line, usage_tree
from api.domain.statements.statement import Statement
from scripts.dev.stack import RENTER, wallet
from tests.factories import DAY_S, GRACE_S, HOUR_S
from tests.world import World, send

_PAIR = Function("challengePair", (STATEMENT, f"({LINE},bytes32[])", f"({LINE},bytes32[])"))


def wrong_books(world: World, monkeypatch: pytest.MonkeyPatch, *, epochs: int) -> dict[str, Any]:
    """A bug of everybody's code bills one half hour of device 0 twice; it is posted.

    Returns: the second of the two events.
    """
    ledger = world.ledger
    wrong = ledger.usage(0, HOUR_S // 2, HOUR_S + HOUR_S // 2, name="wrong")
    with monkeypatch.context() as bug:
        bug.setattr(Recorded, "_require_free", lambda *_, **__: None)
        bug.setattr("api.domain.statements.closing.check_overlaps", lambda _: None)
        world.at(DAY_S)
        assert ledger.codes(ledger.usage(0, 0, HOUR_S), wrong) == ["accepted"] * 2
        if epochs > 1:
            world.at(2 * DAY_S)
            late = ledger.usage(1, 2 * HOUR_S, 3 * HOUR_S)
            assert ledger.codes(ledger.usage(0, DAY_S, DAY_S + HOUR_S), late) == ["accepted"] * 2
        world.at_cut_off(epochs - 1)
        world.round()
        assert all(v.signed for v in world.attest())
        world.round()
    assert world.posted == epochs
    return wrong


def _proven(statement: Statement, lines: list[Line], index: int) -> tuple[Any, ...]:
    tree = usage_tree(statement.facility_id, statement.epoch, lines)
    line = lines[index].as_abi_tuple(statement.facility_id, statement.epoch)
    return (line, tree.proof(index))


def challenge(world: World, epoch: int = 0) -> None:
    statement = world.statement(epoch)
    with reading(world.engine) as connection:
        lines = store.lines_of(connection, statement.facility_id, epoch)
    pair = (_proven(statement, lines, 0), _proven(statement, lines, 1))
    data = "0x" + _PAIR.encode(statement.as_abi_tuple(), *pair).hex()
    send(world.client, wallet(RENTER).address, world.deployment.statement_registry, data)


def confirm(world: World) -> None:
    """Let the fault be deep enough, and indexed; who was slashed has its bond again."""
    world.chain.rpc("anvil_mine", "0x3")
    world.refill_bonds()
    world.indexer().advance()


def reopen(world: World, epoch: int = 0) -> Any:
    headers = {"Authorization": f"Bearer {world.ledger.api_key}"}
    path = f"/v1/facilities/{world.facility_id}/epochs/{epoch}/reopen"
    return world.http.post(path, headers=headers)


def bundle(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir()}


@dataclass(frozen=True)
class Fallen:
    """What was before two epochs fell: the wrong event, statements and evidence by epoch."""

    wrong: dict[str, Any]
    statements: dict[int, Statement]
    bundles: dict[int, dict[str, bytes]]


def home_of(world: World) -> Path:
    return world.evidence.root / f"facility-{world.facility_id}"


def fall(world: World, monkeypatch: pytest.MonkeyPatch) -> Fallen:
    """Two posted epochs, the first of which is proven wrong; not deep in the chain yet."""
    wrong = wrong_books(world, monkeypatch, epochs=2)
    statements = {e: world.statement(e) for e in (0, 1)}
    bundles = {e: bundle(home_of(world) / f"epoch-{e:05d}") for e in (0, 1)}
    challenge(world)
    world.indexer().advance()
    return Fallen(wrong, statements, bundles)


def corrected(world: World, monkeypatch: pytest.MonkeyPatch) -> Fallen:
    """Both epochs reopened, corrected, closed, attested and posted again."""
    fallen = fall(world, monkeypatch)
    confirm(world)
    reopened_s = reopen(world).json()["reopened_at_s"]
    world.chain.set_time(reopened_s + 60)
    ledger = world.ledger
    forgotten = ledger.usage(2, 0, HOUR_S)
    today = ledger.usage(3, 2 * DAY_S, 2 * DAY_S + HOUR_S)
    assert ledger.codes(ledger.void(fallen.wrong), forgotten, today) == ["accepted"] * 3
    assert world.round().closed == 0
    world.chain.set_time(reopened_s + GRACE_S)
    assert world.round().closed == 2
    assert [v.reason for v in world.attest() if not v.signed] == []
    world.round()
    assert world.posted == 2
    return fallen
