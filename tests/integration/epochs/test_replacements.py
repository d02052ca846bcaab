"""A failed card is replaced: asked for, signed, sent by its operator, stated and verified."""

import json
from typing import Any

import pytest
from sqlalchemy import delete, event
from typer.testing import CliRunner

from api.cli.commands import app
from api.db.session import transaction
from api.db.tables.replacements import replacement_signatures, replacements
from api.domain.hashing import device_hash, keccak
from api.domain.metering.usage import LineKind
from api.domain.statements.evidence_reader import decode_lines
from api.epochs.attest import Verdict
from api.epochs.close import close_due
from api.ledger import rosters
from api.routes.service import service_of
from tests.factories import DAY_S, device
from tests.integration.service import serving
from tests.world import World, send

pytestmark = pytest.mark.chain

OLD, NEW = device(0), device(50)
HOUR_S, HALF_S, MINUTE_S = 3_600, 1_800, 60
TOO_EARLY = keccak(b"ReplacementTooEarly(uint64,uint32,uint32)")[:4].hex()


def _ask(world: World, **changes: Any) -> Any:
    body = {"old": OLD, "new": NEW, "reason": "RMA: memory errors"} | changes
    path = f"/v1/facilities/{world.facility_id}/replacements"
    return world.http.post(path, json=body, headers=_key(world))


def _listed(world: World) -> list[Any]:
    path = f"/v1/facilities/{world.facility_id}/replacements"
    rows: list[Any] = world.http.get(path, headers=_key(world)).json()
    return rows


def _key(world: World) -> dict[str, str]:
    return {"Authorization": f"Bearer {world.ledger.api_key}"}


def _devices(world: World) -> tuple[str, list[str]]:
    """Root and devices of the pledge in force, as anybody sees it."""
    shown = world.http.get(f"/v1/facilities/{world.facility_id}/devices").json()
    return shown["pledge_root"], [row["device"][2:] for row in shown["devices"]]


def _console(world: World) -> list[Any]:
    path = f"/v1/console/facilities/{world.facility_id}/devices"
    rows: list[Any] = world.http.get(path, headers=_key(world)).json()
    return rows


def _send(world: World) -> None:
    """The operator's wallet sends what it is shown; the index follows."""
    (sent,) = [r["transaction"] for r in _listed(world) if r["state"] == "pending"]
    send(world.client, world.operator, sent["to"], sent["data"])
    world.indexer().advance()


def _pledges(verdicts: list[Verdict]) -> list[str | None]:
    """Why replacements were refused; None for signed."""
    return [v.reason for v in verdicts if v.epoch is None]


def _refused(answer: Any) -> tuple[int, str | None]:
    return answer.status_code, answer.json().get("reason") or answer.json().get("field")


@pytest.mark.both_databases
def test_replacement__card_fails__the_next_epoch_is_stated_over_the_new_one(world: World) -> None:
    """ATTACKS 23."""
    ledger = world.ledger
    world.at(12 * HOUR_S)
    failed = ledger.codes(
        ledger.usage(0, 0, 9 * HOUR_S), ledger.outage(0, 10 * HOUR_S, 12 * HOUR_S)
    )

    asked = _ask(world)
    again = _ask(world)
    signed = [_pledges(world.attest(0)), _listed(world)[0]["signatures"], _pledges(world.attest(1))]
    ready = _listed(world)[0]
    _send(world)
    approved = _listed(world)[0]
    shown = [_devices(world)]
    before = ledger.codes(ledger.usage(50, 11 * HOUR_S, 12 * HOUR_S))
    # Half an hour before its cut-off the first epoch still takes records.
    world.at(DAY_S + HALF_S)
    shown.append(_devices(world))
    after = ledger.codes(
        ledger.outage(0, 12 * HOUR_S, DAY_S),
        ledger.usage(50, DAY_S, DAY_S + HALF_S),
        ledger.usage(0, DAY_S, DAY_S + HALF_S),
        ledger.usage(0, DAY_S - HALF_S, DAY_S + HALF_S),
        ledger.seen(51, DAY_S, DAY_S + HALF_S),
    )
    world.post(0)
    late = ledger.codes(ledger.usage(0, 9 * HOUR_S, 10 * HOUR_S))
    world.post(1)

    assert failed == ["accepted", "accepted"]
    assert (asked.status_code, again.status_code) == (201, 200)
    assert again.json() == asked.json()
    assert (asked.json()["from_epoch"], asked.json()["state"]) == (1, "pending")
    assert signed == [[None], 1, [None]]
    assert (ready["signatures"], ready["threshold"]) == (2, 2)
    assert (approved["state"], approved["transaction"]) == ("approved", None)
    assert before == ["outside_pledge"]
    assert after == [
        *("accepted", "accepted", "outside_pledge", "outside_pledge", "device_unknown")
    ]
    assert late == ["accepted"]
    old, new = device_hash(OLD).hex(), device_hash(NEW).hex()
    assert [(old in named, new in named) for _, named in shown] == [(True, False), (False, True)]
    assert shown[1][0] == asked.json()["pledge_root"]
    assert [row["uuid"] for row in _console(world)][-1] == NEW
    first, second = world.statement(0), world.statement(1)
    # Silence is availability here: only the outage of the old card is missing, and only its own.
    assert first.available_gpu_seconds == 4 * DAY_S - 14 * HOUR_S
    assert second.available_gpu_seconds == 4 * DAY_S
    lines = decode_lines(world.evidence.read(f"facility-{world.facility_id}/epoch-00001/lines.csv"))
    used = [(line.kind, line.subject) for line in lines if line.kind <= LineKind.VOID]
    assert used == [(LineKind.USAGE, device_hash(NEW)), (LineKind.LATE, device_hash(OLD))]
    assert second.gross_revenue_micros == 1_500_000
    report = world.verify()
    assert report.findings == ()
    assert report.statements == 2
    path = f"facility-{world.facility_id}/pledges/{shown[1][0][2:]}.json"
    document = world.evidence.read(path)
    world.evidence.replace(path, document.replace(new.encode(), b"ab" * 32))
    found = world.verify().findings
    assert (found[0].file, found[0].message[:42]) == (
        path,
        "does not hold the pledge in force from epo",
    )
    # Nothing is computed from it: the statement over the new card is not what is known.
    assert {f.epoch for f in found[1:]} == {1}


def test_replacement__approved_too_late__lapses_and_is_asked_for_again(world: World) -> None:
    world.at(HOUR_S)
    first = _ask(world).json()
    world.attest()
    (late,) = [r["transaction"] for r in _listed(world)]
    world.at(DAY_S)
    with pytest.raises(Exception, match=TOO_EARLY):
        send(world.client, world.operator, late["to"], late["data"])
    world.indexer().advance()

    lapsed = [r["state"] for r in _listed(world)]
    old_way = world.attest(0)
    second = _ask(world).json()
    signed = _pledges(world.attest())
    _send(world)
    world.at_cut_off(0)
    world.post(0)

    assert (first["from_epoch"], second["from_epoch"]) == (1, 2)
    assert lapsed == ["lapsed"]
    assert old_way == []
    assert signed == [None, None]
    assert [r["state"] for r in _listed(world)] == ["lapsed", "approved"]
    assert world.verify().findings == ()


def test_replacement__breaks_a_rule__is_refused_by_name_and_leaves_nothing(world: World) -> None:
    """ATTACKS 23."""
    world.at(DAY_S + HOUR_S)
    other = world.ledger.add_facility(range(60, 62), name="hall-2")
    mine = f"/v1/facilities/{world.facility_id}/replacements"
    slice_of = {"device": "MIG-" + device(70)[4:], "card": NEW, "profile": "1g.10gb"}
    cases = [
        (_ask(world, old=device(9)), (422, "old")),
        (_ask(world, old="gpu0"), (422, "devices")),
        (_ask(world, new=device(60)), (409, "device_pledged")),
        (_ask(world, new=device(1)), (422, "devices")),
        (_ask(world, new=OLD), (422, "devices")),
        (_ask(world, new=slice_of), (422, "devices")),
        (_ask(world, from_epoch=1), (409, "replacement_too_early")),
        (_ask(world, from_epoch=3), (422, "from_epoch")),
        (_ask(world, reason=""), (422, None)),
    ]
    strange = world.http.post(mine, json={"old": OLD, "new": NEW, "reason": "x"})
    idle = world.http.post(
        f"/v1/facilities/{other}/replacements",
        json={"old": device(60), "new": NEW, "reason": "x"},
        headers=_key(world),
    )
    nothing = _listed(world)
    asked = _ask(world)
    second = _ask(world, new=device(51))
    taken = world.ledger.add_facility

    assert [_refused(answer) for answer, _ in cases[:-1]] == [wanted for _, wanted in cases[:-1]]
    assert cases[-1][0].status_code == 422
    assert strange.status_code == 401
    assert _refused(idle) == (409, "facility_not_running")
    assert nothing == []
    assert asked.status_code == 201
    assert _refused(second) == (409, "replacement_pending")
    # What waits to come is taken already.
    with pytest.raises(Exception, match="is pledged to facility"):
        taken(range(50, 51), name="hall-3")
    world.at(2 * DAY_S)
    assert _refused(_ask(world, new=device(51))) == (409, "facility_not_running")
    # It lapsed, by the blocks that were read: nobody has its card.
    world.indexer().advance()
    assert taken(range(50, 51), name="hall-4") > other


def test_replacement__closed_before_the_index_knows__waits(world: World) -> None:
    """Its approval may be in a block that was not read yet."""
    world.at(HOUR_S)
    _ask(world)
    world.attest()
    (sent,) = [r["transaction"] for r in _listed(world)]
    send(world.client, world.operator, sent["to"], sent["data"])
    world.at_cut_off(1)

    unaware = world.worker().run_once()
    aware = world.worker().run_once()

    assert [(f.epoch, f.reason[:20]) for f in unaware.not_closed] == [(1, "the index is behind:")]
    assert (unaware.closed, aware.closed, aware.not_closed) == (1, 1, ())
    assert [v.signed for v in world.attest()] == [True] * 4
    world.round()
    assert world.verify().findings == ()


def test_attest__pledge_changes_more_than_one_device__is_refused(world: World) -> None:
    """A service that hands out another pledge than it was asked for gets no signature."""
    world.at(HOUR_S)
    asked = _ask(world).json()
    path = f"facility-{world.facility_id}/pledges/{asked['pledge_root'][2:]}.json"
    document = world.evidence.read(path)

    world.evidence.replace(path, document.replace(device_hash(NEW).hex().encode(), b"ab" * 32))
    (changed,) = _pledges(world.attest(0))
    (world.evidence.root / path).unlink()
    (missing,) = _pledges(world.attest(0))
    world.evidence.replace(path, document)
    (repaired,) = _pledges(world.attest(0))

    assert "does not hold the pledge" in str(changed)
    assert "is not published" in str(missing)
    assert repaired is None


def test_attest__new_card_of_another_live_pledge__is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ATTACKS 23: the same card in two facilities, the second time by a replacement."""
    from api.ledger import replacements

    other = world.ledger.add_facility(
        range(50, 52), name="hall-2", settlement_token=world.deployment.settlement_token
    )
    world.offer(other)
    world.approve_pledge(other)
    world.at(HOUR_S)
    world.indexer().advance()
    monkeypatch.setattr(replacements, "require_free_elsewhere", lambda *_, **__: None)
    assert _ask(world).status_code == 201

    (reason,) = _pledges(world.attest(0))

    assert f"the live pledge of facility {other} for the same time" in str(reason)


def test_command__ask_and_list__shows_what_the_wallet_sends(world: World) -> None:
    world.at(HOUR_S)
    runner, where = CliRunner(), str(world.facility_id)
    with serving(world.app) as port:
        ends = ["--api-url", f"http://127.0.0.1:{port}", "--api-key", world.ledger.api_key]
        ask = ["replace", "ask", where, OLD, NEW, "--reason", "RMA 17", *ends]
        asked, again = (runner.invoke(app, ask) for _ in range(2))
        world.attest()
        listed = runner.invoke(app, ["replace", "list", where, *ends])
        halves = runner.invoke(app, [*ask, "--card", NEW])

    line = f"pending: {NEW} in the place of {OLD} from epoch 1"
    assert [(a.exit_code, a.output) for a in (asked, again)] == [(0, f"{line}\n")] * 2
    first, second = listed.output.splitlines()
    assert first == f"{line}, 2 of 2 signatures"
    sent = json.loads(second.removeprefix("send before the epoch begins: "))
    send(world.client, world.operator, sent["to"], sent["data"])
    world.indexer().advance()
    assert [row["state"] for row in _listed(world)] == ["approved"]
    assert halves.exit_code == 2


def _replaced(world: World, **changes: Any) -> Any:
    """Asked for, signed and sent."""
    asked = _ask(world, **changes)
    world.attest()
    _send(world)
    return asked.json()["from_epoch"]


def test_replacement__two_cards_from_one_epoch__are_verified(world: World) -> None:
    world.at(HOUR_S)
    epochs = [_replaced(world), _replaced(world, old=device(1), new=device(51))]
    world.at_cut_off(0)
    world.post(0)
    world.at_cut_off(1)
    world.post(1)

    assert epochs == [1, 1]
    report = world.verify()
    assert report.findings == ()
    assert report.statements == 2


def _sent_unheard(world: World) -> None:
    """A replacement is approved in a block that is not indexed yet."""
    _ask(world)
    world.attest()
    (sent,) = [r["transaction"] for r in _listed(world)]
    send(world.client, world.operator, sent["to"], sent["data"])


@pytest.mark.both_databases
def test_reconcile__time_that_counts_for_nothing__is_unbilled(world: World) -> None:
    """Taken before the service heard of the approval; in statements it is nobody's time."""
    ledger = world.ledger
    world.at(HOUR_S)
    _sent_unheard(world)
    world.at(DAY_S + 50 * MINUTE_S)
    over = ledger.usage(0, DAY_S - HOUR_S, DAY_S + 10 * MINUTE_S)
    dark = ledger.outage(0, DAY_S + 20 * MINUTE_S, DAY_S + 30 * MINUTE_S)
    behind = ledger.usage(0, DAY_S + 10 * MINUTE_S, DAY_S + 30 * MINUTE_S)
    delivered = ledger.usage(0, DAY_S + 30 * MINUTE_S, DAY_S + 45 * MINUTE_S, kind="delivery")
    heard_late = ledger.codes(over, dark, behind, delivered, ledger.usage(1, DAY_S, DAY_S + MINUTE_S))
    world.indexer().advance()
    seen = []

    def look() -> None:
        found = world.reconcile()
        differences = found.differences
        apart = (differences.open_epoch_gpu_seconds, differences.unbilled_gpu_seconds)
        minutes = [s // MINUTE_S for s in (found.metered_gpu_seconds, *apart)]
        seen.append((found.mismatches, *minutes))

    look()
    world.post(0)
    look()
    world.at_cut_off(1)
    world.post(1)
    look()
    assert ledger.codes(ledger.void(behind)) == ["accepted"]
    look()
    world.at_cut_off(2)
    world.post(2)
    look()

    assert heard_late == ["accepted"] * 5
    assert seen == [
        ((), 106, 106, 0),
        ((), 106, 46, 0),
        ((), 106, 0, 45),
        # That one of them is taken back is in no statement yet.
        ((), 86, -20, 45),
        ((), 86, 0, 25),
    ]
    assert world.verify().findings == ()


@pytest.mark.both_databases
def test_ingest__after_replacements__reads_the_devices_of_each_pledge_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A document names every device: batches read it when the chain has a new one, and no more."""
    ledger = world.ledger
    monkeypatch.setattr(rosters, "_ROSTERS", rosters._Rosters())
    world.at(HOUR_S)
    read = _documents_read(world)

    def batches(gpu: int, since_s: int) -> list[str]:
        spans = [(since_s + 60 * i, since_s + 60 * (i + 1)) for i in range(5)]
        return [code for span in spans for code in ledger.codes(ledger.usage(gpu, *span))]

    _replaced(world)
    answers = batches(1, 0)
    first = len(read)
    _replaced(world, old=device(1), new=device(51), from_epoch=2)
    world.at(2 * DAY_S + HOUR_S)
    answers += batches(50, DAY_S) + batches(51, 2 * DAY_S) + batches(0, 0)

    assert answers == ["accepted"] * 20
    assert (first, len(read)) == (1, 2)


def _documents_read(world: World) -> list[str]:
    """Statements that read pledges' documents, from now on."""
    read: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("SELECT") and "replacements.document" in statement:
            read.append(statement)

    for engine in (world.engine, service_of(world.app).engine):
        event.listen(engine, "before_cursor_execute", note)
    return read


def test_replacement__there_and_back_and_there_again__is_refused_by_name(world: World) -> None:
    """A pledge has one request: its root names it, on the chain too."""
    world.at(HOUR_S)
    _replaced(world)
    _replaced(world, old=NEW, new=OLD)

    assert _refused(_ask(world)) == (409, "replacement_repeats")
    assert _ask(world, from_epoch=2).status_code == 201


def test_replacement__its_request_is_lost__nothing_is_closed_over_other_cards(world: World) -> None:
    """A database of before the request was restored: what nobody could sign is not made."""
    world.at(HOUR_S)
    _ask(world)
    world.attest()
    _send(world)
    with transaction(world.engine) as connection:
        connection.execute(delete(replacement_signatures))
        connection.execute(delete(replacements))
    world.at_cut_off(1)
    failed: list[Any] = []

    closed = close_due(world.engine, world.evidence, world.clock(), on_failed=failed.append)

    assert [each.statement.epoch for each in closed] == [0]
    assert "is not known here" in str(failed[0])
