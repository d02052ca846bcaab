"""The outbox: what is to be done once, and what became of the transactions that carry it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Connection, func, select, update

from api.db.rows import columns_of, first_as, insert_record, new_key, rows_as, values_of
from api.db.tables.outbox import (
    CarriedIntent,
    IntentRow,
    NewIntent,
    RelayerRow,
    SignedTx,
    TxRow,
    carried_intents,
    intents,
    relayers,
    signed_transactions,
)
from api.domain.transactions import (
    DONE,
    UNSENT,
    WATCHED,
    IntentState,
    SlotTx,
    TxState,
    part_of_slot,
    standing,
)
from api.domain.units import Epoch, FacilityId

# Sender of what no address is known of: its key could not be opened.
NO_KEY = "unknown"


@dataclass(frozen=True, slots=True)
class Work:
    """What is not at its end: watched transactions by nonce, what they carry, unsent intents."""

    transactions: tuple[TxRow, ...]
    carried: tuple[CarriedIntent, ...]
    intents: tuple[IntentRow, ...]


def unfinished(connection: Connection, *, due_since_s: int = 0) -> Work:
    """Everything that may still need a step, of every sender.

    Args:    due_since_s: of what is not sent, only what was found due since.
    """
    watched = (
        select(*columns_of(TxRow))
        .where(signed_transactions.c.state.in_(WATCHED))
        .order_by(signed_transactions.c.nonce, signed_transactions.c.attempt)
    )
    found = rows_as(TxRow, connection.execute(watched))
    keys = [tx.tx_pk for tx in found]
    carried = carried_by(connection, keys)
    unsent = intents.c.state.in_(UNSENT) & (intents.c.due_at_s > due_since_s)
    wanted: ColumnElement[bool] = unsent | (intents.c.state == IntentState.CANCELLING)
    carried_keys = {c.intent_pk for c in carried}
    if carried_keys:
        wanted |= intents.c.intent_pk.in_(carried_keys)
    query = select(*columns_of(IntentRow)).where(wanted).order_by(intents.c.intent_pk)
    return Work(tuple(found), tuple(carried), tuple(rows_as(IntentRow, connection.execute(query))))


def carried_by(connection: Connection, tx_pks: Sequence[int]) -> list[CarriedIntent]:
    """What transactions carry."""
    if not tx_pks:
        return []
    query = select(*columns_of(CarriedIntent)).where(carried_intents.c.tx_pk.in_(tx_pks))
    return rows_as(CarriedIntent, connection.execute(query))


def open_count(connection: Connection) -> int:
    """Transactions whose outcome is not known yet."""
    query = select(func.count()).where(
        signed_transactions.c.state.in_((TxState.SIGNED, TxState.SENT))
    )
    return int(connection.execute(query).scalar_one())


def refused_count(connection: Connection, *, due_since_s: int) -> int:
    """Intents that would revert, or did, and are tried again, for they were found due since."""
    query = select(func.count()).where(
        intents.c.state.in_((IntentState.REFUSED, IntentState.REVERTED)),
        intents.c.due_at_s > due_since_s,
    )
    return int(connection.execute(query).scalar_one())


def listed(connection: Connection, *, everything: bool, limit: int) -> list[IntentRow]:
    """Intents, the newest first; only those that are not final unless `everything`."""
    query = select(*columns_of(IntentRow)).order_by(intents.c.intent_pk.desc()).limit(limit)
    if not everything:
        ended = (IntentState.FINAL, IntentState.CANCELLED)
        query = query.where(intents.c.state.not_in(ended))
    return rows_as(IntentRow, connection.execute(query))


def transactions_of(connection: Connection, intent_pk: int) -> list[TxRow]:
    """Every transaction that carries an intent, in the order of signing."""
    query = (
        select(*columns_of(TxRow))
        .join(carried_intents, carried_intents.c.tx_pk == signed_transactions.c.tx_pk)
        .where(carried_intents.c.intent_pk == intent_pk)
        .order_by(signed_transactions.c.tx_pk)
    )
    return rows_as(TxRow, connection.execute(query))


def intent_by_key(connection: Connection, intent_pk: int) -> IntentRow | None:
    """One intent by its number."""
    return _one(connection, intents.c.intent_pk == intent_pk)


def intent_of(
    connection: Connection, kind: str, facility_id: FacilityId, epoch: Epoch, *, sequence: int
) -> IntentRow | None:
    """One intent by its name, or None."""
    return _one(
        connection,
        intents.c.kind == kind,
        intents.c.facility_id == facility_id,
        intents.c.epoch == epoch,
        intents.c.sequence == sequence,
    )


def _one(connection: Connection, *where: ColumnElement[bool]) -> IntentRow | None:
    return first_as(IntentRow, connection.execute(select(*columns_of(IntentRow)).where(*where)))


def settle_sequence(connection: Connection, facility_id: FacilityId, epochs: int) -> int:
    """Number of settlements already done with this count of epochs."""
    query = select(func.count()).where(
        intents.c.kind == "settle",
        intents.c.facility_id == facility_id,
        intents.c.epoch == epochs,
        intents.c.state.in_(DONE),
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
        intents.c.state.in_(DONE),
    )
    done = int(connection.execute(query).scalar_one())
    # The column holds 31 bits: beyond line 33,554,431 a line is served by hand.
    sequence = first + done
    return sequence if done < _SERVES_A_LINE and sequence < 2**31 else None


def add_intent(connection: Connection, intent: NewIntent) -> None:
    """Store what is to be done."""
    insert_record(connection, intent)


def change_intent(connection: Connection, row: IntentRow, **values: object) -> bool:
    """Change an intent; False if it is no longer in the state that `row` says."""
    changed = update(intents).where(
        intents.c.intent_pk == row.intent_pk, intents.c.state == row.state
    )
    return connection.execute(changed.values(**values)).rowcount == 1


def save_signed(connection: Connection, tx: SignedTx, carries: Iterable[int]) -> TxRow:
    """Store a transaction and what it carries, before anybody sees it.

    Raises:  IntegrityError where another worker took the same place.
    """
    of_slot = (signed_transactions.c.sender == tx.sender, signed_transactions.c.nonce == tx.nonce)
    query = select(func.max(signed_transactions.c.attempt)).where(*of_slot)
    highest = connection.execute(query).scalar()
    attempt = 0 if highest is None else int(highest) + 1
    inserted = connection.execute(
        signed_transactions.insert().values(**values_of(tx), attempt=attempt)
    )
    tx_pk = new_key(inserted)
    for intent_pk in carries:
        insert_record(connection, CarriedIntent(tx_pk, intent_pk, None))
    return TxRow(
        **values_of(tx),  # type: ignore[arg-type]
        tx_pk=tx_pk,
        attempt=attempt,
        sent_at_block=None,
        passed_at_block=None,
        block_number=None,
        block_hash=None,
        gas_used=None,
        cost_gwei=None,
        note=None,
    )


def change_tx(connection: Connection, row: TxRow, **values: object) -> TxRow | None:
    """Change a transaction; None if it is no longer in the state that `row` says."""
    changed = update(signed_transactions).where(
        signed_transactions.c.tx_pk == row.tx_pk, signed_transactions.c.state == row.state
    )
    if connection.execute(changed.values(**values)).rowcount != 1:
        return None
    return replace(row, **values)  # type: ignore[arg-type]


def note_failure(
    connection: Connection, *, tx_pk: int, intent_pk: int, failure: str | None
) -> None:
    """Keep why a mined transaction did not do an intent; None where it did."""
    where = (carried_intents.c.tx_pk == tx_pk, carried_intents.c.intent_pk == intent_pk)
    connection.execute(update(carried_intents).where(*where).values(failure=failure))


def slot_of(connection: Connection, sender: str, nonce: int) -> list[TxRow]:
    """Every transaction that was signed for a nonce."""
    query = select(*columns_of(TxRow)).where(
        signed_transactions.c.sender == sender, signed_transactions.c.nonce == nonce
    )
    return rows_as(TxRow, connection.execute(query.order_by(signed_transactions.c.attempt)))


def restated(connection: Connection, intent_pk: int) -> IntentState | None:
    """State of an intent by all slots that carried it, stored if it is another; else None."""
    row = intent_by_key(connection, intent_pk)
    assert row is not None  # intents are never deleted
    parts = []
    slots = {(tx.sender, tx.nonce) for tx in transactions_of(connection, intent_pk)}
    for sender, nonce in slots:
        txs = slot_of(connection, sender, nonce)
        links = {
            c.tx_pk: c
            for c in carried_by(connection, [t.tx_pk for t in txs])
            if c.intent_pk == intent_pk
        }
        parts.append(
            part_of_slot(
                [
                    SlotTx(
                        TxState(tx.state),
                        tx.tx_pk in links,
                        failed=tx.tx_pk in links and links[tx.tx_pk].failure is not None,
                    )
                    for tx in txs
                ]
            )
        )
    state = standing(IntentState(row.state), parts)
    if state == row.state:
        return None
    values: dict[str, object] = {"state": state}
    if state in (IntentState.MINED, IntentState.SENT):
        values["error"] = None
    if state is IntentState.MINED:
        values["attempts"] = 0
    connection.execute(update(intents).where(intents.c.intent_pk == intent_pk).values(**values))
    return state


def highest_final_nonce(connection: Connection, sender: str) -> int:
    """Highest nonce of a sender that is used for good; -1 if none."""
    query = select(func.max(signed_transactions.c.nonce)).where(
        signed_transactions.c.sender == sender,
        signed_transactions.c.state.in_((TxState.FINAL, TxState.LOST)),
    )
    found = connection.execute(query).scalar()
    return -1 if found is None else int(found)


def gas_since(connection: Connection, since_s: int) -> dict[FacilityId, int]:
    """Gas by facility of what was signed since: used where it is mined, else at most."""
    t = signed_transactions.c
    members = (
        select(carried_intents.c.tx_pk, func.count().label("members"))
        .join(signed_transactions, t.tx_pk == carried_intents.c.tx_pk)
        .where(t.signed_at_s >= since_s)
        .group_by(carried_intents.c.tx_pk)
        .subquery()
    )
    # Of what replaces each other at one nonce, one is mined: the newest stands for all.
    newest = (
        select(t.sender, t.nonce, func.max(t.attempt).label("attempt"))
        .where(t.signed_at_s >= since_s)
        .group_by(t.sender, t.nonce)
        .subquery()
    )
    query = (
        select(intents.c.facility_id, t.gas_used, t.gas_limit, members.c.members, t.state)
        .select_from(signed_transactions)
        .join(carried_intents, carried_intents.c.tx_pk == t.tx_pk)
        .join(members, members.c.tx_pk == t.tx_pk)
        .join(intents, intents.c.intent_pk == carried_intents.c.intent_pk)
        .join(newest, (newest.c.sender == t.sender) & (newest.c.nonce == t.nonce))
        .where(t.signed_at_s >= since_s, t.state.not_in((TxState.REPLACED, TxState.LOST)))
        .where(t.gas_used.is_not(None) | (t.attempt == newest.c.attempt))
    )
    used: dict[FacilityId, int] = {}
    for facility_id, gas_used, gas_limit, count, _state in connection.execute(query):
        gas = gas_limit if gas_used is None else gas_used
        used[facility_id] = used.get(facility_id, 0) + gas // count
    return used


def relayer_row(connection: Connection, sender: str) -> RelayerRow:
    """What is known of a sender; an empty row if nothing is."""
    query = select(*columns_of(RelayerRow)).where(relayers.c.sender == sender)
    found = first_as(RelayerRow, connection.execute(query))
    return found or RelayerRow(sender, 0, 0, None, None)


def relayer_problems(connection: Connection) -> list[RelayerRow]:
    """Senders that can send nothing now."""
    query = select(*columns_of(RelayerRow)).where(relayers.c.problem.is_not(None))
    return rows_as(RelayerRow, connection.execute(query))


def note_no_key(connection: Connection, problem: str, now_s: int) -> None:
    """Keep why there is no key to send with: its address is not known."""
    since_s = relayer_row(connection, NO_KEY).problem_since_s
    save_relayer(connection, RelayerRow(NO_KEY, 0, 0, problem, since_s or now_s))


def forget_problems(connection: Connection, *, but_of: str | None) -> None:
    """Keys that are used no more have no problems; what is one still is noted again at once."""
    others = relayers.c.problem.is_not(None), relayers.c.sender.is_distinct_from(but_of)
    values = {"problem": None, "problem_since_s": None}
    connection.execute(update(relayers).where(*others).values(values))


def save_relayer(connection: Connection, row: RelayerRow) -> None:
    """Keep what is known of a sender."""
    where = relayers.c.sender == row.sender
    if connection.execute(update(relayers).where(where).values(values_of(row))).rowcount == 0:
        insert_record(connection, row)
