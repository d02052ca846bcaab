"""`PrimarySale.buyWithPermit`: one transaction with an ERC-2612 permit, griefed or not."""

import brownie
import pytest
from brownie import chain

from tests.contracts.signing import new_buyer, sign_typed, world_with

UNITS, LIMIT = 2, 120_000


@pytest.fixture
def selling(deployed, accounts):
    """An open sale in a token that knows permits; the senior unit costs two dollars."""
    world = world_with("AuthorizedStablecoin", deployed, accounts)
    world.offer()
    world.open_sale()
    return world


def _permit(world, buyer, deadline_s: int, spender=None, value: int = LIMIT) -> tuple:
    fields = {
        "owner": ("address", buyer.address),
        "spender": ("address", (spender or world.sale).address),
        "value": ("uint256", value),
        "nonce": ("uint256", world.dollar.nonces(buyer)),
        "deadline": ("uint256", deadline_s),
    }
    signature = sign_typed(buyer, world.dollar, "Permit", fields)
    return deadline_s, signature[64], signature[:32], signature[32:64]


def _buy(world, buyer, permit):
    arguments = (world.senior, UNITS, LIMIT, *permit)
    return world.sale.buyWithPermit(*arguments, {"from": buyer})


def test_buy_with_permit__signed__buys_in_one_transaction(selling):
    buyer = new_buyer(selling)

    _buy(selling, buyer, _permit(selling, buyer, chain[-1].timestamp + 600))

    assert selling.token.balanceOf(buyer, selling.senior) == UNITS
    assert selling.dollar.balanceOf(buyer) == 10_000_000 - LIMIT
    assert selling.dollar.balanceOf(selling.sale) == LIMIT


def test_buy_with_permit__used_by_somebody_first__buys_all_the_same(selling):
    """ATTACKS 28: who copies the permit from the mempool cannot stop the purchase."""
    buyer = new_buyer(selling)
    permit = _permit(selling, buyer, chain[-1].timestamp + 600)
    griefer = {"from": selling.cleo}
    selling.dollar.permit(buyer, selling.sale, LIMIT, *permit, griefer)

    _buy(selling, buyer, permit)

    assert selling.token.balanceOf(buyer, selling.senior) == UNITS
    with brownie.reverts(revert_pattern="ERC20InsufficientAllowance.*"):
        _buy(selling, buyer, permit)


@pytest.mark.parametrize("wrong", ["late", "spender", "value", "signer"])
def test_buy_with_permit__permit_bad__reverts_and_moves_nothing(selling, wrong):
    buyer, now_s = new_buyer(selling), chain[-1].timestamp
    permits = {
        "late": lambda: _permit(selling, buyer, now_s - 1),
        "spender": lambda: _permit(selling, buyer, now_s + 600, spender=selling.lockbox),
        "value": lambda: _permit(selling, buyer, now_s + 600, value=LIMIT - 1),
        "signer": lambda: _permit(selling, new_buyer(selling), now_s + 600),
    }

    with brownie.reverts(revert_pattern="ERC20InsufficientAllowance.*"):
        _buy(selling, buyer, permits[wrong]())

    assert selling.token.balanceOf(buyer, selling.senior) == 0
    assert selling.dollar.balanceOf(buyer) == 10_000_000
    assert tuple(selling.sale.bookOf(7))[1:3] == (0, 0)


def test_buy_with_permit__somebody_elses_permit__spends_only_ones_own(selling):
    """ATTACKS 28: money is never pulled from anybody but the caller."""
    victim, thief = new_buyer(selling), new_buyer(selling)
    permit = _permit(selling, victim, chain[-1].timestamp + 600)
    selling.dollar.permit(victim, selling.sale, LIMIT, *permit, {"from": thief})

    with brownie.reverts(revert_pattern="ERC20InsufficientAllowance.*"):
        _buy(selling, thief, permit)

    assert selling.dollar.balanceOf(victim) == 10_000_000


def test_buy_with_permit__token_without_permits__uses_the_allowance(world):
    world.offer()
    world.open_sale()
    world.dollar.mint(world.ann, LIMIT, {"from": world.ann})
    world.dollar.approve(world.sale, LIMIT, {"from": world.ann})

    _buy(world, world.ann, (0, 27, b"\1" * 32, b"\2" * 32))

    assert world.token.balanceOf(world.ann, world.senior) == UNITS
