"""Nobody waits for another operator's facility, nor makes its owner wait (ATTACKS 38)."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from api.db import session
from api.db.facilities import lock_facility
from api.db.session import open_engine, transaction
from api.domain.units import FacilityId
from tests.factories import HOUR_S, START_S, Ledger
from tests.integration.service import Service, change_service, problem
from tests.postgres import postgres_only

_LATER = "2026-01-01T12:00:00Z"
_LEASE = {
    "lease_id": "x",
    "renter_ref": "r",
    "plan": "spot",
    "opened_at": _LATER,
    "price_micros_per_gpu_hour": 1,
}
# What a stranger can try on a facility, by path below it.
_WRITES: dict[str, dict[str, Any]] = {
    "leases": _LEASE,
    "leases/lease-a/prices": {"effective_from": _LATER, "price_micros_per_gpu_hour": 1},
    "leases/lease-a/close": {"closed_at": _LATER},
    "hardware": {"cost_micros_per_device": 1, "in_service_at": "2025-01-01T00:00:00Z"},
    "epochs/0/reopen": {},
}


def _rival(ledger: Ledger, folder: Path) -> Ledger:
    """A second operator on the same database, with a facility of other devices in another time."""
    later_s = START_S + 40 * 86_400
    return Ledger(
        ledger.engine,
        folder,
        name="rival",
        window_start_s=later_s,
        window_end_s=later_s + 3 * 86_400,
    )


def _impatient(service: Service, database_url: str) -> Engine:
    """The service on connections that fail where they would wait."""
    engine = open_engine(database_url)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        if engine.dialect.name == "postgresql":
            connection.execute("SET lock_timeout = '200ms'")
            connection.commit()

    change_service(service.app, engine=engine)
    return engine


@postgres_only
def test_events__naming_a_locked_facility_of_others__wait_for_nothing(
    service: Service, database_url: str, tmp_path: Path
) -> None:
    rival = _rival(service.ledger, tmp_path)
    foreign = service.ledger.usage(1, 0, HOUR_S, facility_id=rival.facility_id)
    engine = _impatient(service, database_url)

    with transaction(rival.engine) as connection:
        lock_facility(connection, FacilityId(rival.facility_id))
        answer = service.post([service.ledger.usage(0, 0, HOUR_S), foreign])

    codes = [r.get("code", r["status"]) for r in answer.json()["results"]]
    assert codes == ["accepted", "facility_unknown"]
    engine.dispose()


@postgres_only
def test_events__naming_a_facility_of_others__lock_it_for_nobody(
    service: Service, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the stranger's transaction is open, the owner of the facility records usage."""
    ledger, rival = service.ledger, _rival(service.ledger, tmp_path)
    rival.clock.now_s = START_S + 41 * 86_400
    engine = _impatient(service, database_url)
    found = []

    def clock() -> int:
        # Ingest reads the clock once its locks are held.
        with transaction(engine) as connection:
            found.append(lock_facility(connection, FacilityId(rival.facility_id)).operator_id)
        return ledger.clock()

    change_service(service.app, clock=clock)
    answer = service.post([ledger.usage(0, 0, HOUR_S, facility_id=rival.facility_id)])

    assert answer.status_code == 200, answer.text
    assert found == [rival.operator_id]
    assert service.uses() == 0
    engine.dispose()


@pytest.mark.both_databases
@pytest.mark.parametrize("path", _WRITES)
def test_write__on_a_facility_of_others__is_404_without_waiting_for_its_lock(
    service: Service,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
) -> None:
    """On SQLite a lock is on everything: who does not own the facility takes none."""
    monkeypatch.setattr(session, "SQLITE_BUSY_TIMEOUT_MS", 20)
    rival = _rival(service.ledger, tmp_path)
    engine = _impatient(service, database_url)
    url = f"/v1/facilities/{rival.facility_id}/{path}"

    with transaction(rival.engine) as connection:
        lock_facility(connection, FacilityId(rival.facility_id))
        answer = service.client.post(url, json=_WRITES[path], headers=service.auth())

    problem(answer, 404, "not_found")
    engine.dispose()
