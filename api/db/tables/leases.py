"""Tables of leases and their prices."""

from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
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
from api.domain.units import Bytes32, FacilityId, Micros


class LeaseColumns(Columns):
    """Columns of `leases`."""

    facility_id: Named[FacilityId] = Column(INT64, ForeignKey(facilities.c.facility_id))
    lease: Named[Bytes32] = Column(RAW32)
    lease_id: Named[str] = Column(String(120))
    renter_ref: Named[str] = Column(String(120))
    renter: Named[Bytes32] = Column(RAW32)
    plan: Named[str] = Column(String(16))
    committed_gpus: Named[int] = Column(BigInteger)
    max_gpus: Named[int] = Column(BigInteger)  # most devices at once; 0 = no limit
    opened_at_s: Named[int] = Column(BigInteger)
    closed_at_s: Named[int | None] = Column(BigInteger)


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
    """A lease: the operator's own names, and the hashes that evidence shows instead."""

    facility_id: FacilityId
    lease: Bytes32
    lease_id: str
    renter_ref: str
    renter: Bytes32
    plan: str
    committed_gpus: int
    max_gpus: int
    opened_at_s: int
    closed_at_s: int | None


class PriceVersionColumns(Columns):
    """Columns of `price_versions`."""

    facility_id: Named[FacilityId] = Column(INT64)
    lease: Named[Bytes32] = Column(RAW32)
    version: Named[int] = Column(BigInteger)
    effective_from_s: Named[int] = Column(BigInteger)
    price_micros_per_gpu_hour: Named[Micros] = Column(INT64)
    sla_credit_bps: Named[int] = Column(BigInteger)


price_versions = Table(
    "price_versions",
    metadata,
    PriceVersionColumns,
    PrimaryKeyConstraint("facility_id", "lease", "version"),
    ForeignKeyConstraint(["facility_id", "lease"], ["leases.facility_id", "leases.lease"]),
)


@record_of(price_versions)
@dataclass(frozen=True, slots=True)
class PriceRow:
    """One price of a lease, from an instant on."""

    facility_id: FacilityId
    lease: Bytes32
    version: int
    effective_from_s: int
    price_micros_per_gpu_hour: Micros
    sla_credit_bps: int
