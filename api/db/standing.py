"""Which posted statements stand, from indexed events: as a predicate of SQL, and replayed.

Both say what `domain.lifecycle.Standing` says; a test holds them to it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, exists, select, tuple_

from api.db import event_columns as e
from api.db.tables.chain import ChainEventColumns, chain_events
from api.domain.lifecycle import Standing, StatementFacts
from api.domain.units import Bytes32, Epoch, Micros


def stands(posted: ChainEventColumns = chain_events.c) -> ColumnElement[bool]:
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


@dataclass(frozen=True, slots=True)
class PostingRow:
    """A StatementPosted: what was attested, and where it was posted."""

    epoch: Epoch
    statement_hash: Bytes32
    gross_micros: Micros
    posted_at_s: int
    tx_hash: Bytes32


def attested_micros(posts: Iterable[PostingRow]) -> Micros:
    """Gross revenue of postings: a closing statement below zero takes no more than there is."""
    return Micros(max(0, sum(post.gross_micros for post in posts)))


@dataclass(frozen=True, slots=True)
class VoidingRow:
    """A StatementVoided: it took epochs `[first, before)`."""

    first: Epoch
    before: int


@dataclass(frozen=True, slots=True)
class SettlingRow:
    """A Settled: how many epochs it counts."""

    epochs: int


def standing_posts(connection: Connection, facility_id: int) -> dict[Epoch, PostingRow]:
    """Postings by epoch, ascending, without those that a proven fault voided."""
    query = (
        select(e.epoch, e.statement_hash, e.gross_micros, e.block_time_s, e.tx_hash)
        .where(e.facility_id == facility_id, stands())
        .order_by(e.epoch)
    )
    return {
        epoch: PostingRow(
            epoch=epoch,
            statement_hash=statement_hash,
            gross_micros=gross_micros,
            posted_at_s=posted_at_s,
            tx_hash=tx_hash,
        )
        for epoch, statement_hash, gross_micros, posted_at_s, tx_hash in connection.execute(query)
    }


def _progress_events(
    connection: Connection, facility_id: int
) -> list[PostingRow | VoidingRow | SettlingRow]:
    """Postings, voids and settlements of a facility in chain order, without their long payloads."""
    query = (
        select(
            e.event,
            e.epoch,
            e.before_epoch,
            e.statement_hash,
            e.gross_micros,
            e.block_time_s,
            e.tx_hash,
        )
        .where(
            e.event.in_(("StatementPosted", "StatementVoided", "Settled")),
            e.facility_id == facility_id,
        )
        .order_by(*e.chain_order)
    )
    rows: list[PostingRow | VoidingRow | SettlingRow] = []
    for event, epoch, before, statement_hash, gross, at_s, tx_hash in connection.execute(query):
        if event == "StatementPosted":
            rows.append(PostingRow(epoch, statement_hash, gross, at_s, tx_hash))
        elif event == "StatementVoided":
            rows.append(VoidingRow(first=epoch, before=before))
        else:
            rows.append(SettlingRow(epochs=epoch))
    return rows


@dataclass(frozen=True, slots=True)
class Progress:
    """What the chain's index says of a facility's statements."""

    standing: Mapping[int, PostingRow]
    voided_hashes: frozenset[Bytes32]
    settled: int

    @property
    def posted(self) -> int:
        """Statements that stand, with a closing one: they have no gaps."""
        return len(self.standing)

    def posting_of(self, epoch: int, statement_hash: bytes | None) -> PostingRow | None:
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
            posted_at_s=None if posting is None else posting.posted_at_s,
            settled=epoch < self.settled,
        )


def progress_of(connection: Connection, facility_id: int) -> Progress:
    """Statements that stand, those that a proven fault took, and how many are settled."""
    standing: Standing[PostingRow] = Standing()
    voided: set[Bytes32] = set()
    settled = 0
    for row in _progress_events(connection, facility_id):
        match row:
            case PostingRow():
                standing.post(row.epoch, row)
            case SettlingRow():
                settled = max(settled, row.epochs)
            case VoidingRow():
                # The one that was proven wrong is barred; later ones are chained to its hash.
                fallen = standing.void(first=row.first, before=row.before)
                voided.update(posting.statement_hash for posting in fallen)
    return Progress(standing.by_epoch, frozenset(voided), settled)
