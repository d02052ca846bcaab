"""Rent, settlement, streams and claims, compared with the reference model at every step."""

import random

import brownie
from brownie import chain

from api.domain.capital.accumulator import Position, Stream, TrancheModel
from api.domain.capital.settlement import TrancheBook, TrancheSupply, settle
from tests.contracts.model import accruals


def _compare(world, model, token_id, holders):
    now_s = chain[-1].timestamp
    assert Stream(*world.token.trancheOf(token_id)) == model.stream
    for holder in holders:
        stored = Position(*world.token.positionOf(holder, token_id)[:3])
        assert stored == model.positions.get(holder.address, Position())
        assert world.token.claimable(holder, token_id) == model.claimable(holder.address, now_s)
    assert model.unaccounted_x24(now_s) == 0


def test_settle__two_tranches__equals_the_waterfall_model(world):
    """Invariants 4 and 5: never above attested or collected; juniors wait for the coupon."""
    world.fund()
    attested = [7_000_001, 0, 9_999_999, 123]
    rent = [2_000_000, 3_000_000, 50, 40_000_000]
    books, settled, collected = [TrancheBook(), TrancheBook()], 0, 0
    tranches = [TrancheSupply(1_000_003, 16), TrancheSupply(0, 24)]

    for epoch in range(4):
        world.post(epoch, attested[epoch])
        world.pay(rent[epoch])
        collected += rent[epoch]
        due = min(sum(attested[: epoch + 1]), collected) - settled
        transaction = world.settle()
        expected = settle(
            due,
            fee_bps=100,
            settled=settled,
            tranches=tranches,
            books=books,
            from_epochs=epoch,
            to_epochs=epoch + 1,
            epoch_count=4,
        )
        books, settled = list(expected.books), settled + due

        event = transaction.events["Settled"][0]
        assert (event["amount"], event["fee"]) == (expected.amount, expected.fee)
        for token_id, book in zip((world.senior, world.junior), books, strict=True):
            assert world.lockbox.arrearsOf(token_id) == book.arrears
    held = world.dollar.balanceOf(world.lockbox)
    assert held == collected - settled + world.lockbox.feesOwed(7)


def test_settle__not_final_or_nothing_due__reverts(world):
    world.fund().post(0, 100)
    world.pay(1)

    with brownie.reverts(revert_pattern="NothingToSettle.*"):
        world.lockbox.settle(7, {"from": world.cleo})
    world.settle()
    with brownie.reverts(revert_pattern="NothingToSettle.*"):
        world.lockbox.settle(7, {"from": world.cleo})


def test_units__random_history__equal_the_model(world):
    """ATTACKS 1, 2, 3: batches with repeated ids, self transfers, claim-transfer-claim."""
    world.fund()
    holders = [world.ann, world.bob, world.cleo]
    model = TrancheModel()
    at = dict.fromkeys(("mint",), chain[-1].timestamp)
    model.mint(world.ann.address, 13, at["mint"])
    model.mint(world.bob.address, 11, at["mint"])
    model.activate(world.funded_s)
    source = world.accounts[0]
    world.token.setRevenueSource(source, True, {"from": source})
    world.dollar.mint(source, 10**14, {"from": source})
    world.dollar.approve(world.token, 10**14, {"from": source})
    # Minted before anything accrued: settle both sides to the same zero accumulator.
    dice = random.Random(7)

    for _ in range(30):
        chain.sleep(dice.randrange(1, 900))
        action, sender = dice.randrange(4), dice.choice(holders)
        receiver = dice.choice(holders)
        held = world.token.balanceOf(sender, world.junior)
        if action == 0:
            amount, span = dice.randrange(10**9), dice.randrange(3_600)
            done = world.token.accrue(accruals(world.junior, amount, span), {"from": source})
            model.accrue(amount, span, done.timestamp)
        elif action == 1 and held:
            halves = [held // 2, held - held // 2]
            ids = [world.junior, world.junior]
            done = world.token.safeBatchTransferFrom(
                sender, receiver, ids, halves, b"", {"from": sender}
            )
            for units in halves:
                model.transfer(sender.address, receiver.address, units, done.timestamp)
        elif action == 2:
            before = world.dollar.balanceOf(world.cleo)
            ids = [world.junior, world.junior]
            done = world.token.claim(ids, world.cleo, {"from": sender})
            due = model.claimable(sender.address, done.timestamp)
            assert world.dollar.balanceOf(world.cleo) - before == due
            if due:
                model.claim(sender.address, done.timestamp)
        elif held:
            done = world.token.safeTransferFrom(
                sender, sender, world.junior, held, b"", {"from": sender}
            )
            for _ in range(1):
                model.transfer(sender.address, sender.address, held, done.timestamp)
        _compare(world, model, world.junior, holders)


def test_mature__everything_settled__lets_the_last_stream_run_out(world):
    world.fund()
    for epoch in range(4):
        world.post(epoch, 1_000_000)
    world.pay(4_000_000)
    with brownie.reverts(revert_pattern="NotMature.*"):
        world.facilities.mature(7, {"from": world.cleo})
    world.settle()
    world.post_statement(world.closing_statement(4_000_000))
    world.pay(4_000_000)
    with brownie.reverts(revert_pattern="NotMature.*"):
        world.facilities.mature(7, {"from": world.cleo})
    world.settle()

    world.facilities.mature(7, {"from": world.cleo})

    assert world.facilities.stateOf(7) == 4
    assert world.token.unvested(world.senior) > 0
    chain.sleep(world.terms.epoch_length_s)
    chain.mine()
    claimable = sum(
        world.token.claimable(h, i)
        for h in (world.ann, world.bob)
        for i in (world.senior, world.junior)
    )
    assert 7_920_000 - 4 <= claimable <= 7_920_000
    world.close()
    with brownie.reverts(revert_pattern="AmountAboveLimit.*"):
        world.pay(1)


def test_controls__without_the_role__revert(world):
    """ATTACKS 26: every restricted function refuses a stranger."""
    stranger = {"from": world.cleo}
    calls = [
        (world.facilities.setSettlementToken, (world.dollar, True)),
        (world.facilities.remove, (7,)),
        (world.facilities.reserve, (8,)),
        (world.registry.setAttester, (world.cleo, True)),
        (world.registry.setPanel, (1, [world.cleo])),
        (world.registry.setOfferPanel, (1,)),
        (world.registry.takeSlashed, (world.cleo,)),
        (world.statements.pause, ()),
        (world.token.setRevenueSource, (world.cleo, True)),
        (world.token.pause, ()),
        (world.attester_desk.takeFees, (world.dollar, world.cleo)),
    ]

    for function, arguments in calls:
        with brownie.reverts(revert_pattern="AccessManagedUnauthorized.*"):
            function(*arguments, stranger)
    with brownie.reverts(revert_pattern="NotRevenueSource.*"):
        world.token.accrue([], stranger)


def test_pause__claims_and_rent__stay_open(world):
    """ATTACKS 27."""
    world.fund().post(0, 1_000_000)
    world.pay(1_000_000)
    owner = {"from": world.accounts[0]}
    world.token.pause(owner)
    world.statements.pause(owner)

    world.pay(5)
    world.settle()
    chain.sleep(4_000)
    chain.mine()
    world.token.claim([world.senior, world.junior], world.ann, {"from": world.ann})

    assert world.dollar.balanceOf(world.ann) > 0
    with brownie.reverts(revert_pattern="EnforcedPause.*"):
        world.token.safeTransferFrom(
            world.ann, world.bob, world.senior, 1, b"", {"from": world.ann}
        )
