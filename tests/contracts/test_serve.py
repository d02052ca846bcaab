"""Vouchers and lines of real statements: every GPU-second serves once."""

import brownie
from brownie import chain

from api.domain.metering.usage import LineKind
from tests.contracts.delivery import FULL_HOUR, HOUR_S, REF, SHORT


def test_serve__one_line_for_many_vouchers__counts_second_by_second(delivery):
    """Finding C3: an honest line serves as many vouchers as its seconds reach, in any calls."""
    world = delivery.world
    vouchers = [delivery.take(world.ann, 1) for _ in range(3)]
    first, second, third = vouchers
    closed = delivery.close(0, SHORT)
    chain.sleep(601)
    chain.mine()

    delivery.count([second], closed)

    assert delivery.vouchers[second].served == SHORT
    with brownie.reverts(revert_pattern="LineAlreadyUsed.*"):
        delivery.serve(vouchers, closed)
    delivery.used = 0
    whole = delivery.close(1, FULL_HOUR)
    chain.sleep(601)
    chain.mine()
    delivery.count([second, third], whole)
    assert delivery.vouchers[second].open == 0
    assert delivery.vouchers[third].served == SHORT
    with brownie.reverts(revert_pattern="LineAlreadyUsed.*"):
        delivery.serve([first], whole)
    assert sum(world.desk.openGpuSecondsOf(7)) == 3 * HOUR_S - SHORT - FULL_HOUR


def test_serve__line_again_or_another__serves_nothing(delivery):
    """ATTACKS 29: delivered once; a renter's line, a foreign or an invented one is none."""
    world = delivery.world
    voucher, second = delivery.take(world.ann, 2), delivery.take(world.ann, 1)
    closed = delivery.close(0, SHORT)
    chain.sleep(601)
    chain.mine()
    for kind, claimed, error in (
        (LineKind.USAGE, {}, "LineNotDelivery"),
        (LineKind.USAGE, {"kind": 1, "lease": REF}, "LineNotProven"),
        (LineKind.DELIVERY, {"facility": 8}, "LineNotDelivery"),
        (LineKind.DELIVERY, {"start": 0}, "LineNotDelivery"),
        (LineKind.DELIVERY, {"gpu_seconds": HOUR_S}, "LineNotProven"),
        (LineKind.DELIVERY, {"index": 0}, "LineNotProven"),
        (LineKind.DELIVERY, {"epoch": 1}, "StatementNotFinal"),
    ):
        with brownie.reverts(revert_pattern=f"{error}.*"):
            delivery.serve([voucher], closed, kind, **claimed)

    delivery.count([voucher], closed)

    for number in (voucher, second):
        with brownie.reverts(revert_pattern="LineAlreadyUsed.*"):
            delivery.serve([number], closed)
    assert sum(world.desk.openGpuSecondsOf(7)) == 3 * HOUR_S - SHORT


def test_serve__compute_of_before_the_burn__serves_nothing(delivery):
    """ATTACKS 29: what was delivered while the units still earned does not count."""
    world = delivery.world
    early = delivery.take(world.ann, 1)
    world.wait_until(world.terms.window_start_s + 1)
    late = delivery.take(world.ann, 1)
    closed = delivery.close(0, FULL_HOUR)
    chain.sleep(601)
    chain.mine()

    with brownie.reverts(revert_pattern="LineNotForVoucher.*"):
        delivery.serve([late], closed)
    delivery.count([early], closed)


def test_serve__after_the_end__counts_until_the_closing(delivery):
    """Deliveries of the last statements still serve; what is closed is closed."""
    world = delivery.world
    voucher = delivery.take(world.ann, 2)
    served = delivery.close(0, SHORT)
    chain.sleep(601)
    chain.mine()
    world.default(1)
    world.wait_until(world.lockbox.closableFrom(7) - 60)
    delivery.count([voucher], served)
    world.close()

    with brownie.reverts(revert_pattern="FacilityClosed.*"):
        delivery.serve([voucher], served)
