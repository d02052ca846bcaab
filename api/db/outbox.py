"""The outbox: transactions that are to be sent, and what became of them."""

from sqlalchemy import Connection, Update, func, select, update

from api.db.rows import first_as, insert_record, rows_as, values_of
from api.db.tables.chain import IntentRow, NewIntent, SignedTx, intents
from api.domain.units import Epoch, FacilityId


def open_intents(connection: Connection) -> list[IntentRow]:
    """Transactions that were signed and whose outcome is not known, in nonce order."""
    query = select(intents).where(intents.c.state == "sent").order_by(intents.c.nonce)
    return rows_as(IntentRow, connection.execute(query))


def intent_of(
    connection: Connection, kind: str, facility_id: FacilityId, epoch: Epoch, *, sequence: int
) -> IntentRow | None:
    """One intent, or None."""
    query = select(intents).where(
        intents.c.kind == kind,
        intents.c.facility_id == facility_id,
        intents.c.epoch == epoch,
        intents.c.sequence == sequence,
    )
    return first_as(IntentRow, connection.execute(query))


def settle_sequence(connection: Connection, facility_id: FacilityId, epochs: int) -> int:
    """Number of settlements already done with this count of epochs."""
    query = select(func.count()).where(
        intents.c.kind == "settle",
        intents.c.facility_id == facility_id,
        intents.c.epoch == epochs,
        intents.c.state == "done",
    )
    return int(connection.execute(query).scalar_one())


# Calls that one line of a statement may need: each serves many vouchers.
_SERVES_A_LINE = 64


def serve_sequence(
    connection: Connection, facility_id: FacilityId, epoch: Epoch, index: int
) -> int | None:
    """Number of the next call that serves from a line; None after so many that something is wrong.

    Line and repeat share one number: a line whose seconds are not all used is shown again.
    """
    first = index * _SERVES_A_LINE
    query = select(func.count()).where(
        intents.c.kind == "serve",
        intents.c.facility_id == facility_id,
        intents.c.epoch == epoch,
        intents.c.sequence >= first,
        intents.c.sequence < first + _SERVES_A_LINE,
        intents.c.state == "done",
    )
    done = int(connection.execute(query).scalar_one())
    # The column holds 31 bits: beyond line 33,554,431 a line is served by hand.
    sequence = first + done
    return sequence if done < _SERVES_A_LINE and sequence < 2**31 else None


def highest_nonce(connection: Connection, sender: str) -> int:
    """Highest nonce that an open intent of a sender holds; -1 if none."""
    query = select(func.max(intents.c.nonce)).where(
        intents.c.sender == sender, intents.c.state == "sent"
    )
    found = connection.execute(query).scalar()
    return -1 if found is None else int(found)


def save_intent(connection: Connection, intent: NewIntent) -> None:
    """Store a signed transaction before it is sent; a failed intent of the same name is renewed."""
    existing = intent_of(
        connection, intent.kind, intent.facility_id, intent.epoch, sequence=intent.sequence
    )
    if existing is None:
        insert_record(connection, intent)
        return
    where = intents.c.intent_pk == existing.intent_pk
    connection.execute(update(intents).where(where).values(values_of(intent)))


def replace_intent(connection: Connection, row: IntentRow, signed: SignedTx) -> bool:
    """Store a replacement at the same nonce; False if the intent is no longer as `row` says."""
    values = values_of(signed) | {"replaced_hashes": row.replaced_hashes + row.tx_hash}
    return connection.execute(_still(row).values(values)).rowcount == 1


def finish_intent(
    connection: Connection,
    row: IntentRow,
    state: str,
    *,
    tx_hash: bytes,
    error: str | None = None,
) -> bool:
    """Record the outcome of a transaction; False if the intent is no longer as `row` says."""
    finished = _still(row).values(state=state, error=error, tx_hash=tx_hash)
    return connection.execute(finished).rowcount == 1


def note_error(connection: Connection, row: IntentRow, error: str) -> None:
    """Keep what the node said of a transaction that it did not take; the intent stays open."""
    connection.execute(_still(row).values(error=error))


def _still(row: IntentRow) -> Update:
    """Another worker may have finished, replaced or renewed an intent since it was read."""
    return update(intents).where(
        intents.c.intent_pk == row.intent_pk,
        intents.c.state == "sent",
        intents.c.tx_hash == row.tx_hash,
    )
