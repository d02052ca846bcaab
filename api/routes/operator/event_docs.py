"""What `POST /v1/events` takes, for the OpenAPI document: a schema of each type."""

from api.domain.log.bodies import MAX_BODY_BYTES, MAX_EVENTS
from api.domain.metering.attributes import (
    MAX_ATTRIBUTE_CHARS,
    MAX_EVENT_BYTES,
    MAX_EXTENSIONS,
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
    LEASE_TERMS,
    MAX_ENERGY_JOULES,
    SEEN,
    USAGE,
)
from api.domain.metering.fields import MAX_TEXT
from api.domain.metering.lease_terms import GPUS_OF_PRICES, MAX_GPUS, MAX_STEPS
from api.domain.metering.rejections import REJECTIONS, TO_DO
from api.domain.units import BPS, MAX_I64, MAX_PRICE, MAX_U32, PPM
from api.routes.http.body import BATCH, JSON, SINGLE
from api.routes.operator.event_examples import EVENT_EXAMPLES

_Schema = dict[str, object]


def _integer(high: int, description: str, low: int = 0) -> _Schema:
    return {"type": "integer", "minimum": low, "maximum": high, "description": description}


def _text(high: int, description: str) -> _Schema:
    return {"type": "string", "minLength": 1, "maxLength": high, "description": description}


def _time(description: str) -> _Schema:
    sentence = f"{description}; RFC 3339 with an explicit offset, whole seconds."
    return {"type": "string", "format": "date-time", "description": sentence}


def _informative(description: str) -> _Schema:
    return {"type": "string", "maxLength": MAX_ATTRIBUTE_CHARS, "description": description}


_FACILITY = _integer(MAX_I64, "Facility: its on-chain id.", low=1)
_DEVICE = _text(
    96, "The device's one name, `GPU-…` or `MIG-…`, `AMD-…`, `TPU-…`, `GAUDI-…`; no index form."
)
_LEASE = _text(120, "Your id of the lease.")
_START, _END = _time("First second of the interval"), _time("Second after the interval")


def _named(description: str) -> _Schema:
    return {
        "type": "object",
        "description": description,
        "required": ["source", "id"],
        "additionalProperties": False,
        "properties": {
            "source": _text(MAX_TEXT, "Its `source`."),
            "id": _text(MAX_TEXT, "Its `id`."),
        },
    }


def _rows(description: str, **properties: _Schema) -> _Schema:
    optional = {"gpus"} if "price" in properties else set()
    return {
        "type": "array",
        "maxItems": MAX_STEPS,
        "description": description,
        "items": {
            "type": "object",
            "required": sorted(properties.keys() - optional),
            "additionalProperties": False,
            "properties": properties,
        },
    }


_AMOUNT = _integer(MAX_PRICE, "Minor units of the settlement token.", low=-MAX_PRICE)
_TERMS: dict[str, _Schema] = {
    "until": {
        "type": ["string", "null"],
        "format": "date-time",
        "description": "The lease runs until then; null while no end is agreed.",
    },
    "max_gpus": _integer(MAX_GPUS, "Most GPUs at once; 0 for no limit."),
    "prices": _rows(
        "Price by time; the first begins with the version.",
        **{"from": _time("From when on")},
        price=_integer(MAX_PRICE * GPUS_OF_PRICES, "Minor units an hour, for `gpus` GPUs."),
        gpus=_integer(GPUS_OF_PRICES, "GPUs of the price: 1, 8, 72; it divides 144.", low=1),
    ),
    "tiers": _rows(
        "Discounts by hours billed in the month, in order of time.",
        above_hours=_integer(MAX_U32, "Above so many GPU-hours."),
        discount_bps=_integer(BPS, "Discount, basis points."),
    ),
    "hours_before": _integer(MAX_U32, "GPU-hours of each month that were billed elsewhere."),
    "commitment": _rows(
        "GPUs paid for, used or not, by time; over the month, not by epoch.",
        **{"from": _time("From when on")},
        gpus=_integer(MAX_GPUS, "GPUs."),
    ),
    "minimum": _integer(MAX_PRICE, "Least charge of a month, minor units; prorated."),
    "fixed": _rows(
        "Amounts that are due at an instant: upfront, one-off, for ending early.",
        id=_text(120, "Your id of the item."),
        at=_time("When it is due"),
        amount=_AMOUNT,
    ),
    "sla": _rows(
        "Credit by the share of the month's GPU-seconds that faults withheld.",
        above_ppm=_integer(PPM - 1, "Above such a share, parts per million."),
        credit_bps=_integer(BPS, "So much of the month's charge, basis points."),
    ),
    "sla_cap_bps": _integer(BPS, "Most of the month's charge, basis points."),
    "previous": _text(66, "SHA-256 of the version before, 0x-hex, if you state it."),
    "reason": _text(MAX_TEXT, "For people."),
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
    ALLOCATION_OPENED: (
        "A device is allocated to a lease from `start` on; it is billed as far as it is confirmed.",
        {"facility_id": _FACILITY, "device": _DEVICE, "lease": _LEASE, "start": _START},
        {
            "until": _time("It lasted until then at least"),
            "gpu_class": _text(32, "SKU; the event is rejected unless it is the facility's."),
        },
    ),
    ALLOCATION_CONFIRMED: (
        "An allocation still lasts.",
        {
            "facility_id": _FACILITY,
            "allocation": _named("The event that opened it."),
            "until": _time("It lasted until then at least"),
        },
        {},
    ),
    ALLOCATION_ENDED: (
        "An allocation ended; it can have lasted shorter than was confirmed.",
        {
            "facility_id": _FACILITY,
            "allocation": _named("The event that opened it."),
            "until": _time("Second after the allocation"),
        },
        {},
    ),
    SEEN: (
        "A collector saw a device over `[start, end)`: without word of it, a device is not there.",
        {"facility_id": _FACILITY, "device": _DEVICE, "start": _START, "end": _END},
        {},
    ),
    AVAILABILITY: (
        "A device could not be used over `[start, end)`. It beats usage, second by second.",
        {"facility_id": _FACILITY, "device": _DEVICE, "start": _START, "end": _END},
        {
            "lease": {**_LEASE, "description": "Lease that it was kept from, if none held it."},
            "cause": {
                "enum": ["fault", "planned"],
                "description": "Without it a `fault`, which alone counts for an SLA.",
            },
            "reason": {"description": "For people."},
        },
    ),
    CORRECTION: (
        "Takes back an earlier event of usage or outage, once; another can stand in its place.",
        {
            "facility_id": _FACILITY,
            "corrects": _named("The event to take back."),
            "action": {"enum": ["void", "replace"], "description": "`replace` with another."},
        },
        {
            "reason": {"description": "For people."},
            "replacement": {
                "type": "object",
                "description": "Data of the usage or outage that stands instead, without facility.",
            },
        },
    ),
    LEASE_TERMS: (
        "A version of a lease's terms: whole, from an instant on, which may be past.",
        {
            "facility_id": _FACILITY,
            "lease_id": _LEASE,
            "renter_ref": _text(120, "Opaque reference of the renter; never personal data."),
            "version": _integer(MAX_U32, "1, or one more than the newest.", low=1),
            "from": _time("In force from then on"),
        },
        _TERMS,
    ),
    ADJUSTMENT: (
        "Money from a lease, or back to it where below zero, with a reason.",
        {
            "facility_id": _FACILITY,
            "lease_id": _LEASE,
            "amount": _AMOUNT,
            "reason": _text(MAX_TEXT, "For people."),
        },
        {},
    ),
    LEASE_OPENED: (
        "A lease begins, with its first price: the short form of its first terms.",
        {
            "facility_id": _FACILITY,
            "lease_id": _LEASE,
            "renter_ref": _text(120, "Opaque reference of the renter; never personal data."),
            "plan": {
                "enum": ["on_demand", "spot", "reserved", "take_or_pay"],
                "description": "Name of the terms; take_or_pay commits GPUs.",
            },
            "opened_at": _time("First second of the lease"),
            "price_micros_per_gpu_hour": _integer(MAX_PRICE, "Price in micros per GPU-hour."),
        },
        {
            "committed_gpus": _integer(1_000_000, "GPUs paid for, used or not; take_or_pay only."),
            "max_gpus": _integer(1_000_000, "Most GPUs at once; 0 for no limit."),
        },
    ),
    LEASE_CLOSED: (
        "A lease ends: the short form of terms that do.",
        {
            "facility_id": _FACILITY,
            "lease_id": _LEASE,
            "closed_at": _time("Second after the lease"),
        },
        {},
    ),
    DEVICE_REGISTERED: (
        "A collector announces a device. Always answered `pledge_fixed`: attesters approve them.",
        {"facility_id": _FACILITY, "device": _DEVICE},
        {"gpu_class": _text(32, "SKU.")},
    ),
}
_ATTRIBUTES: dict[str, _Schema] = {
    "specversion": {"const": "1.0", "description": "CloudEvents version."},
    "id": _text(MAX_TEXT, "With `source` the event's identity, for ever."),
    "source": _text(MAX_TEXT, "The collector."),
    "time": _time("When the event was made; informative"),
    "subject": _informative("Informative."),
    "datacontenttype": _informative("Informative: application/json."),
    "dataschema": _informative("Informative."),
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


_ONE = {"oneOf": [event_schema(event_type) for event_type in _DATA]}
_BINARY = {
    "type": "object",
    "title": "data",
    "description": "In binary mode, with `ce-` headers: the `data` of one event.",
}
_MANY = {"type": "array", "items": _ONE, "maxItems": MAX_EVENTS}
_SINGLE_EXAMPLES = {
    event_type: {"summary": _DATA[event_type][0], "value": example}
    for event_type, example in EVENT_EXAMPLES.items()
}
_BATCH_EXAMPLES = {
    "batch": {"summary": "One event of each type.", "value": list(EVENT_EXAMPLES.values())}
}
_HEADERS = {
    "specversion": _ATTRIBUTES["specversion"],
    "id": _ATTRIBUTES["id"],
    "source": _ATTRIBUTES["source"],
    "type": {"enum": list(_DATA), "description": "Type of the event."},
    "time": _ATTRIBUTES["time"],
}
EVENT_BODY = {
    "parameters": [
        {
            "in": "header",
            "name": f"ce-{name}",
            "required": False,
            "schema": schema,
            "description": f"Binary mode: `{name}` of the event, percent-encoded.",
        }
        for name, schema in _HEADERS.items()
    ],
    "requestBody": {
        "required": True,
        "description": f"One CloudEvent 1.0, or up to {MAX_EVENTS:,}, in at most {MAX_BODY_BYTES:,}"
        " bytes after decompression; `Content-Encoding: gzip` is welcome.",
        "content": {
            SINGLE: {"schema": _ONE, "examples": _SINGLE_EXAMPLES},
            BATCH: {"schema": _MANY, "examples": _BATCH_EXAMPLES},
            JSON: {
                "schema": {"anyOf": [_ONE, _MANY, _BINARY]},
                "examples": {**_SINGLE_EXAMPLES, **_BATCH_EXAMPLES},
            },
        },
    },
}

_TABLE = "\n".join(
    f"| `{code}` | {sentence} | {TO_DO[code]} |" for code, sentence in REJECTIONS.items()
)
EVENTS_ABOUT = f"""Push metering. Sending a body again is always safe.

Every event is answered on its own, in order: `accepted`, `duplicate` (recorded before, and billing
the same) or `rejected` with one of the codes below; a bad event never blocks the others. The
whole body is refused only if it is no JSON object or array at all, too large, or of another media
type; then nothing is recorded.

An event has at most {MAX_EVENT_BYTES:,} bytes as compact JSON and {MAX_EXTENSIONS} extension
attributes, each a boolean, a 32-bit integer or a text of at most {MAX_ATTRIBUTE_CHARS:,}
characters. An operator who sends more than its share is answered 429, and 503 where there is no
room for another body, both before anything is recorded: wait as `Retry-After` says, and send the
same again. A body that does not come in time is cut with 408.

A CloudEvent comes in structured mode, in batched mode, or in binary mode: `Content-Type:
application/json`, the data as the body, and each attribute in a `ce-` header, percent-encoded where
it is not printable ASCII. A body that is one event and no array, with an `id` that bills something
else already, is 409 with `reason` `id_conflict`; in a batch that is the answer of the event.

`source` and `id` name an event for ever. Under a known name it is a `duplicate` if it bills the
same: type, facility, device, lease, seconds, kind, terms. `time`, tracing, other spellings of an
instant, utilisation and energy may differ between attempts. Make `id` of what the event says, not
of a number that comes again: Slurm's job ids wrap round, and a requeued job keeps its own. For a
GPU of a job, that is job id, GPU and start: `1234567/GPU-…/2026-12-01T00:00:00Z`.

| code | why the event is rejected | what to do |
|---|---|---|
{_TABLE}
"""
# The same bodies, without all their schemas again.
_AS_PUSHED = "As `POST /v1/events` takes it."
CHECK_BODY = {
    "requestBody": {
        "required": True,
        "description": _AS_PUSHED,
        "content": {
            SINGLE: {"schema": {"type": "object", "description": _AS_PUSHED}},
            BATCH: {
                "schema": {"type": "array", "maxItems": MAX_EVENTS, "items": {"type": "object"}}
            },
            JSON: {"schema": {"anyOf": [{"type": "object"}, {"type": "array"}]}},
        },
    }
}
