"""Secrets of names: what an attester is told of leases, and what an operator hands on."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from api.db.facilities import own_facility
from api.db.facts import leases_agreed_in, terms_of
from api.db.leases import known_lease_named, leases_hashed
from api.db.tables.facilities import FacilityRow
from api.db.tables.leases import LeaseRow
from api.domain.log.entry import Entry
from api.domain.metering.names import SecretNames, ToldLease, party_name
from api.domain.units import Bytes32, FacilityId, OperatorId
from api.errors import RecordsDamaged


def names_of(facility: FacilityRow) -> SecretNames:
    """Names of a facility's leases and renters."""
    return SecretNames(facility.facility_id, facility.name_secret)


def told_leases(
    connection: Connection, facility: FacilityRow, entries: Sequence[Entry]
) -> list[ToldLease]:
    """What an attester is told beside entries of a log, which are in order: of each lease whose
    terms they tell. By the lease's id."""
    if not entries:
        return []
    hashes = leases_agreed_in(
        connection,
        facility.facility_id,
        first=entries[0].number,
        last=entries[-1].number,
        recorded=(entries[0].recorded_at_s, entries[-1].recorded_at_s + 1),
    )
    names = names_of(facility)
    rows = leases_hashed(connection, facility.facility_id, hashes)
    return [names.told(row.lease_id, renter_ref=row.renter_ref) for row in sorted(rows, key=_by_id)]


def _by_id(row: LeaseRow) -> str:
    return row.lease_id


@dataclass(frozen=True, slots=True)
class NameSecret:
    """A name, the hash that evidence has of it, and the secret by which anybody can tell.

    name: a lease's id; a renter's one name, however it is written.
    """

    name: str
    hash: Bytes32
    secret: Bytes32


def lease_secret(
    engine: Engine, operator_id: OperatorId, facility_id: FacilityId, lease_id: str
) -> NameSecret:
    """The secret of a lease, to be handed on to whom it concerns.

    Raises:  NotFound; RecordsDamaged where the facility's name secret is not that of its evidence.
    """
    with own_facility(engine, operator_id, facility_id) as (connection, facility):
        row = known_lease_named(connection, facility_id, lease_id)
    names = names_of(facility)
    found = NameSecret(lease_id, names.lease(lease_id), names.lease_secret(lease_id))
    _require_same(found.hash, facility_id, stored=row.lease)
    return found


def party_secret(
    engine: Engine, operator_id: OperatorId, facility_id: FacilityId, lease_id: str
) -> NameSecret:
    """The secret of a lease's renter: of all its leases in the facility.

    Raises:  NotFound; RecordsDamaged where the facility's name secret is not that of its evidence.
    """
    with own_facility(engine, operator_id, facility_id) as (connection, facility):
        row = known_lease_named(connection, facility_id, lease_id)
        [lease] = terms_of(connection, facility_id, [row.lease])
    names, renter = names_of(facility), row.renter_ref
    found = NameSecret(
        party_name(renter), names.party(lease_id, renter_ref=renter), names.party_secret(renter)
    )
    _require_same(found.hash, facility_id, stored=lease.party)
    return found


def _require_same(ours: Bytes32, facility_id: FacilityId, *, stored: Bytes32) -> None:
    if ours != stored:
        message = (
            f"the name secret of facility {facility_id} is not the one by which its names were"
            " hashed: bring back its column `name_secret` from a backup"
        )
        raise RecordsDamaged(message, facility_id=facility_id)
