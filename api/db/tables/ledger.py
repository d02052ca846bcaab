"""Tables of the usage ledger: events, and the records, voids and outages that they made."""

from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
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
from api.domain.units import Bytes32, Epoch, FacilityId, OperatorId


class MeterEventColumns(Columns):
    """Columns of `meter_events`."""

    event_pk: Named[int] = Column(PRIMARY_KEY, primary_key=True)
    operator_id: Named[OperatorId] = Column(PRIMARY_KEY, ForeignKey(operators.c.operator_id))
    source: Named[str] = Column(String(200))
    event_id: Named[str] = Column(String(200))
    type: Named[str] = Column(String(64))
    payload_hash: Named[Bytes32] = Column(RAW32)
    payload: Named[bytes] = Column(LargeBinary)
    facility_id: Named[FacilityId | None] = Column(INT64)
    recorded_at_s: Named[int] = Column(BigInteger)


meter_events = Table(
    "meter_events",
    metadata,
    MeterEventColumns,
    UniqueConstraint("operator_id", "source", "event_id"),
)


@record_of(meter_events)
@dataclass(slots=True)  # one an event: a frozen one takes thrice as long to make
class MeterEventRow:
    """An accepted event, as it was sent."""

    event_pk: int
    operator_id: OperatorId
    source: str
    event_id: str
    type: str
    payload_hash: Bytes32
    payload: bytes
    facility_id: FacilityId | None
    recorded_at_s: int


@part_of(meter_events)
@dataclass(frozen=True, slots=True)
class RawEvent:
    """What an attester is given of an event."""

    event_pk: int
    recorded_at_s: int
    payload: bytes


class EventConflictColumns(Columns):
    """Columns of `event_conflicts`."""

    conflict_pk: Named[int] = Column(PRIMARY_KEY, primary_key=True)
    event_pk: Named[int] = Column(PRIMARY_KEY, ForeignKey(meter_events.c.event_pk))
    payload_hash: Named[Bytes32] = Column(RAW32)
    payload: Named[bytes] = Column(LargeBinary)
    received_at_s: Named[int] = Column(BigInteger)


event_conflicts = Table(
    "event_conflicts",
    metadata,
    EventConflictColumns,
    UniqueConstraint("event_pk", "payload_hash"),
)


@part_of(event_conflicts)
@dataclass(frozen=True, slots=True)
class EventConflict:
    """Another payload that came under the identity of a known event."""

    event_pk: int
    payload_hash: Bytes32
    payload: bytes
    received_at_s: int


class UsageRecordColumns(Columns):
    """Columns of `usage_records`."""

    record_pk: Named[int] = Column(PRIMARY_KEY, primary_key=True)
    event_pk: Named[int] = Column(PRIMARY_KEY, ForeignKey(meter_events.c.event_pk), unique=True)
    facility_id: Named[FacilityId] = Column(INT64, ForeignKey(facilities.c.facility_id))
    kind: Named[int] = Column(Integer)  # LineKind: usage and delivery, in time or late
    device: Named[Bytes32] = Column(RAW32)
    lease: Named[Bytes32] = Column(RAW32)
    start_s: Named[int] = Column(BigInteger)
    end_s: Named[int] = Column(BigInteger)
    statement_epoch: Named[Epoch] = Column(INT64)
    recorded_at_s: Named[int] = Column(BigInteger)


usage_records = Table(
    "usage_records",
    metadata,
    UsageRecordColumns,
    Index(None, "facility_id", "device", "start_s"),
    Index(None, "facility_id", "lease", "end_s"),
    Index(None, "facility_id", "statement_epoch"),
)


@part_of(usage_records)
@dataclass(slots=True)  # one an event: a frozen one takes thrice as long to make
class NewUsageRecord:
    """A usage record to be written: the database gives the key."""

    event_pk: int
    facility_id: FacilityId
    kind: int
    device: Bytes32
    lease: Bytes32
    start_s: int
    end_s: int
    statement_epoch: Epoch
    recorded_at_s: int


@part_of(usage_records)
@dataclass(frozen=True, slots=True)
class TakenTime:
    """When a device was in use or out of service."""

    device: Bytes32
    start_s: int
    end_s: int


@part_of(usage_records)
@dataclass(frozen=True, slots=True)
class LeaseTime:
    """When a lease held some device."""

    lease: Bytes32
    start_s: int
    end_s: int


@part_of(usage_records)
@dataclass(frozen=True, slots=True)
class UsageInterval:
    """What a line needs of a usage record."""

    kind: int
    device: Bytes32
    lease: Bytes32
    start_s: int
    end_s: int


class UsageVoidColumns(Columns):
    """Columns of `usage_voids`."""

    record_pk: Named[int] = Column(
        PRIMARY_KEY, ForeignKey(usage_records.c.record_pk), primary_key=True
    )
    event_pk: Named[int] = Column(PRIMARY_KEY, ForeignKey(meter_events.c.event_pk), unique=True)
    facility_id: Named[FacilityId] = Column(INT64)
    statement_epoch: Named[Epoch] = Column(INT64)
    recorded_at_s: Named[int] = Column(BigInteger)


usage_voids = Table(
    "usage_voids",
    metadata,
    UsageVoidColumns,
    Index(None, "facility_id", "statement_epoch"),
)


@record_of(usage_voids)
@dataclass(frozen=True, slots=True)
class UsageVoidRow:
    """A correction that voided a usage record, and the epoch whose statement says so."""

    record_pk: int
    event_pk: int
    facility_id: FacilityId
    statement_epoch: Epoch
    recorded_at_s: int


class OutageColumns(Columns):
    """Columns of `outages`."""

    outage_pk: Named[int] = Column(PRIMARY_KEY, primary_key=True)
    event_pk: Named[int] = Column(PRIMARY_KEY, ForeignKey(meter_events.c.event_pk), unique=True)
    facility_id: Named[FacilityId] = Column(INT64, ForeignKey(facilities.c.facility_id))
    device: Named[Bytes32] = Column(RAW32)
    lease: Named[Bytes32] = Column(RAW32)  # 32 zero bytes: withheld from no lease
    start_s: Named[int] = Column(BigInteger)
    end_s: Named[int] = Column(BigInteger)
    statement_epoch: Named[Epoch] = Column(INT64)
    recorded_at_s: Named[int] = Column(BigInteger)


outages = Table(
    "outages",
    metadata,
    OutageColumns,
    Index(None, "facility_id", "device", "start_s"),
    Index(None, "facility_id", "statement_epoch"),
)


@part_of(outages)
@dataclass(slots=True)  # one an event: a frozen one takes thrice as long to make
class NewOutage:
    """An outage to be written: the database gives the key."""

    event_pk: int
    facility_id: FacilityId
    device: Bytes32
    lease: Bytes32
    start_s: int
    end_s: int
    statement_epoch: Epoch
    recorded_at_s: int


@part_of(outages)
@dataclass(frozen=True, slots=True)
class OutageInterval:
    """What a statement needs of an outage."""

    device: Bytes32
    lease: Bytes32
    start_s: int
    end_s: int
