"""Preview: what the log would take of events, and what the next statements would then state.

The judge of ingest and the books of closing do it, on copies: nothing is recorded, no lock is
held, and no time moves. It says what is known now, as if nobody told anything else.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from sqlalchemy import Connection, Engine

from api.clock import Clock
from api.db.chain_store import ended_at
from api.db.facilities import own_facility
from api.db.facts import has_more_facts, told_between
from api.db.leases import leases_hashed
from api.db.ledger import KnownEvent
from api.db.log import log_size_before
from api.domain.facility import Period
from api.domain.lifecycle import untaken_from_s
from api.domain.log.entry import LogEnd
from api.domain.metering.facts import Agreed, Fact, Held, Out, Place, Seen, Until, Voided
from api.domain.metering.intervals import Span
from api.domain.metering.items import EventResult, Item, read_item
from api.domain.statements.closing import Followed, OpenBooks, from_bytes
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.statements.told import Told
from api.domain.units import Bytes32, Epoch, FacilityId, OperatorId
from api.epochs.books import NotReady, PreviewBooks
from api.epochs.changes import Figures, Moved, difference, figures_of
from api.epochs.close import open_periods
from api.errors import EventRejected, InvalidInput
from api.ledger.judging import BatchJudge
from api.ledger.kept import KeptLedgers
from api.ledger.snapshot import Snapshot, snapshot_of

# Facts that one request goes through, to the end of a statement: some seconds of work.
MOST_FACTS = 100_000
# Statements that are shown at most: the next one, and those after it of which the events speak.
MOST_STATEMENTS = 3


class Unforeseen(StrEnum):
    """Why no statement is shown."""

    NOTHING_NEW = "nothing_new"  # no event would be recorded
    PREPARING = "preparing"  # the books are rebuilt in parts: ask again
    TOO_MANY_FACTS = "too_many_facts"  # they are too large, or one statement's facts too many


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A statement as it would be without and with the events.

    cut_off_s: what is recorded from this second on is not in it.
    moved: what differs, by kind, lease and month.
    """

    period: Period
    cut_off_s: int
    before: Figures
    after: Figures
    moved: tuple[Moved, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What would become of events.

    recorded_at_s: the second at which they would be recorded now.
    waiting: facts that speak of time after the last statement shown.
    names: the operator's ids of leases, by hash.
    """

    results: list[EventResult]
    recorded_at_s: int
    statements: list[Foreseen]
    unforeseen: Unforeseen | None
    waiting: int
    names: Mapping[Bytes32, str]


def preview(
    engine: Engine,
    books: PreviewBooks,
    operator_id: OperatorId,
    facility_id: FacilityId,
    events: Sequence[object],
    *,
    broken: Mapping[int, EventRejected] = MappingProxyType({}),
    clock: Clock,
) -> Preview:
    """Judge a batch of one facility as ingest would, and state what closing would.

    Raises:  NotFound, InvalidInput for an event of another facility, DatabaseUnavailable.
    """
    read = [read_item(i, event, broken.get(i)) for i, event in enumerate(events)]
    items = [x for x in read if isinstance(x, Item)]
    for item in items:
        if item.event.envelope.facility_id != facility_id:
            message = f"event {item.index} is of another facility: a preview is of one"
            raise InvalidInput(message, field="facility_id", index=item.index)
    # One view of the database, in which writers hold up nobody and are not held up.
    with own_facility(engine, operator_id, facility_id) as (connection, row):
        ended_at_s = ended_at(connection, [facility_id]).get(facility_id)
        told = _Told()
        snapshot = snapshot_of(
            connection,
            row,
            [item.event for item in items],
            ended_at_s=ended_at_s,
            now_s=clock(),
            # Not what ingest keeps: what is judged here was never told.
            kept=KeptLedgers(),
        )
        judge = BatchJudge(connection, {facility_id: snapshot}, items, told)
        results = [judge.take(x) if isinstance(x, Item) else x for x in read]
        foresight = _Foresight(connection, snapshot, told.facts, ended_at_s)
        found = foresight.look(books)
        statements = [] if isinstance(found, Unforeseen) else found
        names = _names(connection, snapshot, statements)
    return Preview(
        results,
        snapshot.recorded.recorded_at_s,
        statements,
        found if isinstance(found, Unforeseen) else None,
        foresight.waiting(statements),
        names,
    )


@dataclass(slots=True)
class _Told:
    """Notes the facts of accepted events in place of writing them."""

    facts: list[Told] = field(default_factory=list)

    def add(self, snapshot: Snapshot, item: Item, *, place: Place, facts: Sequence[Fact]) -> int:
        self.facts += [Told(place, snapshot.recorded.recorded_at_s, fact) for fact in facts]
        return 0

    def conflict(self, item: Item, known: KnownEvent) -> None:
        """Nothing of it is kept."""


class _Foresight:
    """The books of one facility, carried on without and with what is told."""

    def __init__(
        self,
        connection: Connection,
        snapshot: Snapshot,
        told: Sequence[Told],
        ended_at_s: int | None,
    ) -> None:
        self._connection, self._told = connection, told
        self._row, self._at_s = snapshot.facility, snapshot.recorded.recorded_at_s
        self._periods = list(open_periods(connection, self._row, ended_at_s))
        lasts = {
            known.place: known.fact.end_s
            for known in snapshot.recorded.known.values()
            if known.fact is not None
        }
        self._ends_s = [_speaks_until(each.fact, lasts) for each in told]

    def look(self, books: PreviewBooks) -> list[Foreseen] | Unforeseen:
        """The statements that are shown, or why none is."""
        if not self._told:
            return Unforeseen.NOTHING_NEW
        found = books.take(self._connection, self._row, most=MOST_FACTS)
        if isinstance(found, NotReady):
            return Unforeseen(found.value)
        stated, data = found
        after, facility_id = stated.follows.log.size, self._row.facility_id
        recorded = self._untaken(Epoch(self._row.epochs_closed))
        if has_more_facts(
            self._connection, facility_id, after=after, most=MOST_FACTS, recorded=recorded
        ):
            return Unforeseen.TOO_MANY_FACTS
        return list(self._statements(stated, data))

    def waiting(self, statements: Sequence[Foreseen]) -> int:
        """Facts that speak of time behind the last statement shown."""
        if not statements or statements[-1].period.closing:
            return 0
        return sum(end_s > statements[-1].period.end_s for end_s in self._ends_s)

    def _statements(self, without: OpenBooks, data: bytes) -> Iterator[Foreseen]:
        """The first statement that would take what is told, and those after it that it is of.

        Args:    without, data: books behind the last statement, twice.
        """
        facility_id = self._row.facility_id
        log_size, new = without.follows.log.size, self._told
        untouched = True
        after: OpenBooks | None = None
        shown = 0
        for period, cut_s in self._periods:
            rest: list[Told] = []
            if after is None:
                taken = self._at_s < cut_s
                recorded = self._untaken(period.epoch)
                up_to = self._row.log_size
                if not taken:
                    recorded = recorded[0], cut_s
                    up_to = max(log_size, log_size_before(self._connection, facility_id, recorded))
                rest = list(
                    told_between(
                        self._connection,
                        facility_id,
                        after=log_size,
                        up_to=up_to,
                        recorded=recorded,
                    )
                )
                log_size = up_to
                if not taken:
                    # Its cut-off is past: it is stated without them, whenever that is done.
                    without.replay(period, rest, follows=Followed(log=LogEnd(log_size)))
                    untouched = False
                    continue
                after = from_bytes(data) if untouched else without.copied()
            follows = Followed(log=LogEnd(log_size))
            stated = without.replay(period, rest, follows=follows)
            then = after.replay(period, [*rest, *new], follows=follows)
            new = ()
            moved = difference(before=stated, after=then)
            yield Foreseen(period, cut_s, figures_of(stated), figures_of(then), moved)
            shown += 1
            if shown == MOST_STATEMENTS or max(self._ends_s) <= period.end_s:
                return

    def _untaken(self, number: Epoch) -> Span:
        """When that was recorded which the statements before a number do not take."""
        terms = terms_from_bytes(self._row.terms_json)
        return untaken_from_s(number, terms=terms), self._row.last_recorded_at_s + 1


def _speaks_until(fact: Fact, lasts: Mapping[Place, int]) -> int:
    """Last second, exclusive, of which a fact speaks; 0 if it is of none."""
    if isinstance(fact, Held | Out | Seen):
        return fact.end_s
    if isinstance(fact, Until):
        return max(fact.end_s, lasts.get(fact.target, 0))
    if isinstance(fact, Voided):
        return lasts.get(fact.target, 0)
    # Of terms, their first second: what they say of later time is not over.
    return fact.terms.from_s + 1 if isinstance(fact, Agreed) else 0


def _names(
    connection: Connection, snapshot: Snapshot, statements: Sequence[Foreseen]
) -> dict[Bytes32, str]:
    row = snapshot.facility
    names = {lease.lease: code for code, lease in snapshot.recorded.leases.items()}
    unknown = {moved.lease for each in statements for moved in each.moved} - names.keys()
    if unknown:
        rows = leases_hashed(connection, row.facility_id, unknown)
        names |= {found.lease: found.lease_id for found in rows}
    return names
