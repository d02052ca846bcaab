"""SQL of leases: the operator's names of them."""

from collections.abc import Iterable

from sqlalchemy import Connection, select

from api.db.bulk import chunks
from api.db.rows import rows_as
from api.db.tables.leases import LeaseRow, leases
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


def leases_hashed(
    connection: Connection, facility_id: FacilityId, hashes: Iterable[Bytes32]
) -> list[LeaseRow]:
    """Leases of a facility by the hashes that evidence has of them."""
    found: list[LeaseRow] = []
    for some in chunks(sorted(set(hashes))):
        query = select(leases).where(leases.c.facility_id == facility_id, leases.c.lease.in_(some))
        found += rows_as(LeaseRow, connection.execute(query))
    return found


def lease_named(connection: Connection, facility_id: FacilityId, lease_id: str) -> LeaseRow | None:
    """The lease of a facility by the operator's own id, or None."""
    return leases_named(connection, facility_id, [lease_id]).get(lease_id)


def known_lease_named(connection: Connection, facility_id: FacilityId, lease_id: str) -> LeaseRow:
    """The lease of a facility by the operator's own id. Raises NotFound."""
    lease = lease_named(connection, facility_id, lease_id)
    if lease is None:
        raise NotFound(f"no lease {lease_id!r}", lease_id=lease_id, reason="lease_unknown")
    return lease
