"""Secrets of names on a real database: what is stored, told and handed on."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text, update

from api.db.facilities import known_facility_row
from api.db.log import logged_after
from api.db.migrate import upgrade
from api.db.session import open_engine, reading, transaction
from api.db.tables.facilities import facilities
from api.db.tables.leases import leases
from api.db.tables.ledger import facts
from api.domain.metering.names import lease_hash, party_hash
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.units import FacilityId, OperatorId
from api.errors import NotFound, RecordsDamaged
from api.ledger.names import NameSecret, lease_secret, party_secret, told_leases
from tests.factories import DAY_S, HOUR_S, Ledger

pytestmark = pytest.mark.both_databases


def _secret(ledger: Ledger, lease: str, *, of: Any = lease_secret) -> NameSecret:
    found = of(ledger.engine, OperatorId(ledger.operator_id), _id(ledger), lease)
    assert isinstance(found, NameSecret)
    return found


def _id(ledger: Ledger) -> FacilityId:
    return FacilityId(ledger.facility_id)


def _stored(ledger: Ledger) -> dict[str, bytes]:
    with reading(ledger.engine) as connection:
        rows = connection.execute(select(leases.c.lease_id, leases.c.lease)).all()
    return {row.lease_id: row.lease for row in rows}


def test_secret__of_a_lease__gives_the_hash_of_its_evidence(ledger: Ledger) -> None:
    for lease, hashed in _stored(ledger).items():
        found = _secret(ledger, lease)

        assert found == NameSecret(lease, hashed, found.secret)
        assert lease_hash(_id(ledger), lease, secret=found.secret) == hashed


def test_secret__of_a_renter__is_one_for_all_its_leases(ledger: Ledger) -> None:
    ledger.add_lease("one", renter_ref="North Ltd.")
    ledger.add_lease("two/secret", renter_ref="north_ltd")

    one, two = (_secret(ledger, lease, of=party_secret) for lease in ("one", "two/secret"))

    assert one == two
    assert one.name == "north-ltd"
    assert party_hash(_id(ledger), "NORTH-LTD", secret=one.secret) == one.hash
    for lease in ("one", "two/secret"):
        assert one.hash.hex() in _terms(ledger, lease)


def _terms(ledger: Ledger, lease: str) -> str:
    hashed = _stored(ledger)[lease]
    with reading(ledger.engine) as connection:
        query = select(facts.c.document).where(facts.c.lease == hashed)
        return "".join(bytes(row).decode() for row in connection.execute(query).scalars())


@pytest.mark.parametrize("of", [lease_secret, party_secret])
def test_secret__of_no_lease_or_of_anothers__is_not_found(ledger: Ledger, of: Any) -> None:
    with pytest.raises(NotFound, match="no lease 'LEASE-A'"):
        _secret(ledger, "LEASE-A", of=of)
    with pytest.raises(NotFound, match="of yours"):
        of(ledger.engine, OperatorId(ledger.operator_id + 1), _id(ledger), "lease-a")


@pytest.mark.parametrize("of", [lease_secret, party_secret])
def test_secret__name_secret_of_another_backup__is_said_and_not_handed_on(
    ledger: Ledger, of: Any
) -> None:
    with transaction(ledger.engine) as connection:
        connection.execute(update(facilities).values(name_secret=bytes(32)))

    with pytest.raises(RecordsDamaged, match="name_secret"):
        _secret(ledger, "lease-a", of=of)


def test_hashes__of_one_number_and_the_same_leases_in_two_databases__share_nothing(
    ledger: Ledger, tmp_path: Path
) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/twin.db")
    upgrade(engine)
    twin = Ledger(engine, tmp_path / "twin")

    assert (ledger.facility_id, {*_stored(ledger)}) == (twin.facility_id, {*_stored(twin)})
    assert not {*_stored(ledger).values()} & {*_stored(twin).values()}
    assert _secret(ledger, "lease-a").secret != _secret(twin, "lease-a").secret
    assert _terms(ledger, "lease-a") != _terms(twin, "lease-a")


def test_told__of_a_part_of_the_log__is_of_the_leases_whose_terms_it_tells(ledger: Ledger) -> None:
    ledger.clock.now_s += DAY_S
    ledger.ingest(ledger.usage(0, 0, HOUR_S))
    ledger.add_lease("lease-c")
    ledger.ingest(ledger.usage(0, HOUR_S, 2 * HOUR_S, lease="lease-c"))

    assert [_told(ledger, number) for number in range(1, 6)] == [
        ["lease-a"], ["lease-b"], [], ["lease-c"], [],
    ]  # fmt: skip
    assert _told(ledger, 1, 5) == ["lease-a", "lease-b", "lease-c"]


def _told(ledger: Ledger, first: int, last: int | None = None) -> list[str]:
    with reading(ledger.engine) as connection:
        facility = known_facility_row(connection, _id(ledger))
        log = terms_from_bytes(facility.terms_json).log
        most = (last or first) - first + 1
        logged = logged_after(connection, log, after=first - 1, most=most)
        assert told_leases(connection, facility, []) == []
        told = told_leases(connection, facility, [each.entry for each in logged])
    return [each.lease_id for each in told]


def test_name_secrets__of_two_facilities__are_random(ledger: Ledger) -> None:
    ledger.add_facility(range(4, 6))
    with reading(ledger.engine) as connection:
        found = connection.execute(text("SELECT name_secret FROM facilities")).scalars().all()

    assert len({bytes(each) for each in found}) == 2
    assert all(len(each) == 32 and any(each) for each in found)
