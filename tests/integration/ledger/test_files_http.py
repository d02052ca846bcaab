"""Files of leases and devices in the console: read into rows, then sent as anything else is."""

import gzip
from typing import Any

import httpx
import pytest

from api.access.accounts import add_operator
from api.db.session import transaction
from tests.factories import START_S, device
from tests.integration.service import Service, problem

LEASES = "lease_id;renter_ref;from;until;price_micros_per_gpu_hour;max_gpus\n"
DEVICES = "/v1/console/devices/read"


def _read(service: Service, path: str, body: bytes | str, **more: Any) -> httpx.Response:
    headers = {**service.auth(more.pop("key", None)), "Content-Type": "text/csv"}
    content = body.encode() if isinstance(body, str) else body
    return service.client.post(path, content=content, headers=headers, **more)


def _leases(service: Service, body: bytes | str, **more: Any) -> httpx.Response:
    path = f"/v1/console/facilities/{service.ledger.facility_id}/leases/read"
    return _read(service, path, body, **more)


@pytest.mark.both_databases
def test_leases__file_checked_and_sent_twice__is_agreed_once(service: Service) -> None:
    file = LEASES + (
        "lease-1;renter-1;2026-01-01;2026-01-03;2490000;2\n"
        "lease-2;renter-2;2026-01-01;;2.49;\n"
        "lease-3;renter-3;2026-01-01;2025-12-01;2490000;\n"
    )
    before = service.pushed()
    packed = gzip.compress(file.encode())

    read = _leases(service, file, params={"timezone": "UTC"})
    again = _leases(service, packed, params={"timezone": "UTC"})

    assert read.status_code == 200
    assert read.json() == again.json()
    assert service.pushed() == before
    found = read.json()
    assert [(r["line"], r["name"], r["reason"]) for r in found["refused"]] == [
        (3, "lease-2", "not_a_number")
    ]
    assert [(r["line"], r["lease_id"]) for r in found["rows"]] == [(2, "lease-1"), (4, "lease-3")]
    events = [row["event"] for row in found["rows"]]
    checked = service.client.post("/v1/events/check", json=events, headers=service.auth()).json()
    sent, repeated = service.post(events).json(), service.post(events).json()
    assert checked == sent
    assert [r["status"] for r in sent["results"]] == ["accepted", "rejected"]
    assert sent["results"][1]["code"] == "terms_invalid"
    assert repeated["results"][0]["status"] == "duplicate"


@pytest.mark.parametrize(
    ("body", "message", "field"),
    [
        ("lease_id\nlease-1\n", "the file has no column 'renter_ref'; it has lease_id", "columns"),
        ("", "the file has no header", "columns"),
        (LEASES.encode("utf-16"), "the file is UTF-16: save it as UTF-8", "encoding"),
        (b"\x1f\x8bno gzip", "body is not valid gzip", "body"),
        (LEASES + 'lease-1;"never closed\n', "the file line 2", "file"),
        (LEASES + "a;b;2026-01-01T00:00:00Z;;1;\n" * 1_001, "more than 1,000 rows", "file"),
        (LEASES.replace(";max_gpus", ";max_gpu"), "has column 'max_gpu'; known are", "columns"),
    ],
)
def test_leases__file_that_cannot_be_read__is_said_with_what_to_do(
    service: Service, body: bytes | str, message: str, field: str
) -> None:
    found = problem(_leases(service, body), 422, "invalid_input")

    assert message in found["detail"]
    assert found["field"] == field


def test_leases__unknown_zone_or_none__is_named(service: Service) -> None:
    file = LEASES + "lease-1;renter-1;2026-01-01;;2490000;\n"

    unknown = _leases(service, file, params={"timezone": "Mars/Olympus"})
    without = _leases(service, file)

    assert problem(unknown, 422, "invalid_input")["field"] == "timezone"
    assert [row["reason"] for row in without.json()["refused"]] == ["time_without_zone"]


def test_devices__file__gives_names_and_refusals_by_line(service: Service) -> None:
    file = f"device,card,profile\n{device(20)},,\ngpu-1,,\n{device(20)},,\n"
    packed = "device\n" + "\n".join(device(i) for i in range(3))

    found = _read(service, DEVICES, file).json()
    good = _read(service, DEVICES, gzip.compress(packed.encode())).json()

    assert found["devices"] == [{"device": device(20), "card": device(20), "profile": None}]
    assert [(r["line"], r["reason"]) for r in found["refused"]] == [
        (3, "device_refused"),
        (4, "device_refused"),
    ]
    assert [row["device"] for row in good["devices"]] == [device(i) for i in range(3)]
    assert good["refused"] == []


def test_files__of_a_stranger_or_too_large__are_refused(service: Service) -> None:
    with transaction(service.ledger.engine) as connection:
        _, rival = add_operator(
            connection, actor="test", name="rival", address="0x" + "d" * 40, now_s=START_S
        )

    problem(_leases(service, LEASES, key=rival), 404, "not_found")
    problem(_leases(service, LEASES, key="wrong"), 401, "unauthorized")
    problem(_read(service, DEVICES, b"x" * (5 * 1024 * 1024 + 1)), 413, "too_large")
    bomb = gzip.compress(b"device\n" * 2_000_000)
    problem(_read(service, DEVICES, bomb), 413, "too_large")
