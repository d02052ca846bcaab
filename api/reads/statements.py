"""Statements of the books and how far each came: what the chain says of exactly its bytes."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.db import chain_store, statements
from api.db.session import Connection
from api.db.standing import PostingRow, Progress, progress_of
from api.db.tables.statements import StatementRow
from api.domain.lifecycle import StatementState, statement_state
from api.domain.units import Bytes32, Epoch, FacilityId
from api.errors import ChainUnavailable
from api.reads.listing import Order


@dataclass(frozen=True, slots=True)
class StatementView:
    """A stored statement with signers, state and posting, and the hash that stands on-chain."""

    row: StatementRow
    attesters: tuple[str, ...]
    state: StatementState
    posted: PostingRow | None
    standing_hash: Bytes32 | None


class _Judge:
    """States of one facility's statements."""

    def __init__(
        self, connection: Connection, facility_id: FacilityId, window_s: int | None
    ) -> None:
        self.progress: Progress = progress_of(connection, facility_id)
        if window_s is None and self.progress.standing:
            raise ChainUnavailable("the challenge window is not known: the node does not answer")
        block = chain_store.last_block(connection)
        # Finality is the contract's: judged by the chain's time, not by this machine's.
        self._now_s = 0 if block is None else block.time_s
        self._window_s = window_s or 0

    def state(self, epoch: Epoch, statement_hash: Bytes32, *, signed: bool) -> StatementState:
        """State of a statement, from its hash: an epoch can be posted with other bytes."""
        return statement_state(
            self.progress.facts_of(epoch, statement_hash, signed=signed),
            challenge_window_s=self._window_s,
            chain_now_s=self._now_s,
        )

    def view(self, row: StatementRow, attesters: Sequence[str]) -> StatementView:
        """A stored statement as it is shown."""
        standing = self.progress.standing.get(row.epoch)
        return StatementView(
            row,
            tuple(sorted(attesters)),
            self.state(row.epoch, row.statement_hash, signed=bool(attesters)),
            self.progress.posting_of(row.epoch, row.statement_hash),
            None if standing is None else standing.statement_hash,
        )


def view_statement(
    connection: Connection, row: StatementRow, window_s: int | None
) -> StatementView:
    """One stored statement and how far it came. Raises as `list_statements`."""
    attesters = statements.attesters_by_epoch(connection, row.facility_id, [row.epoch])
    judge = _Judge(connection, row.facility_id, window_s)
    return judge.view(row, attesters.get(row.epoch, ()))


def list_statements(
    connection: Connection,
    facility_id: FacilityId,
    window_s: int | None,
    *,
    state: StatementState | None,
    order: Order,
    offset: int,
    limit: int,
) -> tuple[int, list[StatementView]]:
    """How many statements a facility has, of a state if one is named, and a page of them.

    Args:    window_s: the registry's challenge window; None if the chain could not be asked.
    Raises:  ChainUnavailable if something is posted and the window is not known.
    """
    # A state follows from events and time, so SQL cannot filter by it: keys of all, rows of a page.
    judge = _Judge(connection, facility_id, window_s)
    epochs = [
        key.epoch
        for key in statements.statement_keys(connection, facility_id)
        if state in (None, judge.state(key.epoch, key.statement_hash, signed=key.signed))
    ]
    if order is Order.DESC:
        epochs.reverse()
    wanted = epochs[offset : offset + limit]
    rows = statements.statement_rows(connection, facility_id, wanted)
    attesters = statements.attesters_by_epoch(connection, facility_id, wanted)
    views = [judge.view(rows[epoch], attesters.get(epoch, ())) for epoch in wanted]
    return len(epochs), views
