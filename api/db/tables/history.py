"""Tables of statements that gave way: reopenings after a proven fault, and what was superseded."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from api.db.tables.ledger import PrimaryKey, metadata

epoch_reopenings = Table(
    "epoch_reopenings",
    metadata,
    Column("reopening_pk", PrimaryKey, primary_key=True),
    Column("facility_id", ForeignKey("facilities.facility_id"), nullable=False),
    Column("first_epoch", BigInteger, nullable=False),
    Column("reopened_at_s", BigInteger, nullable=False),  # no record has this or a later time yet
    Column("epochs_closed", BigInteger, nullable=False),  # before
    UniqueConstraint("facility_id", "reopened_at_s"),
)

superseded_statements = Table(
    "superseded_statements",
    metadata,
    Column("superseded_pk", PrimaryKey, primary_key=True),
    Column("reopening_pk", ForeignKey("epoch_reopenings.reopening_pk"), nullable=False),
    Column("facility_id", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("statement_hash", LargeBinary(32), nullable=False),
    Column("evidence_hash", LargeBinary(32), nullable=False),
    Column("statement_json", LargeBinary, nullable=False),
    Column("carry_json", LargeBinary, nullable=False),
    Column("attestations_json", LargeBinary, nullable=False),
    Column("evidence", String(120), nullable=False),  # folder below the evidence root
    Column("reason", Text, nullable=False),
    Column("closed_at_s", BigInteger, nullable=False),
    UniqueConstraint("reopening_pk", "epoch"),
)
