"""A replacement is taken back; its signed transaction may be sent all the same."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from api.chain import calldata
from api.cli.commands import app
from api.domain.hashing import device_hash
from api.domain.units import Bytes32, Epoch, FacilityId
from api.epochs.close import close_due
from api.ledger import replacements as module
from scripts.dev.stack import ATTESTER_ACCOUNTS, THRESHOLD
from tests.factories import DAY_S, device
from tests.integration.service import serving
from tests.launching import unaware_round
from tests.replacing import (
    NEW,
    OLD,
    ask,
    auth,
    devices_in_force,
    listed,
    replaced,
    send_shown,
    signed_or_refused,
)
from tests.world import World, send, signer_of

pytestmark = pytest.mark.chain

HOUR_S = 3_600
OTHER = device(51)


def _withdraw(world: World, asked: Any, **changes: Any) -> Any:
    path = f"/v1/facilities/{world.facility_id}/replacements/{asked['pledge_root']}/withdraw"
    return world.http.post(path, headers=auth(world), **changes)


def _states(world: World) -> list[str]:
    return [row["state"] for row in listed(world)]


def _signed(world: World, **changes: Any) -> tuple[Any, Any]:
    """A replacement, and the transaction that its operator's wallet holds."""
    asked = ask(world, **changes).json()
    world.attest()
    (ready,) = [r["transaction"] for r in listed(world) if r["state"] == "pending"]
    return asked, ready


def _send(world: World, ready: Any) -> None:
    send(world.client, world.operator, ready["to"], ready["data"])


def _refused(answer: Any) -> tuple[int, str | None]:
    return answer.status_code, answer.json().get("reason")


@pytest.mark.both_databases
def test_withdraw__of_one_that_waits__asks_nobody_and_lets_another_be_asked_for(
    world: World,
) -> None:
    world.at(HOUR_S)
    asked = ask(world).json()

    answers = [_withdraw(world, asked) for _ in range(2)]
    signed = world.attest(0)
    other = ask(world, new=OTHER)
    world.attest()
    send_shown(world)

    assert [a.status_code for a in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    first = answers[0].json()
    assert (first["state"], first["transaction"]) == ("withdrawn", None)
    assert first["withdrawn_at_s"] >= first["asked_at_s"]
    assert signed == []
    assert other.status_code == 201
    assert _states(world) == ["withdrawn", "approved"]
    world.post(0)
    world.post(1)
    assert world.verify().findings == ()


@pytest.mark.both_databases
def test_withdraw__its_transaction_is_sent_all_the_same__the_chain_is_followed(
    world: World,
) -> None:
    """ATTACKS 23: in force is what the chain approved; nothing is stuck, or billed for both."""
    world.at(HOUR_S)
    world.indexer().advance()
    asked, ready = _signed(world)
    assert _withdraw(world, asked).json()["state"] == "withdrawn"
    shown = [row["transaction"] for row in listed(world)]
    _send(world, ready)
    unheard = (_states(world), _refused(_withdraw(world, asked)), _refused(ask(world, new=OTHER)))
    world.at_cut_off(1)

    unaware = unaware_round(world)
    world.indexer().advance()
    used = world.ledger.codes(
        world.ledger.usage(0, DAY_S, DAY_S + HOUR_S), world.ledger.usage(50, DAY_S, DAY_S + HOUR_S)
    )
    aware = world.worker().run_once()
    signed = [v.signed for v in world.attest()]
    world.round()

    assert shown == [None]
    assert unheard == (["withdrawn"], *[(409, "index_behind")] * 2)
    # A block that is not read yet may have approved it.
    assert [(f.epoch, f.reason[:20]) for f in unaware.not_closed] == [(1, "the index is behind:")]
    assert used == ["outside_pledge", "accepted"]
    assert (aware.closed, aware.not_closed, signed) == (1, (), [True] * 4)
    assert _states(world) == ["approved"]
    assert _refused(_withdraw(world, asked)) == (409, "replacement_not_pending")
    assert device_hash(NEW).hex() in devices_in_force(world)[1]
    assert world.reconcile().mismatches == ()
    assert world.verify().findings == ()


def test_withdraw__approved_in_a_block_that_is_not_indexed__is_refused(world: World) -> None:
    world.at(HOUR_S)
    asked, ready = _signed(world)
    _send(world, ready)

    behind = _refused(_withdraw(world, asked))
    world.indexer().advance()

    assert behind == (409, "index_behind")
    assert _refused(_withdraw(world, asked)) == (409, "replacement_not_pending")


def test_withdraw__sent_while_another_waits__the_other_is_asked_for_anew(world: World) -> None:
    """Two pledges that rest on the same devices: the one that the chain has first counts."""
    world.at(HOUR_S)
    asked, ready = _signed(world)
    _withdraw(world, asked)
    other = ask(world, old=device(1), new=OTHER).json()
    world.attest(0)
    _send(world, ready)
    world.indexer().advance()

    (reason,) = signed_or_refused(world.attest(1))
    counted = [(row["state"], row["signatures"]) for row in listed(world)]
    taken_back = _withdraw(world, other).json()["state"]
    epoch = replaced(world, old=device(1), new=OTHER)
    world.post(0)
    world.post(1)

    assert "one is replaced by one other" in str(reason)
    # A signature from before the approval is void, on the chain too.
    assert counted == [("approved", None), ("pending", 0)]
    assert taken_back == "withdrawn"
    assert (epoch, _states(world)) == (1, ["approved", "withdrawn", "approved"])
    assert world.verify().findings == ()


def test_withdraw__sent_after_another_was_approved__is_refused_by_the_chain(world: World) -> None:
    world.at(HOUR_S)
    asked, ready = _signed(world)
    _withdraw(world, asked)
    replaced(world, new=OTHER)

    with pytest.raises(Exception, match="revert"):
        _send(world, ready)

    assert _states(world) == ["withdrawn", "approved"]


def test_withdraw__and_ask_again__waits_as_before_with_its_signatures(world: World) -> None:
    world.at(HOUR_S)
    asked, _ = _signed(world)
    _withdraw(world, asked)

    again = ask(world, reason="RMA 18")
    ready = listed(world)[0]
    send_shown(world)

    assert again.status_code == 201
    assert again.json() | {"reason": "", "asked_at_s": 0} == asked | {"reason": "", "asked_at_s": 0}
    assert (again.json()["reason"], ready["signatures"]) == ("RMA 18", 2)
    assert _states(world) == ["approved"]


def test_withdraw__of_what_does_not_wait__is_refused_by_name(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its card is taken until the chain can approve it no more, and its request is counted."""
    world.at(HOUR_S)
    asked = ask(world).json()
    strange = _withdraw(world, {"pledge_root": "0x" + "ab" * 32})
    nobody = world.http.post(
        f"/v1/facilities/{world.facility_id}/replacements/{asked['pledge_root']}/withdraw"
    )
    odd = _withdraw(world, {"pledge_root": asked["pledge_root"].upper()})
    _withdraw(world, asked)
    with pytest.raises(Exception, match="is pledged to facility"):
        world.ledger.add_facility(range(50, 51), name="hall-2")
    with monkeypatch.context() as patch:
        patch.setattr(module, "MOST_LAPSED", 1)
        many = _refused(ask(world, new=OTHER))
    late = ask(world, new=OTHER).json()
    world.at(DAY_S)
    world.indexer().advance()

    assert [answer.status_code for answer in (strange, nobody, odd)] == [404, 401, 422]
    assert many == (409, "replacements_lapsed")
    assert _states(world) == ["withdrawn", "lapsed"]
    assert _refused(_withdraw(world, late)) == (409, "replacement_not_pending")
    assert _withdraw(world, asked).status_code == 200
    assert world.ledger.add_facility(range(50, 51), name="hall-3") > world.facility_id


def test_panel__approves_two_pledges_of_the_same_devices__nothing_is_closed_or_stopped(
    world: World,
) -> None:
    """A panel that signs blindly: what was withdrawn, and then another that undoes it too."""
    world.at(HOUR_S)
    asked, ready = _signed(world)
    _withdraw(world, asked)
    other = ask(world, old=device(1), new=OTHER).json()
    _send(world, ready)
    facility_id, registry = FacilityId(world.facility_id), world.contracts.pledge_registry
    root, epoch = Bytes32(bytes.fromhex(other["pledge_root"][2:])), Epoch(other["from_epoch"])
    digest = world.now(registry.pledge_digest(facility_id, root, epoch))
    signers = [signer_of(index) for index in ATTESTER_ACCOUNTS[:THRESHOLD]]
    signatures = {signer.address: signer.sign_digest(digest) for signer in signers}
    data = calldata.replace(facility_id, root, epoch, signatures)
    send(world.client, world.operator, registry.address, data)
    world.at_cut_off(1)
    world.indexer().advance()
    failed: list[Any] = []

    closed = close_due(world.engine, world.evidence, world.clock(), on_failed=failed.append)
    taken = world.ledger.codes(world.ledger.usage(2, DAY_S, DAY_S + HOUR_S))

    assert _states(world) == ["approved", "approved"]
    assert [each.statement.epoch for each in closed] == [0]
    assert "changes more than one device" in str(failed[0])
    assert taken == ["accepted"]


def test_command__withdraw__says_what_became_of_it(world: World) -> None:
    world.at(HOUR_S)
    runner, where = CliRunner(), str(world.facility_id)
    with serving(world.app) as port:
        ends = ["--api-url", f"http://127.0.0.1:{port}", "--api-key", world.ledger.api_key]
        nothing = runner.invoke(app, ["replace", "withdraw", where, NEW, *ends])
        ask(world)
        first, again = (
            runner.invoke(app, ["replace", "withdraw", where, NEW, *ends]) for _ in range(2)
        )
        as_json = runner.invoke(app, ["replace", "withdraw", where, NEW, "--json", *ends])
        replaced(world)
        late = runner.invoke(app, ["replace", "withdraw", where, NEW, *ends])

    assert nothing.exit_code == 1
    assert f"no replacement by {NEW}" in nothing.stderr
    line = f"withdrawn: {NEW} in the place of {OLD} from epoch 1\n"
    assert [(a.exit_code, a.stdout) for a in (first, again)] == [(0, line)] * 2
    assert json.loads(as_json.stdout)["state"] == "withdrawn"
    assert late.exit_code == 1
    assert "is approved" in late.stderr
