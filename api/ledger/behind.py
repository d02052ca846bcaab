"""A log that lacks entries that it had: what says so, and who is told."""

from sqlalchemy import Connection

from api.db.lost import held_numbers
from api.db.tables.facilities import FacilityRow
from api.domain.log.lost import missing
from api.errors import LogBehind

# Whoever has receipts shows them at once; others wait, for authors that ask once a minute.
RETRY_AFTER_S = 5


def require_whole(connection: Connection, row: FacilityRow) -> None:
    """Refuse to write behind a log that lacks entries that it had. Raises LogBehind."""
    if row.behind:
        raise log_behind(connection, row)


def log_behind(connection: Connection, row: FacilityRow) -> LogBehind:
    """The error of a log that lacks entries, with what is missing."""
    lacking = missing_of(connection, row)
    named = ", ".join(str(a) if a == b else f"{a} to {b}" for a, b in lacking) or "none"
    message = (
        f"the log has {row.log_size} entries, and had {row.log_due}: its database was restored from"
        f" an older copy. Missing are {named}; nothing new is written before it has them"
    )
    return LogBehind(
        message,
        facility_id=row.facility_id,
        size=row.log_size,
        due=row.log_due,
        missing=lacking,
        retry_after_s=RETRY_AFTER_S,
    )


def missing_of(connection: Connection, row: FacilityRow) -> list[tuple[int, int]]:
    """Entries that a log lacks and that nobody has shown whole."""
    if not row.behind:
        return []
    held = held_numbers(connection, row.facility_id)
    return missing(size=row.log_size, due=row.log_due, held=held)
