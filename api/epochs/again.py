"""Again: statements that were stored, made once more from the facts of the log, with their files.

Closing depends on frozen records alone. So a database that is whole comes to the same bytes, and
one that does not come to them says so: whoever asks compares with the stored hashes.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection

from api.db.facts import told_between
from api.db.log import about_keys_between, entries_between, signed_between
from api.db.statements import statement_rows, statements_before
from api.db.tables.facilities import FacilityRow
from api.db.tables.statements import StatementRow
from api.domain.facility import Period
from api.domain.lifecycle import untaken_from_s
from api.domain.log.entry import LogEnd
from api.domain.statements.closing import ClosedEpoch, Followed, OpenBooks
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.statements.statement import statement_hash
from api.domain.units import Epoch
from api.ledger.rosters import roster_of


@dataclass(frozen=True, slots=True)
class MadeAgain:
    """A stored statement, and what the database comes to now; None if that is another one."""

    row: StatementRow
    closed: ClosedEpoch | None


def made_again(
    connection: Connection, row: FacilityRow, wanted: Collection[Epoch]
) -> Iterator[MadeAgain]:
    """Stored statements of some numbers, made again, in order.

    Raises:  AppError where the records break a rule.
    """
    terms = terms_from_bytes(row.terms_json)
    books = OpenBooks(terms)
    books.repledge(roster_of(connection, terms, row.terms_json).replacements)
    stored = statement_rows(connection, row.facility_id, list(wanted))
    last = Epoch(max(stored, default=-1) + 1)
    for statement in statements_before(connection, row.facility_id, last):
        span = {"after": books.follows.log.size, "up_to": statement.log_size}
        recorded = untaken_from_s(statement.epoch, terms=terms), row.last_recorded_at_s + 1
        told = list(told_between(connection, row.facility_id, recorded=recorded, **span))
        follows = Followed(
            statement.statement_hash,
            statement.evidence_hash,
            LogEnd(statement.log_size, statement.log_head),
        )
        found = stored.get(statement.epoch)
        if found is None:
            signed = signed_between(connection, terms.log, recorded=recorded, **span)
            period = terms.period(statement.epoch)
            books.replay(period, told, follows=follows, signed=signed)
            continue
        closed = books.close(
            _period(found),
            told,
            entries=entries_between(connection, terms.log, recorded=recorded, **span),
            about_keys=about_keys_between(connection, terms.log, recorded=recorded, **span),
        )
        same = statement_hash(closed.statement) == found.statement_hash
        # What comes after follows what was stored, whatever this one comes to.
        books.follows = follows
        yield MadeAgain(found, closed if same else None)


def _period(row: StatementRow) -> Period:
    return Period(row.epoch, row.epoch_start_s, row.epoch_end_s, closing=row.closing)
