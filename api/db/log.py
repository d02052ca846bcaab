"""SQL of a facility's log: its entries, with their bodies or without."""

from collections.abc import Iterable, Mapping

from sqlalchemy import ColumnElement, Connection, func, select

from api.db.bulk import chunks, insert_many
from api.db.rows import columns_of, rows_as
from api.db.tables.ledger import BareEntry, LogEntryRow, log_entries
from api.domain.json_text import canonical_line, read_json
from api.domain.log.bodies import unpack
from api.domain.log.entry import UNSIGNED, Entry, EntryKind, LogName, entry_hash
from api.domain.log.logged import LoggedEntry, events_of
from api.domain.log.requests import request_document, request_from
from api.domain.metering.facts import Place
from api.domain.metering.intervals import Span
from api.domain.units import Bytes32, FacilityId
from api.errors import RecordsDamaged


def keep_entries(connection: Connection, entries: Iterable[LoggedEntry]) -> None:
    """Write entries of logs, in their order."""
    insert_many(connection, [_row(logged) for logged in entries])


def _row(logged: LoggedEntry) -> LogEntryRow:
    entry = logged.entry
    return LogEntryRow(
        facility_id=entry.log.facility_id,
        number=entry.number,
        kind=entry.kind.value,
        recorded_at_s=entry.recorded_at_s,
        previous=entry.previous,
        author=entry.author,
        body_hash=entry.body,
        answers_hash=entry.answers,
        entry_hash=entry_hash(entry),
        blind=logged.blind,
        answers=logged.answers,
        body=logged.packed,
        request=None
        if logged.request is None
        else canonical_line(request_document(logged.request)),
    )


def _logged(log: LogName, row: LogEntryRow) -> LoggedEntry:
    return LoggedEntry(
        _entry(log, row),
        row.blind,
        row.body,
        row.answers,
        None if row.request is None else request_from(read_json(row.request)),
    )


def entries_between(
    connection: Connection, log: LogName, *, after: int, up_to: int, recorded: Span
) -> list[Entry]:
    """Entries behind one and up to another, in order, without their bodies.

    Args:    recorded: seconds `[from, until)` in which they were recorded, or more of them.
    """
    c = log_entries.c
    query = select(*columns_of(BareEntry)).where(
        *_between(log, after=after, up_to=up_to, recorded=recorded)
    )
    rows = rows_as(BareEntry, connection.execute(query.order_by(c.number)))
    return [_entry(log, row) for row in rows]


def _between(
    log: LogName, *, after: int, up_to: int, recorded: Span
) -> tuple[ColumnElement[bool], ...]:
    c = log_entries.c
    return (
        c.facility_id == log.facility_id,
        c.number > after,
        c.number <= up_to,
        c.recorded_at_s >= recorded[0],
        c.recorded_at_s < recorded[1],
    )


def _entry(log: LogName, row: BareEntry | LogEntryRow) -> Entry:
    return Entry(
        log=log,
        number=row.number,
        previous=Bytes32(row.previous),
        kind=EntryKind(row.kind),
        body=Bytes32(row.body_hash),
        author=Bytes32(row.author),
        recorded_at_s=row.recorded_at_s,
        answers=Bytes32(row.answers_hash),
    )


def logged_after(
    connection: Connection, log: LogName, *, after: int, most: int, most_bytes: int | None = None
) -> list[LoggedEntry]:
    """Entries behind one, with all that stands behind their hashes: at most so many.

    Args:    most_bytes: no further entry once their packed bodies have so many; one comes always.
    """
    c = log_entries.c
    where = c.facility_id == log.facility_id, c.number > after
    if most_bytes is not None:
        sizes = select(c.number, func.length(c.body)).where(*where).order_by(c.number).limit(most)
        most = _fitting([size for _, size in connection.execute(sizes)], most_bytes)
    query = select(*columns_of(LogEntryRow)).where(*where).order_by(c.number).limit(most)
    rows = rows_as(LogEntryRow, connection.execute(query))
    return [_logged(log, row) for row in rows]


def about_keys_between(
    connection: Connection, log: LogName, *, after: int, up_to: int, recorded: Span
) -> list[LoggedEntry]:
    """Entries about keys behind one and up to another, whole. recorded: as `entries_between`."""
    c = log_entries.c
    query = select(*columns_of(LogEntryRow)).where(
        *_between(log, after=after, up_to=up_to, recorded=recorded),
        c.kind != EntryKind.BATCH.value,
    )
    rows = rows_as(LogEntryRow, connection.execute(query.order_by(c.number)))
    return [_logged(log, row) for row in rows]


def signed_between(
    connection: Connection, log: LogName, *, after: int, up_to: int, recorded: Span
) -> frozenset[int]:
    """Numbers of the entries that somebody signed. recorded: as `entries_between`."""
    c = log_entries.c
    query = select(c.number).where(
        *_between(log, after=after, up_to=up_to, recorded=recorded), c.author != UNSIGNED
    )
    return frozenset(connection.execute(query).scalars())


def logged_at(connection: Connection, log: LogName, number: int) -> LoggedEntry:
    """The entry of a number, with all that stands behind its hashes.

    Raises:  RecordsDamaged if it is missing.
    """
    c = log_entries.c
    query = select(*columns_of(LogEntryRow)).where(
        c.facility_id == log.facility_id, c.number == number
    )
    rows = rows_as(LogEntryRow, connection.execute(query))
    for row in rows:
        return _logged(log, row)
    raise RecordsDamaged(f"entry {number} of log {log} is missing", facility_id=log.facility_id)


def _fitting(sizes: Iterable[int], most_bytes: int) -> int:
    """How many of some sizes are needed to come to so many bytes; all, if they do not."""
    count = 0
    for size in sizes:
        count, most_bytes = count + 1, most_bytes - size
        if most_bytes <= 0:
            break
    return count


def log_size_before(connection: Connection, facility_id: FacilityId, recorded: Span) -> int:
    """Number of the newest entry that was recorded in seconds `[from, until)`; 0 without any."""
    c = log_entries.c
    # Recorded seconds never fall along a log: from its end, few are looked at.
    query = (
        select(c.number)
        .where(
            c.facility_id == facility_id,
            c.recorded_at_s >= recorded[0],
            c.recorded_at_s < recorded[1],
        )
        .order_by(c.number.desc())
        .limit(1)
    )
    return connection.execute(query).scalar() or 0


def payloads_at(
    connection: Connection, facility_id: FacilityId, places: Mapping[Place, int]
) -> Mapping[Place, object]:
    """Events as they were sent, by their place in the log.

    Args:    places: each with the second in which it was recorded.
    Raises:  RecordsDamaged if the log has not all of their entries.
    """
    wanted: dict[int, list[int]] = {}
    for place in places:
        wanted.setdefault(place.entry, []).append(place.index)
    if not wanted:
        return {}
    c = log_entries.c
    recorded = c.recorded_at_s.between(min(places.values()), max(places.values()))
    found: dict[Place, object] = {}
    for some in chunks(sorted(wanted)):
        query = select(c.number, c.author, c.body).where(
            c.facility_id == facility_id, c.number.in_(some), recorded
        )
        for number, author, body in connection.execute(query):
            events = events_of(unpack(body), author)
            found |= {Place(number, index): events[index] for index in wanted[number]}
    if len(found) < len(places):
        message = "texts of events are missing: was a month of the log detached?"
        raise RecordsDamaged(message, facility_id=facility_id)
    return found
