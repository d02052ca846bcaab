"""SQL of leases and their prices."""

from collections.abc import Iterable

from sqlalchemy import Connection, select

from api.db.bulk import chunks
from api.db.rows import rows_as
from api.db.tables.leases import LeaseRow, PriceRow, leases, price_versions
from api.domain.statements.rating import LeaseTerms, PricePlan, PriceVersion
from api.domain.units import Bytes32, FacilityId
from api.errors import NotFound


def lease_rows(connection: Connection, facility_id: FacilityId) -> list[LeaseRow]:
    """Stored leases of a facility."""
    query = select(leases).where(leases.c.facility_id == facility_id)
    return rows_as(LeaseRow, connection.execute(query))


def leases_named(
    connection: Connection, facility_id: FacilityId, lease_ids: Iterable[str]
) -> dict[str, LeaseRow]:
    """Leases of a facility by the operator's own ids; ids without a lease are left out."""
    named: dict[str, LeaseRow] = {}
    for some in chunks(sorted(set(lease_ids))):
        query = select(leases).where(
            leases.c.facility_id == facility_id, leases.c.lease_id.in_(some)
        )
        for row in rows_as(LeaseRow, connection.execute(query)):
            named[row.lease_id] = row
    return named


def lease_named(connection: Connection, facility_id: FacilityId, lease_id: str) -> LeaseRow | None:
    """The lease of a facility by the operator's own id, or None."""
    return leases_named(connection, facility_id, [lease_id]).get(lease_id)


def known_lease_named(connection: Connection, facility_id: FacilityId, lease_id: str) -> LeaseRow:
    """The lease of a facility by the operator's own id. Raises NotFound."""
    lease = lease_named(connection, facility_id, lease_id)
    if lease is None:
        raise NotFound(f"no lease {lease_id!r}", lease_id=lease_id, reason="lease_unknown")
    return lease


def prices_of(connection: Connection, facility_id: FacilityId) -> list[PriceRow]:
    """Every price version of a facility's leases, ascending."""
    query = select(price_versions).where(price_versions.c.facility_id == facility_id)
    order = (price_versions.c.lease, price_versions.c.version)
    return rows_as(PriceRow, connection.execute(query.order_by(*order)))


def prices_of_lease(
    connection: Connection, facility_id: FacilityId, lease: Bytes32
) -> list[PriceRow]:
    """Every price version of one lease, ascending; at least one."""
    query = select(price_versions).where(
        price_versions.c.facility_id == facility_id, price_versions.c.lease == lease
    )
    return rows_as(PriceRow, connection.execute(query.order_by(price_versions.c.version)))


def leases_of(connection: Connection, facility_id: FacilityId) -> dict[Bytes32, LeaseTerms]:
    """Terms of all leases of a facility."""
    prices: dict[Bytes32, list[PriceVersion]] = {}
    for price in prices_of(connection, facility_id):
        prices.setdefault(price.lease, []).append(_price_from_db(price))
    return {
        row.lease: LeaseTerms(
            lease=row.lease,
            renter=row.renter,
            plan=PricePlan(row.plan),
            committed_gpus=row.committed_gpus,
            opened_at_s=row.opened_at_s,
            closed_at_s=row.closed_at_s,
            prices=tuple(prices[row.lease]),
        )
        for row in lease_rows(connection, facility_id)
    }


def _price_from_db(row: PriceRow) -> PriceVersion:
    return PriceVersion(
        version=row.version,
        effective_from_s=row.effective_from_s,
        price_micros_per_gpu_hour=row.price_micros_per_gpu_hour,
        sla_credit_bps=row.sla_credit_bps,
    )
