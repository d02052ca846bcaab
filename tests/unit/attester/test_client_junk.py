"""Whatever a service, or a CDN before it, answers: the attester's client says so, and no more.

Generated junk for every call: other JSON, cut JSON, HTML with any status, bytes that are no text.
"""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.attester.client import HttpAttesterApi
from api.attester.failures import ServiceAway, ServiceRefused, ServiceUnreadable
from api.domain.units import MAX_I64, MAX_U32, Bytes32, Epoch, FacilityId
from tests.unit.statements.test_refusal_files import SIGNED

ACCOUNT = "0x" + "0a" * 20
FACILITY, ROOT = FacilityId(1), Bytes32(b"\1" * 32)
READS: dict[str, Callable[[HttpAttesterApi], Any]] = {
    "pending": lambda api: api.pending(ACCOUNT),
    "pending_pledges": lambda api: api.pending_pledges(ACCOUNT),
    "pending_replacements": lambda api: api.pending_replacements(ACCOUNT),
    "log": lambda api: api.log(FACILITY, after=0),
}
WRITES: dict[str, Callable[[HttpAttesterApi], Any]] = {
    "submit": lambda api: api.submit(FACILITY, Epoch(0), ACCOUNT, b"\1"),
    "submit_pledge": lambda api: api.submit_pledge(FACILITY, ACCOUNT, approvals=0, signature=b"1"),
    "submit_replacement": lambda api: api.submit_replacement(
        FACILITY, ROOT, ACCOUNT, approvals=0, signature=b"1"
    ),
    "submit_refusal": lambda api: api.submit_refusal(SIGNED),
}
ROW = {"facility_id": 1, "epoch": 0, "from_epoch": 0}
ROW |= {"statement_hash": "0x" + "01" * 32, "pledge_root": "0x" + "01" * 32}  # type: ignore[dict-item]
HEAD = {"type": "facility", "salt": "0x" + "00" * 32, "grace_s": 0, "reopenings": [[0, 1]]}
ENTRY = {"type": "entry", "entry": "AA==", "body": "AA==", "blind": "AA==", "answers": "AA=="}
NUMBERS = st.integers() | st.floats() | st.sampled_from([-1, 2**63, 2**64, 10**400])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=8) | st.just("0xzz"),
    lambda each: (
        st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=8), each, max_size=3)
    ),
    max_leaves=6,
)


def _text(value: object) -> bytes:
    return json.dumps(value).encode()


@st.composite
def _mutated(draw: st.DrawFn) -> bytes:
    """Rows and lines as a service gives them, with a value that is something else, or cut off."""
    like: dict[str, Any] = dict(draw(st.sampled_from([ROW, HEAD, ENTRY])))
    name = draw(st.sampled_from(sorted(like)))
    if draw(st.booleans()):
        del like[name]
    else:
        like[name] = draw(VALUES)
    data = draw(st.sampled_from([_text([like]), _text(like), _text(HEAD) + b"\n" + _text(like)]))
    return data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data


BODIES = (
    VALUES.map(_text)
    | _mutated()
    | st.binary(max_size=40)
    | st.sampled_from([b"", b'{"a":1}', b"[{", b"[" * 100_000, b"<html>oops</html>", b"\xff\xfe[]"])
)
TYPES = st.sampled_from(["application/json", "application/problem+json", "text/html", "", "json"])


def _api(status: int, media: str, body: bytes) -> HttpAttesterApi:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        assert len(asked) < 100, "it goes round for ever"
        return httpx.Response(status, headers={"content-type": media}, content=body)

    return _answered_by(answer)


def _answered_by(answer: Callable[[httpx.Request], httpx.Response]) -> HttpAttesterApi:
    # Certificates take longer to read than all the rest.
    api = HttpAttesterApi.__new__(HttpAttesterApi)
    far = httpx.MockTransport(answer)
    api._client = httpx.Client(base_url="http://service.example", transport=far, verify=False)  # noqa: S501
    return api


@pytest.mark.parametrize("call", READS)
@given(st.sampled_from([200, 201, 204]), TYPES, BODIES)
def test_read__any_answer__is_within_bounds_or_named_unreadable(
    call: str, status: int, media: str, body: bytes
) -> None:
    try:
        found = READS[call](_api(status, media, body))
    except ServiceUnreadable:
        return

    if call == "log":
        assert found.entries == []
        return
    for row in found:
        facility_id, *rest = row if isinstance(row, tuple) else (row,)
        assert 0 <= facility_id <= MAX_I64
        assert not rest or (0 <= rest[0] <= MAX_U32 and len(rest[1]) == 32)


@pytest.mark.parametrize("call", [*READS, *WRITES])
@given(st.integers(300, 599), TYPES, BODIES)
def test_call__any_error__says_whether_to_ask_again(
    call: str, status: int, media: str, body: bytes
) -> None:
    with pytest.raises((ServiceAway, ServiceRefused), match=str(status)) as caught:
        (READS | WRITES)[call](_api(status, media, body))

    refused = 400 <= status < 500 and status not in (408, 429)
    assert isinstance(caught.value, ServiceRefused) == refused
    assert caught.value.message.isprintable()


@pytest.mark.parametrize("call", [*READS, *WRITES])
@pytest.mark.parametrize(
    "fault", [httpx.ConnectError("x"), httpx.ReadTimeout("x"), httpx.DecodingError("x"), OSError()]
)
def test_call__way_that_fails__is_a_service_that_is_away(call: str, fault: Exception) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise fault

    with pytest.raises(ServiceAway, match="does not answer"):
        (READS | WRITES)[call](_answered_by(answer))


def test_pending__of_more_than_a_page__is_asked_for_whole() -> None:
    rows = [ROW | {"epoch": epoch} for epoch in range(2_500)]

    def answer(request: httpx.Request) -> httpx.Response:
        first, most = (int(request.url.params[name]) for name in ("offset", "limit"))
        return httpx.Response(200, json=rows[first : first + most])

    waiting = _answered_by(answer).pending(ACCOUNT)

    assert [epoch for _, epoch, _ in waiting] == [*range(2_500)]


def test_answer__without_end__is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.attester.client._MOST_BYTES", 1_000)

    with pytest.raises(ServiceUnreadable, match="has no end"):
        _api(200, "", b" " * 1_001 + b"[]").pending(ACCOUNT)
