"""What the public reads of a facility that ended: times, closing, cash flows, vouchers, history."""

from typing import Any

import pytest

from tests.endings import BOND, CLOSES_S, ENDED_S, GROSS, RENT, bond, closed, default, first_epoch
from tests.factories import START_S
from tests.world import HOLDERS, World

pytestmark = pytest.mark.chain


def _get(world: World, path: str) -> Any:
    answer = world.http.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_facility__before_it_ends__has_no_ending(world: World) -> None:
    world.indexer().advance()

    found = _get(world, f"/v1/facilities/{world.facility_id}")

    assert (found["state"], found["ending"]) == ("funded", None)


def test_facility__ended_and_not_closed__says_when(world: World) -> None:
    bond(world)
    first_epoch(world)
    default(world)
    world.round()

    found = _get(world, f"/v1/facilities/{world.facility_id}")

    assert found["state"] == "defaulted"
    ended = {"ended_at_s": START_S + ENDED_S, "closed_at_s": None, "closing": None}
    assert found["ending"] == ended
    assert _get(world, f"/v1/tranches/{world.token_ids[0]}")["ending"] == ended


@pytest.mark.both_databases
def test_facility__closed__shows_every_share_and_they_add_up(world: World) -> None:
    closed(world)

    (found,) = _get(world, "/v1/facilities")
    tranche = _get(world, f"/v1/tranches/{world.token_ids[1]}")

    ending = found["ending"]
    assert ending == tranche["ending"]
    assert ending["closed_at_s"] == START_S + CLOSES_S
    shared = ending["closing"]
    # Rent of three dollars was missing: the bond paid it first.
    assert (shared["bond_micros"], shared["advanced_micros"]) == (BOND, GROSS - RENT)
    # 99 % promised: all of two epochs, and the first fell short of nothing.
    assert shared["missing_gpu_seconds"] == 2 * 4 * 86_400 * 99 // 100
    # The bond is smaller than the damages: vouchers of five hours share them with junior units,
    # and nothing is left for treasury and operator.
    assert 0 < shared["to_vouchers_micros"][1] < 5_000_000
    assert (shared["to_treasury_micros"], shared["to_operator_micros"]) == (0, 0)
    # One a tranche, though the event has room for four.
    assert (len(shared["to_units_micros"]), len(shared["to_vouchers_micros"])) == (2, 2)
    parts = [*shared["to_units_micros"], *shared["to_vouchers_micros"]]
    parts += [shared["to_treasury_micros"], shared["to_operator_micros"]]
    assert sum(parts) + shared["advanced_micros"] == BOND
    assert tranche["bond"]["bond_micros"] == 0


def test_cash_flows__closed_facility__add_up_to_what_tranches_got(world: World) -> None:
    """settled - fees - residual + to units + to operator = accrued, from the list alone."""
    closed(world)

    flows = _get(world, f"/v1/facilities/{world.facility_id}/cash-flows")

    def total(event: str) -> int:
        return sum(f["amount_micros"] for f in flows if f["event"] == event)

    shared = [f["shared"] for f in flows if f["shared"] is not None]
    for flow in flows:
        if flow["shared"] is not None:
            assert sum(flow["shared"].values()) == flow["amount_micros"]
    assert [f["event"] for f in flows if f["shared"]] == ["FacilityClosed", "LateRentShared"]
    fees = sum(f["fee_micros"] or 0 for f in flows)
    back = sum(s["to_units_micros"] + s["to_operator_micros"] for s in shared)
    accrued = total("Settled") - fees - total("ResidualOwed") + back
    assert accrued == total("RevenueAccrued") > 0
    waterfall = _get(world, f"/v1/tranches/{world.token_ids[0]}/waterfall")
    assert waterfall["recovered_micros"] == sum(s["to_units_micros"] for s in shared)
    vouchers = waterfall["recovered_by_vouchers_micros"]
    assert vouchers == sum(s["to_vouchers_micros"] for s in shared) == total("VoucherPaid")


def test_portfolio__unserved_voucher__is_payable_and_then_paid(world: World) -> None:
    bond(world)
    first_epoch(world)
    default(world)
    world.round()
    before = _get(world, f"/v1/portfolio/{HOLDERS[1]}")["vouchers"]
    world.at(CLOSES_S)
    world.round()
    (voucher,) = _get(world, f"/v1/portfolio/{HOLDERS[1]}")["vouchers"]

    assert [(v["payable_micros"], v["paid_micros"]) for v in before] == [(0, 0)]
    # It is the only one, so it gets all that the closing gave to vouchers.
    closing = _get(world, f"/v1/facilities/{world.facility_id}")["ending"]["closing"]
    assert voucher["payable_micros"] == closing["to_vouchers_micros"][1] > 0
    assert voucher["paid_micros"] == 0


def test_history__voucher_paid__is_told_with_its_money(world: World) -> None:
    closed(world)

    (voucher,) = _get(world, f"/v1/portfolio/{HOLDERS[1]}")["vouchers"]
    entries = _get(world, f"/v1/portfolio/{HOLDERS[1]}/history")["entries"]

    paid = [e for e in entries if e["event"] == "voucher_paid"]
    assert [e["amount_micros"] for e in paid] == [voucher["paid_micros"]]
    assert voucher["payable_micros"] == 0
    assert paid[0]["units"] is None
