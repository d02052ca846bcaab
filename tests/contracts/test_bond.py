"""BondVault by external function: what holds an operator's bond, and what lets it go."""

import brownie
from brownie import chain

from tests.contracts.model import RATE
from tests.contracts.twin import BOND, assert_closed, placed

ENOUGH = 20_000_000


def test_deposit__availability_missing__the_bond_stays_whole_until_the_closing(world):
    """Rule 4 of the deal: nothing is paid for a shortfall in mid-life."""
    world.offer()
    world.set_bond(ENOUGH, required=ENOUGH)
    world.fund(offer=False)
    model = placed(world, ENOUGH)
    for epoch, seconds in enumerate((35_000, 36_000, 0, 0)):
        world.post(epoch, 0, available_gpu_seconds=seconds)
        model.post(0, seconds, chain[-1].timestamp)
        world.settle()
        assert world.vault.bondOf(7) == ENOUGH
        assert world.vault.isSufficient(7)
    world.seal()
    world.facilities.mature(7, {"from": world.cleo})
    model.end(world.facilities.stateOf(7), chain[-1].timestamp)
    with brownie.reverts(revert_pattern="BondStillNeeded.*"):
        world.vault.release(7, {"from": world.cleo})

    done = world.close()

    closing = model.close(done.timestamp)
    assert_closed(world, done.events, closing, bond=ENOUGH, escrow=0)
    # 39.6 hours were promised, 71,000 GPU-seconds were there.
    cost = (142_560 - 71_000) * RATE // 3_600
    assert closing.paid.gpu_operator == ENOUGH - cost
    assert world.vault.bondOf(7) == world.dollar.balanceOf(world.vault) == 0
    with brownie.reverts(revert_pattern="BondStillNeeded.*"):
        world.vault.release(7, {"from": world.cleo})


def test_deposit__ended__is_refused(world):
    world.offer()
    world.set_bond(BOND)
    world.fund(offer=False)
    world.default(0)

    with brownie.reverts(revert_pattern="DepositNotAccepted.*"):
        world.deposit(1)


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
    with brownie.reverts(revert_pattern="NothingDue.*"):
        world.vault.release(7, {"from": world.cleo})


def test_surrender__by_anybody__is_refused(world):
    for contract in (world.vault, world.sale):
        with brownie.reverts(revert_pattern="NotRentLockbox.*"):
            contract.surrender(7, {"from": world.operator})
