"""The outbox of a release that kept one transaction an intent becomes one that keeps them all."""

from typing import Any

import pytest
from sqlalchemy import Engine, select, text

from api.chain.signer import LocalSigner, Transaction, sign_transaction
from api.db.migrate import upgrade
from api.db.outbox import unfinished
from api.db.session import reading, transaction
from api.db.tables.outbox import carried_intents, intents, relayers, signed_transactions
from tests.schema import differences

pytestmark = pytest.mark.both_databases

SIGNER = LocalSigner("0x" + "11" * 32)
TO = "0x" + "ab" * 20
_OLD = """CREATE TABLE intents (
    intent_pk INTEGER PRIMARY KEY, kind VARCHAR(16) NOT NULL, facility_id BIGINT NOT NULL,
    epoch BIGINT NOT NULL, sequence INTEGER NOT NULL, state VARCHAR(8) NOT NULL,
    sender VARCHAR(42) NOT NULL, nonce BIGINT NOT NULL, max_fee_wei BIGINT NOT NULL,
    priority_fee_wei BIGINT NOT NULL, raw_tx {bytes} NOT NULL, tx_hash {bytes} NOT NULL,
    replaced_hashes {bytes} NOT NULL, error TEXT, created_at_s BIGINT NOT NULL
)"""


def _signed(nonce: int) -> tuple[bytes, bytes]:
    call = Transaction(
        chain_id=1, nonce=nonce, to=TO, data=b"\1", gas=9, max_fee_wei=3, priority_fee_wei=2
    )
    return sign_transaction(SIGNER, call)


def _row(number: int, state: str, **changes: Any) -> dict[str, Any]:
    raw, tx_hash = _signed(number)
    return {
        "intent_pk": number,
        "kind": "post",
        "facility_id": 1,
        "epoch": number,
        "sequence": 0,
        "state": state,
        "sender": SIGNER.address,
        "nonce": number,
        "max_fee_wei": 3,
        "priority_fee_wei": 2,
        "raw_tx": raw,
        "tx_hash": tx_hash,
        "replaced_hashes": b"",
        "error": None,
        "created_at_s": 5,
    } | changes


def test_upgrade__outbox_of_before__is_watched_again(engine: Engine) -> None:
    """What was recorded as failed, because a node lagged, is looked for once more (F9)."""
    kind = "BLOB" if engine.dialect.name == "sqlite" else "BYTEA"
    old = [
        _row(1, "done"),
        _row(2, "sent", replaced_hashes=b"\7" * 32),
        _row(3, "failed", error="its nonce went to another transaction"),
        # Done by an earlier one than the last.
        _row(4, "done", tx_hash=b"\x08" * 32, replaced_hashes=b"\x08" * 32),
    ]
    with transaction(engine) as connection:
        for table in (carried_intents, signed_transactions, intents, relayers):
            table.drop(connection)
        connection.execute(text(_OLD.format(bytes=kind)))
        names = ", ".join(old[0])
        values = ", ".join(f":{name}" for name in old[0])
        for row in old:
            connection.execute(text(f"INSERT INTO intents ({names}) VALUES ({values})"), row)  # noqa: S608
        connection.execute(text("UPDATE alembic_version SET version_num = '0029'"))

    upgrade(engine)

    with reading(engine) as connection:
        work = unfinished(connection)
        states = connection.execute(select(intents.c.epoch, intents.c.state)).all()
        done = connection.execute(
            select(signed_transactions.c.state, signed_transactions.c.tx_hash).where(
                signed_transactions.c.nonce == 4
            )
        ).all()
    with engine.connect() as connection:
        assert differences(connection) == []
    assert dict(states) == {1: "final", 2: "sent", 3: "reverted", 4: "final"}
    watched = [(tx.nonce, tx.attempt, bytes(tx.tx_hash)) for tx in work.transactions]
    assert watched == [(2, 0, b"\7" * 32), (2, 1, _signed(2)[1]), (3, 0, _signed(3)[1])]
    assert {(i.to_address.lower(), bytes(i.data)) for i in work.intents} == {(TO, b"\1")}
    assert sorted((s, bytes(h)) for s, h in done) == [
        ("final", b"\x08" * 32),
        ("replaced", _signed(4)[1]),
    ]
