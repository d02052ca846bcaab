"""Tables of reopenings after a proven fault, and of the statements that they replaced."""

from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    LargeBinary,
    Named,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from api.db.rows import part_of
from api.db.tables.base import metadata
from api.db.tables.columns import INT64, PRIMARY_KEY, RAW32, Columns
from api.db.tables.facilities import facilities
from api.domain.units import Bytes32, Epoch, FacilityId


class EpochReopeningColumns(Columns):
    """Columns of `epoch_reopenings`."""

    reopening_pk: Named[int] = Column(PRIMARY_KEY, primary_key=True)
    facility_id: Named[FacilityId] = Column(INT64, ForeignKey(facilities.c.facility_id))
    first_epoch: Named[Epoch] = Column(INT64)
    reopened_at_s: Named[int] = Column(BigInteger)  # no record has this or a later time yet
    epochs_closed: Named[int] = Column(BigInteger)  # before


epoch_reopenings = Table(
    "epoch_reopenings",
    metadata,
    EpochReopeningColumns,
    UniqueConstraint("facility_id", "reopened_at_s"),
)


@part_of(epoch_reopenings)
@dataclass(frozen=True, slots=True)
class NewReopening:
    """A reopening to be written: the database gives the key."""

    facility_id: FacilityId
    first_epoch: Epoch
    reopened_at_s: int
    epochs_closed: int


class SupersededStatementColumns(Columns):
    """Columns of `superseded_statements`."""

    superseded_pk: Named[int] = Column(PRIMARY_KEY, primary_key=True)
    reopening_pk: Named[int] = Column(PRIMARY_KEY, ForeignKey(epoch_reopenings.c.reopening_pk))
    facility_id: Named[FacilityId] = Column(INT64)
    epoch: Named[Epoch] = Column(INT64)
    statement_hash: Named[Bytes32] = Column(RAW32)
    evidence_hash: Named[Bytes32] = Column(RAW32)
    statement_json: Named[bytes] = Column(LargeBinary)
    attestations_json: Named[bytes] = Column(LargeBinary)
    evidence: Named[str] = Column(String(120))  # folder below the evidence root
    reason: Named[str] = Column(Text)
    closed_at_s: Named[int] = Column(BigInteger)


superseded_statements = Table(
    "superseded_statements",
    metadata,
    SupersededStatementColumns,
    UniqueConstraint("reopening_pk", "epoch"),
)


@part_of(superseded_statements)
@dataclass(frozen=True, slots=True)
class NewSuperseded:
    """A replaced statement, to be written: the database gives the key."""

    reopening_pk: int
    facility_id: FacilityId
    epoch: Epoch
    statement_hash: Bytes32
    evidence_hash: Bytes32
    statement_json: bytes
    attestations_json: bytes
    evidence: str
    reason: str
    closed_at_s: int
