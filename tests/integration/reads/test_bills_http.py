"""Requests about bills that are refused."""

import pytest

from api.access.accounts import add_operator
from api.db.session import transaction
from tests.factories import START_S
from tests.integration.service import Service, problem


def test_bills__of_another_operator__are_as_if_absent(service: Service) -> None:
    with transaction(service.ledger.engine) as connection:
        _, rival = add_operator(
            connection, actor="test", name="rival", address="0x" + "d" * 40, now_s=START_S
        )
    own = f"/v1/console/facilities/{service.ledger.facility_id}/bills"
    draft = "/draft?month=2026-01&lease_id=lease-a"
    calls = [("GET", ""), ("GET", "/1"), ("GET", "/1.pdf"), ("GET", draft), ("POST", "")]

    for method, path in calls:
        body = {"json": {}} if method == "POST" else {}
        headers = service.auth(rival)
        foreign = service.client.request(method, own + path, headers=headers, **body)
        other = own.replace(f"/{service.ledger.facility_id}/", "/999/")
        absent = service.client.request(method, other + path, headers=headers, **body)
        problem(foreign, 404, "not_found")
        assert foreign.text.replace(str(service.ledger.facility_id), "#") == absent.text.replace(
            "999", "#"
        )
        problem(service.client.request(method, own + path, **body), 401, "unauthorized")


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/draft?month=2026-13&lease_id=x", "query.month"),
        ("/0", "path.number"),
        ("/1.exe", "path.suffix"),
    ],
)
def test_bills__bad_request__names_what_is_wrong(service: Service, path: str, field: str) -> None:
    own = f"/v1/console/facilities/{service.ledger.facility_id}/bills"

    answer = service.client.get(own + path, headers=service.auth())

    assert problem(answer, 422, "invalid_input")["field"] == field


def test_issue__unknown_lease_or_field__is_refused(service: Service) -> None:
    own = f"/v1/console/facilities/{service.ledger.facility_id}/bills"

    for body, status, code in (
        ({"lease_id": "nobody"}, 404, "not_found"),
        ({"month": "2026-1"}, 422, "invalid_input"),
        ({"due": 3}, 422, "invalid_input"),
    ):
        answer = service.client.post(own, json=body, headers=service.auth())
        problem(answer, status, code)
    assert service.client.post(own, json={}, headers=service.auth()).json() == {"issued": []}
