"""PrimarySale by external function, beside `api.domain.capital.sale`; books rebuilt from events."""

import brownie
import pytest
from brownie import chain
from eth_account import Account

from api.domain.capital.sale import (
    SaleBook,
    SaleState,
    SaleTerms,
    buy,
    check_sale,
    earned,
    finalize,
    promised_of,
    refund,
    release,
    surrender,
)
from api.domain.lifecycle import FacilityState
from api.errors import InvalidInput
from tests.contracts.model import RATE
from tests.contracts.twin import BOND, assert_closed, funded


def _book(world) -> SaleBook:
    state, *numbers = world.sale.bookOf(7)
    return SaleBook(SaleState(state), *numbers)


def test_sale__success_to_maturity__equals_the_model(world):
    """Invariant 2: escrow = proceeds - released - returned at every step."""
    world.offer()
    world.set_bond(BOND)
    prices = world.open_sale()
    model = SaleBook()
    for buyer, token_id, units, price in (
        (world.ann, world.senior, 16, prices[0]),
        (world.bob, world.junior, 5, prices[1]),
    ):
        world.buy(buyer, token_id, units)
        model = buy(model, units=units, unit_price=price)
        assert _book(world) == model
    world.wait_until(world.terms.window_start_s - 10)
    world.sale.finalize(7, {"from": world.cleo})
    model = finalize(model, floor_proceeds=1_000_000, bonded=True, expired=False)
    assert world.token.totalSupply(world.junior) == 5
    assert world.token.balanceOf(world.operator, world.junior) == 0
    assert world.sale.releasable(7) == 0

    held = ((0, world.ann, 16), (1, world.bob, 5))
    facility = funded(world, BOND, held, at_s=chain[-1].timestamp)
    available = 0
    for epoch, seconds in enumerate((36_000, 20_000, 0, 36_000)):
        available += seconds
        world.post(epoch, 0, available_gpu_seconds=seconds)
        facility.post(0, seconds, chain[-1].timestamp)
        chain.sleep(601)
        chain.mine()
        now = earned(
            proceeds=model.proceeds,
            up_front_bps=2_500,
            available=available,
            promised_so_far=promised_of(world.terms, epoch + 1),
            promised=promised_of(world.terms, 4),
        )
        assert world.sale.releasable(7) == now - model.released
        if now > model.released:
            world.sale.release(7, {"from": world.cleo})
            model = release(model, earned_now=now)
        assert _book(world) == model
        owed = world.sale.owedTo(world.dollar, world.operator)
        assert world.dollar.balanceOf(world.sale) == model.escrow + owed
    facility.settle(world.settle().timestamp)
    world.seal()
    ended = world.facilities.mature(7, {"from": world.cleo})
    facility.end(FacilityState.MATURED, ended.timestamp)
    assert world.sale.releasable(7) == 0

    done = world.close()

    escrow = model.escrow
    model = surrender(model, earned_now=now)
    assert _book(world) == model
    assert model.escrow == 0
    assert model.returned == escrow
    sale = facility.surrendered(model, earned_now=now, up_front_bps=2_500, unit_prices=prices)
    closing = facility.close(done.timestamp, sale)
    assert_closed(world, done.events, closing, bond=BOND, escrow=escrow)
    streams = [world.token.unvested(i) for i in (world.senior, world.junior)]
    assert streams == list(closing.paid.units)


def test_release__availability_falls_after_it__stays_released_and_goes_on(world):
    """Less may be earned than was released: then nothing is due, and neither a later release nor
    the closing is stopped by it."""
    world.offer()
    world.set_bond(BOND)
    prices = world.open_sale()
    world.buy(world.ann, world.senior, 16)
    world.buy(world.bob, world.junior, 5)
    world.wait_until(world.terms.window_start_s - 10)
    world.sale.finalize(7, {"from": world.cleo})
    model, by_anybody = _book(world), {"from": world.cleo}
    held = ((0, world.ann, 16), (1, world.bob, 5))
    facility = funded(world, BOND, held, at_s=chain[-1].timestamp)

    def earned_now() -> int:
        return earned(
            proceeds=model.proceeds,
            up_front_bps=2_500,
            available=facility.posted_available,
            promised_so_far=promised_of(world.terms, len(facility.gross)),
            promised=promised_of(world.terms, 4),
        )

    releases = []
    for epoch, (seconds, adjustment) in enumerate(
        ((36_000, 0), (0, -36_000), (36_000, 18_000), (0, -1))
    ):
        stated = {"available_gpu_seconds": seconds, "available_adjustment": adjustment}
        world.post(epoch, 0, **stated)
        facility.post(0, seconds + adjustment, chain[-1].timestamp)
        facility.settle(world.settle().timestamp)
        due = max(0, earned_now() - model.released)
        assert world.sale.releasable(7) == due
        if due:
            world.sale.release(7, by_anybody)
        else:
            with brownie.reverts("NothingToRelease: 7"):
                world.sale.release(7, by_anybody)
        model = release(model, earned_now=earned_now())
        assert _book(world) == model
        releases.append(due)
    # A quarter of 1,210,005 at once; the rest by 35,640, 0, 54,000 and 53,999 of 142,560 seconds.
    assert releases == [302_501 + 226_876, 0, 343_751 - 226_876, 0]
    world.seal(available_adjustment=-20_000)
    facility.post_closing(0, -20_000, world.statements.statementOf(7, 4)["postedAt"])
    assert earned_now() == 302_501 + 216_429
    assert world.sale.releasable(7) == 0
    with brownie.reverts("NothingToRelease: 7"):
        world.sale.release(7, by_anybody)
    ended = world.facilities.mature(7, by_anybody)
    facility.end(FacilityState.MATURED, ended.timestamp)

    done = world.close()

    assert (model.released, model.escrow) == (646_252, 563_753)
    model = surrender(model, earned_now=earned_now())
    assert _book(world) == model
    # More was unearned than there is: what was released stays so.
    sale = facility.surrendered(
        model, earned_now=earned_now(), up_front_bps=2_500, unit_prices=prices
    )
    assert (sale.unearned, sale.escrow) == (1_210_005 - 518_930, 563_753)
    assert_closed(
        world, done.events, facility.close(done.timestamp, sale), bond=BOND, escrow=563_753
    )


def test_sale__floor_missed__refunds_equal_the_model(world):
    world.offer()
    prices = world.open_sale()
    world.buy(world.ann, world.junior, 9)
    world.wait_until(world.terms.window_start_s - 10)
    with brownie.reverts(revert_pattern="NotRefunding.*"):
        world.sale.refund(world.junior, 1, world.ann, {"from": world.ann})
    world.sale.finalize(7, {"from": world.cleo})
    model = buy(SaleBook(), units=9, unit_price=prices[1])
    model = finalize(model, floor_proceeds=1_000_000, bonded=True, expired=False)
    before = world.dollar.balanceOf(world.ann)

    world.sale.refund(world.junior, 4, world.ann, {"from": world.ann})

    assert _book(world) == refund(model, units=4, unit_price=prices[1])
    assert world.dollar.balanceOf(world.ann) - before == 4 * prices[1]
    assert world.facilities.stateOf(7) == 5


def test_events__whole_sale__rebuild_the_books(world):
    """A bookkeeper needs the events alone: every balance of the sale follows from them."""
    world.offer()
    world.set_bond(1_000_000)
    world.open_sale(floor=1)
    start = chain.height
    world.buy(world.ann, world.senior, 3)
    world.buy(world.bob, world.junior, 2)
    world.buy(world.operator, world.junior, 1)
    world.wait_until(world.terms.window_start_s - 10)
    world.sale.finalize(7, {"from": world.cleo})
    world.wait_until(world.terms.window_start_s)
    world.sale.release(7, {"from": world.cleo})
    world.sale.withdraw(world.dollar, world.bob, {"from": world.operator})
    world.default(0)
    world.close()

    proceeds = counted = units = released = returned = withdrawn = 0
    for number in range(start + 1, chain.height + 1):
        for tx_hash in chain[number].transactions:
            for event in chain.get_transaction(tx_hash.to_0x_hex()).events:
                if event.address != world.sale.address:
                    continue
                if event.name == "UnitsSold":
                    proceeds, units = proceeds + event["cost"], units + event["units"]
                    counted += event["cost"] if event["buyer"] != world.operator else 0
                    assert event["proceeds"] == proceeds
                elif event.name == "ProceedsReleased":
                    released += event["amount"]
                    assert event["released"] == released
                elif event.name == "ProceedsSurrendered":
                    returned += event["amount"]
                    assert event["unearned"] == proceeds - released
                elif event.name == "Withdrawn":
                    withdrawn += event["amount"]

    book = SaleBook(SaleState.SUCCESSFUL, units, proceeds, counted, released, returned)
    assert _book(world) == book
    assert world.dollar.balanceOf(world.sale) == proceeds - returned - withdrawn
    supply = sum(world.token.totalSupply(i) for i in (world.senior, world.junior))
    assert supply == units == 6


def test_buy__wrong_or_late__reverts(world):
    world.offer()
    world.open_sale()
    world.buy(world.ann, world.junior, 1)
    for arguments, error in (
        ((world.junior, 24, 10**12), "UnitsAboveCap"),
        ((world.junior, 0, 10**12), "UnitsZero"),
        ((world.junior, 1, 50_000), "CostAboveLimit"),
        ((world.junior + 1, 1, 10**12), "TrancheUnknown"),
    ):
        with brownie.reverts(revert_pattern=f"{error}.*"):
            world.sale.buy(*arguments, {"from": world.ann})
    world.wait_until(world.terms.window_start_s - 10)
    with brownie.reverts(revert_pattern="SaleOutsideHours.*"):
        world.sale.buy(world.junior, 1, 10**12, {"from": world.ann})


def test_mint__sale_running__is_the_sales_alone(world):
    world.offer()
    world.open_sale()

    with brownie.reverts(revert_pattern="MintNotAllowed.*"):
        world.token.mint(world.ann, world.junior, 1, {"from": world.operator})
    with brownie.reverts(revert_pattern="SaleRunning.*"):
        world.facilities.fund(7, {"from": world.operator})


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"unit_prices": (1_000_003, 1)},
        {"unit_prices": (1_000_004, 1)},
        {"unit_prices": (60_000,)},
        {"unit_prices": (60_000, 0)},
        {"floor_proceeds": 2_160_024},
        {"floor_proceeds": 2_160_025},
        {"up_front_bps": 10_000},
        {"up_front_bps": 10_001},
        # 39.6 hours are promised: at 700,001 an hour they come to 27,720,039.
        {"unit_prices": (60_000, 1_500_002)},
        {"unit_prices": (60_000, 1_500_003)},
        {"closes_at_s": "window"},
        {"closes_at_s": "window + 1"},
    ],
)
def test_open__terms_at_their_bounds__are_refused_as_the_model_refuses(world, changes):
    """The chain's `SaleTermsInvalid` names the member that the model names."""
    world.offer()
    world.need_no_bond()
    start_s = world.terms.window_start_s
    closes_s = {"window": start_s, "window + 1": start_s + 1}.get(changes.get("closes_at_s"))
    values = {"opens_at_s": 0, "closes_at_s": start_s - 10, "floor_proceeds": 0,
              "up_front_bps": 2_500, "unit_prices": (60_000, 50_001)}  # fmt: skip
    values |= changes | ({"closes_at_s": closes_s} if closes_s else {})
    terms = SaleTerms(**values)
    arguments = (terms.opens_at_s, terms.closes_at_s, terms.floor_proceeds, terms.up_front_bps)
    try:
        check_sale(world.terms, terms, rate_per_gpu_hour=RATE, now_s=chain[-1].timestamp)
    except InvalidInput as refusal:
        field = _solidity(refusal.context["field"])
        with brownie.reverts(f"SaleTermsInvalid: {field}"):
            world.sale.open(7, (*arguments, terms.unit_prices), {"from": world.operator})
    else:
        world.sale.open(7, (*arguments, terms.unit_prices), {"from": world.operator})


def _solidity(field: str) -> str:
    first, *rest = field.removesuffix("_s").replace("micros_", "").split("_")
    return first + "".join(word.capitalize() for word in rest)


def test_refund_by_sig__signed_by_a_wallet_library__pays_where_it_says(world):
    """EIP-712 from a library beside ours, and nobody needs the buyer's entry any more."""
    world.offer()
    prices = world.open_sale()
    buyer = world.attesters[0]
    world.buy(buyer, world.junior, 3)
    world.wait_until(world.terms.window_start_s - 10)
    world.sale.finalize(7, {"from": world.cleo})
    types = "buyer:address id:uint256 units:uint256 to:address nonce:uint256 deadline:uint256"
    message = {
        "buyer": buyer.address, "id": world.junior, "units": 2, "to": world.cleo.address,
        "nonce": 0, "deadline": 2**40,
    }  # fmt: skip
    signed = Account.sign_typed_data(
        buyer.private_key,
        domain_data={
            "name": "Rentroll Wallets",
            "version": "1",
            "chainId": chain.id,
            "verifyingContract": world.wallets.address,
        },
        message_types={
            "Refund": [
                dict(zip(("name", "type"), t.split(":"), strict=True)) for t in types.split()
            ]
        },
        message_data=message,
    )
    had = world.dollar.balanceOf(world.cleo)

    world.wallets.refundBySig(
        buyer, world.junior, 2, world.cleo, 2**40, bytes(signed.signature), {"from": world.bob}
    )

    assert world.dollar.balanceOf(world.cleo) - had == 2 * prices[1]
    world.sale.refundTo(buyer, world.junior, {"from": world.bob})
    assert world.dollar.balanceOf(world.sale) == 0


def test_offer__expired__is_cancelled_by_time_alone(world):
    """`api.domain.lifecycle` says the same: nobody has to say so on-chain."""
    world.offer()
    world.set_bond(1_000_000)
    world.open_sale(floor=1)
    world.buy(world.ann, world.junior, 1)
    world.wait_until(world.terms.expires_at_s)
    assert world.facilities.stateOf(7) == 5

    world.sale.finalize(7, {"from": world.cleo})
    world.sale.refundTo(world.ann, world.junior, {"from": world.cleo})
    world.facilities.expire(7, {"from": world.cleo})

    assert _book(world).state is SaleState.REFUNDING
    assert world.dollar.balanceOf(world.sale) == 0
