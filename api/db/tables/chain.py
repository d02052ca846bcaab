"""Tables of the chain side: the outbox of transactions, and the index of blocks and events."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from api.db.tables.ledger import PrimaryKey, metadata

intents = Table(
    "intents",
    metadata,
    Column("intent_pk", PrimaryKey, primary_key=True),
    Column("kind", String(16), nullable=False),  # post, settle
    Column("facility_id", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),  # settle: number of epochs counted
    Column("sequence", Integer, nullable=False, default=0),  # settle: repeats as rent arrives
    Column("state", String(8), nullable=False),  # sent, done, failed
    Column("sender", String(42), nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("max_fee_wei", BigInteger, nullable=False),  # per gas, as signed in raw_tx
    Column("priority_fee_wei", BigInteger, nullable=False),
    Column("raw_tx", LargeBinary, nullable=False),
    Column("tx_hash", LargeBinary(32), nullable=False),  # of raw_tx; once done, of what was mined
    # 32 bytes each: what raw_tx replaced at its nonce. Any of them may still be the one mined.
    Column("replaced_hashes", LargeBinary, nullable=False),
    Column("error", Text),
    Column("created_at_s", BigInteger, nullable=False),
    UniqueConstraint("kind", "facility_id", "epoch", "sequence"),
    Index(None, "state"),
)
# A nonce belongs to one open transaction. What is done or failed frees it: a reorg hands nonces
# out again, and not in the same order.
Index(
    "uq_intents_open_nonce",
    intents.c.sender,
    intents.c.nonce,
    unique=True,
    sqlite_where=intents.c.state == "sent",
    postgresql_where=intents.c.state == "sent",
)

chain_blocks = Table(
    "chain_blocks",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("block_hash", LargeBinary(32), nullable=False),
    Column("time_s", BigInteger, nullable=False),
)

chain_events = Table(
    "chain_events",
    metadata,
    Column("block_number", BigInteger, nullable=False),
    Column("log_index", BigInteger, nullable=False),
    Column("part", Integer, nullable=False),  # a batch is one log and several rows
    Column("block_time_s", BigInteger, nullable=False),
    Column("tx_hash", LargeBinary(32), nullable=False),
    Column("contract", String(24), nullable=False),
    Column("event", String(32), nullable=False),
    Column("facility_id", BigInteger),
    Column("epoch", BigInteger),
    Column("token_id", Text),  # decimal text: 72 bits
    Column("account", String(42)),
    Column("counterparty", String(42)),
    Column("amount", BigInteger),
    Column("extra", BigInteger),
    Column("flag", Boolean),
    Column("statement_hash", LargeBinary(32)),  # of a StatementPosted
    Column("payload", Text, nullable=False),  # JSON of all arguments
    PrimaryKeyConstraint("block_number", "log_index", "part"),
    Index(None, "event", "facility_id"),
    Index(None, "event", "account"),
    Index(None, "event", "token_id"),
    # Portfolios: what an account did, newest first.
    Index(None, "account", "block_number"),
    Index(None, "counterparty", "block_number"),
)
