"""Close: freeze an epoch after its cut-off, publish its evidence, store its statement.

Behind the last epoch the closing statement is made in the same way: of what came late.
Evidence is written before the statement is stored. It depends on frozen records alone, so a
crash in between costs nothing: the next run writes the same bytes.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from api.db import statements as store
from api.db.chain_store import ended_at
from api.db.facilities import (
    facility_rows,
    known_facility_row,
    lock_facility,
    set_last_recorded,
)
from api.db.facts import told_between
from api.db.log import about_keys_between, entries_between, log_size_before
from api.db.reopenings import reopenings_of, take_out
from api.db.session import reading, transaction
from api.db.tables.facilities import FacilityRow
from api.domain.facility import Period
from api.domain.lifecycle import Reopening, cut_off_s, untaken_from_s
from api.domain.statements.closing import ClosedEpoch
from api.domain.statements.evidence import FACILITY_FILE, epoch_folder, facility_folder
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.statements.statement import Statement
from api.domain.units import Epoch, FacilityId
from api.epochs.behind import note_published
from api.epochs.books import KeptBooks
from api.errors import AppError, Conflict
from api.evidence_store import EvidenceFolder
from api.ledger.behind import require_whole
from api.ledger.rosters import require_known


@dataclass(frozen=True, slots=True)
class CloseTimings:
    """Seconds that each part of closing one epoch took."""

    read_s: float
    compute_s: float
    evidence_s: float
    store_s: float


@dataclass(frozen=True, slots=True)
class Closed:
    """One epoch, or the books behind the last one, that was closed now."""

    statement: Statement
    timings: CloseTimings
    closing: bool = False


@dataclass(frozen=True, slots=True)
class NotClosed:
    """A facility whose next statement could not be closed now, and why."""

    facility_id: FacilityId
    epoch: Epoch
    reason: str


def due_periods(
    engine: Engine,
    now_s: int,
    facility_id: FacilityId | None = None,
    *,
    among: Collection[FacilityId] | None = None,
) -> list[tuple[FacilityId, Period]]:
    """`(facility, period)` whose cut-off has passed and that are not closed, oldest cut-off first.

    Of an ended facility only epochs that were over by then, and its closing statement: no other
    can be stated.
    """
    due = []
    with reading(engine) as connection:
        ended = ended_at(connection)
        for row in facility_rows(connection, facility_id):
            if among is not None and row.facility_id not in among:
                continue
            for period, cut_s in open_periods(connection, row, ended.get(row.facility_id)):
                if now_s < cut_s:
                    break
                due.append((cut_s, row.facility_id, period))
    due.sort(key=lambda found: (found[0], found[1], found[2].epoch))
    return [(facility, period) for _, facility, period in due]


def open_periods(
    connection: Connection, row: FacilityRow, ended_at_s: int | None
) -> Iterator[tuple[Period, int]]:
    """What is not closed of a facility, in order, each with its cut-off."""
    terms = terms_from_bytes(row.terms_json)
    reopened = reopenings_of(connection, row.facility_id)
    for number in map(Epoch, range(row.epochs_closed, terms.epoch_count + 1)):
        period = terms.stated_period(number, ended_at_s=ended_at_s, grace_s=row.grace_s)
        if period is None or (period.closing and _has_closing(connection, row)):
            return
        yield period, _cut_s(period, row, reopened)


def _has_closing(connection: Connection, row: FacilityRow) -> bool:
    number = Epoch(row.epochs_closed)
    return store.statement_row(connection, row.facility_id, number) is not None


def _cut_s(period: Period, row: FacilityRow, reopened: Sequence[Reopening]) -> int:
    return cut_off_s(
        period.epoch, epoch_end_s=period.over_s, grace_s=row.grace_s, reopenings=reopened
    )


def close_due(
    engine: Engine,
    evidence: EvidenceFolder,
    now_s: int,
    *,
    facility_id: FacilityId | None = None,
    among: Collection[FacilityId] | None = None,
    books: KeptBooks | None = None,
    on_closed: Callable[[Closed], None] | None = None,
    on_failed: Callable[[NotClosed], None] | None = None,
) -> list[Closed]:
    """Close every epoch, and all books behind it, whose cut-off has passed.

    Args:    among: no other facilities; None for all.
             books: kept from round to round, so that none is rebuilt.
             on_failed: told of a facility that could not be closed; the others are. Without it the
             first error is raised.
    """
    kept = KeptBooks() if books is None else books
    take_back_cut_short(engine, evidence, facility_id)
    results: list[Closed] = []
    failed: set[FacilityId] = set()
    for facility, period in due_periods(engine, now_s, facility_id, among=among):
        if facility in failed:
            continue
        try:
            closed = close_one(engine, evidence, facility, period, now_s, books=kept)
        except AppError as error:
            if on_failed is None:
                raise
            failed.add(facility)
            on_failed(NotClosed(facility, period.epoch, error.message))
            continue
        if closed is not None:
            results.append(closed)
            if on_closed:
                on_closed(closed)
    return results


def take_back_cut_short(
    engine: Engine, evidence: EvidenceFolder, facility_id: FacilityId | None
) -> None:
    """Take back what was closed before the service knew, by confirmed blocks, of a facility's end.

    An epoch that was not over by the end can be posted by nobody, and the closing statement has
    its number; nor can a closing statement whose end is another one by now.
    """
    with reading(engine) as connection:
        ended = ended_at(connection, None if facility_id is None else [facility_id])
        rows = {r.facility_id: r for r in facility_rows(connection, facility_id)}
        closings = store.closing_ends(connection, facility_id)
    for row in rows.values():
        ended_at_s = ended.get(row.facility_id)
        made_s = closings.get(row.facility_id)
        if ended_at_s is None and made_s is None:
            continue
        terms = terms_from_bytes(row.terms_json)
        closing = terms.closing_period(ended_at_s=ended_at_s, grace_s=row.grace_s)
        number = Epoch(0) if closing is None else closing.epoch
        stale = made_s is not None and (closing is None or made_s != (number, closing.end_s))
        if row.epochs_closed <= number and not stale:
            continue
        first = min(number, made_s[0]) if made_s is not None else number
        with transaction(engine) as connection:
            closed = lock_facility(connection, row.facility_id).epochs_closed
            take_out(connection, row.facility_id, first)
            for epoch in map(Epoch, range(first, closed + 1)):
                evidence.remove(epoch_folder(row.facility_id, epoch))


def close_one(
    engine: Engine,
    evidence: EvidenceFolder,
    facility_id: FacilityId,
    period: Period,
    now_s: int,
    *,
    books: KeptBooks,
) -> Closed | None:
    """Close one epoch, or what is behind the last one; None if another worker did."""
    started = perf_counter()
    note_published(engine, evidence, facility_id)
    cut_s = _freeze(engine, facility_id, period)
    with reading(engine) as connection:
        row = known_facility_row(connection, facility_id)
        if row.epochs_closed != period.epoch:
            return None
        terms = terms_from_bytes(row.terms_json)
        require_known(connection, terms, row.terms_json, period)
        taken = books.take(connection, row, period.epoch)
        before = taken.follows.log.size
        recorded = untaken_from_s(period.epoch, terms=taken.terms), cut_s
        log_size = max(before, log_size_before(connection, facility_id, recorded))
        span = {"after": before, "up_to": log_size}
        told = list(told_between(connection, facility_id, recorded=recorded, **span))
        log = taken.terms.log
        entries = entries_between(connection, log, recorded=recorded, **span)
        about_keys = about_keys_between(connection, log, recorded=recorded, **span)
    read = perf_counter()
    closed = taken.close(period, told, entries=entries, about_keys=about_keys)
    computed = perf_counter()
    try:
        publish(evidence, closed)
    except Conflict:
        if not period.closing:
            raise
        # Nobody signed what was never stored: closing the epoch that the end cut short began here.
        evidence.remove(epoch_folder(facility_id, period.epoch))
        publish(evidence, closed)
    published = perf_counter()
    try:
        with transaction(engine) as connection:
            current = lock_facility(connection, facility_id)
            if current.epochs_closed != period.epoch:
                return None
            size_now = max(before, log_size_before(connection, facility_id, recorded))
            if current.behind or size_now != log_size:
                # Nobody signed what was never stored.
                evidence.remove(epoch_folder(facility_id, period.epoch))
                raise Conflict("the log lost entries, or got some back, while it was closed")
            store.insert_statement(
                connection,
                closed.statement,
                closed.lines,
                closed.tree,
                closing=period.closing,
                log=closed.log,
                signed=closed.signed,
                closed_at_s=now_s,
            )
    except IntegrityError:
        return None
    books.keep(facility_id, taken)
    timings = CloseTimings(
        read - started, computed - read, published - computed, perf_counter() - published
    )
    return Closed(closed.statement, timings, closing=period.closing)


def _freeze(engine: Engine, facility_id: FacilityId, period: Period) -> int:
    """Make every later record land after the cut-off, even if this machine's clock went back.

    Returns: the cut-off.
    """
    with transaction(engine) as connection:
        row = lock_facility(connection, facility_id)
        require_whole(connection, row)
        cut_s = _cut_s(period, row, reopenings_of(connection, facility_id))
        if row.last_recorded_at_s < cut_s:
            set_last_recorded(connection, facility_id, cut_s)
    return cut_s


def publish(evidence: EvidenceFolder, closed: ClosedEpoch) -> None:
    """Write the evidence of a closed epoch; the manifest last, when all it names is there."""
    statement = closed.statement
    folder = epoch_folder(statement.facility_id, statement.epoch)
    for name, data in closed.files.items():
        is_facility = name == FACILITY_FILE
        home = facility_folder(statement.facility_id) if is_facility else folder
        evidence.write(f"{home}/{name}", data)
