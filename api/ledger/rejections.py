"""What ingest keeps of events that it did not record: enough for an operator to find the cause."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection

from api.db import rejections
from api.db.tables.console import NewRejection
from api.domain.metering.event_types import MeterEvent, OutageEvent, UsageEvent
from api.domain.metering.items import EventResult
from api.domain.units import FacilityId, OperatorId

# Lengths of the columns; the texts are the sender's and can hold anything.
_NAME_CHARS, _DETAIL_CHARS, _DEVICE_CHARS = 200, 300, 96


def _clean(value: object, length: int) -> str | None:
    """Text that any database and page can hold: bounded, without controls or broken Unicode."""
    if not isinstance(value, str):
        return None
    return "".join(c if c.isprintable() else "\ufffd" for c in value[:length])


def _data(event: object) -> Mapping[str, object]:
    data = event.get("data") if isinstance(event, dict) else None
    return data if isinstance(data, dict) else {}


def keep_rejections(
    connection: Connection,
    operator_id: OperatorId,
    *,
    results: Iterable[EventResult],
    events: Sequence[object],
    own_facilities: Iterable[FacilityId],
    now_s: int,
) -> None:
    """Keep the rejected events of one request. Nothing is written if there are none."""
    own = frozenset(own_facilities)
    rows = [
        _row(operator_id, result, _data(events[result.index]), own, now_s)
        for result in results
        if result.status == "rejected"
    ]
    if rows:
        rejections.add_rejections(connection, operator_id, rows)


def _row(
    operator_id: OperatorId,
    result: EventResult,
    data: Mapping[str, object],
    own: frozenset[FacilityId],
    now_s: int,
) -> NewRejection:
    named = data.get("facility_id")
    # The type first: in a set of integers, `true` would be facility 1.
    mine = FacilityId(named) if type(named) is int and named in own else None
    assert result.code is not None  # every rejection has a code
    return NewRejection(
        operator_id=operator_id,
        facility_id=mine,
        received_at_s=now_s,
        source=_clean(result.source, _NAME_CHARS),
        event_id=_clean(result.id, _NAME_CHARS),
        code=result.code,
        detail=_clean(result.detail, _DETAIL_CHARS) or "",
        device=_clean(data.get("device"), _DEVICE_CHARS),
    )


def keep_repeats(
    connection: Connection, repeated: Iterable[MeterEvent], own_facilities: Iterable[FacilityId]
) -> None:
    """Count the duplicates of one request by device. Nothing is written if there are none."""
    own = frozenset(own_facilities)
    counts = Counter(
        (event.envelope.facility_id, event.device_hash)
        for event in repeated
        if isinstance(event, (UsageEvent, OutageEvent)) and event.envelope.facility_id in own
    )
    rejections.count_repeats(connection, counts)
