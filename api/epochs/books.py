"""Books of facilities, kept between statements and rebuilt from facts and statements when lost."""

from collections import OrderedDict

from sqlalchemy import Connection

from api.db.facts import told_between
from api.db.statements import statements_before
from api.db.tables.facilities import FacilityRow
from api.domain.statements.closing import Followed, OpenBooks
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.units import Epoch, FacilityId
from api.ledger.rosters import roster_of

# Beyond so many facilities, the one that was closed longest ago is rebuilt when its time comes.
KEPT_FACILITIES = 64


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
        for statement in closed:
            told = told_between(
                connection,
                row.facility_id,
                after=books.follows.log_size,
                up_to=statement.log_size,
            )
            follows = Followed(
                statement.statement_hash, statement.evidence_hash, statement.log_size
            )
            books.replay(books.terms.period(statement.epoch), told, follows=follows)
        return books

    def keep(self, facility_id: FacilityId, books: OpenBooks) -> None:
        """Keep books whose last statement is stored."""
        self._books[facility_id] = books
        while len(self._books) > KEPT_FACILITIES:
            self._books.popitem(last=False)
