"""How a facility ends and is closed: notice and cure, evidence, long stop, unpaid rent."""

from dataclasses import replace

import brownie
import pytest
from brownie import chain

from api.domain.facility import DAY_S
from api.domain.lifecycle import FacilityState
from tests.contracts.model import RATE
from tests.contracts.twin import BOND, assert_closed, assert_late, placed

DELIVERING, MATURED, DEFAULTED, STOPPED = 3, 4, 6, 7
EVIDENCE = b"\x44" * 32


@pytest.fixture
def bonded(world):
    """A facility with a bond, funded, its window ahead."""
    world.offer()
    world.set_bond(BOND)
    return world.fund(offer=False)


def _overdue_s(world, epoch: int) -> int:
    return world.terms.epoch_bounds(epoch)[1] + world.terms.patience_s


def _cure_s(world) -> int:
    return world.terms.epoch_length_s + DAY_S


def _refuse(error: str, function, *arguments) -> None:
    with brownie.reverts(revert_pattern=f"{error}.*"):
        function(*arguments)


def _reject(world, epoch: int, attesters, evidence: bytes = EVIDENCE):
    return world.reject(epoch, evidence, attesters)


def test_declare_default__epoch_open_after_notice_and_cure__closes_as_the_model(bonded):
    """ATTACKS 42: no step early, none twice; what streams streams on."""
    world, by_anybody = bonded, {"from": bonded.cleo}
    model = placed(world)
    world.post(0, 1_000_000)
    model.post(1_000_000, 36_000, chain[-1].timestamp)
    world.pay(600_000)
    model.collected = 600_000
    model.settle(world.settle().timestamp)
    notice, declare = world.facilities.noticeDefault, world.facilities.declareDefault
    world.wait_until(_overdue_s(world, 1) - 60)
    _refuse("EpochNotOverdue", notice, 7, 1, by_anybody)
    _refuse("EpochNotOpen", notice, 7, 0, by_anybody)
    _refuse("EpochNotOpen", notice, 7, 4, by_anybody)
    _refuse("DefaultNotNoticed", declare, 7, 1, by_anybody)
    world.wait_until(_overdue_s(world, 1))

    noticed = notice(7, 1, by_anybody)

    cure_until_s = noticed.timestamp + _cure_s(world)
    assert noticed.events["DefaultNoticed"][0]["cureUntil"] == cure_until_s
    assert world.facilities.defaultNoticedAt(7, 1) == noticed.timestamp
    _refuse("DefaultNoticedBefore", notice, 7, 1, by_anybody)
    world.wait_until(cure_until_s - 60)
    _refuse("CureRunning", declare, 7, 1, by_anybody)
    world.wait_until(cure_until_s)
    done = declare(7, 1, by_anybody)
    assert done.events["DefaultDeclared"][0]["epoch"] == 1
    assert world.facilities.stateOf(7) == DEFAULTED
    assert world.facilities.endingOf(7)[1] == done.timestamp
    model.end(FacilityState.DEFAULTED, done.timestamp)
    assert world.lockbox.closableFrom(7) == model.closable_from_s()
    world.wait_until(model.closable_from_s() - 60)
    _refuse("ClosingNotOpen", world.lockbox.close, 7, by_anybody)
    closed = world.close()
    assert_closed(world, closed.events, model.close(closed.timestamp), bond=BOND, escrow=0)
    # ATTACKS 13: what the closing pays streams too, so buying just before it gains nothing.
    streams = [world.token.unvested(i) for i in (world.senior, world.junior)]
    assert streams == [t.stream.pending_x24 >> 24 for t in model.tranches]
    assert sum(streams) > 0
    assert world.facilities.endingOf(7)[2] == closed.timestamp
    _refuse("ClosingNotOpen", world.lockbox.close, 7, by_anybody)


@pytest.mark.parametrize("cure", ["post", "publish"])
def test_declare_default__stated_or_published_in_the_cure__is_none(bonded, cure):
    world, by_anybody = bonded, {"from": bonded.cleo}
    world.wait_until(_overdue_s(world, 0))
    world.facilities.noticeDefault(7, 0, by_anybody)

    world.post(0, 0) if cure == "post" else world.publish(0)

    world.wait_until(chain[-1].timestamp + _cure_s(world))
    _refuse("EpochNotOpen", world.facilities.declareDefault, 7, 0, by_anybody)
    # The next epoch is overdue for as long, and needs a notice of its own.
    _refuse("DefaultNotNoticed", world.facilities.declareDefault, 7, 1, by_anybody)
    assert world.facilities.stateOf(7) == DELIVERING


def test_publish__out_of_order_or_by_another__is_refused(bonded):
    world, publish = bonded, bonded.statements.publish
    as_operator = {"from": world.operator}
    world.wait_until(world.terms.window_start_s)
    _refuse("EpochNotOver", publish, 7, 0, EVIDENCE, as_operator)
    world.wait_until(world.terms.epoch_bounds(1)[1])
    _refuse("NotGpuOperator", publish, 7, 0, EVIDENCE, {"from": world.cleo})
    _refuse("EvidenceHashZero", publish, 7, 0, b"\0" * 32, as_operator)
    _refuse("PublicationOutOfOrder", publish, 7, 1, EVIDENCE, as_operator)
    world.statements.pause({"from": world.accounts[0]})

    done = publish(7, 0, EVIDENCE, as_operator)

    assert bytes(done.events["EvidencePublished"][0]["evidenceHash"]) == EVIDENCE
    assert bytes(world.statements.publishedHashOf(7, 0)) == EVIDENCE
    assert world.statements.opennessOf(7)[0] == 1
    _refuse("PublicationOutOfOrder", publish, 7, 0, EVIDENCE, as_operator)
    world.wait_until(world.terms.window_end_s)
    for epoch in (1, 2, 3):
        world.publish(epoch)
    _refuse("EpochBeyondWindow", publish, 7, 4, EVIDENCE, as_operator)


def test_reject__by_a_quorum__takes_back_this_epoch_and_all_later_ones(bonded):
    """Rule 8: it counts once, and the epoch can then only be stated."""
    world = bonded
    world.wait_until(world.terms.window_end_s)
    for epoch in range(4):
        world.publish(epoch)
    _refuse("NothingToReject", _reject, world, 1, world.attesters[:2], b"\x45" * 32)
    _refuse("QuorumMissing", _reject, world, 1, world.attesters[:1])

    done = _reject(world, 1, world.attesters[:2])

    event = done.events["EvidenceRejected"][0]
    assert (event["epoch"], event["attesters"]) == (1, [a.address for a in world.attesters[:2]])
    assert tuple(world.statements.opennessOf(7)) == (1, 0, done.timestamp, 1)
    assert [bytes(world.statements.publishedHashOf(7, e)) for e in (0, 1, 2)] == [
        EVIDENCE,
        bytes(32),
        bytes(32),
    ]
    _refuse("NothingToReject", _reject, world, 1, world.attesters[:2])
    _refuse("EpochRejected", world.publish, 1)
    world.post(0, 0)
    world.post(1, 0)
    world.publish(2)
    assert world.statements.opennessOf(7)[0] == 3


def test_declare_default__evidence_rejected_after_the_notice__needs_another_one(bonded):
    """ATTACKS 42: who rejects gives the operator a whole cure."""
    world, by_anybody = bonded, {"from": bonded.cleo}
    world.wait_until(_overdue_s(world, 0))
    world.facilities.noticeDefault(7, 0, by_anybody)
    world.publish(0)
    world.wait_until(chain[-1].timestamp + _cure_s(world))

    _reject(world, 0, world.attesters[1:])

    _refuse("DefaultNotNoticed", world.facilities.declareDefault, 7, 0, by_anybody)
    # A notice in the very second of the rejection does not count.
    chain.sleep(1)
    world.facilities.noticeDefault(7, 0, by_anybody)
    _refuse("CureRunning", world.facilities.declareDefault, 7, 0, by_anybody)
    world.wait_until(chain[-1].timestamp + _cure_s(world))
    world.facilities.declareDefault(7, 0, by_anybody)
    assert world.facilities.stateOf(7) == DEFAULTED


def test_post__defaulted__takes_epochs_that_were_over_for_an_epoch_and_a_day(bonded):
    """No pause of an ended facility; and never an epoch of after the end."""
    world = bonded
    declared = world.default(0)
    world.statements.pause({"from": world.accounts[0]})

    world.post(0, 0)

    until_s = declared.timestamp + _cure_s(world)
    world.wait_until(until_s - 700)
    world.post(1, 0)
    _refuse("FacilityNotDelivering", world.publish, 2)
    last_s = chain[-1].timestamp
    world.wait_until(until_s)
    _refuse("FacilityNotDelivering", world.post, 2, 0)
    # The last statement is final by then, or else the closing waits for it.
    assert world.lockbox.closableFrom(7) == max(until_s, last_s + 600) + DAY_S


def test_post__ended_before_the_epoch_was_over__is_refused(world):
    """Only epochs of before the end can still be stated: what comes now has no capacity."""
    world.terms = _longer(world.terms)
    world.fund()
    declared = world.default(0)
    epoch = world.terms.epoch_at(declared.timestamp)
    for earlier in range(epoch):
        world.post(earlier, 0)

    world.wait_until(world.terms.epoch_bounds(epoch)[1])

    assert world.terms.epoch_bounds(epoch)[1] < declared.timestamp + _cure_s(world)
    _refuse(f"GpuSecondsAboveCapacity: {10 * DAY_S // 2}, 0", world.post, epoch, 0)
    assert world.statements.epochsPosted(7) == epoch


def _longer(terms):
    """The same facility for twelve epochs of half a day, with the least patience there is."""
    length_s, end_s = DAY_S // 2, terms.window_start_s + 6 * DAY_S
    return replace(terms, window_end_s=end_s, epoch_length_s=length_s, patience_s=length_s + DAY_S)


def test_declare_default__late_rent__is_still_taken_and_settled(bonded):
    """ATTACKS 25: before the closing any; then what is attested, and in place of the bond."""
    world = bonded
    model = placed(world)
    world.post(0, 40_000_000)
    model.post(40_000_000, 36_000, chain[-1].timestamp)
    model.end(FacilityState.DEFAULTED, world.default(1).timestamp)
    world.pay(500_000)
    model.collected += 500_000
    closed = world.close()
    assert_closed(world, closed.events, model.close(closed.timestamp), bond=BOND, escrow=0)
    # Ten hours were there: they are worth more than the bond, and less than the rent.
    assert BOND < 10 * RATE < 40_000_000
    assert tuple(world.lockbox.advanceOf(7)) == (BOND, 0)
    assert tuple(world.lockbox.bookOf(7)) == (500_000, 2_000_000, 1)
    _refuse("AmountAboveLimit", world.pay, 39_500_001)
    claims = sum(model.claims.units)

    for amount in (6_000_000, 33_500_000):
        world.pay(amount)
        model.collected += amount
        done = world.settle()
        model.settle(done.timestamp)
        assert_late(world, model)
        assert world.lockbox.bookOf(7)[1] == model.settled

    # Some came in place of the bond; then all claims of holders are paid, and what they leave is
    # rent again.
    before = 6_000_000
    assert done.events["LateRentShared"][0]["amount"] == claims - before
    assert [e["amount"] for e in done.events["Settled"]] == [33_500_000 - (claims - before)]
    assert sum(model.claims.units) == 0
    assert world.lockbox.owedTo(world.dollar, world.operator) == model.residual
    assert world.lockbox.feesOwed(7) == model.fees
    _refuse("AmountAboveLimit", world.pay, 1)
    assert world.lockbox.settleable(7) == 0


def test_refund_excess__closed__gives_back_what_is_above_all_attested(bonded):
    world = bonded
    world.post(0, 1_000_000)
    world.default(1)
    world.pay(1_500_000)
    refund = world.lockbox.refundExcess
    _refuse("NotRefundDesk", refund, 7, world.renter, 1, {"from": world.accounts[0]})
    _refuse("FacilityNotClosed", world.refund, world.renter, 500_000)
    world.close()

    world.refund(world.renter, 500_000)

    before = world.dollar.balanceOf(world.renter)
    world.lockbox.withdraw(world.dollar, world.renter, {"from": world.renter})
    assert world.dollar.balanceOf(world.renter) - before == 500_000
    assert tuple(world.lockbox.bookOf(7)) == (1_000_000, 1_000_000, 1)


def test_stop__long_after_the_window__ends_a_facility_that_nobody_ended(bonded):
    """Rule 9: everything published, nothing signed, and nobody calls it a default."""
    world = bonded
    model = placed(world)
    world.wait_until(world.terms.window_end_s)
    for epoch in range(4):
        world.publish(epoch)
    model.published = 4
    stops_s = world.terms.sealed_at_s + world.terms.long_stop_s
    world.wait_until(stops_s - 60)
    _refuse("LongStopAhead", world.facilities.stop, 7, {"from": world.cleo})

    done = world.stop()

    assert world.facilities.stateOf(7) == STOPPED
    model.end(FacilityState.STOPPED, done.timestamp)
    closed = world.close()
    closing = model.close(closed.timestamp)
    assert_closed(world, closed.events, closing, bond=BOND, escrow=0)
    assert closing.paid.gpu_operator == BOND


def test_mature__renter_never_pays__written_off_90_days_after_the_notice(bonded):
    """The notice comes first; the bond then pays what the renter did not."""
    world, by_anybody = bonded, {"from": bonded.cleo}
    model = placed(world)
    for epoch in range(4):
        world.post(epoch, 1_000_000)
        model.post(1_000_000, 36_000, chain[-1].timestamp)
    world.pay(1)
    model.collected = 1
    _refuse("NothingUnpaid", world.facilities.noticeUnpaid, 7, by_anybody)
    model.settle(world.settle().timestamp)
    chain.sleep(90 * DAY_S)
    _refuse("NothingUnpaid", world.facilities.noticeUnpaid, 7, by_anybody)
    world.seal()
    model.post_closing(0, 0, world.statements.statementOf(7, 4)["postedAt"])
    _refuse("NotMature", world.facilities.mature, 7, by_anybody)

    noticed = world.facilities.noticeUnpaid(7, by_anybody)

    event = noticed.events["UnpaidNoticed"][0]
    assert (event["amount"], event["maturesFrom"]) == (3_999_999, noticed.timestamp + 90 * DAY_S)
    _refuse("NothingUnpaid", world.facilities.noticeUnpaid, 7, by_anybody)
    world.wait_until(noticed.timestamp + 90 * DAY_S - 60)
    _refuse("NotMature", world.facilities.mature, 7, by_anybody)
    world.wait_until(noticed.timestamp + 90 * DAY_S)
    done = world.facilities.mature(7, by_anybody)
    assert done.events["ReceivableWrittenOff"][0]["amount"] == 3_999_999
    assert world.facilities.stateOf(7) == MATURED
    model.end(FacilityState.MATURED, done.timestamp)
    assert world.lockbox.closableFrom(7) == done.timestamp + DAY_S == model.closable_from_s()
    closed = world.close()
    assert_closed(world, closed.events, model.close(closed.timestamp), bond=BOND, escrow=0)
    assert world.lockbox.advanceOf(7)[0] == BOND


def test_end__each_way__burns_no_unit_and_keeps_claims(bonded):
    """Units of an ended facility neither become vouchers nor expire."""
    world = bonded
    moved = (world.ann, world.bob, world.senior, 6, b"", {"from": world.ann})
    world.token.safeTransferFrom(*moved)
    world.default(0)

    _refuse("DeliveryClosed", world.take_delivery, world.ann, world.junior, 1, b"\x5a" * 32)
    _refuse("UnitsNotExpired", world.token.burnExpired, world.junior, 1, {"from": world.ann})
    closed = world.close()
    world.wait_until(closed.timestamp + DAY_S)
    # Less than the seniors' claim: the whole bond is theirs, ten units to six.
    claimed = [
        world.token.claim([world.senior], holder, {"from": holder}).return_value
        for holder in (world.ann, world.bob)
    ]
    assert claimed == [BOND * 10 // 16, BOND * 6 // 16]
