"""Units for compute: who may order it, and what a unit gives."""

from dataclasses import replace

import brownie
import pytest
from brownie import chain

from api.chain.structs import to_abi
from api.domain.capital.orders import order_digest
from api.domain.capital.vouchers import gpu_seconds_of_units
from api.domain.units import Micros
from tests.contracts.delivery import BOND, HOUR_S, REF


def test_take_delivery__burned_units__earn_no_more_and_keep_what_they_earned(delivery):
    """Invariant 3, and 1: minted = held + delivered."""
    world = delivery.world
    delivery.close(0, 0)
    world.pay(24_900_010)
    world.settle()
    world.wait_until(chain[-1].timestamp + HOUR_S)
    earned = world.token.claimable(world.bob, world.junior)

    delivery.take(world.bob, 11)

    assert earned > 0
    assert world.token.claimable(world.bob, world.junior) >= earned
    assert world.token.burnedOf(world.junior)[0] == 11
    assert world.token.totalSupply(world.junior) == 13
    world.token.claim([world.junior], world.bob, {"from": world.bob})
    assert world.token.claimable(world.bob, world.junior) == 0
    delivery.close(1, 0)
    world.pay(24_900_010)
    world.settle()
    world.wait_until(chain[-1].timestamp + HOUR_S)
    assert world.token.claimable(world.bob, world.junior) == 0


def test_take_delivery__late_and_senior__gives_what_is_left_at_its_coupon(delivery):
    """Rule 7 of the deal: by the time left, and a senior by coupon over rate; split or whole."""
    world = delivery.world
    world.wait_until(world.terms.window_start_s + 2 * HOUR_S + 1_234)

    senior = delivery.take(world.ann, 3, seniority=0)
    junior = delivery.take(world.ann, 7)

    # A senior is worth its coupon, which is half of the rate; both give less than half of that.
    owed = delivery.vouchers
    assert owed[senior].owed * 2 * 7 // 3 == pytest.approx(owed[junior].owed, abs=20)
    assert owed[junior].owed < 7 * HOUR_S // 2
    delivery.close(0, 0)
    late = delivery.close(1, 0)
    assert late.statement.billed_gpu_seconds == HOUR_S


def test_take_delivery__nobody_signed__reverts_and_burns_nothing(delivery):
    """Findings C2 and L1: no reference of one's own, no order of another's, none twice."""
    world = delivery.world
    order = world.order(world.ann, world.junior, 2, REF)
    signature = world.sign_order(order)
    assert world.desk.orderDigest(to_abi(order)) == brownie.convert.datatypes.HexString(
        order_digest(order, chain_id=chain.id, desk=world.desk.address), "bytes32"
    )
    forged = world.sign_order(order, world.ann)
    changed = replace(order, units=3)
    for given, signed, holder, error in (
        (order, forged, world.ann, "OrderSignatureInvalid"),
        (changed, signature, world.ann, "OrderSignatureInvalid"),
        (order, signature, world.bob, "OrderOfAnother"),
    ):
        with brownie.reverts(revert_pattern=f"{error}.*"):
            world.desk.takeDelivery(to_abi(given), signed, {"from": holder})
    world.desk.takeDelivery(to_abi(order), signature, {"from": world.ann})
    with brownie.reverts(revert_pattern="OrderUsed.*"):
        world.desk.takeDelivery(to_abi(order), signature, {"from": world.ann})

    taken_back = world.order(world.ann, world.junior, 1, REF)
    world.desk.cancelOrder(taken_back.nonce, {"from": world.operator})
    with brownie.reverts(revert_pattern="OrderUsed.*"):
        signed = world.sign_order(taken_back)
        world.desk.takeDelivery(to_abi(taken_back), signed, {"from": world.ann})
    late = world.order(world.ann, world.junior, 1, REF, deadline_s=chain[-1].timestamp - 1)
    with brownie.reverts(revert_pattern="OrderExpired.*"):
        world.desk.takeDelivery(to_abi(late), world.sign_order(late), {"from": world.ann})
    assert world.token.balanceOf(world.ann, world.junior) == 11


def test_take_delivery__reference_of_another_or_after_the_window__reverts(delivery):
    """ATTACKS 29: nobody uses up another's lease, or delivers after the window."""
    world = delivery.world
    delivery.take(world.ann, 1)
    with brownie.reverts(revert_pattern="LeaseTaken.*"):
        delivery.take(world.bob, 1)
    world.wait_until(world.terms.window_end_s)

    with brownie.reverts(revert_pattern="DeliveryClosed.*"):
        delivery.take(world.ann, 1)
    assert world.desk.voucherCount() == 1


def test_take_delivery__no_rate__burns_nothing(world):
    """Finding F44: without a rate nothing would be paid for compute that never comes."""
    world.offer()
    world.set_bond(1_000_000, rate=0)
    world.fund(offer=False)

    with brownie.reverts(revert_pattern="DeliveryWithoutRate.*"):
        world.take_delivery(world.ann, world.junior, 1, REF)
    assert world.token.balanceOf(world.ann, world.junior) == 13


@pytest.mark.parametrize(
    ("rate", "expected_s"),
    [
        # Promised are 39.6 hours: 83,160,039 less 16,000,048 is 2,798,332 a junior.
        (2_100_001, HOUR_S),
        # 27,720,039 less 16,000,048 is 488,332 a junior, of 700,001 for an hour.
        (700_001, 2_511),
        # 15,840,039: nothing is left.
        (400_001, 0),
    ],
)
def test_take_delivery__junior__gives_what_the_promise_leaves_to_it(world, rate, expected_s):
    """Findings V1 and V2 of docs/reviews/closing-thief.md."""
    world.offer()
    world.set_bond(BOND, rate=rate)
    world.fund(offer=False)
    if not expected_s:
        with brownie.reverts(revert_pattern="DeliveryEmpty.*"):
            world.take_delivery(world.ann, world.junior, 13, REF)
        return

    world.take_delivery(world.ann, world.junior, 1, REF)

    assert world.desk.voucherOf(world.desk.voucherCount())[3] == expected_s
    assert world.desk.gpuSecondsDown(world.senior, 1) == gpu_seconds_of_units(
        world.terms,
        seniority=0,
        units=1,
        rate_micros_per_gpu_hour=Micros(rate),
        now_s=chain[-1].timestamp,
    )
