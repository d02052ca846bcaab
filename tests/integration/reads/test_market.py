"""The market over HTTP on a real chain, with figures that a person can check by hand."""

from typing import Any

import pytest

from api.domain.units import TrancheId
from tests.factories import DAY_S, HOUR_S, START_S
from tests.integration.service import Service, problem
from tests.story import two_epochs
from tests.world import HOLDERS, World

pytestmark = pytest.mark.chain


def get(world: World, path: str) -> Any:
    """JSON of a public route that must answer."""
    answer = world.http.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.both_databases
def test_market__two_epochs__has_the_figures_of_the_story(world: World) -> None:
    two_epochs(world)
    senior, junior = world.token_ids

    found = get(world, "/v1/tranches?sort=paid_per_unit&order=desc")
    detail = get(world, f"/v1/tranches/{senior}")
    series = get(world, f"/v1/tranches/{senior}/series")

    assert [t["token_id"] for t in found["tranches"]] == [str(junior), str(senior)]
    row = found["tranches"][0]
    # 14 used of 94 available hours in epoch 0 (13 h and 1 s; 4 h withheld), 3 of 96 in epoch 1.
    billed, available = 13 * HOUR_S + 1 + 3 * HOUR_S, 8 * DAY_S - 4 * HOUR_S
    assert row["utilisation_ppm"] == billed * 10**6 // available
    assert row["availability_ppm"] == available * 10**6 // (8 * DAY_S)
    assert (row["state"], row["units_issued"], row["sale"]) == ("delivering", 20, None)
    # 57.40 dollars to 20 units; the senior had its coupon of 20 cents so far.
    assert row["paid_per_unit_micros"] == 57_400_000 // 20
    assert found["tranches"][1]["paid_per_unit_micros"] == 200_000
    assert [s["accrued_micros"] for s in detail["siblings"]] == [2_000_000, 57_400_000]
    assert [s["arrears_micros"] for s in detail["siblings"]] == [0, 0]
    risk = detail["risk"]
    # Ninety attested, sixty paid: the second statement is the oldest that is not paid.
    assert risk["receivable_micros"] == 30_000_000
    assert risk["receivable_age_s"] == world.clock() - (START_S + 2 * DAY_S + HOUR_S)
    # One GPU at two dollars for the ten hours that are left.
    assert risk["remaining_contracted_micros"] is None
    assert risk["hardware"] is None
    assert "name_secret" not in str(detail)
    assert [p["gross_micros"] for p in series["points"]] == [39_000_277, 50_999_723]
    assert [p["accrued_micros"] for p in series["points"]] == [1_000_000, 1_000_000]
    assert [p["settled_micros"] for p in series["points"]] == [20_000_000, 40_000_000]
    assert series["points"][0]["promised_gpu_seconds"] == 4 * DAY_S * 99 // 100


@pytest.mark.both_databases
def test_portfolio__after_a_claim__holds_what_the_chain_says(world: World) -> None:
    two_epochs(world)

    first = get(world, f"/v1/portfolio/{HOLDERS[0].lower()}")
    second = get(world, f"/v1/portfolio/{HOLDERS[1]}")

    assert first["address"] == HOLDERS[0]
    assert first["eligibility"]["known"] is True
    assert first["total"]["claimed_micros"] == 10_425_000
    assert first["total"]["claimable_micros"] == 0
    # Half of the second settlement still streams: 0.5 and 19.3 dollars, 6 of 10 and 5 of 20 units.
    assert first["total"]["streaming_micros"] == 500_000 * 6 // 10 + 19_300_000 * 5 // 20
    assert [p["units"] for p in second["positions"]] == [4, 15]
    for position in second["positions"]:
        token, token_id = world.contracts.tranche_token, TrancheId(int(position["token_id"]))
        claimable = token.claimable_micros(HOLDERS[1], token_id)
        expected = claimable.at(block=second["as_of"]["block"])
        assert position["claimable_micros"] == expected > 0


def test_config__with_a_deployment__names_contracts_and_token(world: World) -> None:
    found = get(world, "/v1/config")

    assert found["chain_id"] == 31_337
    assert found["rpc_url"] == world.chain.rpc_url
    assert found["contracts"] == world.deployment.addresses
    token = found["settlement_token"]
    assert (token["symbol"], token["decimals"]) == ("mUSD", 6)
    assert found["challenge_window_s"] == 3_600
    assert found["demo_accounts"] == []


def test_market__without_a_deployment__is_registered_and_unknown(service: Service) -> None:
    token_id = service.ledger.facility_id << 8

    config = service.client.get("/v1/config").json()
    row = service.client.get("/v1/tranches").json()["tranches"][0]
    detail = service.client.get(f"/v1/tranches/{token_id}").json()
    portfolio = service.client.get("/v1/portfolio/0x" + "ab" * 20).json()

    assert (config["contracts"], config["settlement_token"]) == ({}, None)
    assert (row["state"], row["unit_cap"]) == ("registered", 10)
    unknown = ("units_issued", "units_left", "price_micros", "sale", "utilisation_ppm")
    for name in (*unknown, "availability_ppm", "paid_per_unit_micros"):
        assert row[name] is None, name
    assert (detail["bond"], detail["as_of"]) == (None, None)
    assert detail["siblings"][0]["arrears_micros"] is None
    assert detail["risk"]["receivable_micros"] is None
    assert service.client.get(f"/v1/tranches/{token_id}/series").json()["points"] == []
    holders = service.client.get(f"/v1/tranches/{token_id}/holders").json()
    assert holders == {"total": 0, "units_issued": None, "holders": []}
    assert (portfolio["as_of"], portfolio["eligibility"]["can_send"]) == (None, None)


@pytest.mark.parametrize("token_id", ["1", "257", str(2**72 - 1), "9" * 22])
@pytest.mark.parametrize("part", ["", "/series", "/holders"])
def test_tranche__unknown_id__is_not_found(service: Service, token_id: str, part: str) -> None:
    problem(service.client.get(f"/v1/tranches/{token_id}{part}"), 404, "not_found")
