"""AttesterRegistry.chargeEquivocation: two statements of one epoch, and who may sign anew."""

from dataclasses import replace

import pytest
from brownie import chain

from api.domain.statements.statement import statement_hash
from api.domain.units import ZERO32, Bytes32, Epoch, FacilityId
from tests.contracts.registry_world import (
    BOND,
    FUNDED,
    SLASH,
    Batch,
    Posted,
    empty_statement,
    epochs_with_lines,
    overstated,
    wait_until,
)
from tests.contracts.steps import challenge, charge, refuse
from tests.ledgers import facility

HALF = SLASH // 2


def _equivocation(book, one, other, attesters, sender=None):
    """Show two statements that attesters signed, in order of their hashes."""
    first, second = sorted((one, other), key=lambda p: p.hash)
    shown = [(p.abi, book.shown(p.statement, attesters)) for p in (first, second)]
    sender = {"from": sender or book.anybody}
    return book.members.chargeEquivocation(*shown[0], *shown[1], sender)


def _close(book, facility_id):
    """Close a facility."""
    now_s = chain[-1].timestamp
    book.facilities.setEnding(facility_id, (1, now_s, now_s, 0), {"from": book.owner})


def _rivals(book, epoch=0, previous=ZERO32):
    """Two different statements of one epoch and the same previous one, both without a fault."""
    base = empty_statement(book.terms, epoch, previous)
    changes = ({"available_gpu_seconds": 1}, {"available_gpu_seconds": 2})
    wait_until(base.epoch_end_s)
    return [_Signed(replace(base, **c)) for c in changes]


class _Signed(Posted):
    """An idle statement."""

    def __init__(self, statement) -> None:
        self.statement, self.abi = statement, statement.as_abi_tuple()
        self.hash = statement_hash(statement)


@pytest.mark.parametrize("posted", [0, 1, None])
def test_charge_equivocation__two_of_one_epoch__costs_whoever_signed_both(book, posted):
    """Rule 15, whichever of them was posted, or neither; the other attester pays nothing."""
    rivals = _rivals(book)
    if posted is not None:
        book.post(rivals[posted].statement)
    liar = book.attesters[1:2]

    done = _equivocation(book, *rivals, liar)

    second = max(r.hash for r in rivals)
    events = done.events["AttesterSlashed"]
    found = [(e["attester"], e["statementHash"], e["amount"]) for e in events]
    assert found == [(liar[0], "0x" + second.hex(), SLASH)]
    assert book.bonds() == [BOND, BOND - SLASH, BOND]
    assert book.owed(book.anybody) == HALF
    refuse("ChargedBefore", _equivocation, book, *rivals, liar)
    # A third statement is another lie, the pair of a pair is not.
    third = _Signed(replace(rivals[0].statement, available_gpu_seconds=3))
    paid = {second}
    for rival in rivals:
        pays = max(rival.hash, third.hash)
        if pays in paid:
            refuse("ChargedBefore", _equivocation, book, rival, third, liar)
        else:
            _equivocation(book, rival, third, liar)
        paid.add(pays)
    assert book.bonds() == [BOND, BOND - 2 * SLASH, BOND]


def test_charge_equivocation__alone_and_in_a_batch__counts_alike(book):
    rivals = sorted(_rivals(book), key=lambda r: r.hash)
    other = facility(8, window_start_s=book.terms.window_start_s, first=20)
    batch = Batch(book, [rivals[1].statement, empty_statement(other, 0)])
    liars = book.attesters[:2]

    book.members.chargeEquivocation(
        rivals[0].abi, book.shown(rivals[0].statement, liars),
        rivals[1].abi, batch.shown(rivals[1].statement, liars), {"from": book.anybody},
    )  # fmt: skip

    assert book.bonds() == [BOND - SLASH, BOND - SLASH, BOND]
    # One statement, alone and in a batch, is one statement.
    same = (rivals[1].abi, book.shown(rivals[1].statement, liars))
    again = (rivals[1].abi, batch.shown(rivals[1].statement, liars))
    refuse("NoEquivocation", book.members.chargeEquivocation, *same, *again, {"from": book.anybody})


def test_charge_equivocation__no_rivals_or_not_both__is_refused(book):
    """ATTACKS 24: an honest attester signs many statements, one of each epoch and past."""
    one, other = sorted(_rivals(book), key=lambda r: r.hash)
    a, b, _ = book.attesters
    call, by_anybody = book.members.chargeEquivocation, {"from": book.anybody}
    honest = [
        _Signed(replace(other.statement, epoch=Epoch(1))),
        _Signed(replace(other.statement, facility_id=FacilityId(8))),
        _Signed(replace(other.statement, previous_statement_hash=Bytes32(b"\1" * 32))),
    ]
    for rival in honest:
        refuse("NoEquivocation", _equivocation, book, one, rival, [a])
    shown = [(r.abi, book.shown(r.statement, [a])) for r in (one, other)]
    refuse("NoEquivocation", call, *shown[1], *shown[0], by_anybody)
    refuse("NoEquivocation", call, *shown[0], *shown[0], by_anybody)
    for first, second, error in (
        ([a], [b], "SignersDiffer"),
        ([a, b], [a], "SignersDiffer"),
        ([a], [a, b], "SignersDiffer"),
        ([], [], "QuorumMissing: 0, 1"),
        ([b, a], [a, b], "AttestersNotAscending"),
    ):
        given = (one.abi, book.shown(one.statement, first))
        also = (other.abi, book.shown(other.statement, second))
        refuse(error, call, *given, *also, by_anybody)
    stranger = [book.accounts.add()]
    refuse("NotLiable", _equivocation, book, one, other, stranger)
    wrong = (other.abi, book.shown(one.statement, [a]))
    refuse("SignatureInvalid", call, *shown[0], *wrong, by_anybody)
    _close(book, 7)
    refuse("FacilityClosed: 7", _equivocation, book, one, other, [a])
    assert book.bonds() == [BOND] * 3


def test_charge_equivocation__one_of_them_void__is_a_correction(book):
    """Attesters that signed a fault sign again, and pay for the fault alone."""
    closed = epochs_with_lines(book, 1)[0]
    faulty, right = overstated(closed), Posted(closed.statement, closed.lines)
    book.post(faulty.statement)
    challenge(book, faulty)
    book.post(right.statement)

    refuse("NoEquivocation", _equivocation, book, faulty, right, book.attesters[:2])

    assert book.bonds() == [BOND - SLASH, BOND - SLASH, BOND]


def test_charge_equivocation__after_a_double_pledge__may_repeat(book):
    """A void that does not bar lets an epoch, and those behind it, be signed once more."""
    theirs = book.set_facility(facility(8, window_start_s=book.terms.window_start_s, first=3))
    book.terms = replace(book.terms, facility_id=FacilityId(9))
    book.pledge = book.set_facility(book.terms)
    first = epochs_with_lines(book, 2)[0]
    honest = Posted(first.statement, first.lines)
    card = min({d.card for d in book.pledge.devices} & {d.card for d in theirs.devices})
    wait_until(book.terms.window_end_s)
    book.post(honest.statement)
    rivals = _rivals(book, 1, honest.hash)
    book.post(rivals[0].statement)
    book.registry.challengeDoublePledge(
        honest.abi, book.pledge.of_card(card), 8, 0, theirs.of_card(card), {"from": book.challenger}
    )
    book.facilities.setState(8, 5, {"from": book.owner})
    # The same first statement again, and behind it a second one with what came in late.
    book.post(honest.statement)
    book.post(rivals[1].statement)

    refuse("NoEquivocation", _equivocation, book, *rivals, book.attesters[:2])

    assert book.registry.mayRepeat(9)
    assert not book.registry.mayRepeat(8)
    assert book.bonds() == [BOND - SLASH, BOND - SLASH, BOND]
    assert book.facilities.stateOf(9) in (FUNDED, FUNDED + 1)


def test_charge_equivocation__one_of_them_proven_faulty__is_a_correction(book, proof):
    """Whoever paid for a fault that it signed can sign what is right, whichever hash is higher."""
    closed = epochs_with_lines(book, 1)[0]
    right, liars = Posted(closed.statement, closed.lines), book.attesters[:2]
    for extra in range(1, 5):
        faulty = overstated(closed, extra=extra)
        wait_until(faulty.statement.epoch_end_s)
        charge(book, faulty, proof(faulty), book.shown(faulty.statement, liars))
        refuse("NoEquivocation", _equivocation, book, faulty, right, liars)
    assert book.bonds() == [BOND - 4 * SLASH, BOND - 4 * SLASH, BOND]
    book.post(right.statement)


def test_charge_equivocation__of_a_faulty_statement__leaves_its_fault_to_be_paid(book):
    """A friend charges the pair first: whoever then challenges the posted one still earns."""
    closed = epochs_with_lines(book, 1)[0]
    one, other = sorted((overstated(closed, extra=e) for e in (1, 2)), key=lambda p: p.hash)
    wait_until(one.statement.epoch_end_s)
    _equivocation(book, one, other, book.attesters[:2], book.owner)
    book.post(other.statement)

    challenge(book, other)

    assert book.bonds() == [BOND - 2 * SLASH, BOND - 2 * SLASH, BOND]
    assert book.owed(book.owner) == book.owed(book.challenger) == 2 * HALF
    liar = book.attesters[0]
    assert book.members.isCharged(other.hash, liar)
    assert book.members.isCharged(book.members.equivocationOf(other.hash), liar)
