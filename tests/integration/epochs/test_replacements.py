"""A failed card is replaced: asked for, signed, sent by its operator, stated and verified."""

import json
from typing import Any

import pytest
from sqlalchemy import delete
from typer.testing import CliRunner

from api.cli.commands import app
from api.db.session import transaction
from api.db.tables.replacements import replacement_signatures, replacements
from api.domain.hashing import device_hash, keccak
from api.domain.metering.usage import LineKind
from api.domain.statements.evidence_reader import decode_lines
from api.epochs.close import close_due
from tests.factories import DAY_S, device
from tests.integration.service import serving
from tests.launching import unaware_round
from tests.replacing import (
    NEW,
    OLD,
    ask,
    auth,
    console_devices,
    devices_in_force,
    listed,
    replaced,
    send_shown,
    signed_or_refused,
)
from tests.world import World, send

pytestmark = pytest.mark.chain

HOUR_S, HALF_S = 3_600, 1_800
TOO_EARLY = keccak(b"ReplacementTooEarly(uint64,uint32,uint32)")[:4].hex()


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

    asked = ask(world)
    again = ask(world)
    signed = [
        signed_or_refused(world.attest(0)),
        listed(world)[0]["signatures"],
        signed_or_refused(world.attest(1)),
    ]
    ready = listed(world)[0]
    send_shown(world)
    approved = listed(world)[0]
    shown = [devices_in_force(world)]
    before = ledger.codes(ledger.usage(50, 11 * HOUR_S, 12 * HOUR_S))
    # Half an hour before its cut-off the first epoch still takes records.
    world.at(DAY_S + HALF_S)
    shown.append(devices_in_force(world))
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
    assert [row["uuid"] for row in console_devices(world)][-1] == NEW
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
    first = ask(world).json()
    world.attest()
    (late,) = [r["transaction"] for r in listed(world)]
    world.at(DAY_S)
    with pytest.raises(Exception, match=TOO_EARLY):
        send(world.client, world.operator, late["to"], late["data"])
    world.indexer().advance()

    lapsed = [r["state"] for r in listed(world)]
    old_way = world.attest(0)
    second = ask(world).json()
    signed = signed_or_refused(world.attest())
    send_shown(world)
    world.at_cut_off(0)
    world.post(0)

    assert (first["from_epoch"], second["from_epoch"]) == (1, 2)
    assert lapsed == ["lapsed"]
    assert old_way == []
    assert signed == [None, None]
    assert [r["state"] for r in listed(world)] == ["lapsed", "approved"]
    assert world.verify().findings == ()


def test_replacement__breaks_a_rule__is_refused_by_name_and_leaves_nothing(world: World) -> None:
    """ATTACKS 23."""
    world.at(DAY_S + HOUR_S)
    other = world.ledger.add_facility(range(60, 62), name="hall-2")
    mine = f"/v1/facilities/{world.facility_id}/replacements"
    slice_of = {"device": "MIG-" + device(70)[4:], "card": NEW, "profile": "1g.10gb"}
    cases = [
        (ask(world, old=device(9)), (422, "old")),
        (ask(world, old="gpu0"), (422, "devices")),
        (ask(world, new=device(60)), (409, "device_pledged")),
        (ask(world, new=device(1)), (422, "devices")),
        (ask(world, new=OLD), (422, "devices")),
        (ask(world, new=slice_of), (422, "devices")),
        (ask(world, from_epoch=1), (409, "replacement_too_early")),
        (ask(world, from_epoch=3), (422, "from_epoch")),
        (ask(world, reason=""), (422, None)),
    ]
    strange = world.http.post(mine, json={"old": OLD, "new": NEW, "reason": "x"})
    idle = world.http.post(
        f"/v1/facilities/{other}/replacements",
        json={"old": device(60), "new": NEW, "reason": "x"},
        headers=auth(world),
    )
    nothing = listed(world)
    asked = ask(world)
    second = ask(world, new=device(51))
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
    assert _refused(ask(world, new=device(51))) == (409, "facility_not_running")
    # It lapsed, by the blocks that were read: nobody has its card.
    world.indexer().advance()
    assert taken(range(50, 51), name="hall-4") > other


def test_replacement__closed_before_the_index_knows__waits(world: World) -> None:
    """Its approval may be in a block that was not read yet."""
    world.at(HOUR_S)
    world.indexer().advance()
    ask(world)
    world.attest()
    (sent,) = [r["transaction"] for r in listed(world)]
    send(world.client, world.operator, sent["to"], sent["data"])
    world.at_cut_off(1)

    unaware = unaware_round(world)
    aware = world.worker().run_once()

    assert [(f.epoch, f.reason[:20]) for f in unaware.not_closed] == [(1, "the index is behind:")]
    assert (unaware.closed, aware.closed, aware.not_closed) == (1, 1, ())
    assert [v.signed for v in world.attest()] == [True] * 4
    world.round()
    assert world.verify().findings == ()


def test_attest__pledge_changes_more_than_one_device__is_refused(world: World) -> None:
    """A service that hands out another pledge than it was asked for gets no signature."""
    world.at(HOUR_S)
    asked = ask(world).json()
    path = f"facility-{world.facility_id}/pledges/{asked['pledge_root'][2:]}.json"
    document = world.evidence.read(path)

    world.evidence.replace(path, document.replace(device_hash(NEW).hex().encode(), b"ab" * 32))
    (changed,) = signed_or_refused(world.attest(0))
    (world.evidence.root / path).unlink()
    (missing,) = signed_or_refused(world.attest(0))
    world.evidence.replace(path, document)
    (repaired,) = signed_or_refused(world.attest(0))

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
    assert ask(world).status_code == 201

    (reason,) = signed_or_refused(world.attest(0))

    assert f"the live pledge of facility {other} for the same time" in str(reason)


def test_command__ask_and_list__shows_what_the_wallet_sends(world: World) -> None:
    world.at(HOUR_S)
    runner, where = CliRunner(), str(world.facility_id)
    with serving(world.app) as port:
        ends = ["--api-url", f"http://127.0.0.1:{port}", "--api-key", world.ledger.api_key]
        asking = ["replace", "ask", where, OLD, NEW, "--reason", "RMA 17", *ends]
        asked, again = (runner.invoke(app, asking) for _ in range(2))
        world.attest()
        shown = runner.invoke(app, ["replace", "list", where, *ends])
        halves = runner.invoke(app, [*asking, "--card", NEW])

    line = f"pending: {NEW} in the place of {OLD} from epoch 1"
    assert [(a.exit_code, a.output) for a in (asked, again)] == [(0, f"{line}\n")] * 2
    first, second = shown.output.splitlines()
    assert first == f"{line}, 2 of 2 signatures"
    sent = json.loads(second.removeprefix("send before the epoch begins: "))
    send(world.client, world.operator, sent["to"], sent["data"])
    world.indexer().advance()
    assert [row["state"] for row in listed(world)] == ["approved"]
    assert halves.exit_code == 2


def test_replacement__two_cards_from_one_epoch__are_verified(world: World) -> None:
    world.at(HOUR_S)
    epochs = [replaced(world), replaced(world, old=device(1), new=device(51))]
    world.at_cut_off(0)
    world.post(0)
    world.at_cut_off(1)
    world.post(1)

    assert epochs == [1, 1]
    report = world.verify()
    assert report.findings == ()
    assert report.statements == 2


def test_replacement__there_and_back_and_there_again__is_refused_by_name(world: World) -> None:
    """A pledge has one request: its root names it, on the chain too."""
    world.at(HOUR_S)
    replaced(world)
    replaced(world, old=NEW, new=OLD)

    assert _refused(ask(world)) == (409, "replacement_repeats")
    assert ask(world, from_epoch=2).status_code == 201


def test_replacement__its_request_is_lost__nothing_is_closed_over_other_cards(world: World) -> None:
    """A database of before the request was restored: what nobody could sign is not made."""
    world.at(HOUR_S)
    ask(world)
    world.attest()
    send_shown(world)
    with transaction(world.engine) as connection:
        connection.execute(delete(replacement_signatures))
        connection.execute(delete(replacements))
    world.at_cut_off(1)
    failed: list[Any] = []

    closed = close_due(world.engine, world.evidence, world.clock(), on_failed=failed.append)

    assert [each.statement.epoch for each in closed] == [0]
    assert "is not known here" in str(failed[0])
