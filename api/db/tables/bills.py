"""Table of bills: documents that were issued, as they are for ever."""

from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    Named,
    String,
    Table,
    UniqueConstraint,
)

from api.db.rows import part_of, record_of
from api.db.tables.base import metadata
from api.db.tables.columns import INT64, PRIMARY_KEY, RAW32, Columns
from api.db.tables.facilities import facilities, operators
from api.domain.units import Bytes32, Epoch, FacilityId, Minor, OperatorId


class BillColumns(Columns):
    """Columns of `bills`."""

    bill_pk: Named[int] = Column(PRIMARY_KEY, primary_key=True)
    operator_id: Named[OperatorId] = Column(PRIMARY_KEY, ForeignKey(operators.c.operator_id))
    number: Named[int] = Column(INT64)  # of the operator, from 1 without a gap
    facility_id: Named[FacilityId] = Column(INT64, ForeignKey(facilities.c.facility_id))
    lease: Named[Bytes32] = Column(RAW32)
    month: Named[int] = Column(Integer)  # year x 12 + month, January being 0
    sequence: Named[int] = Column(Integer)  # of the lease and month: 0 the first, then notes
    kind: Named[str] = Column(String(12))
    amount: Named[Minor] = Column(INT64)
    through: Named[Epoch] = Column(INT64)  # the last statement that it and those before it take
    corrects: Named[int | None] = Column(INT64)  # number of the document that a note corrects
    issued_at_s: Named[int] = Column(BigInteger)
    due_at_s: Named[int | None] = Column(BigInteger)
    document_hash: Named[Bytes32] = Column(RAW32)
    document: Named[bytes] = Column(LargeBinary)


bills = Table(
    "bills",
    metadata,
    BillColumns,
    UniqueConstraint("operator_id", "number"),
    UniqueConstraint("facility_id", "lease", "month", "sequence"),
)


@part_of(bills)
@dataclass(frozen=True, slots=True)
class BillRow:
    """What lists say of a document."""

    operator_id: OperatorId
    number: int
    facility_id: FacilityId
    lease: Bytes32
    month: int
    sequence: int
    kind: str
    amount: Minor
    through: Epoch
    corrects: int | None
    issued_at_s: int
    due_at_s: int | None
    document_hash: Bytes32


@part_of(bills)
@dataclass(frozen=True, slots=True)
class NewBill(BillRow):
    """A document to be written: the database gives the key."""

    document: bytes


@record_of(bills)
@dataclass(frozen=True, slots=True)
class StoredBill(NewBill):
    """A document."""

    bill_pk: int
