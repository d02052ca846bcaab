"""The spool: what the agent knows and has to send, in one SQLite file that survives kill -9."""

import fcntl
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from api.agent.events import NewEvent
from api.agent.failures import SpoolFailed
from api.agent.spool_tables import SCHEMA, SCHEMA_2, VERSION

_PAGE_BYTES = 4_096
# Two bodies and what hangs on them.
_SENDING_PAGES = 4 * 1_048_576 // _PAGE_BYTES
# A command may write beside the agent: both wait for each other.
_BUSY_S = 10
_LOCK_PATIENCE_S, _LOCK_PAUSE_S = 2.0, 0.02
# Kinds of problem with a subject each: beyond this the oldest make room.
MOST_PROBLEMS = 1_000
_DETAIL_CHARS = 400


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not billed or not known. kind is stable; subject says of what."""

    kind: str
    subject: str
    detail: str


@dataclass(frozen=True, slots=True)
class KeptProblem:
    """A problem as the spool has it."""

    source: str
    kind: str
    subject: str
    detail: str
    first_s: int
    last_s: int
    times: int


@dataclass(frozen=True, slots=True)
class Depth:
    """How much is in the spool."""

    waiting: int
    refused: int
    oldest_waiting_s: int | None
    open_allocations: int


class Spool:
    """One file. Every step is one transaction, synced before it counts."""

    def __init__(self, path: Path, *, most_mib: int) -> None:
        """Open or make the file. Raises SpoolFailed if it cannot be, or is of another version."""
        self.path = path
        self._most_pages = most_mib * 1_048_576 // _PAGE_BYTES
        self._lock = threading.RLock()
        try:
            self._db = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, timeout=_BUSY_S
            )
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA journal_size_limit = 16777216")
            self._db.execute("PRAGMA wal_autocheckpoint = 500")
            self._make()
        except sqlite3.Error as error:
            raise SpoolFailed(f"the spool {path} cannot be opened: {error}") from error

    def _make(self) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if not 0 <= version <= VERSION:
            raise SpoolFailed(f"the spool {self.path} is of version {version}, not {VERSION}")
        if version == VERSION:
            return
        with self.write() as db:
            for statement in (SCHEMA if version == 0 else "").split(";"):
                db.execute(statement)
            for statement in SCHEMA_2.split(";"):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {VERSION}")

    @contextmanager
    def write(self, *, sending: bool = False) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it, or nothing. Raises SpoolFailed if it cannot be kept.

        sending: it may take the last room, which sources leave free: a spool that is full of what
        waits could not be emptied otherwise.
        """
        most_pages = self._most_pages + (_SENDING_PAGES if sending else 0)
        with self._lock:
            try:
                self._db.execute(f"PRAGMA max_page_count = {most_pages}")
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    yield self._db
                    self._db.execute("COMMIT")
                except BaseException:
                    # Some failures, such as a full disk, have rolled back already.
                    if self._db.in_transaction:
                        self._db.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                message = f"the spool {self.path} cannot be written: {error}"
                raise SpoolFailed(message) from error

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Read what is committed."""
        with self._lock:
            try:
                yield self._db
            except sqlite3.Error as error:
                raise SpoolFailed(f"the spool {self.path} cannot be read: {error}") from error

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only agent on this spool: two would tell everything by two clocks.

        The system frees the lock when the process dies, however it dies; that takes a moment.
        Raises:  SpoolFailed.
        """
        with self.path.with_name(f"{self.path.name}.lock").open("w") as file:
            until = time.monotonic() + _LOCK_PATIENCE_S
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except OSError as error:
                    if time.monotonic() > until:
                        message = f"another agent runs on the spool {self.path}"
                        raise SpoolFailed(message) from error
                    time.sleep(_LOCK_PAUSE_S)
            yield

    def close(self) -> None:
        """Give the file back."""
        with self._lock:
            self._db.close()

    # --- for people -----------------------------------------------------------------------------

    def depth(self) -> Depth:
        """How much waits, was refused, and lasts."""
        with self.read() as db:
            waiting, oldest = db.execute(
                "SELECT count(*), min(spooled_s) FROM events WHERE state = 'waits'"
            ).fetchone()
            refused = db.execute("SELECT count(*) FROM events WHERE state = 'refused'").fetchone()[
                0
            ]
            lasting = db.execute(
                "SELECT count(*) FROM allocations WHERE over_s IS NULL"
            ).fetchone()[0]
        return Depth(waiting, refused, oldest, lasting)

    def fill(self) -> float:
        """How much of its room the spool takes, from 0 to 1; what was freed counts as free."""
        with self.read() as db:
            pages = db.execute("PRAGMA page_count").fetchone()[0]
            free = db.execute("PRAGMA freelist_count").fetchone()[0]
        return float(pages - free) / float(self._most_pages)

    def problems(self, *, since_s: int) -> list[KeptProblem]:
        """Problems that were met since then, newest first."""
        with self.read() as db:
            rows = db.execute(
                "SELECT source, kind, subject, detail, first_s, last_s, times FROM problems"
                " WHERE last_s >= ? ORDER BY last_s DESC, source, kind, subject",
                (since_s,),
            ).fetchall()
        return [KeptProblem(*row) for row in rows]

    def purge(self, *, before_s: int, receipts_before_s: int = 0) -> int:
        """Forget bodies that were taken before then, and allocations that were over. Returns both.

        What waits, was refused or is under way stays, however old. Receipts stay without their
        bodies until the other time, and the newest of each log for ever.
        """
        with self.write(sending=True) as db:
            sent = db.execute(
                "DELETE FROM sent WHERE taken_s < ? AND (receipt = x'' OR taken_s < ?)",
                (before_s, receipts_before_s),
            ).rowcount
            sent += db.execute(
                "UPDATE sent SET body = x'' WHERE taken_s < ? AND body != x''", (before_s,)
            ).rowcount
            over = db.execute(
                "DELETE FROM allocations WHERE over_s < ? AND NOT EXISTS (SELECT 1 FROM events"
                " WHERE events.source = allocations.source AND about = opening"
                " AND events.state = 'refused')",
                (before_s,),
            ).rowcount
            db.execute("DELETE FROM problems WHERE last_s < ?", (before_s,))
        return sent + over


# --- inside of a transaction --------------------------------------------------------------------


def cursor_of(db: sqlite3.Connection, source: str) -> str | None:
    """Where a source stands."""
    row = db.execute("SELECT value FROM cursors WHERE source = ?", (source,)).fetchone()
    return None if row is None else str(row[0])


def set_cursor(db: sqlite3.Connection, source: str, value: str) -> None:
    """Note where a source stands, together with the events that it told up to there."""
    db.execute(
        "INSERT INTO cursors VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
        (source, value),
    )


def pinned_log(spool: Spool, facility: int) -> bytes | None:
    """What the service said of a facility's log at first; None if it was not asked yet."""
    with spool.read() as db:
        row = db.execute("SELECT said FROM logs WHERE facility = ?", (facility,)).fetchone()
    return None if row is None else bytes(row[0])


def known_logs(spool: Spool) -> list[int]:
    """Facilities of whose logs the service was asked."""
    with spool.read() as db:
        return [row[0] for row in db.execute("SELECT facility FROM logs ORDER BY facility")]


def pin_log(spool: Spool, facility: int, said: bytes) -> None:
    """Keep what the service says of a facility's log."""
    with spool.write(sending=True) as db:
        db.execute("INSERT OR REPLACE INTO logs VALUES (?, ?)", (facility, said))


def append(db: sqlite3.Connection, events: Iterable[NewEvent], *, now_s: int) -> int:
    """Spool events in their order. One that is there already stays as it is. Returns how many."""
    before = db.total_changes
    db.executemany(
        "INSERT OR IGNORE INTO events (facility, source, id, about, body, spooled_s)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        ((e.facility, e.source, e.id, e.about, e.body, now_s) for e in events),
    )
    return db.total_changes - before


def note_problems(
    db: sqlite3.Connection, source: str, problems: Iterable[Problem], *, now_s: int
) -> None:
    """Keep problems, each once, with how often it was met."""
    db.executemany(
        "INSERT INTO problems VALUES (?, ?, ?, ?, ?, ?, 1) ON CONFLICT DO UPDATE SET"
        " detail = excluded.detail, last_s = excluded.last_s, times = times + 1",
        (
            (source, p.kind, p.subject[:_DETAIL_CHARS], p.detail[:_DETAIL_CHARS], now_s, now_s)
            for p in problems
        ),
    )
    count = db.execute("SELECT count(*) FROM problems").fetchone()[0]
    if count > MOST_PROBLEMS:
        db.execute(
            "DELETE FROM problems WHERE (source, kind, subject) IN (SELECT source, kind, subject"
            " FROM problems ORDER BY last_s LIMIT ?)",
            (count - MOST_PROBLEMS,),
        )
