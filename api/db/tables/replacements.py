"""Tables of replaced devices: what operators asked for, and attesters' signatures over it."""

from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    Named,
    PrimaryKeyConstraint,
    String,
    Table,
)

from api.db.rows import part_of, record_of
from api.db.tables.base import metadata
from api.db.tables.columns import INT64, PRIMARY_KEY, RAW32, Columns
from api.db.tables.facilities import facilities
from api.domain.units import Bytes32, Epoch, FacilityId


class ReplacementColumns(Columns):
    """Columns of `replacements`."""

    replacement_pk: Named[int] = Column(PRIMARY_KEY, primary_key=True)
    facility_id: Named[FacilityId] = Column(INT64, ForeignKey(facilities.c.facility_id))
    from_epoch: Named[Epoch] = Column(INT64)
    pledge_root: Named[Bytes32] = Column(RAW32)
    old_uuid: Named[str] = Column(String(96))
    uuid: Named[str] = Column(String(96))
    # Of a slice its card; a whole card is its own.
    card_uuid: Named[str] = Column(String(96))
    reason: Named[str] = Column(String(200))
    document: Named[bytes] = Column(LargeBinary)  # the bytes of the published pledge
    asked_at_s: Named[int] = Column(BigInteger)
    # When its operator took it back; the chain may approve it all the same.
    withdrawn_at_s: Named[int | None] = Column(BigInteger)


replacements = Table(
    "replacements",
    metadata,
    ReplacementColumns,
    Index(None, "facility_id", "pledge_root", unique=True),
    Index(None, "uuid"),
    Index(None, "card_uuid"),
)


@part_of(replacements)
@dataclass(frozen=True, slots=True)
class NewReplacement:
    """A replacement to be written: the database gives the key."""

    facility_id: FacilityId
    from_epoch: Epoch
    pledge_root: Bytes32
    old_uuid: str
    uuid: str
    card_uuid: str
    reason: str
    document: bytes
    asked_at_s: int


@part_of(replacements)
@dataclass(frozen=True, slots=True)
class ReplacementRow:
    """A device that shall take another's place, from an epoch on; without its document.

    Whether it does is for the chain to say: by the approval of its root.
    """

    replacement_pk: int
    facility_id: FacilityId
    from_epoch: Epoch
    pledge_root: Bytes32
    old_uuid: str
    uuid: str
    card_uuid: str
    reason: str
    asked_at_s: int
    withdrawn_at_s: int | None


class ReplacementSignatureColumns(Columns):
    """Columns of `replacement_signatures`."""

    replacement_pk: Named[int] = Column(PRIMARY_KEY, ForeignKey(replacements.c.replacement_pk))
    attester: Named[str] = Column(String(42))
    approvals: Named[int] = Column(INT64)  # of all facilities, when it was signed
    signature: Named[bytes] = Column(LargeBinary)
    received_at_s: Named[int] = Column(BigInteger)


replacement_signatures = Table(
    "replacement_signatures",
    metadata,
    ReplacementSignatureColumns,
    PrimaryKeyConstraint("replacement_pk", "attester"),
)


@record_of(replacement_signatures)
@dataclass(frozen=True, slots=True)
class ReplacementSignature:
    """An attester's newest signature over a replacement.

    It counts while `approvals` pledges were approved: the next approval makes it void.
    """

    replacement_pk: int
    attester: str
    approvals: int
    signature: bytes
    received_at_s: int
