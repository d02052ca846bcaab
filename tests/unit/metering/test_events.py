"""Meter events: strict reading, one code a fault (ATTACKS 32 and 33)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.domain.metering.events import (
    AVAILABILITY,
    CORRECTION,
    DEVICE_REGISTERED,
    LEASE_CLOSED,
    LEASE_OPENED,
    MAX_ENERGY_JOULES,
    USAGE,
    CorrectionEvent,
    DeviceRegisteredEvent,
    LeaseClosedEvent,
    LeaseOpenedEvent,
    OutageEvent,
    UsageEvent,
    identity,
    parse_event,
)
from api.domain.metering.rejections import REJECTIONS
from api.errors import EventRejected

DEVICE = "GPU-0b9f1a52-3c1d-4e5f-8a6b-7c8d9e0f1a2b"
HOUR = {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T01:00:00Z"}
NUL, SURROGATE, ABSENT = "a\0b", "\ud800", object()


def event(kind: str = USAGE, /, **data: Any) -> dict[str, Any]:
    base: dict[str, dict[str, Any]] = {
        USAGE: {"device": DEVICE, "lease": "l", **HOUR, "gpu_seconds": 3_600},
        AVAILABILITY: {"device": DEVICE, **HOUR},
        CORRECTION: {"corrects": {"source": "s", "id": "i"}, "action": "void"},
        LEASE_OPENED: {
            "lease_id": "l", "renter_ref": "r", "plan": "spot",
            "opened_at": HOUR["start"], "price_micros_per_gpu_hour": 5,
        },
        LEASE_CLOSED: {"lease_id": "l", "closed_at": HOUR["end"]},
        DEVICE_REGISTERED: {"device": DEVICE},
    }  # fmt: skip
    merged = {"facility_id": 1, **base[kind], **data}
    return {
        "specversion": "1.0",
        "id": "i",
        "source": "s",
        "type": kind,
        "data": {k: v for k, v in merged.items() if v is not ABSENT},
    }


def _code(value: Any) -> str:
    with pytest.raises(EventRejected) as caught:
        parse_event(value)
    assert caught.value.message
    return caught.value.reason


def test_parse__good_events__become_values() -> None:
    usage = parse_event(event())
    assert isinstance(usage, UsageEvent)
    assert (usage.start_s, usage.end_s) == (1_767_225_600, 1_767_229_200)
    assert not usage.delivery
    assert parse_event(event() | {"traceparent": "00", "time": HOUR["end"]}) == usage
    assert isinstance(parse_event(event(AVAILABILITY, lease="l", reason="x")), OutageEvent)
    assert isinstance(parse_event(event(CORRECTION)), CorrectionEvent)
    opened = parse_event(event(LEASE_OPENED, sla_credit_bps=10_000))
    assert isinstance(opened, LeaseOpenedEvent)
    assert (opened.sla_credit_bps, opened.max_gpus) == (10_000, 0)
    closed = parse_event(event(LEASE_CLOSED))
    assert isinstance(closed, LeaseClosedEvent)
    assert (closed.lease_id, closed.closed_at_s) == ("l", 1_767_229_200)
    assert isinstance(parse_event(event(DEVICE_REGISTERED)), DeviceRegisteredEvent)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"gpu_seconds": value}, "malformed_event")
        for value in (None, True, "3600", 3_600.0, float("nan"), float("inf"), [3_600], ABSENT)
    ]
    + [
        ({"gpu_seconds": -1}, "number_out_of_range"),
        ({"gpu_seconds": 2**63}, "number_out_of_range"),
        ({"gpu_seconds": 0}, "checksum_mismatch"),
        ({"gpu_seconds": 3_599}, "checksum_mismatch"),
        ({"facility_id": 0}, "number_out_of_range"),
        ({"facility_id": 2**63}, "number_out_of_range"),
        ({"facility_id": True}, "malformed_event"),
        ({"energy_joules": 9_223_372_036_854_775_794}, "number_out_of_range"),
        ({"energy_joules": MAX_ENERGY_JOULES + 1}, "number_out_of_range"),
        ({"utilization_ppm": 1_000_001}, "number_out_of_range"),
        ({"utilization_ppm": 0.5}, "malformed_event"),
        ({"end": HOUR["start"]}, "interval_empty"),
        ({"end": "2025-12-31T23:59:59Z"}, "interval_empty"),
        ({"start": 1_767_225_600}, "invalid_time"),
        ({"start": 1_767_225_600_000}, "invalid_time"),
        ({"start": "2026-01-01T00:00:00"}, "invalid_time"),
        ({"start": "2026-01-01T00:00:60Z"}, "invalid_time"),
        ({"kind": "free"}, "malformed_event"),
        ({"kind": None}, "malformed_event"),
        ({"lease": ""}, "malformed_event"),
        ({"lease": "l" * 121}, "malformed_event"),
        ({"lease": NUL}, "malformed_event"),
        ({"lease": SURROGATE}, "malformed_event"),
        ({"gpu_class": None}, "malformed_event"),
        ({"device": DEVICE.upper()}, "malformed_event"),
        ({"device": DEVICE + "\n"}, "malformed_event"),
        ({"device": DEVICE[4:]}, "malformed_event"),
        ({"device": 7}, "malformed_event"),
        ({"device": None}, "malformed_event"),
        ({"price": 1}, "unknown_field"),
    ],
)  # fmt: skip
def test_parse__bad_usage__has_its_code(changes: dict[str, Any], code: str) -> None:
    assert _code(event(**changes)) == code


def test_parse__bad_envelope__has_its_code() -> None:
    good = event()
    for field in ("id", "source", "type"):
        for value in (None, 1, "", "x" * 201, NUL, "a\nb", SURROGATE):
            assert _code({**good, field: value}) == "malformed_event"
    assert _code({**good, "type": "rentroll.gpu.usage.v2"}) == "unknown_type"
    assert _code({**good, "specversion": "0.3"}) == "malformed_event"
    assert _code({**good, "specversion": 1.0}) == "malformed_event"
    assert _code({**good, "Data": {}}) == "unknown_field"
    assert _code({**good, "time": "yesterday"}) == "invalid_time"
    assert _code({**good, "data": []}) == "malformed_event"
    for field in good["data"]:
        assert _code(event(**{field: ABSENT})) == "malformed_event"
    for target in (None, {}, {"source": "s"}, {"source": "s", "id": "i", "x": 1}, {"source": 1}):
        assert _code(event(CORRECTION, corrects=target)) == "malformed_event"
    assert _code(event(CORRECTION, action="delete")) == "malformed_event"


def test_device__slice__is_read_and_index_forms_are_refused_with_the_form_to_use() -> None:
    assert isinstance(parse_event(event(device=f"MIG-{DEVICE[4:]}")), UsageEvent)

    for text in (f"MIG-{DEVICE}/7/0", f"{DEVICE}/0", f"GPU-{DEVICE}", DEVICE.upper()):
        for kind in (USAGE, AVAILABILITY, DEVICE_REGISTERED):
            with pytest.raises(EventRejected, match=f"write .*{DEVICE[4:]}") as caught:
                parse_event(event(kind, device=text))
            assert (caught.value.reason, caught.value.context["field"]) == (
                "malformed_event",
                "device",
            )


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(st.sampled_from(list(event())), _JSON, st.sampled_from(list(event()["data"])), _JSON)
def test_parse__any_json_in_any_place__is_read_or_rejected_by_a_known_code(
    attribute: str, value: Any, field: str, inner: Any
) -> None:
    cases = [value, {**event(), attribute: value}, event(**{field: inner}), {attribute: value}]
    for case in cases:
        try:
            parse_event(case)
        except EventRejected as error:
            reason = error.reason
        else:
            reason = "malformed_event"
        assert reason in REJECTIONS
        assert len(identity(case)) == 2


def test_identity__of_nonsense__is_nothing_and_of_long_text_is_cut() -> None:
    assert identity(7) == identity([]) == identity({"id": 1, "source": None}) == (None, None)
    assert identity({"id": "x" * 999, "source": "s"}) == ("s", "x" * 200)
