"""What ingest keeps of events that it did not record: enough for an operator to find the cause."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import Connection

from api.db import rejections
from api.domain.hashing import device_hash
from api.domain.metering.events import MeterEvent, OutageEvent, UsageEvent

# Lengths of the columns; the texts are the sender's and can hold anything.
_NAME_CHARS, _DETAIL_CHARS, _DEVICE_CHARS = 200, 300, 96


class Refused(Protocol):
    """An answer to one event."""

    index: int
    source: str | None
    id: str | None
    status: str
    code: str | None
    detail: str | None


def _clean(value: object, length: int) -> str | None:
    """Text that any database and page can hold: bounded, without controls or broken Unicode."""
    if not isinstance(value, str):
        return None
    return "".join(c if c.isprintable() else "\ufffd" for c in value[:length])


def _data(event: object) -> Mapping[str, Any]:
    data = event.get("data") if isinstance(event, dict) else None
    return data if isinstance(data, dict) else {}


def keep_rejections(
    connection: Connection,
    operator_id: int,
    *,
    results: Iterable[Refused],
    events: Sequence[Any],
    own_facilities: Iterable[int],
    now_s: int,
) -> None:
    """Keep the rejected events of one request. Nothing is written if there are none."""
    own = frozenset(own_facilities)
    rows = []
    for result in results:
        if result.status != "rejected":
            continue
        data = _data(events[result.index])
        named = data.get("facility_id")
        mine = type(named) is int and named in own
        rows.append(
            {
                "operator_id": operator_id,
                "facility_id": named if mine else None,
                "received_at_s": now_s,
                "source": _clean(result.source, _NAME_CHARS),
                "event_id": _clean(result.id, _NAME_CHARS),
                "code": result.code,
                "detail": _clean(result.detail, _DETAIL_CHARS),
                "device": _clean(data.get("device"), _DEVICE_CHARS),
            }
        )
    if rows:
        rejections.add_rejections(connection, operator_id, rows)


def keep_repeats(
    connection: Connection, repeated: Iterable[MeterEvent], own_facilities: Iterable[int]
) -> None:
    """Count the duplicates of one request by device. Nothing is written if there are none."""
    own = frozenset(own_facilities)
    counts = Counter(
        (event.envelope.facility_id, bytes(device_hash(event.device)))
        for event in repeated
        if isinstance(event, (UsageEvent, OutageEvent)) and event.envelope.facility_id in own
    )
    rejections.count_repeats(connection, counts)
