"""PostgreSQL's partitions by month, made before rows come: docs/decisions/0027-partitions.md.

A month without a partition of its own loses nothing: its rows are in the default one, and stay.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, func, select, text

from api.db.session import is_sqlite, transaction
from api.db.tables.facilities import facilities
from api.db.tables.ledger import MONTHLY_ENTRIES, MONTHLY_FACTS
from api.db.tables.monthly import Monthly
from api.db.tables.statements import MONTHLY_LINES
from api.domain.facility import DAY_S
from api.domain.metering.calendar import month_of, month_start_s
from api.errors import DatabaseUnavailable

MONTHLY = (MONTHLY_ENTRIES, MONTHLY_FACTS, MONTHLY_LINES)
# Made ahead of the present month; and behind it: of an epoch that began last month, and clocks.
AHEAD, BEHIND = 3, 1
# Who reads the default partition for long is not waited for: there are months to try again.
_WAIT_MS = 2_000
# Any number will do, as long as all of our processes use the same.
_LOCK = 7_261_101

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Bounds:
    """A month, and the seconds `[start, end)` of its partition."""

    month: int
    start_s: int
    end_s: int


class Partitions:
    """Makes the partitions of one database as time goes, looking once a month."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._made_for: int | None = None
        self._said: set[str] = set()

    def make_ahead(self, now_s: int) -> None:
        """Make what lacks of the months around an instant. Never fails: a log line says why not."""
        month = month_of(now_s)
        if is_sqlite(self._engine) or month == self._made_for:
            return
        try:
            with transaction(self._engine) as connection:
                left = list(_make(connection, range(month - BEHIND, month + AHEAD + 1)))
        except DatabaseUnavailable as error:
            _log.warning("partitions of the months ahead wait: %s", error.message)
            return
        self._made_for = month
        for name, why in left:
            if name not in self._said:
                _log.warning("no partition %s: %s", name, why)
        self._said |= {name for name, _ in left}


def partition_names(connection: Connection) -> set[str]:
    """Names of all partitions, the default ones too: PostgreSQL lists them beside the tables."""
    if is_sqlite(connection):
        return set()
    children = text(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        " JOIN pg_class p ON p.oid = i.inhparent"
        " WHERE p.relkind = 'p' AND p.relnamespace = current_schema()::regnamespace"
    )
    return set(connection.execute(children).scalars())


def make_months(connection: Connection, months: Sequence[int]) -> None:
    """Make the partitions of months in a database that has no rows yet."""
    for name, why in _make(connection, months):
        _log.warning("no partition %s: %s", name, why)


def _make(connection: Connection, months: Sequence[int]) -> Iterator[tuple[str, str]]:
    """Make partitions of months. Yields those that cannot be made, and why."""
    present = partition_names(connection)
    wanted = {each: [m for m in months if each.partition(m) not in present] for each in MONTHLY}
    if not any(wanted.values()):
        return
    connection.execute(text(f"SET LOCAL lock_timeout = {_WAIT_MS}"))
    connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    # Whoever records or closes begins with a facility's row. Nobody is past it from here on, so
    # that none of them and this one wait for each other.
    connection.execute(text(f"LOCK TABLE {facilities.name} IN EXCLUSIVE MODE"))
    present = partition_names(connection)
    for monthly, lacking in wanted.items():
        bounds = [_Bounds(m, month_start_s(m), month_start_s(m + 1)) for m in lacking]
        late = _months_in_default(connection, monthly, bounds)
        for each in bounds:
            name = monthly.partition(each.month)
            if name in present:
                continue
            if each.month in late:
                yield name, f"{monthly.default} has rows of that month, and keeps them"
            elif _exists(connection, name):
                yield name, "a table of that name stands apart, as a detached month does"
            else:
                _attach(connection, monthly, name, each)


def _months_in_default(connection: Connection, monthly: Monthly, bounds: list[_Bounds]) -> set[int]:
    """Months of which the default partition has rows, in one look at it."""
    if not bounds:
        return set()
    column = monthly.column
    query = text(
        f"SELECT DISTINCT {column} / {DAY_S} FROM {monthly.default}"  # noqa: S608
        f" WHERE {column} >= :start_s AND {column} < :end_s"
    )
    span = {"start_s": bounds[0].start_s, "end_s": bounds[-1].end_s}
    return {month_of(day * DAY_S) for day in connection.execute(query, span).scalars()}


def _exists(connection: Connection, name: str) -> bool:
    return connection.execute(select(func.to_regclass(name))).scalar() is not None


def _attach(connection: Connection, monthly: Monthly, name: str, bounds: _Bounds) -> None:
    """Make a table like the whole and attach it: PARTITION OF would lock out who reads the rest."""
    connection.execute(text(f"CREATE TABLE {name} (LIKE {monthly.name} INCLUDING ALL)"))
    connection.execute(
        text(
            f"ALTER TABLE {monthly.name} ATTACH PARTITION {name}"
            f" FOR VALUES FROM ({bounds.start_s}) TO ({bounds.end_s})"
        )
    )
