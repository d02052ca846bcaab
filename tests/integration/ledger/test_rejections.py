"""What ingest keeps of rejected and repeated events (ATTACKS 31, 35, 38)."""

import pytest
from sqlalchemy import select

from api.db import conflicts
from api.db import rejections as store
from api.db.session import reading
from api.db.tables.console import event_rejections, event_repeats
from api.db.tables.facilities import hardware_disclosures
from api.db.tables.ledger import event_conflicts
from tests.factories import HOUR_S, START_S
from tests.integration.service import Service, problem

pytestmark = pytest.mark.both_databases


def test_rejections__of_one_request__are_kept_with_their_cause(service: Service) -> None:
    ledger = service.ledger
    good, late = ledger.usage(0, 0, HOUR_S), ledger.usage(1, 0, HOUR_S, lease="nobody")
    late["source"] = "s" * 200
    foreign = ledger.usage(2, 0, HOUR_S)
    foreign["data"]["facility_id"] = 999
    nonsense = {"id": "x", "data": {"device": "<script>\u0007" + "d" * 500, "facility_id": True}}

    answer = service.post([good, late, foreign, nonsense, 7]).json()

    assert (answer["accepted"], answer["rejected"]) == (1, 4)
    with reading(ledger.engine) as connection:
        rows = list(connection.execute(select(event_rejections).order_by("rejection_pk")))
    assert [(r.facility_id, r.code) for r in rows] == [
        (ledger.facility_id, "lease_unknown"), (None, "facility_unknown"),
        (None, "malformed_event"), (None, "malformed_event"),
    ]  # fmt: skip
    assert rows[0].source == "s" * 200
    assert rows[2].device == "<script>\ufffd" + "d" * 87
    assert {r.received_at_s for r in rows} == {ledger.clock.now_s}


def test_rejections__text_that_no_database_holds__is_kept_harmless(service: Service) -> None:
    body = (
        b'[{"specversion": "1.0", "id": "a\\u0000b", "source": "\\u2028", "type": "t",'
        b' "data": {"device": "\\u0000"}}]'
    )

    assert service.post(body).status_code == 200

    assert service.count(event_rejections) == 1


def test_rejections__more_than_are_kept__drop_the_oldest_of_this_operator(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "KEPT_PER_OPERATOR", 3)
    for i in range(5):
        service.post([{"id": f"a{i}"}, {"id": f"b{i}"}])

    with reading(service.ledger.engine) as connection:
        total, rows = store.rejections_of(
            connection, service.ledger.operator_id, service.ledger.facility_id, offset=0, limit=9
        )

    assert total == 3
    assert [r.event_id for r in rows] == ["b4", "a4", "b3"]


def test_repeats__are_counted_by_device__and_conflicts_are_rejections(service: Service) -> None:
    ledger = service.ledger
    one, two = ledger.usage(0, 0, HOUR_S), ledger.outage(1, 0, HOUR_S)
    service.post([one, two])
    service.post([one, one, two])
    service.post([one])

    with reading(ledger.engine) as connection:
        counts = connection.execute(select(event_repeats.c.duplicates)).scalars().all()

    assert sorted(counts) == [1, 3]
    assert service.count(event_rejections) == 0


def test_hardware__disclosures__are_appended(service: Service) -> None:
    path = f"/v1/facilities/{service.ledger.facility_id}/hardware"
    for cost in (30_000_000_000, 25_000_000_000):
        body = {"cost_micros_per_device": cost, "in_service_at": "2025-12-01T00:00:00Z"}
        answer = service.client.post(path, json=body, headers=service.auth())
        assert answer.status_code == 201
    assert answer.json()["in_service_s"] == START_S - 31 * 86_400

    ahead = {"cost_micros_per_device": 1, "in_service_at": "2026-02-01T00:00:00Z"}
    answers = [
        service.client.post(path, json=body, headers=service.auth())
        for body in (
            ahead,
            ahead | {"cost_micros_per_device": 0},
            ahead | {"cost_micros_per_device": 2**63},
            ahead | {"cost_micros_per_device": True},
        )
    ]

    for answer in answers:
        problem(answer, 422, "invalid_input")
    assert service.count(hardware_disclosures) == 2


def test_conflicts__more_than_are_kept__drop_the_oldest_and_count_them(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ATTACKS 35: one id that bills something else in every request fills no disk."""
    monkeypatch.setattr(conflicts, "CONFLICTS_KEPT", 3)
    ledger = service.ledger
    first = ledger.usage(0, 0, HOUR_S, name="same")
    service.post([first])

    for minute in range(1, 4):
        others = [ledger.usage(gpu, 0, minute * 60, name="same") for gpu in (0, 1)]
        # What repeats a kept conflict is no new one.
        assert {r["code"] for r in service.post([*others, *others]).json()["results"]} == {
            "id_conflict"
        }

    with reading(ledger.engine) as connection:
        kept = list(connection.execute(select(event_conflicts.c.payload).order_by("conflict_pk")))
    assert [b"00:03:00" in row.payload for row in kept] == [False, True, True]
    path = f"/v1/console/facilities/{ledger.facility_id}/rejections"
    assert service.client.get(path, headers=service.auth()).json()["conflicts"] == 6
