"""Meter events: strict reading of CloudEvents 1.0 into typed values, shared with attesters."""

import re
from collections.abc import Callable, Mapping

from api.domain.devices import check_device
from api.domain.hashing import device_hash
from api.domain.metering.event_types import (
    AdjustmentEvent,
    AllocationEvent,
    AllocationOpenedEvent,
    CorrectionEvent,
    DeviceRegisteredEvent,
    Envelope,
    LeaseClosedEvent,
    LeaseOpenedEvent,
    MeterEvent,
    OutageEvent,
    SeenEvent,
    UsageEvent,
)
from api.domain.metering.fields import MAX_TEXT, instant, integer, interval, text
from api.domain.metering.terms_events import (
    OPTIONAL_TERMS,
    REFUSED_TERMS,
    REQUIRED_TERMS,
    read_terms,
)
from api.domain.units import MAX_I64, MAX_PRICE, PPM, FacilityId, Minor
from api.errors import DeviceNameRefused, EventRejected

USAGE = "rentroll.gpu.usage.v1"
ALLOCATION_OPENED = "rentroll.gpu.allocation.opened.v1"
ALLOCATION_CONFIRMED = "rentroll.gpu.allocation.confirmed.v1"
ALLOCATION_ENDED = "rentroll.gpu.allocation.ended.v1"
SEEN = "rentroll.gpu.seen.v1"
AVAILABILITY = "rentroll.gpu.availability.v1"
CORRECTION = "rentroll.gpu.correction.v1"
LEASE_TERMS = "rentroll.lease.terms.v1"
LEASE_OPENED = "rentroll.lease.opened.v1"
LEASE_CLOSED = "rentroll.lease.closed.v1"
ADJUSTMENT = "rentroll.lease.adjustment.v1"
DEVICE_REGISTERED = "rentroll.device.registered.v1"

MAX_ENERGY_JOULES = 10**12
# CloudEvents 1.0 §3: context attributes, and data. Extensions are lower-case alphanumerics.
_CONTEXT = ("specversion", "id", "source", "type", "time", "subject")
KNOWN = frozenset({*_CONTEXT, "datacontenttype", "dataschema", "data"})
_EXTENSION = re.compile(r"[a-z0-9]{1,20}", re.ASCII)

_REQUIRED: Mapping[str, frozenset[str]] = {
    USAGE: frozenset({"facility_id", "device", "lease", "start", "end", "gpu_seconds"}),
    ALLOCATION_OPENED: frozenset({"facility_id", "device", "lease", "start"}),
    ALLOCATION_CONFIRMED: frozenset({"facility_id", "allocation", "until"}),
    ALLOCATION_ENDED: frozenset({"facility_id", "allocation", "until"}),
    SEEN: frozenset({"facility_id", "device", "start", "end"}),
    AVAILABILITY: frozenset({"facility_id", "device", "start", "end"}),
    CORRECTION: frozenset({"facility_id", "corrects", "action"}),
    LEASE_TERMS: REQUIRED_TERMS,
    LEASE_OPENED: frozenset(
        {"facility_id", "lease_id", "renter_ref", "plan", "opened_at", "price_micros_per_gpu_hour"}
    ),
    LEASE_CLOSED: frozenset({"facility_id", "lease_id", "closed_at"}),
    ADJUSTMENT: frozenset({"facility_id", "lease_id", "amount", "reason"}),
    DEVICE_REGISTERED: frozenset({"facility_id", "device"}),
}
_OPTIONAL: Mapping[str, frozenset[str]] = {
    USAGE: frozenset({"gpu_class", "kind", "utilization_ppm", "energy_joules"}),
    ALLOCATION_OPENED: frozenset({"gpu_class", "until"}),
    ALLOCATION_CONFIRMED: frozenset(),
    ALLOCATION_ENDED: frozenset(),
    SEEN: frozenset(),
    AVAILABILITY: frozenset({"lease", "cause", "reason"}),
    CORRECTION: frozenset({"reason", "replacement"}),
    LEASE_TERMS: OPTIONAL_TERMS,
    LEASE_OPENED: frozenset({"committed_gpus", "max_gpus"}),
    LEASE_CLOSED: frozenset(),
    ADJUSTMENT: frozenset(),
    DEVICE_REGISTERED: frozenset({"gpu_class"}),
}
_ALLOWED = {kind: required | _OPTIONAL[kind] for kind, required in _REQUIRED.items()}
# Names that stand for the components of a lease's terms.
PLANS = ("on_demand", "spot", "reserved", "take_or_pay")
MAX_GPUS = 1_000_000


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
    for name in event.keys() - KNOWN:
        if not _EXTENSION.fullmatch(name):
            raise EventRejected("unknown_field", f"{name[:40]!r} is no attribute", field=name[:40])
    # CloudEvents JSON format 1.0.2 §2.2: null is as if the attribute were not there.
    if event.get("time") is not None:
        instant(event, "time")


def _check_fields(data: Mapping[str, object], event_type: str) -> None:
    required, allowed = _REQUIRED[event_type], _ALLOWED[event_type]
    if required <= data.keys() <= allowed:
        return
    missing = required - data.keys()
    if missing:
        field = min(missing)
        raise EventRejected("malformed_event", f"data lacks {field}", field=field)
    # It lacks none, so it has another.
    field = min(data.keys() - allowed)[:40]
    if event_type == LEASE_TERMS and field in REFUSED_TERMS:
        raise EventRejected("terms_unsupported", REFUSED_TERMS[field], field=field)
    raise EventRejected("unknown_field", f"data has unknown {field!r}", field=field)


def _choice(data: Mapping[str, object], field: str, choices: tuple[str, ...]) -> str:
    """The first choice is what is meant where the field is missing."""
    value = data.get(field, choices[0])
    if not isinstance(value, str) or value not in choices:
        message = f"{field} must be {' or '.join(choices)}"
        raise EventRejected("malformed_event", message, field=field)
    return value


def _gpu_class(data: Mapping[str, object]) -> str | None:
    return text(data, "gpu_class", 32) if "gpu_class" in data else None


def _usage(envelope: Envelope, data: Mapping[str, object]) -> UsageEvent:
    device, lease_id = _device(data), text(data, "lease", 120)
    start_s, end_s = interval(data)
    gpu_seconds = integer(data, "gpu_seconds", low=0, high=MAX_I64)
    if gpu_seconds != end_s - start_s:
        message = f"gpu_seconds is {gpu_seconds}, the interval has {end_s - start_s}"
        raise EventRejected("checksum_mismatch", message, field="gpu_seconds")
    if "utilization_ppm" in data:
        integer(data, "utilization_ppm", low=0, high=PPM)
    if "energy_joules" in data:
        # DCGM reports 9223372036854775794 for "blank": out of range, as it should be.
        integer(data, "energy_joules", low=0, high=MAX_ENERGY_JOULES)
    delivery = _choice(data, "kind", ("usage", "delivery")) == "delivery"
    return UsageEvent(
        envelope=envelope,
        device_hash=device_hash(device),
        lease_id=lease_id,
        start_s=start_s,
        end_s=end_s,
        delivery=delivery,
        gpu_class=_gpu_class(data),
    )


def _allocation_opened(envelope: Envelope, data: Mapping[str, object]) -> AllocationOpenedEvent:
    device, lease_id = _device(data), text(data, "lease", 120)
    start_s = instant(data, "start")
    until_s = instant(data, "until") if "until" in data else start_s
    if until_s < start_s:
        raise EventRejected("interval_empty", "until must not be before start", field="until")
    gpu_class = _gpu_class(data)
    device_id = device_hash(device)
    return AllocationOpenedEvent(envelope, device_id, lease_id, start_s, until_s, gpu_class)


def _allocation(envelope: Envelope, data: Mapping[str, object]) -> AllocationEvent:
    source, event_id = _named(data, "allocation")
    ended = envelope.type == ALLOCATION_ENDED
    return AllocationEvent(envelope, source, event_id, instant(data, "until"), ended)


def _named(data: Mapping[str, object], field: str) -> tuple[str, str]:
    """`{source, id}` of another event."""
    target = data[field]
    if not isinstance(target, dict) or target.keys() != {"source", "id"}:
        message = f"{field} must be {{source, id}} of an event of the facility"
        raise EventRejected("malformed_event", message, field=field)
    return text(target, "source"), text(target, "id")


def _seen(envelope: Envelope, data: Mapping[str, object]) -> SeenEvent:
    device, span = _device(data), interval(data)
    return SeenEvent(envelope, device_hash(device), *span)


def _outage(envelope: Envelope, data: Mapping[str, object]) -> OutageEvent:
    device, span = _device(data), interval(data)
    lease = text(data, "lease", 120) if "lease" in data else None
    planned = _choice(data, "cause", ("fault", "planned")) == "planned"
    return OutageEvent(envelope, device_hash(device), lease, *span, planned)


def _correction(envelope: Envelope, data: Mapping[str, object]) -> CorrectionEvent:
    action = data["action"]
    if action not in ("void", "replace"):
        message = 'action must be "void" or "replace"'
        raise EventRejected("malformed_event", message, field="action")
    named = _named(data, "corrects")
    if (action == "replace") != ("replacement" in data):
        message = "a replacement stands beside the action replace, and beside no other"
        raise EventRejected("malformed_event", message, field="replacement")
    if action == "void":
        return CorrectionEvent(envelope, *named)
    replacement = data["replacement"]
    if not isinstance(replacement, dict) or "facility_id" in replacement:
        message = "replacement must be the data of usage or an outage, without its facility_id"
        raise EventRejected("malformed_event", message, field="replacement")
    told = {"facility_id": envelope.facility_id, **replacement}
    # Usage has a checksum, an outage none.
    kind = USAGE if "gpu_seconds" in told else AVAILABILITY
    _check_fields(told, kind)
    read = _usage(envelope, told) if kind == USAGE else _outage(envelope, told)
    return CorrectionEvent(envelope, *named, read)


def _lease_opened(envelope: Envelope, data: Mapping[str, object]) -> LeaseOpenedEvent:
    complete = {"committed_gpus": 0, "max_gpus": 0, **data}
    plan = _choice(data, "plan", PLANS)
    committed = integer(complete, "committed_gpus", low=0, high=MAX_GPUS)
    if (plan == "take_or_pay") != (committed > 0):
        message = "a take-or-pay lease, and no other, commits GPUs"
        raise EventRejected("invalid_input", message, field="committed_gpus")
    most = integer(complete, "max_gpus", low=0, high=MAX_GPUS)
    if most and most < committed:
        raise EventRejected("invalid_input", "max_gpus is below committed_gpus", field="max_gpus")
    return LeaseOpenedEvent(
        envelope=envelope,
        lease_id=text(data, "lease_id", 120),
        renter_ref=text(data, "renter_ref", 120),
        plan=plan,
        committed_gpus=committed,
        max_gpus=most,
        opened_at_s=instant(data, "opened_at"),
        price=Minor(integer(data, "price_micros_per_gpu_hour", low=0, high=MAX_PRICE)),
    )


def _lease_closed(envelope: Envelope, data: Mapping[str, object]) -> LeaseClosedEvent:
    return LeaseClosedEvent(envelope, text(data, "lease_id", 120), instant(data, "closed_at"))


def _adjustment(envelope: Envelope, data: Mapping[str, object]) -> AdjustmentEvent:
    amount = integer(data, "amount", low=-MAX_PRICE, high=MAX_PRICE)
    if amount == 0:
        raise EventRejected("number_out_of_range", "amount must not be 0", field="amount")
    lease_id, reason = text(data, "lease_id", 120), text(data, "reason")
    return AdjustmentEvent(envelope, lease_id, Minor(amount), reason)


def _device_registered(envelope: Envelope, data: Mapping[str, object]) -> DeviceRegisteredEvent:
    return DeviceRegisteredEvent(envelope, _device(data))


_READERS: Mapping[str, Callable[[Envelope, Mapping[str, object]], MeterEvent]] = {
    USAGE: _usage,
    ALLOCATION_OPENED: _allocation_opened,
    ALLOCATION_CONFIRMED: _allocation,
    ALLOCATION_ENDED: _allocation,
    SEEN: _seen,
    AVAILABILITY: _outage,
    CORRECTION: _correction,
    LEASE_TERMS: read_terms,
    LEASE_OPENED: _lease_opened,
    LEASE_CLOSED: _lease_closed,
    ADJUSTMENT: _adjustment,
    DEVICE_REGISTERED: _device_registered,
}


def parse_event(event: object) -> MeterEvent:
    """Read one CloudEvent.

    Raises:  EventRejected with a stable reason; nothing is guessed or coerced.
    """
    if not isinstance(event, dict):
        raise EventRejected("malformed_event", "an event must be a JSON object")
    _check_context(event)
    source, event_id, event_type = text(event, "source"), text(event, "id"), text(event, "type")
    reader = _READERS.get(event_type)
    if reader is None:
        raise EventRejected("unknown_type", f"unknown event type {event_type!r}", field="type")
    data = event.get("data")
    if not isinstance(data, dict):
        raise EventRejected("malformed_event", "data must be a JSON object", field="data")
    _check_fields(data, event_type)
    facility_id = FacilityId(integer(data, "facility_id", low=1, high=MAX_I64))
    return reader(Envelope(source, event_id, event_type, facility_id), data)
