"""POST /v1/events: media types, sizes, compression, strict JSON (ATTACKS 30, 31, 32, 35)."""

import gzip
import json

import pytest

from api.db.tables.ledger import meter_events, usage_records
from api.routes.http.body import BATCH, JSON, MAX_BODY_BYTES, SINGLE
from tests.factories import HOUR_S
from tests.integration.service import Service, problem


def test_events__media_type_that_fits__is_read(service: Service) -> None:
    cases = [
        (SINGLE, False),
        (BATCH, True),
        (JSON, False),
        (JSON, True),
        (f"{BATCH}; charset=UTF-8", True),
        (f'{SINGLE};charset="utf-8"; version=1', False),
        ("Application/JSON; charset=us-ascii", True),
        (f"{JSON};charset=utf8", False),
    ]

    for hour, (media, batch) in enumerate(cases):
        event = service.ledger.usage(0, hour * HOUR_S, hour * HOUR_S + HOUR_S)
        answer = service.post([event] if batch else event, media=media)

        result = {"index": 0, "source": "collector/1", "id": event["id"], "status": "accepted"}
        assert answer.status_code == 200, media
        assert answer.json() == {
            "accepted": 1, "duplicates": 0, "rejected": 0, "results": [result],
        }  # fmt: skip


def test_events__other_media_type__is_415(service: Service) -> None:
    """ATTACKS 35."""
    event = service.ledger.usage(0, 0, HOUR_S)
    others = [
        None, "", "text/plain", "application/cloudevents", "application/xml", "*/*", "json",
        f"{BATCH}; charset=utf-16", f"{JSON}; charset=latin-1", "text/json", ";",
    ]  # fmt: skip

    for media in others:
        problem(service.post([event], media=media), 415, "unsupported_media_type")
    assert service.count(meter_events) == 0


def test_events__single_and_batch_mixed_up__are_422(service: Service) -> None:
    event = service.ledger.usage(0, 0, HOUR_S)

    for media, body in ((SINGLE, [event]), (BATCH, event), (JSON, "text"), (JSON, 7)):
        problem(service.post(body, media=media), 422, "invalid_input")
    assert service.count(meter_events) == 0


def test_events__empty_batch__is_fine_and_nothing(service: Service) -> None:
    answer = service.post([])

    assert answer.json() == {"accepted": 0, "duplicates": 0, "rejected": 0, "results": []}


@pytest.mark.both_databases
def test_events__1000_with_one_bad__keeps_999_and_repeats_safely(service: Service) -> None:
    """ATTACKS 30, 31."""
    ledger = service.ledger
    batch = [ledger.usage(i % 4, i // 4 * 60, i // 4 * 60 + 60) for i in range(1_000)]
    batch[500]["data"]["gpu_seconds"] = 61

    first, again = service.post(batch), service.post(batch)

    body = first.json()
    assert (body["accepted"], body["duplicates"], body["rejected"]) == (999, 0, 1)
    assert [(r["index"], r["id"]) for r in body["results"]] == [
        (i, f"e{i + 1}") for i in range(1_000)
    ]
    bad = body["results"][500]
    assert (bad["status"], bad["code"]) == ("rejected", "checksum_mismatch")
    assert "61" in bad["detail"]
    assert {r["status"] for r in body["results"] if r is not bad} == {"accepted"}
    assert (again.json()["duplicates"], again.json()["rejected"]) == (999, 1)
    assert service.count(usage_records) == service.count(meter_events) == 999


def test_events__1001__is_413_and_records_nothing(service: Service) -> None:
    """ATTACKS 35."""
    ledger = service.ledger
    batch = [ledger.usage(i % 4, i // 4 * 60, i // 4 * 60 + 60) for i in range(1_001)]

    detail = problem(service.post(batch), 413, "too_large")["detail"]

    assert "1000" in detail
    assert service.count(meter_events) == 0


def test_events__gzip__is_read(service: Service) -> None:
    for gpu, coding in enumerate(("gzip", "GZIP", "x-gzip")):
        body = gzip.compress(json.dumps([service.ledger.usage(gpu, 0, HOUR_S)]).encode())

        assert service.post(body, **{"Content-Encoding": coding}).json()["accepted"] == 1


def test_events__bad_compression__records_nothing(service: Service) -> None:
    """ATTACKS 35: a bomb stops early; a truncated body is none; nothing hides behind the end."""
    good = gzip.compress(json.dumps([service.ledger.usage(0, 0, HOUR_S)]).encode())
    bomb = gzip.compress(b" " * (6 * MAX_BODY_BYTES), compresslevel=1)
    cases = [
        (bomb, "gzip", 413, "too_large"),
        (good[:-9], "gzip", 422, "invalid_input"),
        (good + b"x", "gzip", 422, "invalid_input"),
        (good + good, "gzip", 422, "invalid_input"),
        (b"", "gzip", 422, "invalid_input"),
        (b"[]", "gzip", 422, "invalid_input"),
        (good, "br", 415, "unsupported_media_type"),
        (good, "gzip, gzip", 415, "unsupported_media_type"),
    ]

    for body, coding, status, code in cases:
        answer = service.post(body, **{"Content-Encoding": coding})
        problem(answer, status, code)
    assert service.count(meter_events) == 0


def test_events__no_json__is_422_and_records_nothing(service: Service) -> None:
    """ATTACKS 32, 35."""
    good = json.dumps(service.ledger.usage(0, 0, HOUR_S)).encode()
    bodies = [
        b"", b"{", b"[1,]", b"\xef\xbb\xbf[]", b'["\xff"]', b'["\\ud800"]', b'["\x00"]',
        b"[%b,NaN" % good, b"NaN", b'[%b,NaN,"\\ud800"]' % good,
        b"[" + b"9" * 5_000 + b"]", b"[" * 13 + b"]" * 13, b"[" * 100_000, b'{"a":' * 100_000,
    ]  # fmt: skip

    for body in bodies:
        problem(service.post(body, media=JSON), 422, "invalid_input")
    assert service.count(meter_events) == 0


@pytest.mark.both_databases
def test_events__odd_values__are_rejected_one_by_one(service: Service) -> None:
    """ATTACKS 32: duplicate keys and huge or non-integer numbers spoil only their own event."""
    good = json.dumps(service.ledger.usage(0, 0, HOUR_S))
    other = json.dumps(service.ledger.usage(1, 0, HOUR_S))

    def seconds(text: str) -> str:
        return other.replace('"gpu_seconds": 3600', f'"gpu_seconds": {text}')

    cases = [
        (other.replace('"specversion"', '"id": "x", "specversion"'), "duplicate_key"),
        (other.replace('"gpu_seconds"', '"gpu_seconds": 1, "gpu_seconds"'), "duplicate_key"),
        (good, "accepted"),
        (seconds("18446744073709551615"), "number_out_of_range"),
        (seconds("18446744073709551616"), "malformed_event"),
        (seconds("1" + "0" * 300), "malformed_event"),
        (seconds("NaN"), "not_a_number"),
        (seconds("-Infinity"), "not_a_number"),
        (seconds("1e999"), "not_a_number"),
        ("NaN", "not_a_number"),
        ('{"id": "\\ud800", "source": "s", "n": NaN}', "not_a_number"),
        (seconds("-1"), "number_out_of_range"),
        (seconds("3600.0"), "malformed_event"),
        (seconds("3.6e3"), "malformed_event"),
        (seconds("null"), "malformed_event"),
        (other.replace('"collector/1"', '"a\\u0000b"'), "malformed_event"),
        (other.replace('"collector/1"', '"' + "s" * 201 + '"'), "malformed_event"),
        ("null", "malformed_event"),
        ("[]", "malformed_event"),
    ]

    answer = service.post(f"[{','.join(text for text, _ in cases)}]".encode())

    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [r.get("code", r["status"]) for r in results] == [code for _, code in cases]
    assert service.count(meter_events) == 1


def test_events__body_above_the_limit__is_413(service: Service) -> None:
    """ATTACKS 35: with a Content-Length, and chunked, where only counting helps."""
    size = MAX_BODY_BYTES + 1
    headers = {**service.auth(), "Content-Type": JSON}

    announced = service.client.post("/v1/events", content=b" " * size, headers=headers)
    chunked = service.client.post(
        "/v1/events", content=(b" " * 65_536 for _ in range(size // 65_536 + 1)), headers=headers
    )

    problem(announced, 413, "too_large")
    problem(chunked, 413, "too_large")


def test_events__of_exactly_the_limit__is_read(service: Service) -> None:
    body = b"[]".ljust(MAX_BODY_BYTES)

    assert service.post(body).status_code == 200
