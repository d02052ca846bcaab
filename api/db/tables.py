"""Tables of the service. docs/ARCHITECTURE.md §2 says what a row of each means.

Times are UTC seconds, money is minor units, hashes are 32 raw bytes. `*_pk` are ours alone and
never leave the service.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
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
    Text,
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

intents = Table(
    "intents",
    metadata,
    Column("intent_pk", PrimaryKey, primary_key=True),
    Column("kind", String(16), nullable=False),  # post, settle
    Column("facility_id", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),  # settle: number of epochs counted
    Column("sequence", Integer, nullable=False, default=0),  # settle: repeats as rent arrives
    Column("state", String(8), nullable=False),  # sent, done, failed
    Column("sender", String(42), nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("max_fee_wei", BigInteger, nullable=False),  # per gas, as signed in raw_tx
    Column("priority_fee_wei", BigInteger, nullable=False),
    Column("raw_tx", LargeBinary, nullable=False),
    Column("tx_hash", LargeBinary(32), nullable=False),  # of raw_tx; once done, of what was mined
    # 32 bytes each: what raw_tx replaced at its nonce. Any of them may still be the one mined.
    Column("replaced_hashes", LargeBinary, nullable=False),
    Column("error", Text),
    Column("created_at_s", BigInteger, nullable=False),
    UniqueConstraint("kind", "facility_id", "epoch", "sequence"),
    Index(None, "state"),
)
# A nonce belongs to one open transaction. What is done or failed frees it: a reorg hands nonces
# out again, and not in the same order.
Index(
    "uq_intents_open_nonce",
    intents.c.sender,
    intents.c.nonce,
    unique=True,
    sqlite_where=intents.c.state == "sent",
    postgresql_where=intents.c.state == "sent",
)

chain_blocks = Table(
    "chain_blocks",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("block_hash", LargeBinary(32), nullable=False),
    Column("time_s", BigInteger, nullable=False),
)

chain_events = Table(
    "chain_events",
    metadata,
    Column("block_number", BigInteger, nullable=False),
    Column("log_index", BigInteger, nullable=False),
    Column("part", Integer, nullable=False),  # a batch is one log and several rows
    Column("block_time_s", BigInteger, nullable=False),
    Column("tx_hash", LargeBinary(32), nullable=False),
    Column("contract", String(24), nullable=False),
    Column("event", String(32), nullable=False),
    Column("facility_id", BigInteger),
    Column("epoch", BigInteger),
    Column("token_id", Text),  # decimal text: 72 bits
    Column("account", String(42)),
    Column("counterparty", String(42)),
    Column("amount", BigInteger),
    Column("extra", BigInteger),
    Column("flag", Boolean),
    Column("payload", Text, nullable=False),  # JSON of all arguments
    PrimaryKeyConstraint("block_number", "log_index", "part"),
    Index(None, "event", "facility_id"),
    Index(None, "event", "account"),
    Index(None, "event", "token_id"),
    # Portfolios: what an account did, newest first.
    Index(None, "account", "block_number"),
    Index(None, "counterparty", "block_number"),
)
