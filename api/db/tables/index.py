"""Tables of the index besides its events: how it stands, and the logs as they came."""

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    Named,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)

from api.db.tables.base import metadata
from api.db.tables.columns import RAW32, Columns
from api.domain.units import Bytes32


class IndexStateColumns(Columns):
    """Columns of `index_state`."""

    only: Named[int] = Column(Integer, primary_key=True, autoincrement=False)  # 1: there is one row
    chain_id: Named[int] = Column(BigInteger)
    registry: Named[str] = Column(String(42))
    # A block that the chain had when it was final, the deployment's: by it the chain is known.
    anchor_number: Named[int | None] = Column(BigInteger)
    anchor_hash: Named[Bytes32 | None] = Column(RAW32)
    state: Named[str] = Column(String(16))  # following, catching_up, waiting, incomplete, halted
    reason: Named[str | None] = Column(Text)
    since_s: Named[int] = Column(BigInteger)  # in this state, with this reason
    seen_at_s: Named[int] = Column(BigInteger)  # newest look at the chain, by this machine
    head: Named[int] = Column(BigInteger)
    final_number: Named[int] = Column(BigInteger)  # newest indexed block that is final; never falls
    final_hash: Named[Bytes32 | None] = Column(RAW32)
    log_range: Named[int] = Column(Integer)  # blocks that a query of logs may cover
    looked_number: Named[int] = Column(BigInteger)  # up to here logs were looked at twice
    counted_number: Named[int] = Column(BigInteger)  # block of the last count against contracts
    miscounted: Named[str | None] = Column(Text)  # what differed in it


index_state = Table("index_state", metadata, IndexStateColumns)


class ChainLogColumns(Columns):
    """Columns of `chain_logs`."""

    block_number: Named[int] = Column(BigInteger)
    log_index: Named[int] = Column(BigInteger)
    block_time_s: Named[int] = Column(BigInteger)
    tx_hash: Named[Bytes32] = Column(RAW32)
    address: Named[str] = Column(String(42))  # lower case
    topics: Named[bytes] = Column(LargeBinary)  # 32 bytes each
    data: Named[bytes] = Column(LargeBinary)


chain_logs = Table(
    "chain_logs",
    metadata,
    ChainLogColumns,
    PrimaryKeyConstraint("block_number", "log_index"),
)
