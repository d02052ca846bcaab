"""CloudEvents in binary mode: header values are decoded once, as the protocol binding says."""

import pytest

from api.errors import InvalidInput
from api.routes.http.body import BATCH, JSON, SINGLE, read_events

_NAMES = [(b"ce-id", b"1"), (b"ce-source", b"s"), (b"host", b"x"), (b"content-type", b"y")]


def _read(body: bytes, *headers: tuple[bytes, bytes], media: str = JSON) -> tuple[object, object]:
    batch = read_events(body, content_type=media, encoding=None, headers=[*_NAMES, *headers])
    assert batch.single
    return batch.events[0], batch.broken[0].reason if batch.broken else None


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        (b"plain", "plain"),
        (b"Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),
        (b"%25E2", "%E2"),
        (b"100%", "100%"),
        (b"%zz", "%zz"),
        (b"a+b", "a+b"),
        (b'"with space"', "with space"),
        (b'"a \\"q\\" \\\\ b"', 'a "q" \\ b'),
        (b'"%20"', " "),
        ("caf\u00e9".encode(), "caf\u00e9"),
        (b"", ""),
    ],
)
def test_binary__header_value__is_decoded_once(sent: bytes, text: str) -> None:
    event, broken = _read(b'{"n": 1}', (b"ce-subject", sent))

    assert event == {"id": "1", "source": "s", "subject": text, "data": {"n": 1}}
    assert broken is None


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ((b"ce-subject", b"%ff"), "malformed_event"),
        ((b"ce-subject", b"%ED%A0%80"), "malformed_event"),
        ((b"ce-subject", b"\xe9"), "malformed_event"),
        ((b"ce-id", b"1"), "duplicate_key"),
        ((b"ce-data", b"{}"), "unknown_field"),
        ((b"ce-datacontenttype", b"application/json"), "unknown_field"),
    ],
)
def test_binary__header_that_is_none__is_wrong_with_the_event(
    header: tuple[bytes, bytes], code: str
) -> None:
    event, broken = _read(b"{}", header)

    assert broken == code
    assert isinstance(event, dict)
    assert event["id"] == "1"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"n": NaN}', "not_a_number"),
        (b'{"n": "\\ud800"}', "broken_text"),
        (b'{"n": 1, "n": 2}', "duplicate_key"),
        (b'{"n": ' + b"[" * 5_000 + b"]" * 5_000 + b"}", "nested_too_deep"),
        (b"", None),
        (b"null", None),
    ],
)
def test_binary__odd_data__is_wrong_with_the_event(body: bytes, code: str | None) -> None:
    event, broken = _read(body)

    assert broken == code
    assert isinstance(event, dict)
    assert event["source"] == "s"


@pytest.mark.parametrize("body", [b"{", b"{}]", b"{},{}", b"]", b"[", b"\xff", b"1]["])
def test_binary__body_that_is_no_json_or_more_than_data__is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        _read(body)


def test_binary__structured_media_type__is_structured_whatever_the_headers() -> None:
    event, _ = _read(b'{"id": "2"}', media=SINGLE)
    batch = read_events(b"[]", content_type=BATCH, encoding=None, headers=_NAMES)

    assert event == {"id": "2"}
    assert batch.events == []
