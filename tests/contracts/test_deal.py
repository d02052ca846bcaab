"""The table of docs/DEAL.md on the contracts: a real sale, real signatures, money to the micro."""

import brownie
import pytest
from brownie import chain

from api.domain.facility import DAY_S, TrancheTerms
from api.domain.units import Bytes32
from tests.contracts.conftest import facility_terms
from tests.contracts.model import World
from tests.unit.capital import deal_rows as deal
from tests.unit.capital.deal_rows import Row

LEASE = Bytes32(b"\x5a" * 32)


def _world(deployed, accounts, row: Row) -> World:
    """The facility of a row: sold, bonded and funded, an hour before its window."""
    contracts, attesters = deployed
    start_s = chain[-1].timestamp + 2 * deal.EPOCH_S
    terms = facility_terms(
        contracts,
        accounts,
        window_start_s=start_s,
        window_end_s=start_s + deal.EPOCHS * deal.EPOCH_S,
        expires_at_s=start_s,
        promised_availability_ppm=row.promised_ppm,
        fee_bps=0,
        tranches=(TrancheTerms(deal.CAPS[0], deal.COUPON), TrancheTerms(deal.CAPS[1])),
    )
    world = World(contracts, terms, accounts, attesters)
    world.offer()
    world.approve()
    world.set_bond(row.bond, required=row.bond, rate=deal.RATE)
    closes_s = start_s - deal.EPOCH_S
    sale_terms = (0, closes_s, 1, deal.UP_FRONT_BPS, deal.UNIT_PRICES)
    world.sale.open(7, sale_terms, {"from": world.operator})
    world.buy(world.ann, world.senior, row.bought[0])
    world.buy(world.bob, world.junior, row.bought[1])
    world.wait_until(closes_s)
    world.sale.finalize(7, {"from": world.cleo})
    world.dollar.mint(world.renter, 10**12, {"from": world.renter})
    world.dollar.approve(world.lockbox, 10**12, {"from": world.renter})
    return world


def _deliver(world: World, row: Row) -> None:
    """State the epochs of a row; rent comes with each, or not yet."""
    for epoch, (hours, rent) in enumerate(zip(row.hours, row.rents, strict=True)):
        seconds = hours * 3_600
        billed = seconds if rent else 0
        world.post(epoch, rent, available_gpu_seconds=seconds, billed_gpu_seconds=billed)
        if rent and not row.paid_late and not row.never_paid:
            world.pay(rent)
        world.settle()
    for epoch in range(deal.EPOCHS if row.published else 0):
        world.wait_until(world.terms.epoch_bounds(epoch)[1])
        world.publish(epoch)


def _end(world: World, row: Row) -> None:
    by_anybody = {"from": world.cleo}
    if row.published:
        world.stop()
        return
    if not row.matured:
        world.default(len(row.hours))
        return
    world.seal()
    if row.paid_late or row.never_paid:
        world.facilities.noticeUnpaid(7, by_anybody)
        world.wait_until(chain[-1].timestamp + 90 * DAY_S)
    world.facilities.mature(7, by_anybody)


def _withdraw_all(world: World, account, *contracts) -> int:
    """What an account is owed at contracts, paid to it."""
    had = world.dollar.balanceOf(account)
    for contract in contracts:
        if contract.owedTo(world.dollar, account):
            contract.withdraw(world.dollar, account, {"from": account})
    return world.dollar.balanceOf(account) - had


def _claim(world: World, holder, token_id: int) -> int:
    """What a holder was paid of a tranche once its stream is over."""
    had = world.dollar.balanceOf(holder)
    world.token.claim([token_id], holder, {"from": holder})
    return world.dollar.balanceOf(holder) - had


@pytest.mark.parametrize("row", deal.ROWS, ids=lambda row: row.name)
def test_deal__rows_of_the_table__are_paid_to_the_micro(deployed, accounts, row):
    """And when everybody took theirs, nothing stays anywhere."""
    world = _world(deployed, accounts, row)
    money = (world.lockbox, world.sale, world.vault, world.token)
    before = [world.dollar.balanceOf(contract) for contract in money]
    if row.burned:
        world.take_delivery(world.ann, world.senior, row.burned, LEASE)
    _deliver(world, row)
    _end(world, row)
    world.wait_until(world.lockbox.closableFrom(7) - 2)
    if row.hashes_late:
        with brownie.reverts(revert_pattern="FacilityNotDelivering.*"):
            world.publish(0)

    world.close()

    if row.paid_late:
        world.pay(sum(row.rents))
        world.settle()
    world.wait_until(chain[-1].timestamp + DAY_S)
    vouchers = 0
    if row.burned:
        world.lockbox.payVoucher(world.desk.voucherCount(), {"from": world.cleo})
        vouchers = _withdraw_all(world, world.ann, world.lockbox)
    paid = (_claim(world, world.ann, world.senior), _claim(world, world.bob, world.junior))
    gpu_operator = _withdraw_all(world, world.operator, world.lockbox, world.sale)
    assert (*paid, gpu_operator, vouchers) == (
        row.senior,
        row.junior,
        row.gpu_operator,
        row.vouchers,
    )
    # Bond and proceeds were there before.
    assert sum(before) == row.bond + row.bought[0] * 2 * deal.DOLLAR + row.bought[1] * deal.DOLLAR
    assert [world.dollar.balanceOf(contract) for contract in money] == [0, 0, 0, 0]
