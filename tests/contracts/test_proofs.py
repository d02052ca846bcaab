"""Lines of real statements, proven on-chain by OpenZeppelin's MerkleProof (`verifyLine`)."""

from dataclasses import replace

import brownie
import pytest

from api.domain.hashing import keccak
from api.domain.log.entry import NO_LOG
from api.domain.metering.facts import Adjusted, Agreed, Held, Out, Place
from api.domain.metering.lease_terms import FixedItem, PriceStep, TermsVersion, TierStep
from api.domain.metering.usage import LineKind
from api.domain.statements.closing import OpenBooks
from api.domain.statements.statement import statement_hash
from api.domain.statements.told import Told
from api.domain.units import ZERO32, Epoch
from tests.contracts.registry_world import abi_line, wait_until
from tests.ledgers import Ledger, closed_books
from tests.logs import bare_entries

LEASE = keccak(b"lease")


def _closed(terms):
    """A first epoch with usage at a discount, a delivery, an outage, and money beside."""
    start_s, end_s = terms.epoch_bounds(0)
    version = TermsVersion(
        version=1,
        previous=ZERO32,
        party=keccak(b"r"),
        from_s=start_s,
        prices=(PriceStep(start_s, 2_490_001),),
        tiers=(TierStep(2, 1_000),),
        fixed=(FixedItem("setup", start_s, 5_000_000),),
    )
    facts = [
        Agreed(LEASE, version),
        *(
            Held(Place(2, i), device, LEASE, start_s + 7 * i, end_s)
            for i, device in enumerate(terms.devices[:6])
        ),
        Held(Place(3, 0), terms.devices[6], LEASE, start_s, end_s, delivery=True),
        Out(Place(4, 0), terms.devices[5], LEASE, start_s, start_s + 600),
        Adjusted(Place(5, 0), keccak(b"goodwill"), LEASE, -70),
    ]
    told = [Told(Place(i, 0), end_s, fact) for i, fact in enumerate(facts, 1)]
    entries = bare_entries(terms, NO_LOG, up_to=5, at_s=end_s)
    return OpenBooks(terms).close(terms.period(Epoch(0)), told, entries=entries)


@pytest.fixture
def posted(world):
    """A statement that `api.domain` closed, posted on-chain."""
    world.fund()
    closed = _closed(world.terms)
    world.wait_until(closed.statement.epoch_end_s)
    signed = world.sign(closed.statement)
    world.statements.post(closed.statement.as_abi_tuple(), signed, {"from": world.cleo})
    return closed


def test_verify_line__every_line_and_no_other__is_proven(world, posted):
    """ATTACKS 22: root, leaves and proofs of the domain are those of the chain."""
    statement = posted.statement.as_abi_tuple()
    assert {x.kind for x in posted.lines} == {
        *(LineKind.USAGE, LineKind.DELIVERY, LineKind.TIER_DIFFERENCE),
        *(LineKind.FIXED_DIFFERENCE, LineKind.ADJUSTMENT_DIFFERENCE),
    }

    for line in posted.lines:
        proof = posted.tree.proof(line.index)
        given = abi_line(posted.statement, line)
        assert world.statements.verifyLine(statement, given, proof)
        for changed in (
            replace(line, charge_micros=line.charge_micros + 1),
            replace(line, end_s=line.end_s + 1),
            replace(line, index=line.index + 1),
        ):
            given = abi_line(posted.statement, changed)
            assert not world.statements.verifyLine(statement, given, proof)


def test_verify_line__of_another_epoch_or_statement__is_refused(world, posted):
    """ATTACKS 18, 22: a leaf names its facility and epoch; the statement must be the posted one."""
    line, proof = posted.lines[0], posted.tree.proof(0)
    statement = posted.statement
    foreign = (8, *abi_line(statement, line)[1:])

    assert not world.statements.verifyLine(statement.as_abi_tuple(), foreign, proof)
    altered = replace(statement, gross_revenue_micros=statement.gross_revenue_micros + 1)
    assert statement_hash(altered) != statement_hash(statement)
    with brownie.reverts(revert_pattern="StatementHashWrong.*"):
        world.statements.verifyLine(altered.as_abi_tuple(), abi_line(statement, line), proof)
    later = replace(statement, epoch=Epoch(1))
    with brownie.reverts(revert_pattern="StatementUnknown.*"):
        world.statements.verifyLine(later.as_abi_tuple(), abi_line(statement, line), proof)


def test_verify_line__whole_books_with_lines_of_every_kind__are_stored_and_proven(book):
    """ATTACKS 22: every line of epochs and a closing statement below zero, on the real registry."""
    seed, closed = next(
        (seed, closed)
        for seed in range(1_000)
        if (closed := closed_books(Ledger(seed, book.terms)))[-1].statement.gross_revenue_micros < 0
        and {line.kind for each in closed for line in each.lines} == set(LineKind)
    )
    wait_until(book.terms.sealed_at_s)

    for each in closed:
        book.post(each.statement)

    assert book.registry.isClosingPosted(book.terms.facility_id), seed
    for each in closed:
        statement = each.statement.as_abi_tuple()
        for line in each.lines:
            given, proof = abi_line(each.statement, line), each.tree.proof(line.index)
            assert book.registry.verifyLine(statement, given, proof)
    gross = sum(each.statement.gross_revenue_micros for each in closed)
    assert book.registry.statementOf(7, len(closed) - 1)[3] == max(0, gross)
