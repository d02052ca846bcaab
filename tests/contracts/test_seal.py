"""What the closing statement does to maturity and money, and what changed availability does."""

import brownie
import pytest
from brownie import chain

from api.domain.capital.sale import promised_of
from api.domain.facility import DAY_S
from api.domain.lifecycle import FacilityState
from tests.contracts.model import GRACE_S
from tests.contracts.twin import BOND, assert_closed, assert_late, placed

MATURED = 4
EPOCHS, GROSS = 4, 1_000_000
CAPACITY = 36_000


@pytest.fixture
def bonded(world):
    """A facility with a bond, funded, its window ahead."""
    world.offer()
    world.set_bond(BOND)
    return world.fund(offer=False)


def _refuse(error: str, function, *arguments) -> None:
    with brownie.reverts(revert_pattern=f"{error}.*"):
        function(*arguments)


def _settled(world, model, paid: int) -> None:
    """State four epochs of a million each, and settle what is paid of them."""
    for epoch in range(EPOCHS):
        world.post(epoch, GROSS)
        model.post(GROSS, CAPACITY, chain[-1].timestamp)
    world.pay(paid)
    model.collected += paid
    model.settle(world.settle().timestamp)
    assert tuple(world.lockbox.bookOf(7)) == (paid, min(paid, EPOCHS * GROSS), EPOCHS)


def _seal(world, model, gross: int, adjustment: int = 0) -> None:
    world.seal(gross, available_adjustment=adjustment)
    model.post_closing(gross, adjustment, world.statements.statementOf(7, EPOCHS)["postedAt"])


def _close(world, model) -> None:
    closed = world.close()
    assert_closed(world, closed.events, model.close(closed.timestamp), bond=BOND, escrow=0)
    assert_late(world, model)


def test_mature__all_settled_without_a_closing_statement__waits_until_it_is_final(bonded):
    """Paid and settled to the last cent: late facts can still come."""
    world, by_anybody = bonded, {"from": bonded.cleo}
    _settled(world, placed(world), EPOCHS * GROSS)
    assert world.lockbox.settleable(7) == 0
    for waited_s in (0, world.terms.seal_s, 90 * DAY_S):
        chain.sleep(waited_s)
        chain.mine()
        _refuse("NotMature", world.facilities.mature, 7, by_anybody)
        _refuse("NothingUnpaid", world.facilities.noticeUnpaid, 7, by_anybody)

    world.post_statement(world.closing_statement())

    assert world.statements.isClosingPosted(7)
    assert not world.statements.isClosingFinal(7)
    _refuse("NotMature", world.facilities.mature, 7, by_anybody)
    world.wait_until(chain[-1].timestamp + 600)
    assert world.statements.isClosingFinal(7)
    world.facilities.mature(7, by_anybody)
    assert world.facilities.stateOf(7) == MATURED
    assert world.statements.epochsPosted(7) == EPOCHS
    _refuse("ClosingPosted", world.post_statement, world.closing_statement())


def test_seal__below_what_is_settled__lowers_what_is_attested_and_takes_nothing_back(bonded):
    """3.5 million are settled, 3 are attested after it: the closing goes on from both."""
    world, model, treasury = bonded, placed(bonded), {"from": bonded.accounts[0]}
    _settled(world, model, 3_500_000)
    fees = world.lockbox.feesOwed(7)
    assert fees == 35_000

    _seal(world, model, -1_000_000)

    assert tuple(world.statements.finalTotals(7, 0)) == (EPOCHS, EPOCHS * CAPACITY, 3_000_000)
    assert world.statements.statementOf(7, EPOCHS - 1)["cumulativeGross"] == 4_000_000
    assert world.statements.statementOf(7, EPOCHS)["cumulativeGross"] == 3_000_000
    assert world.statements.postedGross(7) == 3_000_000
    assert tuple(world.lockbox.bookOf(7)) == (3_500_000, 3_500_000, EPOCHS)
    # What was paid above three million is paid out, and no excess.
    assert (world.lockbox.settleable(7), world.lockbox.excessOf(7)) == (0, 0)
    _refuse("NothingToSettle", world.lockbox.settle, 7, treasury)
    world.pay(400_000)
    model.collected += 400_000
    assert (world.lockbox.settleable(7), world.lockbox.excessOf(7)) == (0, 400_000)
    done = world.facilities.mature(7, {"from": world.cleo})
    assert "ReceivableWrittenOff" not in done.events
    model.end(FacilityState.MATURED, done.timestamp)
    _close(world, model)
    # The whole bond goes back: every promised hour was there, and nothing is unpaid.
    assert model.closing.paid.gpu_operator == BOND
    assert world.lockbox.feesOwed(7) == fees
    world.refund(world.renter, 400_000)
    assert tuple(world.lockbox.bookOf(7)) == (3_500_000, 3_500_000, EPOCHS)
    assert (world.lockbox.settleable(7), world.lockbox.excessOf(7)) == (0, 0)
    _refuse("AmountAboveLimit", world.pay, 1)
    owed = [world.lockbox.owedTo(world.dollar, who) for who in (world.renter, world.operator)]
    assert owed == [400_000, model.residual]
    assert world.dollar.balanceOf(world.lockbox) == fees + 400_000 + model.residual


@pytest.mark.parametrize(
    ("difference", "attested", "unpaid"),
    [
        (0, 4_000_000, 2_000_000),
        (-1_000_000, 3_000_000, 1_000_000),
        (-2_000_000, 2_000_000, 0),
        (-2_000_001, 1_999_999, 0),
        (-4_000_001, 0, 0),
        (1 - 2**64, 0, 0),
        (250_001, 4_250_001, 2_250_001),
    ],
)
def test_seal__two_of_four_millions_settled__renters_owe_what_is_left(
    bonded, difference, attested, unpaid
):
    """Up and down, to zero and no further; only then does a notice count."""
    world, model, by_anybody = bonded, placed(bonded), {"from": bonded.cleo}
    _settled(world, model, 2_000_000)

    _seal(world, model, difference)

    assert world.statements.finalTotals(7, 0)[2] == attested == model.posted_gross
    assert model.unpaid(chain[-1].timestamp) == unpaid
    if unpaid:
        _refuse("NotMature", world.facilities.mature, 7, by_anybody)
        noticed = world.facilities.noticeUnpaid(7, by_anybody)
        assert noticed.events["UnpaidNoticed"][0]["amount"] == unpaid
        world.pay(unpaid)
        model.collected += unpaid
        assert world.lockbox.settle(7, by_anybody).return_value == unpaid
        assert model.settle(chain[-1].timestamp)
    else:
        _refuse("NothingUnpaid", world.facilities.noticeUnpaid, 7, by_anybody)
        _refuse("NothingToSettle", world.lockbox.settle, 7, by_anybody)
    assert tuple(world.lockbox.bookOf(7))[1] == max(2_000_000, attested)
    assert world.lockbox.feesOwed(7) == max(2_000_000, attested) // 100
    done = world.facilities.mature(7, by_anybody)
    model.end(FacilityState.MATURED, done.timestamp)
    _close(world, model)
    assert world.lockbox.excessOf(7) == 0


def test_seal__facility_ended_before__comes_within_an_epoch_and_changes_the_closing(bonded):
    """Epochs and what is late are stated after a default that came before the seal was over."""
    world, model = bonded, placed(bonded)
    ended_s = world.default(0).timestamp
    model.end(FacilityState.DEFAULTED, ended_s)
    assert ended_s < world.terms.sealed_at_s
    for epoch in range(EPOCHS):
        world.post(epoch, GROSS)
        model.post(GROSS, CAPACITY, chain[-1].timestamp)
    stated = {"available_adjustment": -100_000, "ended_at_s": ended_s}
    closing = world.closing_statement(-1_500_000, **stated)
    assert closing.epoch_end_s == ended_s + GRACE_S
    for end_s in (ended_s, ended_s + world.terms.epoch_length_s + 1, world.terms.sealed_at_s):
        wrong = world.closing_statement(-1_500_000, **stated, epoch_end_s=end_s)
        by_anybody = (wrong.as_abi_tuple(), world.sign(wrong), {"from": world.cleo})
        _refuse("EpochBoundsWrong", world.statements.post, *by_anybody)

    world.post_statement(closing)

    posted_s = world.statements.statementOf(7, EPOCHS)["postedAt"]
    model.post_closing(-1_500_000, -100_000, posted_s)
    assert world.lockbox.closableFrom(7) == model.closable_from_s()
    _close(world, model)
    assert tuple(world.statements.finalTotals(7, 0)) == (EPOCHS, 44_000, 2_500_000)
    # The bond pays rent up to it, and for what is missing of the promised hours.
    missing = model.missing()
    assert missing == promised_of(world.terms, EPOCHS) - 44_000
    assert world.lockbox.advanceOf(7)[0] == BOND
    world.pay(2_500_000)
    _refuse("AmountAboveLimit", world.pay, 1)


def test_post__availability_adjusted__changes_what_is_known_and_what_is_missing(bonded):
    """Running sum: what turned out later, down and up, between nothing and all capacity."""
    world, model = bonded, placed(bonded)
    cumulative = []
    for epoch, (available, adjustment) in enumerate(
        ((30_000, 0), (20_000, -5_000), (0, -45_000), (36_000, 90_001))
    ):
        stated = {"available_gpu_seconds": available, "available_adjustment": adjustment}
        sum_before = cumulative[-1] if cumulative else 0
        for beyond in (-sum_before - available - 1, (epoch + 1) * CAPACITY - sum_before + 1):
            wrong = stated | {"available_adjustment": beyond - (beyond > 0) * available}
            with brownie.reverts("StatementInvalid: availableAdjustment"):
                world.post(epoch, 0, **wrong)

        world.post(epoch, 0, **stated)

        model.post(0, available + adjustment, chain[-1].timestamp)
        cumulative.append(world.statements.statementOf(7, epoch)["cumulativeAvailable"])
    assert cumulative == [30_000, 45_000, 0, 126_001]
    world.settle()
    _seal(world, model, 0, -1_001)
    assert world.statements.finalTotals(7, 0)[1] == 125_000 == model.posted_available
    done = world.facilities.mature(7, {"from": world.cleo})
    model.end(FacilityState.MATURED, done.timestamp)
    _close(world, model)
    assert model.missing() == 142_560 - 125_000
