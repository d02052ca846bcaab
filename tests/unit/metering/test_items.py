"""Items: an event that could be read, with the bytes that the log keeps, or why it could not."""

import json
from typing import Any

import pytest

from api.domain.metering.attributes import MAX_EVENT_BYTES
from api.domain.metering.billed import billed_hash
from api.domain.metering.items import EventResult, Item, read_item
from api.errors import EventRejected
from tests.unit.payloads import usage


def _event(**changes: Any) -> dict[str, Any]:
    return {**usage("a", 0, 0, 60), **changes}


def test_read__event__has_canonical_bytes_and_the_hash_of_what_it_bills() -> None:
    item = read_item(3, _event(), None)

    assert isinstance(item, Item)
    assert item.payload == json.dumps(_event(), sort_keys=True, separators=(",", ":")).encode()
    assert item.billed == billed_hash(item.event)
    assert item.repeats(item.billed)
    assert not item.repeats(b"\1" * 32)  # type: ignore[arg-type]
    assert item.identity == (_event()["source"], "a")
    assert item.answer("accepted") == EventResult(3, *item.identity, "accepted")
    refused = item.rejected(EventRejected("overlap", "in use"))
    assert refused == EventResult(3, *item.identity, "rejected", "overlap", "in use")


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (7, "malformed_event"),
        (_event(type="nonsense"), "unknown_type"),
        (_event(note=[1]), "bad_attribute"),
        (_event(data={"facility_id": 2**70}), "malformed_event"),
        (_event(note="x" * MAX_EVENT_BYTES), "event_too_large"),
    ],
)
def test_read__what_is_none__is_rejected_by_its_code_and_name(event: Any, code: str) -> None:
    found = read_item(5, event, None)

    assert isinstance(found, EventResult)
    named = isinstance(event, dict)
    assert (found.index, found.status, found.code) == (5, "rejected", code)
    assert found.id == ("a" if named else None)


def test_read__what_the_parser_found_broken__is_rejected_for_that() -> None:
    found = read_item(0, _event(), EventRejected("duplicate_key", "twice"))

    assert isinstance(found, EventResult)
    assert (found.code, found.detail) == ("duplicate_key", "twice")
