"""Statements: EIP-712 hashes as anybody's tools make them, totals and shares."""

from dataclasses import fields, replace

import pytest
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from api.domain.merkle import MerkleTree, root_of_proof
from api.domain.metering.usage import LineKind
from api.domain.statements.books import Item, Stated
from api.domain.statements.lines import numbered
from api.domain.statements.statement import (
    DOMAIN_NAME,
    DOMAIN_VERSION,
    STATEMENT_TYPE,
    Statement,
    batch_digest,
    batch_leaf,
    batch_root,
    build_statement,
    statement_digest,
    statement_hash,
)
from api.domain.units import ZERO32, Bytes32, Epoch, Minor
from api.errors import InvalidInput
from tests.unit.values import DAY_S, DEVICES, HASHES, LEASE, START_S, TERMS

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


def test_build__lines_of_a_period__are_its_totals() -> None:
    """Usage of a minute for 7, a delivery of two, and 9 taken back."""
    items = (
        Item(LineKind.USAGE, DEVICES[0], 0, LEASE, 60, Minor(7)),
        Item(LineKind.DELIVERY, DEVICES[1], 0, LEASE, 120),
        Item(LineKind.ADJUSTMENT_DIFFERENCE, ZERO32, 0, LEASE, 60, Minor(-9)),
    )
    root, evidence, previous = (Bytes32(bytes([n]) * 32) for n in (1, 2, 3))

    statement = build_statement(
        TERMS,
        TERMS.period(Epoch(1)),
        stated=Stated(items, 500, -40, 7_500, 2_500),
        lines=numbered(items),
        usage_root=root,
        evidence_hash=evidence,
        previous_statement_hash=previous,
    )

    assert statement == Statement(
        facility_id=TERMS.facility_id,
        epoch=Epoch(1),
        epoch_start_s=START_S + DAY_S,
        epoch_end_s=START_S + 2 * DAY_S,
        available_gpu_seconds=500,
        available_adjustment=-40,
        billed_gpu_seconds=180,
        gross_revenue_micros=-2,
        line_count=3,
        usage_root=root,
        evidence_hash=evidence,
        previous_statement_hash=previous,
        top_renter_bps=7_500,
        committed_bps=2_500,
    )


def test_build__no_lines__has_no_totals() -> None:
    statement = build_statement(
        TERMS, TERMS.period(Epoch(0)), stated=Stated((), 0, 0, 0, 0), lines=(), usage_root=ZERO32,
        evidence_hash=ZERO32, previous_statement_hash=ZERO32,
    )  # fmt: skip

    assert (statement.gross_revenue_micros, statement.billed_gpu_seconds) == (0, 0)
    assert (statement.line_count, statement.available_gpu_seconds) == (0, 0)
