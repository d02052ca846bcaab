"""What an event bills: by this, and not by its bytes, a repeat is told from a conflict."""

import json
from dataclasses import fields, is_dataclass

from api.domain.hashing import sha256
from api.domain.metering.event_types import MeterEvent, UsageEvent
from api.domain.units import Bytes32


def billed_hash(event: MeterEvent) -> Bytes32:
    """SHA-256 of what an event says about use and money, in one order and encoding.

    Left out is whatever differs between two attempts to say the same: `time`, tracing and other
    attributes, the spelling of an instant, defaults that are written out, and evidence such as
    utilisation, energy and reasons. `source` and `id` are left out too: they are what is compared.
    """
    envelope = event.envelope
    if isinstance(event, UsageEvent):
        # Nearly all events are: the same text, without looking at every field by name.
        gpu_class = "null" if event.gpu_class is None else _quoted(event.gpu_class)
        delivery = "true" if event.delivery else "false"
        said_of_use = (
            f'[{_quoted(envelope.type)},{envelope.facility_id},"{event.device_hash.hex()}",'
            f"{_quoted(event.lease_id)},{event.start_s},{event.end_s},{delivery},{gpu_class}]"
        )
        return sha256(said_of_use.encode())
    said = [envelope.type, envelope.facility_id, *_facts(event)]
    # Texts are quoted, so that no two lists have one encoding.
    return sha256(_encode(said).encode())


_encode = json.JSONEncoder(separators=(",", ":")).encode
_quoted = json.encoder.encode_basestring_ascii


def _facts(event: MeterEvent) -> list[object]:
    return [_plain(getattr(event, f.name)) for f in fields(event) if f.name not in _UNSAID]


# `previous` may be left to the service to say.
_UNSAID = frozenset({"envelope", "reason", "previous"})


def _plain(value: object) -> object:
    """A value as JSON holds it, each type in a way of its own."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if is_dataclass(value):
        return [_plain(getattr(value, f.name)) for f in fields(value) if f.name not in _UNSAID]
    return value
