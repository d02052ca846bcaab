"""Statements: the frozen totals of one facility and epoch, and what attesters sign."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.domain.eip712 import domain_separator, typed_digest, typed_preimage
from api.domain.facility import FacilityTerms, Period
from api.domain.hashing import keccak, word
from api.domain.merkle import leaf_hash
from api.domain.statements.books import Stated
from api.domain.statements.lines import Line
from api.domain.units import Bytes32, Epoch, FacilityId, GpuSeconds, Micros
from api.errors import InvalidInput

DOMAIN_NAME = "Rentroll Statements"
DOMAIN_VERSION = "1"
# Same order and types as `IStatementRegistry.Statement`.
STATEMENT_TYPE = (
    "Statement(uint64 facilityId,uint32 epoch,uint64 epochStart,uint64 epochEnd,"
    "uint64 availableGpuSeconds,int64 availableAdjustment,uint64 billedGpuSeconds,"
    "int128 grossRevenue,uint32 lineCount,"
    "bytes32 usageRoot,bytes32 evidenceHash,bytes32 previousStatementHash,"
    "uint16 topRenterBps,uint16 committedBps)"
)
_STATEMENT_TYPEHASH = keccak(STATEMENT_TYPE.encode())
_BATCH_TYPEHASH = keccak(b"StatementBatch(bytes32 root)")


@dataclass(frozen=True, slots=True)
class Statement:
    """Frozen totals of one facility and epoch; fields as in `IStatementRegistry.Statement`.

    available_adjustment: what of earlier epochs turned out to have been available, less
    what turned out not to.  gross_revenue_micros: sum of the lines' charges; below zero only in the
    closing statement.  Hashes are 32 bytes.
    """

    facility_id: FacilityId
    epoch: Epoch
    epoch_start_s: int
    epoch_end_s: int
    available_gpu_seconds: GpuSeconds
    available_adjustment: GpuSeconds
    billed_gpu_seconds: GpuSeconds
    gross_revenue_micros: Micros
    line_count: int
    usage_root: Bytes32
    evidence_hash: Bytes32
    previous_statement_hash: Bytes32
    top_renter_bps: int
    committed_bps: int

    def as_abi_tuple(self) -> tuple[int | bytes, ...]:
        """Fields in the contract's order, for calls."""
        return (
            self.facility_id,
            self.epoch,
            self.epoch_start_s,
            self.epoch_end_s,
            self.available_gpu_seconds,
            self.available_adjustment,
            self.billed_gpu_seconds,
            self.gross_revenue_micros,
            self.line_count,
            self.usage_root,
            self.evidence_hash,
            self.previous_statement_hash,
            self.top_renter_bps,
            self.committed_bps,
        )


def statement_hash(statement: Statement) -> Bytes32:
    """EIP-712 struct hash; `StatementRegistry.hashStatement` gives the same."""
    fields = statement.as_abi_tuple()
    words = [f if isinstance(f, bytes) else word(f) for f in fields]
    return keccak(_STATEMENT_TYPEHASH + b"".join(words))


def statement_preimage(statement: Statement, *, chain_id: int, registry: str) -> bytes:
    """66 bytes whose keccak-256 is `statement_digest`."""
    return typed_preimage(
        statement_hash(statement), separator=_separator(chain_id=chain_id, registry=registry)
    )


def statement_digest(statement: Statement, *, chain_id: int, registry: str) -> Bytes32:
    """Digest that attesters sign."""
    return keccak(statement_preimage(statement, chain_id=chain_id, registry=registry))


def batch_leaf(hashed: bytes) -> Bytes32:
    """Leaf of a statement, by its struct hash, under a batch's root: one `bytes32` a leaf."""
    return leaf_hash(hashed)


def batch_root(hashes: Sequence[bytes]) -> Bytes32:
    """Root over struct hashes of statements in the given order; `StatementRegistry.batchRoot`.

    In ascending order of their leaves it is the root that StandardMerkleTree makes: only so can
    anybody's tools prove that a statement was in a batch. Raises InvalidInput without any.
    """
    if not hashes:
        raise InvalidInput("a batch has at least one statement", field="statements")
    # The array of a complete binary tree, read backwards: leaves come first, the root last.
    nodes = [batch_leaf(hashed) for hashed in hashes]
    last = 2 * len(nodes) - 2
    for place in range(len(nodes), last + 1):
        from_end = last - place
        left, right = nodes[last - 2 * from_end - 1], nodes[last - 2 * from_end - 2]
        nodes.append(keccak(left + right if left < right else right + left))
    return nodes[-1]


def batch_digest(root: bytes, *, chain_id: int, registry: str) -> Bytes32:
    """Digest that attesters sign for a batch; `StatementRegistry.batchDigest` gives the same."""
    return typed_digest(
        keccak(_BATCH_TYPEHASH + root), separator=_separator(chain_id=chain_id, registry=registry)
    )


def _separator(*, chain_id: int, registry: str) -> Bytes32:
    return domain_separator(
        name=DOMAIN_NAME, version=DOMAIN_VERSION, chain_id=chain_id, contract=registry
    )


def build_statement(
    terms: FacilityTerms,
    period: Period,
    *,
    stated: Stated,
    lines: Sequence[Line],
    usage_root: Bytes32,
    evidence_hash: Bytes32,
    previous_statement_hash: Bytes32,
) -> Statement:
    """Totals of the lines of a period. `usage_root` is the root of `usage_tree(lines)`."""
    return Statement(
        facility_id=terms.facility_id,
        epoch=period.epoch,
        epoch_start_s=period.start_s,
        epoch_end_s=period.end_s,
        available_gpu_seconds=GpuSeconds(stated.available_s),
        available_adjustment=GpuSeconds(stated.available_adjustment_s),
        billed_gpu_seconds=lines[-1].cumulative_gpu_seconds if lines else GpuSeconds(0),
        gross_revenue_micros=lines[-1].cumulative_charge_micros if lines else Micros(0),
        line_count=len(lines),
        usage_root=usage_root,
        evidence_hash=evidence_hash,
        previous_statement_hash=previous_statement_hash,
        top_renter_bps=stated.top_renter_bps,
        committed_bps=stated.committed_bps,
    )
