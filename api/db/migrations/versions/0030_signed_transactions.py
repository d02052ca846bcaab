"""every signed transaction on its own, watched until it is final

What was `sent` or `failed` before is looked at again: a receipt that was missed then is found.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes

from api.db.tables.base import metadata
from api.db.tables.outbox import carried_intents, intents, signed_transactions

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_HASH = 32
# Of what was done before this release, whose outcome was written at its first receipt.
_STATES = {"sent": ("sent", "sent"), "done": ("final", "final"), "failed": ("reverted", "sent")}


def upgrade() -> None:
    """Split `intents` in two; on an empty database the first migration has made the new ones."""
    connection = op.get_bind()
    inspector = sa.inspect(connection)
    if "signed_transactions" in inspector.get_table_names():
        return
    old: list[dict[str, Any]] = []
    if "intents" in inspector.get_table_names():
        query = sa.text("SELECT * FROM intents ORDER BY intent_pk")
        old = [dict(row._mapping) for row in connection.execute(query)]
        op.drop_table("intents")
    metadata.create_all(connection)
    attempts: dict[tuple[str, int], int] = {}
    for row in old:
        _carry_over(connection, row, attempts)


def _carry_over(
    connection: sa.Connection, row: dict[str, Any], attempts: dict[tuple[str, int], int]
) -> None:
    """One intent with the transactions that it was signed as."""
    fields = TypedTransaction.from_bytes(HexBytes(bytes(row["raw_tx"]))).as_dict()
    intent_state, tx_state = _STATES[row["state"]]
    inserted = connection.execute(
        intents.insert().values(
            **{k: row[k] for k in ("kind", "facility_id", "epoch", "sequence", "error")},
            state=intent_state,
            to_address="0x" + bytes(fields["to"]).hex(),
            data=bytes(fields["data"]),
            attempts=int(row["state"] == "failed"),
            next_try_s=0,
            adopt=False,
            due_at_s=row["created_at_s"],
            created_at_s=row["created_at_s"],
        )
    )
    key = inserted.inserted_primary_key
    assert key is not None
    earlier = bytes(row["replaced_hashes"])
    hashes = [earlier[i : i + _HASH] for i in range(0, len(earlier), _HASH)]
    signed = bytes(HexBytes(_hash_of(bytes(row["raw_tx"]))))
    if bytes(row["tx_hash"]) == signed:
        known = [*((h, b"") for h in hashes), (signed, bytes(row["raw_tx"]))]
    else:
        # The one that was mined is an earlier one: it stands last.
        known = [(signed, bytes(row["raw_tx"])), (bytes(row["tx_hash"]), b"")]
        known = [*((h, b"") for h in hashes if h != bytes(row["tx_hash"])), *known]
    slot = (row["sender"], row["nonce"])
    for tx_hash, raw in known:
        mined = tx_state == "final" and tx_hash == bytes(row["tx_hash"])
        # A renewed intent was written over its own row: no other row has these hashes.
        tx = connection.execute(
            signed_transactions.insert().values(
                sender=row["sender"],
                nonce=row["nonce"],
                attempt=attempts.get(slot, 0),
                purpose="call",
                state="replaced" if tx_state == "final" and not mined else tx_state,
                raw_tx=raw,
                tx_hash=tx_hash,
                max_fee_wei=row["max_fee_wei"],
                priority_fee_wei=row["priority_fee_wei"],
                gas_limit=int(fields["gas"]),
                signed_at_s=row["created_at_s"],
                signed_at_block=0,
            )
        )
        attempts[slot] = attempts.get(slot, 0) + 1
        assert tx.inserted_primary_key is not None
        carried = {"tx_pk": tx.inserted_primary_key[0], "intent_pk": key[0]}
        connection.execute(carried_intents.insert().values(**carried))


def _hash_of(raw: bytes) -> bytes:
    from api.domain.hashing import keccak

    return keccak(raw)
