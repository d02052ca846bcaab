"""What somebody changes, withholds or writes anew before a takeover: each is named, or left out."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api.chain.contracts import Contracts
from api.chain.deployment import parse_deployment
from api.domain.log.entry import NO_LOG, end_of
from api.domain.log.logged import LoggedEntry, entry_document, logged_entry
from api.domain.statements.evidence import canonical_json
from api.errors import AppError, Conflict, NotFound
from api.rescue.escrow import EscrowBroken
from api.rescue.taken import TakeoverRefused
from tests.factories import DAY_S
from tests.integration.rescue.drill import tree
from tests.integration.rescue.heir import Heir, change_file, change_state
from tests.world import World

pytestmark = pytest.mark.chain


@pytest.fixture
def heir(world: World) -> Heir:
    """A service with one posted epoch and the next metered, of which the operator has an escrow."""
    found = Heir(world)
    found.drill.live()
    found.pull(world.ledger)
    return found


def entries(heir: Heir) -> list[LoggedEntry]:
    """What the log of the escrow has."""
    return list(heir.kept(heir.world.ledger).entries())


def rewrite(heir: Heir, change: Callable[[list[LoggedEntry]], list[LoggedEntry]]) -> None:
    """Write the escrow's log anew, hash by hash, without the end that the log's key signed."""
    kept = heir.kept(heir.world.ledger)
    rows = [json.loads(line) for line in kept.log_file.read_bytes().splitlines()]
    leases = [row for row in rows if row["type"] == "lease"]
    made, end = [], NO_LOG
    for logged in change(entries(heir)):
        entry = logged.entry
        again = logged_entry(
            entry.log,
            end,
            entry.kind,
            logged.body,
            answers=logged.answers,
            recorded_at_s=entry.recorded_at_s,
            blind=logged.blind,
            request=logged.request,
        )
        end = end_of([again.entry], end)
        made.append(entry_document(again))
    kept.log_file.write_text("".join(json.dumps(row) + "\n" for row in [*leases, *made]))
    kept.head_file.unlink()


def test_takeover__files_of_the_evidence_changed__names_each(heir: Heir) -> None:
    heir.lose()
    world = heir.world
    folder = heir.published / f"facility-{world.facility_id}/epoch-00000"
    names = sorted(path.name for path in folder.iterdir())
    assert {"statement.json", "attestations.json", "manifest.json", "lines.csv"} <= set(names)

    for name in names:
        whole = (folder / name).read_bytes()
        change_file(folder / name, lambda data: data[:-2] + b"x" + data[-1:] if data else b"x")
        with pytest.raises(TakeoverRefused, match=name) as found:
            heir.take_over(world.ledger)
        assert found.value.context["epoch"] == 0
        assert str(found.value.context["file"]).endswith(name)
        assert heir.is_empty()
        (folder / name).write_bytes(whole)
    signed = json.loads((folder / "attestations.json").read_bytes())
    signed[0]["signature"], signed[1]["signature"] = signed[1]["signature"], signed[0]["signature"]
    whole = (folder / "attestations.json").read_bytes()
    (folder / "attestations.json").write_text(json.dumps(signed))
    with pytest.raises(TakeoverRefused, match="is not its own over the statement"):
        heir.take_over(world.ledger)
    (folder / "attestations.json").write_bytes(whole)

    assert heir.take_over(world.ledger).facilities[0].said == []


def test_takeover__files_of_the_evidence_gone__are_made_again(heir: Heir) -> None:
    before = tree(heir.world.evidence.root)
    heir.lose()
    for path in heir.published.rglob("*"):
        if path.is_file() and path.name != "attestations.json":
            path.unlink()

    (taken,) = heir.take_over(heir.world.ledger).facilities

    assert "is made again" in taken.said[0]
    assert tree(heir.world.evidence.root) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.pop(-2),
        lambda rows: rows[-1].update(packed=rows[-2]["packed"]),
        lambda rows: rows[-1].update(answers="0x01"),
    ],
)
def test_takeover__escrow_with_a_changed_or_dropped_entry__is_refused(
    heir: Heir, change: Callable[[list[dict[str, Any]]], object]
) -> None:
    heir.lose()
    kept = heir.kept(heir.world.ledger)
    rows = [json.loads(line) for line in kept.log_file.read_bytes().splitlines()]
    change(rows)
    kept.log_file.write_text("".join(json.dumps(row) + "\n" for row in rows))

    with pytest.raises(EscrowBroken) as found:
        heir.take_over(heir.world.ledger)

    assert found.value.context["file"] == str(kept.log_file)
    assert heir.is_empty()


def test_takeover__escrow_with_the_secret_of_another_facility__is_refused(heir: Heir) -> None:
    """Also where the names between the entries are taken out: statements tell."""
    heir.lose()
    kept = heir.kept(heir.world.ledger)
    change_state(kept, name_secret="0x" + "11" * 32)
    with pytest.raises(EscrowBroken, match="its name secret is not that"):
        heir.take_over(heir.world.ledger)
    lines = kept.log_file.read_bytes().splitlines(keepends=True)
    kept.log_file.write_bytes(b"".join(x for x in lines if b'"type":"lease"' not in x))

    with pytest.raises(TakeoverRefused, match="comes to other bytes") as found:
        heir.take_over(heir.world.ledger)

    assert found.value.context["epoch"] == 0


def test_takeover__stated_entries_written_anew__comes_to_another_statement(heir: Heir) -> None:
    """Hash by hash, and without the signed end: the posted statement names another log."""
    heir.lose()
    rewrite(heir, lambda found: [*found[:1], *found[2:]])

    with pytest.raises(TakeoverRefused, match=r"batches.jsonl: .*comes to other bytes"):
        heir.take_over(heir.world.ledger)

    assert heir.is_empty()


def test_takeover__entries_behind_the_posted_head_written_anew__are_left_out(heir: Heir) -> None:
    """What an operator would gain: metering that it takes back without a correction."""
    world = heir.world
    for start_s in (DAY_S, DAY_S + 60):
        assert world.ledger.codes(world.ledger.usage(3, start_s, start_s + 60)) == ["accepted"]
    heir.pull(world.ledger)
    count = len(entries(heir))
    heir.lose()
    rewrite(heir, lambda found: [*found[:-2], found[-1]])

    (taken,) = heir.take_over(heir.world.ledger).facilities

    (said,) = taken.said
    assert f"entries 4 to {count - 1} of its escrow are left out" in said
    assert taken.entries == 3  # as the posted statement says


def test_takeover__entries_behind_the_signed_end__are_left_out(heir: Heir) -> None:
    """A pull that was killed before the log's end was kept; or entries that somebody made up."""
    world, kept = heir.world, heir.kept(heir.world.ledger)
    head = kept.head_file.read_bytes()
    world.ledger.ingest(world.ledger.usage(3, DAY_S, DAY_S + 60))
    heir.pull(world.ledger)
    kept.head_file.write_bytes(head)
    count = len(entries(heir))
    heir.lose()

    (taken,) = heir.take_over(world.ledger).facilities

    assert f"entries {count} to {count} of its escrow are left out" in taken.said[0]
    assert taken.entries == count - 1


def test_takeover__chain_of_another_deployment__is_refused(heir: Heir, tmp_path: Path) -> None:
    heir.lose()
    world = heir.world
    document = json.loads(world.deployment.document)
    document["contracts"]["RentLockbox"]["codeHash"] = "0x" + "11" * 32
    other = parse_deployment(json.dumps(document).encode())
    with pytest.raises(Conflict, match="the chain is not the one of the deployment file"):
        heir.take_over(world.ledger, contracts=Contracts(world.client, other))
    published = json.loads((heir.published / "deployment.json").read_bytes())
    published["contracts"]["RentLockbox"]["address"] = world.deployment.bond_vault
    (heir.published / "deployment.json").write_text(json.dumps(published))

    with pytest.raises(Conflict, match="the published evidence is of another deployment"):
        heir.take_over(world.ledger)

    assert heir.is_empty()


def test_takeover__without_an_escrow__is_refused_unless_it_is_given_up(heir: Heir) -> None:
    world = heir.world
    heir.lose()

    with pytest.raises(TakeoverRefused, match=f"--without {world.facility_id}") as found:
        heir.take_over()
    with pytest.raises(NotFound, match="no facility 99"):
        heir.take_over(world.ledger, without=(99,))

    assert "the secret by which all its later statements name leases" in found.value.message
    assert heir.take_over(without=(world.facility_id,)).without == (world.facility_id,)


def test_takeover__into_a_database_with_rows__is_refused(heir: Heir) -> None:
    heir.lose()
    heir.take_over(heir.world.ledger)

    with pytest.raises(Conflict, match="has rows"):
        heir.take_over(heir.world.ledger)


def test_takeover__dry_run__keeps_nothing(heir: Heir) -> None:
    heir.lose()

    done = heir.take_over(heir.world.ledger, dry_run=True)

    assert done.facilities[0].statements == 1
    assert heir.is_empty()
    assert not (heir.world.folder / "scratch").exists()


def test_takeover__evidence_here_is_of_another__is_refused(heir: Heir) -> None:
    heir.lose()
    path = f"facility-{heir.world.facility_id}/facility.json"
    heir.world.evidence.write(path, b"other")

    with pytest.raises(Conflict, match="put it aside"):
        heir.take_over(heir.world.ledger)


def test_takeover__scratch_with_other_things__is_left_alone(heir: Heir) -> None:
    heir.lose()
    scratch = heir.world.folder / "scratch"
    scratch.mkdir()
    (scratch / "mine").touch()

    with pytest.raises(AppError, match="has other things in it"):
        heir.take_over(heir.world.ledger)
    with pytest.raises(AppError, match="lies inside the evidence"):
        heir.take_over(heir.world.ledger, scratch=heir.world.evidence.root / "x")

    assert (scratch / "mine").exists()


def test_takeover__same_facility_in_two_folders__is_refused(heir: Heir) -> None:
    heir.lose()

    with pytest.raises(Conflict, match="give the newer one alone"):
        heir.take_over(heir.world.ledger, heir.world.ledger)


def test_takeover__manifest_that_names_a_longer_log__is_refused(heir: Heir) -> None:
    """Else the log would wait for entries for ever, and nothing be closed."""
    heir.lose()
    path = heir.published / f"facility-{heir.world.facility_id}/epoch-00000/manifest.json"
    document = json.loads(path.read_bytes())
    path.write_bytes(canonical_json(document | {"log_size": 99}))

    with pytest.raises(TakeoverRefused, match="is not the manifest that the chain names"):
        heir.take_over(heir.world.ledger)
