"""A lost wallet is recovered: what the API says of both wallets, and what verify replays."""

from typing import Any

import pytest

from api.chain import calldata
from api.chain.abi import Function
from api.chain.contracts.wallet_desk import ProposalKind
from scripts.dev.stack import COMPLIANCE
from scripts.roles import ENFORCER
from tests.factories import DAY_S, HOUR_S
from tests.world import HOLDERS, World, send, wallet

pytestmark = pytest.mark.chain

_GRANT_ROLE = Function("grantRole", ("uint64", "address", "uint32"))
# Account 0 keeps every role; whoever confirms must be somebody else.
_PROPOSER, _CONFIRMER, _NEW = (wallet(i).address for i in (COMPLIANCE, 17, 18))
_FOREVER = (2**64 - 1, 752, True, True)


def _get(world: World, account: str) -> Any:
    answer = world.http.get(f"/v1/portfolio/{account}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def _desk(world: World, sender: str, name: str, *arguments: object) -> None:
    data = calldata.call("WalletDesk", name, *arguments)
    send(world.client, sender, world.deployment.wallet_desk, data)


def _propose(world: World) -> None:
    """Ann's wallet is said to be lost; the new one is on the allow-list."""
    ann = HOLDERS[0]
    grant = "0x" + _GRANT_ROLE.encode(ENFORCER, _CONFIRMER, 0).hex()
    send(world.client, _PROPOSER, world.deployment.addresses["AccessManager"], grant)
    entry = calldata.call("InvestorRegistry", "setInvestor", _NEW, _FOREVER)
    send(world.client, _PROPOSER, world.deployment.investor_registry, entry)
    _desk(world, _PROPOSER, "proposeRecovery", ann, _NEW, world.token_ids)


def _earn(world: World) -> None:
    """An epoch's rent streams to holders, all of it by the third day."""
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, 2 * HOUR_S))
    world.post(0)
    world.at_finality(0)
    world.pay(2_000_000)
    world.round()


@pytest.mark.both_databases
def test_recovery__lost_wallet__portfolios_vouchers_and_verify_agree(world: World) -> None:
    ann, (senior, junior) = HOLDERS[0], world.token_ids
    voucher = world.take_delivery(ann, junior, 2, b"\7" * 32)
    _earn(world)
    world.at(3 * DAY_S)
    _propose(world)
    world.indexer().advance()
    asked = _get(world, ann)["wallet"]
    number = world.now(world.contracts.wallet_desk.proposal_of(ann)).number
    _desk(world, _CONFIRMER, "confirm", ann, number)
    world.indexer().advance()
    waiting = _get(world, ann)
    held = {p["token_id"]: p["units"] for p in waiting["positions"]}
    due = waiting["total"]["claimable_micros"]
    world.at(10 * DAY_S + HOUR_S)

    _desk(world, _NEW, "execute", ann)
    _desk(world, _NEW, "collectUnits", ann, [senior, junior])
    _desk(world, _NEW, "collectRevenue", ann, [senior, junior], _NEW)
    _desk(world, _NEW, "collectVouchers", ann, [voucher])
    world.indexer().advance()

    assert asked["proposal"]["opens_at_s"] is None
    assert asked["proposal"]["kind"] == "recovery"
    assert asked["proposal"]["to"] == _NEW
    assert waiting["wallet"]["proposal"]["opens_at_s"] is not None
    old, new = _get(world, ann), _get(world, _NEW)
    assert old["wallet"] == {"proposal": None, "recovered_to": _NEW, "recovered_from": []}
    assert new["wallet"] == {"proposal": None, "recovered_to": None, "recovered_from": [ann]}
    assert {p["token_id"]: p["units"] for p in new["positions"]} == held
    assert all(p["units"] == 0 for p in old["positions"])
    assert old["vouchers"] == []
    assert [v["voucher_id"] for v in new["vouchers"]] == [str(voucher)]
    paid = world.now(world.contracts.settlement_token.balance_micros(_NEW))
    assert paid >= due > 0
    assert old["total"]["claimed_micros"] == paid
    report = world.verify()
    assert report.findings == ()


def test_recovery__wallet_acts__nothing_is_proposed_any_more(world: World) -> None:
    ann = HOLDERS[0]
    world.at(HOUR_S)
    _propose(world)

    world.claim(ann)
    world.indexer().advance()

    assert _get(world, ann)["wallet"]["proposal"] is None
    proposal = world.now(world.contracts.wallet_desk.proposal_of(ann))
    assert (proposal.kind, proposal.to) == (ProposalKind.NONE, _NEW.lower())
    assert world.now(world.contracts.wallet_desk.successor_of(ann)) == "0x" + "00" * 20
