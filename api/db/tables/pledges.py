"""Table of attesters' signatures over pledges that wait for approval."""

from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, ForeignKey, LargeBinary, Named, String, Table
from sqlalchemy import PrimaryKeyConstraint as PrimaryKey

from api.db.rows import record_of
from api.db.tables.base import metadata
from api.db.tables.columns import INT64, Columns
from api.db.tables.facilities import facilities
from api.domain.units import FacilityId


class PledgeSignatureColumns(Columns):
    """Columns of `pledge_signatures`."""

    facility_id: Named[FacilityId] = Column(INT64, ForeignKey(facilities.c.facility_id))
    attester: Named[str] = Column(String(42))
    approvals: Named[int] = Column(INT64)  # of all facilities, when it was signed
    signature: Named[bytes] = Column(LargeBinary)
    received_at_s: Named[int] = Column(BigInteger)


pledge_signatures = Table(
    "pledge_signatures",
    metadata,
    PledgeSignatureColumns,
    PrimaryKey("facility_id", "attester"),
)


@record_of(pledge_signatures)
@dataclass(frozen=True, slots=True)
class PledgeSignature:
    """An attester's newest signature over the pledge of an offer.

    It counts while `approvals` pledges were approved: the next approval makes it void.
    """

    facility_id: FacilityId
    attester: str
    approvals: int
    signature: bytes
    received_at_s: int
