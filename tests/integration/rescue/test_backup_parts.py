"""Parts of a backup: the key of the logs, names, one view of a database at work, another kind."""

import stat
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from api.cli import rescue_wiring
from api.db.copying import all_tables
from api.db.session import open_engine, reading, transaction
from api.errors import AppError, Conflict, EvidenceInvalid
from api.local.key_file import load_or_make_key
from api.local.secret_file import KeyFileWrong
from api.rescue import backup as backup_module
from api.rescue.log_key import LogKeyCopy
from tests.conftest import _database, _postgres
from tests.integration.rescue.drill import Drill
from tests.world import World

pytestmark = pytest.mark.chain


@pytest.fixture
def drill(world: World) -> Drill:
    """A service with one posted epoch, and the next metered."""
    found = Drill(world)
    found.live()
    return found


# --- the key of the logs --------------------------------------------------------------------------


@pytest.mark.parametrize("passphrase", [None, b"correct horse"])
def test_log_key__lost__comes_back_from_a_backup_with_keys(
    drill: Drill, passphrase: bytes | None
) -> None:
    """ATTACKS 58"""
    path = drill.log_key.path
    key = path.read_bytes()
    copy = LogKeyCopy(path, taken=True, passphrase=passphrase)
    made = drill.backup(log_key=copy)
    assert made.manifest.log_key_file is not None
    kept = drill.folder / made.manifest.log_key_file
    drill.lose_database()
    path.unlink()

    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert (b"ENCRYPTED" in kept.read_bytes()) == (passphrase is not None)
    if passphrase is not None:
        for wrong in (None, b"wrong"):
            with pytest.raises(KeyFileWrong, match="passphrase"):
                drill.restore(made, log_key=LogKeyCopy(path, passphrase=wrong))
            assert not path.exists()
    assert drill.restore(made, log_key=LogKeyCopy(path, passphrase=passphrase)).lacking == ()
    assert path.read_bytes() == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_log_key__lost_and_not_in_the_backup__is_said_before_another_is_made(
    drill: Drill,
) -> None:
    """ATTACKS 58"""
    made = drill.backup()
    drill.lose_database()
    drill.log_key.path.unlink()

    (lacking,) = drill.restore(made).lacking

    assert made.manifest.log_key is not None
    assert made.manifest.log_key in lacking
    assert not drill.log_key.path.exists()
    # Nobody signs there: the next epoch is closed and attested all the same.
    drill.world.post(1)


def test_log_key__of_others_there__is_not_written_over(drill: Drill) -> None:
    made = drill.backup(log_key=LogKeyCopy(drill.log_key.path, taken=True))
    drill.lose_database()
    drill.log_key.path.unlink()
    load_or_make_key(drill.log_key.path)
    other = drill.log_key.path.read_bytes()

    with pytest.raises(Conflict, match="another key than that of the backup"):
        drill.restore(made)

    assert drill.log_key.path.read_bytes() == other


def test_log_key__asked_for_and_not_there__makes_no_backup(drill: Drill, tmp_path: Path) -> None:
    with pytest.raises(KeyFileWrong, match="is not there"):
        drill.backup(log_key=LogKeyCopy(tmp_path / "absent", taken=True))


# --- rows -----------------------------------------------------------------------------------------


def test_restore__name_secret_is_another__restores_nothing(drill: Drill) -> None:
    """ATTACKS 58: with another secret the next statement would name other leases."""
    with transaction(drill.world.engine) as connection:
        connection.execute(text("UPDATE facilities SET name_secret = :s"), {"s": b"\1" * 32})
    made = drill.backup()
    drill.lose_database()

    with pytest.raises(EvidenceInvalid, match="is not that of its leases"):
        drill.restore(made)


@pytest.mark.both_databases
def test_backup__while_others_write__is_one_view_of_the_database(
    drill: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, real = drill.world, backup_module.copy_table
    log = drill.backup().manifest.facilities[0].log_size
    hours = iter(range(3, 60))

    def disturbed(*arguments: Any) -> Any:
        copied = real(*arguments)
        start_s = 86_400 + 60 * next(hours)
        world.ledger.ingest(world.ledger.usage(3, start_s, start_s + 60))
        return copied

    monkeypatch.setattr(backup_module, "copy_table", disturbed)
    made = drill.backup()
    monkeypatch.undo()
    drill.lose_database()

    drill.restore(made)

    assert made.manifest.facilities[0].log_size == log


@pytest.mark.postgres
def test_restore__of_sqlite_into_postgres_and_back__has_the_same_rows(
    drill: Drill, postgres_url: str, tmp_path: Path
) -> None:
    """And PostgreSQL keeps each month apart."""
    made = drill.backup()
    _postgres(postgres_url, "CREATE DATABASE moved")
    there = _database(postgres_url, "moved")

    drill.restore(made, database_url=there)

    moved = open_engine(there)
    assert _rows(moved) == _rows(drill.world.engine)
    with reading(moved) as connection:
        entries = connection.execute(text("SELECT count(*) FROM log_entries_2026_01")).scalar()
        assert entries == connection.execute(text("SELECT count(*) FROM log_entries")).scalar() > 0
    world, sqlite = drill.world, drill.world.engine
    world.engine = moved
    again = drill.backup()
    moved.dispose()
    world.engine = sqlite
    assert _same_tables(again.manifest, made.manifest)
    back = f"sqlite:///{tmp_path}/back.db"
    drill.restore(again, database_url=back)
    engine = open_engine(back)
    assert _rows(engine) == _rows(sqlite)
    engine.dispose()


def _rows(engine: Any) -> dict[str, list[tuple[object, ...]]]:
    with reading(engine) as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for table in all_tables()
        }


def _same_tables(one: Any, other: Any) -> bool:
    return {t.name: t.rows for t in one.tables} == {t.name: t.rows for t in other.tables}


def test_restore__of_another_version__names_the_one_that_restores_it(
    drill: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup_module, "newest_migration", lambda: "0001")
    made = drill.backup()
    drill.lose_database()

    with pytest.raises(AppError, match="are of migration 0001"):
        drill.restore(made)


# --- the commands ---------------------------------------------------------------------------------


def test_commands__backup_and_restore__say_what_is_and_what_is_not_there(
    drill: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = drill.world
    settings = world.settings()
    monkeypatch.setattr(rescue_wiring, "stamp", drill.stamp)
    made = rescue_wiring.backup_now(settings, drill.folder, with_keys=False, passphrase_file=None)
    assert "DATABASE_URL" in made.manifest.settings
    assert world.settings().database_url.encode() not in made.path.read_bytes()
    drill.lose_database()

    restored, since = rescue_wiring.restore_now(
        settings, drill.folder, name=None, replace=False, passphrase_file=None
    )

    assert restored.manifest == made.manifest
    assert since == []
    nowhere = world.settings(rpc_url="http://127.0.0.1:1")
    assert "no node says" in rescue_wiring.since_now(nowhere)[0]


def test_backup__of_damaged_evidence__is_made_and_says_so(drill: Drill) -> None:
    path = f"facility-{drill.world.facility_id}/epoch-00000/lines.csv"
    (drill.world.evidence.root / path).unlink()

    made = drill.backup()

    assert made.manifest.not_whole == (f"{path}: missing",)
