"""A facility's accepted events as its operator searches them, each as it stands now."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from api.db.leases import known_lease_named, lease_rows
from api.db.log import payloads_at
from api.db.session import Connection
from api.db.tables.facilities import FacilityRow
from api.db.tables.ledger import HELD_KINDS, OUT_KINDS, FactKind, MeterEventRow
from api.domain.facility import FacilityTerms
from api.domain.json_text import as_object
from api.domain.metering.calendar import Calendar, month_of
from api.domain.metering.events import (
    ADJUSTMENT,
    ALLOCATION_CONFIRMED,
    ALLOCATION_ENDED,
    ALLOCATION_OPENED,
    AVAILABILITY,
    CORRECTION,
    LEASE_CLOSED,
    LEASE_OPENED,
    LEASE_TERMS,
    SEEN,
    USAGE,
)
from api.domain.metering.facts import Place
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.units import Bytes32, Epoch
from api.errors import InvalidInput
from api.ledger.rosters import pledged_in_part
from api.ledger.snapshot import recording_time
from api.reads.sql import log
from api.reads.sql.log import Key, ToldTime, Voider

# Without a device or lease, time is searched in all devices: of at most so much of it.
MOST_SEARCHED_S = 7 * 86_400
# Events of the log that are looked through for those of a kind, for one page.
MOST_LOOKED_THROUGH = 5_000
_CORRECTABLE = frozenset(kind.value for kind in (*HELD_KINDS, *OUT_KINDS))


class LogKind(StrEnum):
    """What kind of event to show."""

    USAGE = "usage"  # and deliveries
    ALLOCATION = "allocation"  # opened, confirmed, ended
    SEEN = "seen"
    OUTAGE = "outage"
    CORRECTION = "correction"
    TERMS = "terms"  # also the short forms
    ADJUSTMENT = "adjustment"


TYPES: Mapping[LogKind, frozenset[str]] = {
    LogKind.USAGE: frozenset({USAGE}),
    LogKind.ALLOCATION: frozenset({ALLOCATION_OPENED, ALLOCATION_CONFIRMED, ALLOCATION_ENDED}),
    LogKind.SEEN: frozenset({SEEN}),
    LogKind.OUTAGE: frozenset({AVAILABILITY}),
    LogKind.CORRECTION: frozenset({CORRECTION}),
    LogKind.TERMS: frozenset({LEASE_TERMS, LEASE_OPENED, LEASE_CLOSED}),
    LogKind.ADJUSTMENT: frozenset({ADJUSTMENT}),
}
# Of a lease, and of no time of a device.
_OF_LEASES = {LogKind.TERMS: FactKind.TERMS, LogKind.ADJUSTMENT: FactKind.ADJUSTMENT}


class EventState(StrEnum):
    """What became of an event since."""

    STANDS = "stands"
    OPEN = "open"  # an allocation whose end was not told
    ENDED = "ended"  # an allocation whose end was told
    VOIDED = "voided"


@dataclass(frozen=True, slots=True)
class Search:
    """What to show. before: where the last page ended."""

    device: Bytes32 | None = None
    lease_id: str | None = None
    kind: LogKind | None = None
    from_s: int | None = None
    to_s: int | None = None
    source: str | None = None
    event_id: str | None = None
    before: Key | None = None


@dataclass(frozen=True, slots=True)
class LoggedView:
    """An accepted event as it was sent, and what became of it.

    told: the time of a device that it told.  sealed: its month is; only an adjustment is left.
    correctable: whether it can be voided or replaced, as far as it alone says.
    stated_in: number of the first statement that had it.  why: reason of what voided it.
    """

    row: MeterEventRow
    payload: dict[str, object]
    told: ToldTime | None
    state: EventState
    voided_by: Voider | None
    why: str | None
    sealed: bool
    correctable: bool
    stated_in: Epoch | None


def search_log(
    connection: Connection, facility: FacilityRow, wanted: Search, *, now_s: int, limit: int
) -> tuple[list[LoggedView], Key | None]:
    """A page of accepted events, and where the next one begins; None behind the last.

    By id: those of it. By device, lease or time: what speaks of a device's time, latest first.
    Terms and adjustments: of one lease or all. Otherwise newest first, looked through in stretches.
    Raises:  InvalidInput for a search that no index bounds, NotFound for an unknown lease.
    """
    _check(wanted)
    rows, after = _found(connection, facility, wanted, limit=limit)
    told = log.told_times(connection, facility.facility_id, rows)
    voided = [time for time in told.values() if time.voided is not None]
    taken_back = log.voiders(connection, facility.facility_id, voided) if voided else {}
    places = {Place(row.entry, row.place): row.recorded_at_s for row in rows}
    places |= {voider.place: voider.recorded_at_s for voider in taken_back.values()}
    payloads = payloads_at(connection, facility.facility_id, places)
    judge = _Judge(connection, facility, now_s)
    return [judge.view(row, told, taken_back, payloads) for row in rows], after


def _check(wanted: Search) -> None:
    if wanted.source is not None and wanted.event_id is None:
        raise InvalidInput("a source goes with an id", field="source")
    others = (wanted.device, wanted.lease_id, wanted.kind, wanted.from_s, wanted.to_s)
    if wanted.event_id is not None and any(each is not None for each in others):
        raise InvalidInput("an id goes with nothing but its source", field="id")
    timed = (wanted.device, wanted.from_s, wanted.to_s)
    if wanted.kind in _OF_LEASES and any(each is not None for each in timed):
        message = "terms and adjustments are of no device and no time: search by lease"
        raise InvalidInput(message, field="kind")
    if wanted.from_s is not None and wanted.to_s is not None and wanted.from_s >= wanted.to_s:
        raise InvalidInput("from_s comes before to_s", field="to_s")
    if wanted.device is None and wanted.lease_id is None and (wanted.from_s or wanted.to_s):
        width_s = None
        if wanted.from_s is not None and wanted.to_s is not None:
            width_s = wanted.to_s - wanted.from_s
        if width_s is None or width_s > MOST_SEARCHED_S:
            message = "without a device or lease, name from_s and to_s at most seven days apart"
            raise InvalidInput(message, field="from_s")


def _found(
    connection: Connection, facility: FacilityRow, wanted: Search, *, limit: int
) -> tuple[list[MeterEventRow], Key | None]:
    facility_id = facility.facility_id
    if wanted.event_id is not None:
        rows = log.events_named(
            connection, facility_id, source=wanted.source, event_id=wanted.event_id
        )
        return rows[:limit], None
    types = None if wanted.kind is None else TYPES[wanted.kind]
    lease = None
    if wanted.lease_id is not None:
        lease = known_lease_named(connection, facility_id, wanted.lease_id).lease
    of_leases = None if wanted.kind is None else _OF_LEASES.get(wanted.kind)
    if of_leases is not None:
        every = [row.lease for row in lease_rows(connection, facility_id)]
        return log.events_of_leases(
            connection,
            facility_id,
            every if lease is None else [lease],
            kind=of_leases,
            before=wanted.before,
            limit=limit,
        )
    searched = (wanted.device, lease, wanted.from_s, wanted.to_s)
    if all(each is None for each in searched):
        return log.newest_events(
            connection,
            facility_id,
            types=types,
            before=wanted.before,
            limit=limit,
            most=MOST_LOOKED_THROUGH,
        )
    in_part = pledged_in_part(
        connection, terms_from_bytes(facility.terms_json), facility.terms_json
    )
    return log.events_by_time(
        connection,
        facility_id,
        device=wanted.device,
        lease=lease,
        came=[*in_part],
        types=types,
        from_s=wanted.from_s,
        to_s=wanted.to_s,
        longest_s=facility.longest_s,
        before=wanted.before,
        limit=limit,
    )


class _Judge:
    """What is asked of one facility about each of its events."""

    def __init__(self, connection: Connection, facility: FacilityRow, now_s: int) -> None:
        self._terms: FacilityTerms = terms_from_bytes(facility.terms_json)
        self._calendar = Calendar(self._terms)
        self._recorded_at_s = recording_time(facility, self._terms, now_s)
        sizes: Sequence[tuple[Epoch, int]] = log.log_sizes(connection, facility.facility_id)
        self._statements = [epoch for epoch, _ in sizes]
        self._sizes = [size for _, size in sizes]

    def view(
        self,
        row: MeterEventRow,
        told: Mapping[Place, ToldTime],
        voiders: Mapping[Place, Voider],
        payloads: Mapping[Place, object],
    ) -> LoggedView:
        """An event as it stands now."""
        place = Place(row.entry, row.place)
        time = told.get(place)
        state, voider = _state(row, time), voiders.get(place)
        sealed = time is not None and self._is_sealed(time.start_s)
        correctable = time is not None and time.kind in _CORRECTABLE
        return LoggedView(
            row,
            as_object(payloads[place]),
            time,
            state,
            voider,
            None if voider is None else _reason(payloads[voider.place]),
            sealed,
            correctable and not sealed and state is not EventState.VOIDED,
            self._stated_in(row, time),
        )

    def _is_sealed(self, start_s: int) -> bool:
        return self._recorded_at_s >= self._calendar.sealed_from_s(month_of(start_s))

    def _stated_in(self, row: MeterEventRow, time: ToldTime | None) -> Epoch | None:
        first = bisect_left(self._sizes, row.entry)
        if time is not None:
            # What speaks of later time waits for the statement of it.
            first = max(first, self._terms.epoch_at(time.start_s))
        return self._statements[first] if first < len(self._statements) else None


def _reason(correction: object) -> str | None:
    """Why an event was taken back, if its correction says so."""
    reason = as_object(as_object(correction)["data"]).get("reason")
    return reason if isinstance(reason, str) else None


def _state(row: MeterEventRow, time: ToldTime | None) -> EventState:
    if time is not None and time.voided is not None:
        return EventState.VOIDED
    if time is not None and row.type == ALLOCATION_OPENED:
        return EventState.ENDED if time.ended else EventState.OPEN
    return EventState.STANDS
