"""Table of what attesters refuse."""

from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Named, String, Table, Text
from sqlalchemy import PrimaryKeyConstraint as PrimaryKey

from api.db.rows import record_of
from api.db.tables.base import metadata
from api.db.tables.columns import INT64, RAW32, Columns
from api.db.tables.facilities import facilities
from api.domain.units import Bytes32, Epoch, FacilityId


class RefusalColumns(Columns):
    """Columns of `refusals`."""

    facility_id: Named[FacilityId] = Column(INT64, ForeignKey(facilities.c.facility_id))
    epoch: Named[Epoch] = Column(INT64)
    attester: Named[str] = Column(String(42))
    about: Named[Bytes32] = Column(RAW32)  # the statement, or the evidence where none is refused
    until_s: Named[int] = Column(BigInteger)
    document: Named[str] = Column(Text)  # JSON as its attester serves it
    received_at_s: Named[int] = Column(BigInteger)


refusals = Table(
    "refusals",
    metadata,
    RefusalColumns,
    PrimaryKey("facility_id", "epoch", "attester", "about"),
    Index(None, "attester", "about"),
)


@record_of(refusals)
@dataclass(frozen=True, slots=True)
class RefusalRow:
    """The newest refusal of one statement, or one evidence, by one attester."""

    facility_id: FacilityId
    epoch: Epoch
    attester: str
    about: Bytes32
    until_s: int
    document: str
    received_at_s: int
