"""Looking up facilities: by id, an operator's own, locked for writing; and their devices."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from sqlalchemy import ColumnElement, Connection, Engine, exists, select, update

from api.db import event_columns as e
from api.db.rows import first_as, rows_as
from api.db.session import reading
from api.db.tables.facilities import FacilityRow, devices, facilities
from api.db.tables.statements import statements
from api.domain.lifecycle import FacilityState
from api.domain.log.entry import LogEnd
from api.domain.pledges import PledgedDevice
from api.domain.units import FacilityId, OperatorId
from api.errors import NotFound


def facility_row(connection: Connection, facility_id: FacilityId) -> FacilityRow | None:
    """Stored row of a facility, or None."""
    query = select(facilities).where(facilities.c.facility_id == facility_id)
    return first_as(FacilityRow, connection.execute(query))


def known_facility_row(connection: Connection, facility_id: FacilityId) -> FacilityRow:
    """Stored row of a facility. Raises NotFound."""
    row = facility_row(connection, facility_id)
    if row is None:
        raise NotFound(f"no facility {facility_id}", facility_id=facility_id)
    return row


def own_facility_row(
    connection: Connection, operator_id: OperatorId, facility_id: FacilityId
) -> FacilityRow:
    """Stored row of an operator's facility; those of others are as if they did not exist.

    Raises:  NotFound.
    """
    row = facility_row(connection, facility_id)
    if row is None or row.operator_id != operator_id:
        raise NotFound(f"no facility {facility_id} of yours", facility_id=facility_id)
    return row


@contextmanager
def own_facility(
    engine: Engine, operator_id: OperatorId, facility_id: FacilityId
) -> Iterator[tuple[Connection, FacilityRow]]:
    """A reading transaction and the stored row of an operator's facility. Raises NotFound."""
    with reading(engine) as connection:
        yield connection, own_facility_row(connection, operator_id, facility_id)


def facility_rows(
    connection: Connection, facility_id: FacilityId | None = None
) -> list[FacilityRow]:
    """Every registered facility, or one; none if it is unknown."""
    query = select(facilities)
    if facility_id is not None:
        query = query.where(facilities.c.facility_id == facility_id)
    return rows_as(FacilityRow, connection.execute(query))


def due_to_close(connection: Connection, past_s: int) -> list[FacilityId]:
    """Facilities that were funded, whose next cut-off is past unless something put it off.

    Without those whose books have their closing statement. What was never offered on-chain, or
    not funded, can be posted by nobody.
    """
    f = facilities.c
    cut_s = f.window_start_s + (f.epochs_closed + 1) * f.epoch_length_s + f.grace_s
    funded = exists().where(
        e.event == "FacilityStateChanged",
        e.new_state == FacilityState.FUNDED,
        e.facility_id == f.facility_id,
    )
    done = exists().where(
        statements.c.facility_id == f.facility_id,
        statements.c.epoch == f.epochs_closed,
        statements.c.closing,
    )
    query = select(f.facility_id).where(cut_s <= past_s, funded, ~done).order_by(f.facility_id)
    return list(connection.execute(query).scalars())


def facilities_of(connection: Connection, operator_id: OperatorId) -> list[FacilityId]:
    """Facilities of an operator, by id."""
    query = select(facilities.c.facility_id).where(facilities.c.operator_id == operator_id)
    return list(connection.execute(query.order_by(facilities.c.facility_id)).scalars())


def own_facility_rows(
    connection: Connection, operator_id: OperatorId, facility_ids: Iterable[FacilityId]
) -> dict[FacilityId, FacilityRow]:
    """Those of some facilities that are the operator's, by id, as they are now."""
    query = select(facilities).where(
        facilities.c.facility_id.in_(set(facility_ids)), facilities.c.operator_id == operator_id
    )
    return {row.facility_id: row for row in rows_as(FacilityRow, connection.execute(query))}


def lock_own_facilities(
    connection: Connection, operator_id: OperatorId, facility_ids: Iterable[FacilityId]
) -> dict[FacilityId, FacilityRow]:
    """Lock those of some facilities that are the operator's; others are not waited for either."""
    return _lock(connection, facility_ids, facilities.c.operator_id == operator_id)


def _lock(
    connection: Connection, facility_ids: Iterable[FacilityId], *whose: ColumnElement[bool]
) -> dict[FacilityId, FacilityRow]:
    """Lock facilities in id order: ingest and close of a facility wait for each other."""
    ids = sorted(set(facility_ids))
    if not ids:
        return {}
    # The database judges a row before it waits for the row's lock.
    query = select(facilities).where(facilities.c.facility_id.in_(ids), *whose)
    locked = connection.execute(query.order_by(facilities.c.facility_id).with_for_update())
    return {row.facility_id: row for row in rows_as(FacilityRow, locked)}


def lock_facility(connection: Connection, facility_id: FacilityId) -> FacilityRow:
    """One facility, locked. Raises NotFound."""
    row = _lock(connection, [facility_id]).get(facility_id)
    if row is None:
        raise NotFound(f"no facility {facility_id}", facility_id=facility_id)
    return row


def lock_own_facility(
    connection: Connection, operator_id: OperatorId, facility_id: FacilityId
) -> FacilityRow:
    """An operator's facility, locked; those of others are as if they did not exist.

    Raises:  NotFound.
    """
    row = lock_own_facilities(connection, operator_id, [facility_id]).get(facility_id)
    if row is None:
        raise NotFound(f"no facility {facility_id} of yours", facility_id=facility_id)
    return row


def set_last_recorded(connection: Connection, facility_id: FacilityId, recorded_at_s: int) -> None:
    """Remember the newest recording time of a facility: it never goes back."""
    connection.execute(
        update(facilities)
        .where(facilities.c.facility_id == facility_id)
        .values(last_recorded_at_s=recorded_at_s)
    )


def pledged_devices(connection: Connection, facility_id: FacilityId) -> list[PledgedDevice]:
    """A facility's devices with their cards in ascending order, as its pledge numbers them."""
    query = select(devices.c.device, devices.c.card).where(devices.c.facility_id == facility_id)
    return rows_as(PledgedDevice, connection.execute(query.order_by(devices.c.device)))


def grow_log(
    connection: Connection,
    facility_id: FacilityId,
    *,
    log: LogEnd,
    recorded_at_s: int,
    longest_s: int,
) -> None:
    """A facility's log has more entries, the last recorded at a time that never falls.

    A number is given away once: tables by month have no key that would see it in another month.
    """
    longer = facilities.c.log_size < log.size
    grown = connection.execute(
        update(facilities)
        .where(facilities.c.facility_id == facility_id, longer)
        .values(
            log_size=log.size,
            log_head=log.head,
            last_recorded_at_s=recorded_at_s,
            longest_s=longest_s,
        )
    )
    assert grown.rowcount == 1  # under the lock of its row
