"""POST /v1/events: media types, sizes, compression, strict JSON (ATTACKS 30, 31, 32, 35)."""

import gzip
import json

import pytest

from api.db.tables.ledger import event_conflicts
from api.domain.log.bodies import MAX_BODY_BYTES
from api.routes.http.body import BATCH, JSON, SINGLE
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
    assert service.pushed() == 0


def test_events__single_and_batch_mixed_up__are_422(service: Service) -> None:
    event = service.ledger.usage(0, 0, HOUR_S)

    for media, body in ((SINGLE, [event]), (BATCH, event), (JSON, "text"), (JSON, 7)):
        problem(service.post(body, media=media), 422, "invalid_input")
    assert service.pushed() == 0


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
    assert service.uses() == service.pushed() == 999


def test_events__1001__is_413_and_records_nothing(service: Service) -> None:
    """ATTACKS 35."""
    ledger = service.ledger
    batch = [ledger.usage(i % 4, i // 4 * 60, i // 4 * 60 + 60) for i in range(1_001)]

    detail = problem(service.post(batch), 413, "too_large")["detail"]

    assert "1000" in detail
    assert service.pushed() == 0


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
    assert service.pushed() == 0


def test_events__no_json__is_422_and_records_nothing(service: Service) -> None:
    """ATTACKS 32, 35."""
    good = json.dumps(service.ledger.usage(0, 0, HOUR_S)).encode()
    bodies = [
        b"", b"{", b"[1,]", b"\xef\xbb\xbf[]", b'["\xff"]', b'["\x00"]', b"[%b,NaN" % good, b"NaN",
        b"[%b,NaN,'x']" % good, b"9" * 5_000, b'"\\ud800"', b"[" * 100_000, b'{"a":' * 100_000,
    ]  # fmt: skip

    for body in bodies:
        problem(service.post(body, media=JSON), 422, "invalid_input")
    assert service.pushed() == 0


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("odd", "code"),
    [
        ('"x": %s' % ("9" * 400), "not_a_number"),
        ('"x": "\\ud800"', "broken_text"),
        ('"\\udc00": "x"', "broken_text"),
        ('"x": %s' % ("[" * 50_000 + "]" * 50_000), "nested_too_deep"),
        ('"x": "%s"' % ("x" * 65_536), "event_too_large"),
        ('"x": {"a": 1}', "bad_attribute"),
    ],
)
def test_events__999_good_and_one_odd__keep_the_999(service: Service, odd: str, code: str) -> None:
    """ATTACKS 31: what no parser or column takes costs its own event alone."""
    ledger = service.ledger
    good = [json.dumps(ledger.usage(i % 4, i // 4 * 60, i // 4 * 60 + 60)) for i in range(999)]
    bad = json.dumps(ledger.usage(0, 20 * HOUR_S, 21 * HOUR_S))[:-1] + f", {odd}}}"

    answer = service.post(f"[{','.join([*good[:500], bad, *good[500:]])}]".encode())

    assert answer.status_code == 200
    body = answer.json()
    assert (body["accepted"], body["rejected"]) == (999, 1)
    assert (body["results"][500]["code"], body["results"][500]["id"]) == (code, "e1000")
    assert service.pushed() == 999


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
    assert service.pushed() == 1


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


def test_events__binary_mode__is_the_same_event_as_in_structured_mode(service: Service) -> None:
    event = service.ledger.usage(0, 0, HOUR_S, name="é 1")
    head = {f"ce-{n}": str(v) for n, v in event.items() if n not in ("data", "id")}
    head |= {"ce-id": "%C3%A9%201", "ce-traceparent": "00-1"}

    first = service.post(event["data"], media=JSON, **head)
    again = service.post(event, media=SINGLE)
    bare = service.post(event["data"], media=JSON)

    result = {"index": 0, "source": "collector/1", "id": "é 1", "status": "accepted"}
    assert first.json()["results"] == [result]
    assert again.json()["duplicates"] == 1
    assert bare.json()["results"][0]["code"] == "malformed_event"
    assert service.pushed() == 1


@pytest.mark.both_databases
def test_events__one_event_under_a_known_id_that_bills_something_else__is_409(
    service: Service,
) -> None:
    """In a batch it is the answer of the event; alone it is that of the request. Both keep it."""
    first = service.ledger.usage(0, 0, HOUR_S, name="same")
    other = service.ledger.usage(1, 0, HOUR_S, name="same")
    third = service.ledger.usage(2, 0, HOUR_S, name="same")
    head = {f"ce-{n}": str(v) for n, v in third.items() if n != "data"}
    assert service.post(first, media=SINGLE).status_code == 200

    batch = service.post([other])
    answers = [
        service.post(other, media=SINGLE),
        service.post(other, media=JSON),
        service.post(third["data"], media=JSON, **head),
    ]

    assert batch.json()["results"][0]["code"] == "id_conflict"
    for answer in answers:
        body = problem(answer, 409, "conflict")
        assert (body["reason"], body["source"], body["id"]) == (
            "id_conflict", "collector/1", "same",
        )  # fmt: skip
    assert service.post(first, media=SINGLE).json()["duplicates"] == 1
    assert service.count(event_conflicts) == 2
