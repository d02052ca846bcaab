"""Events as the agent spools them: ids that follow from source, job, device and start alone."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from api.domain.metering.events import (
    ALLOCATION_CONFIRMED,
    ALLOCATION_ENDED,
    ALLOCATION_OPENED,
    AVAILABILITY,
    SEEN,
    USAGE,
)
from api.domain.metering.fields import MAX_TEXT
from api.domain.metering.instants import format_instant

# Hex digits of SHA-256 that stand for the rest of an id which would be too long.
_DIGEST = 32
Evidence = Mapping[str, str | int | bool]


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event that is to be spooled. about: id of the allocation that it speaks of, or empty."""

    facility: int
    source: str
    id: str
    about: str
    body: bytes


def event_id(*parts: str) -> str:
    """An id of parts, the same for ever; what would be too long ends in a digest of the whole."""
    text = "/".join(parts)
    # An id is printable: what is not, such as a newline in a job's name, is told by its digest.
    if len(text) <= MAX_TEXT and text.isprintable():
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]
    kept = "".join(letter for letter in text if letter.isprintable())
    return f"{kept[: MAX_TEXT - _DIGEST - 1]}#{digest}"


def opening_id(job: str, device: str, start_s: int) -> str:
    """Id of the event that opens an allocation."""
    return event_id(job, device, format_instant(start_s))


def opened(
    facility: int, source: str, *, job: str, device: str, lease: str, start_s: int
) -> NewEvent:
    """An allocation begins. It says nothing that another attempt could say otherwise."""
    named = opening_id(job, device, start_s)
    told = {"device": device, "lease": lease, "start": format_instant(start_s)}
    return _event(ALLOCATION_OPENED, facility, source, named, told, about=named)


def confirmed(facility: int, source: str, opening: str, until_s: int) -> NewEvent:
    """An allocation still lasts."""
    until = format_instant(until_s)
    told = {"allocation": {"source": source, "id": opening}, "until": until}
    named = event_id(opening, "until", until)
    return _event(ALLOCATION_CONFIRMED, facility, source, named, told, about=opening)


def ended(facility: int, source: str, opening: str, until_s: int) -> NewEvent:
    """An allocation is over."""
    told = {"allocation": {"source": source, "id": opening}, "until": format_instant(until_s)}
    named = event_id(opening, "end")
    return _event(ALLOCATION_ENDED, facility, source, named, told, about=opening)


def used(
    facility: int, source: str, *, job: str, device: str, lease: str, start_s: int, end_s: int
) -> NewEvent:
    """A use whose end is known from the start."""
    start, end = format_instant(start_s), format_instant(end_s)
    told = {
        "device": device,
        "lease": lease,
        "start": start,
        "end": end,
        "gpu_seconds": end_s - start_s,
    }
    return _event(USAGE, facility, source, opening_id(job, device, start_s), told)


def seen(
    facility: int, source: str, *, device: str, start_s: int, end_s: int, evidence: Evidence
) -> NewEvent:
    """A device was there. Evidence goes beside it, in attributes that bill nothing."""
    start, end = format_instant(start_s), format_instant(end_s)
    told = {"device": device, "start": start, "end": end}
    named = event_id("seen", device, start)
    return _event(SEEN, facility, source, named, told, extra=evidence)


def failed(
    facility: int, source: str, *, device: str, lease: str, start_s: int, end_s: int, reason: str
) -> NewEvent:
    """A device could not be used, kept from `lease` if one is named."""
    start, end = format_instant(start_s), format_instant(end_s)
    told: dict[str, object] = {"device": device, "start": start, "end": end}
    told |= {"cause": "fault", "reason": reason}
    if lease:
        told["lease"] = lease
    named = event_id("out", device, start)
    return _event(AVAILABILITY, facility, source, named, told)


def _event(
    kind: str,
    facility: int,
    source: str,
    named: str,
    told: Mapping[str, object],
    *,
    about: str = "",
    extra: Evidence | None = None,
) -> NewEvent:
    event = {
        "specversion": "1.0",
        "type": kind,
        "source": source,
        "id": named,
        **(extra or {}),
        "data": {"facility_id": facility, **told},
    }
    return NewEvent(facility, source, named, about, orjson.dumps(event))
