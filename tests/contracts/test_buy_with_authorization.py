"""`PrimarySale.buyWithAuthorization`: paid by ERC-3009, sent by anybody, good for one purchase."""

import brownie
import pytest
from brownie import chain
from eth_account import Account

from tests.contracts.signing import new_buyer, sign_typed, world_with

UNITS, COST, SALT = 2, 120_000, b"salt".ljust(32, b"\0")
FOREVER = 2**40 - 1


@pytest.fixture
def selling(deployed, accounts):
    """An open sale in a token that knows authorizations; the senior unit costs two dollars."""
    world = world_with("AuthorizedStablecoin", deployed, accounts)
    world.offer()
    world.open_sale()
    return world


def _fields(world, buyer, *, not_before_s: int = 0, not_after_s: int = FOREVER) -> dict:
    return {
        "from": ("address", buyer.address),
        "to": ("address", world.sale.address),
        "value": ("uint256", COST),
        "validAfter": ("uint256", not_before_s),
        "validBefore": ("uint256", not_after_s),
        "nonce": ("bytes32", bytes(world.sale.purchaseNonce(world.senior, UNITS, SALT))),
    }


def _sign(world, buyer, **times: int) -> bytes:
    fields = _fields(world, buyer, **times)
    return sign_typed(buyer, world.dollar, "ReceiveWithAuthorization", fields)


def _buy(world, buyer, signature: bytes, /, **changes: object):
    values = {"buyer": buyer, "id": world.senior, "units": UNITS, "after": 0, "before": FOREVER}
    given = (values | {"salt": SALT, "signature": signature} | changes).values()
    return world.sale.buyWithAuthorization(*given, {"from": world.cleo})


def test_buy_with_authorization__sent_by_anybody__buyer_gets_units_once(selling):
    """ATTACKS 28: the sender gains nothing, and cannot send it again."""
    buyer = new_buyer(selling)
    signature = _sign(selling, buyer)

    _buy(selling, buyer, signature)

    assert selling.token.balanceOf(buyer, selling.senior) == UNITS
    assert selling.token.balanceOf(selling.cleo, selling.senior) == 0
    assert selling.dollar.balanceOf(buyer) == 10_000_000 - COST
    assert tuple(selling.sale.bookOf(7))[1:3] == (UNITS, COST)
    with brownie.reverts(revert_pattern="ERC3009UsedAuthorization.*"):
        _buy(selling, buyer, signature)


def test_buy_with_authorization__anything_else_than_signed__reverts(selling):
    """ATTACKS 18, 28: other units, tranche, buyer, salt or times than the buyer signed."""
    buyer, other = new_buyer(selling), new_buyer(selling)
    signature = _sign(selling, buyer)
    for changes in (
        {"units": 1}, {"id": selling.junior}, {"buyer": other}, {"salt": b"\1" * 32},
        {"before": FOREVER - 1}, {"after": 1}, {"signature": signature[:64] + b"\x1d"},
        {"signature": signature + b"\0"},
    ):  # fmt: skip
        with brownie.reverts(revert_pattern="(ERC3009|ECDSA)InvalidSignature.*"):
            _buy(selling, buyer, signature, **changes)

    assert tuple(selling.sale.bookOf(7))[1:3] == (0, 0)
    assert selling.dollar.balanceOf(buyer) == selling.dollar.balanceOf(other) == 10_000_000


def test_buy_with_authorization__too_early_or_too_late__reverts(selling):
    buyer, now_s = new_buyer(selling), chain[-1].timestamp
    for not_before_s, not_after_s in ((now_s + 1_000, FOREVER), (0, now_s)):
        times = {"not_before_s": not_before_s, "not_after_s": not_after_s}
        given = {"after": not_before_s, "before": not_after_s}
        with brownie.reverts(revert_pattern="ERC3009InvalidAuthorizationTime.*"):
            _buy(selling, buyer, _sign(selling, buyer, **times), **given)


def test_buy_with_authorization__taken_to_the_token_directly__pays_nobody(selling):
    """ATTACKS 28: only the sale may use it, so money never comes in without a purchase."""
    buyer = new_buyer(selling)
    signature = _sign(selling, buyer)
    parts = (signature[64], signature[:32], signature[32:64])
    given = [value for _, value in _fields(selling, buyer).values()]

    for name in ("receiveWithAuthorization", "transferWithAuthorization"):
        function = getattr(selling.dollar, name)
        # brownie keeps overloads apart by their types; a single one is called as it is.
        overloads = getattr(function, "methods", {})
        for_parts = [m for types, m in overloads.items() if len(types) == 9]
        method = for_parts[0] if for_parts else function
        with brownie.reverts():
            method(*given, *parts, {"from": selling.cleo})
    assert selling.dollar.balanceOf(buyer) == 10_000_000
    _buy(selling, buyer, signature)


def test_buy_with_authorization__contract_wallet__by_its_owners_signatures(selling):
    """ERC-1271: a wallet of two owners buys with both, not with one."""
    owners = [new_buyer(selling) for _ in range(2)]
    project = brownie.project.get_loaded_projects()[0]
    wallet = project.WalletMock.deploy(*owners, {"from": selling.cleo})
    selling.dollar.mint(wallet, COST, {"from": selling.cleo})
    fields = _fields(selling, wallet)
    both = [sign_typed(o, selling.dollar, "ReceiveWithAuthorization", fields) for o in owners]
    with brownie.reverts(revert_pattern="ERC3009InvalidSignature.*"):
        _buy(selling, wallet, both[1] + both[0])

    _buy(selling, wallet, both[0] + both[1])

    assert selling.token.balanceOf(wallet, selling.senior) == UNITS
    assert selling.dollar.balanceOf(wallet) == 0


def test_buy_with_authorization__account_of_nobody__reverts(selling):
    """A stranger's signature over the same purchase is none of the buyer's."""
    buyer, thief = new_buyer(selling), selling.accounts.add(Account.create().key)
    fields = _fields(selling, buyer)

    with brownie.reverts(revert_pattern="ERC3009InvalidSignature.*"):
        forged = sign_typed(thief, selling.dollar, "ReceiveWithAuthorization", fields)
        _buy(selling, buyer, forged)
