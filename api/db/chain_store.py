"""SQL of the chain side: the outbox of transactions and the index of events."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, insert, select

from api.db.bulk import insert_mappings
from api.db.tables.chain import chain_blocks, chain_events
from api.domain.lifecycle import FacilityState


def last_block(connection: Connection) -> Any:
    """Newest indexed block, or None."""
    query = select(chain_blocks).order_by(chain_blocks.c.number.desc()).limit(1)
    return connection.execute(query).first()


def block_at_or_below(connection: Connection, number: int) -> Any:
    """Newest remembered block up to a number, or None."""
    query = select(chain_blocks).where(chain_blocks.c.number <= number)
    return connection.execute(query.order_by(chain_blocks.c.number.desc()).limit(1)).first()


def drop_above(connection: Connection, number: int) -> None:
    """Forget every event and block above a number."""
    connection.execute(delete(chain_events).where(chain_events.c.block_number > number))
    connection.execute(delete(chain_blocks).where(chain_blocks.c.number > number))


def append_range(
    connection: Connection, rows: Sequence[dict[str, Any]], block: dict[str, Any]
) -> None:
    """Store the events of a range with the block that ends it."""
    insert_mappings(connection, chain_events, rows)
    connection.execute(insert(chain_blocks), block)


def events_named(
    connection: Connection,
    *names: str,
    facility_id: int | None = None,
    offset: int = 0,
    limit: int | None = None,
) -> list[Row[Any]]:
    """Indexed events by name, in chain order; all of them, or a page."""
    query = select(chain_events).where(chain_events.c.event.in_(names))
    if facility_id is not None:
        query = query.where(chain_events.c.facility_id == facility_id)
    order = (chain_events.c.block_number, chain_events.c.log_index, chain_events.c.part)
    query = query.order_by(*order)
    if limit is not None:
        query = query.offset(offset).limit(limit)
    return list(connection.execute(query))


def progress_events(connection: Connection, facility_id: int) -> list[Row[Any]]:
    """Postings, voids and settlements of a facility in chain order, without their long payloads."""
    names = ("StatementPosted", "StatementVoided", "Settled")
    columns = ("event", "epoch", "extra", "statement_hash", "tx_hash", "block_time_s")
    query = (
        select(*(chain_events.c[name] for name in columns))
        .where(chain_events.c.event.in_(names), chain_events.c.facility_id == facility_id)
        .order_by(chain_events.c.block_number, chain_events.c.log_index, chain_events.c.part)
    )
    return list(connection.execute(query))


def cancelled_facilities() -> Select[Any]:
    """Facilities whose offer was withdrawn, or whose sale failed: their pledge is void for ever."""
    return select(chain_events.c.facility_id).where(
        chain_events.c.event == "FacilityStateChanged",
        chain_events.c.extra == FacilityState.CANCELLED,
        chain_events.c.facility_id.is_not(None),
    )
