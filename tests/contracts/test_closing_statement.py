"""The closing statement: one, behind the last epoch, once the seal is over, with no hours of it."""

from dataclasses import replace

import pytest
from brownie import chain

from api.domain.hashing import keccak
from api.domain.metering.usage import LineKind
from api.domain.statements.faults import FaultKind, find_faults
from api.domain.statements.lines import Line
from api.domain.statements.obligation import COMPONENT_SUBJECTS
from api.domain.statements.statement import statement_digest, statement_hash
from api.domain.units import ZERO32, Bytes32
from tests.contracts.registry_world import (
    BOND,
    SLASH,
    Posted,
    closing_statement,
    empty_statement,
    epochs_with_lines,
    overstated,
    wait_until,
)
from tests.contracts.steps import challenge, refuse_post

EPOCHS = 4


@pytest.fixture
def stated(book):
    """A facility whose every epoch is stated, its seal not over yet."""
    previous = ZERO32
    for epoch in range(EPOCHS):
        statement = empty_statement(book.terms, epoch, previous)
        book.post(statement)
        previous = statement_hash(statement)
    book.closing = closing_statement(book.terms, previous)
    return book


def _difference(terms, charge: int, **changes) -> Line:
    """A difference of the whole window and its seal."""
    line = Line(
        0, LineKind.SLA_DIFFERENCE, COMPONENT_SUBJECTS[LineKind.SLA_DIFFERENCE], keccak(b"lease"),
        terms.window_start_s, terms.sealed_at_s, 0, charge, 0, charge,
    )  # fmt: skip
    return replace(line, **changes)


def test_hash__below_zero__equals_the_model(book):
    """Signed members of an EIP-712 struct fill their word with the sign."""
    closing = replace(
        closing_statement(book.terms, ZERO32),
        available_adjustment=-1,
        gross_revenue_micros=-(2**64),
    )
    place = {"chain_id": chain.id, "registry": book.registry.address}

    assert bytes(book.registry.hashStatement(closing.as_abi_tuple())) == statement_hash(closing)
    onchain = book.registry.statementDigest(closing.as_abi_tuple())
    assert bytes(onchain) == statement_digest(closing, **place)


def test_post__closing__is_stored_and_final_and_no_epoch(stated):
    book, sealed_s = stated, stated.terms.sealed_at_s
    posted = Posted(book.closing, [_difference(book.terms, -700)])
    wait_until(sealed_s - 60)
    refuse_post(book, posted.statement, book.sign(posted.statement), f"EpochNotOver: {sealed_s}")
    assert not book.registry.isClosingPosted(7)

    done = book.post(posted.statement)

    event = done.events["StatementPosted"][0]
    assert (event["epoch"], bytes(event["statementHash"])) == (EPOCHS, posted.hash)
    assert event["cumulativeGross"] == 0
    available = EPOCHS * book.terms.capacity_gpu_seconds()
    record = tuple(book.registry.statementOf(7, EPOCHS))
    assert (bytes(record[0]), *record[1:]) == (posted.hash, done.timestamp, available, 0)
    assert list(book.registry.signersOf(7, EPOCHS)) == event["attesters"]
    assert book.registry.verifyLine(posted.abi, *posted.proven(0))
    assert (book.registry.epochsPosted(7), book.registry.opennessOf(7)[0]) == (EPOCHS, EPOCHS)
    assert book.registry.isClosingPosted(7)
    assert not book.registry.isClosingFinal(7)
    wait_until(done.timestamp + 600)
    assert book.registry.isClosingFinal(7)
    assert book.registry.isFinal(7, EPOCHS)
    assert book.registry.epochsFinal(7) == EPOCHS
    again = replace(closing_statement(book.terms, posted.hash), gross_revenue_micros=0)
    refuse_post(book, again, book.sign(again), "ClosingPosted: 7")
    again = replace(again, epoch=EPOCHS + 1)
    refuse_post(book, again, book.sign(again), "EpochOutOfOrder: 7, 4, 5")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"epoch_start_s": 1}, "EpochBoundsWrong"),
        ({"epoch_end_s": 1}, "EpochBoundsWrong"),
        ({"billed_gpu_seconds": 1}, "GpuSecondsAboveCapacity: 1, 0"),
        ({"available_gpu_seconds": 1}, "GpuSecondsAboveCapacity: 1, 0"),
        ({"available_adjustment": 1}, "StatementInvalid: availableAdjustment"),
        ({"available_adjustment": -72_001}, "StatementInvalid: availableAdjustment"),
        ({"gross_revenue_micros": 2**64}, "StatementInvalid: grossRevenue"),
        ({"gross_revenue_micros": -(2**64)}, "StatementInvalid: grossRevenue"),
        ({"usage_root": ZERO32, "line_count": 0}, "StatementInvalid: grossRevenue"),
        ({"line_count": 0}, "StatementInvalid: usageRoot"),
        ({"previous_statement_hash": ZERO32}, "PreviousStatementWrong"),
        ({"evidence_hash": ZERO32}, "StatementInvalid: evidenceHash"),
    ],
)
def test_post__closing_contents_wrong__reverts(stated, changes, error):
    """Five devices for four hours: all of it was available, and nothing more can have been."""
    honest = Posted(stated.closing, [_difference(stated.terms, -700)]).statement
    wait_until(stated.terms.sealed_at_s)
    wrong = replace(honest, **changes)

    refuse_post(stated, wrong, stated.sign(wrong), error)

    stated.post(replace(honest, available_adjustment=-72_000))
    assert stated.registry.statementOf(7, EPOCHS)["cumulativeAvailable"] == 0


def test_post__epoch_below_zero__reverts(book):
    """The closing statement alone may be."""
    closed = epochs_with_lines(book, 1)[0]
    below = replace(closed.statement, gross_revenue_micros=-1)
    wait_until(below.epoch_end_s)

    refuse_post(book, below, book.sign(below), "StatementInvalid: grossRevenue")


def test_post__closing_before_the_last_epoch__reverts(book):
    closing = closing_statement(book.terms, ZERO32)
    wait_until(closing.epoch_end_s)

    refuse_post(book, closing, book.sign(closing), "EpochOutOfOrder: 7, 0, 4")
    as_epoch = replace(closing, epoch=0)
    refuse_post(book, as_epoch, book.sign(as_epoch), "EpochBoundsWrong")


def test_challenge__closing__falls_alone_and_another_takes_its_place(stated):
    """Python finds the fault and the chain confirms it; epochs and their totals stay."""
    book = stated
    unnamed = _difference(book.terms, -700, subject=Bytes32(b"\x01" * 32))
    faulty = Posted(book.closing, [unnamed])
    book.post(faulty.statement)
    found = find_faults(book.terms, faulty.statement, faulty.lines)
    assert [fault.kind for fault in found] == [FaultKind.SUBJECT_WRONG]

    event = challenge(book, faulty).events["StatementVoided"][0]

    assert (event["epoch"], event["fault"]) == (EPOCHS, int(FaultKind.SUBJECT_WRONG))
    # The number of statements: the closing one counts.
    assert event["epochsPostedBefore"] == EPOCHS + 1
    assert (book.registry.isClosingPosted(7), book.registry.epochsPosted(7)) == (False, EPOCHS)
    assert book.registry.opennessOf(7)[0] == EPOCHS
    assert book.bonds() == [BOND - SLASH, BOND - SLASH, BOND]
    refuse_post(book, faulty.statement, book.sign(faulty.statement), "StatementBarred")
    honest = Posted(book.closing, [_difference(book.terms, -700)])
    book.post(honest.statement)
    assert book.registry.isClosingPosted(7)


def test_challenge__last_epoch__takes_the_closing_along(book):
    """All was posted late, so that the last epoch can still be challenged."""
    closed = epochs_with_lines(book, EPOCHS)
    wait_until(book.terms.sealed_at_s)
    for each in closed[:-1]:
        book.post(each.statement)
    faulty = overstated(closed[-1])
    book.post(faulty.statement)
    book.post(closing_statement(book.terms, faulty.hash))
    assert book.registry.isClosingPosted(7)

    event = challenge(book, faulty).events["StatementVoided"][0]

    assert (event["epoch"], event["epochsPostedBefore"]) == (EPOCHS - 1, EPOCHS + 1)
    assert (book.registry.isClosingPosted(7), book.registry.epochsPosted(7)) == (False, EPOCHS - 1)
    assert book.registry.statementOf(7, EPOCHS)[1] == 0
    # It stays published: nobody can call it a default.
    assert book.registry.opennessOf(7)[0] == EPOCHS
    book.post(closed[-1].statement)
    book.post(closing_statement(book.terms, statement_hash(closed[-1].statement)))
    assert book.registry.isClosingPosted(7)
