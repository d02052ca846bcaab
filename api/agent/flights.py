"""What is under way: which events go next, the one body in flight, its answers, and receipts."""

import hashlib
import sqlite3
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from api.agent import events
from api.agent.spool import Problem, Spool, append, note_problems
from api.agent.spool_tables import LASTS, OVER
from api.domain.log.answers import TAKEN
from api.domain.log.receipts import unpack_receipt
from api.domain.metering.events import ALLOCATION_OPENED

# `POST /v1/events` takes 1,000 events; a body of a mebibyte stays far below what it refuses.
MOST_EVENTS = 1_000
MOST_BYTES = 1_048_576
# The event speaks of time that the service has not reached: it is sent again.
AHEAD = "in_the_future"
_NONE = b"[]"
# An event about an allocation whose opening is not recorded.
_ORPHANED = frozenset({"correction_target_unknown", "allocation_unknown"})
# Of a device that is not pledged, or not yet, no sighting is taken: it is not told each time.
_MUTING = frozenset({"device_unknown", "outside_pledge", "outside_window", "facility_closed"})
_MUTED_S = 3_600


@dataclass(frozen=True, slots=True)
class Flight:
    """A body that is under way. log: of which facility's log; author: the key that sends it.

    after: the entry of the author's last receipt in the log when this was made, for signatures.
    """

    log: str
    author: str
    facility: int
    seqs: tuple[int, ...]
    body: bytes
    after: bytes


@dataclass(frozen=True, slots=True)
class Result:
    """What the service says of one event. code and detail are of one that was rejected.

    known: it is accepted, and says what is agreed already.
    """

    status: str
    code: str = ""
    detail: str = ""
    known: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt as the spool keeps it, with the body that it speaks of while that is kept."""

    log: str
    author: str
    place: int
    receipt: bytes
    body: bytes


class Flights:
    """The sending side of the spool. One body at a time for each key and log."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    def facilities(self) -> list[int]:
        """Facilities for which something waits, the one that waits longest first."""
        with self._spool.read() as db:
            rows = db.execute(
                "SELECT facility, min(seq) FROM events WHERE state = 'waits'"
                " GROUP BY facility ORDER BY 2"
            ).fetchall()
        return [row[0] for row in rows]

    def next(
        self, facility: int, *, log: str, author: str, most: int = MOST_EVENTS
    ) -> Flight | None:
        """The body that goes next: the one that was under way, or the oldest events that wait.

        It is on the disk before it is returned, so that a second try sends the same bytes.
        Raises:  SpoolFailed.
        """
        with self._spool.write(sending=True) as db:
            row = db.execute(
                "SELECT log, author, facility, seqs, body, after FROM flights"
                " WHERE log = ? AND author = ?",
                (log, author),
            ).fetchone()
            if row is not None:
                return Flight(row[0], row[1], row[2], _seqs(row[3]), row[4], row[5])
            seqs: list[int] = []
            bodies: list[bytes] = []
            size = 2
            for seq, body in db.execute(
                "SELECT seq, body FROM events WHERE state = 'waits' AND facility = ?"
                " ORDER BY seq LIMIT ?",
                (facility, most),
            ):
                size += len(body) + 1
                if seqs and size > MOST_BYTES:
                    break
                seqs.append(seq)
                bodies.append(body)
            if not seqs:
                return None
            # What another key had under way is sent by this one: what arrived is a duplicate.
            db.execute("DELETE FROM flights WHERE facility = ?", (facility,))
            whole = b"[" + b",".join(bodies) + b"]"
            flight = Flight(log, author, facility, tuple(seqs), whole, _after(db, log, author))
            db.execute(
                "INSERT INTO flights VALUES (?, ?, ?, ?, ?, ?)",
                (log, author, facility, orjson.dumps(seqs), whole, flight.after),
            )
        return flight

    def drop(self, flight: Flight) -> None:
        """Take a body back that the service condemned as a whole: its events wait again."""
        with self._spool.write(sending=True) as db:
            _land(db, flight)

    def begin_behind(self, flight: Flight, receipt: bytes, *, now_s: int) -> None:
        """Go on behind a receipt: the body is made anew, and signed behind that."""
        with self._spool.write(sending=True) as db:
            _land(db, flight)
            _keep_sent(db, flight, b"", receipt, now_s=now_s)
            _go_on(db, flight, receipt)

    def condemn(self, flight: Flight, *, code: str, detail: str, now_s: int) -> None:
        """Keep the one event of a body that the service condemns as refused."""
        assert len(flight.seqs) == 1
        with self._spool.write(sending=True) as db:
            _land(db, flight)
            self._refuse(db, flight.seqs[0], Result("rejected", code, detail), now_s)

    def settle(
        self, flight: Flight, results: Sequence[Result], receipt: bytes | None, *, now_s: int
    ) -> int:
        """Note all answers to a body, and its receipt, in one transaction.

        Returns: how many events wait on, because they speak of time that is ahead.
        Raises:  SpoolFailed.
        """
        ahead = any(result.code == AHEAD for result in results)
        waiting = 0
        with self._spool.write(sending=True) as db:
            _land(db, flight)
            _keep_sent(db, flight, _told(flight, results, receipt), receipt or b"", now_s=now_s)
            if receipt is not None:
                _go_on(db, flight, receipt)
            for seq, result in zip(flight.seqs, results, strict=True):
                if result.status != "rejected":
                    db.execute("DELETE FROM events WHERE seq = ?", (seq,))
                elif result.code == AHEAD or (ahead and result.code in _ORPHANED):
                    waiting += 1
                else:
                    self._refuse(db, seq, result, now_s)
        return waiting

    def _refuse(self, db: sqlite3.Connection, seq: int, result: Result, now_s: int) -> None:
        db.execute(
            "UPDATE events SET state = 'refused', answered_s = ?, code = ?, detail = ?"
            " WHERE seq = ?",
            (now_s, result.code, result.detail[:1_000], seq),
        )
        source, named, about, body = db.execute(
            "SELECT source, id, about, body FROM events WHERE seq = ?", (seq,)
        ).fetchone()
        if about:
            # Nothing more is told of an allocation until somebody has looked.
            db.execute(
                "UPDATE allocations SET state = 'untold' WHERE source = ? AND opening = ?",
                (source, about),
            )
        elif result.code in _MUTING and named.startswith("seen/"):
            device = orjson.loads(body)["data"]["device"]
            db.execute(
                "INSERT INTO muted VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET"
                " until_s = excluded.until_s, code = excluded.code",
                (device, now_s + _MUTED_S, result.code),
            )
            note_problems(db, source, [Problem(result.code, device, result.detail)], now_s=now_s)
            # A sighting more or less: the problem says it once, in place of an event an hour.
            db.execute("DELETE FROM events WHERE seq = ?", (seq,))

    def receipts(self, log: str, author: str) -> list[Receipt]:
        """All receipts of a key in a log, oldest first, with their bodies."""
        with self._spool.read() as db:
            rows = db.execute(
                "SELECT place, receipt, body FROM sent WHERE log = ? AND author = ?"
                " AND receipt != x'' ORDER BY place",
                (log, author),
            ).fetchall()
        return [
            Receipt(log, author, place, receipt, zlib.decompress(body) if body else b"")
            for place, receipt, body in rows
        ]


def _seqs(text: bytes) -> tuple[int, ...]:
    return tuple(orjson.loads(text))


def _land(db: sqlite3.Connection, flight: Flight) -> None:
    db.execute("DELETE FROM flights WHERE log = ? AND author = ?", (flight.log, flight.author))


def _go_on(db: sqlite3.Connection, flight: Flight, receipt: bytes) -> None:
    db.execute(
        "INSERT INTO ends VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET receipt = excluded.receipt",
        (flight.log, flight.author, receipt),
    )


def _after(db: sqlite3.Connection, log: str, author: str) -> bytes:
    """The last receipt of a key in a log; nothing before the first."""
    row = db.execute(
        "SELECT receipt FROM ends WHERE log = ? AND author = ?", (log, author)
    ).fetchone()
    return b"" if row is None else bytes(row[0])


def _told(flight: Flight, results: Sequence[Result], receipt: bytes | None) -> bytes:
    """What is kept of a body: of one with a receipt every byte, else the events that were taken."""
    taken = [result.status != "rejected" for result in results]
    if receipt is not None or all(taken):
        return flight.body
    each = zip(orjson.loads(flight.body), taken, strict=True)
    return orjson.dumps([event for event, was_taken in each if was_taken])


def _keep_sent(
    db: sqlite3.Connection, flight: Flight, body: bytes, receipt: bytes, *, now_s: int
) -> None:
    if body == _NONE:
        return
    place = db.execute(
        "SELECT coalesce(max(place) + 1, 0) FROM sent WHERE log = ? AND author = ?",
        (flight.log, flight.author),
    ).fetchone()[0]
    digest = hashlib.sha256(body).digest() if body else b""
    kept = zlib.compress(body, 6) if body else b""
    db.execute(
        "INSERT INTO sent VALUES (?, ?, ?, ?, ?, ?, ?)",
        (flight.log, flight.author, place, receipt, digest, kept, now_s),
    )


# --- what was refused ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Refused:
    """An event that the service refused, as it was sent."""

    seq: int
    source: str
    id: str
    code: str
    detail: str
    answered_s: int
    body: bytes


def refused(spool: Spool, *, most: int) -> list[Refused]:
    """Events that were refused, newest first."""
    with spool.read() as db:
        rows = db.execute(
            "SELECT seq, source, id, code, detail, answered_s, body FROM events"
            " WHERE state = 'refused' ORDER BY seq DESC LIMIT ?",
            (most,),
        ).fetchall()
    return [Refused(*row) for row in rows]


def send_again(spool: Spool, *, now_s: int) -> int:
    """Have all refused events wait again, in their order; returns how many.

    Of allocations is told what is known of them now, in place of what was refused.
    """
    with spool.write() as db:
        rows = db.execute(
            "SELECT source, id, about, facility, body FROM events WHERE state = 'refused'"
            " ORDER BY seq"
        ).fetchall()
        db.execute("DELETE FROM events WHERE state = 'refused'")
        again = [
            events.NewEvent(facility, source, named, about, body)
            for source, named, about, facility, body in rows
            if about in ("", named)
        ]
        count = append(db, again, now_s=now_s)
        for source, about in dict.fromkeys((row[0], row[2]) for row in rows if row[2]):
            count += _tell_anew(db, source, about, now_s=now_s)
    return count


def _tell_anew(db: sqlite3.Connection, source: str, opening: str, *, now_s: int) -> int:
    row = db.execute(
        "SELECT facility, start_s, until_s, over_s FROM allocations"
        " WHERE source = ? AND opening = ? AND state = 'untold'",
        (source, opening),
    ).fetchone()
    if row is None:
        return 0
    facility, start_s, until_s, over_s = row
    told = []
    if over_s is not None:
        told = [events.ended(facility, source, opening, until_s)]
    elif until_s > start_s:
        told = [events.confirmed(facility, source, opening, until_s)]
    db.execute(
        "UPDATE allocations SET state = ? WHERE source = ? AND opening = ?",
        (LASTS if over_s is None else OVER, source, opening),
    )
    return append(db, told, now_s=now_s)


def drop_refused(spool: Spool) -> int:
    """Forget all refused events; returns how many. Their allocations stay unbilled."""
    with spool.write() as db:
        db.execute(
            "UPDATE allocations SET state = 'over' WHERE state = 'untold' AND over_s IS NOT NULL"
        )
        return db.execute("DELETE FROM events WHERE state = 'refused'").rowcount


def _taken(receipt: bytes, body: list[Any]) -> list[Any]:
    """The events of a body that the service took: of one with a receipt, by its answers."""
    if not receipt:
        return body
    answers = unpack_receipt(receipt).answers
    return [event for event, byte in zip(body, answers, strict=True) if byte in TAKEN]


def send_sent(spool: Spool, *, since_s: int, now_s: int) -> int:
    """Have everything wait again that the service took since then; returns how many events.

    For a service that was restored from a copy of before: what it still has is a duplicate.
    """
    count = 0
    with spool.write() as db:
        rows = db.execute(
            "SELECT receipt, body FROM sent WHERE taken_s >= ? AND body != x''"
            " ORDER BY taken_s, log, place",
            (since_s,),
        ).fetchall()
        for receipt, body in rows:
            told = []
            for event in _taken(receipt, orjson.loads(zlib.decompress(body))):
                facts = event["data"]
                about = facts["allocation"]["id"] if "allocation" in facts else ""
                if event["type"] == ALLOCATION_OPENED:
                    about = event["id"]
                told.append(
                    events.NewEvent(
                        facts["facility_id"],
                        event["source"],
                        event["id"],
                        about,
                        orjson.dumps(event),
                    )
                )
            count += append(db, told, now_s=now_s)
    return count
