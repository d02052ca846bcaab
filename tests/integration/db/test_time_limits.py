"""A read of anybody ends in time, on both databases, and leaves its connection as it was."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from anyio import run, to_thread
from sqlalchemy import Connection, Engine, text

from api.db.session import reading
from api.db.time_limits import time_limited
from api.errors import DatabaseUnavailable

_LIMIT_S = 0.3
# Counts for minutes in either database.
_LONG = text(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000000)"
    " SELECT count(*) FROM n"
)
_SHORT = text("SELECT 1")


def _many(connection: Connection) -> None:
    for _ in range(10_000_000):
        connection.execute(_SHORT)


def _one(connection: Connection) -> None:
    connection.execute(_LONG)


@pytest.mark.both_databases
@pytest.mark.parametrize("work", [_one, _many])
def test_read__longer_than_its_limit__ends_and_says_why(
    engine: Engine, work: Callable[[Connection], None]
) -> None:
    began = time.monotonic()

    with (
        pytest.raises(DatabaseUnavailable, match="ask for less") as caught,
        time_limited(_LIMIT_S),
        reading(engine) as connection,
    ):
        work(connection)

    assert caught.value.context["reason"] == "too_long"
    assert _LIMIT_S <= time.monotonic() - began < 5


@pytest.mark.both_databases
def test_read__in_a_thread_of_a_request__has_the_limit_of_the_request(engine: Engine) -> None:
    def work() -> None:
        with reading(engine) as connection:
            connection.execute(_LONG)

    async def request() -> None:
        with time_limited(_LIMIT_S):
            await to_thread.run_sync(work)

    with pytest.raises(DatabaseUnavailable, match="ask for less"):
        run(request)


@pytest.mark.both_databases
def test_read__behind_a_limited_one__has_no_limit(engine: Engine) -> None:
    """The connection comes from a pool, and the next one may take as long as it takes."""
    slow: Any = text(
        "SELECT count(*) FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
        " WHERE i < 3000000) SELECT i FROM n) AS t"
    )
    with pytest.raises(DatabaseUnavailable), time_limited(0.01), reading(engine) as connection:
        connection.execute(slow)
    began = time.monotonic()

    with reading(engine) as connection:
        counted = connection.execute(slow).scalar_one()

    assert counted == 3_000_000
    assert time.monotonic() - began > 0.01
