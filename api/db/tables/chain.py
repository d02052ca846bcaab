"""Tables of the chain side: the outbox of transactions, and the index of blocks and events."""

from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    Named,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from api.db.rows import part_of, record_of
from api.db.tables.base import metadata
from api.db.tables.columns import INT64, PRIMARY_KEY, RAW32, Columns
from api.domain.units import Bytes32, Epoch, FacilityId


class IntentColumns(Columns):
    """Columns of `intents`."""

    intent_pk: Named[int] = Column(PRIMARY_KEY, primary_key=True)
    kind: Named[str] = Column(String(16))  # post, settle, serve, close
    facility_id: Named[FacilityId] = Column(INT64)
    epoch: Named[Epoch] = Column(INT64)  # settle: number of epochs counted
    sequence: Named[int] = Column(
        Integer, default=0
    )  # settle: repeats as rent arrives; serve: line, and repeats
    state: Named[str] = Column(String(8))  # sent, done, failed
    sender: Named[str] = Column(String(42))
    nonce: Named[int] = Column(BigInteger)
    max_fee_wei: Named[int] = Column(BigInteger)  # per gas, as signed in raw_tx
    priority_fee_wei: Named[int] = Column(BigInteger)
    raw_tx: Named[bytes] = Column(LargeBinary)
    tx_hash: Named[Bytes32] = Column(RAW32)  # of raw_tx; once done, of what was mined
    # 32 bytes each: what raw_tx replaced at its nonce. Any of them may still be the one mined.
    replaced_hashes: Named[bytes] = Column(LargeBinary)
    error: Named[str | None] = Column(Text)
    created_at_s: Named[int] = Column(BigInteger)


intents = Table(
    "intents",
    metadata,
    IntentColumns,
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


@part_of(intents)
@dataclass(frozen=True, slots=True)
class SignedTx:
    """Columns of an intent that a signed transaction fills."""

    sender: str
    nonce: int
    max_fee_wei: int
    priority_fee_wei: int
    raw_tx: bytes
    tx_hash: Bytes32


@part_of(intents)
@dataclass(frozen=True, slots=True)
class NewIntent(SignedTx):
    """A transaction to be sent: the database gives the key."""

    kind: str
    facility_id: FacilityId
    epoch: Epoch
    sequence: int
    state: str
    replaced_hashes: bytes
    error: str | None
    created_at_s: int


@record_of(intents)
@dataclass(frozen=True, slots=True)
class IntentRow(NewIntent):
    """A transaction of the outbox."""

    intent_pk: int


class ChainBlockColumns(Columns):
    """Columns of `chain_blocks`."""

    number: Named[int] = Column(BigInteger, primary_key=True, autoincrement=False)
    block_hash: Named[Bytes32] = Column(RAW32)
    time_s: Named[int] = Column(BigInteger)


chain_blocks = Table("chain_blocks", metadata, ChainBlockColumns)


class ChainEventColumns(Columns):
    """Columns of `chain_events`."""

    block_number: Named[int] = Column(BigInteger)
    log_index: Named[int] = Column(BigInteger)
    part: Named[int] = Column(Integer)  # a batch is one log and several rows
    block_time_s: Named[int] = Column(BigInteger)
    tx_hash: Named[Bytes32] = Column(RAW32)
    contract: Named[str] = Column(String(24))
    event: Named[str] = Column(String(32))
    facility_id: Named[FacilityId | None] = Column(INT64)
    epoch: Named[Epoch | None] = Column(INT64)
    token_id: Named[str | None] = Column(Text)  # decimal text: 72 bits
    account: Named[str | None] = Column(String(42))
    counterparty: Named[str | None] = Column(String(42))
    amount: Named[int | None] = Column(BigInteger)
    extra: Named[int | None] = Column(BigInteger)
    statement_hash: Named[Bytes32 | None] = Column(RAW32)  # of a StatementPosted
    payload: Named[str] = Column(Text)  # JSON of all arguments


chain_events = Table(
    "chain_events",
    metadata,
    ChainEventColumns,
    PrimaryKeyConstraint("block_number", "log_index", "part"),
    Index(None, "event", "facility_id"),
    Index(None, "event", "account"),
    Index(None, "event", "token_id"),
    # Portfolios: what an account did, newest first.
    Index(None, "account", "block_number"),
    Index(None, "counterparty", "block_number"),
)
