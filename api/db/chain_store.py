"""SQL of the chain side: the outbox of transactions and the index of events."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from api.db.bulk import insert_mappings
from api.db.tables import chain_blocks, chain_events, intents


def open_intents(connection: Connection) -> list[Row[Any]]:
    """Transactions that were signed and whose outcome is not known, in nonce order."""
    query = select(intents).where(intents.c.state == "sent").order_by(intents.c.nonce)
    return list(connection.execute(query))


def intent_of(
    connection: Connection, kind: str, facility_id: int, epoch: int, sequence: int
) -> Any:
    """One intent, or None."""
    query = select(intents).where(
        intents.c.kind == kind,
        intents.c.facility_id == facility_id,
        intents.c.epoch == epoch,
        intents.c.sequence == sequence,
    )
    return connection.execute(query).first()


def settle_sequence(connection: Connection, facility_id: int, epochs: int) -> int:
    """Number of settlements already done with this count of epochs."""
    query = select(func.count()).where(
        intents.c.kind == "settle",
        intents.c.facility_id == facility_id,
        intents.c.epoch == epochs,
        intents.c.state == "done",
    )
    return int(connection.execute(query).scalar_one())


def highest_nonce(connection: Connection, sender: str) -> int:
    """Highest nonce that an open intent of a sender holds; -1 if none."""
    query = select(func.max(intents.c.nonce)).where(
        intents.c.sender == sender, intents.c.state == "sent"
    )
    found = connection.execute(query).scalar()
    return -1 if found is None else int(found)


def save_intent(connection: Connection, values: dict[str, Any]) -> None:
    """Store a signed transaction before it is sent; a failed intent of the same name is renewed."""
    names = ("kind", "facility_id", "epoch", "sequence")
    existing = intent_of(connection, *(values[n] for n in names))
    if existing is None:
        connection.execute(insert(intents), values)
        return
    where = intents.c.intent_pk == existing.intent_pk
    connection.execute(update(intents).where(where).values(**values))


def finish_intent(
    connection: Connection, intent_pk: int, state: str, error: str | None = None
) -> None:
    """Record the outcome of a transaction: done or failed. Failed ones free their nonce."""
    values: dict[str, Any] = {"state": state, "error": error}
    if state == "failed":
        # Negative numbers are nobody's nonce: the failed row stays for people to read.
        values["nonce"] = -intent_pk
    connection.execute(update(intents).where(intents.c.intent_pk == intent_pk).values(**values))


def last_block(connection: Connection) -> Any:
    """Newest indexed block, or None."""
    query = select(chain_blocks).order_by(chain_blocks.c.number.desc()).limit(1)
    return connection.execute(query).first()


def blocks_down(connection: Connection) -> list[Row[Any]]:
    """Remembered blocks, newest first."""
    query = select(chain_blocks).order_by(chain_blocks.c.number.desc())
    return list(connection.execute(query))


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
    connection: Connection, *names: str, facility_id: int | None = None
) -> list[Row[Any]]:
    """Indexed events by name, in chain order."""
    query = select(chain_events).where(chain_events.c.event.in_(names))
    if facility_id is not None:
        query = query.where(chain_events.c.facility_id == facility_id)
    order = (chain_events.c.block_number, chain_events.c.log_index)
    return list(connection.execute(query.order_by(*order)))
