"""BondVault by external function, compared with `api.domain.capital.bond`."""

import brownie
from brownie import chain

from api.domain.capital.bond import pay_shortfall, shortfall_due
from api.domain.capital.sale import promised_gpu_seconds


def _promised(world, epochs: int) -> int:
    return promised_gpu_seconds(
        device_count=world.terms.device_count,
        epoch_length_s=world.terms.epoch_length_s,
        epochs=epochs,
        promised_availability_ppm=world.terms.promised_availability_ppm,
    )


def test_pay_shortfall__every_epoch__equals_the_model(world):
    """ATTACKS 9: rounded down on the cumulative, never taken back, as far as the bond goes."""
    world.offer()
    model = world.set_bond(900_000, required=800_000)
    world.fund(offer=False)
    available = 0
    for epoch, seconds in enumerate((35_000, 36_000, 0, 0)):
        available += seconds
        world.post(epoch, 0, available_gpu_seconds=seconds)
        chain.sleep(601)
        chain.mine()
        promised = _promised(world, epoch + 1)
        due = shortfall_due(model, promised=promised, available=available)
        assert world.vault.shortfallDue(7) == due

        if due:
            done = world.vault.payShortfall(7, {"from": world.cleo})
            model, amount = pay_shortfall(
                model, promised=promised, available=available, now_s=done.timestamp
            )
            assert done.events["ShortfallPaid"][0]["amount"] == amount
        with brownie.reverts(revert_pattern="NothingDue.*"):
            world.vault.payShortfall(7, {"from": world.cleo})
        assert world.vault.bondOf(7) == model.held
        assert world.vault.belowSince(7) == (model.below_since_s or 0)
    assert model.held == 0
    assert world.vault.isSufficient(7) is False
    assert world.dollar.balanceOf(world.vault) == 0


def test_release__cancelled__gives_the_bond_back(world):
    world.offer()
    world.set_bond(5)
    with brownie.reverts(revert_pattern="BondStillNeeded.*"):
        world.vault.release(7, {"from": world.cleo})
    world.facilities.cancel(7, {"from": world.operator})

    world.vault.release(7, {"from": world.cleo})

    assert world.vault.owedTo(world.dollar, world.operator) == 5
    world.vault.withdraw(world.dollar, world.cleo, {"from": world.operator})
    assert world.dollar.balanceOf(world.cleo) == 5


def test_attester_bond__member__cannot_leave(world):
    """ATTACKS 24: no bond leaves while something that its owner signed can be challenged."""
    attester = world.attesters[0]
    world.accounts[0].transfer(attester, "1 ether")
    world.dollar.mint(world.ann, 100, {"from": world.ann})
    world.dollar.approve(world.vault, 100, {"from": world.ann})
    world.vault.depositAttesterBond(attester, 100, {"from": world.ann})

    with brownie.reverts(revert_pattern="AttesterLiable.*"):
        world.vault.withdrawAttesterBond(attester, {"from": attester})
    with brownie.reverts(revert_pattern="NotStatementRegistry.*"):
        world.vault.slash(7, [attester], world.cleo, {"from": world.cleo})
    with brownie.reverts(revert_pattern="NotDeliveryDesk.*"):
        world.vault.payUnserved(7, world.cleo, 1, {"from": world.cleo})
