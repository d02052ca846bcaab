"""`rentroll backup` and `restore`: drills, after each of which the next epoch is the same bytes."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import column, select, table, text

from api.db.copying import all_tables
from api.db.session import open_engine, reading, transaction
from api.db.tables.facilities import facilities
from api.errors import AppError, Conflict, EvidenceInvalid, NotFound
from api.evidence_store import EvidenceFolder
from api.rescue.manifest import backups_in, read_manifest
from api.rescue.objects import Objects
from api.rescue.restore import chosen, restore
from tests.integration.rescue.drill import Drill, tree
from tests.world import World

pytestmark = pytest.mark.chain


@pytest.fixture
def drill(world: World) -> Drill:
    """A service with one posted epoch, and the next metered."""
    found = Drill(world)
    found.live()
    return found


def rows(world: World) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables."""
    with reading(world.engine) as connection:
        return {
            each.name: sorted(map(tuple, connection.execute(select(each))), key=repr)
            for each in all_tables()
        }


@pytest.mark.both_databases
def test_restore__database_and_evidence_lost__the_next_epoch_is_the_same_bytes(
    drill: Drill,
) -> None:
    """ATTACKS 58"""
    world = drill.world
    made = drill.backup()
    before, published = rows(world), tree(world.evidence.root)
    twin = drill.undisturbed(1)
    drill.lose_database()
    drill.lose_evidence()

    restored = drill.restore(made)

    assert restored.aside == restored.lacking == restored.newer == ()
    assert rows(world) == before
    assert tree(world.evidence.root) == published
    assert drill.since() == []
    world.post(1)
    assert tree(world.evidence.root) == twin
    assert world.verify().ok
    # Keys go on behind those that were written.
    world.ledger.ingest(world.ledger.usage(3, 2 * 86_400, 2 * 86_400 + 60))
    world.post(2)


@pytest.mark.both_databases
def test_restore__replacing__keeps_the_old_database_and_evidence_aside(drill: Drill) -> None:
    world = drill.world
    made = drill.backup()
    twin = drill.undisturbed(1)
    with transaction(world.engine) as connection:
        connection.execute(text("UPDATE facilities SET name = 'other'"))
    folder = f"facility-{world.facility_id}/epoch-00000"
    (world.evidence.root / folder / "lines.csv").write_text("other")

    with pytest.raises(Conflict, match="the database has rows"):
        drill.restore(made)
    restored = drill.restore(made, replace=True)

    assert len(restored.aside) == 2
    aside = Path(restored.aside[0])
    assert (aside / folder / "lines.csv").read_text() == "other"
    if world.engine.dialect.name == "sqlite":
        old = open_engine(f"sqlite:///{restored.aside[1]}")
        with reading(old) as connection:
            assert set(connection.execute(select(facilities.c.name)).scalars()) == {"other"}
        old.dispose()
    else:
        schema = restored.aside[1].removeprefix("schema ")
        with reading(world.engine) as connection:
            names = select(table("facilities", column("name"), schema=schema))
            assert set(connection.execute(names).scalars()) == {"other"}
    world.post(1)
    assert tree(world.evidence.root) == twin


def test_restore__database_lost_and_newer_evidence_there__keeps_it_and_says_what_is_missing(
    drill: Drill,
) -> None:
    world = drill.world
    made = drill.backup()
    late = world.ledger.usage(3, 86_400, 86_400 + 60)
    world.ledger.ingest(late)
    world.post(1)
    published = tree(world.evidence.root)
    drill.lose_database()

    drill.restore(made)
    said = drill.since()

    assert tree(world.evidence.root) == published
    assert any("epochs 1 to 1 were posted after the backup" in each for each in said)
    assert any("published statements show that it had" in each for each in said)
    with reading(world.engine) as connection:
        row = connection.execute(select(facilities)).one()
    assert row.log_due == row.log_size + 1
    done = world.worker().run_once()
    assert "lacks" in done.not_closed[0].reason or "had" in done.not_closed[0].reason


def test_restore__posted_since_and_its_evidence_gone_too__says_where_a_copy_goes(
    drill: Drill,
) -> None:
    world = drill.world
    made = drill.backup()
    world.post(1)
    drill.lose_database()
    shutil.rmtree(world.evidence.root / f"facility-{world.facility_id}/epoch-00001")

    drill.restore(made)

    assert any("the evidence of epochs 1 is on the chain and not here" in s for s in drill.since())


def test_backup__again__writes_only_what_is_new(drill: Drill) -> None:
    drill.backup()
    before = set(tree(drill.folder))
    drill.backup()
    new = set(tree(drill.folder)) - before

    assert len(new) == 1  # the manifest
    drill.world.ledger.ingest(drill.world.ledger.usage(3, 86_400, 86_400 + 60))
    drill.backup()
    assert 1 < len(set(tree(drill.folder)) - before - new) < 10


def test_backup__of_everything__has_every_table_but_signins(drill: Drill) -> None:
    manifest = drill.backup().manifest

    names = {each.name for each in all_tables()} - {"sessions", "session_nonces"}
    assert {each.name for each in manifest.tables} == names
    assert manifest.log_key is not None
    assert manifest.log_key_file is None


def test_backup__folder__is_for_its_owner_alone_and_not_served(drill: Drill) -> None:
    drill.backup()

    modes = {path.stat().st_mode & 0o077 for path in [drill.folder, *drill.folder.rglob("*")]}
    assert modes == {0}
    drill.folder.chmod(0o755)
    with pytest.raises(AppError, match="others may enter"):
        drill.backup()
    drill.folder.chmod(0o700)
    drill.world.evidence.root.joinpath("x").symlink_to(drill.folder)
    served = Drill(drill.world)
    served.world.folder = drill.world.evidence.root
    with pytest.raises(AppError, match="inside the evidence"):
        served.backup()


# --- halves and others' ---------------------------------------------------------------------------


def test_restore__each_object_missing_or_changed__restores_nothing(drill: Drill) -> None:
    made = drill.backup()
    drill.lose_database()
    drill.lose_evidence()
    objects = Objects(drill.folder / "objects")

    for name in sorted(set(made.manifest.objects()), key=lambda each: each.sha256):
        path = objects.path(name)
        whole = path.read_bytes()
        for damage in (path.unlink, lambda p=path, w=whole: p.write_bytes(w[:-1] + b"!")):
            damage()
            with pytest.raises(EvidenceInvalid, match="is not whole"):
                drill.restore(made)
            assert not drill.world.evidence.root.exists()
            path.write_bytes(whole)

    drill.restore(made)


def test_restore__half_a_backup__is_none(drill: Drill) -> None:
    made = drill.backup()
    data = made.path.read_bytes()

    made.path.write_bytes(data[:-2] + b" \n")
    with pytest.raises(EvidenceInvalid, match="hash of its bytes"):
        read_manifest(made.path)
    made.path.unlink()

    assert backups_in(drill.folder) == []
    with pytest.raises(NotFound, match="its manifest is written last"):
        chosen(drill.folder, None)
    with pytest.raises(NotFound):
        chosen(drill.folder / "nowhere", None)


def test_restore__of_another_deployment__is_refused(drill: Drill, tmp_path: Path) -> None:
    made = drill.backup()
    drill.lose_database()
    deployment = drill.world.deployed.deployment_file.read_text()
    other = tmp_path / "other.json"
    other.write_text(deployment.replace(drill.world.deployment.rent_lockbox[2:], "a" * 40))

    with pytest.raises(Conflict, match="the backup is of another deployment"):
        drill.restore(made, deployment_file=other)

    made_there = Drill(drill.world).restore(made)
    assert made_there.aside == ()


@pytest.mark.both_databases
def test_restore__database_in_use__is_refused(drill: Drill) -> None:
    made = drill.backup()
    with reading(drill.world.engine), pytest.raises(Conflict, match="in use"):
        restore(made.path, drill.place(), replace=True, stamp=drill.stamp())


def test_restore__rows_of_a_log_that_do_not_follow_each_other__restores_nothing(
    drill: Drill,
) -> None:
    with transaction(drill.world.engine) as connection:
        connection.execute(text("UPDATE log_entries SET recorded_at_s = recorded_at_s + 1"))
    made = drill.backup()
    drill.lose_database()
    drill.lose_evidence()

    with pytest.raises(EvidenceInvalid, match="is broken behind entry 1"):
        drill.restore(made)

    database = drill.world.engine.url.database
    assert database is not None
    assert not Path(database).exists()


def test_restore__into_another_place__moves_the_service(drill: Drill, tmp_path: Path) -> None:
    made = drill.backup()
    there = tmp_path / "elsewhere"

    drill.restore(
        made,
        database_url=f"sqlite:///{there}/var/rentroll.db",
        evidence=EvidenceFolder(there / "evidence"),
        deployment_file=there / "deployment.json",
    )

    assert tree(there / "evidence") == tree(drill.world.evidence.root)
    deployment = drill.world.deployed.deployment_file
    assert (there / "deployment.json").read_bytes() == deployment.read_bytes()
