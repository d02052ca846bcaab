"""Table of entries that a log lost and that somebody shows."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    Named,
    String,
    Table,
    Text,
)
from sqlalchemy import PrimaryKeyConstraint as Key

from api.db.rows import record_of
from api.db.tables.base import metadata
from api.db.tables.columns import INT64, RAW32, Columns
from api.db.tables.facilities import facilities
from api.domain.units import Bytes32, FacilityId


class LostState(StrEnum):
    """What becomes of an entry that is shown."""

    HELD = "held"  # it waits for those before it
    FORK = "fork"  # the log's key signed it, and the log has another in its place
    GIVEN_UP = "given_up"  # the service's admin gave it up


class LostColumns(Columns):
    """Columns of `lost_entries`."""

    facility_id: Named[FacilityId] = Column(INT64, ForeignKey(facilities.c.facility_id))
    entry_hash: Named[Bytes32] = Column(RAW32)
    number: Named[int] = Column(INT64)
    state: Named[str] = Column(String(8))
    entry: Named[bytes] = Column(LargeBinary(197))
    signature: Named[bytes | None] = Column(LargeBinary(64))  # of the log's key
    # What stands behind its hashes, as `log_entries` has it; none of a receipt alone.
    blind: Named[bytes | None] = Column(LargeBinary(16))
    answers: Named[bytes | None] = Column(LargeBinary)
    body: Named[bytes | None] = Column(LargeBinary)
    request: Named[bytes | None] = Column(LargeBinary)
    refused: Named[str | None] = Column(Text)  # why it could not be appended
    shown_at_s: Named[int] = Column(BigInteger)


lost_entries = Table(
    "lost_entries",
    metadata,
    LostColumns,
    Key("facility_id", "entry_hash"),
    Index(None, "facility_id", "number"),
)


@record_of(lost_entries)
@dataclass(frozen=True, slots=True)
class LostRow:
    """An entry that a log does not have, and that somebody shows."""

    facility_id: FacilityId
    entry_hash: Bytes32
    number: int
    state: str
    entry: bytes
    signature: bytes | None
    blind: bytes | None
    answers: bytes | None
    body: bytes | None
    request: bytes | None
    refused: str | None
    shown_at_s: int
