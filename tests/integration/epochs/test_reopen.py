"""A statement of our own books that is provably wrong: reopened, corrected, posted again."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from api.attester.failures import NotYet
from api.attester.requirements import RawInput, require_voided
from api.chain.abi import Function
from api.chain.signatures import LINE, STATEMENT
from api.db import statements as store
from api.db.session import reading
from api.db.tables.history import superseded_statements
from api.db.tables.outbox import intents
from api.domain.lifecycle import Reopening
from api.domain.metering.judge import Recorded
from api.domain.statements.lines import Line, usage_tree
from api.domain.statements.statement import Statement, statement_hash
from api.routes.service import service_of
from scripts.dev.stack import RENTER, wallet
from tests.factories import DAY_S, GRACE_S, HOUR_S, START_S
from tests.integration.service import problem
from tests.world import World, send

pytestmark = pytest.mark.chain
_PAIR = Function("challengePair", (STATEMENT, f"({LINE},bytes32[])", f"({LINE},bytes32[])"))


def _wrong_books(world: World, monkeypatch: pytest.MonkeyPatch, *, epochs: int) -> dict[str, Any]:
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


def _challenge(world: World, epoch: int = 0) -> None:
    statement = world.statement(epoch)
    with reading(world.engine) as connection:
        lines = store.lines_of(connection, statement.facility_id, epoch)
    pair = (_proven(statement, lines, 0), _proven(statement, lines, 1))
    data = "0x" + _PAIR.encode(statement.as_abi_tuple(), *pair).hex()
    send(world.client, wallet(RENTER).address, world.deployment.statement_registry, data)


def _confirm(world: World) -> None:
    """Let the fault be deep enough, and indexed; who was slashed has its bond again."""
    world.chain.rpc("anvil_mine", "0x3")
    world.refill_bonds()
    world.indexer().advance()


def _reopen(world: World, epoch: int = 0) -> Any:
    headers = {"Authorization": f"Bearer {world.ledger.api_key}"}
    path = f"/v1/facilities/{world.facility_id}/epochs/{epoch}/reopen"
    return world.http.post(path, headers=headers)


def _epoch(world: World, epoch: int) -> Any:
    """The epoch as its operator's console shows it."""
    headers = {"Authorization": f"Bearer {world.ledger.api_key}"}
    path = f"/v1/console/facilities/{world.facility_id}/epochs"
    epochs = world.http.get(path, headers=headers).json()["epochs"]
    return next(e for e in epochs if e["epoch"] == epoch)


def _state(world: World, epoch: int) -> str:
    return str(_epoch(world, epoch)["state"])


def _public(world: World) -> list[Any]:
    """`(epoch, state, standing hash)` of every statement in the books."""
    path = f"/v1/facilities/{world.facility_id}/statements"
    rows = world.http.get(path).json()["statements"]
    return [(row["epoch"], row["state"], row["standing_hash"]) for row in rows]


def _proof(world: World) -> Any:
    return world.http.get(f"/v1/facilities/{world.facility_id}/epochs/0/lines/1/proof")


def _bundle(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir()}


@dataclass(frozen=True)
class _Fallen:
    """What was before two epochs fell: the wrong event, statements and evidence by epoch."""

    wrong: dict[str, Any]
    statements: dict[int, Statement]
    bundles: dict[int, dict[str, bytes]]


def _folder(world: World) -> Path:
    return world.evidence.root / f"facility-{world.facility_id}"


def _fallen(world: World, monkeypatch: pytest.MonkeyPatch) -> _Fallen:
    """Two posted epochs, the first of which is proven wrong; not deep in the chain yet."""
    wrong = _wrong_books(world, monkeypatch, epochs=2)
    statements = {e: world.statement(e) for e in (0, 1)}
    bundles = {e: _bundle(_folder(world) / f"epoch-{e:05d}") for e in (0, 1)}
    _challenge(world)
    world.indexer().advance()
    return _Fallen(wrong, statements, bundles)


def _corrected(world: World, monkeypatch: pytest.MonkeyPatch) -> _Fallen:
    """Both epochs reopened, corrected, closed, attested and posted again."""
    fallen = _fallen(world, monkeypatch)
    _confirm(world)
    reopened_s = _reopen(world).json()["reopened_at_s"]
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


def test_reopen__after_a_fault__waits_until_the_void_is_final(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ATTACKS 21: both epochs fall, and the worker posts neither the barred bytes nor the next."""
    _fallen(world, monkeypatch)

    assert problem(_reopen(world), 409, "conflict")["reason"] == "void_not_final"
    assert _epoch(world, 0)["reopen"] == "void_not_final"

    _confirm(world)
    assert world.posted == 0
    assert (_epoch(world, 0)["state"], _epoch(world, 0)["reopen"]) == ("voided", "now")
    # The next one fell with it, and comes again after it.
    assert (_epoch(world, 1)["state"], _epoch(world, 1)["reopen"]) == ("voided", "not_next")
    assert _public(world) == [(0, "voided", None), (1, "voided", None)]
    assert world.round().outcomes == ()


def test_reopen__final_void__takes_records_again_and_keeps_the_old_evidence(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    fallen = _fallen(world, monkeypatch)
    _confirm(world)

    answer = _reopen(world)

    assert answer.status_code == 201, answer.text
    assert answer.json()["superseded"] == [0, 1]
    assert answer.json()["open_until_s"] == answer.json()["reopened_at_s"] + GRACE_S
    assert _epoch(world, 0)["cut_off_s"] == answer.json()["open_until_s"]
    assert (_epoch(world, 0)["state"], _epoch(world, 0)["reopen"]) == ("grace", None)
    for epoch, statement in fallen.statements.items():
        name = f"epoch-{epoch:05d}-{statement_hash(statement).hex()}"
        assert _bundle(_folder(world) / "superseded" / name) == fallen.bundles[epoch]
        path = f"/v1/evidence/facility-{world.facility_id}/superseded/{name}/manifest.json"
        assert world.http.get(path).status_code == 200
    assert problem(_reopen(world), 404, "not_found")
    problem(_proof(world), 404, "not_found")


@pytest.mark.both_databases
def test_reopen__corrected__is_closed_and_posted_with_other_bytes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ATTACKS 24: the old statements stay in the books, beside those that stand."""
    before = _corrected(world, monkeypatch).statements

    # One hour of device 0, the forgotten hour of device 2, and the hour that was late before.
    assert world.statement(0).gross_revenue_micros == 3_000_000
    assert before[1].gross_revenue_micros == 2_000_000
    assert world.statement(1).gross_revenue_micros == 1_000_000
    assert world.statement(1).previous_statement_hash == statement_hash(world.statement(0))
    assert _proof(world).json()["root"] == "0x" + world.statement(0).usage_root.hex()
    assert world.statement(0).usage_root != before[0].usage_root
    with reading(world.engine) as connection:
        kept = list(connection.execute(select(superseded_statements).order_by("epoch")))
        posts = connection.execute(select(intents).where(intents.c.kind == "post")).all()
    assert [k.statement_hash for k in kept] == [statement_hash(before[e]) for e in (0, 1)]
    assert [k.reason for k in kept] == ["a fault was proven on-chain", "follows epoch 0"]
    assert sorted((p.epoch, p.sequence) for p in posts) == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_reopen__posted_again__everybody_can_verify_and_the_story_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ATTACKS 34: the books balance, rent settles, and the third epoch follows."""
    _corrected(world, monkeypatch)
    world.round()

    report = world.verify()
    assert report.findings == ()
    assert (report.statements, report.voided) == (2, 2)
    books = world.reconcile()
    assert books.balanced
    assert books.differences.open_epoch_gpu_seconds == HOUR_S
    assert [_state(world, e) for e in (0, 1)] == ["posted", "posted"]
    assert [state for _, state, _ in _public(world)] == ["posted", "posted"]

    world.pay(4_000_000)
    world.at(3 * DAY_S + GRACE_S)
    world.round()
    assert all(v.signed for v in world.attest())
    world.round()
    world.round()
    assert (world.posted, world.settled) == (3, 4_000_000)
    assert world.verify().findings == ()


def test_reopen__unchanged__ends_voided_again_and_sends_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _wrong_books(world, monkeypatch, epochs=1)
    _challenge(world)
    _confirm(world)
    monkeypatch.setattr("api.domain.statements.closing.check_overlaps", lambda _: None)
    opened = _reopen(world).json()

    world.chain.set_time(opened["open_until_s"])
    assert world.round().closed == 1
    world.attest()

    assert world.round().outcomes == ()
    assert world.posted == 0
    assert _state(world, 0) == "voided"
    headers = {"Authorization": f"Bearer {world.ledger.api_key}"}
    tasks = world.http.get("/v1/console", headers=headers).json()["tasks"]
    voided = [(t["epoch"], t["severity"]) for t in tasks if t["kind"] == "epoch_voided"]
    assert voided == [(0, "critical")]
    assert "epoch_stuck" not in {t["kind"] for t in tasks}
    again = _reopen(world)
    assert again.status_code == 201
    assert again.json()["superseded"] == [0]


def test_reopen__without_a_fault_of_the_books__is_refused(world: World) -> None:
    assert problem(_reopen(world), 404, "not_found")
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, HOUR_S))
    world.at_cut_off(0)
    world.round()
    assert problem(_reopen(world), 409, "conflict")["reason"] == "not_voided"
    world.attest()
    world.round()
    _confirm(world)
    assert problem(_reopen(world), 409, "conflict")["reason"] == "not_voided"
    folder = world.evidence.root / f"facility-{world.facility_id}"
    assert not (folder / "superseded").exists()


def test_reopen__cut_short_before_the_commit__is_finished_by_the_same_call(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ATTACKS 37: killed after the files went and before the database knew."""
    wrong = _wrong_books(world, monkeypatch, epochs=1)
    _challenge(world)
    _confirm(world)
    remove = service_of(world.app).evidence.remove

    def killed(folder: str) -> None:
        remove(folder)
        raise RuntimeError("killed")

    with monkeypatch.context() as crash:
        crash.setattr(service_of(world.app).evidence, "remove", killed)
        with pytest.raises(RuntimeError, match="killed"):
            _reopen(world)
    assert world.statement(0).line_count == 2

    opened = _reopen(world)

    assert opened.status_code == 201
    assert world.ledger.codes(world.ledger.void(wrong)) == ["accepted"]
    world.chain.set_time(opened.json()["open_until_s"])
    world.round()
    assert all(v.signed for v in world.attest())
    world.round()
    assert world.posted == 1
    kept = f"facility-{world.facility_id}/superseded"
    (folder,) = (world.evidence.root / kept).iterdir()
    assert {"manifest.json", "lines.csv", "attestations.json"} <= {p.name for p in folder.iterdir()}


def test_attester__reopening_that_no_fault_explains__is_refused() -> None:
    raw = RawInput(reopenings=(Reopening(1, START_S), Reopening(1, START_S + DAY_S)))

    require_voided(raw, [0, 1, 1])
    for voided in ([], [1], [0, 0]):
        with pytest.raises(NotYet, match="without a proven fault"):
            require_voided(raw, voided)
