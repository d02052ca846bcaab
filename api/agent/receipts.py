"""Receipts that the agent keeps: packed in the spool, shown as documents, held to the log."""

import http
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from api.agent.failures import Unreachable
from api.agent.spool import Spool
from api.agent.web import BROKEN, Web
from api.domain.facility import FacilityTerms
from api.domain.json_text import as_integer, as_object, as_text, read_json
from api.domain.lifecycle import untaken_from_s
from api.domain.log.entry import NO_LOG, Entry, LogName, end_of, entry_hash
from api.domain.log.receipts import Receipt, unpack_receipt
from api.domain.statements.batches import decode_entries
from api.domain.statements.evidence import (
    BATCHES_FILE,
    FACILITY_FILE,
    epoch_folder,
    facility_folder,
    hex32,
)
from api.domain.statements.evidence_reader import decode_facility
from api.domain.units import Epoch
from api.errors import EvidenceInvalid
from api.local.finding import Finding


def kept_receipts(spool: Spool) -> list[Receipt]:
    """All receipts of a spool, by log and entry. Raises SpoolFailed, EvidenceInvalid."""
    with spool.read() as db:
        rows = db.execute(
            "SELECT receipt FROM sent WHERE receipt != x'' UNION SELECT receipt FROM ends"
        ).fetchall()
    found = [unpack_receipt(row[0]) for row in rows]
    return sorted(found, key=lambda r: (str(r.entry.log), r.entry.number))


def newest_receipts(spool: Spool, author: str) -> list[Receipt]:
    """The newest receipt of a key in each log, by log. Raises SpoolFailed, EvidenceInvalid."""
    with spool.read() as db:
        rows = db.execute(
            "SELECT receipt FROM ends WHERE author = ? ORDER BY log", (author,)
        ).fetchall()
    return [unpack_receipt(row[0]) for row in rows]


# Where a packed receipt has the number of its entry, for SQL: bytes from 1.
_NUMBER = "substr(receipt, 53, 8)"
_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Sent:
    """A body that was sent, with its receipt and the one before, packed.

    body is empty where it is kept no more, after where there is none.
    """

    receipt: bytes
    body: bytes
    after: bytes


def newest_receipt(spool: Spool, log: str, author: str) -> bytes | None:
    """The newest receipt of a key in a log, packed. Raises SpoolFailed."""
    with spool.read() as db:
        row = db.execute(
            "SELECT receipt FROM ends WHERE log = ? AND author = ?", (log, author)
        ).fetchone()
    return None if row is None else bytes(row[0])


def sent_between(spool: Spool, log: str, author: str, *, first: int, last: int) -> Iterator[Sent]:
    """What a key sent that became entries of some numbers, in their order. Raises SpoolFailed."""
    here = f"FROM sent WHERE log = ? AND author = ? AND receipt != x'' AND {_NUMBER}"
    after = b""
    while first <= last:
        with spool.read() as db:
            if not after:
                before = db.execute(
                    f"SELECT receipt {here} < ? ORDER BY {_NUMBER} DESC LIMIT 1",
                    (log, author, _big(first)),
                ).fetchone()
                after = b"" if before is None else before[0]
            rows = db.execute(
                f"SELECT receipt, body {here} BETWEEN ? AND ? ORDER BY {_NUMBER} LIMIT {_AT_ONCE}",
                (log, author, _big(first), _big(last)),
            ).fetchall()
        if not rows:
            return
        for receipt, body in rows:
            yield Sent(receipt, zlib.decompress(body) if body else b"", after)
            after = receipt
        first = unpack_receipt(after).entry.number + 1


def _big(number: int) -> bytes:
    return number.to_bytes(8, "big")


# --- held to what the service publishes ---------------------------------------------------------

Read = Callable[[str], bytes | None]


@dataclass(slots=True)
class PublishedLog:
    """A log as the statements of its facility show it, and as it is said to stand now.

    statements: how many show it.  size: entries that the service says there are by now.
    """

    terms: FacilityTerms
    entries: list[Entry] = field(default_factory=list)
    statements: int = 0
    size: int = 0


@dataclass(slots=True)
class Held:
    """What became of receipts that were held to published logs.

    found: of entries that the log has.  waiting: of entries behind the last statement's.
    """

    found: int = 0
    waiting: int = 0
    findings: list[Finding] = field(default_factory=list)


def reader(web: Web) -> Read:
    """Reads a path of the service, None where it has none. Raises Unreachable."""

    def read(path: str) -> bytes | None:
        try:
            answer = web.ask("GET", path)
        except BROKEN as error:
            raise Unreachable(f"no answer from {web.url}: {error}") from error
        if answer.status == http.HTTPStatus.NOT_FOUND:
            return None
        if answer.status != http.HTTPStatus.OK:
            raise Unreachable(f"{answer.status} for {path}")
        return answer.body

    return read


def read_published(read: Read, log: LogName) -> PublishedLog:
    """A log by the evidence of its facility. Raises EvidenceInvalid, Unreachable."""
    facility_id = log.facility_id
    said = read(f"/v1/facilities/{facility_id}/log")
    document = read(f"/v1/evidence/{facility_folder(facility_id)}/{FACILITY_FILE}")
    if said is None or document is None:
        raise EvidenceInvalid(f"the service shows nothing of facility {facility_id}")
    try:
        standing = as_object(read_json(said))
        if as_text(standing["log"]) != str(log):
            raise EvidenceInvalid(f"the service calls the log {standing['log']}, not {log}")
        size = as_integer(standing["size"])
    except (ValueError, TypeError, KeyError) as error:
        raise EvidenceInvalid(f"what the service says of log {log} cannot be read") from error
    found = PublishedLog(decode_facility(document), size=size)
    if found.terms.log != log:
        raise EvidenceInvalid(f"{FACILITY_FILE} is of log {found.terms.log}, not {log}")
    end, at_s = NO_LOG, 0
    # A closing statement comes behind the last epoch.
    for epoch in map(Epoch, range(found.terms.epoch_count + 1)):
        data = read(f"/v1/evidence/{epoch_folder(facility_id, epoch)}/{BATCHES_FILE}")
        if data is None:
            break
        entries = decode_entries(data, log=log, before=end, recorded_at_s=at_s).entries
        found.entries += entries
        found.statements += 1
        end = end_of(entries, end)
        at_s = entries[-1].recorded_at_s if entries else at_s
    return found


def hold(receipts: Sequence[Receipt], published: PublishedLog, held: Held) -> None:
    """Hold receipts of one log to what is published of it; adds to what was found."""
    terms, size = published.terms, len(published.entries)
    # What was recorded before the cut-off of the statement before the last is in all of them.
    last = Epoch(max(published.statements - 1, 0))
    due_s = untaken_from_s(last, terms=terms) + terms.grace_s if last else 0
    if published.entries:
        # A cut parts no second: of one that is published, all is.
        due_s = max(due_s, published.entries[-1].recorded_at_s + 1)
    for receipt in receipts:
        number = receipt.entry.number
        name = f"entry {number} of log {receipt.entry.log}"
        if number <= size:
            ours, theirs = entry_hash(receipt.entry), entry_hash(published.entries[number - 1])
            if ours == theirs:
                held.found += 1
                continue
            message = f"the log shows {hex32(theirs)}, and our receipt is of {hex32(ours)}"
            held.findings.append(_wrong(name, f"{message}: the service has two logs"))
        elif receipt.entry.recorded_at_s < due_s:
            message = f"recorded at {receipt.entry.recorded_at_s}, and the statements since leave"
            held.findings.append(_wrong(name, f"{message} it out: they show {size} entries"))
        elif number > published.size:
            message = f"the service says that its log has {published.size} entries"
            held.findings.append(_wrong(name, f"{message}: it was cut, or restored from a copy"))
        else:
            held.waiting += 1


def _wrong(name: str, message: str) -> Finding:
    return Finding(name, "fail", message, "keep the receipt, and tell attesters and holders")


def hold_all(receipts: Sequence[Receipt], read: Read) -> Held:
    """Hold receipts to the logs that a service publishes, each named in its findings.

    Raises:  Unreachable.
    """
    held = Held()
    by_log: dict[LogName, list[Receipt]] = {}
    for receipt in receipts:
        by_log.setdefault(receipt.entry.log, []).append(receipt)
    for log, own in by_log.items():
        try:
            hold(own, read_published(read, log), held)
        except EvidenceInvalid as error:
            held.findings.append(_wrong(f"log {log}", error.message))
    return held
