"""Meter events: strict reading of CloudEvents 1.0 into typed values, shared with attesters."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from api.domain.devices import check_device
from api.domain.hashing import device_hash
from api.domain.metering.instants import parse_instant
from api.domain.units import (
    BPS,
    MAX_I64,
    MAX_PRICE_MICROS_PER_GPU_HOUR,
    PPM,
    Bytes32,
    FacilityId,
    Micros,
)
from api.errors import DeviceNameRefused, EventRejected, InvalidInput

USAGE = "rentroll.gpu.usage.v1"
AVAILABILITY = "rentroll.gpu.availability.v1"
CORRECTION = "rentroll.gpu.correction.v1"
LEASE_OPENED = "rentroll.lease.opened.v1"
LEASE_CLOSED = "rentroll.lease.closed.v1"
DEVICE_REGISTERED = "rentroll.device.registered.v1"

MAX_TEXT = 200
MAX_ENERGY_JOULES = 10**12
# CloudEvents 1.0 §3: context attributes that we know. Extensions are lower-case alphanumerics.
_CONTEXT = frozenset(
    {"specversion", "id", "source", "type", "time", "subject", "datacontenttype", "dataschema"}
)
_EXTENSION = re.compile(r"[a-z0-9]{1,20}", re.ASCII)

_REQUIRED: Mapping[str, frozenset[str]] = {
    USAGE: frozenset({"facility_id", "device", "lease", "start", "end", "gpu_seconds"}),
    AVAILABILITY: frozenset({"facility_id", "device", "start", "end"}),
    CORRECTION: frozenset({"facility_id", "corrects", "action"}),
    LEASE_OPENED: frozenset(
        {"facility_id", "lease_id", "renter_ref", "plan", "opened_at", "price_micros_per_gpu_hour"}
    ),
    LEASE_CLOSED: frozenset({"facility_id", "lease_id", "closed_at"}),
    DEVICE_REGISTERED: frozenset({"facility_id", "device"}),
}
_OPTIONAL: Mapping[str, frozenset[str]] = {
    USAGE: frozenset({"gpu_class", "kind", "utilization_ppm", "energy_joules"}),
    AVAILABILITY: frozenset({"lease", "reason"}),
    CORRECTION: frozenset({"reason"}),
    LEASE_OPENED: frozenset({"committed_gpus", "max_gpus", "sla_credit_bps"}),
    LEASE_CLOSED: frozenset(),
    DEVICE_REGISTERED: frozenset({"gpu_class"}),
}


@dataclass(frozen=True, slots=True)
class Envelope:
    """What every event has; `source` and `id` identify it for ever within its operator."""

    source: str
    id: str
    type: str
    facility_id: FacilityId


@dataclass(frozen=True, slots=True)
class UsageEvent:
    """A device was allocated to a lease over `[start_s, end_s)`. Utilisation is evidence only."""

    envelope: Envelope
    device_hash: Bytes32
    lease_id: str
    start_s: int
    end_s: int
    delivery: bool
    gpu_class: str | None


@dataclass(frozen=True, slots=True)
class OutageEvent:
    """A device could not be used over `[start_s, end_s)`, withheld from `lease_id` if named."""

    envelope: Envelope
    device_hash: Bytes32
    lease_id: str | None
    start_s: int
    end_s: int


@dataclass(frozen=True, slots=True)
class CorrectionEvent:
    """Voids one earlier usage event of the same operator."""

    envelope: Envelope
    corrects_source: str
    corrects_id: str


@dataclass(frozen=True, slots=True)
class LeaseOpenedEvent:
    """A lease begins, with its first price."""

    envelope: Envelope
    lease_id: str
    renter_ref: str
    plan: str
    committed_gpus: int
    max_gpus: int
    opened_at_s: int
    price_micros_per_gpu_hour: Micros
    sla_credit_bps: int


@dataclass(frozen=True, slots=True)
class LeaseClosedEvent:
    """A lease ends."""

    envelope: Envelope
    lease_id: str
    closed_at_s: int


@dataclass(frozen=True, slots=True)
class DeviceRegisteredEvent:
    """A collector announces a device."""

    envelope: Envelope
    device: str


MeterEvent = (
    UsageEvent
    | OutageEvent
    | CorrectionEvent
    | LeaseOpenedEvent
    | LeaseClosedEvent
    | DeviceRegisteredEvent
)


def _text(container: Mapping[str, object], field: str, limit: int = MAX_TEXT) -> str:
    value = container.get(field)
    if not isinstance(value, str) or not 0 < len(value) <= limit or not value.isprintable():
        raise EventRejected(
            "malformed_event", f"{field} must be 1 to {limit} printable characters", field=field
        )
    return value


def _integer(data: Mapping[str, object], field: str, *, low: int, high: int) -> int:
    value = data[field]
    # bool is an int in Python: `true` is not one GPU-second.
    if type(value) is not int:
        raise EventRejected("malformed_event", f"{field} must be an integer", field=field)
    if not low <= value <= high:
        message = f"{field} must be {low} to {high}"
        raise EventRejected("number_out_of_range", message, field=field)
    return value


def _instant(data: Mapping[str, object], field: str) -> int:
    value = data[field]
    if not isinstance(value, str):
        raise EventRejected("invalid_time", f"{field} must be RFC 3339 text", field=field)
    try:
        return parse_instant(value, field=field)
    except InvalidInput as error:
        raise EventRejected("invalid_time", error.message, field=field) from error


def _interval(data: Mapping[str, object]) -> tuple[int, int]:
    start_s, end_s = _instant(data, "start"), _instant(data, "end")
    if end_s <= start_s:
        raise EventRejected("interval_empty", "end must be after start", field="end")
    return start_s, end_s


def _device(data: Mapping[str, object]) -> str:
    value = data["device"]
    if not isinstance(value, str):
        raise EventRejected(
            "malformed_event", "device must be the name of a device", field="device"
        )
    try:
        return check_device(value)
    except DeviceNameRefused as error:
        raise EventRejected("malformed_event", error.message, field="device") from error


def identity(event: object) -> tuple[str | None, str | None]:
    """`(source, id)` of an event as far as they can be read, for error answers."""
    if not isinstance(event, dict):
        return None, None
    source, event_id = event.get("source"), event.get("id")
    return (
        source[:MAX_TEXT] if isinstance(source, str) else None,
        event_id[:MAX_TEXT] if isinstance(event_id, str) else None,
    )


def _check_context(event: Mapping[str, object]) -> None:
    if event.get("specversion") != "1.0":
        raise EventRejected("malformed_event", 'specversion must be "1.0"', field="specversion")
    for name in event.keys() - _CONTEXT - {"data"}:
        if not _EXTENSION.fullmatch(name):
            raise EventRejected("unknown_field", f"{name[:40]!r} is no attribute", field=name[:40])
    if "time" in event:
        _instant(event, "time")


def _check_fields(data: Mapping[str, object], event_type: str) -> None:
    required = _REQUIRED[event_type]
    missing = required - data.keys()
    if missing:
        field = min(missing)
        raise EventRejected("malformed_event", f"data lacks {field}", field=field)
    unknown = data.keys() - required - _OPTIONAL[event_type]
    if unknown:
        field = min(unknown)[:40]
        raise EventRejected("unknown_field", f"data has unknown {field!r}", field=field)


def _usage(envelope: Envelope, data: Mapping[str, object]) -> UsageEvent:
    device, lease_id = _device(data), _text(data, "lease", 120)
    start_s, end_s = _interval(data)
    gpu_seconds = _integer(data, "gpu_seconds", low=0, high=MAX_I64)
    if gpu_seconds != end_s - start_s:
        message = f"gpu_seconds is {gpu_seconds}, the interval has {end_s - start_s}"
        raise EventRejected("checksum_mismatch", message, field="gpu_seconds")
    if "utilization_ppm" in data:
        _integer(data, "utilization_ppm", low=0, high=PPM)
    if "energy_joules" in data:
        # DCGM reports 9223372036854775794 for "blank": out of range, as it should be.
        _integer(data, "energy_joules", low=0, high=MAX_ENERGY_JOULES)
    kind = data.get("kind", "usage")
    if kind not in ("usage", "delivery"):
        raise EventRejected("malformed_event", "kind must be usage or delivery", field="kind")
    gpu_class = _text(data, "gpu_class", 32) if "gpu_class" in data else None
    delivery = kind == "delivery"
    return UsageEvent(
        envelope=envelope,
        device_hash=device_hash(device),
        lease_id=lease_id,
        start_s=start_s,
        end_s=end_s,
        delivery=delivery,
        gpu_class=gpu_class,
    )


def _outage(envelope: Envelope, data: Mapping[str, object], lease: str | None) -> OutageEvent:
    device = _device(data)
    start_s, end_s = _interval(data)
    return OutageEvent(
        envelope=envelope,
        device_hash=device_hash(device),
        lease_id=lease,
        start_s=start_s,
        end_s=end_s,
    )


def _correction(envelope: Envelope, data: Mapping[str, object]) -> CorrectionEvent:
    if data["action"] != "void":
        raise EventRejected("malformed_event", 'action must be "void"', field="action")
    target = data["corrects"]
    if not isinstance(target, dict) or target.keys() != {"source", "id"}:
        message = "corrects must be {source, id} of the event to void"
        raise EventRejected("malformed_event", message, field="corrects")
    return CorrectionEvent(envelope, _text(target, "source"), _text(target, "id"))


def _lease_opened(envelope: Envelope, data: Mapping[str, object]) -> LeaseOpenedEvent:
    complete = {"committed_gpus": 0, "max_gpus": 0, "sla_credit_bps": 0, **data}
    return LeaseOpenedEvent(
        envelope=envelope,
        lease_id=_text(data, "lease_id", 120),
        renter_ref=_text(data, "renter_ref", 120),
        plan=_text(data, "plan", 16),
        committed_gpus=_integer(complete, "committed_gpus", low=0, high=1_000_000),
        max_gpus=_integer(complete, "max_gpus", low=0, high=1_000_000),
        opened_at_s=_instant(data, "opened_at"),
        price_micros_per_gpu_hour=Micros(
            _integer(data, "price_micros_per_gpu_hour", low=0, high=MAX_PRICE_MICROS_PER_GPU_HOUR)
        ),
        sla_credit_bps=_integer(complete, "sla_credit_bps", low=0, high=BPS),
    )


def parse_event(event: object) -> MeterEvent:
    """Read one CloudEvent.

    Raises:  EventRejected with a stable reason; nothing is guessed or coerced.
    """
    if not isinstance(event, dict):
        raise EventRejected("malformed_event", "an event must be a JSON object")
    _check_context(event)
    source, event_id, event_type = (_text(event, f) for f in ("source", "id", "type"))
    if event_type not in _REQUIRED:
        raise EventRejected("unknown_type", f"unknown event type {event_type!r}", field="type")
    data = event.get("data")
    if not isinstance(data, dict):
        raise EventRejected("malformed_event", "data must be a JSON object", field="data")
    _check_fields(data, event_type)
    facility_id = FacilityId(_integer(data, "facility_id", low=1, high=MAX_I64))
    envelope = Envelope(source, event_id, event_type, facility_id)
    if event_type == USAGE:
        return _usage(envelope, data)
    if event_type == AVAILABILITY:
        lease = _text(data, "lease", 120) if "lease" in data else None
        return _outage(envelope, data, lease)
    if event_type == CORRECTION:
        return _correction(envelope, data)
    if event_type == LEASE_OPENED:
        return _lease_opened(envelope, data)
    if event_type == LEASE_CLOSED:
        lease_id = _text(data, "lease_id", 120)
        return LeaseClosedEvent(envelope, lease_id, _instant(data, "closed_at"))
    return DeviceRegisteredEvent(envelope, _device(data))
