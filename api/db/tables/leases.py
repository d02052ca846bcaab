"""Table of leases: the operator's own names of what evidence shows by hashes."""

from dataclasses import dataclass

from sqlalchemy import (
    Column,
    ForeignKey,
    Named,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
)

from api.db.rows import record_of
from api.db.tables.base import metadata
from api.db.tables.columns import INT64, RAW32, Columns
from api.db.tables.facilities import facilities
from api.domain.units import Bytes32, FacilityId


class LeaseColumns(Columns):
    """Columns of `leases`."""

    facility_id: Named[FacilityId] = Column(INT64, ForeignKey(facilities.c.facility_id))
    lease: Named[Bytes32] = Column(RAW32)
    lease_id: Named[str] = Column(String(120))
    renter_ref: Named[str] = Column(String(120))


leases = Table(
    "leases",
    metadata,
    LeaseColumns,
    PrimaryKeyConstraint("facility_id", "lease"),
    UniqueConstraint("facility_id", "lease_id"),
)


@record_of(leases)
@dataclass(frozen=True, slots=True)
class LeaseRow:
    """A lease: the operator's own names of it and of its renter. Its terms are facts."""

    facility_id: FacilityId
    lease: Bytes32
    lease_id: str
    renter_ref: str
