"""Tables of a facility's log: its entries, their events, and the facts that they told."""

from dataclasses import dataclass
from enum import IntEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Named,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
    and_,
)

from api.db.rows import part_of, record_of
from api.db.tables.base import metadata
from api.db.tables.columns import INT64, PRIMARY_KEY, RAW32, Columns
from api.db.tables.facilities import facilities
from api.db.tables.monthly import by_month, of_whole
from api.domain.units import Bytes32, FacilityId


class LogEntryColumns(Columns):
    """Columns of `log_entries`."""

    facility_id: Named[FacilityId] = Column(INT64, ForeignKey(facilities.c.facility_id))
    number: Named[int] = Column(INT64)  # from 1
    kind: Named[int] = Column(Integer)
    recorded_at_s: Named[int] = Column(BigInteger)
    previous: Named[Bytes32] = Column(RAW32)
    author: Named[Bytes32] = Column(RAW32)
    body_hash: Named[Bytes32] = Column(RAW32)
    answers_hash: Named[Bytes32] = Column(RAW32)
    entry_hash: Named[Bytes32] = Column(RAW32)
    blind: Named[bytes] = Column(LargeBinary(16))
    answers: Named[bytes] = Column(LargeBinary)  # a byte an event
    body: Named[bytes] = Column(LargeBinary)  # as it was hashed, behind zlib
    # What its author signed beside the body, as JSON; null of one that nobody signed.
    request: Named[bytes | None] = Column(LargeBinary)


log_entries = Table(
    "log_entries",
    metadata,
    LogEntryColumns,
    PrimaryKeyConstraint("facility_id", "number"),
)
# Never null, never changed, and never falling along a log.
MONTHLY_ENTRIES = by_month(log_entries, log_entries.c.recorded_at_s, key=("facility_id", "number"))


@record_of(log_entries)
@dataclass(frozen=True, slots=True)
class LogEntryRow:
    """An entry of a facility's log, its body packed."""

    facility_id: FacilityId
    number: int
    kind: int
    recorded_at_s: int
    previous: Bytes32
    author: Bytes32
    body_hash: Bytes32
    answers_hash: Bytes32
    entry_hash: Bytes32
    blind: bytes
    answers: bytes
    body: bytes
    request: bytes | None


@part_of(log_entries)
@dataclass(frozen=True, slots=True)
class BareEntry:
    """What is public of an entry."""

    number: int
    kind: int
    recorded_at_s: int
    previous: Bytes32
    author: Bytes32
    body_hash: Bytes32
    answers_hash: Bytes32


class LogKeyColumns(Columns):
    """Columns of `log_keys`."""

    facility_id: Named[FacilityId] = Column(INT64, ForeignKey(facilities.c.facility_id))
    key: Named[Bytes32] = Column(RAW32)
    role: Named[str] = Column(String(16))
    name: Named[str] = Column(String(100))
    entry: Named[int] = Column(INT64)  # that brought it
    last_entry: Named[int] = Column(INT64)  # its newest
    last: Named[Bytes32] = Column(RAW32)  # hash of that
    before: Named[Bytes32] = Column(RAW32)  # that its newest named as `after`
    ended: Named[int | None] = Column(INT64)  # entry that ended it
    used_at_s: Named[int] = Column(BigInteger)  # second of its newest
    # Receipt of the newest that it signed, packed: the entry may be detached with its month.
    receipt: Named[bytes | None] = Column(LargeBinary)


log_keys = Table(
    "log_keys",
    metadata,
    LogKeyColumns,
    PrimaryKeyConstraint("facility_id", "key"),
)


@part_of(log_keys)
@dataclass(frozen=True, slots=True)
class LogKeyRow:
    """A key of a facility's log: `api.domain.log.keys.LogKey`; its receipt is read alone."""

    facility_id: FacilityId
    key: Bytes32
    role: str
    name: str
    entry: int
    last_entry: int
    last: Bytes32
    before: Bytes32
    ended: int | None
    used_at_s: int


class MeterEventColumns(Columns):
    """Columns of `meter_events`."""

    event_pk: Named[int] = Column(PRIMARY_KEY, primary_key=True)
    facility_id: Named[FacilityId] = Column(INT64, ForeignKey(facilities.c.facility_id))
    # Where it stands in the facility's log: an entry is a request, and so many events before it.
    entry: Named[int] = Column(INT64)
    place: Named[int] = Column(BigInteger)
    source: Named[str] = Column(String(200))
    event_id: Named[str] = Column(String(200))
    type: Named[str] = Column(String(64))
    payload_hash: Named[Bytes32] = Column(RAW32)  # of what it bills; its text is in the entry
    recorded_at_s: Named[int] = Column(BigInteger)


meter_events = Table(
    "meter_events",
    metadata,
    MeterEventColumns,
    UniqueConstraint("facility_id", "source", "event_id"),
    UniqueConstraint("facility_id", "entry", "place"),
)


@record_of(meter_events)
@dataclass(slots=True)  # one an event: a frozen one takes thrice as long to make
class MeterEventRow:
    """An accepted event, and where the log has it."""

    event_pk: int
    facility_id: FacilityId
    entry: int
    place: int
    source: str
    event_id: str
    type: str
    payload_hash: Bytes32
    recorded_at_s: int


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


class FactKind(IntEnum):
    """What a fact says."""

    USAGE = 0
    DELIVERY = 1
    OUTAGE = 2  # by a fault
    PLANNED = 3  # an outage, as announced
    SEEN = 4
    UNTIL = 5
    VOID = 6
    TERMS = 7
    ADJUSTMENT = 8


HELD_KINDS = (FactKind.USAGE, FactKind.DELIVERY)
OUT_KINDS = (FactKind.OUTAGE, FactKind.PLANNED)


class FactColumns(Columns):
    """Columns of `facts`."""

    # By its place in the log a fact names the event that told it.
    fact_pk: Named[int] = Column(PRIMARY_KEY)
    facility_id: Named[FacilityId] = Column(INT64, ForeignKey(facilities.c.facility_id))
    entry: Named[int] = Column(INT64)
    place: Named[int] = Column(BigInteger)
    part: Named[int] = Column(Integer)  # of what one event told, in order
    kind: Named[int] = Column(Integer)
    device: Named[Bytes32 | None] = Column(RAW32)
    lease: Named[Bytes32 | None] = Column(RAW32)  # of an outage, 32 zero bytes: kept from nobody
    start_s: Named[int | None] = Column(BigInteger)
    end_s: Named[int | None] = Column(BigInteger)  # as it was told
    until_s: Named[int | None] = Column(BigInteger)  # as it stands: an allocation can last longer
    ended: Named[bool] = Column(Boolean)  # of an allocation: its end was told
    voided: Named[int | None] = Column(INT64)  # number of the entry that took it back
    document: Named[bytes | None] = Column(LargeBinary)  # what is said of no device
    recorded_at_s: Named[int] = Column(BigInteger)


facts = Table(
    "facts",
    metadata,
    FactColumns,
    PrimaryKeyConstraint("fact_pk"),
    of_whole("facility_id", "entry", "place", "part"),
    Index(None, "facility_id", "device", "start_s"),
    Index(None, "facility_id", "lease", "start_s"),
)
# Nothing is looked up by `fact_pk`: on PostgreSQL it is a number of a sequence, without an index.
MONTHLY_FACTS = by_month(
    facts, facts.c.recorded_at_s, key=("facility_id", "entry", "place", "part")
)


def told_by_event() -> ColumnElement[bool]:
    """A fact was told by an event: they stand at one place of one log, recorded together."""
    return and_(
        facts.c.facility_id == meter_events.c.facility_id,
        facts.c.entry == meter_events.c.entry,
        facts.c.place == meter_events.c.place,
        # The place says it all; the time leads to the month that has it.
        facts.c.recorded_at_s == meter_events.c.recorded_at_s,
    )


@part_of(facts)
@dataclass(slots=True)  # one an event: a frozen one takes thrice as long to make
class NewFact:
    """A fact to be written: the database gives the key."""

    facility_id: FacilityId
    entry: int
    place: int
    part: int
    kind: int
    device: Bytes32 | None
    lease: Bytes32 | None
    start_s: int | None
    end_s: int | None
    until_s: int | None
    ended: bool
    voided: int | None
    document: bytes | None
    recorded_at_s: int


@part_of(facts)
@dataclass(frozen=True, slots=True)
class FactRow:
    """What a statement needs of a fact."""

    entry: int
    place: int
    kind: int
    device: Bytes32 | None
    lease: Bytes32 | None
    start_s: int | None
    end_s: int | None
    document: bytes | None
    recorded_at_s: int


@part_of(facts)
@dataclass(frozen=True, slots=True)
class TakenTime:
    """When a device was held or out of service, as it stands."""

    entry: int
    place: int
    kind: int
    device: Bytes32 | None
    lease: Bytes32 | None
    start_s: int | None
    until_s: int | None
