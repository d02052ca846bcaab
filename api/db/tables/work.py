"""Table of what the worker has to do: a row for a step of a facility, or of the service."""

from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    Named,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    false,
)

from api.db.rows import part_of, record_of
from api.db.tables.base import metadata
from api.db.tables.columns import INT64, Columns
from api.domain.units import FacilityId


class WorkColumns(Columns):
    """Columns of `work`."""

    step: Named[str] = Column(String(12))
    facility_id: Named[FacilityId] = Column(INT64)  # 0: the service's own
    state: Named[str] = Column(String(8))  # due, waiting, failing, held
    attempts: Named[int] = Column(Integer)  # since it last went well
    next_try_s: Named[int] = Column(BigInteger)  # by this machine's clock
    from_block_s: Named[int] = Column(BigInteger)  # and not before the chain's time is this
    reason: Named[str | None] = Column(Text)  # why it waits, fails or is held, in a sentence
    since_s: Named[int] = Column(BigInteger)  # so long it is in this state
    released: Named[bool] = Column(Boolean, server_default=false())  # a person let it go on
    wakes: Named[int] = Column(Integer, server_default="0")  # how often it was made due
    claimed_by: Named[str | None] = Column(String(96))
    claimed_until_s: Named[int] = Column(BigInteger, server_default="0")


work = Table(
    "work",
    metadata,
    WorkColumns,
    PrimaryKeyConstraint("step", "facility_id"),
    Index(None, "step", "state", "next_try_s"),
    Index(None, "facility_id"),
)


@part_of(work)
@dataclass(frozen=True, slots=True)
class NewWork:
    """A step that is to be taken."""

    step: str
    facility_id: FacilityId
    state: str
    attempts: int
    next_try_s: int
    from_block_s: int
    reason: str | None
    since_s: int


@record_of(work)
@dataclass(frozen=True, slots=True)
class WorkRow(NewWork):
    """A step of a facility as it stands."""

    released: bool
    wakes: int
    claimed_by: str | None
    claimed_until_s: int
