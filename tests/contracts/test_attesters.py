"""StatementRegistry: attesters, their periods, the threshold, and whose signatures count."""

from dataclasses import replace

import brownie
import pytest
from brownie import chain

from api.domain.statements.statement import statement_hash
from tests.contracts.registry_world import (
    RegistryWorld,
    by_address,
    empty_statement,
    wait_until,
)

REFUSING, ACCEPTING, REVERTING, WRONG = range(4)
FOREVER = 2**40 - 1
DAY_S = 86_400


@pytest.fixture
def book(accounts):
    """A registry without delays."""
    return RegistryWorld(accounts)


@pytest.fixture
def slow(accounts):
    """A registry where new attesters count after one day, and removed ones until after two."""
    return RegistryWorld(accounts, delays=(DAY_S, 2 * DAY_S))


def _first(book):
    statement = empty_statement(book.terms, 0)
    wait_until(statement.epoch_end_s)
    return statement


def _refused(book, statement, signed, error):
    with brownie.reverts(revert_pattern=f"{error}.*"):
        book.registry.post(statement.as_abi_tuple(), signed, {"from": book.anybody})


def test_post__signed_for_another_place__reverts(book):
    """ATTACKS 18: chain, registry, epoch and content are all in what is signed."""
    statement = _first(book)
    other = book.deploy()

    _refused(book, statement, book.sign(statement, chain_id=chain.id + 1), "SignatureInvalid")
    _refused(book, statement, book.sign(statement, registry=other.address), "SignatureInvalid")
    for changes in ({"epoch": 1}, {"facility_id": 8}, {"available_gpu_seconds": 1}):
        signed = book.sign(replace(statement, **changes))
        _refused(book, statement, signed, "SignatureInvalid")
    book.post(statement)


@pytest.mark.parametrize(
    ("order", "error"),
    [
        ([0], "QuorumMissing"),
        ([], "QuorumMissing"),
        ([0, 0], "AttestersNotAscending"),
        ([1, 0], "AttestersNotAscending"),
        ([0, 1, 0], "AttestersNotAscending"),
    ],
)
def test_post__forged_quorum__reverts(book, order, error):
    """ATTACKS 19."""
    statement = _first(book)

    _refused(book, statement, book.sign(statement, [book.attesters[i] for i in order]), error)


def test_post__stranger_zero_or_bad_signature__reverts(book):
    """ATTACKS 19: address(0) of a bad signature is no attester."""
    statement = _first(book)
    good = book.sign(statement)
    zero = "0x" + "00" * 20

    strangers = by_address([book.attesters[0], book.accounts.add()])
    _refused(book, statement, book.sign(statement, strangers), "NotAttester")
    _refused(book, statement, [(zero, good[0][1]), good[1]], "AttestersNotAscending")
    for signature in (b"", b"\0" * 65, good[1][1]):
        _refused(book, statement, [(good[0][0], signature), good[1]], "SignatureInvalid")


def test_post__malleable_or_compact_signature__reverts(book):
    """ATTACKS 20."""
    statement = _first(book)
    good = book.sign(statement)
    address, signature = good[0]
    r, s, v = signature[:32], int.from_bytes(signature[32:64], "big"), signature[64]
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    high = r + (order - s).to_bytes(32, "big") + bytes([55 - v])
    compact = r + (s | (v - 27) << 255).to_bytes(32, "big")

    for changed in (high, compact, signature[:64] + bytes([v - 27]), signature + b"\0"):
        _refused(book, statement, [(address, changed), good[1]], "SignatureInvalid")


def test_post__contract_attester__counts_while_it_agrees(book):
    """ATTACKS 20: an ERC-1271 signer that refuses, reverts or answers wrongly does not count."""
    wallet = book.project.MockContractAttester.deploy({"from": book.owner})
    book.admit(wallet)
    statement = _first(book)
    pair = by_address([wallet, book.attesters[0]])
    real = dict(book.sign(statement, [book.attesters[0]]))
    signed = [(a.address, real.get(a.address, b"\x01")) for a in pair]

    for mood in (REFUSING, REVERTING, WRONG):
        wallet.setMood(mood, {"from": book.owner})
        _refused(book, statement, signed, "SignatureInvalid")
    wallet.setMood(ACCEPTING, {"from": book.owner})
    book.registry.post(statement.as_abi_tuple(), signed, {"from": book.anybody})
    assert set(book.registry.signersOf(7, 0)) == {a.address for a in pair}


def test_set_attester__delays__begin_and_end_later(slow):
    """ATTACKS 19: membership has periods; a leaving attester still counts and is still liable."""
    new, old, owner = slow.accounts.add(), slow.attesters[2], {"from": slow.owner}
    granted = slow.registry.setAttester(new, True, owner)
    begins_s = granted.timestamp + DAY_S
    removed = slow.registry.setAttester(old, False, owner)
    ends_s = removed.timestamp + 2 * DAY_S

    assert granted.events["AttesterSet"][0]["member"]
    period = granted.events["AttesterPeriodSet"][0]
    assert (period["activeFrom"], period["activeUntil"]) == (begins_s, FOREVER)
    assert tuple(slow.registry.attesterPeriodOf(new)) == (begins_s, FOREVER)
    assert slow.registry.attesterPeriodOf(old)[1] == ends_s
    assert slow.registry.liableUntil(old) == ends_s + 600
    assert slow.registry.liableUntil(new) == 2**64 - 1
    assert slow.registry.liableUntil(slow.owner) == 0
    assert not slow.registry.isAttester(new)
    assert slow.registry.isAttester(old)
    assert slow.registry.attesterCount() == 3
    wait_until(begins_s)
    assert slow.registry.isAttester(new)
    assert slow.registry.attesterCount() == 4
    wait_until(ends_s)
    assert not slow.registry.isAttester(old)
    assert slow.registry.attesterCount() == 3


def test_post__outside_the_membership__reverts(slow):
    new, owner = slow.accounts.add(), {"from": slow.owner}
    statement = _first(slow)
    slow.registry.setAttester(new, True, owner)
    slow.registry.setAttester(slow.attesters[0], False, owner)
    pair = by_address([new, slow.attesters[1]])

    _refused(slow, statement, slow.sign(statement, pair), "NotAttester")
    slow.post(statement, slow.attesters[:2])
    following = empty_statement(slow.terms, 1, statement_hash(statement))
    chain.sleep(3 * DAY_S)
    chain.mine()
    _refused(slow, following, slow.sign(following, slow.attesters[:2]), "NotAttester")
    slow.post(following, pair)


def test_set_attester__again__takes_back_the_removal_or_starts_anew(slow):
    owner, attester = {"from": slow.owner}, slow.attesters[0]
    since_s = slow.registry.attesterPeriodOf(attester)[0]
    slow.registry.setAttester(attester, False, owner)

    slow.registry.setAttester(attester, True, owner)

    assert tuple(slow.registry.attesterPeriodOf(attester)) == (since_s, FOREVER)
    slow.registry.setAttester(attester, False, owner)
    chain.sleep(2 * DAY_S + 1)
    chain.mine()
    again = slow.registry.setAttester(attester, True, owner)
    assert tuple(slow.registry.attesterPeriodOf(attester)) == (again.timestamp + DAY_S, FOREVER)
    assert slow.registry.attesterAt(0) == attester
    assert int(slow.registry.attesterAt(3), 16) == 0


def test_set_attester__no_change_or_zero__reverts(book):
    owner = {"from": book.owner}

    with brownie.reverts(revert_pattern="AlreadyAttester.*"):
        book.registry.setAttester(book.attesters[0], True, owner)
    with brownie.reverts(revert_pattern="NotAttester.*"):
        book.registry.setAttester(book.accounts[5], False, owner)
    with brownie.reverts(revert_pattern="NotAttester.*"):
        book.registry.setAttester("0x" + "00" * 20, True, owner)
    book.registry.setAttester(book.attesters[0], False, owner)
    with brownie.reverts(revert_pattern="NotAttester.*"):
        book.registry.setAttester(book.attesters[0], False, owner)


def test_threshold__outside_one_to_the_lasting_members__reverts(book):
    """ATTACKS 19: threshold 0 or above n; removal that leaves fewer than k."""
    owner = {"from": book.owner}
    for threshold in (0, 4):
        with brownie.reverts(revert_pattern="ThresholdOutOfRange.*"):
            book.registry.setThreshold(threshold, owner)
    assert book.registry.setThreshold(3, owner).events["ThresholdSet"][0]["threshold"] == 3

    with brownie.reverts(revert_pattern="ThresholdOutOfRange.*"):
        book.registry.setAttester(book.attesters[0], False, owner)
    book.registry.setThreshold(2, owner)
    book.registry.setAttester(book.attesters[0], False, owner)
    with brownie.reverts(revert_pattern="ThresholdOutOfRange.*"):
        book.registry.setAttester(book.attesters[1], False, owner)


def test_threshold__pending_and_leaving_members__do_not_count(slow):
    """ATTACKS 19: at no time, scheduled changes included, are fewer than k active."""
    owner = {"from": slow.owner}
    slow.registry.setAttester(slow.accounts.add(), True, owner)
    with brownie.reverts(revert_pattern="ThresholdOutOfRange.*"):
        slow.registry.setThreshold(4, owner)

    # The newcomer counts before any removal takes effect, so two may go, and a third may not.
    slow.registry.setAttester(slow.attesters[0], False, owner)
    slow.registry.setAttester(slow.attesters[1], False, owner)
    with brownie.reverts(revert_pattern="ThresholdOutOfRange.*"):
        slow.registry.setAttester(slow.attesters[2], False, owner)
    with brownie.reverts(revert_pattern="ThresholdOutOfRange.*"):
        slow.registry.setThreshold(3, owner)
    chain.sleep(3 * DAY_S)
    chain.mine()
    assert slow.registry.attesterCount() == 2


def test_set_attester__forty_slots__are_never_given_twice(book):
    owner = {"from": book.owner}
    for i in range(37):
        book.registry.setAttester(f"0x{0xA000 + i:040x}", True, owner)

    with brownie.reverts(revert_pattern="AttesterSlotsFull.*"):
        book.registry.setAttester(book.accounts[5], True, owner)
    book.registry.setAttester(book.attesters[0], False, owner)
    book.registry.setAttester(book.attesters[0], True, owner)
    assert book.registry.attesterCount() == 40


def test_controls__without_the_role__revert(book):
    """ATTACKS 26."""
    stranger = {"from": book.anybody}

    for call, arguments in (
        (book.registry.setAttester, (book.anybody, True)),
        (book.registry.setThreshold, (1,)),
        (book.registry.pause, ()),
        (book.registry.unpause, ()),
    ):
        with brownie.reverts(revert_pattern="AccessManagedUnauthorized.*"):
            call(*arguments, stranger)
