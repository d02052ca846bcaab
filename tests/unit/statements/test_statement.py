"""Statements: EIP-712 hashes as anybody's tools make them, totals and shares."""

from dataclasses import fields, replace

import pytest
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from api.domain.merkle import MerkleTree, root_of_proof
from api.domain.metering.usage import LineKind, Outage
from api.domain.statements.lines import Line
from api.domain.statements.rating import LeaseTerms, PricePlan, PriceVersion
from api.domain.statements.statement import (
    DOMAIN_NAME,
    DOMAIN_VERSION,
    STATEMENT_TYPE,
    Statement,
    available_gpu_seconds,
    batch_digest,
    batch_leaf,
    batch_root,
    build_statement,
    concentration,
    statement_digest,
    statement_hash,
)
from api.domain.units import ZERO32, Bytes32, Epoch
from api.errors import InvalidInput
from tests.unit.values import DAY_S, DEVICES, HASHES, START_S, TERMS

_U16, _U32, _U64 = (st.integers(0, 2**bits - 1) for bits in (16, 32, 64))
STATEMENTS = st.builds(
    Statement, _U64, _U32, _U64, _U64, _U64, st.integers(-(2**63), 2**63 - 1), _U64,
    st.integers(-(2**127), 2**127 - 1), _U32,
    HASHES, HASHES, HASHES, _U16, _U16,
)  # fmt: skip
REGISTRY = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


def _types() -> list[dict[str, str]]:
    inner = STATEMENT_TYPE.split("(")[1].rstrip(")").split(",")
    return [{"type": kind, "name": name} for kind, name in (part.split(" ") for part in inner)]


@given(STATEMENTS, st.integers(1, 2**63))
def test_digest__any_statement__is_that_of_eth_account(statement: Statement, chain_id: int) -> None:
    types = _types()
    values = zip((t["name"] for t in types), statement.as_abi_tuple(), strict=True)
    domain = {
        "name": DOMAIN_NAME,
        "version": DOMAIN_VERSION,
        "chainId": chain_id,
        "verifyingContract": REGISTRY,
    }

    theirs = encode_typed_data(domain, {"Statement": types}, dict(values))

    ours = statement_digest(statement, chain_id=chain_id, registry=REGISTRY)
    assert ours == keccak(b"\x19" + theirs.version + theirs.header + theirs.body)


@given(HASHES, st.integers(1, 2**63))
def test_batch_digest__any_root__is_that_of_eth_account(root: bytes, chain_id: int) -> None:
    domain = {
        "name": DOMAIN_NAME,
        "version": DOMAIN_VERSION,
        "chainId": chain_id,
        "verifyingContract": REGISTRY,
    }
    types = {"StatementBatch": [{"type": "bytes32", "name": "root"}]}

    theirs = encode_typed_data(domain, types, {"root": root})

    ours = batch_digest(root, chain_id=chain_id, registry=REGISTRY)
    assert ours == keccak(b"\x19" + theirs.version + theirs.header + theirs.body)


@given(st.sets(HASHES, min_size=1, max_size=20))
def test_batch_root__hashes_in_order_of_leaves__is_the_tree_of_anybodys_tools(
    hashes: set[bytes],
) -> None:
    ordered = sorted(hashes, key=batch_leaf)
    tree = MerkleTree([batch_leaf(hashed) for hashed in ordered])

    assert batch_root(ordered) == tree.root
    for place, hashed in enumerate(ordered):
        assert root_of_proof(tree.proof(place), leaf=batch_leaf(hashed)) == tree.root


def test_batch_root__another_order_of_three__is_another() -> None:
    """As the contract makes it: what is not in order is proven by nobody's tools."""
    ordered = sorted((bytes([n]) * 32 for n in range(3)), key=batch_leaf)

    assert batch_root(ordered) != batch_root([ordered[2], ordered[0], ordered[1]])


def test_batch_root__without_statements__is_refused() -> None:
    with pytest.raises(InvalidInput, match="at least one statement"):
        batch_root([])


def test_hash__any_field_changed__is_another() -> None:
    """ATTACKS 18: everything is in the struct."""
    zero = Bytes32(bytes(32))
    base = Statement(*([1] * 9), zero, zero, zero, 1, 1)  # type: ignore[arg-type]
    hashes = {statement_hash(base)}

    for f in fields(Statement):
        value = getattr(base, f.name)
        changed = b"\x01" * 32 if isinstance(value, bytes) else value + 1
        hashes.add(statement_hash(replace(base, **{f.name: changed})))

    assert len(hashes) == 1 + len(fields(Statement))
    digests = {
        statement_digest(base, chain_id=c, registry=r)
        for c in (1, 2)
        for r in (REGISTRY, "0x" + "1" * 40)
    }
    assert len(digests) == 4


def _lease(name: bytes, renter: bytes, plan: PricePlan) -> LeaseTerms:
    lease, who = Bytes32(name.ljust(32)), Bytes32(renter.ljust(32))
    return LeaseTerms(lease, who, plan, 0, START_S, None, (PriceVersion(1, START_S, 1),))


A = _lease(b"a", b"x", PricePlan.ON_DEMAND)
B = _lease(b"b", b"x", PricePlan.TAKE_OR_PAY)
C = _lease(b"c", b"y", PricePlan.SPOT)
NAMED = {lease.lease: lease for lease in (A, B, C)}


def _line(lease: LeaseTerms, charge: int, seconds: int = 0) -> Line:
    return Line(0, LineKind.USAGE, DEVICES[0], lease.lease, 0, 1, seconds, charge, seconds, charge)


def test_concentration__two_renters__by_hand() -> None:
    """X pays 50 and 25 on two leases, Y pays 25; a credit of Y's counts for nothing."""
    shares = concentration([_line(A, 50), _line(B, 25), _line(C, 25), _line(C, -9)], NAMED)

    assert (shares.top_renter_bps, shares.committed_bps) == (7_500, 2_500)


@given(st.lists(st.tuples(st.sampled_from((A, B, C)), st.integers(-(10**12), 10**12)), max_size=9))
def test_concentration__any_lines_in_any_order__are_shares(
    charges: list[tuple[LeaseTerms, int]],
) -> None:
    lines = [_line(lease, charge) for lease, charge in charges]

    shares = concentration(lines, NAMED)

    assert shares == concentration(lines[::-1], NAMED)
    assert 0 <= shares.committed_bps <= 10_000
    positive = any(charge > 0 for _, charge in charges)
    # Of two renters one has at least half.
    assert 5_000 <= shares.top_renter_bps <= 10_000 if positive else shares.top_renter_bps == 0


def test_available__one_device_out_for_an_hour__is_the_rest() -> None:
    outage = Outage(DEVICES[0], ZERO32, START_S, START_S + 3_600)

    assert available_gpu_seconds(TERMS, [outage]) == 4 * DAY_S - 3_600


def test_build__no_lines__is_a_zero_statement_of_its_epoch() -> None:
    statement = build_statement(
        TERMS, TERMS.period(Epoch(1)), lines=[], leases={}, outages=[], usage_root=ZERO32,
        evidence_hash=ZERO32, previous_statement_hash=ZERO32,
    )  # fmt: skip

    assert (statement.epoch_start_s, statement.epoch_end_s) == (
        START_S + DAY_S,
        START_S + 2 * DAY_S,
    )
    assert (statement.gross_revenue_micros, statement.line_count) == (0, 0)
    assert statement.available_gpu_seconds == 4 * DAY_S
