"""What people do with intents of the outbox: look, resend, cancel, adopt.

Nothing is sent from here: the worker, which alone has the key, does it in its next round.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection

from api.clock import system_clock
from api.db import outbox as rows
from api.db.migrate import migrated
from api.db.session import transaction
from api.db.tables.outbox import IntentRow, TxRow
from api.domain.transactions import DONE, UNDER_WAY, UNSENT, IntentState
from api.errors import Conflict, NotFound
from api.settings import Settings

_MOST = 1_000
NEXT_ROUND = "the worker does it in its next round"


@contextmanager
def _outbox(settings: Settings) -> Iterator[Connection]:
    with migrated(settings.database_url) as engine, transaction(engine) as connection:
        yield connection


def listed(settings: Settings, *, everything: bool) -> list[dict[str, Any]]:
    """Intents, the newest first, each with every transaction that was signed for it."""
    with _outbox(settings) as connection:
        found = rows.listed(connection, everything=everything, limit=_MOST)
        return [_shown(row, rows.transactions_of(connection, row.intent_pk)) for row in found]


def problems(settings: Settings) -> list[dict[str, Any]]:
    """Why a key can send nothing now."""
    with _outbox(settings) as connection:
        return [
            {"sender": row.sender, "problem": row.problem, "since_s": row.problem_since_s}
            for row in rows.relayer_problems(connection)
        ]


def _shown(row: IntentRow, transactions: list[TxRow]) -> dict[str, Any]:
    return {
        "intent": row.intent_pk,
        "kind": row.kind,
        "facility_id": row.facility_id,
        "epoch": row.epoch,
        "sequence": row.sequence,
        "state": row.state,
        "error": row.error,
        "attempts": row.attempts,
        "next_try_s": row.next_try_s or None,
        "created_at_s": row.created_at_s,
        "transactions": [
            {
                "hash": "0x" + tx.tx_hash.hex(),
                "sender": tx.sender,
                "nonce": tx.nonce,
                "purpose": tx.purpose,
                "state": tx.state,
                "max_fee_wei": tx.max_fee_wei,
                "priority_fee_wei": tx.priority_fee_wei,
                "gas_limit": tx.gas_limit,
                "block": tx.block_number,
                "gas_used": tx.gas_used,
                "cost_gwei": tx.cost_gwei,
                "note": tx.note,
            }
            for tx in transactions
        ],
    }


def resend(settings: Settings, intent_pk: int) -> str:
    """Try an intent again at once, also one that was cancelled, or taken for final.

    It is simulated first: what the chain would not take now is refused again.
    Raises:  NotFound, Conflict while a transaction of it is under way or mined.
    """
    with _outbox(settings) as connection:
        row = _known(connection, intent_pk)
        if row.state in UNDER_WAY or row.state == IntentState.MINED:
            raise _not_now(row, "resent")
        values = {"state": IntentState.DUE, "next_try_s": 0, "due_at_s": _now_s(row)}
        rows.change_intent(connection, row, **values)
    return f"intent {intent_pk} is due: {NEXT_ROUND}"


def _now_s(row: IntentRow) -> int:
    # By the worker's clock, which may be a demo chain's and ahead of this one.
    return max(system_clock(), row.due_at_s)


def cancel(settings: Settings, intent_pk: int) -> str:
    """Take an intent back: what is not sent never is; what is gets its nonce used by nothing.

    Raises:  NotFound, Conflict for one that is mined.
    """
    with _outbox(settings) as connection:
        row = _known(connection, intent_pk)
        if row.state in DONE:
            raise _not_now(row, "cancelled")
        if row.state in UNSENT:
            rows.change_intent(connection, row, state=IntentState.CANCELLED)
            return f"intent {intent_pk} is cancelled"
        if row.state == IntentState.SENT:
            rows.change_intent(connection, row, state=IntentState.CANCELLING)
    return (
        f"intent {intent_pk} gives its nonce to a transaction that does nothing: {NEXT_ROUND}."
        " Whichever is mined first counts"
    )


def adopt(settings: Settings, intent_pk: int) -> str:
    """Let the relayer's present key take over what another key's transaction carries.

    Raises:  NotFound, Conflict for one of which nothing is under way.
    """
    with _outbox(settings) as connection:
        row = _known(connection, intent_pk)
        if row.state != IntentState.SENT:
            raise _not_now(row, "taken over")
        rows.change_intent(connection, row, adopt=True)
    return f"intent {intent_pk} is taken over from another key if it would still succeed"


def _known(connection: Connection, intent_pk: int) -> IntentRow:
    row = rows.intent_by_key(connection, intent_pk)
    if row is None:
        raise NotFound(f"there is no intent {intent_pk}")
    return row


def _not_now(row: IntentRow, verb: str) -> Conflict:
    return Conflict(f"intent {row.intent_pk} is {row.state}: it cannot be {verb}", state=row.state)
