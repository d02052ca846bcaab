"""Lines of real statements, proven on-chain by OpenZeppelin's MerkleProof (`verifyLine`)."""

from dataclasses import replace

import brownie
import pytest

from api.domain.hashing import keccak
from api.domain.metering.usage import LineKind, Outage
from api.domain.statements.closing import close_epoch
from api.domain.statements.entries import Entry
from api.domain.statements.evidence import EMPTY_CARRY
from api.domain.statements.rating import LeaseTerms, PricePlan, PriceVersion
from api.domain.statements.statement import statement_hash
from api.domain.units import ZERO32, Epoch
from tests.contracts.registry_world import abi_line

LEASE = keccak(b"lease")


def _closed(terms):
    """A first epoch with usage, delivery, an outage that is credited, and a shortfall."""
    start_s, end_s = terms.epoch_bounds(0)
    price = PriceVersion(1, start_s, 2_490_001, 1_000)
    leases = {LEASE: LeaseTerms(LEASE, keccak(b"r"), PricePlan.TAKE_OR_PAY, 9, 0, None, (price,))}
    leases[LEASE] = replace(leases[LEASE], opened_at_s=start_s)
    used = [
        Entry(LineKind.USAGE, device, LEASE, start_s + 7 * i, end_s)
        for i, device in enumerate(terms.devices[:6])
    ]
    served = Entry(LineKind.DELIVERY, terms.devices[6], LEASE, start_s, end_s)
    return close_epoch(
        terms,
        terms.period(Epoch(0)),
        entries=[*used, served],
        outages=[Outage(terms.devices[7], LEASE, start_s, start_s + 600)],
        leases=leases,
        carry=EMPTY_CARRY,
        previous_statement_hash=ZERO32,
    )


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
    assert {x.kind for x in posted.lines} == {0, 1, 7, 9}

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
