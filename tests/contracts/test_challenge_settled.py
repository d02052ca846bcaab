"""Challenges against settlement: nothing settled is voided, nothing void is settled."""

from dataclasses import replace

import brownie
from brownie import chain

from api.domain.capital.closing import closable_from_s
from api.domain.capital.sale import promised_of
from api.domain.hashing import keccak
from api.domain.metering.usage import LineKind
from api.domain.statements.lines import Line
from api.domain.units import Epoch
from tests.contracts.registry_world import Posted, empty_statement


def _posted(world, epoch, *, faulty):
    """A statement of one line; a faulty one states a unit more than the line carries."""
    base = replace(
        empty_statement(world.terms, epoch, world.previous),
        top_renter_bps=10_000,
        epoch=Epoch(epoch),
    )
    start_s = base.epoch_start_s
    line = Line(
        0, LineKind.USAGE, world.terms.devices[0], keccak(b"lease"), start_s, start_s + 60, 60,
        5_000_000, 60, 5_000_000,
    )  # fmt: skip
    posted = Posted(base, [line], gross_revenue_micros=5_000_000 + faulty)
    world.wait_until(base.epoch_end_s)
    world.statements.post(posted.abi, world.sign(posted.statement), {"from": world.cleo})
    world.previous = posted.hash
    return posted


def test_challenge__settled_epoch__reverts_for_ever(world):
    """ATTACKS 24: the window guards it; settlement counts final epochs only."""
    faulty = _posted(world.fund(), 0, faulty=True)
    world.pay(9_000_000)
    with brownie.reverts(revert_pattern="NothingToSettle.*"):
        world.lockbox.settle(7, {"from": world.cleo})
    world.settle()

    for _ in range(2):
        with brownie.reverts(revert_pattern="ChallengeTooLate: 7, 0.*"):
            world.statements.challengeLine(faulty.abi, faulty.proven(0), {"from": world.ann})
        chain.sleep(10_000)
        chain.mine()
    assert world.statements.epochsPosted(7) == 1
    assert world.lockbox.bookOf(7)[1] == 5_000_001


def test_settle__void_epoch__reverts_and_settles_what_is_posted_again(world):
    """ATTACKS 24: left-overs of a void statement never pay, however old they are."""
    faulty = _posted(world.fund(), 0, faulty=True)
    world.pay(9_000_000)
    world.statements.challengeLine(faulty.abi, faulty.proven(0), {"from": world.ann})
    chain.sleep(601)
    chain.mine()

    assert world.lockbox.settleable(7) == 0
    with brownie.reverts(revert_pattern="NothingToSettle.*"):
        world.lockbox.settle(7, {"from": world.cleo})
    world.previous = bytes(32)
    _posted(world, 0, faulty=False)
    world.settle()
    assert world.lockbox.bookOf(7)[1] == 5_000_000


def test_close__statement_voided_after_the_end__waits_for_a_new_one(world):
    """A void puts the last word off by an epoch and a day, and everybody can count on that."""
    length_s = world.terms.epoch_length_s
    declared = world.fund().default(0)
    faulty = _posted(world, 0, faulty=True)
    chain.sleep(500)
    voided = world.statements.challengeLine(faulty.abi, faulty.proven(0), {"from": world.ann})
    ended = {"ended_at_s": declared.timestamp, "matured": False, "epoch_length_s": length_s}

    def opens_s(final_s: int) -> int:
        times = {"voided_at_s": voided.timestamp, "last_final_at_s": final_s}
        return closable_from_s(**ended, **times)

    assert world.lockbox.closableFrom(7) == opens_s(0) > declared.timestamp + length_s
    # Voided is not open again: nobody can call it a default, and no damages are due for it.
    assert tuple(world.statements.opennessOf(7)) == (1, voided.timestamp, 0, 0)
    world.wait_until(world.statements.statementsEndAt(7) - 60)
    world.previous = bytes(32)
    _posted(world, 0, faulty=False)
    posted_s = world.statements.statementOf(7, 0)[1]
    assert world.lockbox.closableFrom(7) == opens_s(posted_s + 600)

    done = world.close()

    # The stated epoch was delivered; three are missing.
    missing = promised_of(world.terms, 4) - promised_of(world.terms, 1)
    assert done.events["FacilityClosed"][0]["closing"]["missingGpuSeconds"] == missing
    assert world.lockbox.bookOf(7)[2] == 1
