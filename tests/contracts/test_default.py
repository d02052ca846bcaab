"""Default on objective conditions: the second it begins, where the money goes, what still works."""

import brownie
from brownie import chain

from api.domain.capital.settlement import TrancheBook, TrancheSupply, distribute


def test_declare_default__statements_missing__bond_goes_down_the_waterfall(world):
    world.offer()
    world.set_bond(1_000_000)
    world.fund(offer=False)
    world.post(0, 1_000_000)
    world.pay(600_000)
    world.settle()
    begin_s = world.terms.window_start_s + (1 + 1 + 2) * world.terms.epoch_length_s
    world.wait_until(begin_s - 60)
    with brownie.reverts(revert_pattern="NotInDefault.*"):
        world.facilities.declareDefault(7, {"from": world.cleo})
    world.wait_until(begin_s)

    done = world.facilities.declareDefault(7, {"from": world.cleo})

    assert done.events["DefaultDeclared"][0]["reason"] == 0
    assert world.facilities.stateOf(7) == 6
    assert world.token.unvested(world.senior) == 0
    arrears = world.lockbox.arrearsOf(world.senior)
    seized = world.vault.seize(7, {"from": world.cleo}).return_value
    supplies = [TrancheSupply(1_000_003, 16), TrancheSupply(0, 24)]
    split = distribute(
        seized, tranches=supplies, books=[TrancheBook(arrears, 0, 16), TrancheBook()]
    )
    assert seized == 1_000_000
    assert world.lockbox.arrearsOf(world.senior) == split.books[0].arrears
    # ATTACKS 13: what default pays streams too, so buying just before it gains nothing.
    assert world.token.unvested(world.senior) == split.payments[0]


def test_declare_default__late_rent__is_still_taken_and_settled(world):
    """ATTACKS 25."""
    world.offer()
    world.set_bond(1_000_000)
    world.fund(offer=False)
    world.post(0, 1_000_000)
    world.wait_until(world.terms.window_start_s + 4 * world.terms.epoch_length_s)
    world.facilities.declareDefault(7, {"from": world.cleo})

    world.pay(1_500_000)
    world.settle()

    assert tuple(world.lockbox.bookOf(7)) == (1_500_000, 1_000_000, 1)
    treasury = {"from": world.accounts[0]}
    with brownie.reverts(revert_pattern="RefundAboveExcess.*"):
        world.lockbox.refundExcess(7, world.renter, 500_001, treasury)
    world.lockbox.refundExcess(7, world.renter, 500_000, treasury)
    before = world.dollar.balanceOf(world.renter)
    world.lockbox.withdraw(world.dollar, world.renter, {"from": world.renter})
    assert world.dollar.balanceOf(world.renter) - before == 500_000


def test_mature__renter_never_pays__written_off_after_90_days(world):
    world.fund()
    for epoch in range(4):
        world.post(epoch, 1_000_000)
    world.pay(1)
    world.settle()
    with brownie.reverts(revert_pattern="NotMature.*"):
        world.facilities.mature(7, {"from": world.cleo})
    chain.sleep(90 * 86_400)
    chain.mine()

    done = world.facilities.mature(7, {"from": world.cleo})

    assert done.events["ReceivableWrittenOff"][0]["amount"] == 3_999_999
    assert world.facilities.stateOf(7) == 4
