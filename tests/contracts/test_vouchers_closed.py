"""What the closing gives to vouchers that are open, and what served ones change."""

from dataclasses import replace

import brownie
from brownie import chain

from api.domain.capital.closing import voucher_share
from api.domain.capital.vouchers import open_of
from api.domain.lifecycle import FacilityState
from tests.contracts.delivery import BOND, FULL_HOUR, HOUR_S, OTHER, RATE, SHORT
from tests.contracts.twin import assert_closed, assert_late, placed


def test_take_delivery__served_in_part__rest_is_paid_by_the_closing(delivery):
    """The whole way of a voucher: what is open is paid at the rate from its tranche's pool."""
    world = delivery.world
    voucher, other = delivery.take(world.ann, 2), delivery.take(world.bob, 1, lease=OTHER)
    assert world.token.balanceOf(world.ann, world.junior) == 11
    first = delivery.close(0, FULL_HOUR)
    with brownie.reverts(revert_pattern="StatementNotFinal.*"):
        delivery.serve([voucher], first)
    chain.sleep(601)
    chain.mine()

    delivery.count([voucher], first)

    assert delivery.vouchers[voucher].served == FULL_HOUR
    delivery.finish([first])
    with brownie.reverts(revert_pattern="NothingForVoucher.*"):
        world.lockbox.payVoucher(voucher, {"from": world.cleo})
    closed = world.close().events["FacilityClosed"][0]["closing"]
    opened = open_of(delivery.vouchers.values())
    pool = opened.gpu_seconds * RATE // HOUR_S
    # All hours were there: the vouchers alone have a claim, and the bond covers it.
    assert pool == 2 * RATE
    assert world.lockbox.voucherPoolsOf(7)[1] == pool
    assert closed["toOperator"] == BOND - pool
    for number, holder in ((voucher, world.ann), (other, world.bob)):
        due = voucher_share(
            pool,
            open_gpu_seconds=delivery.vouchers[number].open,
            all_open_gpu_seconds=opened.gpu_seconds,
        )
        assert world.lockbox.payableToVoucher(number) == due == RATE
        done = world.lockbox.payVoucher(number, {"from": world.cleo})
        assert done.events["VoucherPaid"][0]["holder"] == holder
        assert world.lockbox.owedTo(world.dollar, holder) == due
        with brownie.reverts(revert_pattern="NothingForVoucher.*"):
            world.lockbox.payVoucher(number, {"from": world.cleo})
    before = world.dollar.balanceOf(world.bob)
    world.lockbox.withdraw(world.dollar, world.bob, {"from": world.ann})
    assert world.dollar.balanceOf(world.bob) - before == RATE


def test_close__voucher_served__its_hours_stand_for_no_rent(delivery):
    """The bond pays rent up to the hours that were there for renters, at its rate."""
    world, bond = delivery.world, 3 * BOND
    world.deposit(2 * BOND)
    voucher = delivery.take(world.ann, 2)
    closed = delivery.close(0, SHORT)
    chain.sleep(601)
    chain.mine()
    delivery.count([voucher], closed)
    statement, served = closed.statement, delivery.vouchers[voucher]
    model = placed(world, bond, rate=RATE)
    model.tranches[1].burn(world.ann.address, 2, served.issued_at_s)
    model.issue(1, world.ann.address, 2, served.owed, served.issued_at_s)
    model.vouchers = [replace(issued, voucher=served) for issued in model.vouchers]
    times = (statement.gross_revenue_micros, statement.available_gpu_seconds)
    model.post(*times, world.statements.statementOf(7, 0)["postedAt"])
    model.end(FacilityState.DEFAULTED, world.default(1).timestamp)

    done = world.close()

    closing = model.close(done.timestamp)
    assert_closed(world, done.events, closing, bond=bond, escrow=0)
    assert_late(world, model)
    for_renters_s = statement.available_gpu_seconds - SHORT
    worth = for_renters_s * RATE // HOUR_S
    assert world.lockbox.advanceOf(7)[0] == worth < min(bond, statement.gross_revenue_micros)


def test_close__vouchers_open__share_their_rank_with_its_units(delivery):
    """A bond that is too small: who burned seniors and who kept them lose alike."""
    world = delivery.world
    model = placed(world, BOND, rate=RATE)
    for units in (3, 1):
        number = delivery.take(world.ann, units, seniority=0)
        issued = delivery.vouchers[number]
        model.tranches[0].burn(world.ann.address, units, issued.issued_at_s)
        model.issue(0, world.ann.address, units, issued.owed, issued.issued_at_s)
    model.end(FacilityState.DEFAULTED, world.default(0).timestamp)

    done = world.close()

    closing = model.close(done.timestamp)
    assert_closed(world, done.events, closing, bond=BOND, escrow=0)
    assert closing.paid.units[0] + closing.paid.vouchers[0] == BOND
    assert closing.paid.units[0] > closing.paid.vouchers[0] > 0
    for place in (0, 1):
        due = model.payable(place)
        assert world.lockbox.payableToVoucher(place + 1) == due > 0
