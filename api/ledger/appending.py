"""Appending entries that a log lost and that wait, each in a transaction of its own."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from api.db import lost as store
from api.db.chain_store import ended_at
from api.db.facilities import lock_facility
from api.db.session import write
from api.db.tables.facilities import FacilityRow
from api.db.tables.lost import LostRow, LostState
from api.domain.facility import FacilityTerms
from api.domain.json_text import read_json
from api.domain.log.answers import ACCEPTED
from api.domain.log.bodies import plain_of, read_plain
from api.domain.log.entry import Entry, EntryKind, decode_entry
from api.domain.log.keys import LogKeys
from api.domain.log.logged import LoggedEntry, events_of
from api.domain.log.receipts import Receipt, receipt_of
from api.domain.log.requests import request_from
from api.domain.log.signers import signers_of
from api.domain.metering.items import EventResult, Item, read_item
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.units import Bytes32, FacilityId
from api.errors import AppError, DatabaseUnavailable, Misconfigured
from api.evidence_store import EvidenceFolder
from api.ledger.closings import take_back
from api.ledger.ingest import Batch
from api.ledger.recorder import NO_KEY, Log, Receipting, Recorder, keys_of
from api.ledger.rosters import roster_of
from api.ledger.snapshot import Heard, read_snapshot
from api.ledger.write import SignedBody


def advance(log: Log, facility_id: FacilityId, evidence: EvidenceFolder) -> None:
    """Append entries that wait, as far as none is missing."""
    while _append_next(log, facility_id, evidence):
        pass


def fork_those_behind(connection: Connection, row: FacilityRow, hashes: Sequence[Bytes32]) -> None:
    """What is behind an entry of a fork is of the fork; the log waits for it no longer."""
    forked = set(hashes)
    for held in store.rows_of_numbers(connection, row.facility_id, after=row.log_size):
        if held.entry and decode_entry(held.entry).previous in forked:
            forked.add(held.entry_hash)
    store.set_lost_state(connection, row.facility_id, forked, LostState.FORK)
    due = store.newest_held(connection, row.facility_id)
    store.set_log_due(connection, row.facility_id, due if due > row.log_size else 0)


class EntryDiffers(AppError):
    """What is judged now comes to another entry than the one that is appended again."""

    code = "entry_differs"


def _append_next(log: Log, facility_id: FacilityId, evidence: EvidenceFolder) -> bool:
    """Append the entry that comes next, if it waits. Returns whether another may follow."""
    heard: Heard | None = None
    others: Iterator[Heard] | None = None
    while True:
        work = partial(_append, log, facility_id, heard)
        try:
            # Before, and by itself: evidence is no part of a transaction that may come to nothing.
            write(log.engine, partial(_take_back, facility_id, evidence))
            done = write(log.engine, work, clashes=(IntegrityError,))
        except EntryDiffers as error:
            # Perhaps it was judged before the service had heard what it knows of the chain now.
            others = write(log.engine, partial(_heard, facility_id)) if others is None else others
            heard = next(others, None)
            if heard is not None:
                continue
            _refuse(log, facility_id, error)
            return False
        except (DatabaseUnavailable, Misconfigured):
            raise
        except (AppError, ValueError) as error:
            _refuse(log, facility_id, error)
            return False
        if isinstance(done, Batch):
            done.keep_in(log.kept)
        return done is not None


def _heard(facility_id: FacilityId, connection: Connection) -> Iterator[Heard]:
    """What the service may have heard of the chain: from less than it knows now to nothing."""
    return iter(less_heard(connection, lock_facility(connection, facility_id)))


def less_heard(connection: Connection, row: FacilityRow) -> Sequence[Heard]:
    """What may have been heard of the chain when an entry was judged, if not all that is known."""
    terms = terms_from_bytes(row.terms_json)
    count = len(roster_of(connection, terms, row.terms_json).replacements)
    ends = (True, False) if row.facility_id in ended_at(connection, [row.facility_id]) else (True,)
    return [Heard(n, end) for n in range(count, -1, -1) for end in ends][1:]


def _refuse(log: Log, facility_id: FacilityId, error: Exception) -> None:
    def work(connection: Connection) -> None:
        row = lock_facility(connection, facility_id)
        held = store.held_row(connection, facility_id, row.log_size + 1)
        if held is not None:
            why = error.message if isinstance(error, AppError) else str(error)
            hashes = [held.entry_hash]
            store.set_lost_state(
                connection, facility_id, hashes, LostState.HELD, refused=why[:1_000]
            )

    write(log.engine, work)


def _take_back(facility_id: FacilityId, evidence: EvidenceFolder, connection: Connection) -> None:
    """Take back what was closed without the entry that comes next. Raises EntryRefused."""
    row = lock_facility(connection, facility_id)
    held = store.held_row(connection, facility_id, row.log_size + 1)
    if held is not None and held.body is not None:
        at_s = decode_entry(held.entry).recorded_at_s
        take_back(connection, evidence, row, terms_from_bytes(row.terms_json), at_s=at_s)


def _append(
    log: Log,
    facility_id: FacilityId,
    heard: Heard | None,
    connection: Connection,
) -> Batch | bool | None:
    """Append the next entry. Returns what is to be remembered of it; None if none waits."""
    row = lock_facility(connection, facility_id)
    terms = terms_from_bytes(row.terms_json)
    held = store.held_row(connection, facility_id, row.log_size + 1)
    if held is None or held.body is None:
        store.drop_held(connection, facility_id, up_to=row.log_size)
        return None
    logged = _logged(held)
    entry = logged.entry
    if entry.previous != row.log_head:
        fork_those_behind(connection, row, [held.entry_hash])
        return None
    receipting = None if logged.request is None else _receipting(connection, log, terms, held)
    batch = append_again(connection, row, logged, log, heard=heard, receipting=receipting)
    store.drop_held(connection, facility_id, up_to=entry.number)
    return True if batch is None else batch


def append_again(
    connection: Connection,
    row: FacilityRow,
    logged: LoggedEntry,
    log: Log,
    *,
    heard: Heard | None,
    receipting: Receipting | None,
) -> Batch | None:
    """Append an entry that a log had before behind its end, judged again at its second.

    Args:    row: of its facility, locked.  heard: of the chain, if not what is known now.
             receipting: gives the receipt; None of an entry that nobody signed.
    Returns: what is to be remembered of it; None of one about a key.
    Raises:  EntryDiffers where what is judged now comes to another entry; AppError, ValueError.
    """
    again = replace(log, clock=lambda: logged.entry.recorded_at_s)
    if receipting is None:
        return _unsigned(connection, row, logged, again, heard)
    terms = terms_from_bytes(row.terms_json)
    return _signed(connection, row, terms, logged, again, heard, receipting)


def _receipting(
    connection: Connection, log: Log, terms: FacilityTerms, held: LostRow
) -> Receipting:
    """The receipt that was given, where it was shown; else one that is signed anew.

    Raises:  Misconfigured.
    """
    given = held.signature
    if given is not None:
        return lambda logged: Receipt(logged.entry, logged.blind, logged.answers, given)
    key = log.key_for(signers_of(keys_of(connection, terms)), held.number)
    if key is None:
        raise Misconfigured(NO_KEY, facility_id=terms.facility_id)
    return lambda logged: receipt_of(logged, key)


def _logged(held: LostRow) -> LoggedEntry:
    assert held.body is not None  # as was asked before
    assert held.blind is not None
    assert held.answers is not None
    request = None if held.request is None else request_from(read_json(held.request))
    return LoggedEntry(decode_entry(held.entry), held.blind, held.body, held.answers, request)


def _signed(
    connection: Connection,
    row: FacilityRow,
    terms: FacilityTerms,
    logged: LoggedEntry,
    log: Log,
    heard: Heard | None,
    receipting: Receipting,
) -> Batch | None:
    entry, request = logged.entry, logged.request
    assert request is not None  # of what somebody signed
    signed = SignedBody(row.facility_id, request, logged.body, entry.kind, logged.blind)
    raw: Sequence[object] = ()
    read: list[Item | EventResult] = []
    if entry.kind is EntryKind.BATCH:
        batch = read_plain(plain_of(signed.body))
        raw = batch.events
        read = [read_item(i, event, batch.broken.get(i)) for i, event in enumerate(raw)]
    keys: LogKeys = keys_of(connection, terms)
    recorder = Recorder(connection, row, terms, signed, keys, log, receipting)
    done = recorder.record(read, raw, named=None, heard=heard)
    _require_same(done.receipt.entry, done.receipt.answers, logged)
    return done.batch


def _unsigned(
    connection: Connection,
    row: FacilityRow,
    logged: LoggedEntry,
    log: Log,
    heard: Heard | None,
) -> Batch:
    raw = events_of(logged.body, logged.entry.author)
    read = [read_item(i, event, None) for i, event in enumerate(raw)]
    events = [x.event for x in read if isinstance(x, Item)]
    at_s = log.clock()
    snapshot = read_snapshot(connection, row, events, now_s=at_s, kept=log.kept, heard=heard)
    snapshots = {row.facility_id: snapshot}
    batch = Batch(connection, row.operator_id, read, snapshots, now_s=at_s)
    batch.record(raw=raw, again=logged)
    answers = bytes(result.answer for result in batch.results)
    if answers != bytes([ACCEPTED]) * len(raw) or snapshot.recorded.recorded_at_s != at_s:
        raise EntryDiffers(f"entry {logged.entry.number}: not all of its events would be accepted")
    return batch


def _require_same(made: Entry, answers: bytes, logged: LoggedEntry) -> None:
    """Refuse what comes to another entry than the one that is shown. Raises EntryDiffers."""
    entry = logged.entry
    if made == entry:
        return
    what = "other bytes"
    if answers != logged.answers:
        pairs = zip(answers, logged.answers, strict=False)
        index = next((i for i, (a, b) in enumerate(pairs) if a != b), 0)
        what = f"another answer to event {index}: {answers[index]}, and it says"
        what += f" {logged.answers[index]}" if index < len(logged.answers) else " none"
    elif made.recorded_at_s != entry.recorded_at_s:
        what = f"second {made.recorded_at_s}, and it says {entry.recorded_at_s}"
    raise EntryDiffers(f"entry {entry.number}: judged again it comes to {what}")
