"""`rentroll evidence check` and `repair`: files that were published, against the database."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from api.db.session import transaction
from api.evidence_store import EvidenceFolder
from api.rescue.aside import Aside
from api.rescue.check import State, check_evidence
from api.rescue.repair import Outcome, Repaired, repair_evidence
from tests.factories import DAY_S, HOUR_S
from tests.world import World

pytestmark = pytest.mark.chain


@pytest.fixture
def posted(world: World) -> World:
    """A facility with two epochs that are on the chain."""
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, 2 * HOUR_S))
    world.post(0)
    world.ledger.ingest(world.ledger.usage(1, DAY_S, DAY_S + HOUR_S))
    world.post(1)
    return world


def tree(world: World) -> dict[str, bytes]:
    """All files of the evidence."""
    root = world.evidence.root
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


def found(world: World) -> dict[str, State]:
    """What a check finds, by path."""
    return {f.path: f.state for f in check_evidence(world.engine, world.evidence, world.deployment)}


def repair(world: World, **more: object) -> dict[str, Repaired]:
    """What a repair does, by path."""
    aside = Aside(world.folder / "aside")
    done = repair_evidence(
        world.engine,
        world.evidence,
        world.deployment,
        aside=aside,
        **more,  # type: ignore[arg-type]
    )
    return {each.found.path: each for each in done}


# --- check ---------------------------------------------------------------------------------------


def test_check__whole_evidence__finds_nothing_and_repair_changes_nothing(posted: World) -> None:
    before = tree(posted)

    assert found(posted) == {}
    assert repair(posted) == {}
    assert tree(posted) == before
    assert not (posted.folder / "aside").exists()


def test_check__each_file_missing__names_it_and_repair_brings_its_bytes(posted: World) -> None:
    """ATTACKS 58"""
    whole = tree(posted)
    document = whole["deployment.json"]

    for path in sorted(whole):
        (posted.evidence.root / path).unlink()
        assert found(posted) == {path: State.MISSING}
        done = repair(posted, document=document)

        assert {p: each.outcome for p, each in done.items()} == {path: Outcome.WRITTEN}
        assert tree(posted) == whole


def test_check__each_file_changed__names_it_and_repair_keeps_the_other_bytes(
    posted: World,
) -> None:
    """ATTACKS 58"""
    whole = tree(posted)

    for path in sorted(set(whole) - {"deployment.json"}):
        (posted.evidence.root / path).write_bytes(whole[path][:-1] + b"!")
        assert found(posted)[path] is State.DAMAGED
        repair(posted)

        assert tree(posted) == whole
        kept = posted.folder / "aside" / path
        assert kept.read_bytes() == whole[path][:-1] + b"!"


def test_repair__all_evidence_gone__is_made_again_to_the_byte(posted: World) -> None:
    """ATTACKS 58"""
    whole = tree(posted)
    shutil.rmtree(posted.evidence.root)

    done = repair(posted, document=whole["deployment.json"])

    assert {each.outcome for each in done.values()} == {Outcome.WRITTEN}
    assert tree(posted) == whole
    assert posted.verify().ok


def test_check__files_beside__are_named_and_set_aside(posted: World) -> None:
    root, facility = posted.evidence.root, f"facility-{posted.facility_id}"
    whole = tree(posted)
    beside = {
        "notes.txt": "notes.txt",
        f"{facility}/epoch-00000/lines.csv.bak": f"{facility}/epoch-00000/lines.csv.bak",
        f"{facility}/epoch-1/x": f"{facility}/epoch-1/",
        f"{facility}/pledges/ab.json": f"{facility}/pledges/ab.json",
        f"{facility}/superseded/epoch-00000-ab/x": f"{facility}/superseded/epoch-00000-ab/",
    }
    for path in beside:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("x")
    (root / facility / "link").symlink_to(root)

    assert found(posted) == dict.fromkeys([*beside.values(), f"{facility}/link"], State.EXTRA)
    done = repair(posted)

    assert {each.outcome for each in done.values()} == {Outcome.SET_ASIDE}
    assert found(posted) == {}
    assert tree(posted) == whole
    assert {(posted.folder / "aside" / path).read_text() for path in beside} == {"x"}


def test_check__newer_than_the_database__is_named_and_left(posted: World) -> None:
    """What a restored database does not know yet is no rubbish."""
    root, facility = posted.evidence.root, f"facility-{posted.facility_id}"
    shutil.copytree(root / facility / "epoch-00001", root / facility / "epoch-00002")
    shutil.copytree(root / facility, root / "facility-77")
    whole = tree(posted)

    assert found(posted) == dict.fromkeys(
        [f"{facility}/epoch-00002/", "facility-77/"], State.UNKNOWN
    )
    assert {each.outcome for each in repair(posted).values()} == {Outcome.KEPT}
    assert tree(posted) == whole


def test_check__more_signatures_than_the_database__are_kept(posted: World) -> None:
    path = f"facility-{posted.facility_id}/epoch-00001/attestations.json"
    with transaction(posted.engine) as connection:
        gone = "DELETE FROM attestations WHERE epoch = 1 AND attester = (SELECT min(attester)"
        connection.execute(text(f"{gone} FROM attestations)"))
    whole = tree(posted)

    assert found(posted) == {path: State.UNKNOWN}
    assert repair(posted)[path].outcome is Outcome.KEPT
    assert tree(posted) == whole


# --- where the database does not give the bytes ---------------------------------------------------


def _lose_facts(world: World) -> None:
    with transaction(world.engine) as connection:
        connection.execute(text("DELETE FROM facts WHERE kind = 0"))


def test_repair__database_comes_to_other_bytes__refuses_unless_a_copy_has_them(
    posted: World,
) -> None:
    whole = tree(posted)
    copy = posted.folder / "copy"
    shutil.copytree(posted.evidence.root, copy)
    folder = f"facility-{posted.facility_id}/epoch-00001"
    _lose_facts(posted)
    for name in ("lines.csv", "manifest.json"):
        (posted.evidence.root / folder / name).unlink()

    refused = repair(posted)

    outcomes = {path: each.outcome for path, each in refused.items()}
    assert outcomes[f"{folder}/lines.csv"] is Outcome.REFUSED
    assert outcomes[f"{folder}/manifest.json"] is Outcome.REFUSED
    (copy / folder / "manifest.json").write_bytes(b"{}")
    assert repair(posted, source=EvidenceFolder(copy))[f"{folder}/lines.csv"].outcome is (
        Outcome.REFUSED
    )
    (copy / folder / "manifest.json").write_bytes(whole[f"{folder}/manifest.json"])
    done = repair(posted, source=EvidenceFolder(copy))
    assert {each.outcome for each in done.values()} <= {Outcome.WRITTEN, Outcome.KEPT}
    assert tree(posted) == whole


def test_repair__one_facility_is_damaged_beyond_reading__others_are_repaired(
    posted: World,
) -> None:
    other = posted.ledger.add_facility(range(10, 12))
    with transaction(posted.engine) as connection:
        broken = "UPDATE facilities SET terms_json = :x WHERE facility_id = :f"
        connection.execute(text(broken), {"x": b"{", "f": posted.facility_id})
    (posted.evidence.root / f"facility-{posted.facility_id}/epoch-00000/lines.csv").unlink()

    done = repair(posted)

    assert done[f"facility-{other}/facility.json"].outcome is Outcome.WRITTEN
    path = f"facility-{posted.facility_id}/epoch-00000/lines.csv"
    assert done[path].outcome is Outcome.REFUSED


def test_repair__evidence_of_another_deployment__touches_nothing(posted: World) -> None:
    root = posted.evidence.root
    document = (root / "deployment.json").read_text()
    changed = document.replace(posted.deployment.statement_registry, "0x" + "a" * 40)
    (root / "deployment.json").write_text(changed)
    (root / "notes.txt").write_text("x")
    whole = tree(posted)

    with pytest.raises(Exception, match="names other contracts"):
        repair(posted)

    assert tree(posted) == whole
    assert found(posted)["deployment.json"] is State.DAMAGED


def test_repair__file_of_a_writer_at_work__is_left(posted: World) -> None:
    folder = posted.evidence.root / f"facility-{posted.facility_id}/epoch-00000"
    young, old = (folder / f".lines.csv.{c * 32}.partial" for c in "ab")
    young.write_text("x")
    old.write_text("x")
    os.utime(old, (1, 1))

    outcomes = {path: each.outcome for path, each in repair(posted).items()}

    home = f"facility-{posted.facility_id}/epoch-00000"
    assert outcomes == {
        f"{home}/{young.name}": Outcome.KEPT,
        f"{home}/{old.name}": Outcome.SET_ASIDE,
    }


@pytest.mark.parametrize("make", [lambda p: os.mkfifo(p), lambda p: p.symlink_to("/dev/zero")])
def test_repair__something_else_in_a_files_place__is_set_aside(
    posted: World, make: Callable[[Path], None]
) -> None:
    whole = tree(posted)
    path = posted.evidence.root / f"facility-{posted.facility_id}/epoch-00000/lines.csv"
    path.unlink()
    make(path)

    repair(posted)

    assert tree(posted) == whole
    assert not path.is_symlink()
