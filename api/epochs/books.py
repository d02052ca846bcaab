"""Books of facilities, kept between statements and rebuilt from facts and statements when lost."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from threading import Lock

from sqlalchemy import Connection

from api.db.facts import told_between
from api.db.statements import ClosedStatement, statements_before
from api.db.tables.facilities import FacilityRow
from api.domain.statements.closing import Followed, OpenBooks, from_bytes, to_bytes
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.units import Bytes32, Epoch, FacilityId

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
        if books is not None and known and books.follows.statement_hash == last:
            return books
        books = OpenBooks(terms_from_bytes(row.terms_json))
        _replay(connection, row.facility_id, books, closed)
        return books

    def keep(self, facility_id: FacilityId, books: OpenBooks) -> None:
        """Keep books whose last statement is stored."""
        self._books[facility_id] = books
        while len(self._books) > KEPT_FACILITIES:
            self._books.popitem(last=False)


def _replay(
    connection: Connection,
    facility_id: FacilityId,
    books: OpenBooks,
    closed: Iterable[ClosedStatement],
) -> None:
    """Take the steps of statements that were closed, from the facts of the log."""
    for statement in closed:
        told = told_between(
            connection, facility_id, after=books.follows.log_size, up_to=statement.log_size
        )
        follows = Followed(statement.statement_hash, statement.evidence_hash, statement.log_size)
        books.replay(books.terms.period(statement.epoch), told, follows=follows)


@dataclass(frozen=True, slots=True)
class _Copy:
    """Books as bytes, and the statement that they follow; 0 of them before the first."""

    number: int
    statement_hash: Bytes32
    log_size: int
    data: bytes


class PreviewBooks:
    """Books behind the last statement, for who looks ahead: each taker gets some of its own.

    Requests share them. A copy of earlier statements is carried on; without one all is rebuilt.
    """

    def __init__(self) -> None:
        self._copies: OrderedDict[FacilityId, _Copy] = OrderedDict()
        self._one_by_one = Lock()

    def log_size(self, connection: Connection, row: FacilityRow) -> int:
        """How far in the log the copy came that would be carried on; 0 without any."""
        copy = self._copy(row.facility_id, _closed(connection, row))
        return 0 if copy is None else copy.log_size

    def take(self, connection: Connection, row: FacilityRow) -> OpenBooks:
        """Books behind the last statement."""
        closed = _closed(connection, row)
        copy = self._copy(row.facility_id, closed)
        if copy is None:
            books, done = OpenBooks(terms_from_bytes(row.terms_json)), 0
        else:
            books, done = from_bytes(copy.data), copy.number
        _replay(connection, row.facility_id, books, closed[done:])
        if len(closed) > done:
            self._keep(row.facility_id, books, len(closed))
        return books

    def _copy(self, facility_id: FacilityId, closed: Sequence[ClosedStatement]) -> _Copy | None:
        """The copy of a facility, unless a statement of it was taken back since."""
        with self._one_by_one:
            copy = self._copies.get(facility_id)
        if copy is None or copy.number > len(closed):
            return None
        same = closed[copy.number - 1].statement_hash == copy.statement_hash
        return copy if same else None

    def _keep(self, facility_id: FacilityId, books: OpenBooks, number: int) -> None:
        follows, data = books.follows, to_bytes(books)
        with self._one_by_one:
            self._copies.pop(facility_id, None)
            if len(data) > PREVIEW_BYTES_OF_ONE:
                return
            self._copies[facility_id] = _Copy(
                number, follows.statement_hash, follows.log_size, data
            )
            while sum(len(copy.data) for copy in self._copies.values()) > PREVIEW_BYTES:
                self._copies.popitem(last=False)


def _closed(connection: Connection, row: FacilityRow) -> list[ClosedStatement]:
    return statements_before(connection, row.facility_id, Epoch(row.epochs_closed))
