"""Epochs of a facility as its operator follows them, from the future to settled."""

from dataclasses import dataclass

from api.db import chain_store
from api.db.reopenings import reopenings_of
from api.db.session import Connection
from api.db.standing import Progress, progress_of
from api.db.tables.facilities import FacilityRow
from api.domain.facility import Period
from api.domain.lifecycle import EpochState, cut_off_s, epoch_state, final_at_s, statement_state
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.units import Epoch, FacilityId
from api.reads.sql import epochs
from api.reads.sql.epochs import ClosedEpochRow


@dataclass(frozen=True, slots=True)
class EpochView:
    """One epoch, or the closing statement behind the last one, and how far it came."""

    epoch: int
    closing: bool
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


def voided_epoch(
    connection: Connection, facility_id: FacilityId, progress: Progress
) -> Epoch | None:
    """Epoch whose statement in the books was voided and is barred from posting; None if none."""
    if not progress.voided_hashes:
        return None
    return epochs.first_epoch_with(
        connection,
        facility_id,
        statement_hashes=progress.voided_hashes,
        from_epoch=progress.posted,
    )


def epochs_of(
    connection: Connection,
    facility: FacilityRow,
    *,
    window_s: int,
    now_s: int,
    offset: int,
    limit: int,
) -> tuple[int, list[EpochView]]:
    """How many epochs a facility states, with what closes its books, and a page of them, newest
    first."""
    facility_id, terms = facility.facility_id, terms_from_bytes(facility.terms_json)
    ended_at_s = chain_store.ended_at(connection, [facility_id]).get(facility_id)
    closing = terms.closing_period(ended_at_s=ended_at_s, grace_s=facility.grace_s)
    # Where no epoch was over by its end, none is stated.
    total = 0 if closing is None else closing.epoch + 1
    newest = total - 1 - offset
    oldest = max(0, newest - limit + 1)
    closed = epochs.closed_epochs(connection, facility_id, first=oldest, last=newest)
    signatures = epochs.signature_counts(connection, facility_id, first=oldest, last=newest)
    judge = _Judge(connection, facility, window_s=window_s, now_s=now_s)
    numbers = map(Epoch, range(newest, oldest - 1, -1))
    periods = (
        closing if closing is not None and number == closing.epoch else terms.period(number)
        for number in numbers
    )
    return total, [
        judge.view(period, closed.get(period.epoch), signatures=signatures.get(period.epoch, 0))
        for period in periods
    ]


class _Judge:
    """What is asked of the judge about every epoch of one facility."""

    def __init__(
        self,
        connection: Connection,
        facility: FacilityRow,
        *,
        window_s: int,
        now_s: int,
    ) -> None:
        block = chain_store.last_block(connection)
        self._chain_now_s = block.time_s if block is not None else 0
        self._progress = progress_of(connection, facility.facility_id)
        self._reopenings = reopenings_of(connection, facility.facility_id)
        self._grace_s = facility.grace_s
        self._window_s, self._now_s = window_s, now_s

    def view(self, period: Period, closed: ClosedEpochRow | None, *, signatures: int) -> EpochView:
        """One epoch; `closed` is its statement in the books."""
        epoch, start_s, end_s = period.epoch, period.start_s, period.end_s
        posting, stated, final_s = None, None, None
        if closed is not None:
            ours = closed.statement_hash
            posting = self._progress.posting_of(epoch, ours)
            stated = statement_state(
                self._progress.facts_of(epoch, ours, signed=signatures > 0),
                challenge_window_s=self._window_s,
                chain_now_s=self._chain_now_s,
            )
        if posting is not None:
            final_s = final_at_s(posting.posted_at_s, challenge_window_s=self._window_s)
        return EpochView(
            epoch=epoch,
            closing=period.closing,
            start_s=start_s,
            end_s=end_s,
            state=epoch_state(stated, start_s=start_s, end_s=end_s, now_s=self._now_s),
            gross_micros=None if closed is None else closed.gross_revenue_micros,
            line_count=None if closed is None else closed.line_count,
            signatures=signatures,
            posted_tx=None if posting is None else posting.tx_hash,
            posted_at_s=None if posting is None else posting.posted_at_s,
            final_at_s=final_s,
            cut_off_s=cut_off_s(
                epoch, epoch_end_s=period.over_s, grace_s=self._grace_s, reopenings=self._reopenings
            ),
        )
