"""Which posted statements stand, from indexed events: as a predicate of SQL, and replayed.

Both say what `domain.lifecycle.Standing` says; a test holds them to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, exists, select, tuple_

from api.db import chain_store
from api.db.tables.chain import chain_events
from api.domain.lifecycle import Standing, StatementFacts


def stands(posted: Any) -> ColumnElement[bool]:
    """Whether a row of `chain_events` is a posting that no later fault took.

    Args:    posted: columns of `chain_events` or of an alias of it.
    Source:  `domain.lifecycle.void_takes`.
    """
    void = chain_events.alias("void").c
    fallen = exists().where(
        void.event == "StatementVoided",
        void.facility_id == posted.facility_id,
        void.epoch <= posted.epoch,
        void.extra > posted.epoch,
        tuple_(void.block_number, void.log_index) > tuple_(posted.block_number, posted.log_index),
    )
    return and_(posted.event == "StatementPosted", ~fallen)


def standing_posts(connection: Connection, facility_id: int) -> dict[int, Row[Any]]:
    """StatementPosted by epoch, without those that a proven fault voided."""
    c = chain_events.c
    query = select(chain_events).where(c.facility_id == facility_id, stands(c)).order_by(c.epoch)
    return {row.epoch: row for row in connection.execute(query)}


@dataclass(frozen=True, slots=True)
class Progress:
    """What the chain's index says of a facility's statements."""

    standing: Mapping[int, Any]
    voided_hashes: frozenset[bytes]
    settled: int

    @property
    def posted(self) -> int:
        """Statements that stand: they have no gaps."""
        return len(self.standing)

    def posting_of(self, epoch: int, statement_hash: bytes | None) -> Any:
        """The posting of this very statement, if it stands; None where other bytes do."""
        posting = self.standing.get(epoch)
        ours = posting is not None and posting.statement_hash == statement_hash
        return posting if ours else None

    def facts_of(self, epoch: int, statement_hash: bytes, *, signed: bool) -> StatementFacts:
        """What the chain says of a statement of the books, by its hash."""
        posting = self.posting_of(epoch, statement_hash)
        return StatementFacts(
            signed=signed,
            voided=statement_hash in self.voided_hashes,
            posted_at_s=None if posting is None else posting.block_time_s,
            settled=epoch < self.settled,
        )


def progress_of(connection: Connection, facility_id: int) -> Progress:
    """Statements that stand, those that a proven fault took, and how many are settled."""
    standing: Standing[Any] = Standing()
    voided: set[bytes] = set()
    settled = 0
    for row in chain_store.progress_events(connection, facility_id):
        if row.event == "StatementPosted":
            standing.post(row.epoch, row)
        elif row.event == "Settled":
            settled = max(settled, row.epoch)
        else:
            # The one that was proven wrong is barred; later ones are chained to its hash.
            fallen = standing.void(first=row.epoch, before=row.extra)
            voided.update(posting.statement_hash for posting in fallen)
    return Progress(standing.by_epoch, frozenset(voided), settled)
