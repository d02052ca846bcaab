"""StatementRegistry.challengeDoublePledge: of two pledges of one card the later one is at fault."""

from dataclasses import replace

import brownie
import pytest

from api.domain.hashing import keccak
from api.domain.statements.faults import FaultKind
from api.domain.statements.statement import statement_hash
from api.domain.units import ZERO32, FacilityId
from tests.contracts.pledges import Pledge, Pledged, pledge
from tests.contracts.registry_world import (
    CANCELLED,
    DEFAULTED,
    FUNDED,
    OFFERED,
    closing_statement,
    empty_statement,
)
from tests.ledgers import facility

RIVAL_FIRST, OWN_FIRST = True, False


def _rival(book, *, first, state=FUNDED, start_s=None, shared=3):
    """The pledge of facility 8, which has cards of ours; ours is approved after it, or before."""
    other = facility(8, window_start_s=start_s or book.terms.window_start_s, first=shared)
    theirs = book.set_facility(other, state=state)
    if first:
        # 7 was approved before everything else.
        book.terms = replace(book.terms, facility_id=FacilityId(9))
        book.pledge = book.set_facility(book.terms)
    return theirs


def _shared(book, theirs):
    """Proofs of one card in both pledges."""
    cards = {one.card for one in book.pledge.devices} & {one.card for one in theirs.devices}
    return book.pledge.of_card(min(cards)), theirs.of_card(min(cards))


def _end(book, facility_id, ended_at_s):
    ending = (1, ended_at_s, 0, 0)
    book.facilities.setEnding(facility_id, ending, {"from": book.owner})
    book.facilities.setState(facility_id, DEFAULTED, {"from": book.owner})


@pytest.mark.parametrize(
    ("first", "state", "epochs_later", "other_epoch", "fault"),
    [
        (RIVAL_FIRST, FUNDED, 0, 0, True),
        (RIVAL_FIRST, OFFERED, 0, 0, True),
        (RIVAL_FIRST, CANCELLED, 0, 0, False),
        (OWN_FIRST, FUNDED, 0, 0, False),
        # Its epoch 1 and our epoch 0 share no second, nor does any once its window begins later.
        (RIVAL_FIRST, FUNDED, 0, 1, False),
        (RIVAL_FIRST, FUNDED, 1, 0, False),
        # Our epoch 0 is its epoch 2 and 3; after its window it claims nothing.
        (RIVAL_FIRST, FUNDED, -2, 2, True),
        (RIVAL_FIRST, FUNDED, -3, 3, True),
        (RIVAL_FIRST, FUNDED, -4, 4, False),
    ],
)
def test_challenge_double_pledge__earlier_standing_and_overlapping__voids(
    book, first, state, epochs_later, other_epoch, fault
):
    """ATTACKS 23: of two pledges of a card the one that was approved later is at fault."""
    start_s = book.terms.window_start_s + epochs_later * book.terms.epoch_length_s
    theirs = _rival(book, first=first, state=state, start_s=start_s)
    statement = book.closed(1)[0].statement
    book.post(statement)
    own, other = _shared(book, theirs)
    arguments = (own, 8, other_epoch, other, {"from": book.challenger})

    if not fault:
        with brownie.reverts(f"NoFault: {book.terms.facility_id}, 0"):
            book.registry.challengeDoublePledge(statement.as_abi_tuple(), *arguments)
        return
    done = book.registry.challengeDoublePledge(statement.as_abi_tuple(), *arguments)
    kind = done.events["StatementVoided"][0]["fault"]
    assert kind == int(FaultKind.DEVICE_PLEDGED_TWICE)


@pytest.mark.parametrize(("ended_s", "fault"), [(0, False), (1, True), (-1, False)])
def test_challenge_double_pledge__of_a_facility_that_ended__claims_nothing_after_its_end(
    book, ended_s, fault
):
    """Finding F25: who takes over the cards of a defaulted facility can pledge them anew."""
    theirs = _rival(book, first=RIVAL_FIRST)
    _end(book, 8, book.terms.window_start_s + ended_s)
    statement = book.closed(1)[0].statement
    book.post(statement)
    own, other = _shared(book, theirs)
    arguments = (statement.as_abi_tuple(), own, 8, 0, other, {"from": book.challenger})

    if fault:
        book.registry.challengeDoublePledge(*arguments)
        return
    with brownie.reverts("NoFault: 9, 0"):
        book.registry.challengeDoublePledge(*arguments)


@pytest.mark.parametrize("past_s", [0, 1_200])
def test_challenge_double_pledge__ended_before_the_card_was_due__finds_nothing(book, past_s):
    """A facility that ended before an epoch began claims nothing in it, whatever the epoch is."""
    # Ours has one long epoch, in which the other one ends before its epoch 2 begins.
    other = facility(8, window_start_s=book.terms.window_start_s, first=40)
    card = book.terms.devices[0]
    theirs = pledge(8, other.devices[1:], later={card: 2})
    book.set_facility(other, pledge=theirs)
    long = replace(book.terms, facility_id=FacilityId(9), epoch_length_s=4 * 3_600)
    pledged = book.set_facility(long)
    _end(book, 8, other.window_start_s + 2 * 3_600 - past_s)
    statement = empty_statement(long, 0)
    book.post(statement)
    own = pledged.of_card(card)

    with brownie.reverts("NoFault: 9, 0"):
        book.registry.challengeDoublePledge(
            statement.as_abi_tuple(), own, 8, 2, theirs.of_card(card), {"from": book.challenger}
        )


def test_challenge_double_pledge__not_two_pledges_of_one_card__finds_nothing(book):
    """ATTACKS 23."""
    theirs = _rival(book, first=RIVAL_FIRST)
    statement = book.closed(1)[0].statement
    book.post(statement)
    own, other = _shared(book, theirs)
    abi, sender = statement.as_abi_tuple(), {"from": book.challenger}
    ours = {one.card for one in book.pledge.devices}
    alone = theirs.of_card(next(one.card for one in theirs.devices if one.card not in ours))

    for error, arguments in (
        ("NoFault: 9, 0", (own, 8, 0, alone)),
        ("NoFault: 9, 0", (own, 9, 0, own)),
        ("ProofInvalid: 0", (other, 8, 0, other)),
        ("ProofInvalid: 1", (own, 8, 0, own)),
        # Never approved, so never pledged.
        ("ProofInvalid: 1", (own, 99, 0, other)),
    ):
        with brownie.reverts(error):
            book.registry.challengeDoublePledge(abi, *arguments, sender)


def test_challenge_double_pledge__one_card_in_parts__voids(book):
    """ATTACKS 23: a card that another facility pledged whole cannot be pledged in slices."""
    theirs = _rival(book, first=RIVAL_FIRST, shared=20)
    card = theirs.devices[0].card
    ours = sorted(keccak(b"slice %d" % i) for i in range(5))
    book.terms = replace(book.terms, facility_id=FacilityId(10))
    slices = Pledge(10, tuple(Pledged(device, card) for device in ours))
    book.set_facility(book.terms, pledge=slices)
    statement = empty_statement(book.terms, 0)
    book.post(statement)

    done = book.registry.challengeDoublePledge(
        statement.as_abi_tuple(), slices.proven(2), 8, 0, theirs.of_card(card),
        {"from": book.challenger},
    )  # fmt: skip

    kind = done.events["StatementVoided"][0]["fault"]
    assert kind == int(FaultKind.DEVICE_PLEDGED_TWICE)


def test_challenge_double_pledge__closing_statement__has_no_hours_and_no_fault(book):
    """Facility 8 has the cards after the window of 9, approved later: no second is shared."""
    ours = replace(book.terms, facility_id=FacilityId(9))
    theirs = facility(8, window_start_s=ours.window_end_s)
    other = book.set_facility(theirs)
    own = book.set_facility(ours)
    previous = ZERO32
    for epoch in range(4):
        statement = empty_statement(ours, epoch, previous)
        book.post(statement)
        previous = statement_hash(statement)
    closing = closing_statement(ours, previous)
    book.post(closing)
    card = own.devices[0].card

    with brownie.reverts(revert_pattern="NoFault: 9, 4"):
        book.registry.challengeDoublePledge(
            closing.as_abi_tuple(), own.of_card(card), 8, 0, other.of_card(card),
            {"from": book.challenger},
        )  # fmt: skip

    assert book.registry.isClosingPosted(9)
    assert not book.registry.mayRepeat(9)
