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
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite gives rowids only to columns declared INTEGER; PostgreSQL needs 64 bits.
PrimaryKey = BigInteger().with_variant(Integer(), "sqlite")

operators = Table(
    "operators",
    metadata,
    Column("operator_id", PrimaryKey, primary_key=True),
    Column("name", String(80), nullable=False, unique=True),
    Column("address", String(42), nullable=False, unique=True),
    Column("created_at_s", BigInteger, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_hash", LargeBinary(32), primary_key=True),
    Column("role", String(16), nullable=False),  # operator, attester
    Column("operator_id", ForeignKey("operators.operator_id")),
    Column("label", String(80), nullable=False),
    Column("created_at_s", BigInteger, nullable=False),
    Column("revoked_at_s", BigInteger),
)

facilities = Table(
    "facilities",
    metadata,
    Column("facility_id", BigInteger, primary_key=True, autoincrement=False),
    Column("operator_id", ForeignKey("operators.operator_id"), nullable=False),
    Column("name", String(80), nullable=False),
    Column("salt", LargeBinary(32), nullable=False),
    Column("gpu_class", String(32), nullable=False),
    Column("site", String(32), nullable=False),
    Column("settlement_token", String(42), nullable=False),
    Column("window_start_s", BigInteger, nullable=False),
    Column("window_end_s", BigInteger, nullable=False),
    Column("epoch_length_s", BigInteger, nullable=False),
    Column("device_count", BigInteger, nullable=False),
    Column("pledge_root", LargeBinary(32), nullable=False),
    Column("terms_json", LargeBinary, nullable=False),  # the bytes of facility.json
    Column("terms_hash", LargeBinary(32), nullable=False),
    Column("grace_s", BigInteger, nullable=False),
    Column("last_recorded_at_s", BigInteger, nullable=False, default=0),
    Column("epochs_closed", BigInteger, nullable=False, default=0),
    Column("created_at_s", BigInteger, nullable=False),
)

devices = Table(
    "devices",
    metadata,
    Column("facility_id", ForeignKey("facilities.facility_id"), nullable=False),
    Column("device", LargeBinary(32), nullable=False),
    Column("uuid", String(96), nullable=False),
    PrimaryKeyConstraint("facility_id", "device"),
    Index(None, "uuid"),
)

hardware_disclosures = Table(
    "hardware_disclosures",
    metadata,
    Column("disclosure_pk", PrimaryKey, primary_key=True),
    Column("facility_id", ForeignKey("facilities.facility_id"), nullable=False),
    Column("cost_micros_per_device", BigInteger, nullable=False),
    Column("in_service_s", BigInteger, nullable=False),
    Column("disclosed_at_s", BigInteger, nullable=False),
    Index(None, "facility_id", "disclosed_at_s"),
)

leases = Table(
    "leases",
    metadata,
    Column("facility_id", ForeignKey("facilities.facility_id"), nullable=False),
    Column("lease", LargeBinary(32), nullable=False),
    Column("lease_id", String(120), nullable=False),
    Column("renter_ref", String(120), nullable=False),
    Column("renter", LargeBinary(32), nullable=False),
    Column("plan", String(16), nullable=False),
    Column("committed_gpus", BigInteger, nullable=False),
    Column("max_gpus", BigInteger, nullable=False),  # most devices at once; 0 = no limit
    Column("opened_at_s", BigInteger, nullable=False),
    Column("closed_at_s", BigInteger),
    PrimaryKeyConstraint("facility_id", "lease"),
    UniqueConstraint("facility_id", "lease_id"),
)

price_versions = Table(
    "price_versions",
    metadata,
    Column("facility_id", BigInteger, nullable=False),
    Column("lease", LargeBinary(32), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("effective_from_s", BigInteger, nullable=False),
    Column("price_micros_per_gpu_hour", BigInteger, nullable=False),
    Column("sla_credit_bps", BigInteger, nullable=False),
    PrimaryKeyConstraint("facility_id", "lease", "version"),
    ForeignKeyConstraint(["facility_id", "lease"], ["leases.facility_id", "leases.lease"]),
)

meter_events = Table(
    "meter_events",
    metadata,
    Column("event_pk", PrimaryKey, primary_key=True),
    Column("operator_id", ForeignKey("operators.operator_id"), nullable=False),
    Column("source", String(200), nullable=False),
    Column("event_id", String(200), nullable=False),
    Column("type", String(64), nullable=False),
    Column("payload_hash", LargeBinary(32), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("facility_id", BigInteger),
    Column("recorded_at_s", BigInteger, nullable=False),
    UniqueConstraint("operator_id", "source", "event_id"),
)

event_conflicts = Table(
    "event_conflicts",
    metadata,
    Column("conflict_pk", PrimaryKey, primary_key=True),
    Column("event_pk", ForeignKey("meter_events.event_pk"), nullable=False),
    Column("payload_hash", LargeBinary(32), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("received_at_s", BigInteger, nullable=False),
    UniqueConstraint("event_pk", "payload_hash"),
)

usage_records = Table(
    "usage_records",
    metadata,
    Column("record_pk", PrimaryKey, primary_key=True),
    Column("event_pk", ForeignKey("meter_events.event_pk"), nullable=False, unique=True),
    Column("facility_id", ForeignKey("facilities.facility_id"), nullable=False),
    Column("kind", Integer, nullable=False),  # LineKind: 0 usage, 1 delivery, 4 late usage
    Column("device", LargeBinary(32), nullable=False),
    Column("lease", LargeBinary(32), nullable=False),
    Column("start_s", BigInteger, nullable=False),
    Column("end_s", BigInteger, nullable=False),
    Column("statement_epoch", BigInteger, nullable=False),
    Column("recorded_at_s", BigInteger, nullable=False),
    Index(None, "facility_id", "device", "start_s"),
    Index(None, "facility_id", "lease", "end_s"),
    Index(None, "facility_id", "statement_epoch"),
)

usage_voids = Table(
    "usage_voids",
    metadata,
    Column("record_pk", ForeignKey("usage_records.record_pk"), primary_key=True),
    Column("event_pk", ForeignKey("meter_events.event_pk"), nullable=False, unique=True),
    Column("facility_id", BigInteger, nullable=False),
    Column("statement_epoch", BigInteger, nullable=False),
    Column("recorded_at_s", BigInteger, nullable=False),
    Index(None, "facility_id", "statement_epoch"),
)

outages = Table(
    "outages",
    metadata,
    Column("outage_pk", PrimaryKey, primary_key=True),
    Column("event_pk", ForeignKey("meter_events.event_pk"), nullable=False, unique=True),
    Column("facility_id", ForeignKey("facilities.facility_id"), nullable=False),
    Column("device", LargeBinary(32), nullable=False),
    Column("lease", LargeBinary(32), nullable=False),  # 32 zero bytes: withheld from no lease
    Column("start_s", BigInteger, nullable=False),
    Column("end_s", BigInteger, nullable=False),
    Column("statement_epoch", BigInteger, nullable=False),
    Column("recorded_at_s", BigInteger, nullable=False),
    Index(None, "facility_id", "device", "start_s"),
    Index(None, "facility_id", "statement_epoch"),
)

statements = Table(
    "statements",
    metadata,
    Column("facility_id", ForeignKey("facilities.facility_id"), nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("epoch_start_s", BigInteger, nullable=False),
    Column("epoch_end_s", BigInteger, nullable=False),
    Column("available_gpu_seconds", BigInteger, nullable=False),
    Column("billed_gpu_seconds", BigInteger, nullable=False),
    Column("gross_revenue_micros", BigInteger, nullable=False),
    Column("line_count", BigInteger, nullable=False),
    Column("usage_root", LargeBinary(32), nullable=False),
    Column("evidence_hash", LargeBinary(32), nullable=False),
    Column("previous_statement_hash", LargeBinary(32), nullable=False),
    Column("top_renter_bps", Integer, nullable=False),
    Column("committed_bps", Integer, nullable=False),
    Column("statement_hash", LargeBinary(32), nullable=False),
    Column("carry_json", LargeBinary, nullable=False),  # the bytes of carry.json
    Column("closed_at_s", BigInteger, nullable=False),
    PrimaryKeyConstraint("facility_id", "epoch"),
)

statement_lines = Table(
    "statement_lines",
    metadata,
    Column("facility_id", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("line_index", BigInteger, nullable=False),
    Column("kind", Integer, nullable=False),
    Column("device", LargeBinary(32), nullable=False),
    Column("lease", LargeBinary(32), nullable=False),
    Column("start_s", BigInteger, nullable=False),
    Column("end_s", BigInteger, nullable=False),
    Column("gpu_seconds", BigInteger, nullable=False),
    Column("charge_micros", BigInteger, nullable=False),
    Column("cumulative_gpu_seconds", BigInteger, nullable=False),
    Column("cumulative_charge_micros", BigInteger, nullable=False),
    PrimaryKeyConstraint("facility_id", "epoch", "line_index"),
    ForeignKeyConstraint(["facility_id", "epoch"], ["statements.facility_id", "statements.epoch"]),
)

# The Merkle tree over a statement's lines in parts, so that a proof reads one path, builds nothing.
statement_trees = Table(
    "statement_trees",
    metadata,
    Column("facility_id", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("part", BigInteger, nullable=False),
    Column("leaf_places", LargeBinary, nullable=False),  # 4 bytes a line: its leaf among the nodes
    Column("nodes", LargeBinary, nullable=False),  # 32 bytes each, root first
    PrimaryKeyConstraint("facility_id", "epoch", "part"),
    ForeignKeyConstraint(["facility_id", "epoch"], ["statements.facility_id", "statements.epoch"]),
)

attestations = Table(
    "attestations",
    metadata,
    Column("facility_id", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("attester", String(42), nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("received_at_s", BigInteger, nullable=False),
    PrimaryKeyConstraint("facility_id", "epoch", "attester"),
    ForeignKeyConstraint(["facility_id", "epoch"], ["statements.facility_id", "statements.epoch"]),
)
