"""AttesterRegistry: members and their slots, and whose signatures count."""

from dataclasses import replace

import pytest
from brownie import ZERO_ADDRESS, chain

from api.domain.statements.statement import statement_hash
from tests.contracts.attesting import by_address
from tests.contracts.registry_world import (
    BOND,
    MINIMUM,
    empty_statement,
    wait_until,
)
from tests.contracts.steps import first_statement, pass_time, refuse, refuse_post, seat
from tests.ledgers import facility

REFUSING, ACCEPTING, REVERTING, WRONG = range(4)
FOREVER = 2**40 - 1
DAY_S = 86_400


# --- signatures ----------------------------------------------------------------------------------


def test_post__signed_for_another_place__reverts(book):
    """ATTACKS 18: chain, registry, epoch and content are all in what is signed."""
    statement = first_statement(book)
    other = book.deploy()

    refuse_post(book, statement, book.sign(statement, chain_id=chain.id + 1), "SignatureInvalid")
    refuse_post(book, statement, book.sign(statement, registry=other.address), "SignatureInvalid")
    for changes in ({"epoch": 1}, {"facility_id": 8}, {"available_gpu_seconds": 1}):
        signed = book.sign(replace(statement, **changes))
        refuse_post(book, statement, signed, "SignatureInvalid")
    book.post(statement)


@pytest.mark.parametrize(
    ("order", "error"),
    [
        ([0], "QuorumMissing: 1, 2"),
        ([], "QuorumMissing: 0, 2"),
        ([0, 0], "AttestersNotAscending"),
        ([1, 0], "AttestersNotAscending"),
        ([0, 1, 0], "AttestersNotAscending"),
    ],
)
def test_post__forged_quorum__reverts(book, order, error):
    """ATTACKS 19."""
    statement = first_statement(book)

    refuse_post(book, statement, book.sign(statement, [book.attesters[i] for i in order]), error)


def test_post__stranger_zero_or_bad_signature__reverts(book):
    """ATTACKS 19: address(0) of a bad signature is no attester."""
    statement = first_statement(book)
    good = book.sign(statement)

    strangers = by_address([book.attesters[0], book.accounts.add()])
    refuse_post(book, statement, book.sign(statement, strangers), "NotAttester")
    refuse_post(book, statement, [(ZERO_ADDRESS, good[0][1]), good[1]], "AttestersNotAscending")
    for signature in (b"", b"\0" * 65, good[1][1]):
        refuse_post(book, statement, [(good[0][0], signature), good[1]], "SignatureInvalid")


def test_post__malleable_or_compact_signature__reverts(book):
    """ATTACKS 20."""
    statement = first_statement(book)
    good = book.sign(statement)
    address, signature = good[0]
    r, s, v = signature[:32], int.from_bytes(signature[32:64], "big"), signature[64]
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    high = r + (order - s).to_bytes(32, "big") + bytes([55 - v])
    compact = r + (s | (v - 27) << 255).to_bytes(32, "big")

    for changed in (high, compact, signature[:64] + bytes([v - 27]), signature + b"\0"):
        refuse_post(book, statement, [(address, changed), good[1]], "SignatureInvalid")


def test_post__contract_attester__counts_while_it_agrees(book):
    """ATTACKS 20: an ERC-1271 signer that refuses, reverts or answers wrongly does not count."""
    wallet = book.project.MockContractAttester.deploy({"from": book.owner})
    book.admit(wallet)
    seat(book, 1, [wallet, *book.attesters[:2]])
    statement = first_statement(book)
    pair = by_address([wallet, book.attesters[0]])
    real = dict(book.sign(statement, [book.attesters[0]]))
    signed = [(a.address, real.get(a.address, b"\x01")) for a in pair]

    for mood in (REFUSING, REVERTING, WRONG):
        wallet.setMood(mood, {"from": book.owner})
        refuse_post(book, statement, signed, "SignatureInvalid")
    wallet.setMood(ACCEPTING, {"from": book.owner})
    book.registry.post(statement.as_abi_tuple(), signed, {"from": book.anybody})
    assert set(book.registry.signersOf(7, 0)) == {a.address for a in pair}


def test_post__attester_of_another_panel__does_not_count(book):
    """Rule 15: the facility's panel came with its offer. ATTACKS 19."""
    others = [book.new_attester() for _ in range(3)]
    seat(book, 2, [*others[:2], book.attesters[2]])
    other = facility(8, window_start_s=book.terms.window_start_s, first=20)
    book.set_facility(other, panel=2, approved=False)
    mine, theirs = first_statement(book), empty_statement(other, 0)

    for statement, pair, panel in (
        (mine, others[:2], 1),
        (mine, [others[0], book.attesters[0]], 1),
        (theirs, book.attesters[:2], 2),
        # Without a seat anywhere.
        (mine, [others[2], book.attesters[0]], 1),
    ):
        signed = book.sign(statement, by_address(pair))
        refuse_post(book, statement, signed, f"NotOnPanel: 0x[0-9a-fA-F]+, {panel}")
    # Whoever sits on both counts on both.
    book.post(mine, book.attesters[1:])
    book.post(theirs, by_address([others[0], book.attesters[2]]))
    unknown = replace(mine, epoch=1, previous_statement_hash=statement_hash(mine))
    book.set_facility(book.terms, panel=0)
    wait_until(book.terms.window_end_s)
    start_s, end_s = book.terms.epoch_bounds(1)
    unknown = replace(unknown, epoch_start_s=start_s, epoch_end_s=end_s)
    refuse_post(book, unknown, book.sign(unknown), "QuorumMissing: 2, 0")


def test_post__bond_below_the_minimum__does_not_count(book):
    """Finding M5: whoever signs has something to lose."""
    statement, poor = first_statement(book), book.accounts.add()
    book.admit(poor, MINIMUM - 1)
    seat(book, 1, [poor, *book.attesters[:2]])
    assert not book.members.isAttester(poor)
    assert book.members.attesterCount() == 3
    signed = book.sign(statement, by_address([poor, book.attesters[0]]))
    refuse_post(
        book, statement, signed, f"BondBelowMinimum: {poor.address}, {MINIMUM - 1}, {MINIMUM}"
    )

    paid = book.deposit(poor, 1)

    assert dict(paid.events["AttesterBondDeposited"][0]) == {
        "attester": poor.address, "payer": book.anybody.address, "amount": 1, "bond": MINIMUM,
    }  # fmt: skip
    assert book.members.isAttester(poor)
    assert book.members.attesterCount() == 4
    book.registry.post(statement.as_abi_tuple(), signed, {"from": book.anybody})


# --- members -------------------------------------------------------------------------------------


def test_set_attester__delays__begin_and_end_later(slow):
    """ATTACKS 19: membership has periods; a leaving attester still counts and is still liable."""
    new, members, owner = slow.accounts.add(), slow.members, {"from": slow.owner}
    old = slow.new_attester()
    pass_time(DAY_S)
    granted = members.setAttester(new, True, owner)
    slow.deposit(new, BOND)
    begins_s = granted.timestamp + DAY_S
    removed = members.setAttester(old, False, owner)
    ends_s = removed.timestamp + 2 * DAY_S

    assert granted.events["AttesterSet"][0]["member"]
    period = granted.events["AttesterPeriodSet"][0]
    assert (period["activeFrom"], period["activeUntil"]) == (begins_s, FOREVER)
    assert not removed.events["AttesterSet"][0]["member"]
    assert tuple(members.attesterPeriodOf(new)) == (begins_s, FOREVER)
    assert members.attesterPeriodOf(old)[1] == ends_s
    assert members.liableUntil(old) == ends_s + 600
    assert members.liableUntil(new) == 2**64 - 1
    assert members.liableUntil(slow.owner) == 0
    assert not members.isAttester(new)
    assert members.isAttester(old)
    assert members.attesterCount() == 4
    wait_until(begins_s)
    assert members.isAttester(new)
    assert members.attesterCount() == 5
    wait_until(ends_s)
    assert not members.isAttester(old)
    assert members.attesterCount() == 4


def test_set_attester__again__takes_back_the_removal_or_starts_anew(slow):
    owner, attester, members = {"from": slow.owner}, slow.new_attester(), slow.members
    since_s = members.attesterPeriodOf(attester)[0]
    members.setAttester(attester, False, owner)

    members.setAttester(attester, True, owner)

    assert tuple(members.attesterPeriodOf(attester)) == (since_s, FOREVER)
    members.setAttester(attester, False, owner)
    pass_time(2 * DAY_S + 1)
    again = members.setAttester(attester, True, owner)
    assert tuple(members.attesterPeriodOf(attester)) == (again.timestamp + DAY_S, FOREVER)
    assert members.attesterAt(3) == attester
    assert members.attesterAt(4) == ZERO_ADDRESS


def test_set_attester__no_change_zero_or_seated__reverts(book):
    """A panel is never one short: the seat goes to another one first."""
    owner, free = {"from": book.owner}, book.new_attester()

    refuse("AlreadyAttester", book.members.setAttester, book.attesters[0], True, owner)
    refuse("NotAttester", book.members.setAttester, book.accounts[5], False, owner)
    refuse("NotAttester", book.members.setAttester, ZERO_ADDRESS, True, owner)
    seated = book.attesters[0]
    refuse(f"AttesterSeated: {seated}, 1", book.members.setAttester, seated, False, owner)
    book.members.setAttester(free, False, owner)
    refuse("NotAttester", book.members.setAttester, free, False, owner)


def test_set_attester__forty_slots__free_again_when_nobody_can_be_slashed(book):
    """Finding F27: the registry does not run out of attesters; ATTACKS 19."""
    owner, members = {"from": book.owner}, book.members
    for i in range(37):
        members.setAttester(f"0x{0xA000 + i:040x}", True, owner)
    gone, new, later = members.attesterAt(20), book.accounts[5], book.accounts[6]
    refuse("AttesterSlotsFull: 40", members.setAttester, new, True, owner)
    book.deposit(gone, BOND)
    left = members.setAttester(gone, False, owner)
    # It left, and can still be slashed.
    refuse("AttesterSlotsFull: 40", members.setAttester, new, True, owner)
    wait_until(left.timestamp + 600)

    taken = members.setAttester(new, True, owner)

    assert dict(taken.events["SlotTaken"][0]) == {
        "slot": 20, "left": gone, "attester": new.address,
    }  # fmt: skip
    assert members.attesterAt(20) == new
    assert tuple(members.attesterPeriodOf(gone)) == (0, 0)
    assert members.liableUntil(gone) == 0
    # Its bond stays its own.
    assert (members.bondOf(gone), members.bondOf(new)) == (BOND, 0)
    refuse("NotAttester", members.setAttester, gone, False, owner)
    refuse("AttesterSlotsFull: 40", members.setAttester, gone, True, owner)
    refuse("AttesterSlotsFull: 40", members.setAttester, later, True, owner)
    assert members.attesterCount() == 3


def test_set_attester__slot_taken_while_a_statement_is_open__is_refused(book):
    """Slots are bits of records: an open one's bit never stands for another account."""
    owner, members, gone = {"from": book.owner}, book.members, book.attesters[2]
    for i in range(37):
        members.setAttester(f"0x{0xA000 + i:040x}", True, owner)
    seat(book, 1, [*book.attesters[:2], members.attesterAt(10)])
    statement, heir = first_statement(book), book.accounts[5]
    # The worst: out in the block after its signature was posted.
    seat(book, 1, book.attesters)
    posted = book.post(statement, book.attesters[1:])
    seat(book, 1, [*book.attesters[:2], members.attesterAt(10)])
    left = members.setAttester(gone, False, owner)

    final_s = posted.timestamp + 600
    wait_until(final_s - 2)
    refuse("AttesterSlotsFull", members.setAttester, heir, True, owner)
    assert gone.address in book.registry.signersOf(7, 0)
    wait_until(left.timestamp + 600)
    assert book.registry.isFinal(7, 0)
    members.setAttester(heir, True, owner)

    # The views of a final statement show the heir; its event shows who signed.
    assert members.attesterAt(2) == heir
    assert gone.address not in book.registry.signersOf(7, 0)
    assert gone.address in posted.events["StatementPosted"][0]["attesters"]
    assert members.bondOf(heir) == 0


def test_set_url__member__says_where_its_verdicts_are(book):
    member, stranger = book.attesters[0], book.accounts[5]

    done = book.members.setUrl("https://one.example/", {"from": member})

    event = dict(done.events["AttesterUrlSet"][0])
    assert event == {"attester": member.address, "url": "https://one.example/"}
    assert book.members.urlOf(member) == "https://one.example/"
    refuse("NotAttester", book.members.setUrl, "https://evil.example/", {"from": stranger})
    book.members.setUrl("", {"from": member})
    assert book.members.urlOf(member) == ""


def test_controls__without_the_role__revert(book):
    """ATTACKS 26."""
    stranger = {"from": book.anybody}

    for call, arguments in (
        (book.members.setAttester, (book.anybody, True)),
        (book.members.setPanel, (1, [book.attesters[0]])),
        (book.members.setOfferPanel, (1,)),
        (book.members.takeSlashed, (book.anybody,)),
        (book.registry.pause, ()),
        (book.registry.unpause, ()),
    ):
        refuse("AccessManagedUnauthorized", call, *arguments, stranger)
