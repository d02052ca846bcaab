"""Settlement tokens that turn against their users: ATTACKS 11 and 12, at every door of money."""

import brownie
import pytest
from brownie import ZERO_ADDRESS, chain

from tests.contracts.signing import world_with

TAKES_FEE, RETURNS_FALSE, REVERTS = 1, 2, 3
ERRORS = {
    TAKES_FEE: "SettlementShort",
    RETURNS_FALSE: "SafeERC20FailedOperation",
    REVERTS: "TransfersStopped",
}
GROSS = 40_000_000


@pytest.fixture
def hostile(deployed, accounts):
    """A facility in the hostile token, not offered yet; the token is honest so far."""
    return world_with("HostileStablecoin", deployed, accounts)


@pytest.fixture
def earning(hostile):
    """The same, delivering, with revenue that ann and bob have earned and a fee."""
    hostile.fund()
    hostile.post(0, GROSS)
    hostile.pay(2 * GROSS)
    hostile.settle()
    chain.sleep(3_600)
    chain.mine()
    return hostile


def _turn(world, mode: int) -> None:
    world.dollar.setMode(mode, {"from": world.cleo})


@pytest.mark.parametrize("mode", ERRORS)
def test_money_in__token_hostile__reverts_and_books_nothing(hostile, mode):
    """ATTACKS 11: rent, bond and purchase count only what arrived."""
    hostile.offer()
    hostile.set_bond(1_000_000)
    hostile.open_sale(floor=1)
    _turn(hostile, mode)
    for attempt in (
        lambda: hostile.buy(hostile.ann, hostile.senior, 1),
        lambda: hostile.deposit(9),
    ):
        with brownie.reverts(revert_pattern=f"{ERRORS[mode]}.*"):
            attempt()
    assert tuple(hostile.sale.bookOf(7))[1:3] == (0, 0)
    assert hostile.vault.bondOf(7) == 1_000_000
    assert hostile.token.totalSupply(hostile.senior) == 0
    _turn(hostile, 0)
    hostile.buy(hostile.ann, hostile.senior, 1)
    hostile.wait_until(hostile.terms.window_start_s - 10)
    hostile.sale.finalize(7, {"from": hostile.cleo})
    hostile.dollar.mint(hostile.renter, GROSS, {"from": hostile.renter})
    hostile.dollar.approve(hostile.lockbox, GROSS, {"from": hostile.renter})
    _turn(hostile, mode)

    with brownie.reverts(revert_pattern=f"{ERRORS[mode]}.*"):
        hostile.pay(GROSS)

    assert tuple(hostile.lockbox.bookOf(7)) == (0, 0, 0)
    assert hostile.lockbox.paidBy(7, hostile.renter) == 0


@pytest.mark.parametrize("mode", [RETURNS_FALSE, REVERTS])
def test_money_out__token_hostile__reverts_and_stays_owed(earning, mode):
    """ATTACKS 12: a payout that failed is never marked as paid."""
    world, treasury = earning, {"from": earning.accounts[0]}
    earned = world.token.claimable(world.ann, world.senior)
    fees = world.lockbox.feesOwed(7)
    _turn(world, mode)

    with brownie.reverts(revert_pattern=f"{ERRORS[mode]}.*"):
        world.token.claim([world.senior], world.ann, {"from": world.ann})
    with brownie.reverts(revert_pattern=f"{ERRORS[mode]}.*"):
        world.attester_desk.collect(7, treasury)

    assert earned > 0
    assert world.token.claimable(world.ann, world.senior) == earned
    assert world.lockbox.feesOwed(7) == fees > 0
    _turn(world, 0)
    world.token.claim([world.senior], world.ann, {"from": world.ann})
    world.attester_desk.collect(7, treasury)
    assert world.dollar.balanceOf(world.ann) == earned
    assert world.dollar.balanceOf(world.attester_desk) == fees


def test_settle__token_stopped__other_facility_goes_on(earning, deployed):
    """ATTACKS 11: failure is contained to the facility that settles in that token."""
    from tests.contracts.conftest import facility_terms
    from tests.contracts.model import World

    contracts, attesters = deployed
    terms = facility_terms(contracts, earning.accounts, facility_id=8)
    good = World(contracts, terms, earning.accounts, attesters).fund()
    earning.post(1, GROSS)
    good.post(0, GROSS)
    good.pay(GROSS)
    chain.sleep(601)
    chain.mine()
    _turn(earning, REVERTS)
    with brownie.reverts(revert_pattern="TransfersStopped.*"):
        earning.lockbox.settle(7, {"from": earning.cleo})

    good.lockbox.settle(8, {"from": good.cleo})
    chain.sleep(3_600)
    chain.mine()

    assert good.token.claim([good.senior], good.ann, {"from": good.ann}).return_value > 0
    assert tuple(earning.lockbox.bookOf(7)) == (2 * GROSS, GROSS, 1)


def test_claim__holder_blocked_by_the_token__is_paid_elsewhere(earning):
    """ATTACKS 12: nobody else is held up, and the blocked one directs the money."""
    world = earning
    earned = world.token.claimable(world.ann, world.senior)
    world.dollar.setBlocked(world.ann, True, {"from": world.cleo})
    with brownie.reverts(revert_pattern="AccountBlocked.*"):
        world.token.claim([world.senior], world.ann, {"from": world.ann})
    others = world.token.claim([world.junior], world.bob, {"from": world.bob}).return_value

    world.token.claim([world.senior], world.cleo, {"from": world.ann})

    assert others > 0
    assert world.dollar.balanceOf(world.cleo) == earned
    with brownie.reverts(revert_pattern="RecipientInvalid.*"):
        world.token.claim([world.senior], ZERO_ADDRESS, {"from": world.ann})


def test_reentry__from_inside_every_transfer__pays_once(earning):
    """ATTACKS 5, 11: the token calls back at each door while money is on its way."""
    world, owner = earning, {"from": earning.accounts[0]}
    earning.post(1, GROSS)
    chain.sleep(601)
    chain.mine()
    fees = world.lockbox.feesOwed(7)
    earned = world.token.claimable(world.ann, world.senior)
    doors = (
        (world.lockbox, world.lockbox.settle.encode_input(7), lambda: world.pay(1)),
        (world.lockbox, world.lockbox.settle.encode_input(7),
         lambda: world.attester_desk.collect(7, owner)),
        (world.lockbox, world.lockbox.settle.encode_input(7),
         lambda: world.lockbox.settle(7, {"from": world.cleo})),
        (world.token, world.token.claim.encode_input([world.senior], world.cleo),
         lambda: world.token.claim([world.senior], world.ann, {"from": world.ann})),
    )  # fmt: skip
    for target, call, action in doors:
        world.dollar.reenter(target, call, {"from": world.cleo})
        action()
        assert not world.dollar.reentrySucceeded()

    assert world.dollar.balanceOf(world.attester_desk) == fees
    assert world.dollar.balanceOf(world.ann) >= earned
    assert tuple(world.lockbox.bookOf(7)) == (2 * GROSS + 1, 2 * GROSS, 2)
