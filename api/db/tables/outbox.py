"""Tables of the outbox: what is to be done once, and every transaction that was signed for it."""

from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
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
    kind: Named[str] = Column(String(16))  # a key of `domain.transactions.IDEMPOTENT`
    facility_id: Named[FacilityId] = Column(INT64)
    epoch: Named[Epoch] = Column(INT64)  # settle: number of epochs counted
    # settle: repeats as rent arrives; serve: line, and repeats; post: statements before this one
    sequence: Named[int] = Column(Integer, default=0)
    state: Named[str] = Column(String(12))  # `domain.transactions.IntentState`
    to_address: Named[str] = Column(String(42))
    data: Named[bytes] = Column(LargeBinary)  # as it was last found due; signed calls keep theirs
    error: Named[str | None] = Column(Text)  # why it is refused, reverted or not sent yet
    attempts: Named[int] = Column(Integer)  # times in a row that it was refused or reverted
    next_try_s: Named[int] = Column(BigInteger)  # not simulated again before
    # Somebody asked for it to be taken over from a key that is not the relayer's any more.
    adopt: Named[bool] = Column(Boolean)
    due_at_s: Named[int] = Column(BigInteger)  # when it was last found due, in steps
    created_at_s: Named[int] = Column(BigInteger)


intents = Table(
    "intents",
    metadata,
    IntentColumns,
    UniqueConstraint("kind", "facility_id", "epoch", "sequence"),
    Index(None, "state"),
)


class SignedTransactionColumns(Columns):
    """Columns of `signed_transactions`."""

    tx_pk: Named[int] = Column(PRIMARY_KEY, primary_key=True)
    sender: Named[str] = Column(String(42))
    nonce: Named[int] = Column(BigInteger)
    attempt: Named[int] = Column(Integer)  # 0, 1, … at this nonce
    purpose: Named[str] = Column(String(8))  # call, cancel, fill
    # `domain.transactions.TxState`
    state: Named[str] = Column(String(8))
    # Empty for what a release before this table replaced: of those only the hash was kept.
    raw_tx: Named[bytes] = Column(LargeBinary)
    tx_hash: Named[Bytes32] = Column(RAW32)
    max_fee_wei: Named[int] = Column(BigInteger)  # per gas, as signed
    priority_fee_wei: Named[int] = Column(BigInteger)
    gas_limit: Named[int] = Column(BigInteger)
    signed_at_s: Named[int] = Column(BigInteger)
    signed_at_block: Named[int] = Column(BigInteger)
    sent_at_block: Named[int | None] = Column(BigInteger)  # newest block when last sent
    # Newest block when its nonce was first seen used, while no receipt says by which transaction.
    passed_at_block: Named[int | None] = Column(BigInteger)
    block_number: Named[int | None] = Column(BigInteger)  # where it is mined
    block_hash: Named[Bytes32 | None] = Column(RAW32)
    gas_used: Named[int | None] = Column(BigInteger)
    cost_gwei: Named[int | None] = Column(BigInteger)  # gas used times the price paid
    note: Named[str | None] = Column(Text)  # what a node last said of it


signed_transactions = Table(
    "signed_transactions",
    metadata,
    SignedTransactionColumns,
    # Of two workers with one key that took the same nonce, one is refused here.
    UniqueConstraint("sender", "nonce", "attempt"),
    UniqueConstraint("tx_hash"),
    Index(None, "state"),
    Index(None, "signed_at_s"),
)


class CarriedIntentColumns(Columns):
    """Columns of `carried_intents`."""

    tx_pk: Named[int] = Column(PRIMARY_KEY, ForeignKey("signed_transactions.tx_pk"))
    intent_pk: Named[int] = Column(PRIMARY_KEY, ForeignKey("intents.intent_pk"))
    # Why a mined transaction did not do it; null while nothing says so.
    failure: Named[str | None] = Column(Text)


carried_intents = Table(
    "carried_intents",
    metadata,
    CarriedIntentColumns,
    PrimaryKeyConstraint("tx_pk", "intent_pk"),
    Index(None, "intent_pk"),
)


class RelayerColumns(Columns):
    """Columns of `relayers`."""

    sender: Named[str] = Column(String(42), primary_key=True)
    tip_floor_wei: Named[int] = Column(BigInteger)  # below it nodes said that the tip is too low
    tip_floor_block: Named[int] = Column(BigInteger)  # newest block when they said so
    problem: Named[str | None] = Column(Text)  # why nothing can be sent, in words
    problem_since_s: Named[int | None] = Column(BigInteger)


relayers = Table("relayers", metadata, RelayerColumns)


@part_of(intents)
@dataclass(frozen=True, slots=True)
class NewIntent:
    """What is to be done once: the database gives the key."""

    kind: str
    facility_id: FacilityId
    epoch: Epoch
    sequence: int
    state: str
    to_address: str
    data: bytes
    error: str | None
    attempts: int
    next_try_s: int
    adopt: bool
    due_at_s: int
    created_at_s: int


@record_of(intents)
@dataclass(frozen=True, slots=True)
class IntentRow(NewIntent):
    """An intent of the outbox."""

    intent_pk: int


@part_of(signed_transactions)
@dataclass(frozen=True, slots=True)
class SignedTx:
    """A transaction with its signature, before anybody has seen it."""

    sender: str
    nonce: int
    purpose: str
    state: str
    raw_tx: bytes
    tx_hash: Bytes32
    max_fee_wei: int
    priority_fee_wei: int
    gas_limit: int
    signed_at_s: int
    signed_at_block: int


@record_of(signed_transactions)
@dataclass(frozen=True, slots=True)
class TxRow(SignedTx):
    """A signed transaction, and what is known of it."""

    tx_pk: int
    attempt: int
    sent_at_block: int | None
    passed_at_block: int | None
    block_number: int | None
    block_hash: Bytes32 | None
    gas_used: int | None
    cost_gwei: int | None
    note: str | None


@record_of(carried_intents)
@dataclass(frozen=True, slots=True)
class CarriedIntent:
    """That a transaction carries an intent."""

    tx_pk: int
    intent_pk: int
    failure: str | None


@record_of(relayers)
@dataclass(frozen=True, slots=True)
class RelayerRow:
    """What is known of a sender."""

    sender: str
    tip_floor_wei: int
    tip_floor_block: int
    problem: str | None
    problem_since_s: int | None
