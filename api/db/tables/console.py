"""Tables behind the operator's console: rejected events, repeats."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Named,
    PrimaryKeyConstraint,
    String,
    Table,
)

from api.db.tables.columns import INT64, PRIMARY_KEY, RAW32, Columns
from api.db.tables.ledger import metadata
from api.domain.units import Bytes32, FacilityId


class EventRejectionColumns(Columns):
    """Columns of `event_rejections`."""

    rejection_pk: Named[int] = Column(PRIMARY_KEY, primary_key=True)
    operator_id: Named[int] = Column(PRIMARY_KEY, ForeignKey("operators.operator_id"))
    facility_id: Named[FacilityId | None] = Column(INT64)  # none: unreadable, or not the operator's
    received_at_s: Named[int] = Column(BigInteger)
    source: Named[str | None] = Column(String(200))
    event_id: Named[str | None] = Column(String(200))
    code: Named[str] = Column(String(32))
    detail: Named[str] = Column(String(300))
    device: Named[str | None] = Column(String(96))  # as the event names it


event_rejections = Table(
    "event_rejections",
    metadata,
    EventRejectionColumns,
    Index(None, "operator_id", "rejection_pk"),
)


class EventRepeatColumns(Columns):
    """Columns of `event_repeats`."""

    facility_id: Named[FacilityId] = Column(INT64, ForeignKey("facilities.facility_id"))
    device: Named[Bytes32] = Column(RAW32)
    duplicates: Named[int] = Column(BigInteger)


event_repeats = Table(
    "event_repeats",
    metadata,
    EventRepeatColumns,
    PrimaryKeyConstraint("facility_id", "device"),
)
