"""Meter events: CloudEvents 1.0 read strictly into typed values. Pure: attesters read the same."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from api.domain.event_fields import (
    Fields,
    check_device_uuid,
    instant_of,
    read_facility,
    read_instant,
    read_integer,
    read_interval,
    read_text,
    refuse_unknown,
)
from api.domain.event_types import (
    CORRECTION_TYPE,
    DEVICE_REGISTERED_TYPE,
    LEASE_CLOSED_TYPE,
    LEASE_OPENED_TYPE,
    MAX_COMMITTED_GPUS,
    MAX_DEVICE_CHARS,
    MAX_ENERGY_JOULES,
    MAX_EVENT_ID_CHARS,
    MAX_LEASE_ID_CHARS,
    MAX_REASON_CHARS,
    OUTAGE_TYPE,
    USAGE_TYPE,
    CorrectionEvent,
    DeviceRegisteredEvent,
    LeaseClosedEvent,
    LeaseOpenedEvent,
    MeterEvent,
    OutageEvent,
    UsageEvent,
)
from api.domain.hashing import sha256
from api.domain.rating import PricePlan
from api.domain.units import BPS, MAX_I64, MAX_PRICE_MICROS_PER_GPU_HOUR, PPM, Bytes32
from api.domain.usage import LineKind
from api.errors import EventRejected

__all__ = [
    "CorrectionEvent",
    "DeviceRegisteredEvent",
    "LeaseClosedEvent",
    "LeaseOpenedEvent",
    "MeterEvent",
    "OutageEvent",
    "UsageEvent",
    "decode_payload",
    "encode_event",
    "event_identity",
    "parse_event",
    "payload_hash",
]

# CloudEvents 1.0 §3.1: extension attributes are lower-case letters and digits.
_EXTENSION = re.compile(r"[a-z0-9]{1,20}", re.ASCII)
_FRACTION = re.compile(r"\.\d{1,9}(?=[Zz+-])", re.ASCII)
_ENVELOPE = frozenset(
    ("specversion", "id", "source", "type", "time", "subject", "datacontenttype", "dataschema")
) | {"data"}


def _usage(source: str, event_id: str, data: Fields) -> UsageEvent:
    start_s, end_s = read_interval(data)
    gpu_seconds = read_integer(data, "gpu_seconds", 0, MAX_I64)
    if gpu_seconds != end_s - start_s:
        raise EventRejected(
            "checksum_mismatch",
            f"gpu_seconds is {gpu_seconds}, the interval has {end_s - start_s}",
            field="gpu_seconds",
        )
    kind = data.get("kind", "usage")
    if kind not in ("usage", "delivery"):
        raise EventRejected("malformed_event", "kind: usage or delivery", field="kind")
    utilization_ppm = energy_joules = None
    if "utilization_ppm" in data:
        utilization_ppm = read_integer(data, "utilization_ppm", 0, PPM)
    if "energy_joules" in data:
        energy_joules = read_integer(data, "energy_joules", 0, MAX_ENERGY_JOULES)
    return UsageEvent(
        source,
        event_id,
        read_facility(data),
        check_device_uuid(read_text(data, "device", MAX_DEVICE_CHARS)),
        read_text(data, "lease", MAX_LEASE_ID_CHARS),
        read_text(data, "gpu_class", 32) if "gpu_class" in data else None,
        start_s,
        end_s,
        LineKind.USAGE if kind == "usage" else LineKind.DELIVERY,
        utilization_ppm,
        energy_joules,
    )


def _outage(source: str, event_id: str, data: Fields) -> OutageEvent:
    start_s, end_s = read_interval(data)
    return OutageEvent(
        source,
        event_id,
        read_facility(data),
        check_device_uuid(read_text(data, "device", MAX_DEVICE_CHARS)),
        read_text(data, "lease", MAX_LEASE_ID_CHARS) if "lease" in data else None,
        start_s,
        end_s,
    )


def _correction(source: str, event_id: str, data: Fields) -> CorrectionEvent:
    target = data.get("corrects")
    if type(target) is not dict:
        raise EventRejected("malformed_event", "corrects: {source, id}", field="corrects")
    refuse_unknown(target, frozenset(("source", "id")), "corrects.")
    if data.get("action") != "void":
        raise EventRejected("malformed_event", "action: void", field="action")
    return CorrectionEvent(
        source,
        event_id,
        read_facility(data),
        read_text(target, "source", MAX_EVENT_ID_CHARS),
        read_text(target, "id", MAX_EVENT_ID_CHARS),
        read_text(data, "reason", MAX_REASON_CHARS) if "reason" in data else None,
    )


def _lease_opened(source: str, event_id: str, data: Fields) -> LeaseOpenedEvent:
    try:
        plan = PricePlan(read_text(data, "plan", 16))
    except ValueError as error:
        plans = ", ".join(PricePlan)
        raise EventRejected("malformed_event", f"plan: one of {plans}", field="plan") from error
    price = "price_micros_per_gpu_hour"
    return LeaseOpenedEvent(
        source,
        event_id,
        read_facility(data),
        read_text(data, "lease", MAX_LEASE_ID_CHARS),
        read_text(data, "renter_ref", MAX_LEASE_ID_CHARS),
        plan,
        read_integer(data, "committed_gpus", 0, MAX_COMMITTED_GPUS, 0),
        read_instant(data, "opened_at"),
        read_integer(data, price, 0, MAX_PRICE_MICROS_PER_GPU_HOUR),
        read_integer(data, "sla_credit_bps", 0, BPS, 0),
    )


def _lease_closed(source: str, event_id: str, data: Fields) -> LeaseClosedEvent:
    lease_id = read_text(data, "lease", MAX_LEASE_ID_CHARS)
    return LeaseClosedEvent(
        source, event_id, read_facility(data), lease_id, read_instant(data, "closed_at")
    )


def _device_registered(source: str, event_id: str, data: Fields) -> DeviceRegisteredEvent:
    device_uuid = check_device_uuid(read_text(data, "device", MAX_DEVICE_CHARS))
    return DeviceRegisteredEvent(source, event_id, read_facility(data), device_uuid)


_INTERVAL_FIELDS = ("facility_id", "device", "lease", "start", "end")
_READERS: Mapping[str, tuple[frozenset[str], Callable[[str, str, Fields], MeterEvent]]] = {
    USAGE_TYPE: (
        frozenset((*_INTERVAL_FIELDS, "gpu_class", "gpu_seconds", "kind"))
        | {"utilization_ppm", "energy_joules"},
        _usage,
    ),
    OUTAGE_TYPE: (frozenset(_INTERVAL_FIELDS), _outage),
    CORRECTION_TYPE: (frozenset(("facility_id", "corrects", "action", "reason")), _correction),
    LEASE_OPENED_TYPE: (
        frozenset(("facility_id", "lease", "renter_ref", "plan", "committed_gpus", "opened_at"))
        | {"price_micros_per_gpu_hour", "sla_credit_bps"},
        _lease_opened,
    ),
    LEASE_CLOSED_TYPE: (frozenset(("facility_id", "lease", "closed_at")), _lease_closed),
    DEVICE_REGISTERED_TYPE: (
        frozenset(("facility_id", "device", "gpu_class")),
        _device_registered,
    ),
}


def _check_envelope(event: Fields) -> None:
    if event.get("specversion") != "1.0":
        raise EventRejected("malformed_event", 'specversion must be "1.0"', field="specversion")
    for name in event.keys() - _ENVELOPE:
        value = event[name]
        if _EXTENSION.fullmatch(name) is None or type(value) not in (str, int, bool):
            raise EventRejected(
                "unknown_field", f"{name[:40]!r} is no CloudEvents attribute", field=name[:40]
            )
        if type(value) is str:
            read_text(event, name, MAX_REASON_CHARS)
        else:
            # CloudEvents 1.0 §3.1.1: integers have 32 bits.
            read_integer({name: int(value)}, name, -(2**31), 2**31 - 1)
    if "time" in event:
        moment = read_text(event, "time", 64)
        instant_of(_FRACTION.sub("", moment, count=1), "time")
    for name in ("subject", "dataschema"):
        if name in event:
            read_text(event, name, MAX_EVENT_ID_CHARS)
    if "datacontenttype" in event:
        essence = read_text(event, "datacontenttype", 100).partition(";")[0].strip().lower()
        if essence != "application/json" and not essence.endswith("+json"):
            raise EventRejected(
                "malformed_event", "datacontenttype must be JSON", field="datacontenttype"
            )


def event_identity(event: object) -> tuple[str | None, str | None]:
    """(source, id) of whatever was sent, for answers: text of at most 200 characters, or None."""
    if not isinstance(event, dict):
        return None, None
    source, event_id = event.get("source"), event.get("id")
    return (
        source[:MAX_EVENT_ID_CHARS] if isinstance(source, str) else None,
        event_id[:MAX_EVENT_ID_CHARS] if isinstance(event_id, str) else None,
    )


def parse_event(event: object) -> MeterEvent:
    """Read one CloudEvent, already decoded from JSON, with every field checked for type and bounds.

    Raises:  EventRejected `malformed_event`, `unknown_type`, `unknown_field`, `invalid_time`,
             `interval_empty`, `checksum_mismatch`, `number_out_of_range`. Rules that need the
             ledger (overlap, open lease, epoch) come later, in ingest.
    """
    if type(event) is not dict:
        raise EventRejected("malformed_event", "an event is a JSON object")
    source = read_text(event, "source", MAX_EVENT_ID_CHARS)
    event_id = read_text(event, "id", MAX_EVENT_ID_CHARS)
    _check_envelope(event)
    event_type = read_text(event, "type", MAX_EVENT_ID_CHARS)
    known = _READERS.get(event_type)
    if known is None:
        raise EventRejected("unknown_type", f"unknown type {event_type[:64]!r}", field="type")
    data = event.get("data")
    if type(data) is not dict:
        raise EventRejected("malformed_event", "data must be an object", field="data")
    refuse_unknown(data, known[0], "data.")
    return known[1](source, event_id, data)


def encode_event(event: Mapping[str, Any]) -> bytes:
    """Canonical JSON of an event that `parse_event` took: sorted keys, no spaces, UTF-8.

    Such an event holds no floats, so that every JSON writer agrees on the bytes.
    """
    return orjson.dumps(event, option=orjson.OPT_SORT_KEYS)


def payload_hash(payload: bytes) -> Bytes32:
    """SHA-256 of an event's canonical JSON: what makes two deliveries the same event."""
    return sha256(payload)


def decode_payload(payload: bytes) -> MeterEvent:
    """Read a stored payload (bytes of `encode_event`) again, as attesters do."""
    return parse_event(orjson.loads(payload))
