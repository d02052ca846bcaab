"""SQL of the chain side: the outbox of transactions and the index of events."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update

from api.db.bulk import insert_mappings
from api.db.tables_chain import chain_blocks, chain_events, intents
from api.domain.listing import FacilityState


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


def replace_intent(connection: Connection, row: Any, values: dict[str, Any]) -> bool:
    """Store a replacement at the same nonce; False if the intent is no longer as `row` says."""
    where = _unchanged(row)
    values = values | {"replaced_hashes": row.replaced_hashes + row.tx_hash}
    return connection.execute(update(intents).where(*where).values(**values)).rowcount == 1


def finish_intent(
    connection: Connection, row: Any, state: str, *, tx_hash: bytes, error: str | None = None
) -> bool:
    """Record the outcome of a transaction; False if the intent is no longer as `row` says."""
    values = {"state": state, "error": error, "tx_hash": tx_hash}
    return (
        connection.execute(update(intents).where(*_unchanged(row)).values(**values)).rowcount == 1
    )


def note_refusal(connection: Connection, row: Any, error: str) -> None:
    """Keep what the node said of a transaction that it did not take; the intent stays open."""
    connection.execute(update(intents).where(*_unchanged(row)).values(error=error))


def _unchanged(row: Any) -> tuple[Any, ...]:
    """Another worker may have finished, replaced or renewed an intent since it was read."""
    return (
        intents.c.intent_pk == row.intent_pk,
        intents.c.state == "sent",
        intents.c.tx_hash == row.tx_hash,
    )


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


def standing_posts(connection: Connection, facility_id: int) -> dict[int, Row[Any]]:
    """StatementPosted by epoch, without those that a proven fault voided."""
    found: dict[int, Row[Any]] = {}
    names = ("StatementPosted", "StatementVoided")
    for row in events_named(connection, *names, facility_id=facility_id):
        if row.event == "StatementPosted":
            found[row.epoch] = row
        else:
            for epoch in range(row.epoch, row.extra):
                found.pop(epoch, None)
    return found
