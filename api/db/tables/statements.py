"""Tables of closed epochs: statements, their lines and trees, and signatures."""

from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Named,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
)

from api.db.rows import part_of, record_of
from api.db.tables.base import metadata
from api.db.tables.columns import INT64, RAW32, Columns
from api.db.tables.facilities import facilities
from api.db.tables.monthly import by_month
from api.domain.metering.usage import DELIVERY_KINDS, EARLIER_KINDS
from api.domain.units import Bytes32, Epoch, FacilityId, GpuSeconds, Micros, Minor


class StatementColumns(Columns):
    """Columns of `statements`."""

    facility_id: Named[FacilityId] = Column(INT64, ForeignKey(facilities.c.facility_id))
    epoch: Named[Epoch] = Column(INT64)  # of a closing statement: the number of epochs before it
    closing: Named[bool] = Column(Boolean)
    epoch_start_s: Named[int] = Column(BigInteger)
    epoch_end_s: Named[int] = Column(BigInteger)
    available_gpu_seconds: Named[GpuSeconds] = Column(INT64)
    available_adjustment: Named[GpuSeconds] = Column(INT64)
    billed_gpu_seconds: Named[GpuSeconds] = Column(INT64)
    gross_revenue_micros: Named[Micros] = Column(INT64)
    line_count: Named[int] = Column(BigInteger)
    usage_root: Named[Bytes32] = Column(RAW32)
    evidence_hash: Named[Bytes32] = Column(RAW32)
    previous_statement_hash: Named[Bytes32] = Column(RAW32)
    top_renter_bps: Named[int] = Column(Integer)
    committed_bps: Named[int] = Column(Integer)
    statement_hash: Named[Bytes32] = Column(RAW32)
    log_size: Named[int] = Column(INT64)  # entries of the log that it and those before it take
    log_head: Named[Bytes32] = Column(RAW32)  # hash of the last of them
    # Of its lines, what rests on signed entries alone; and charges without their signs in all.
    signed_gpu_seconds: Named[GpuSeconds] = Column(INT64)
    signed_charge: Named[Minor] = Column(INT64)
    absolute_charge: Named[Minor] = Column(INT64)
    closed_at_s: Named[int] = Column(BigInteger)


statements = Table(
    "statements",
    metadata,
    StatementColumns,
    PrimaryKeyConstraint("facility_id", "epoch"),
    UniqueConstraint("facility_id", "epoch", "epoch_start_s"),  # for the lines' foreign key
)


@record_of(statements)
@dataclass(frozen=True, slots=True)
class StatementRow:
    """A closed epoch, or what closes the books behind the last one.

    Its statement, its hash, and how far in the log it came.
    """

    facility_id: FacilityId
    epoch: Epoch
    closing: bool
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
    statement_hash: Bytes32
    log_size: int
    log_head: Bytes32
    signed_gpu_seconds: GpuSeconds
    signed_charge: Minor
    absolute_charge: Minor
    closed_at_s: int


@part_of(statements)
@dataclass(frozen=True, slots=True)
class StatementKey:
    """Which statement: facility, epoch and hash."""

    facility_id: FacilityId
    epoch: Epoch
    statement_hash: Bytes32


class StatementLineColumns(Columns):
    """Columns of `statement_lines`."""

    facility_id: Named[FacilityId] = Column(INT64)
    epoch: Named[Epoch] = Column(INT64)
    epoch_start_s: Named[int] = Column(BigInteger)  # the statement's
    line_index: Named[int] = Column(BigInteger)
    kind: Named[int] = Column(Integer)
    subject: Named[Bytes32] = Column(RAW32)
    lease: Named[Bytes32] = Column(RAW32)
    start_s: Named[int] = Column(BigInteger)
    end_s: Named[int] = Column(BigInteger)
    gpu_seconds: Named[GpuSeconds] = Column(INT64)
    charge_micros: Named[Micros] = Column(INT64)
    cumulative_gpu_seconds: Named[GpuSeconds] = Column(INT64)
    cumulative_charge_micros: Named[Micros] = Column(INT64)


statement_lines = Table(
    "statement_lines",
    metadata,
    StatementLineColumns,
    PrimaryKeyConstraint("facility_id", "epoch", "line_index"),
    ForeignKeyConstraint(
        ["facility_id", "epoch", "epoch_start_s"],
        ["statements.facility_id", "statements.epoch", "statements.epoch_start_s"],
    ),
)
# By the begin of the epoch, not by that of the line: a statement's lines, also of late time, are
# together, and who knows the statement knows the month. A day's epoch is in the month of its day.
MONTHLY_LINES = by_month(
    statement_lines,
    statement_lines.c.epoch_start_s,
    key=("facility_id", "epoch", "line_index"),
)
# Few lines are deliveries, and vouchers ask for those of a lease among millions of others.
_IS_DELIVERY = statement_lines.c.kind.in_(sorted(DELIVERY_KINDS))
Index(
    "ix_statement_lines_deliveries",
    statement_lines.c.facility_id,
    statement_lines.c.lease,
    sqlite_where=_IS_DELIVERY,
    postgresql_where=_IS_DELIVERY,
)
# Nor do many put something right of earlier time, and whoever looks at that time asks for them.
_OF_EARLIER_TIME = statement_lines.c.kind.in_(sorted(EARLIER_KINDS))
Index(
    "ix_statement_lines_earlier",
    statement_lines.c.facility_id,
    statement_lines.c.start_s,
    sqlite_where=_OF_EARLIER_TIME,
    postgresql_where=_OF_EARLIER_TIME,
)


@record_of(statement_lines)
@dataclass(frozen=True, slots=True)
class LineRow:
    """A line of a statement."""

    facility_id: FacilityId
    epoch: Epoch
    epoch_start_s: int
    line_index: int
    kind: int
    subject: Bytes32
    lease: Bytes32
    start_s: int
    end_s: int
    gpu_seconds: GpuSeconds
    charge_micros: Micros
    cumulative_gpu_seconds: GpuSeconds
    cumulative_charge_micros: Micros


# The Merkle tree over a statement's lines in parts, so that a proof reads one path, builds nothing.
class StatementTreeColumns(Columns):
    """Columns of `statement_trees`."""

    facility_id: Named[FacilityId] = Column(INT64)
    epoch: Named[Epoch] = Column(INT64)
    part: Named[int] = Column(BigInteger)
    leaf_places: Named[bytes] = Column(LargeBinary)  # 4 bytes a line: its leaf among the nodes
    nodes: Named[bytes] = Column(LargeBinary)  # 32 bytes each, root first


statement_trees = Table(
    "statement_trees",
    metadata,
    StatementTreeColumns,
    PrimaryKeyConstraint("facility_id", "epoch", "part"),
    ForeignKeyConstraint(["facility_id", "epoch"], ["statements.facility_id", "statements.epoch"]),
)


@record_of(statement_trees)
@dataclass(frozen=True, slots=True)
class TreePart:
    """A part of the tree over a statement's lines."""

    facility_id: FacilityId
    epoch: Epoch
    part: int
    leaf_places: bytes
    nodes: bytes


class AttestationColumns(Columns):
    """Columns of `attestations`."""

    facility_id: Named[FacilityId] = Column(INT64)
    epoch: Named[Epoch] = Column(INT64)
    attester: Named[str] = Column(String(42))
    signature: Named[bytes] = Column(LargeBinary)
    received_at_s: Named[int] = Column(BigInteger)


attestations = Table(
    "attestations",
    metadata,
    AttestationColumns,
    PrimaryKeyConstraint("facility_id", "epoch", "attester"),
    ForeignKeyConstraint(["facility_id", "epoch"], ["statements.facility_id", "statements.epoch"]),
)
