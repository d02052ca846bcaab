"""SQL of registered facilities: the public list, those of one operator, and devices."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from api.db.rows import columns_of, rows_as
from api.db.tables.facilities import (
    FacilityRow,
    devices,
    facilities,
    hardware_disclosures,
    operators,
)
from api.domain.units import Address, Bytes32, FacilityId, Micros, OperatorId

# Facilities that are asked for; None is all of them.
Scope = Collection[FacilityId] | None


@dataclass(frozen=True, slots=True)
class ListedFacilityRow:
    """A facility with its operator, without the long documents and without its name secret."""

    facility_id: FacilityId
    name: str
    operator_name: str
    operator_address: str
    gpu_class: str
    site: str
    settlement_token: str
    window_start_s: int
    window_end_s: int
    expires_at_s: int
    epoch_length_s: int
    device_count: int
    pledge_root: Bytes32
    terms_hash: Bytes32
    epochs_closed: int

    @property
    def epoch_count(self) -> int:
        """Epochs in the delivery window."""
        return (self.window_end_s - self.window_start_s) // self.epoch_length_s


def listed_facilities(
    connection: Connection, scope: Scope = None, *, offset: int = 0, limit: int | None = None
) -> list[ListedFacilityRow]:
    """Facilities, by id: all, some, or a page."""
    f = facilities.c
    query = (
        select(
            f.facility_id,
            f.name,
            operators.c.name.label("operator_name"),
            operators.c.address.label("operator_address"),
            f.gpu_class,
            f.site,
            f.settlement_token,
            f.window_start_s,
            f.window_end_s,
            f.expires_at_s,
            f.epoch_length_s,
            f.device_count,
            f.pledge_root,
            f.terms_hash,
            f.epochs_closed,
        )
        .join(operators, operators.c.operator_id == f.operator_id)
        .order_by(f.facility_id)
    )
    if scope is not None:
        query = query.where(f.facility_id.in_(scope))
    if limit is not None:
        query = query.offset(offset).limit(limit)
    return rows_as(ListedFacilityRow, connection.execute(query))


def terms_documents(
    connection: Connection, facility_ids: Sequence[FacilityId]
) -> dict[FacilityId, bytes]:
    """Bytes of `facility.json` by facility."""
    query = select(facilities.c.facility_id, facilities.c.terms_json).where(
        facilities.c.facility_id.in_(facility_ids)
    )
    return dict(connection.execute(query).all())


def facility_ids(connection: Connection) -> list[FacilityId]:
    """Every registered facility, ascending."""
    query = select(facilities.c.facility_id).order_by(facilities.c.facility_id)
    return list(connection.execute(query).scalars())


@dataclass(frozen=True, slots=True)
class StandingRow:
    """How far a facility's log and books are: something of it differs once either changed."""

    facility_id: FacilityId
    last_recorded_at_s: int
    epochs_closed: int
    log_size: int
    log_head: Bytes32


def facility_standings(connection: Connection) -> list[StandingRow]:
    """Standing of every registered facility, by id."""
    f = facilities.c
    columns = (f.facility_id, f.last_recorded_at_s, f.epochs_closed, f.log_size, f.log_head)
    return rows_as(StandingRow, connection.execute(select(*columns).order_by(f.facility_id)))


def facilities_of_operator(connection: Connection, operator_id: OperatorId) -> list[FacilityRow]:
    """Stored facilities of an operator, by id."""
    f = facilities.c
    query = (
        select(*columns_of(FacilityRow)).where(f.operator_id == operator_id).order_by(f.facility_id)
    )
    return rows_as(FacilityRow, connection.execute(query))


@dataclass(frozen=True, slots=True)
class OperatorRow:
    """An operator as it was registered."""

    operator_id: int
    name: str
    address: Address


def operator_row(connection: Connection, operator_id: int) -> OperatorRow:
    """A registered operator."""
    o = operators.c
    query = select(o.operator_id, o.name, o.address).where(o.operator_id == operator_id)
    (operator,) = rows_as(OperatorRow, connection.execute(query))
    return operator


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A pledged device: its hash, and the UUID behind it, which only its operator sees."""

    device: Bytes32
    uuid: str


def pledged_devices(connection: Connection, facility_id: FacilityId) -> list[DeviceRow]:
    """Pledged devices with their ids, ascending by hash."""
    query = select(devices.c.device, devices.c.uuid).where(devices.c.facility_id == facility_id)
    return rows_as(DeviceRow, connection.execute(query.order_by(devices.c.device)))


@dataclass(frozen=True, slots=True)
class DisclosureRow:
    """What an operator says of a facility's devices: what each cost, and since when it serves."""

    cost_micros_per_device: Micros
    in_service_s: int
    disclosed_at_s: int


def newest_disclosure(connection: Connection, facility_id: FacilityId) -> DisclosureRow | None:
    """Newest hardware disclosure of a facility's operator, or None."""
    d = hardware_disclosures.c
    query = (
        select(d.cost_micros_per_device, d.in_service_s, d.disclosed_at_s)
        .where(d.facility_id == facility_id)
        # Two disclosures of one second: the one that was stored later.
        .order_by(d.disclosed_at_s.desc(), d.disclosure_pk.desc())
    )
    newest = rows_as(DisclosureRow, connection.execute(query.limit(1)))
    return newest[0] if newest else None
