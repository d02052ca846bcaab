"""Tables behind the operator's console: rejected events, repeats."""

from dataclasses import dataclass

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

from api.db.rows import part_of, record_of
from api.db.tables.base import metadata
from api.db.tables.columns import INT64, PRIMARY_KEY, RAW32, Columns
from api.db.tables.facilities import facilities, operators
from api.domain.units import Bytes32, FacilityId, OperatorId


class EventRejectionColumns(Columns):
    """Columns of `event_rejections`."""

    rejection_pk: Named[int] = Column(PRIMARY_KEY, primary_key=True)
    operator_id: Named[OperatorId] = Column(PRIMARY_KEY, ForeignKey(operators.c.operator_id))
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


@part_of(event_rejections)
@dataclass(frozen=True, slots=True)
class NewRejection:
    """A rejected event to be written: the database gives the key."""

    operator_id: OperatorId
    facility_id: FacilityId | None
    received_at_s: int
    source: str | None
    event_id: str | None
    code: str
    detail: str
    device: str | None


@record_of(event_rejections)
@dataclass(frozen=True, slots=True)
class RejectionRow(NewRejection):
    """A rejected event."""

    rejection_pk: int


class EventRepeatColumns(Columns):
    """Columns of `event_repeats`."""

    facility_id: Named[FacilityId] = Column(INT64, ForeignKey(facilities.c.facility_id))
    device: Named[Bytes32] = Column(RAW32)
    duplicates: Named[int] = Column(BigInteger)


event_repeats = Table(
    "event_repeats",
    metadata,
    EventRepeatColumns,
    PrimaryKeyConstraint("facility_id", "device"),
)


@record_of(event_repeats)
@dataclass(frozen=True, slots=True)
class RepeatsRow:
    """How many events of a device came more than once."""

    facility_id: FacilityId
    device: Bytes32
    duplicates: int
