"""The book of allocations: what a source says is held now, against what was told of it before."""

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from api.agent import events
from api.agent.events import NewEvent
from api.agent.leases import NOBODY, Holder, LeaseTable
from api.agent.spool import Problem, Spool, append, note_problems, set_cursor
from api.agent.spool_tables import LASTS, OVER
from api.domain.metering.instants import format_instant


@dataclass(frozen=True, slots=True)
class Use:
    """A job holds, or held, a device. job tells it from every other use, restarts too.

    end_s: the second after the last; None while the job runs.
    """

    job: str
    device: str
    start_s: int
    end_s: int | None
    holder: Holder


@dataclass(frozen=True, slots=True)
class Round:
    """What a source said at one time.

    complete: what lasts by the book and is not in `uses` is over by the source.
    ends: when a job ended whose devices the source no longer knows.
    cursor: where the source stands after it.
    """

    at_s: int
    uses: Sequence[Use] = ()
    ends: Mapping[str, int] = field(default_factory=dict)
    complete: bool = True
    cursor: str | None = None
    problems: Sequence[Problem] = ()


@dataclass(slots=True)
class _Row:
    opening: str
    job: str
    device: str
    lease: str
    facility: int
    start_s: int
    until_s: int
    state: str


@dataclass(slots=True)
class _Turn:
    """Work of one round inside of its transaction."""

    source: str
    at_s: int
    # Devices in use, by whom: by every source of this agent.
    held: dict[str, tuple[str, str]]
    told: list[NewEvent] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


class Book:
    """Turns rounds into events. One for each source that tells of use."""

    def __init__(
        self,
        spool: Spool,
        source: str,
        *,
        kind: str,
        leases: LeaseTable,
        facility_of: Callable[[str], int | None],
        confirm_every_s: int,
        absent_s: int,
    ) -> None:
        """source: of the events.  kind: `slurm` and so on, as rows of the lease table name it.

        facility_of: facility of a device, None if it is of none of ours.
        absent_s: how long a source may be silent of a job before it is over.
        """
        self._spool, self._source, self._kind = spool, source, kind
        self._leases, self._facility_of = leases, facility_of
        self._confirm_every_s, self._absent_s = confirm_every_s, absent_s
        # When each job was last there: more than what is told of it. Lost by a crash, which then
        # bills as far as it was told.
        self._seen_s: dict[str, int] = {}

    def take(self, said: Round, *, now_s: int) -> int:
        """Spool what a round says that was not told, with the source's cursor. Returns how many.

        now_s: by the service's clock, if it is behind ours: nothing later is billed.
        Raises:  SpoolFailed; then nothing of it is kept, and the next round says it again.
        """
        at_s = min(said.at_s, now_s)
        seen = dict(self._seen_s)
        with self._spool.write() as db:
            turn = _Turn(self._source, at_s, self._held(db), problems=list(said.problems))
            lasting = self._lasting(db)
            # Ends first: a device goes from one job to the next in one round.
            for use in sorted(said.uses, key=lambda use: (use.end_s is None, use.start_s)):
                row = lasting.pop((use.job, use.device), None)
                self._take_use(db, turn, use, row, seen)
            for row in lasting.values():
                end_s = said.ends.get(row.job)
                if end_s is not None and end_s <= at_s:
                    self._end(db, turn, row, max(end_s, row.start_s))
                    seen.pop(row.opening, None)
                elif said.complete:
                    self._take_absent(db, turn, row, seen)
            count = append(db, turn.told, now_s=now_s)
            if turn.problems:
                note_problems(db, self._source, turn.problems, now_s=now_s)
            if said.cursor is not None:
                set_cursor(db, self._source, said.cursor)
        self._seen_s = seen
        return count

    def _lasting(self, db: sqlite3.Connection) -> dict[tuple[str, str], _Row]:
        rows = db.execute(
            "SELECT opening, job, device, lease, facility, start_s, until_s, state FROM allocations"
            " WHERE source = ? AND over_s IS NULL",
            (self._source,),
        )
        found = (_Row(*row) for row in rows)
        return {(row.job, row.device): row for row in found}

    def _held(self, db: sqlite3.Connection) -> dict[str, tuple[str, str]]:
        rows = db.execute("SELECT device, source, job FROM allocations WHERE over_s IS NULL")
        return {device: (source, job) for device, source, job in rows}

    # --- one use --------------------------------------------------------------------------------

    def _take_use(
        self,
        db: sqlite3.Connection,
        turn: _Turn,
        use: Use,
        row: _Row | None,
        seen: dict[str, int],
    ) -> None:
        if row is None:
            row = self._open(db, turn, use)
        if row is None:
            return
        until_s = turn.at_s if use.end_s is None else min(use.end_s, turn.at_s)
        until_s = max(until_s, row.start_s)
        if use.end_s is not None and use.end_s <= turn.at_s:
            self._end(db, turn, row, until_s)
            seen.pop(row.opening, None)
            return
        seen[row.opening] = until_s
        if until_s - row.until_s >= self._confirm_every_s:
            if row.state == LASTS:
                turn.told.append(events.confirmed(row.facility, self._source, row.opening, until_s))
            self._change(db, row, until_s)

    def _open(self, db: sqlite3.Connection, turn: _Turn, use: Use) -> _Row | None:
        """Open an allocation; None if it was told as a whole, or nobody can be billed for it."""
        opening = events.opening_id(use.job, use.device, use.start_s)
        named = self._source, opening
        known = "SELECT 1 FROM allocations WHERE source = ? AND opening = ?"
        if db.execute(known, named).fetchone():
            return None
        facility = self._facility_of(use.device)
        if facility is None or use.start_s > turn.at_s:
            # Not ours; or of a clock that is ahead: it is told once its time has come.
            return None
        lease = self._leases.lease_of(use.holder, source=self._kind)
        if lease is None:
            problem = Problem("unmapped", use.holder.shown(), f"job {use.job}: no lease fits")
            turn.problems.append(problem)
        if lease in (None, NOBODY):
            return None
        holder = turn.held.get(use.device)
        if holder is not None and use.end_s is None and holder != (self._source, use.job):
            detail = f"job {use.job} is not billed: {holder[1]} of {holder[0]} holds the device"
            turn.problems.append(Problem("device_shared", use.device, detail))
            return None
        assert lease is not None
        row = _Row(opening, use.job, use.device, lease, facility, use.start_s, use.start_s, LASTS)
        db.execute(
            "INSERT INTO allocations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
            (self._source, opening, *_of(row)),
        )
        turn.held[use.device] = self._source, use.job
        turn.told.append(
            events.opened(
                facility,
                self._source,
                job=use.job,
                device=use.device,
                lease=lease,
                start_s=use.start_s,
            )
        )
        return row

    def _take_absent(
        self, db: sqlite3.Connection, turn: _Turn, row: _Row, seen: dict[str, int]
    ) -> None:
        """A source no longer speaks of a job: when it ended, nobody said."""
        last_s = max(seen.get(row.opening, row.until_s), row.until_s)
        if turn.at_s - last_s < self._absent_s:
            seen[row.opening] = last_s
            return
        detail = (
            f"{row.device}: the source speaks of it no more; billed as far as it was seen,"
            f" {format_instant(last_s)}"
        )
        turn.problems.append(Problem("end_unknown", row.job, detail))
        self._end(db, turn, row, last_s)
        seen.pop(row.opening, None)

    def _end(self, db: sqlite3.Connection, turn: _Turn, row: _Row, until_s: int) -> None:
        if turn.held.get(row.device) == (self._source, row.job):
            del turn.held[row.device]
        if row.state == LASTS:
            turn.told.append(events.ended(row.facility, self._source, row.opening, until_s))
            self._change(db, row, until_s, over_s=turn.at_s)
        else:
            # Its opening was refused: kept until somebody has it sent again, or drops it.
            self._change(db, row, until_s, over_s=until_s, state=row.state)

    def _change(
        self,
        db: sqlite3.Connection,
        row: _Row,
        until_s: int,
        *,
        over_s: int | None = None,
        state: str | None = None,
    ) -> None:
        if state is None:
            state = row.state if over_s is None else OVER
        db.execute(
            "UPDATE allocations SET until_s = ?, over_s = ?, state = ?"
            " WHERE source = ? AND opening = ?",
            (until_s, over_s, state, self._source, row.opening),
        )
        row.until_s = until_s


def _of(row: _Row) -> Iterable[object]:
    return row.job, row.device, row.lease, row.facility, row.start_s, row.until_s, row.state
