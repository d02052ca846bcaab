"""The log of a facility: accepted events, as they were sent and as they stand."""

import re
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api.db.facilities import own_facility
from api.db.tables.ledger import FactKind
from api.domain.devices import check_device
from api.domain.hashing import device_hash
from api.domain.units import MAX_I64, Bytes32
from api.errors import InvalidInput
from api.reads.console.log import EventState, LoggedView, LogKind, Search, search_log
from api.reads.sql.log import Key, ToldTime
from api.routes.http.credentials import OperatorReader
from api.routes.http.parameters import FacilityPath
from api.routes.http.problems import errors
from api.routes.operator.console import CONSOLE_FACILITY
from api.routes.service import ServiceDep

router = APIRouter(tags=["console"])

_CURSOR = re.compile(r"([0-9]{1,18})-([0-9]{1,18})", re.ASCII)
# No text of the log has control characters, and PostgreSQL takes no NUL.
_TEXT = r"^[^\x00-\x1f\x7f]+$"
_TIME_KINDS = {
    FactKind.USAGE: "usage",
    FactKind.DELIVERY: "delivery",
    FactKind.OUTAGE: "outage",
    FactKind.PLANNED: "planned",
    FactKind.SEEN: "seen",
}


class ToldTimeOut(BaseModel):
    """Time of a device that an event told."""

    kind: str = Field(description="usage, delivery, outage (by a fault), planned or seen.")
    start_s: int = Field(description="UTC seconds.")
    end_s: int = Field(description="As it was told, UTC seconds, exclusive.")
    until_s: int = Field(
        description="As it stands: an allocation lasts until it was confirmed or ended."
    )


class VoidedByOut(BaseModel):
    """The event that took another one back."""

    source: str = Field(description="Its source.")
    id: str = Field(description="Its id.")
    recorded_at_s: int = Field(description="When, UTC seconds.")
    reason: str | None = Field(description="Why, as it says; null if it does not.")


class LoggedEventOut(BaseModel):
    """An accepted event. Texts are the sender's: escape them."""

    entry: int = Field(description="Number of the request in the facility's log, from 1.")
    place: int = Field(description="Index in that request, from 0.")
    source: str = Field(description="CloudEvents source.")
    id: str = Field(description="CloudEvents id.")
    type: str = Field(description="CloudEvents type.")
    recorded_at_s: int = Field(description="When it was recorded, UTC seconds.")
    state: EventState = Field(
        description="stands; voided: taken back, or replaced; of an allocation open or ended."
    )
    time: ToldTimeOut | None = Field(
        description="The device's time that it told, also as a replacement; null if it told none."
    )
    voided_by: VoidedByOut | None = Field(description="The event that took it back.")
    sealed: bool = Field(
        description="Whether the month of its time is sealed: only an adjustment is left."
    )
    correctable: bool = Field(
        description="Whether it can be voided or replaced now. A delivery only before its"
        " statement: the preview tells."
    )
    stated_in: int | None = Field(
        description="Number of the first statement that had it; null before that."
    )
    payload: dict[str, object] = Field(description="The event as it was sent.")


class LogOut(BaseModel):
    """A page of accepted events."""

    events: list[LoggedEventOut] = Field(description="This page; it may be short, or empty.")
    next: str | None = Field(
        description="`before` of the next page, with the same search; null behind the last."
    )


def _time(told: ToldTime) -> ToldTimeOut:
    return ToldTimeOut(
        kind=_TIME_KINDS[FactKind(told.kind)],
        start_s=told.start_s,
        end_s=told.end_s,
        until_s=told.until_s,
    )


def to_api_logged(view: LoggedView) -> LoggedEventOut:
    """An accepted event."""
    row, by = view.row, view.voided_by
    return LoggedEventOut(
        entry=row.entry,
        place=row.place,
        source=row.source,
        id=row.event_id,
        type=row.type,
        recorded_at_s=row.recorded_at_s,
        state=view.state,
        time=None if view.told is None else _time(view.told),
        voided_by=None
        if by is None
        else VoidedByOut(
            source=by.source, id=by.event_id, recorded_at_s=by.recorded_at_s, reason=view.why
        ),
        sealed=view.sealed,
        correctable=view.correctable,
        stated_in=view.stated_in,
        payload=view.payload,
    )


def _device(name: str | None) -> Bytes32 | None:
    return None if name is None else device_hash(check_device(name))


def _before(text: str | None) -> Key | None:
    if text is None:
        return None
    found = _CURSOR.fullmatch(text)
    if found is None:
        raise InvalidInput("before is not the next of a page", field="before")
    return int(found[1]), int(found[2])


@router.get(f"{CONSOLE_FACILITY}/events", responses=errors(401, 403, 404, 422))
def list_console_events(
    service: ServiceDep,
    operator_id: OperatorReader,
    facility_id: FacilityPath,
    device: Annotated[
        str | None, Query(max_length=96, description="What speaks of this device's time: its name.")
    ] = None,
    lease: Annotated[
        str | None,
        Query(max_length=120, pattern=_TEXT, description="What is of this lease: your id of it."),
    ] = None,
    kind: Annotated[LogKind | None, Query(description="Only events of this kind.")] = None,
    from_s: Annotated[
        int | None,
        Query(ge=0, le=MAX_I64, description="What lasts beyond this instant, UTC seconds."),
    ] = None,
    to_s: Annotated[
        int | None,
        Query(ge=0, le=MAX_I64, description="What begins before this instant, UTC seconds."),
    ] = None,
    source: Annotated[
        str | None,
        Query(max_length=200, pattern=_TEXT, description="Source of the event, beside its id."),
    ] = None,
    id: Annotated[  # noqa: A002  its name in CloudEvents
        str | None, Query(max_length=200, pattern=_TEXT, description="Events with this id.")
    ] = None,
    before: Annotated[
        str | None, Query(max_length=40, description="`next` of the page before.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="Most events in the answer.")] = 50,
) -> LogOut:
    """Accepted events of a facility, as they were sent and as they stand now.

    By device, lease or time: what speaks of a device's time, latest first; what was only seen is
    found by its start. Without a device or lease, `from_s` and `to_s` are at most seven days apart.
    `terms` and `adjustment` are found by lease, or all, newest first. Without any of these the log
    is looked through, newest first; where it is searched by kind alone, a page can be short or
    empty and yet have a `next`.
    """
    now_s = service.clock()
    with own_facility(service.engine, operator_id, facility_id) as (connection, row):
        wanted = Search(_device(device), lease, kind, from_s, to_s, source, id, _before(before))
        views, after = search_log(connection, row, wanted, now_s=now_s, limit=limit)
    return LogOut(
        events=[to_api_logged(view) for view in views],
        next=None if after is None else f"{after[0]}-{after[1]}",
    )
