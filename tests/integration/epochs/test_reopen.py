"""A statement of our own books that is provably wrong: reopened, corrected, posted again."""

from typing import Any

import pytest
from sqlalchemy import select

from api.attester.failures import NotYet
from api.attester.requirements import RawInput, require_voided
from api.db.session import reading
from api.db.tables.history import superseded_statements
from api.db.tables.outbox import intents
from api.domain.lifecycle import Reopening
from api.domain.statements.statement import statement_hash
from api.routes.service import service_of
from tests.factories import DAY_S, GRACE_S, HOUR_S, START_S
from tests.integration.service import problem
from tests.reopening import (
    bundle,
    challenge,
    confirm,
    corrected,
    fall,
    home_of,
    reopen,
    wrong_books,
)
from tests.world import World

pytestmark = pytest.mark.chain


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


def test_reopen__after_a_fault__waits_until_the_void_is_final(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ATTACKS 21: both epochs fall, and the worker posts neither the barred bytes nor the next."""
    fall(world, monkeypatch)

    assert problem(reopen(world), 409, "conflict")["reason"] == "void_not_final"
    assert _epoch(world, 0)["reopen"] == "void_not_final"

    confirm(world)
    assert world.posted == 0
    assert (_epoch(world, 0)["state"], _epoch(world, 0)["reopen"]) == ("voided", "now")
    # The next one fell with it, and comes again after it.
    assert (_epoch(world, 1)["state"], _epoch(world, 1)["reopen"]) == ("voided", "not_next")
    assert _public(world) == [(0, "voided", None), (1, "voided", None)]
    assert world.round().outcomes == ()


def test_reopen__final_void__takes_records_again_and_keeps_the_old_evidence(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    fallen = fall(world, monkeypatch)
    confirm(world)

    answer = reopen(world)

    assert answer.status_code == 201, answer.text
    assert answer.json()["superseded"] == [0, 1]
    assert answer.json()["open_until_s"] == answer.json()["reopened_at_s"] + GRACE_S
    assert _epoch(world, 0)["cut_off_s"] == answer.json()["open_until_s"]
    assert (_epoch(world, 0)["state"], _epoch(world, 0)["reopen"]) == ("grace", None)
    for epoch, statement in fallen.statements.items():
        name = f"epoch-{epoch:05d}-{statement_hash(statement).hex()}"
        assert bundle(home_of(world) / "superseded" / name) == fallen.bundles[epoch]
        path = f"/v1/evidence/facility-{world.facility_id}/superseded/{name}/manifest.json"
        assert world.http.get(path).status_code == 200
    assert problem(reopen(world), 404, "not_found")
    problem(_proof(world), 404, "not_found")


@pytest.mark.both_databases
def test_reopen__corrected__is_closed_and_posted_with_other_bytes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ATTACKS 24: the old statements stay in the books, beside those that stand."""
    before = corrected(world, monkeypatch).statements

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
    corrected(world, monkeypatch)
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
    wrong_books(world, monkeypatch, epochs=1)
    challenge(world)
    confirm(world)
    monkeypatch.setattr("api.domain.statements.closing.check_overlaps", lambda _: None)
    opened = reopen(world).json()

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
    again = reopen(world)
    assert again.status_code == 201
    assert again.json()["superseded"] == [0]


def test_reopen__without_a_fault_of_the_books__is_refused(world: World) -> None:
    assert problem(reopen(world), 404, "not_found")
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, HOUR_S))
    world.at_cut_off(0)
    world.round()
    assert problem(reopen(world), 409, "conflict")["reason"] == "not_voided"
    world.attest()
    world.round()
    confirm(world)
    assert problem(reopen(world), 409, "conflict")["reason"] == "not_voided"
    folder = world.evidence.root / f"facility-{world.facility_id}"
    assert not (folder / "superseded").exists()


def test_reopen__cut_short_before_the_commit__is_finished_by_the_same_call(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ATTACKS 37: killed after the files went and before the database knew."""
    wrong = wrong_books(world, monkeypatch, epochs=1)
    challenge(world)
    confirm(world)
    remove = service_of(world.app).evidence.remove

    def killed(folder: str) -> None:
        remove(folder)
        raise RuntimeError("killed")

    with monkeypatch.context() as crash:
        crash.setattr(service_of(world.app).evidence, "remove", killed)
        with pytest.raises(RuntimeError, match="killed"):
            reopen(world)
    assert world.statement(0).line_count == 2

    opened = reopen(world)

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
