"""Challenges as a game: who pays, who is paid, what stands afterwards, and what cannot be done."""

from dataclasses import replace

import brownie
import pytest
from brownie import chain

from api.domain.statements.faults import FaultKind
from api.domain.statements.statement import statement_hash
from api.domain.units import FacilityId
from tests.contracts.attesting import by_address
from tests.contracts.registry_world import (
    BOND,
    CANCELLED,
    OFFERED,
    SLASH,
    Posted,
    epochs_with_lines,
    overstated,
    wait_until,
)
from tests.contracts.steps import challenge
from tests.ledgers import facility

ACCEPTING, REFUSING = 1, 0


def test_void__middle_epoch__takes_later_ones_and_keeps_earlier_ones(book):
    """ATTACKS 24: views respect it, and the chain of statements starts again from there."""
    closed = epochs_with_lines(book, 3)
    wait_until(book.terms.window_end_s)
    book.post(closed[0].statement)
    kept = tuple(book.registry.statementOf(7, 0))
    faulty = overstated(closed[1])
    book.post(faulty.statement)
    later = replace(closed[2].statement, previous_statement_hash=faulty.hash)
    book.post(later)

    event = challenge(book, faulty).events["StatementVoided"][0]

    assert (event["epoch"], event["fault"]) == (1, int(FaultKind.TOTALS_WRONG))
    assert event["epochsPostedBefore"] == 3
    assert book.registry.epochsPosted(7) == 1
    assert tuple(book.registry.statementOf(7, 0)) == kept
    for epoch in (1, 2):
        assert book.registry.statementOf(7, epoch)[1] == 0
        assert book.registry.signersOf(7, epoch) == ()
        assert not book.registry.isFinal(7, epoch)
        with brownie.reverts(revert_pattern="StatementUnknown.*"):
            book.registry.verifyLine(faulty.abi, *faulty.proven(0))
    chain.sleep(601)
    chain.mine()
    # The left-over records are older than the window, and must not count.
    assert book.registry.epochsFinal(7) == 1
    assert not book.registry.isFinal(7, 2)
    assert tuple(book.registry.finalTotals(7, 0)) == (1, *kept[2:])
    assert book.registry.postedGross(7) == kept[3]

    with brownie.reverts(revert_pattern="EpochOutOfOrder.*"):
        book.post(later)
    book.post(closed[1].statement)
    with brownie.reverts(revert_pattern="PreviousStatementWrong.*"):
        book.post(later)
    book.post(closed[2].statement)
    gross = sum(c.statement.gross_revenue_micros for c in closed)
    available = sum(
        c.statement.available_gpu_seconds + c.statement.available_adjustment for c in closed
    )
    record = book.registry.statementOf(7, 2)
    assert (record[2], record[3]) == (available, gross)


def test_slash__signers__pay_once_half_to_the_challenger(book):
    """ATTACKS 24: the event names account, statement and who gets what."""
    closed = epochs_with_lines(book, 1)[0]
    faulty = overstated(closed)
    book.post(faulty.statement, book.attesters[1:])

    done = challenge(book, faulty)

    assert [dict(event) for event in done.events["AttesterSlashed"]] == [
        {
            "attester": attester.address,
            "facilityId": 7,
            "statementHash": "0x" + faulty.hash.hex(),
            "challenger": book.challenger.address,
            "amount": SLASH,
            "challengerAmount": SLASH // 2,
        }
        for attester in book.attesters[1:]
    ]

    assert book.bonds() == [BOND, BOND - SLASH, BOND - SLASH]
    assert book.owed(book.challenger) == SLASH
    assert book.members.slashedForTreasury() == SLASH
    verdict = tuple(book.registry.verdictOf(faulty.hash))
    assert verdict == (book.challenger, int(FaultKind.TOTALS_WRONG), True)
    charged = [book.members.isCharged(faulty.hash, a) for a in book.attesters]
    assert charged == [False, True, True]


def test_challenge__already_void__pays_nobody(book):
    """ATTACKS 24: a second challenge, and one that hits what was posted since."""
    closed = epochs_with_lines(book, 1)[0]
    faulty = overstated(closed)
    book.post(faulty.statement)
    challenge(book, faulty)

    with brownie.reverts("StatementUnknown: 7, 0"):
        challenge(book, faulty, book.anybody)
    book.post(closed.statement)
    with brownie.reverts(revert_pattern="StatementHashWrong.*"):
        challenge(book, faulty, book.anybody)
    assert book.owed(book.anybody) == 0
    assert book.registry.epochsPosted(7) == 1


def test_post__statement_that_was_proven_faulty__is_barred(book):
    """ATTACKS 24: public signatures cannot bring a void statement back."""
    closed = epochs_with_lines(book, 1)[0]
    faulty, other = overstated(closed), overstated(closed, extra=2)
    book.post(faulty.statement)
    challenge(book, faulty)

    with brownie.reverts(revert_pattern="StatementBarred.*"):
        book.post(faulty.statement)
    book.post(other.statement)
    challenge(book, other)
    with brownie.reverts(revert_pattern="StatementBarred.*"):
        book.post(faulty.statement)
    assert book.bonds() == [BOND - 2 * SLASH, BOND - 2 * SLASH, BOND]
    book.post(closed.statement)


def test_challenge__attester_against_itself__loses_half(book):
    """ATTACKS 24: whoever runs in front of the challenger with the proof still pays the holders."""
    closed = epochs_with_lines(book, 1)[0]
    guilty = book.attesters[0]
    faulty = overstated(closed)
    book.post(faulty.statement, book.attesters[:2])

    challenge(book, faulty, guilty)

    lost = 2 * SLASH
    assert book.owed(guilty) == lost // 2
    assert book.members.slashedForTreasury() == lost // 2
    worth = book.members.bondOf(guilty) + book.owed(guilty)
    # Even with the other's half it has no more than before; alone it would have lost half.
    assert worth <= BOND
    with brownie.reverts("StatementUnknown: 7, 0"):
        challenge(book, faulty)


def test_challenge__after_the_window__reverts(book):
    """ATTACKS 24: last second; tests/forge/statements has the boundary to the second."""
    closed = epochs_with_lines(book, 1)[0]
    faulty = overstated(closed)
    posted = book.post(faulty.statement)
    wait_until(posted.timestamp + 600)

    with brownie.reverts(f"ChallengeTooLate: 7, 0, {posted.timestamp + 600}"):
        challenge(book, faulty)


def test_challenge__while_paused__goes_on(book):
    """ATTACKS 27: a pause must not let a faulty statement become final."""
    faulty = overstated(epochs_with_lines(book, 1)[0])
    book.post(faulty.statement)
    book.registry.pause({"from": book.owner})

    challenge(book, faulty)

    assert book.registry.epochsPosted(7) == 0


@pytest.mark.parametrize("state", [OFFERED, CANCELLED])
def test_challenge__whatever_the_facilitys_state__goes_on(book, state):
    faulty = overstated(epochs_with_lines(book, 1)[0])
    book.post(faulty.statement)
    book.set_facility(book.terms, state=state)

    challenge(book, faulty)

    assert book.registry.epochsPosted(7) == 0


def test_slash__contract_attester_that_changed_its_mind__pays(book):
    """ATTACKS 20: who signed is recorded at posting; no signature is asked for again."""
    wallet = book.project.MockContractAttester.deploy({"from": book.owner})
    book.admit(wallet)
    seats = by_address([wallet, *book.attesters[:2]])
    book.members.setPanel(1, seats, {"from": book.owner})
    wallet.setMood(ACCEPTING, {"from": book.owner})
    faulty = overstated(epochs_with_lines(book, 1)[0])
    wait_until(faulty.statement.epoch_end_s)
    real = dict(book.sign(faulty.statement, [book.attesters[0]]))
    pair = by_address([wallet, book.attesters[0]])
    signed = [(a.address, real.get(a.address, b"")) for a in pair]
    book.registry.post(faulty.abi, signed, {"from": book.anybody})
    wallet.setMood(REFUSING, {"from": book.owner})

    challenge(book, faulty)

    assert book.members.bondOf(wallet) == BOND - SLASH


def test_slash__attester_that_left__is_still_liable(book):
    """ATTACKS 19: removal after posting does not save the bond."""
    faulty = overstated(epochs_with_lines(book, 1)[0])
    book.post(faulty.statement)
    gone, by_owner = book.attesters[0], {"from": book.owner}
    seats = by_address([book.new_attester(), *book.attesters[1:]])
    book.members.setPanel(1, seats, by_owner)
    left = book.members.setAttester(gone, False, by_owner)
    assert book.members.liableUntil(gone) == left.timestamp + 600

    challenge(book, faulty)

    assert book.members.bondOf(gone) == BOND - SLASH
    chain.sleep(600)
    book.members.withdrawBond(gone, {"from": gone})
    assert book.dollar.balanceOf(gone) == BOND - SLASH


def test_double_pledge__posted_again__slashes_each_signer_once(book):
    """ATTACKS 20, 23: charges are by statement and account, whoever's signatures were posted."""
    by_owner = {"from": book.owner}
    theirs = book.set_facility(facility(8, window_start_s=book.terms.window_start_s, first=3))
    book.terms = replace(book.terms, facility_id=FacilityId(9))
    book.pledge = book.set_facility(book.terms)
    statement = book.closed(1)[0].statement
    card = min({d.card for d in book.pledge.devices} & {d.card for d in theirs.devices})
    proofs = (book.pledge.of_card(card), 8, 0, theirs.of_card(card))

    def challenge(sender):
        return book.registry.challengeDoublePledge(
            statement.as_abi_tuple(), *proofs, {"from": sender}
        )

    book.post(statement)
    assert not book.registry.mayRepeat(9)
    challenge(book.challenger)
    assert book.registry.mayRepeat(9)
    book.post(statement, book.attesters[1:])
    challenge(book.anybody)

    assert book.bonds() == [BOND - SLASH] * 3
    assert book.owed(book.challenger) == SLASH
    assert book.owed(book.anybody) == SLASH // 2
    book.facilities.setState(8, CANCELLED, by_owner)
    book.post(statement)
    with brownie.reverts("NoFault: 9, 0"):
        challenge(book.challenger)
    assert bytes(book.registry.statementOf(9, 0)[0]) == statement_hash(statement)


def test_challenge__statement_of_another_facility__does_not_touch_this_one(book):
    other = facility(8, window_start_s=book.terms.window_start_s, first=20)
    book.set_facility(other)
    closed = epochs_with_lines(book, 1)[0]
    book.post(closed.statement)
    faulty = Posted(
        replace(closed.statement, facility_id=FacilityId(8)),
        closed.lines,
        gross_revenue_micros=1,
    )
    book.post(faulty.statement)

    challenge(book, faulty)

    assert book.registry.epochsPosted(8) == 0
    assert book.registry.epochsPosted(7) == 1
