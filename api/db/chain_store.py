"""SQL of the index: blocks that were read, and the events of our contracts in them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, CompoundSelect, Connection, delete, func, select

from api.db import event_columns as e
from api.db.bulk import insert_many
from api.db.rows import columns_of, first_as, insert_record, record_of, rows_as
from api.db.tables.chain import chain_blocks, chain_events
from api.db.tables.facilities import facilities
from api.domain.lifecycle import FacilityState, final_at_s
from api.domain.units import Bytes32, Epoch, FacilityId


@record_of(chain_blocks)
@dataclass(frozen=True, slots=True)
class BlockRow:
    """An indexed block: the end of a range that was read."""

    number: int
    block_hash: Bytes32
    time_s: int


@record_of(chain_events)
@dataclass(frozen=True, slots=True)
class EventRow:
    """An event of one of our contracts, or one part of a batch, as it is stored.

    What `account`, `amount` and `extra` mean depends on the event: `event_columns` names them.
    """

    block_number: int
    log_index: int
    part: int
    block_time_s: int
    tx_hash: Bytes32
    contract: str
    event: str
    facility_id: FacilityId | None
    epoch: Epoch | None
    token_id: str | None
    account: str | None
    counterparty: str | None
    amount: int | None
    extra: int | None
    statement_hash: Bytes32 | None
    payload: str


# What holders do among themselves gives a worker nothing to do.
_OF_HOLDERS = ("TransferSingle", "TransferBatch", "RevenueClaimed", "RevenueClaimedBatch")
# Anybody with the role of an operator may offer an id of its own choice.
_REGISTERED = e.facility_id.in_(select(facilities.c.facility_id))
_STORED = columns_of(EventRow)
_BLOCK = select(*columns_of(BlockRow))


def last_block(connection: Connection) -> BlockRow | None:
    """Newest indexed block, or None."""
    return _newest(connection)


def block_at_or_below(connection: Connection, number: int) -> BlockRow | None:
    """Newest remembered block up to a number, or None."""
    return _newest(connection, chain_blocks.c.number <= number)


def block_at(connection: Connection, number: int) -> BlockRow | None:
    """The remembered block of this very number, or None."""
    return _newest(connection, chain_blocks.c.number == number)


def _newest(connection: Connection, *where: ColumnElement[bool]) -> BlockRow | None:
    newest = _BLOCK.where(*where).order_by(chain_blocks.c.number.desc()).limit(1)
    return first_as(BlockRow, connection.execute(newest))


def drop_above(connection: Connection, number: int) -> None:
    """Forget every event and block above a number."""
    connection.execute(delete(chain_events).where(chain_events.c.block_number > number))
    connection.execute(delete(chain_blocks).where(chain_blocks.c.number > number))


def append_range(connection: Connection, rows: Sequence[EventRow], block: BlockRow) -> None:
    """Store the events of a range with the block that ends it."""
    insert_many(connection, rows)
    insert_record(connection, block)


def events_named(
    connection: Connection,
    *names: str,
    facility_id: FacilityId | None = None,
    offset: int = 0,
    limit: int | None = None,
) -> list[EventRow]:
    """Indexed events by name, in chain order; all of them, or a page."""
    query = select(*_STORED).where(e.event.in_(names)).order_by(*e.chain_order)
    if facility_id is not None:
        query = query.where(e.facility_id == facility_id)
    if limit is not None:
        query = query.offset(offset).limit(limit)
    return rows_as(EventRow, connection.execute(query))


def ended_at(
    connection: Connection, facility_ids: Collection[FacilityId] | None = None
) -> dict[FacilityId, int]:
    """When facilities matured, defaulted or were stopped, UTC seconds: all of them, or some.

    Without those whose id has more than 63 bits: the service gives no such id, and keeps none.
    """
    ends = [state for state in FacilityState if state.ended]
    query = select(e.facility_id, e.block_time_s).where(
        e.event == "FacilityStateChanged",
        e.new_state.in_(ends),
        e.facility_id.is_not(None),
    )
    if facility_ids is not None:
        query = query.where(e.facility_id.in_(facility_ids))
    return dict(connection.execute(query).all())


def ended_and_open(connection: Connection) -> list[FacilityId]:
    """Facilities that have ended and are not closed, in order."""
    closed = select(e.facility_id).where(e.event == "FacilityClosed")
    closed_ids = set(connection.execute(closed).scalars())
    return sorted(ended_at(connection).keys() - closed_ids)


def next_final_s(
    connection: Connection, facility_id: FacilityId, *, window_s: int, now_s: int
) -> int | None:
    """When the next posted statement of a facility becomes final; None if none waits for it."""
    query = select(func.min(e.block_time_s)).where(
        e.event == "StatementPosted",
        e.facility_id == facility_id,
        e.block_time_s > now_s - window_s,
    )
    posted_s = connection.execute(query).scalar()
    return None if posted_s is None else final_at_s(posted_s, challenge_window_s=window_s)


def funded(connection: Connection) -> list[FacilityId]:
    """Registered facilities that were funded once, and that are not closed, in order."""
    funded_ids = select(e.facility_id).where(
        e.event == "FacilityStateChanged", e.new_state == FacilityState.FUNDED, _REGISTERED
    )
    closed = select(e.facility_id).where(e.event == "FacilityClosed")
    ids = set(connection.execute(funded_ids).scalars())
    return sorted(ids - set(connection.execute(closed).scalars()))


def offered(connection: Connection) -> list[FacilityId]:
    """Registered facilities that were offered, in order."""
    query = select(e.facility_id).where(e.event == "FacilityOffered", _REGISTERED)
    return sorted(set(connection.execute(query).scalars()))


def touched_since(connection: Connection, number: int) -> set[FacilityId]:
    """Registered facilities of which something was logged behind a block, but for transfers."""
    query = select(e.facility_id).where(
        e.block_number > number, _REGISTERED, e.event.not_in(_OF_HOLDERS)
    )
    return set(connection.execute(query.distinct()).scalars())


def is_closed(connection: Connection, facility_id: FacilityId) -> bool:
    """Whether a facility was closed: no statement of it is taken any more.

    Source:  `Closings.closableFrom`, which waits until statements of it have ended.
    """
    closed = select(e.event).where(e.event == "FacilityClosed", e.facility_id == facility_id)
    return connection.execute(closed.limit(1)).first() is not None


def cancelled_facilities() -> CompoundSelect[FacilityId]:
    """Facilities whose offer was withdrawn or expired, or whose sale failed: their pledge is void.

    Expired is what was not funded in time, by the newest indexed block, whether offered or not:
    time alone cancels it, and nothing need be logged.
    """
    changed = e.event == "FacilityStateChanged"
    cancelled = select(e.facility_id).where(
        changed, e.new_state == FacilityState.CANCELLED, e.facility_id.is_not(None)
    )
    funded = select(e.facility_id).where(
        changed, e.new_state == FacilityState.FUNDED, e.facility_id.is_not(None)
    )
    now_s = select(func.max(chain_blocks.c.time_s)).scalar_subquery()
    expired = select(facilities.c.facility_id).where(
        facilities.c.expires_at_s <= now_s, facilities.c.facility_id.not_in(funded)
    )
    return cancelled.union(expired)
