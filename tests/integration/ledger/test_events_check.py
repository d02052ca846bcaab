"""POST /v1/events/check: what would be answered, with nothing recorded."""

import pytest

from api.db.tables.console import event_rejections
from api.db.tables.ledger import event_conflicts, facts
from tests.factories import DAY_S, HOUR_S, device
from tests.integration.service import Service, problem


@pytest.mark.both_databases
def test_check__any_batch__answers_as_recording_does_and_records_nothing(
    service: Service,
) -> None:
    ledger = service.ledger
    known = ledger.usage(0, 0, HOUR_S)
    service.post([known])
    conflict = {**known, "data": {**known["data"], "lease": "lease-b"}}
    batch = [
        known,
        conflict,
        ledger.usage(1, 0, HOUR_S),
        ledger.usage(1, 60, HOUR_S),
        ledger.usage(2, 0, HOUR_S, lease="lease-b"),
        # The lease covers one GPU at once.
        ledger.usage(3, 0, HOUR_S, lease="lease-b"),
        ledger.usage(0, 2 * DAY_S, 2 * DAY_S + 60),
        ledger.terms("lease-c", 1, 0),
        ledger.usage(3, 0, HOUR_S, lease="lease-c"),
        {"id": "x"},
    ]
    before = service.count(facts), service.pushed()

    checked, again = (
        service.client.post("/v1/events/check", json=batch, headers=service.auth())
        for _ in range(2)
    )

    # What was checked is not there: neither events nor what was refused of them.
    assert (service.count(facts), service.pushed()) == before
    assert service.count(event_conflicts) == service.count(event_rejections) == 0
    assert checked.status_code == again.status_code == 200
    recorded = service.post(batch).json()
    assert checked.json() == again.json() == recorded
    assert [r.get("code", r["status"]) for r in recorded["results"]] == [
        "duplicate", "id_conflict", "accepted", "overlap", "accepted", "over_capacity",
        "in_the_future", "accepted", "accepted", "malformed_event",
    ]  # fmt: skip


def test_check__single_conflict_or_no_key__is_refused_as_when_recording(service: Service) -> None:
    known = service.ledger.usage(0, 0, HOUR_S)
    service.post([known])
    other = {**known, "data": {**known["data"], "device": device(1)}}

    conflict = service.client.post("/v1/events/check", json=other, headers=service.auth())
    stranger = service.client.post("/v1/events/check", json=[known], headers=service.auth("no"))

    problem(conflict, 409, "conflict")
    problem(stranger, 401, "unauthorized")
    assert service.count(event_conflicts) == 0
