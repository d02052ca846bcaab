"""Holders and history from indexed transfers, against the chain's own balances."""

import csv
import io
import random
from typing import Any

import pytest
from sqlalchemy import delete

from api.chain import calldata
from api.chain.abi import Function
from api.db.session import transaction
from api.db.tables.chain import chain_events
from api.domain.units import TrancheId
from scripts.dev.stack import COMPLIANCE, OPERATORS
from tests.factories import DAY_S, HOUR_S
from tests.integration.service import problem
from tests.world import HOLDERS, World, send, wallet

pytestmark = pytest.mark.chain

_BATCH = Function(
    "safeBatchTransferFrom", ("address", "address", "uint256[]", "uint256[]", "bytes")
)
_FORCED = Function("forcedTransfer", ("address", "address", "uint256", "uint256"))
# Account 0 deploys and keeps every role, the enforcer's too.
_ENFORCER = wallet(COMPLIANCE).address
_ACCOUNTS = (*HOLDERS, *(wallet(i).address for i in OPERATORS))


def _get(world: World, path: str) -> Any:
    answer = world.http.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _units(world: World, account: str, token_id: TrancheId) -> int:
    return world.now(world.contracts.tranche_token.position_of(account, token_id)).units


def _step(world: World, rng: random.Random) -> None:
    """One random move of units that the sender holds."""
    token, sender = world.deployment.tranche_token, rng.choice(_ACCOUNTS)
    target = rng.choice(_ACCOUNTS)
    token_id = rng.choice(world.token_ids)
    held = _units(world, sender, token_id)
    if held == 0:
        return
    units, kind = rng.randint(1, held), rng.choice(("one", "batch", "self", "burn", "forced"))
    if kind == "batch":
        # The same id three times, and nothing of it once.
        values = [units // 2, 0, units - units // 2]
        ids = [token_id] * 3
        data = "0x" + _BATCH.encode(sender, target, ids, values, b"").hex()
    elif kind == "burn":
        nonce = rng.getrandbits(64)
        world.take_delivery(sender, token_id, 1, sender.encode()[:32], nonce=nonce)
        return
    elif kind == "forced" and sender != target:
        data = "0x" + _FORCED.encode(sender, target, token_id, units).hex()
        send(world.client, _ENFORCER, token, data)
        return
    else:
        target = sender if kind == "self" else target
        data = calldata.call(
            "TrancheToken", "safeTransferFrom", sender, target, token_id, units, b""
        )
    send(world.client, sender, token, data)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.both_databases
def test_holders__random_history__are_the_chains_balances(world: World, seed: int) -> None:
    """ATTACKS 1, 2: batches that repeat an id, self transfers, burns and forced transfers."""
    rng = random.Random(seed)
    world.at(HOUR_S)
    for _ in range(40):
        _step(world, rng)
    world.indexer().advance()

    for token_id in world.token_ids:
        found = _get(world, f"/v1/tranches/{token_id}/holders")

        expected = {a: _units(world, a, token_id) for a in _ACCOUNTS}
        assert {h["address"]: h["units"] for h in found["holders"]} == {
            a: n for a, n in expected.items() if n
        }
        supply = world.now(world.contracts.tranche_token.total_supply(token_id))
        assert sum(h["units"] for h in found["holders"]) == found["units_issued"] == supply
        units = [h["units"] for h in found["holders"]]
        assert units == sorted(units, reverse=True)
        page = _get(world, f"/v1/tranches/{token_id}/holders?offset=1&limit=1")
        assert page["holders"] == found["holders"][1:2]
        assert page["total"] == len(found["holders"])
    for account in _ACCOUNTS:
        rows = list(csv.DictReader(io.StringIO(_statement(world, account))))
        for token_id in world.token_ids:
            held = [r["units_held"] for r in rows if r["token_id"] == str(token_id)]
            # The statement's running total ends at what the chain holds.
            assert int(held[-1] if held else 0) == _units(world, account, token_id)


def _statement(world: World, account: str) -> str:
    answer = world.http.get(f"/v1/portfolio/{account}/statement.csv")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="statement.csv"'
    return answer.content.decode()


def test_holders__transfer_missing_from_the_index__says_so(world: World) -> None:
    world.indexer().advance()
    with transaction(world.engine) as connection:
        missing = chain_events.c.event == "TransferSingle"
        part = chain_events.c.counterparty == HOLDERS[0].lower()
        connection.execute(delete(chain_events).where(missing, part))
        connection.execute(chain_events.update().where(missing).values(account=HOLDERS[0].lower()))

    answer = world.http.get(f"/v1/tranches/{world.token_ids[0]}/holders")

    problem(answer, 503, "index_incomplete")


@pytest.mark.both_databases
def test_history__delivery_claim_and_transfer__each_thing_once(world: World) -> None:
    senior, junior = world.token_ids
    token, (ann, bob) = world.deployment.tranche_token, HOLDERS
    world.take_delivery(ann, junior, 2, b"\7" * 32)
    world.at(HOUR_S)
    move = calldata.call("TrancheToken", "safeTransferFrom", ann, bob, senior, 1, b"")
    send(world.client, ann, token, move)
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, 2 * HOUR_S))
    world.post(0)
    world.at_finality(0)
    world.pay(2_000_000)
    world.round()
    world.at(3 * DAY_S)
    world.claim(ann)
    world.indexer().advance()

    found = _get(world, f"/v1/portfolio/{ann}/history")
    portfolio = _get(world, f"/v1/portfolio/{ann}")
    newest = _get(world, f"/v1/portfolio/{ann}/history?limit=1")

    assert [(e["event"], e["units"]) for e in reversed(found["entries"])] == [
        ("units_minted", 6),
        ("units_minted", 5),
        ("voucher_issued", 2),
        ("units_sent", 1),
        ("revenue_claimed", None),
        ("revenue_claimed", None),
    ]
    assert found["total"] == 6
    assert newest["entries"] == found["entries"][:1]
    assert found["entries"][2]["counterparty"] == bob
    # 1.98 dollars after the fee: 1.00 to ten senior units, 0.98 to the eighteen junior that are
    # left. 5 and 3 are hers.
    claimed = sum(e["amount_micros"] or 0 for e in found["entries"])
    assert claimed == 500_000 + 980_000 * 3 // 18
    assert portfolio["total"]["claimed_micros"] == claimed
    voucher = portfolio["vouchers"][0]
    assert (voucher["facility_id"], voucher["owed_gpu_seconds"]) == (world.facility_id, 7_200)
    assert (voucher["token_id"], voucher["units"]) == (str(junior), 2)
    assert voucher["lease"] == "0x" + "07" * 32
    row = _get(world, f"/v1/tranches/{junior}")
    # Two of twenty units were burned before anything was paid.
    assert (row["units_issued"], row["paid_per_unit_micros"]) == (18, 980_000 // 18)
    last = list(csv.DictReader(io.StringIO(_statement(world, ann))))[-1]
    assert last["received_micros"] == str(claimed)


def test_market__burn_while_revenue_streams__pays_the_rest_to_fewer_units(world: World) -> None:
    """The stream is replayed where supply changed after the first accrual."""
    junior, ann = world.token_ids[1], HOLDERS[0]
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, 3 * HOUR_S))
    world.post(0)
    world.at_finality(0)
    world.pay(3_000_000)
    world.round()
    world.at(DAY_S + HOUR_S + HOUR_S + DAY_S // 2)
    world.take_delivery(ann, junior, 5, b"\7" * 32)
    world.indexer().advance()

    row = _get(world, f"/v1/tranches/{junior}")

    # 1.97 dollars: half to twenty units, half to fifteen.
    stored = world.now(world.contracts.tranche_token.tranche_of(junior))
    assert row["units_issued"] == stored.supply == 15
    expected = (stored.acc_x24 + stored.pending_x24 // stored.supply) >> 24
    assert row["paid_per_unit_micros"] == expected
    assert abs(expected - (1_970_000 // 40 + 1_970_000 // 30)) <= 10
