"""Tables behind the operator's console: rejected events, repeats."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
)

from api.db.tables.ledger import PrimaryKey, metadata

event_rejections = Table(
    "event_rejections",
    metadata,
    Column("rejection_pk", PrimaryKey, primary_key=True),
    Column("operator_id", ForeignKey("operators.operator_id"), nullable=False),
    Column("facility_id", BigInteger),  # none: unreadable, or not the operator's
    Column("received_at_s", BigInteger, nullable=False),
    Column("source", String(200)),
    Column("event_id", String(200)),
    Column("code", String(32), nullable=False),
    Column("detail", String(300), nullable=False),
    Column("device", String(96)),  # as the event names it
    Index(None, "operator_id", "rejection_pk"),
)

event_repeats = Table(
    "event_repeats",
    metadata,
    Column("facility_id", ForeignKey("facilities.facility_id"), nullable=False),
    Column("device", LargeBinary(32), nullable=False),
    Column("duplicates", BigInteger, nullable=False),
    PrimaryKeyConstraint("facility_id", "device"),
)
