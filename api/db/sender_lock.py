"""One process at a time sends with a key: a lock that ends with the process that holds it."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, text

from api.db.failures import named_failures
from api.db.session import is_sqlite
from api.domain.hashing import keccak


@contextmanager
def sender_lock(engine: Engine, sender: str) -> Iterator[bool]:
    """Hold the lock of a sender; gives False, at once, where another process or thread has it.

    PostgreSQL: an advisory lock of a connection of its own. SQLite: `flock` on a file beside the
    database. Both are let go by a crash. Should a connection break while its lock is held, unique
    keys of the tables still refuse the second of two transactions at one nonce.
    """
    if is_sqlite(engine):
        with _file_lock(engine, sender) as held:
            yield held
        return
    # 63 bits: what PostgreSQL takes as one number.
    key = int.from_bytes(keccak(f"rentroll/sender/{sender.lower()}".encode())[:8], "big") >> 1
    with named_failures():
        connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    try:
        with named_failures():
            taken = connection.execute(text("SELECT pg_try_advisory_lock(:k)"), {"k": key})
            held = bool(taken.scalar())
        yield held
    finally:
        # The lock is the connection's: closed for good, it cannot go back to the pool with it.
        connection.invalidate()
        connection.close()


@contextmanager
def _file_lock(engine: Engine, sender: str) -> Iterator[bool]:
    database = engine.url.database
    if not database or database == ":memory:":
        # Nobody else has this database.
        yield True
        return
    path = Path(f"{database}.{sender.lower()}.lock")
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
