"""Books of facilities, kept between statements and rebuilt from facts and statements when lost."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock

from sqlalchemy import Connection

from api.db.facts import told_between
from api.db.log import signed_between
from api.db.statements import ClosedStatement, statements_before
from api.db.tables.facilities import FacilityRow
from api.domain.lifecycle import untaken_from_s
from api.domain.log.entry import LogEnd
from api.domain.pledges import Pledge
from api.domain.statements.closing import Followed, OpenBooks, from_bytes, to_bytes
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.units import Bytes32, Epoch, FacilityId
from api.errors import InvalidInput
from api.ledger.rosters import roster_of

# Beyond so many facilities, the one that was closed longest ago is rebuilt when its time comes.
KEPT_FACILITIES = 64
# Books that previews keep, in bytes: of all facilities, and of one.
PREVIEW_BYTES, PREVIEW_BYTES_OF_ONE = 128 << 20, 64 << 20


class KeptBooks:
    """Books as the last statement of each facility left them."""

    def __init__(self) -> None:
        self._books: OrderedDict[FacilityId, OpenBooks] = OrderedDict()

    def take(self, connection: Connection, row: FacilityRow, number: Epoch) -> OpenBooks:
        """Books that come next to the statement of a number. They are kept again by `keep`.

        Whoever takes them may spoil them: what is not kept is rebuilt.
        """
        closed = statements_before(connection, row.facility_id, number)
        books = self._books.pop(row.facility_id, None)
        last = closed[-1].statement_hash if closed else Followed().statement_hash
        known = books is not None and books.next_number == number
        terms = terms_from_bytes(row.terms_json)
        replacements = roster_of(connection, terms, row.terms_json).replacements
        if books is not None and known and books.follows.statement_hash == last:
            books.repledge(replacements)
            return books
        books = OpenBooks(terms)
        books.repledge(replacements)
        _replay(connection, row, books, closed)
        return books

    def keep(self, facility_id: FacilityId, books: OpenBooks) -> None:
        """Keep books whose last statement is stored."""
        self._books[facility_id] = books
        while len(self._books) > KEPT_FACILITIES:
            self._books.popitem(last=False)


def _replay(
    connection: Connection,
    row: FacilityRow,
    books: OpenBooks,
    closed: Iterable[ClosedStatement],
    *,
    most: int | None = None,
) -> int:
    """Take the steps of statements that were closed, from the facts of the log.

    Args:    most: no further statement begins once so many facts were gone through.
    Returns: how many statements it took.
    """
    facts = taken = 0
    for statement in closed:
        if most is not None and facts >= most:
            break
        after, up_to = books.follows.log.size, statement.log_size
        from_s = untaken_from_s(statement.epoch, terms=books.terms)
        recorded = from_s, row.last_recorded_at_s + 1
        facility_id, name = row.facility_id, books.terms.log
        told = list(
            told_between(connection, facility_id, after=after, up_to=up_to, recorded=recorded)
        )
        signed = signed_between(connection, name, after=after, up_to=up_to, recorded=recorded)
        log = LogEnd(statement.log_size, statement.log_head)
        follows = Followed(statement.statement_hash, statement.evidence_hash, log)
        books.replay(books.terms.period(statement.epoch), told, follows=follows, signed=signed)
        facts += len(told)
        taken += 1
    return taken


class NotReady(StrEnum):
    """Why books are not there to look ahead from."""

    PREPARING = "preparing"  # a part was done and is kept: ask again
    TOO_MANY_FACTS = "too_many_facts"


@dataclass(frozen=True, slots=True)
class _Copy:
    """Books as bytes, and the statement that they follow, the `number`th."""

    number: int
    statement_hash: Bytes32
    data: bytes


class PreviewBooks:
    """Books behind the last statement, for who looks ahead: each taker gets some of its own.

    Requests share them. A copy of earlier statements is carried on; without one all is rebuilt, in
    as many requests as that takes.
    """

    def __init__(self) -> None:
        self._copies: OrderedDict[FacilityId, _Copy] = OrderedDict()
        self._one_by_one = Lock()

    def take(
        self, connection: Connection, row: FacilityRow, *, most: int
    ) -> tuple[OpenBooks, bytes] | NotReady:
        """Books behind the last statement, and as bytes.

        Args:    most: facts to go through, to the end of a statement.
        """
        closed = statements_before(connection, row.facility_id, Epoch(row.epochs_closed))
        terms = terms_from_bytes(row.terms_json)
        replacements = roster_of(connection, terms, row.terms_json).replacements
        copy = self._copy(row.facility_id, closed)
        books, done = OpenBooks(terms), 0
        carried_with: Sequence[Pledge] = ()
        if copy is not None:
            # What was stated of devices that an indexed block took back since is stated anew.
            with suppress(InvalidInput):
                carried = from_bytes(copy.data)
                carried_with = carried.replacements
                carried.repledge(replacements)
                books, done = carried, copy.number
        if done == 0:
            books.repledge(replacements)
        taken = _replay(connection, row, books, closed[done:], most=most)
        # Also of a replacement that an earlier copy had and the chain has no more.
        same = copy is not None and done == copy.number and not taken
        same = same and books.replacements == carried_with
        data = copy.data if copy is not None and same else to_bytes(books)
        kept = self._keep(row.facility_id, _Copy(done + taken, books.follows.statement_hash, data))
        if done + taken == len(closed):
            return books, data
        return NotReady.PREPARING if kept else NotReady.TOO_MANY_FACTS

    def _copy(self, facility_id: FacilityId, closed: Sequence[ClosedStatement]) -> _Copy | None:
        """The copy of a facility, unless a statement of it was taken back since."""
        with self._one_by_one:
            copy = self._copies.get(facility_id)
        if copy is None or not 0 < copy.number <= len(closed):
            return None
        same = closed[copy.number - 1].statement_hash == copy.statement_hash
        return copy if same else None

    def _keep(self, facility_id: FacilityId, copy: _Copy) -> bool:
        """Keep a copy, unless it is too large. Returns whether it is kept."""
        with self._one_by_one:
            self._copies.pop(facility_id, None)
            if len(copy.data) > PREVIEW_BYTES_OF_ONE:
                return False
            self._copies[facility_id] = copy
            while sum(len(kept.data) for kept in self._copies.values()) > PREVIEW_BYTES:
                self._copies.popitem(last=False)
            return True
