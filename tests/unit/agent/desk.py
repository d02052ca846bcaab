"""What tests of the agent build: a spool in a folder, a book, uses, and what came of them."""

import zlib
from pathlib import Path
from typing import Any

import orjson

from api.agent.book import Book, Round, Use
from api.agent.leases import Holder, LeaseRow, LeaseTable
from api.agent.spool import Spool
from tests.factories import START_S, device

SOURCE = "agent/n1/slurm"
LEASES = LeaseTable(
    [LeaseRow("-", user="root"), LeaseRow("lease-a", account="physics")],
)
PHYSICS = Holder(account="physics", user="ada")


# Spools that are open: closed when a test ends.
OPEN: list[Spool] = []


def open_spool(folder: Path, *, most_mib: int = 64) -> Spool:
    """A spool in a folder; the same one again, if it is there."""
    OPEN.append(Spool(folder / "spool.db", most_mib=most_mib))
    return OPEN[-1]


def make_book(spool: Spool, *, confirm_every_s: int = 300, absent_s: int = 0) -> Book:
    """A book of one source."""
    return Book(
        spool,
        SOURCE,
        kind="slurm",
        leases=LEASES,
        facility_of=lambda _device: 1,
        confirm_every_s=confirm_every_s,
        absent_s=absent_s,
    )


def use(job: str, gpu: int, from_s: int, to_s: int | None = None, holder: Holder = PHYSICS) -> Use:
    """A use; times are seconds after the window's start."""
    end_s = None if to_s is None else START_S + to_s
    return Use(job, device(gpu), START_S + from_s, end_s, holder)


def said(at_s: int, *uses: Use, **more: Any) -> Round:
    """What a source says at a time after the window's start."""
    return Round(START_S + at_s, uses, **more)


def spooled(spool: Spool) -> list[dict[str, Any]]:
    """All events of a spool that the service has not taken, in order."""
    with spool.read() as db:
        rows = db.execute("SELECT body FROM events ORDER BY seq").fetchall()
    return [orjson.loads(row[0]) for row in rows]


def kinds(spool: Spool) -> list[str]:
    """The last word of each event's type, but for the version."""
    return [event["type"].split(".")[-2] for event in spooled(spool)]


def names(spool: Spool) -> list[tuple[str, str]]:
    """`(source, id)` of all events of a spool, in order: those that were taken, then the others."""
    with spool.read() as db:
        bodies = db.execute("SELECT body FROM sent ORDER BY log, author, place").fetchall()
    sent = [event for (body,) in bodies for event in orjson.loads(zlib.decompress(body))]
    return [(event["source"], event["id"]) for event in (*sent, *spooled(spool))]
