"""Tables of the index: blocks and events of the chain."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    Named,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)

from api.db.tables.base import metadata
from api.db.tables.columns import INT64, RAW32, Columns
from api.domain.units import Bytes32, Epoch, FacilityId


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
