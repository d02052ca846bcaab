"""PrimarySale by external function, beside `api.domain.capital.sale`; books rebuilt from events."""

import brownie
from brownie import chain

from api.domain.capital.sale import (
    SaleBook,
    SaleState,
    buy,
    earned,
    finalize,
    promised_gpu_seconds,
    refund,
    release,
    seize,
    unsold,
)
from api.domain.capital.settlement import TrancheBook, TrancheSupply, distribute


def _book(world) -> SaleBook:
    state, *numbers = world.sale.bookOf(7)
    return SaleBook(SaleState(state), *numbers)


def _promised(world) -> int:
    terms = world.terms
    return promised_gpu_seconds(
        device_count=terms.device_count,
        epoch_length_s=terms.epoch_length_s,
        epochs=terms.epoch_count,
        promised_availability_ppm=terms.promised_availability_ppm,
    )


def test_sale__success_to_maturity__equals_the_model(world):
    """Invariant 2: escrow = proceeds - released - seized at every step."""
    world.offer()
    world.set_bond(1_000_000)
    senior_price, junior_price = world.open_sale()
    model = SaleBook()
    for buyer, token_id, units, price in (
        (world.ann, world.senior, 16, senior_price),
        (world.bob, world.junior, 5, junior_price),
    ):
        world.buy(buyer, token_id, units)
        model = buy(model, units=units, unit_price=price)
        assert _book(world) == model
    world.wait_until(world.terms.window_start_s - 10)
    world.sale.finalize(7, {"from": world.cleo})
    model = finalize(model, floor_units=20, bonded=True)
    retained = unsold(caps=[16, 24], supplies=[16, 5])[1]
    assert world.token.balanceOf(world.operator, world.junior) == retained

    available = 0
    for epoch, seconds in enumerate((36_000, 20_000, 0, 36_000)):
        available += seconds
        world.post(epoch, 0, available_gpu_seconds=seconds)
        chain.sleep(601)
        chain.mine()
        now = earned(
            proceeds=model.proceeds,
            up_front_bps=2_500,
            available=available,
            promised=_promised(world),
        )
        assert world.sale.releasable(7) == now - model.released
        if now > model.released:
            world.sale.release(7, {"from": world.cleo})
            model = release(model, earned_now=now)
        assert _book(world) == model
        owed = world.sale.owedTo(world.dollar, world.operator)
        assert world.dollar.balanceOf(world.sale) == model.escrow + owed
    world.settle()
    world.facilities.mature(7, {"from": world.cleo})

    world.sale.seize(7, {"from": world.cleo})

    arrears = world.lockbox.arrearsOf(world.senior)
    model = seize(model, kept=model.released)
    assert _book(world) == model
    assert model.escrow == 0
    supplies = [TrancheSupply(1_000_003, 16), TrancheSupply(0, 24)]
    due = [TrancheBook(16 * 1_000_003, 0, 16), TrancheBook()]
    split = distribute(model.seized, tranches=supplies, books=due)
    assert arrears == split.books[0].arrears
    streams = [world.token.unvested(i) for i in (world.senior, world.junior)]
    assert streams == list(split.payments)


def test_sale__floor_missed__refunds_equal_the_model(world):
    world.offer()
    prices = world.open_sale()
    world.buy(world.ann, world.junior, 9)
    world.wait_until(world.terms.window_start_s - 10)
    with brownie.reverts(revert_pattern="NotRefunding.*"):
        world.sale.refund(world.junior, 1, world.ann, {"from": world.ann})
    world.sale.finalize(7, {"from": world.cleo})
    model = finalize(buy(SaleBook(), units=9, unit_price=prices[1]), floor_units=20, bonded=True)
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
    world.wait_until(world.terms.window_start_s - 10)
    world.sale.finalize(7, {"from": world.cleo})
    world.sale.release(7, {"from": world.cleo})
    world.sale.withdraw(world.dollar, world.bob, {"from": world.operator})
    world.wait_until(world.terms.window_start_s + 3 * world.terms.epoch_length_s)
    world.facilities.declareDefault(7, {"from": world.cleo})
    world.sale.seize(7, {"from": world.cleo})

    proceeds = units = released = seized = withdrawn = retained = 0
    for number in range(start + 1, chain.height + 1):
        for tx_hash in chain[number].transactions:
            for event in chain.get_transaction(tx_hash.to_0x_hex()).events:
                if event.address != world.sale.address:
                    continue
                if event.name == "UnitsSold":
                    proceeds, units = proceeds + event["cost"], units + event["units"]
                    assert event["proceeds"] == proceeds
                elif event.name == "ProceedsReleased":
                    released += event["amount"]
                    assert event["released"] == released
                elif event.name == "ProceedsSeized":
                    seized += event["amount"]
                elif event.name == "Withdrawn":
                    withdrawn += event["amount"]
                elif event.name == "UnitsRetained":
                    retained += event["units"]

    assert _book(world) == SaleBook(SaleState.SUCCESSFUL, units, proceeds, released, seized)
    assert world.dollar.balanceOf(world.sale) == proceeds - seized - withdrawn
    supply = sum(world.token.totalSupply(i) for i in (world.senior, world.junior))
    assert supply == units + retained == 40


def test_buy__wrong_or_late__reverts(world):
    world.offer()
    world.open_sale()
    world.buy(world.ann, world.junior, 1)
    for arguments, error in (
        ((world.junior, 24, 10**12), "UnitsAboveCap"),
        ((world.junior, 0, 10**12), "UnitsZero"),
        ((world.junior, 1, 1_500_000), "CostAboveLimit"),
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
