"""SQL of entries that a log lost and that somebody shows."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, delete, func, select, update

from api.db.rows import first_as, insert_record, rows_as
from api.db.tables.facilities import facilities
from api.db.tables.ledger import log_entries
from api.db.tables.lost import LostRow, LostState, lost_entries
from api.domain.units import Bytes32, FacilityId

_c = lost_entries.c


def lost_row(connection: Connection, facility_id: FacilityId, hashed: Bytes32) -> LostRow | None:
    """An entry that was shown, by its hash."""
    query = select(lost_entries).where(_c.facility_id == facility_id, _c.entry_hash == hashed)
    return first_as(LostRow, connection.execute(query))


def held_row(connection: Connection, facility_id: FacilityId, number: int) -> LostRow | None:
    """The entry of a number that waits to be appended."""
    query = select(lost_entries).where(
        _c.facility_id == facility_id, _c.number == number, _c.state == LostState.HELD.value
    )
    return first_as(LostRow, connection.execute(query))


def keep_lost(connection: Connection, row: LostRow) -> None:
    """Write an entry that is shown, over what was known of it."""
    here = _c.facility_id == row.facility_id, _c.entry_hash == row.entry_hash
    connection.execute(delete(lost_entries).where(*here))
    insert_record(connection, row)


def set_lost_state(
    connection: Connection,
    facility_id: FacilityId,
    hashes: Iterable[Bytes32],
    state: LostState,
    *,
    refused: str | None = None,
) -> None:
    """Say what became of entries that were shown. Their bodies are not kept longer than needed."""
    values: dict[str, object] = {"state": state.value, "refused": refused}
    if state is not LostState.HELD:
        values |= {"body": None, "request": None}
    for hashed in hashes:
        here = _c.facility_id == facility_id, _c.entry_hash == hashed
        connection.execute(update(lost_entries).where(*here).values(**values))


def drop_held(connection: Connection, facility_id: FacilityId, *, up_to: int) -> None:
    """Forget entries that the log has by now."""
    connection.execute(
        delete(lost_entries).where(
            _c.facility_id == facility_id,
            _c.state == LostState.HELD.value,
            _c.number <= up_to,
        )
    )


def held_numbers(connection: Connection, facility_id: FacilityId) -> list[int]:
    """Numbers of the entries that wait and have all that is needed, ascending."""
    query = select(_c.number).where(
        _c.facility_id == facility_id,
        _c.state == LostState.HELD.value,
        _c.body.is_not(None),
    )
    return list(connection.execute(query.order_by(_c.number)).scalars())


def held_size(connection: Connection, facility_id: FacilityId) -> tuple[int, int]:
    """How many entries wait, and the bytes of their bodies."""
    query = select(func.count(), func.coalesce(func.sum(func.length(_c.body)), 0)).where(
        _c.facility_id == facility_id, _c.state == LostState.HELD.value
    )
    count, size = connection.execute(query).one()
    return int(count), int(size)


def newest_held(connection: Connection, facility_id: FacilityId) -> int:
    """The highest number that waits; 0 if none does."""
    query = select(func.max(_c.number)).where(
        _c.facility_id == facility_id, _c.state == LostState.HELD.value
    )
    return connection.execute(query).scalar() or 0


def shown_rows(
    connection: Connection, facility_id: FacilityId, state: LostState, *, most: int
) -> Sequence[LostRow]:
    """Entries in one state, by number."""
    query = select(lost_entries).where(_c.facility_id == facility_id, _c.state == state.value)
    return rows_as(LostRow, connection.execute(query.order_by(_c.number).limit(most)))


def rows_of_numbers(
    connection: Connection, facility_id: FacilityId, *, after: int
) -> Sequence[LostRow]:
    """Entries behind a number that wait, by number."""
    query = select(lost_entries).where(
        _c.facility_id == facility_id, _c.state == LostState.HELD.value, _c.number > after
    )
    return rows_as(LostRow, connection.execute(query.order_by(_c.number)))


def logged_hash(connection: Connection, facility_id: FacilityId, number: int) -> Bytes32 | None:
    """Hash of an entry of the log; None where its month is detached."""
    c = log_entries.c
    query = select(c.entry_hash).where(c.facility_id == facility_id, c.number == number)
    found = connection.execute(query).scalar()
    return None if found is None else Bytes32(found)


def newest_second(connection: Connection, facility_id: FacilityId) -> int:
    """Second of the newest entry of the log; 0 without any."""
    c = log_entries.c
    query = select(func.max(c.recorded_at_s)).where(c.facility_id == facility_id)
    return connection.execute(query).scalar() or 0


def set_log_due(connection: Connection, facility_id: FacilityId, due: int) -> None:
    """Say up to which entry a log is known to have been."""
    here = facilities.c.facility_id == facility_id
    connection.execute(update(facilities).where(here).values(log_due=due))
