"""Seaport 1.6 as published: a holder sells units in parts, under the rules of the token."""

from typing import Any

import pytest
from brownie import chain
from eth_account import Account
from eth_account.messages import encode_typed_data

from api.domain.capital.accumulator import Stream, TrancheModel
from tests.contracts.foreign import ZERO, AllowList, deploy_seaport
from tests.contracts.model import accruals
from tests.contracts.steps import refuse

UNITS, PRICE = 10, 1_500_000
# Of Seaport's enumerations `ItemType` and `OrderType`.
ERC20, ERC1155 = 1, 3
PARTIAL_OPEN = 1
NO_CONDUIT = bytes(32)
_ITEM = "itemType:uint8 token:address identifierOrCriteria:uint256 startAmount:uint256"
_ITEM += " endAmount:uint256"
# Source: Seaport 1.6, `OrderComponents` of ConsiderationStructs.sol, read 2026-11-29.
_TYPES = {
    "OrderComponents": "offerer:address zone:address offer:OfferItem[]"
    " consideration:ConsiderationItem[] orderType:uint8 startTime:uint256 endTime:uint256"
    " zoneHash:bytes32 salt:uint256 conduitKey:bytes32 counter:uint256",
    "OfferItem": _ITEM,
    "ConsiderationItem": f"{_ITEM} recipient:address",
}


class Market:
    """A funded facility with the allow-list on, and a seller's signed order for ten juniors."""

    def __init__(self, world: Any, contracts: dict[str, Any]) -> None:
        self.world, self.owner = world, world.accounts[0]
        self.buyer, self.stranger = world.bob, world.accounts[6]
        self.seaport = deploy_seaport(world.accounts[9])
        world.fund()
        self.seller = world.accounts.add()
        self.listed = AllowList(contracts, self.owner)
        self.listed.enter(world.ann, self.seller, self.buyer)
        self._sell_to_seller()
        for buyer in (self.buyer, self.stranger):
            world.dollar.mint(buyer, UNITS * PRICE, {"from": buyer})
            world.dollar.approve(self.seaport.address, UNITS * PRICE, {"from": buyer})
        self.signature = self._sign()

    def _sell_to_seller(self) -> None:
        """The seller has a key of its own, gas and twelve units, two of which it keeps."""
        world = self.world
        self.owner.transfer(self.seller, "1 ether")
        to = (world.ann, self.seller, world.junior, UNITS + 2, b"")
        self.received_s = world.token.safeTransferFrom(*to, {"from": world.ann}).timestamp

    def approve(self) -> None:
        """The seller lets Seaport move its units."""
        self.world.token.setApprovalForAll(self.seaport.address, True, {"from": self.seller})

    @property
    def _parameters(self) -> dict[str, Any]:
        world, item = self.world, _names(_TYPES["OfferItem"])
        units = (ERC1155, world.token.address, world.junior, UNITS, UNITS)
        money = (ERC20, world.dollar.address, 0, UNITS * PRICE, UNITS * PRICE)
        price = dict(zip(item, money, strict=True)) | {"recipient": self.seller.address}
        return {
            "offerer": self.seller.address, "zone": ZERO,
            "offer": [dict(zip(item, units, strict=True))], "consideration": [price],
            "orderType": PARTIAL_OPEN, "startTime": 0, "endTime": 2**40, "zoneHash": bytes(32),
            "salt": 7, "conduitKey": NO_CONDUIT,
        }  # fmt: skip

    def _sign(self) -> bytes:
        place = {"name": "Seaport", "version": "1.6", "chainId": chain.id}
        place["verifyingContract"] = self.seaport.address
        types = {
            kind: [dict(zip(("name", "type"), m.split(":"), strict=True)) for m in members.split()]
            for kind, members in _TYPES.items()
        }
        message = self._parameters | {"counter": self.seaport.getCounter(self.seller)}
        signable = encode_typed_data(place, types, message)
        return bytes(Account.sign_message(signable, self.seller.private_key).signature)

    def fill(self, units: int, buyer: Any = None) -> Any:
        """Let a buyer take so many of the ten units."""
        terms = self._parameters
        items = [tuple(item.values()) for item in terms["offer"]]
        prices = [tuple(item.values()) for item in terms["consideration"]]
        row = (*(terms | {"offer": items, "consideration": prices}).values(), len(prices))
        order = (row, units, UNITS, self.signature, b"")
        buyer = buyer or self.buyer
        return self.seaport.fulfillAdvancedOrder(order, [], NO_CONDUIT, buyer, {"from": buyer})


def _names(members: str) -> list[str]:
    return [member.split(":")[0] for member in members.split()]


@pytest.fixture
def market(world, deployed):
    """A seller's signed order; Seaport is neither approved nor on the list yet."""
    return Market(world, deployed[0])


def test_fill__three_tenths_and_then_seven__moves_units_and_money(market):
    world, token, dollar = market.world, market.world.token, market.world.dollar
    market.approve()
    market.listed.enter(market.seaport.address)
    assert market.seaport.information()[0] == "1.6"
    had = token.balanceOf(market.buyer, world.junior)

    for units, left in ((3, 7), (7, 0)):
        done = market.fill(units)

        moved = done.events["TransferSingle"][0]
        assert moved["operator"] == market.seaport.address
        assert (moved["from"], moved["to"]) == (market.seller, market.buyer)
        assert (moved["id"], moved["value"]) == (world.junior, units)
        assert token.balanceOf(market.seller, world.junior) == 2 + left
        assert token.balanceOf(market.buyer, world.junior) - had == UNITS - left
        assert dollar.balanceOf(market.seller) == (UNITS - left) * PRICE
    # The order is used up: what the seller keeps is not for sale.
    world.dollar.mint(market.buyer, PRICE, {"from": market.buyer})
    world.dollar.approve(market.seaport.address, PRICE, {"from": market.buyer})
    refuse("OrderAlreadyFilled", market.fill, 1)
    assert token.balanceOf(market.seaport.address, world.junior) == 0
    assert dollar.balanceOf(market.seaport.address) == 0


def test_fill__in_the_middle_of_a_stream__leaves_the_seller_what_it_earned(market):
    """ATTACKS 4: the units are sold, revenue up to the second of each fill is not."""
    world, seller, buyer = market.world, market.seller, market.buyer
    market.approve()
    market.listed.enter(market.seaport.address)
    model = TrancheModel()
    for holder, units in ((world.ann, 13), (world.bob, 11)):
        model.mint(holder.address, units, world.funded_s)
    model.activate(world.funded_s)
    model.transfer(world.ann.address, seller.address, UNITS + 2, market.received_s)
    source, by_source = world.accounts[0], {"from": world.accounts[0]}
    world.token.setRevenueSource(source, True, by_source)
    world.dollar.mint(source, 24_000_000, by_source)
    world.dollar.approve(world.token, 24_000_000, by_source)
    accrued = world.token.accrue(accruals(world.junior, 24_000_000, 3_000), by_source)
    model.accrue(24_000_000, 3_000, accrued.timestamp)

    earned = []
    for after_s, units in ((1_000, 3), (2_000, 7)):
        world.wait_until(accrued.timestamp + after_s)
        sold_s = market.fill(units).timestamp
        model.transfer(seller.address, buyer.address, units, sold_s)
        earned.append(int(world.token.claimable(seller, world.junior)))
        assert earned[-1] == model.claimable(seller.address, chain[-1].timestamp)
    world.wait_until(accrued.timestamp + 3_000)

    # A third of a million a unit in each thousand seconds, with 12, 9 and 2 units.
    assert earned == pytest.approx([4_000_000, 7_000_000], rel=0.05)
    assert Stream(*world.token.trancheOf(world.junior)) == model.stream
    before = world.dollar.balanceOf(world.cleo)
    for holder in (seller, buyer):
        now_s = chain[-1].timestamp
        assert world.token.claimable(holder, world.junior) == model.claimable(holder.address, now_s)
    world.token.claim([world.junior], world.cleo, {"from": seller})
    paid = int(world.dollar.balanceOf(world.cleo) - before)
    assert paid == pytest.approx(7_666_667, rel=0.05)


def test_fill__seaport_not_approved_or_off_the_list__moves_nothing(market):
    """Whoever moves units of others needs the holder's approval, and a place on the list."""
    world = market.world

    market.listed.enter(market.seaport.address)
    refuse("ERC1155MissingApprovalForAll", market.fill, 3)
    market.approve()
    market.listed.enter(market.seaport.address, allowed=False)
    refuse("ERC7943CannotSend", market.fill, 3)

    assert world.token.balanceOf(market.seller, world.junior) == UNITS + 2
    assert world.dollar.balanceOf(market.seller) == 0


def test_fill__by_a_buyer_off_the_list__takes_no_money(market):
    world = market.world
    market.approve()
    market.listed.enter(market.seaport.address)

    refuse("ERC7943CannotReceive", market.fill, 3, market.stranger)

    assert world.dollar.balanceOf(market.stranger) == UNITS * PRICE
    market.listed.enter(market.stranger)
    market.fill(3, market.stranger)
    assert world.token.balanceOf(market.stranger, world.junior) == 3
