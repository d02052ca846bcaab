"""Tables of the service. docs/ARCHITECTURE.md §2 says what a row of each means.

Times are UTC seconds, money is minor units, hashes are 32 raw bytes. `*_pk` are ours alone and
never leave the service.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Named,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
)

from api.db.tables.columns import INT64, PRIMARY_KEY, RAW32, Columns
from api.domain.units import Bytes32, Epoch, FacilityId, Micros

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class OperatorColumns(Columns):
    """Columns of `operators`."""

    operator_id: Named[int] = Column(PRIMARY_KEY, primary_key=True)
    name: Named[str] = Column(String(80), unique=True)
    address: Named[str] = Column(String(42), unique=True)
    created_at_s: Named[int] = Column(BigInteger)


operators = Table("operators", metadata, OperatorColumns)


class ApiKeyColumns(Columns):
    """Columns of `api_keys`."""

    key_hash: Named[Bytes32] = Column(RAW32, primary_key=True)
    role: Named[str] = Column(String(16))  # operator, attester
    operator_id: Named[int | None] = Column(PRIMARY_KEY, ForeignKey("operators.operator_id"))
    label: Named[str] = Column(String(80))
    created_at_s: Named[int] = Column(BigInteger)
    revoked_at_s: Named[int | None] = Column(BigInteger)


api_keys = Table("api_keys", metadata, ApiKeyColumns)


class FacilitieColumns(Columns):
    """Columns of `facilities`."""

    facility_id: Named[FacilityId] = Column(INT64, primary_key=True, autoincrement=False)
    operator_id: Named[int] = Column(PRIMARY_KEY, ForeignKey("operators.operator_id"))
    name: Named[str] = Column(String(80))
    salt: Named[Bytes32] = Column(RAW32)
    gpu_class: Named[str] = Column(String(32))
    site: Named[str] = Column(String(32))
    settlement_token: Named[str] = Column(String(42))
    window_start_s: Named[int] = Column(BigInteger)
    window_end_s: Named[int] = Column(BigInteger)
    epoch_length_s: Named[int] = Column(BigInteger)
    device_count: Named[int] = Column(BigInteger)
    pledge_root: Named[Bytes32] = Column(RAW32)
    terms_json: Named[bytes] = Column(LargeBinary)  # the bytes of facility.json
    terms_hash: Named[Bytes32] = Column(RAW32)
    grace_s: Named[int] = Column(BigInteger)
    last_recorded_at_s: Named[int] = Column(BigInteger, default=0)
    epochs_closed: Named[int] = Column(BigInteger, default=0)
    created_at_s: Named[int] = Column(BigInteger)


facilities = Table("facilities", metadata, FacilitieColumns)


class DeviceColumns(Columns):
    """Columns of `devices`."""

    facility_id: Named[FacilityId] = Column(INT64, ForeignKey("facilities.facility_id"))
    device: Named[Bytes32] = Column(RAW32)
    uuid: Named[str] = Column(String(96))


devices = Table(
    "devices",
    metadata,
    DeviceColumns,
    PrimaryKeyConstraint("facility_id", "device"),
    Index(None, "uuid"),
)


class HardwareDisclosureColumns(Columns):
    """Columns of `hardware_disclosures`."""

    disclosure_pk: Named[int] = Column(PRIMARY_KEY, primary_key=True)
    facility_id: Named[FacilityId] = Column(INT64, ForeignKey("facilities.facility_id"))
    cost_micros_per_device: Named[Micros] = Column(INT64)
    in_service_s: Named[int] = Column(BigInteger)
    disclosed_at_s: Named[int] = Column(BigInteger)


hardware_disclosures = Table(
    "hardware_disclosures",
    metadata,
    HardwareDisclosureColumns,
    Index(None, "facility_id", "disclosed_at_s"),
)


class LeaseColumns(Columns):
    """Columns of `leases`."""

    facility_id: Named[FacilityId] = Column(INT64, ForeignKey("facilities.facility_id"))
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


class MeterEventColumns(Columns):
    """Columns of `meter_events`."""

    event_pk: Named[int] = Column(PRIMARY_KEY, primary_key=True)
    operator_id: Named[int] = Column(PRIMARY_KEY, ForeignKey("operators.operator_id"))
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


class EventConflictColumns(Columns):
    """Columns of `event_conflicts`."""

    conflict_pk: Named[int] = Column(PRIMARY_KEY, primary_key=True)
    event_pk: Named[int] = Column(PRIMARY_KEY, ForeignKey("meter_events.event_pk"))
    payload_hash: Named[Bytes32] = Column(RAW32)
    payload: Named[bytes] = Column(LargeBinary)
    received_at_s: Named[int] = Column(BigInteger)


event_conflicts = Table(
    "event_conflicts",
    metadata,
    EventConflictColumns,
    UniqueConstraint("event_pk", "payload_hash"),
)


class UsageRecordColumns(Columns):
    """Columns of `usage_records`."""

    record_pk: Named[int] = Column(PRIMARY_KEY, primary_key=True)
    event_pk: Named[int] = Column(PRIMARY_KEY, ForeignKey("meter_events.event_pk"), unique=True)
    facility_id: Named[FacilityId] = Column(INT64, ForeignKey("facilities.facility_id"))
    kind: Named[int] = Column(Integer)  # LineKind: 0 usage, 1 delivery, 4 late usage
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


class UsageVoidColumns(Columns):
    """Columns of `usage_voids`."""

    record_pk: Named[int] = Column(
        PRIMARY_KEY, ForeignKey("usage_records.record_pk"), primary_key=True
    )
    event_pk: Named[int] = Column(PRIMARY_KEY, ForeignKey("meter_events.event_pk"), unique=True)
    facility_id: Named[FacilityId] = Column(INT64)
    statement_epoch: Named[Epoch] = Column(INT64)
    recorded_at_s: Named[int] = Column(BigInteger)


usage_voids = Table(
    "usage_voids",
    metadata,
    UsageVoidColumns,
    Index(None, "facility_id", "statement_epoch"),
)


class OutageColumns(Columns):
    """Columns of `outages`."""

    outage_pk: Named[int] = Column(PRIMARY_KEY, primary_key=True)
    event_pk: Named[int] = Column(PRIMARY_KEY, ForeignKey("meter_events.event_pk"), unique=True)
    facility_id: Named[FacilityId] = Column(INT64, ForeignKey("facilities.facility_id"))
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


class StatementColumns(Columns):
    """Columns of `statements`."""

    facility_id: Named[FacilityId] = Column(INT64, ForeignKey("facilities.facility_id"))
    epoch: Named[Epoch] = Column(INT64)
    epoch_start_s: Named[int] = Column(BigInteger)
    epoch_end_s: Named[int] = Column(BigInteger)
    available_gpu_seconds: Named[int] = Column(BigInteger)
    billed_gpu_seconds: Named[int] = Column(BigInteger)
    gross_revenue_micros: Named[Micros] = Column(INT64)
    line_count: Named[int] = Column(BigInteger)
    usage_root: Named[Bytes32] = Column(RAW32)
    evidence_hash: Named[Bytes32] = Column(RAW32)
    previous_statement_hash: Named[Bytes32] = Column(RAW32)
    top_renter_bps: Named[int] = Column(Integer)
    committed_bps: Named[int] = Column(Integer)
    statement_hash: Named[Bytes32] = Column(RAW32)
    carry_json: Named[bytes] = Column(LargeBinary)  # the bytes of carry.json
    closed_at_s: Named[int] = Column(BigInteger)


statements = Table(
    "statements",
    metadata,
    StatementColumns,
    PrimaryKeyConstraint("facility_id", "epoch"),
)


class StatementLineColumns(Columns):
    """Columns of `statement_lines`."""

    facility_id: Named[FacilityId] = Column(INT64)
    epoch: Named[Epoch] = Column(INT64)
    line_index: Named[int] = Column(BigInteger)
    kind: Named[int] = Column(Integer)
    device: Named[Bytes32] = Column(RAW32)
    lease: Named[Bytes32] = Column(RAW32)
    start_s: Named[int] = Column(BigInteger)
    end_s: Named[int] = Column(BigInteger)
    gpu_seconds: Named[int] = Column(BigInteger)
    charge_micros: Named[Micros] = Column(INT64)
    cumulative_gpu_seconds: Named[int] = Column(BigInteger)
    cumulative_charge_micros: Named[Micros] = Column(INT64)


statement_lines = Table(
    "statement_lines",
    metadata,
    StatementLineColumns,
    PrimaryKeyConstraint("facility_id", "epoch", "line_index"),
    ForeignKeyConstraint(["facility_id", "epoch"], ["statements.facility_id", "statements.epoch"]),
)


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
