"""The outbox: transactions that are to be sent, and what became of them."""

from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from api.db.tables.chain import intents


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
