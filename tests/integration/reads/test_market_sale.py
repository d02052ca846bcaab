"""A sale on a real chain as buyers see it: open, missed floor, refund; bond and hardware."""

from typing import Any

import pytest
from sqlalchemy import insert

from api.chain import calldata
from api.chain.abi import Function
from api.db.facilities import facility_row
from api.db.session import reading, transaction
from api.db.tables.facilities import hardware_disclosures
from api.domain.capital.risk import YEAR_S
from api.domain.facility import TrancheTerms
from api.domain.statements.evidence_reader import decode_facility
from scripts.dev.stack import COMPLIANCE
from tests.factories import DAY_S, START_S
from tests.world import HOLDERS, World, send, wallet

pytestmark = pytest.mark.chain
_REFUND = Function("refund", ("uint256", "uint256", "address"))
_PRICES = [2_000_000, 1_000_000]
_OPENS_S, _CLOSES_S = 3_600, DAY_S


def _get(world: World, path: str) -> Any:
    answer = world.http.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _offer(world: World) -> int:
    """A second facility with a bond of five dollars, of which three are there, and a sale."""
    deployment, operator = world.deployment, world.operator
    facility_id = world.ledger.add_facility(
        range(20, 22),
        name="=cmd()",
        window_start_s=START_S + 2 * DAY_S,
        window_end_s=START_S + 5 * DAY_S,
        settlement_token=deployment.settlement_token,
        tranches=(TrancheTerms(30, 2_200_000), TrancheTerms(20)),
    )
    with reading(world.engine) as connection:
        terms = decode_facility(facility_row(connection, facility_id).terms_json)
    send(world.client, operator, deployment.facility_registry, calldata.offer(terms))
    bond = (5_000_000, 4_000_000)
    vault = deployment.bond_vault
    data = calldata.call("BondVault", "setTerms", facility_id, bond)
    send(world.client, operator, vault, data)
    _fund(world, operator, vault, 3_000_000)
    data = calldata.call("BondVault", "deposit", facility_id, 3_000_000)
    send(world.client, operator, vault, data)
    sale = (START_S + _OPENS_S, START_S + _CLOSES_S, 40_000_000, 2_000, _PRICES)
    data = calldata.call("PrimarySale", "open", facility_id, sale)
    send(world.client, operator, deployment.primary_sale, data)
    return facility_id


def _fund(world: World, account: str, spender: str, amount: int) -> None:
    token = world.deployment.settlement_token
    mint = calldata.call("SettlementToken", "mint", account, amount)
    send(world.client, wallet(COMPLIANCE).address, token, mint)
    approve = calldata.call("SettlementToken", "approve", spender, amount)
    send(world.client, account, token, approve)


def _buy(world: World, token_id: int, units: int, price: int) -> None:
    sale, cost = world.deployment.primary_sale, units * price
    _fund(world, HOLDERS[0], sale, cost)
    buy = calldata.call("PrimarySale", "buy", token_id, units, cost)
    send(world.client, HOLDERS[0], sale, buy)


@pytest.mark.both_databases
def test_sale__floor_missed__is_refundable_and_refunded(world: World) -> None:
    facility_id = _offer(world)
    senior, junior = facility_id << 8, facility_id << 8 | 1
    world.indexer().advance()
    before = _get(world, f"/v1/tranches/{senior}")
    world.at(_OPENS_S)
    _buy(world, senior, 7, 2_000_000)
    _buy(world, junior, 2, 1_000_000)
    world.indexer().advance()
    during = _get(world, f"/v1/tranches/{senior}")
    on_sale = _get(world, "/v1/tranches?state=offered&sort=units_left")
    world.at(_CLOSES_S)
    finalize = calldata.call("PrimarySale", "finalize", facility_id)
    send(world.client, HOLDERS[1], world.deployment.primary_sale, finalize)
    world.indexer().advance()
    after = _get(world, f"/v1/tranches/{senior}")
    refundable = _get(world, f"/v1/portfolio/{HOLDERS[0]}")["refundable"]
    data = "0x" + _REFUND.encode(senior, 3, HOLDERS[0]).hex()
    send(world.client, HOLDERS[0], world.deployment.primary_sale, data)
    world.indexer().advance()
    history = _get(world, f"/v1/portfolio/{HOLDERS[0]}/history?limit=3")

    assert (before["sale"]["state"], before["units_left"]) == ("scheduled", None)
    assert (before["units_issued"], before["paid_per_unit_micros"]) == (0, None)
    assert (during["sale"]["state"], during["units_left"]) == ("open", 23)
    assert (during["price_micros"], during["units_issued"]) == (2_000_000, 7)
    assert during["sale"]["sold_units"] == 9
    assert during["sale"]["proceeds_micros"] == 16_000_000
    assert during["sale"]["counted_micros"] == 16_000_000
    assert during["sale"]["floor_micros"] == 40_000_000
    assert [t["units_left"] for t in on_sale["tranches"]] == [18, 23]
    assert (after["state"], after["sale"]["state"]) == ("cancelled", "refunding")
    assert after["units_left"] is None
    assert refundable == [
        {"token_id": str(senior), "units": 7, "amount_micros": 14_000_000},
        {"token_id": str(junior), "units": 2, "amount_micros": 2_000_000},
    ]
    assert [(e["event"], e["units"], e["amount_micros"]) for e in history["entries"]] == [
        ("units_refunded", 3, 6_000_000),
        ("units_bought", 2, 2_000_000),
        ("units_bought", 7, 14_000_000),
    ]


def test_tranche__bond_and_hardware__are_shown(world: World) -> None:
    facility_id = _offer(world)
    row = {"facility_id": facility_id, "cost_micros_per_device": 30_000_000_000}
    times = {"in_service_s": world.clock() - YEAR_S, "disclosed_at_s": world.clock()}
    with transaction(world.engine) as connection:
        older = row | times | {"cost_micros_per_device": 1, "disclosed_at_s": 5}
        connection.execute(insert(hardware_disclosures), row | times)
        connection.execute(insert(hardware_disclosures), older)
    world.indexer().advance()

    found = _get(world, f"/v1/tranches/{facility_id << 8}")

    bond = found["bond"]
    assert (bond["bond_micros"], bond["required_bond_micros"]) == (3_000_000, 5_000_000)
    assert bond["rate_micros_per_gpu_hour"] == 4_000_000
    assert found["ending"] is None
    assert found["terms"]["silence"] == "available"
    assert (found["terms"]["patience_s"], found["terms"]["long_stop_s"]) == (7 * DAY_S, 180 * DAY_S)
    assert found["risk"]["bond_micros"] == 3_000_000
    hardware = found["risk"]["hardware"]
    # Two devices at thirty thousand dollars, after a year.
    assert hardware["device_count"] == 2
    assert [v["value_micros"] for v in hardware["straight_line"]] == [
        40_000_000_000,
        45_000_000_000,
        50_000_000_000,
    ]


def test_csv__name_like_a_formula__is_made_harmless(world: World) -> None:
    """ATTACKS 39."""
    world.ledger.add_facility(range(20, 22), name='=HYPERLINK("x"),1')

    answer = world.http.get("/v1/tranches.csv")

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]
    assert '"\'=HYPERLINK(""x""),1"' in answer.text
