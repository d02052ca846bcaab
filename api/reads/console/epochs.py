"""Epochs of a facility as its operator follows them, from the future to settled."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from api.db import chain_store
from api.db.reopenings import reopenings_of
from api.db.standing import Progress, progress_of
from api.db.tables.ledger import attestations, statements
from api.domain.lifecycle import EpochState, cut_off_s, epoch_state, final_at_s, statement_state
from api.ledger.judge import terms_from_bytes


@dataclass(frozen=True, slots=True)
class EpochView:
    """One epoch and how far it came."""

    epoch: int
    start_s: int
    end_s: int
    state: EpochState
    gross_micros: int | None
    line_count: int | None
    signatures: int
    posted_tx: bytes | None
    posted_at_s: int | None
    final_at_s: int | None
    cut_off_s: int


def voided_epoch(connection: Connection, facility_id: int, progress: Progress) -> int | None:
    """Epoch whose statement in the books was voided and is barred from posting; None if none."""
    if not progress.voided_hashes:
        return None
    query = select(statements.c.epoch).where(
        statements.c.facility_id == facility_id,
        statements.c.statement_hash.in_(progress.voided_hashes),
        statements.c.epoch >= progress.posted,
    )
    found: int | None = connection.execute(query.order_by(statements.c.epoch)).scalar()
    return found


def epochs_of(
    connection: Connection, row: Any, *, window_s: int, now_s: int, offset: int, limit: int
) -> tuple[int, list[EpochView]]:
    """Number of epochs of a facility and a page of them, newest first."""
    terms = terms_from_bytes(row.terms_json)
    block = chain_store.last_block(connection)
    chain_now_s = block.time_s if block is not None else 0
    progress = progress_of(connection, row.facility_id)
    reopened = reopenings_of(connection, row.facility_id)
    newest = terms.epoch_count - 1 - offset
    wanted = range(newest, max(-1, newest - limit), -1)
    found = _closed(connection, row.facility_id, wanted)
    signed = _signatures(connection, row.facility_id, wanted)
    views = []
    for epoch in wanted:
        start_s, end_s = terms.epoch_bounds(epoch)
        statement = found.get(epoch)
        ours = None if statement is None else statement.statement_hash
        post = progress.posting_of(epoch, ours)
        posted_at_s = None if post is None else post.block_time_s
        signatures = signed.get(epoch, 0)
        stated = None
        if ours is not None:
            facts = progress.facts_of(epoch, ours, signed=signatures > 0)
            stated = statement_state(facts, challenge_window_s=window_s, chain_now_s=chain_now_s)
        views.append(
            EpochView(
                epoch,
                start_s,
                end_s,
                epoch_state(stated, start_s=start_s, end_s=end_s, now_s=now_s),
                None if statement is None else statement.gross_revenue_micros,
                None if statement is None else statement.line_count,
                signatures,
                None if post is None else post.tx_hash,
                posted_at_s,
                None
                if posted_at_s is None
                else final_at_s(posted_at_s, challenge_window_s=window_s),
                cut_off_s(epoch, epoch_end_s=end_s, grace_s=row.grace_s, reopenings=reopened),
            )
        )
    return terms.epoch_count, views


def _span(column: Any, wanted: range) -> Any:
    low, high = (wanted[-1], wanted[0]) if wanted else (0, -1)
    return column.between(low, high)


def _closed(connection: Connection, facility_id: int, wanted: range) -> dict[int, Any]:
    query = select(
        statements.c.epoch,
        statements.c.gross_revenue_micros,
        statements.c.line_count,
        statements.c.statement_hash,
    ).where(statements.c.facility_id == facility_id, _span(statements.c.epoch, wanted))
    return {row.epoch: row for row in connection.execute(query)}


def _signatures(connection: Connection, facility_id: int, wanted: range) -> dict[int, int]:
    query = (
        select(attestations.c.epoch, func.count())
        .where(attestations.c.facility_id == facility_id, _span(attestations.c.epoch, wanted))
        .group_by(attestations.c.epoch)
    )
    return {epoch: int(count) for epoch, count in connection.execute(query)}
