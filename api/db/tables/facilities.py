"""Tables of operators, facilities and pledged devices."""

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
from api.domain.units import Bytes32, FacilityId, Micros, OperatorId


class OperatorColumns(Columns):
    """Columns of `operators`."""

    operator_id: Named[OperatorId] = Column(PRIMARY_KEY, primary_key=True)
    name: Named[str] = Column(String(80), unique=True)
    address: Named[str] = Column(String(42), unique=True)
    created_at_s: Named[int] = Column(BigInteger)
    conflicts_dropped: Named[int] = Column(BigInteger, server_default="0")


operators = Table("operators", metadata, OperatorColumns)


@part_of(operators)
@dataclass(frozen=True, slots=True)
class NewOperator:
    """An operator to be written: the database gives the key."""

    name: str
    address: str
    created_at_s: int


@record_of(operators)
@dataclass(frozen=True, slots=True)
class OperatorRow(NewOperator):
    """An operator.

    conflicts_dropped: number of its conflicts that were counted and are no longer kept.
    """

    operator_id: OperatorId
    conflicts_dropped: int


class FacilityColumns(Columns):
    """Columns of `facilities`."""

    facility_id: Named[FacilityId] = Column(INT64, primary_key=True, autoincrement=False)
    operator_id: Named[OperatorId] = Column(PRIMARY_KEY, ForeignKey(operators.c.operator_id))
    name: Named[str] = Column(String(80))
    name_secret: Named[Bytes32] = Column(RAW32)  # from it all secrets of names follow
    gpu_class: Named[str] = Column(String(32))
    site: Named[str] = Column(String(32))
    settlement_token: Named[str] = Column(String(42))
    window_start_s: Named[int] = Column(BigInteger)
    window_end_s: Named[int] = Column(BigInteger)
    expires_at_s: Named[int] = Column(BigInteger)  # of the offer, unless it is funded
    epoch_length_s: Named[int] = Column(BigInteger)
    device_count: Named[int] = Column(BigInteger)
    pledge_root: Named[Bytes32] = Column(RAW32)
    terms_json: Named[bytes] = Column(LargeBinary)  # the bytes of facility.json
    terms_hash: Named[Bytes32] = Column(RAW32)
    grace_s: Named[int] = Column(BigInteger)
    last_recorded_at_s: Named[int] = Column(BigInteger, default=0)
    epochs_closed: Named[int] = Column(BigInteger, default=0)
    log_size: Named[int] = Column(INT64, default=0)  # number of the log's newest entry
    log_head: Named[Bytes32] = Column(RAW32)  # its hash; 32 zero bytes without any
    longest_s: Named[int] = Column(BigInteger, default=0)  # no use or outage is longer
    created_at_s: Named[int] = Column(BigInteger)
    # The newest entry that somebody shows the log to have had, with a database of before.
    log_due: Named[int] = Column(INT64, server_default="0")


facilities = Table("facilities", metadata, FacilityColumns)


@record_of(facilities)
@dataclass(frozen=True, slots=True)
class FacilityRow:
    """A facility as registered, and how far its records and statements came."""

    facility_id: FacilityId
    operator_id: OperatorId
    name: str
    name_secret: Bytes32
    gpu_class: str
    site: str
    settlement_token: str
    window_start_s: int
    window_end_s: int
    expires_at_s: int
    epoch_length_s: int
    device_count: int
    pledge_root: Bytes32
    terms_json: bytes
    terms_hash: Bytes32
    grace_s: int
    last_recorded_at_s: int
    epochs_closed: int
    log_size: int
    log_head: Bytes32
    longest_s: int
    created_at_s: int
    log_due: int = 0

    @property
    def behind(self) -> bool:
        """Whether the log lacks entries that it had: the database was restored from a copy."""
        return self.log_due > self.log_size


class DeviceColumns(Columns):
    """Columns of `devices`."""

    facility_id: Named[FacilityId] = Column(INT64, ForeignKey(facilities.c.facility_id))
    device: Named[Bytes32] = Column(RAW32)
    uuid: Named[str] = Column(String(96))
    # Of a slice its card; a whole card is its own.
    card: Named[Bytes32] = Column(RAW32)
    card_uuid: Named[str] = Column(String(96))


devices = Table(
    "devices",
    metadata,
    DeviceColumns,
    PrimaryKeyConstraint("facility_id", "device"),
    Index(None, "uuid"),
    Index(None, "card_uuid"),
)


@record_of(devices)
@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A pledged device and its card: the hashes that evidence names, and the names behind them."""

    facility_id: FacilityId
    device: Bytes32
    uuid: str
    card: Bytes32
    card_uuid: str


class HardwareDisclosureColumns(Columns):
    """Columns of `hardware_disclosures`."""

    disclosure_pk: Named[int] = Column(PRIMARY_KEY, primary_key=True)
    facility_id: Named[FacilityId] = Column(INT64, ForeignKey(facilities.c.facility_id))
    cost_micros_per_device: Named[Micros] = Column(INT64)
    in_service_s: Named[int] = Column(BigInteger)
    disclosed_at_s: Named[int] = Column(BigInteger)


hardware_disclosures = Table(
    "hardware_disclosures",
    metadata,
    HardwareDisclosureColumns,
    Index(None, "facility_id", "disclosed_at_s"),
)


@part_of(hardware_disclosures)
@dataclass(frozen=True, slots=True)
class HardwareDisclosure:
    """What an operator says of a facility's devices: what each cost, and since when it serves."""

    facility_id: FacilityId
    cost_micros_per_device: Micros
    in_service_s: int
    disclosed_at_s: int
