"""SQL of the index's own state, and of the logs that it keeps as they came."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select, update

from api.db.bulk import insert_many
from api.db.rows import columns_of, first_as, insert_record, record_of, rows_as, values_of
from api.db.tables.chain import chain_blocks, chain_events
from api.db.tables.index import chain_logs, index_state
from api.domain.units import Bytes32

_ONLY = 1


@record_of(index_state)
@dataclass(frozen=True, slots=True)
class IndexState:
    """How the index stands, and of which chain it is."""

    only: int
    chain_id: int
    registry: str
    anchor_number: int | None
    anchor_hash: Bytes32 | None
    state: str
    reason: str | None
    since_s: int
    seen_at_s: int
    head: int
    final_number: int
    final_hash: Bytes32 | None
    log_range: int
    looked_number: int
    counted_number: int
    miscounted: str | None


@record_of(chain_logs)
@dataclass(frozen=True, slots=True)
class LogRow:
    """A log of one of our contracts, as it came."""

    block_number: int
    log_index: int
    block_time_s: int
    tx_hash: Bytes32
    address: str
    topics: bytes
    data: bytes

    @property
    def place(self) -> tuple[int, int]:
        """Where on the chain."""
        return self.block_number, self.log_index


_LOGS = select(*columns_of(LogRow))


def index_state_row(connection: Connection) -> IndexState | None:
    """How the index stands; None before it first did anything."""
    return first_as(IndexState, connection.execute(select(*columns_of(IndexState))))


def save_state(connection: Connection, state: IndexState) -> None:
    """Store how the index stands."""
    changed = update(index_state).where(index_state.c.only == _ONLY).values(values_of(state))
    if connection.execute(changed).rowcount == 0:
        insert_record(connection, state)


def newest_number(connection: Connection) -> int | None:
    """Number of the newest indexed block."""
    return connection.execute(select(func.max(chain_blocks.c.number))).scalar()


def final_number(connection: Connection) -> int | None:
    """Number of the newest indexed block that is final; None while none is."""
    number = connection.execute(select(index_state.c.final_number)).scalar()
    return None if number is None or number < 0 else number


def forget(connection: Connection) -> None:
    """Forget everything that was read of the chain, and which chain it was."""
    for table in (chain_events, chain_logs, chain_blocks, index_state):
        connection.execute(delete(table))


def insert_logs(connection: Connection, rows: Sequence[LogRow]) -> None:
    """Keep logs as they came."""
    insert_many(connection, rows)


def drop_logs_above(connection: Connection, number: int) -> None:
    """Forget logs of blocks above a number."""
    connection.execute(delete(chain_logs).where(chain_logs.c.block_number > number))


def logs_between(connection: Connection, first: int, last: int) -> list[LogRow]:
    """Kept logs of blocks `first` to `last`, in order."""
    query = _LOGS.where(chain_logs.c.block_number.between(first, last))
    order = (chain_logs.c.block_number, chain_logs.c.log_index)
    return rows_as(LogRow, connection.execute(query.order_by(*order)))


def count_logs(connection: Connection) -> int:
    """How many logs are kept."""
    return connection.execute(select(func.count()).select_from(chain_logs)).scalar_one()


def logs_in_parts(connection: Connection, size: int) -> Iterator[list[LogRow]]:
    """All kept logs in order, so many blocks' worth at a time that a part has about `size`."""
    order = (chain_logs.c.block_number, chain_logs.c.log_index)
    number, index = -1, -1
    while True:
        later = (chain_logs.c.block_number > number) | (
            (chain_logs.c.block_number == number) & (chain_logs.c.log_index > index)
        )
        query = _LOGS.where(later).order_by(*order).limit(size)
        rows = rows_as(LogRow, connection.execute(query))
        if not rows:
            return
        yield rows
        number, index = rows[-1].place


def drop_events(connection: Connection) -> None:
    """Forget all decoded events; the logs stay."""
    connection.execute(delete(chain_events))


def block_numbers(connection: Connection, first: int, last: int) -> set[int]:
    """Blocks of a range that were read one by one, or end a range."""
    query = select(chain_blocks.c.number).where(chain_blocks.c.number.between(first, last))
    return set(connection.execute(query).scalars())
