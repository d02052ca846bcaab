"""The step that closes: one epoch of one facility at a time, in turns."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from api.db.chain_store import ended_at
from api.db.facilities import due_to_close, known_facility_row
from api.db.session import Engine, reading
from api.db.tables.work import WorkRow
from api.domain.clocks import epochs_at_once
from api.domain.facility import Period
from api.domain.units import FacilityId
from api.epochs.books import KeptBooks
from api.epochs.close import Closed, close_one, open_periods, take_back_cut_short
from api.epochs.queue import NOTHING, Look, Queue, Told
from api.epochs.times import Seen
from api.errors import HeldBack
from api.evidence_store import EvidenceFolder

# Epochs of all facilities that are closed before the other steps have their turn.
_A_ROUND = 32


@dataclass(frozen=True, slots=True)
class Pace:
    """How many epochs of one facility are closed in a round, and of how many a person is asked."""

    at_once: int = 8
    ask_above: int = 60


@dataclass(frozen=True, slots=True)
class _Due:
    """The next statement of a facility, whether more are due, and from when another is."""

    period: Period | None
    more: bool
    next_cut_s: int | None
    asks: str | None = None


class Close:
    """Closes what is due by every clock, of facilities that were funded."""

    name = "close"

    def __init__(
        self,
        engine: Engine,
        evidence: EvidenceFolder,
        queue: Queue,
        *,
        pace: Pace,
        on_closed: Callable[[Closed], None] | None,
    ) -> None:
        self._engine, self._evidence, self._queue = engine, evidence, queue
        self._pace, self._on_closed, self._books = pace, on_closed, KeptBooks()

    def run(self, seen: Seen, told: Told) -> int:
        """Close what is due; returns how many epochs. Nobody waits for two of another operator."""
        past_s = seen.clocks.past_s
        with reading(self._engine) as connection:
            due = due_to_close(connection, past_s)
        self._queue.begin(self.name, due)
        turns: dict[FacilityId, int] = {}
        closed = 0
        while not self._queue.stop.is_set():
            if closed >= _A_ROUND:
                told.more = True
                break
            done = {i for i, count in turns.items() if count >= self._pace.at_once}
            rows = self._queue.take(self.name, chain_s=past_s, most=1, but=done)
            if not rows:
                break
            (row,) = rows
            turns[row.facility_id] = turns.get(row.facility_id, 0) + 1
            closed += self._one(row, seen, told)
        return closed

    def _one(self, row: WorkRow, seen: Seen, told: Told) -> bool:
        """Close the next epoch of a facility, if it is due and nothing is wrong with it."""
        with self._queue.trying(row, told):
            take_back_cut_short(self._engine, self._evidence, row.facility_id)
            due = self._due(row, seen)
            if due.period is None:
                self._queue.looked(row, _until(due.next_cut_s), told)
                return False
            with self._queue.trying(row, told, epoch=due.period.epoch):
                if due.asks is not None:
                    raise HeldBack(due.asks)
                now_s = seen.clocks.now_s
                closed = close_one(
                    self._engine,
                    self._evidence,
                    row.facility_id,
                    due.period,
                    now_s,
                    books=self._books,
                )
                # Where another worker was quicker, what is due now is looked at again.
                again = due.more or closed is None
                look = Look(again=True) if again else _until(due.next_cut_s)
                self._queue.looked(row, look, told, released=row.released and due.more)
                if closed is None:
                    return False
                if self._on_closed:
                    self._on_closed(closed)
                return True
        return False

    def _due(self, row: WorkRow, seen: Seen) -> _Due:
        facility_id, past_s = row.facility_id, seen.clocks.past_s
        most = self._pace.ask_above + 1
        with reading(self._engine) as connection:
            facility = known_facility_row(connection, facility_id)
            ended_at_s = ended_at(connection, [facility_id]).get(facility_id)
            periods = list(islice(open_periods(connection, facility, ended_at_s), most + 1))
        due = [period for period, cut_s in periods if cut_s <= past_s]
        next_cut_s = next((cut_s for _, cut_s in periods if cut_s > past_s), None)
        if not due:
            return _Due(None, more=False, next_cut_s=next_cut_s)
        count = epochs_at_once(
            len(due),
            most=self._pace.at_once,
            ask_above=self._pace.ask_above,
            witnessed=seen.witnessed or row.released,
        )
        asks = None
        if count == 0:
            asks = (
                f"more than {self._pace.ask_above} epochs are due at once, from epoch"
                f" {due[0].epoch} on, and only the chain says that so much time has passed. What is"
                " closed takes no records any more. If it has passed:"
                f" `rentroll queue release {facility_id}`"
            )
        return _Due(due[0], more=len(due) > 1, next_cut_s=next_cut_s, asks=asks)


def _until(cut_s: int | None) -> Look:
    return NOTHING if cut_s is None else Look(from_block_s=cut_s)
