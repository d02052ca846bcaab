"""Meter events: strict reading, one code a fault (ATTACKS 32 and 33)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.domain.metering.event_types import (
    AdjustmentEvent,
    AllocationEvent,
    AllocationOpenedEvent,
    CorrectionEvent,
    DeviceRegisteredEvent,
    LeaseClosedEvent,
    LeaseOpenedEvent,
    OutageEvent,
    SeenEvent,
    UsageEvent,
)
from api.domain.metering.events import (
    ADJUSTMENT,
    ALLOCATION_CONFIRMED,
    ALLOCATION_ENDED,
    ALLOCATION_OPENED,
    AVAILABILITY,
    CORRECTION,
    DEVICE_REGISTERED,
    LEASE_CLOSED,
    LEASE_OPENED,
    MAX_ENERGY_JOULES,
    MAX_GPUS,
    SEEN,
    USAGE,
    identity,
    parse_event,
)
from api.domain.metering.rejections import REJECTIONS
from api.domain.units import MAX_PRICE
from api.errors import EventRejected

DEVICE = "GPU-0b9f1a52-3c1d-4e5f-8a6b-7c8d9e0f1a2b"
HOUR = {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T01:00:00Z"}
START_S, END_S = 1_767_225_600, 1_767_229_200
TARGET = {"source": "s", "id": "i"}
# What a replacement says: the data of its kind, without the facility.
USE = {"device": DEVICE, "lease": "l", **HOUR, "gpu_seconds": 3_600}
OUT = {"device": DEVICE, **HOUR}
NUL, SURROGATE, ABSENT = "a\0b", "\ud800", object()


def event(kind: str = USAGE, /, **data: Any) -> dict[str, Any]:
    base: dict[str, dict[str, Any]] = {
        USAGE: {"device": DEVICE, "lease": "l", **HOUR, "gpu_seconds": 3_600},
        AVAILABILITY: {"device": DEVICE, **HOUR},
        ALLOCATION_OPENED: {"device": DEVICE, "lease": "l", "start": HOUR["start"]},
        ALLOCATION_CONFIRMED: {"allocation": TARGET, "until": HOUR["end"]},
        ALLOCATION_ENDED: {"allocation": TARGET, "until": HOUR["end"]},
        SEEN: {"device": DEVICE, **HOUR},
        CORRECTION: {"corrects": TARGET, "action": "void"},
        ADJUSTMENT: {"lease_id": "l", "amount": -5, "reason": "goodwill"},
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


def test_parse__time_of_devices__becomes_values() -> None:
    usage = parse_event(event())
    assert isinstance(usage, UsageEvent)
    assert (usage.start_s, usage.end_s) == (START_S, END_S)
    assert not usage.delivery
    assert parse_event(event() | {"traceparent": "00", "time": HOUR["end"]}) == usage
    delivery = parse_event(event(kind="delivery", gpu_class="H100"))
    assert isinstance(delivery, UsageEvent)
    assert (delivery.delivery, delivery.gpu_class) == (True, "H100")
    outage = parse_event(event(AVAILABILITY, lease="l", reason="x"))
    assert isinstance(outage, OutageEvent)
    assert (outage.lease_id, outage.planned) == ("l", False)
    assert parse_event(event(AVAILABILITY, lease="l", cause="fault")) == outage
    planned = parse_event(event(AVAILABILITY, cause="planned"))
    assert isinstance(planned, OutageEvent)
    assert (planned.lease_id, planned.planned) == (None, True)
    seen = parse_event(event(SEEN))
    assert isinstance(seen, SeenEvent)
    assert (seen.device_hash, seen.start_s, seen.end_s) == (usage.device_hash, START_S, END_S)
    assert isinstance(parse_event(event(DEVICE_REGISTERED)), DeviceRegisteredEvent)


def test_parse__allocation__names_the_event_that_opened_it() -> None:
    fresh, known = (
        parse_event(event(ALLOCATION_OPENED, **more)) for more in ({}, {"until": HOUR["end"]})
    )
    assert isinstance(fresh, AllocationOpenedEvent)
    assert isinstance(known, AllocationOpenedEvent)
    # Nobody has seen it last for a second yet.
    assert (fresh.start_s, fresh.until_s, known.until_s) == (START_S, START_S, END_S)
    for kind, ended in ((ALLOCATION_CONFIRMED, False), (ALLOCATION_ENDED, True)):
        told = parse_event(event(kind))
        assert isinstance(told, AllocationEvent)
        assert (told.source, told.id, told.until_s, told.ended) == ("s", "i", END_S, ended)


def test_parse__correction__may_bring_what_stands_for_its_target() -> None:
    void = parse_event(event(CORRECTION, reason="twice"))
    assert isinstance(void, CorrectionEvent)
    assert (void.corrects_source, void.corrects_id, void.replacement) == ("s", "i", None)

    for data, kind in ((USE, UsageEvent), (OUT, OutageEvent)):
        replaced = parse_event(event(CORRECTION, action="replace", replacement=data))
        assert isinstance(replaced, CorrectionEvent)
        assert isinstance(replaced.replacement, kind)
        # It has the correction's own name: by that it is corrected.
        assert replaced.replacement.envelope == replaced.envelope


def test_parse__short_forms_of_leases_and_money__become_values() -> None:
    opened = parse_event(event(LEASE_OPENED, max_gpus=8))
    assert isinstance(opened, LeaseOpenedEvent)
    assert (opened.price, opened.committed_gpus, opened.max_gpus) == (5, 0, 8)
    paid = parse_event(event(LEASE_OPENED, plan="take_or_pay", committed_gpus=8, max_gpus=8))
    assert isinstance(paid, LeaseOpenedEvent)
    assert (paid.plan, paid.committed_gpus) == ("take_or_pay", 8)
    closed = parse_event(event(LEASE_CLOSED))
    assert isinstance(closed, LeaseClosedEvent)
    assert (closed.lease_id, closed.closed_at_s) == ("l", END_S)
    adjusted = parse_event(event(ADJUSTMENT))
    assert isinstance(adjusted, AdjustmentEvent)
    assert (adjusted.lease_id, adjusted.amount, adjusted.reason) == ("l", -5, "goodwill")


@pytest.mark.parametrize(
    ("kind", "changes", "code"),
    [
        (AVAILABILITY, {"cause": "weather"}, "malformed_event"),
        (AVAILABILITY, {"cause": True}, "malformed_event"),
        (AVAILABILITY, {"lease": None}, "malformed_event"),
        (AVAILABILITY, {"gpu_seconds": 3_600}, "unknown_field"),
        (SEEN, {"end": HOUR["start"]}, "interval_empty"),
        (SEEN, {"lease": "l"}, "unknown_field"),
        (ALLOCATION_OPENED, {"until": "2025-12-31T23:59:59Z"}, "interval_empty"),
        (ALLOCATION_OPENED, {"until": None}, "invalid_time"),
        (ALLOCATION_OPENED, {"end": HOUR["end"]}, "unknown_field"),
        (ALLOCATION_CONFIRMED, {"allocation": "i"}, "malformed_event"),
        (ALLOCATION_ENDED, {"until": ABSENT}, "malformed_event"),
        (ALLOCATION_ENDED, {"allocation": TARGET | {"x": 1}}, "malformed_event"),
        (CORRECTION, {"action": "replace"}, "malformed_event"),
        (CORRECTION, {"replacement": USE}, "malformed_event"),
        (CORRECTION, {"action": "replace", "replacement": [USE]}, "malformed_event"),
        (CORRECTION, {"action": "replace", "replacement": {**USE, "facility_id": 1}},
         "malformed_event"),
        (CORRECTION, {"action": "replace", "replacement": {**USE, "gpu_seconds": 1}},
         "checksum_mismatch"),
        (CORRECTION, {"action": "replace", "replacement": {**USE, "cause": "fault"}},
         "unknown_field"),
        (CORRECTION, {"action": "replace", "replacement": {}}, "malformed_event"),
        (ADJUSTMENT, {"amount": 0}, "number_out_of_range"),
        (ADJUSTMENT, {"amount": MAX_PRICE + 1}, "number_out_of_range"),
        (ADJUSTMENT, {"amount": -MAX_PRICE - 1}, "number_out_of_range"),
        (ADJUSTMENT, {"amount": 0.5}, "malformed_event"),
        (ADJUSTMENT, {"reason": ABSENT}, "malformed_event"),
        (ADJUSTMENT, {"reason": ""}, "malformed_event"),
        (LEASE_OPENED, {"plan": "free"}, "malformed_event"),
        (LEASE_OPENED, {"plan": "take_or_pay"}, "invalid_input"),
        (LEASE_OPENED, {"committed_gpus": 1}, "invalid_input"),
        (LEASE_OPENED, {"plan": "take_or_pay", "committed_gpus": 2, "max_gpus": 1},
         "invalid_input"),
        (LEASE_OPENED, {"max_gpus": MAX_GPUS + 1}, "number_out_of_range"),
        (LEASE_OPENED, {"price_micros_per_gpu_hour": MAX_PRICE + 1}, "number_out_of_range"),
        # A share of credits is a component of the terms, with steps and a cap.
        (LEASE_OPENED, {"sla_credit_bps": 5}, "unknown_field"),
    ],
)  # fmt: skip
def test_parse__bad_event_of_another_kind__has_its_code(
    kind: str, changes: dict[str, Any], code: str
) -> None:
    assert _code(event(kind, **changes)) == code


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
