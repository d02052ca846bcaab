"""AttesterRegistry.chargeSigners: signatures beyond challenges, and who is never charged."""

from dataclasses import replace

import pytest
from brownie import ZERO_ADDRESS, chain

from api.domain.hashing import keccak
from api.domain.metering.usage import LineKind
from api.domain.statements.faults import FaultKind
from api.domain.statements.lines import Line
from api.domain.statements.statement import statement_hash
from api.domain.units import ZERO32, FacilityId
from tests.contracts.attesting import by_address
from tests.contracts.registry_world import (
    BOND,
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


def _one_line(terms, epoch, previous, *, extra):
    """A statement of one line, which states more than the line carries."""
    base = empty_statement(terms, epoch, previous)
    start_s = base.epoch_start_s
    line = Line(
        0, LineKind.USAGE, terms.devices[0], keccak(b"lease"), start_s, start_s + 60, 60,
        5_000_000, 60, 5_000_000,
    )  # fmt: skip
    return Posted(base, [line], gross_revenue_micros=5_000_000 + extra)


def _close(book, facility_id):
    """Close a facility."""
    now_s = chain[-1].timestamp
    book.facilities.setEnding(facility_id, (1, now_s, now_s, 0), {"from": book.owner})


def test_charge_signers__signature_that_was_not_posted__costs_the_same(book, proof):
    """Finding F23: who posts chooses whose signatures are stored, and nobody hides by that."""
    faulty = overstated(epochs_with_lines(book, 1)[0])
    book.post(faulty.statement, book.attesters[:2])
    third = book.shown(faulty.statement, book.attesters[2:])
    refuse("ChallengeOpen: 7, 0", charge, book, faulty, proof(faulty), third)
    challenge(book, faulty)
    assert book.bonds() == [BOND - SLASH, BOND - SLASH, BOND]
    # The fault is proven: signatures alone are enough, and whoever paid is passed over.
    everybody = book.shown(faulty.statement, book.attesters)

    done = charge(book, faulty, b"", everybody)

    assert [dict(e) for e in done.events["AttesterSlashed"]] == [
        {
            "attester": book.attesters[2].address,
            "facilityId": 7,
            "statementHash": "0x" + faulty.hash.hex(),
            "challenger": book.anybody.address,
            "amount": SLASH,
            "challengerAmount": HALF,
        }
    ]
    assert "SignedFaultProven" not in done.events
    assert book.bonds() == [BOND - SLASH] * 3
    assert (book.owed(book.challenger), book.owed(book.anybody)) == (2 * HALF, HALF)
    refuse("ChargedBefore", charge, book, faulty, b"", everybody)


def test_charge_signers__self_challenge_of_the_earliest__does_not_save_the_others(book, proof):
    """Findings M4 and F21: ten faulty statements, and an attester that challenges the first one.

    All ten still cost each signer, half of each for whoever shows them.
    """
    guilty, length_s = book.attesters[0], book.terms.epoch_length_s
    book.terms = replace(book.terms, window_end_s=book.terms.window_start_s + 10 * length_s)
    book.set_facility(book.terms)
    faulty, previous = [], ZERO32
    wait_until(book.terms.window_end_s)
    for epoch in range(10):
        faulty.append(_one_line(book.terms, epoch, previous, extra=epoch + 1))
        previous = faulty[-1].hash
        book.post(faulty[-1].statement)
    challenge(book, faulty[0], guilty)
    assert book.registry.epochsPosted(7) == 0
    assert book.owed(guilty) == 2 * HALF
    for posted in faulty[1:]:
        refuse(f"StatementUnknown: 7, {posted.statement.epoch}", challenge, book, posted)

    for posted in faulty[1:]:
        pair = book.shown(posted.statement, book.attesters[:2])
        done = charge(book, posted, proof(posted), pair)
        event = dict(done.events["SignedFaultProven"][0])
        assert event == {
            "facilityId": 7,
            "epoch": posted.statement.epoch,
            "statementHash": "0x" + posted.hash.hex(),
            "fault": int(FaultKind.TOTALS_WRONG),
            "challenger": book.anybody.address,
        }

    assert book.bonds() == [BOND - 10 * SLASH, BOND - 10 * SLASH, BOND]
    assert book.owed(guilty) == 2 * HALF
    assert book.owed(book.anybody) == 9 * 2 * HALF
    assert book.members.slashedForTreasury() == 10 * 2 * HALF
    # Even the self-challenger's half of both bonds leaves it far below where it was.
    assert book.members.bondOf(guilty) + book.owed(guilty) < BOND


@pytest.mark.parametrize("fallen", [True, False], ids=["fell with an earlier one", "never posted"])
def test_charge_signers__signed_in_a_batch__counts_by_its_path(book, proof, fallen):
    """Rule 18: a leaf with its path counts as a signature."""
    others = [facility(i, window_start_s=book.terms.window_start_s, first=i * 10) for i in (8, 9)]
    for other in others:
        book.set_facility(other)
    wait_until(book.terms.window_end_s)
    first = _one_line(others[0], 0, ZERO32, extra=0)
    faulty = _one_line(book.terms, 0, ZERO32, extra=1)
    second = _one_line(book.terms, 1, faulty.hash, extra=2)
    honest = _one_line(others[1], 0, ZERO32, extra=0)
    batch = Batch(book, [first.statement, second.statement, honest.statement])
    if fallen:
        book.post(faulty.statement, book.attesters[1:])
        assert len(batch.post().events["StatementPosted"]) == 3
        challenge(book, faulty)
    signed = batch.shown(second.statement, book.attesters[:2])
    before = book.bonds()
    for wrong in (
        (False, *signed[1:]),
        (True, [], signed[2]),
        batch.shown(honest.statement, book.attesters[:2]),
        (True, signed[1], book.sign(second.statement)),
    ):
        refuse("SignatureInvalid", charge, book, second, proof(second), wrong)

    done = charge(book, second, proof(second), signed)

    assert [e["attester"] for e in done.events["AttesterSlashed"]] == book.attesters[:2]
    after = book.bonds()
    assert [b - a for b, a in zip(before, after, strict=True)] == [SLASH, SLASH, 0]
    # The others of the batch are right: a signature under the root charges nobody for them.
    for right in (first, honest):
        shown = batch.shown(right.statement, book.attesters[:2])
        if fallen:
            refuse("ChallengeOpen", charge, book, right, proof(right), shown)
            continue
        refuse("NoFault", charge, book, right, proof(right), shown)


def test_charge_signers__never_posted__one_signature_is_enough(book, proof):
    """A signature is given once it is signed, and can be posted by anybody until then."""
    faulty = overstated(epochs_with_lines(book, 1)[0])
    wait_until(faulty.statement.epoch_end_s)

    done = charge(book, faulty, proof(faulty), book.shown(faulty.statement, book.attesters[1:2]))
    later = charge(
        book, faulty, b"", book.shown(faulty.statement, book.attesters[2:]), book.challenger
    )

    assert done.events["SignedFaultProven"][0]["fault"] == int(FaultKind.TOTALS_WRONG)
    assert book.members.provenBy(faulty.hash) == book.anybody
    assert "SignedFaultProven" not in later.events
    assert book.bonds() == [BOND, BOND - SLASH, BOND - SLASH]
    assert (book.owed(book.anybody), book.owed(book.challenger)) == (HALF, HALF)
    assert book.registry.epochsPosted(7) == 0


def test_charge_signers__final_statement__costs_until_the_closing(book, proof):
    """A fault that nobody found in time stands, and is still paid for."""
    faulty = overstated(epochs_with_lines(book, 1)[0])
    posted = book.post(faulty.statement)
    wait_until(posted.timestamp + 600)
    pair = book.shown(faulty.statement, book.attesters[:1])
    rest = book.shown(faulty.statement, book.attesters[1:])

    charge(book, faulty, proof(faulty), pair)

    assert book.bonds() == [BOND - SLASH, BOND, BOND]
    assert book.registry.isFinal(7, 0)
    assert not book.registry.verdictOf(faulty.hash)[2]
    _close(book, 7)
    refuse("FacilityClosed: 7", charge, book, faulty, b"", rest)
    assert book.bonds() == [BOND - SLASH, BOND, BOND]


def test_charge_signers__attester_that_left__pays_for_a_challenge_window_more(book, proof):
    faulty = overstated(epochs_with_lines(book, 1)[0])
    wait_until(faulty.statement.epoch_end_s)
    gone, also = (book.new_attester() for _ in range(2))
    by_owner = {"from": book.owner}
    book.members.setAttester(also, False, by_owner)
    left = book.members.setAttester(gone, False, by_owner)
    wait_until(left.timestamp + 590)

    charge(book, faulty, proof(faulty), book.shown(faulty.statement, [gone]))

    assert book.members.bondOf(gone) == BOND - SLASH
    wait_until(left.timestamp + 600)
    shown = book.shown(faulty.statement, [also])
    refuse(f"NotLiable: {also}", charge, book, faulty, b"", shown)
    book.members.withdrawBond(also, {"from": also})
    assert book.dollar.balanceOf(also) == BOND


def test_charge_signers__signed_before_membership__counts_once_it_is_one(book, proof):
    """Who has signed a fault brings it along; a stranger has nothing to lose."""
    faulty = overstated(epochs_with_lines(book, 1)[0])
    wait_until(faulty.statement.epoch_end_s)
    newcomer = book.accounts.add()
    shown = book.shown(faulty.statement, [newcomer])
    refuse(f"NotLiable: {newcomer}", charge, book, faulty, proof(faulty), shown)
    book.admit(newcomer)

    charge(book, faulty, proof(faulty), shown)

    assert book.members.bondOf(newcomer) == BOND - SLASH
    # What it signed right costs nothing, whenever that was.
    honest = Posted(faulty.statement, faulty.lines)
    refuse(
        "NoFault: 7, 0", charge, book, honest, proof(honest),
        book.shown(honest.statement, [newcomer]),
    )  # fmt: skip


def test_charge_signers__slot_that_went_to_another__charges_by_account(book, proof):
    """A slot's heir never pays for whoever had it before."""
    members, by_owner = book.members, {"from": book.owner}
    gone = book.new_attester()
    for i in range(36):
        members.setAttester(f"0x{0xA000 + i:040x}", True, by_owner)
    faulty = overstated(epochs_with_lines(book, 1)[0])
    book.members.setPanel(1, by_address([gone, *book.attesters[1:]]), by_owner)
    posted = book.post(faulty.statement, by_address([gone, book.attesters[1]]))
    book.members.setPanel(1, book.attesters, by_owner)
    members.setAttester(gone, False, by_owner)
    wait_until(posted.timestamp + 700)
    heir = book.new_attester()
    assert members.attesterAt(3) == heir
    assert heir.address in book.registry.signersOf(7, 0)

    for attesters, error in (([heir], "SignatureInvalid"), ([gone], f"NotLiable: {gone}")):
        _, path, signed = book.shown(faulty.statement, [gone])
        shown = (False, path, [(attesters[0].address, signed[0][1])])
        refuse(error, charge, book, faulty, proof(faulty), shown)
    charge(book, faulty, proof(faulty), book.shown(faulty.statement, book.attesters[1:2]))

    assert book.bonds([heir, gone, book.attesters[1]]) == [BOND, BOND, BOND - SLASH]


def test_charge_signers__honest_or_forged__is_refused_and_costs_nothing(book, rules, proof):
    """ATTACKS 24: no proof of another statement, none of other facilities, no made-up signature."""
    closed = epochs_with_lines(book, 2)
    honest, faulty = Posted(closed[0].statement, closed[0].lines), overstated(closed[0])
    wait_until(book.terms.window_end_s)
    a, b, _ = book.attesters
    pair = book.shown(honest.statement, [a, b])
    of_pair = rules.ofPair.encode_input(honest.abi, honest.proven(0), honest.proven(-1))
    device = [book.pledge.proven(0), book.pledge.proven(1)]
    of_device = rules.ofDevice.encode_input(honest.abi, honest.proven(0), device)
    card = book.pledge.proven(0)
    of_pledges = rules.ofPledges.encode_input(honest.abi, card, 7, 0, card)
    forged = rules.ofLine.encode_input(honest.abi, faulty.proven(-1))
    broken = forged[:10] + "00" * 31 + "08" + forged[74:]

    for given, error in (
        (proof(honest), "NoFault: 7, 0"),
        (of_pair, "NoFault: 7, 0"),
        (of_device, "NoFault: 7, 0"),
        (of_pledges, "ProofForeign"),
        (proof(faulty), "ProofForeign"),
        (broken, "ProofForeign"),
        (b"", "ProofForeign"),
        (proof(honest)[:10], "ProofForeign"),
        (rules.ofLine.encode_input(honest.abi, (honest.proven(0)[0], [])), "ProofInvalid: 0"),
    ):
        refuse(error, charge, book, honest, given, pair)
    signed = book.sign(faulty.statement, [a, b])
    for shown, error in (
        (pair, "SignatureInvalid"),
        ((False, [], []), "QuorumMissing: 0, 1"),
        ((False, [], signed[::-1]), "AttestersNotAscending"),
        ((False, [], [signed[0], signed[0]]), "AttestersNotAscending"),
        ((False, [], [(ZERO_ADDRESS, signed[0][1])]), "AttestersNotAscending"),
        ((False, [], book.sign(faulty.statement, [book.accounts.add()])), "NotLiable"),
        ((True, [], signed), "SignatureInvalid"),
    ):
        refuse(error, charge, book, faulty, proof(faulty), shown)
    assert book.bonds() == [BOND] * 3
    assert int(book.members.provenBy(honest.hash), 16) == 0


def test_charge_signers__reposted_after_a_double_pledge__is_no_fault_of_its_own(book, proof):
    """What was void for another facility's pledge is signed anew and honest: it costs once."""
    theirs = book.set_facility(facility(8, window_start_s=book.terms.window_start_s, first=3))
    book.terms = replace(book.terms, facility_id=FacilityId(9))
    book.pledge = book.set_facility(book.terms)
    first = epochs_with_lines(book, 2)[0]
    honest = Posted(first.statement, first.lines)
    card = min({d.card for d in book.pledge.devices} & {d.card for d in theirs.devices})
    book.post(honest.statement)
    book.registry.challengeDoublePledge(
        honest.abi, book.pledge.of_card(card), 8, 0, theirs.of_card(card), {"from": book.challenger}
    )
    assert book.bonds() == [BOND - SLASH, BOND - SLASH, BOND]
    everybody = book.shown(honest.statement, book.attesters)

    refuse("NoFault: 9, 0", charge, book, honest, proof(honest), everybody)
    book.facilities.setState(8, 5, {"from": book.owner})
    posted = book.post(honest.statement, book.attesters[1:])
    wait_until(posted.timestamp + 600)

    refuse("NoFault: 9, 0", charge, book, honest, proof(honest), everybody)
    assert book.bonds() == [BOND - SLASH, BOND - SLASH, BOND]


def test_post__signed_fault_that_was_proven__is_barred(book, proof):
    """Else k attesters paid half of it to a friend first, and nobody earned by challenging it."""
    closed = epochs_with_lines(book, 1)[0]
    faulty, right = overstated(closed), Posted(closed.statement, closed.lines)
    wait_until(faulty.statement.epoch_end_s)
    charge(book, faulty, proof(faulty), book.shown(faulty.statement, book.attesters[:2]))
    assert book.bonds() == [BOND - SLASH, BOND - SLASH, BOND]

    refuse("StatementBarred: 7, 0", book.post, faulty.statement)

    verdict = tuple(book.registry.verdictOf(faulty.hash))
    assert verdict == (book.anybody, int(FaultKind.TOTALS_WRONG), True)
    # A void it is not: nothing else of the facility changed.
    assert tuple(book.registry.opennessOf(7)) == (0, 1, 0, 0)
    book.post(right.statement)
    assert book.registry.epochsPosted(7) == 1


def test_post__charged_without_a_bond__is_barred(book, proof):
    """A member that has not paid in yet cannot settle its faults in advance, for nothing."""
    faulty = overstated(epochs_with_lines(book, 1)[0])
    wait_until(faulty.statement.epoch_end_s)
    pair = by_address(book.accounts.add() for _ in range(2))
    for attester in pair:
        book.admit(attester, 0)
    book.members.setPanel(1, by_address([*pair, book.attesters[0]]), {"from": book.owner})
    charge(book, faulty, proof(faulty), book.shown(faulty.statement, pair))
    for attester in pair:
        book.deposit(attester, BOND)

    refuse("StatementBarred: 7, 0", book.post, faulty.statement, pair)


def test_bar__by_anybody__is_refused(book):
    """ATTACKS 26: only what the AttesterRegistry saw proven."""
    honest = empty_statement(book.terms, 0)
    given = (7, statement_hash(honest), int(FaultKind.TOTALS_WRONG), book.anybody)
    for caller in (book.owner, book.attesters[0]):
        refuse(f"NotAttesterRegistry: {caller}", book.registry.bar, *given, {"from": caller})

    book.post(honest)
