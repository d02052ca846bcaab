"""StatementRegistry.post and views: order, contents, chain of hashes, finality."""

from dataclasses import replace

import brownie
import pytest
from brownie import chain

from api.domain.statements.statement import statement_digest, statement_hash
from api.domain.units import Bytes32, FacilityId
from tests.contracts.registry_world import (
    CANCELLED,
    DEFAULTED,
    FACILITY_ID,
    OFFERED,
    Posted,
    abi_line,
    empty_statement,
    wait_until,
)
from tests.ledgers import facility

ZERO_RECORD = ("0x" + "00" * 32, 0, 0, 0)


def test_hash__any_statement__equals_the_model(book):
    for closed in book.closed(3):
        statement = closed.statement
        place = {"chain_id": chain.id, "registry": book.registry.address}

        onchain = book.registry.hashStatement(statement.as_abi_tuple())
        digest = book.registry.statementDigest(statement.as_abi_tuple())

        assert bytes(onchain) == statement_hash(statement)
        assert bytes(digest) == statement_digest(statement, **place)


def test_post__honest_epochs__are_stored_emitted_and_chained(book):
    """Invariant 6: once, in order, with quorum."""
    gross = available = 0
    for closed in book.closed(2):
        statement = closed.statement
        transaction = book.post(statement)
        gross += statement.gross_revenue_micros
        available += statement.available_gpu_seconds + statement.available_adjustment

        record = tuple(book.registry.statementOf(FACILITY_ID, statement.epoch))
        assert bytes(record[0]) == statement_hash(statement)
        assert record[1:] == (transaction.timestamp, available, gross)
        event = transaction.events["StatementPosted"][0]
        assert event["cumulativeGross"] == gross
        assert list(event["attesters"]) == [a.address for a in book.attesters[:2]]
        assert list(book.registry.signersOf(FACILITY_ID, statement.epoch)) == event["attesters"]
        assert book.registry.epochsPosted(FACILITY_ID) == statement.epoch + 1
    assert tuple(book.registry.statementOf(FACILITY_ID, 4)) == ZERO_RECORD
    assert book.registry.signersOf(FACILITY_ID, 4) == ()


def test_finality__challenge_window__passes_epoch_by_epoch(book):
    closed = book.closed(2)
    first = book.post(closed[0].statement)
    second = book.post(closed[1].statement)

    assert book.registry.epochsFinal(FACILITY_ID) == (
        1 if second.timestamp >= first.timestamp + 600 else 0
    )
    earlier, record = (tuple(book.registry.statementOf(FACILITY_ID, e)) for e in (0, 1))
    final = book.registry.epochsFinal(FACILITY_ID)
    expected = (1, *earlier[2:]) if final else (0, 0, 0)
    assert tuple(book.registry.finalTotals(FACILITY_ID, 0)) == expected
    # What is posted counts at once where nothing is paid out of it.
    assert book.registry.postedGross(FACILITY_ID) == record[3]
    wait_until(second.timestamp + 600)
    assert book.registry.epochsFinal(FACILITY_ID) == 2
    assert book.registry.isFinal(FACILITY_ID, 1)
    assert not book.registry.isFinal(FACILITY_ID, 2)
    for known in (0, 1, 2):
        assert tuple(book.registry.finalTotals(FACILITY_ID, known)) == (2, *record[2:])
    assert tuple(book.registry.finalTotals(8, 0)) == (0, 0, 0)
    assert book.registry.postedGross(8) == 0


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"epoch": 1}, "EpochOutOfOrder"),
        ({"epoch_start_s": 1}, "EpochBoundsWrong"),
        ({"epoch_end_s": 1}, "EpochBoundsWrong"),
        ({"billed_gpu_seconds": 18_001}, "GpuSecondsAboveCapacity"),
        ({"available_gpu_seconds": 18_001}, "GpuSecondsAboveCapacity"),
        ({"previous_statement_hash": Bytes32(b"\x01" * 32)}, "PreviousStatementWrong"),
        ({"line_count": 0}, "StatementInvalid: usageRoot"),
        ({"usage_root": Bytes32(bytes(32))}, "StatementInvalid: usageRoot"),
        ({"gross_revenue_micros": 2**64}, "StatementInvalid: grossRevenue"),
        ({"evidence_hash": Bytes32(bytes(32))}, "StatementInvalid: evidenceHash"),
        ({"top_renter_bps": 10_001}, "StatementInvalid: topRenterBps"),
        ({"committed_bps": 10_001}, "StatementInvalid: committedBps"),
        ({"facility_id": 8}, "FacilityNotDelivering"),
    ],
)
def test_post__contents_wrong__reverts(book, changes, error):
    """ATTACKS 21: gap, repeat, outside the window, more GPU-seconds than capacity x time."""
    statement = replace(next(c for c in book.closed(2) if c.lines).statement, **changes)
    assert statement.epoch in (0, changes.get("epoch", 0))
    wait_until(book.terms.window_end_s)

    with brownie.reverts(revert_pattern=f"{error}.*"):
        book.registry.post(statement.as_abi_tuple(), book.sign(statement), {"from": book.anybody})


def test_post__empty_with_totals__reverts(book):
    """ATTACKS 21, 22: an empty tree carries nothing."""
    empty = empty_statement(book.terms, 0)
    wait_until(empty.epoch_end_s)

    for changes, field in (
        ({"billed_gpu_seconds": 1}, "billedGpuSeconds"),
        ({"gross_revenue_micros": 1}, "grossRevenue"),
        ({"usage_root": Bytes32(b"\x01" * 32)}, "usageRoot"),
    ):
        changed = replace(empty, **changes)
        with brownie.reverts(f"StatementInvalid: {field}"):
            book.registry.post(changed.as_abi_tuple(), book.sign(changed), {"from": book.anybody})
    book.post(empty)
    line = (7, 0, 0, 0, bytes(32), bytes(32), 0, 0, 0, 0, 0, 0)
    assert not book.registry.verifyLine(empty.as_abi_tuple(), line, [])
    with brownie.reverts("ProofInvalid: 0"):
        book.registry.challengeLine(empty.as_abi_tuple(), (line, []), {"from": book.anybody})


def test_post__too_early_twice_or_beyond_the_window__reverts(book):
    """ATTACKS 21: future epoch, repeat."""
    statement = empty_statement(book.terms, 0)
    wait_until(statement.epoch_start_s)
    with brownie.reverts(revert_pattern="EpochNotOver.*"):
        book.registry.post(statement.as_abi_tuple(), book.sign(statement), {"from": book.anybody})

    previous = None
    for epoch in range(4):
        statement = empty_statement(book.terms, epoch, previous or Bytes32(bytes(32)))
        book.post(statement)
        with brownie.reverts(revert_pattern="EpochOutOfOrder.*"):
            book.post(statement)
        previous = statement_hash(statement)
    beyond = replace(statement, epoch=4, previous_statement_hash=previous)
    end_s, sealed_s = book.terms.window_end_s, book.terms.sealed_at_s
    with brownie.reverts(f"EpochBoundsWrong: {end_s}, {sealed_s}"):
        book.post(beyond)
    beyond = replace(beyond, epoch=5)
    with brownie.reverts("EpochOutOfOrder: 7, 4, 5"):
        book.post(beyond)


@pytest.mark.parametrize("state", [OFFERED, CANCELLED, DEFAULTED])
def test_post__facility_not_delivering__reverts(book, state):
    book.set_facility(book.terms, state=state)

    with brownie.reverts("FacilityNotDelivering: 7"):
        book.post(empty_statement(book.terms, 0))


def test_post__paused__reverts_until_unpaused(book):
    owner, statement = {"from": book.owner}, empty_statement(book.terms, 0)
    book.registry.pause(owner)
    with brownie.reverts(revert_pattern="EnforcedPause.*"):
        book.post(statement)

    book.registry.unpause(owner)
    book.post(statement)


def test_post__other_facility__has_its_own_order(book):
    other = facility(8, window_start_s=book.terms.window_start_s, first=20)
    book.set_facility(other)
    book.post(empty_statement(book.terms, 0))

    book.post(empty_statement(other, 0))

    assert book.registry.epochsPosted(8) == 1
    assert book.registry.epochsPosted(FACILITY_ID) == 1


def test_verify_line__every_line__stands_and_no_other_does(book):
    """ATTACKS 22: wrong proof, inner node as leaf, line of another facility or epoch."""
    closed = next(c for c in book.closed(5) if len(c.lines) > 2)
    assert closed.statement.epoch == 0
    posted = Posted(closed.statement, closed.lines)
    book.post(posted.statement)

    for i in range(len(posted.lines)):
        assert book.registry.verifyLine(posted.abi, *posted.proven(i))
    line, proof = posted.proven(0)
    assert not book.registry.verifyLine(posted.abi, line, proof[:-1])
    assert not book.registry.verifyLine(posted.abi, line, [*proof, bytes(32)])
    assert not book.registry.verifyLine(posted.abi, line, [])
    changed = replace(posted.lines[0], charge_micros=posted.lines[0].charge_micros + 1)
    assert not book.registry.verifyLine(posted.abi, abi_line(posted.statement, changed), proof)
    foreign = replace(posted.statement, facility_id=FacilityId(8))
    assert not book.registry.verifyLine(posted.abi, abi_line(foreign, posted.lines[0]), proof)


def test_verify_line__statement_not_the_posted_one__reverts(book):
    closed = next(c for c in book.closed(5) if len(c.lines) > 2)
    posted = Posted(closed.statement, closed.lines)
    with brownie.reverts("StatementUnknown: 7, 0"):
        book.registry.verifyLine(posted.abi, *posted.proven(0))
    book.post(posted.statement)

    changed = replace(posted.statement, gross_revenue_micros=1).as_abi_tuple()
    with brownie.reverts(revert_pattern="StatementHashWrong.*"):
        book.registry.verifyLine(changed, *posted.proven(0))
