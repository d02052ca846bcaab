"""What `POST /v1/events` takes, for the OpenAPI document: a schema and an example of each type."""

from api.domain.metering.events import (
    AVAILABILITY,
    CORRECTION,
    DEVICE_REGISTERED,
    LEASE_CLOSED,
    LEASE_OPENED,
    MAX_ENERGY_JOULES,
    MAX_TEXT,
    USAGE,
)
from api.domain.metering.rejections import REJECTIONS
from api.domain.units import MAX_I64, MAX_PRICE_MICROS_PER_GPU_HOUR, PPM
from api.routes.http.body import BATCH, JSON, MAX_BODY_BYTES, MAX_EVENTS, SINGLE
from api.routes.operator.facilities import EXAMPLE_DEVICES

_Schema = dict[str, object]


def _integer(high: int, description: str, low: int = 0) -> _Schema:
    return {"type": "integer", "minimum": low, "maximum": high, "description": description}


def _text(high: int, description: str) -> _Schema:
    return {"type": "string", "minLength": 1, "maxLength": high, "description": description}


def _time(description: str) -> _Schema:
    sentence = f"{description}; RFC 3339 with an explicit offset, whole seconds."
    return {"type": "string", "format": "date-time", "description": sentence}


_FACILITY = _integer(MAX_I64, "Facility: its on-chain id.", low=1)
_DEVICE = _text(
    96, "The device's one name, `GPU-…` or `MIG-…`, `AMD-…`, `TPU-…`, `GAUDI-…`; no index form."
)
_LEASE = _text(120, "Your id of the lease.")
_START, _END = _time("First second of the interval"), _time("Second after the interval")
_CORRECTS = {
    "type": "object",
    "description": "The event to void.",
    "required": ["source", "id"],
    "additionalProperties": False,
    "properties": {
        "source": _text(MAX_TEXT, "Its `source`."),
        "id": _text(MAX_TEXT, "Its `id`."),
    },
}
# Event type: what it says, required fields, optional fields.
_DATA: dict[str, tuple[str, dict[str, _Schema], dict[str, _Schema]]] = {
    USAGE: (
        "A device was allocated to a lease over `[start, end)`.",
        {
            "facility_id": _FACILITY,
            "device": _DEVICE,
            "lease": _LEASE,
            "start": _START,
            "end": _END,
            "gpu_seconds": _integer(MAX_I64, "Checksum: `end - start` in seconds."),
        },
        {
            "gpu_class": _text(32, "SKU; the event is rejected unless it is the facility's."),
            "kind": {
                "enum": ["usage", "delivery"],
                "description": "`delivery` hands out compute instead of cash.",
            },
            "utilization_ppm": _integer(PPM, "Evidence only, parts per million."),
            "energy_joules": _integer(MAX_ENERGY_JOULES, "Evidence only, joules."),
        },
    ),
    AVAILABILITY: (
        "A device could not be used over `[start, end)`.",
        {"facility_id": _FACILITY, "device": _DEVICE, "start": _START, "end": _END},
        {"lease": _LEASE, "reason": {"description": "For people."}},
    ),
    CORRECTION: (
        "Voids one earlier usage event, once.",
        {
            "facility_id": _FACILITY,
            "corrects": _CORRECTS,
            "action": {"const": "void", "description": "Always `void`."},
        },
        {"reason": {"description": "For people."}},
    ),
    LEASE_OPENED: (
        "A lease begins, with its first price.",
        {
            "facility_id": _FACILITY,
            "lease_id": _LEASE,
            "renter_ref": _text(120, "Opaque reference of the renter; never personal data."),
            "plan": {
                "enum": ["on_demand", "spot", "reserved", "take_or_pay"],
                "description": "Price plan.",
            },
            "opened_at": _time("First second of the lease"),
            "price_micros_per_gpu_hour": _integer(
                MAX_PRICE_MICROS_PER_GPU_HOUR, "Price in micros per GPU-hour."
            ),
        },
        {
            "committed_gpus": _integer(1_000_000, "GPUs paid for, used or not; take_or_pay only."),
            "max_gpus": _integer(1_000_000, "Most GPUs at once; 0 for no limit."),
            "sla_credit_bps": _integer(10_000, "Credit for withheld time, basis points."),
        },
    ),
    LEASE_CLOSED: (
        "A lease ends.",
        {
            "facility_id": _FACILITY,
            "lease_id": _LEASE,
            "closed_at": _time("Second after the lease"),
        },
        {},
    ),
    DEVICE_REGISTERED: (
        "A collector announces a device. Always answered `pledge_fixed`: a pledge never changes.",
        {"facility_id": _FACILITY, "device": _DEVICE},
        {"gpu_class": _text(32, "SKU.")},
    ),
}
_ATTRIBUTES: dict[str, _Schema] = {
    "specversion": {"const": "1.0", "description": "CloudEvents version."},
    "id": _text(MAX_TEXT, "With `source` the event's identity, for ever."),
    "source": _text(MAX_TEXT, "The collector."),
    "time": _time("When the event was made; informative"),
    "subject": {"type": "string", "description": "Informative."},
    "datacontenttype": {"type": "string", "description": "Informative: application/json."},
    "dataschema": {"type": "string", "description": "Informative."},
}


def event_schema(event_type: str) -> _Schema:
    """JSON schema of one event type: envelope and data."""
    about, required, optional = _DATA[event_type]
    return {
        "type": "object",
        "title": event_type,
        "description": about,
        "required": ["specversion", "id", "source", "type", "data"],
        "properties": {
            **_ATTRIBUTES,
            "type": {"const": event_type, "description": "Type of the event."},
            "data": {
                "type": "object",
                "description": about,
                "required": list(required),
                "additionalProperties": False,
                "properties": {**required, **optional},
            },
        },
    }


def _example(event_type: str, name: str, **data: object) -> _Schema:
    return {
        "specversion": "1.0",
        "id": name,
        "source": "collector/hall-1",
        "type": event_type,
        "data": {"facility_id": 1, **data},
    }


_HOUR = {"start": "2026-12-01T00:00:00Z", "end": "2026-12-01T01:00:00Z"}
# In an order in which one after the other is accepted.
EVENT_EXAMPLES = {
    LEASE_OPENED: _example(
        LEASE_OPENED,
        "lease-8-opened",
        lease_id="lease-8",
        renter_ref="renter-8",
        plan="on_demand",
        opened_at="2026-12-01T00:00:00Z",
        price_micros_per_gpu_hour=2_490_000,
    ),
    USAGE: _example(
        USAGE, "usage-1", device=EXAMPLE_DEVICES[0], lease="lease-8", gpu_seconds=3_600, **_HOUR
    ),
    AVAILABILITY: _example(
        AVAILABILITY, "outage-1", device=EXAMPLE_DEVICES[1], lease="lease-8", **_HOUR
    ),
    CORRECTION: _example(
        CORRECTION,
        "void-1",
        corrects={"source": "collector/hall-1", "id": "usage-1"},
        action="void",
        reason="metered twice",
    ),
    LEASE_CLOSED: _example(
        LEASE_CLOSED, "lease-8-closed", lease_id="lease-8", closed_at="2026-12-01T12:00:00Z"
    ),
    DEVICE_REGISTERED: _example(DEVICE_REGISTERED, "device-1", device=EXAMPLE_DEVICES[0]),
}

_ONE = {"oneOf": [event_schema(event_type) for event_type in _DATA]}
_MANY = {"type": "array", "items": _ONE, "maxItems": MAX_EVENTS}
_SINGLE_EXAMPLES = {
    event_type: {"summary": _DATA[event_type][0], "value": example}
    for event_type, example in EVENT_EXAMPLES.items()
}
_BATCH_EXAMPLES = {
    "batch": {"summary": "One event of each type.", "value": list(EVENT_EXAMPLES.values())}
}
EVENT_BODY = {
    "requestBody": {
        "required": True,
        "description": f"One CloudEvent 1.0, or up to {MAX_EVENTS:,}, in at most {MAX_BODY_BYTES:,}"
        " bytes after decompression; `Content-Encoding: gzip` is welcome.",
        "content": {
            SINGLE: {"schema": _ONE, "examples": _SINGLE_EXAMPLES},
            BATCH: {"schema": _MANY, "examples": _BATCH_EXAMPLES},
            JSON: {
                "schema": {"anyOf": [_ONE, _MANY]},
                "examples": {**_SINGLE_EXAMPLES, **_BATCH_EXAMPLES},
            },
        },
    }
}

_TABLE = "\n".join(f"| `{code}` | {sentence} |" for code, sentence in REJECTIONS.items())
EVENTS_ABOUT = f"""Push metering. Sending a body again is always safe.

Every event is answered on its own, in order: `accepted`, `duplicate` (recorded before, with the
same payload) or `rejected` with one of the codes below; a bad event never blocks the others. The
whole body is refused only if it is no JSON (NaN and Infinity are none), too large, or of another
media type; then nothing is recorded.

| code | why the event is rejected |
|---|---|
{_TABLE}
"""
