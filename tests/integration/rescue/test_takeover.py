"""`rentroll takeover`: another service goes on from chain, published evidence and escrows alone."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from api.db.copying import all_tables
from api.db.session import reading
from api.domain.metering.judge import Recorded
from api.rescue.taken import TakeoverRefused
from tests.factories import device
from tests.integration.rescue.drill import tree
from tests.integration.rescue.heir import Heir, LongWorld, change_file, change_state, story
from tests.reopening import corrected
from tests.world import Deployed, World

pytestmark = pytest.mark.chain


@pytest.fixture
def long_world(engine: Engine, tmp_path: Path, fresh_chain: Deployed) -> Iterator[LongWorld]:
    """A facility of six epochs, on a fresh chain and an empty database."""
    found = LongWorld(engine, tmp_path, fresh_chain)
    yield found
    found.close()


# Of these tables all comes back, but for the database's own keys and when the service did what.
BACK: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("operators", "facilities", "devices", "leases", "log_keys"), frozenset()),
    **dict.fromkeys(("log_entries", "statement_lines", "statement_trees"), frozenset()),
    "meter_events": frozenset({"event_pk"}),
    "facts": frozenset({"fact_pk"}),
    "statements": frozenset({"closed_at_s"}),
    "attestations": frozenset({"received_at_s"}),
    "replacements": frozenset({"replacement_pk"}),
    "epoch_reopenings": frozenset({"reopening_pk"}),
    "superseded_statements": frozenset({"superseded_pk", "reopening_pk"}),
}


def known(world: World) -> dict[str, list[tuple[object, ...]]]:
    """Rows of what comes back."""
    tables = {table.name: table for table in all_tables()}
    with reading(world.engine) as connection:
        return {
            name: sorted(
                map(
                    tuple,
                    connection.execute(
                        select(*(c for c in tables[name].columns if c.name not in but))
                    ),
                ),
                key=repr,
            )
            for name, but in BACK.items()
        }


@pytest.mark.both_databases
def test_takeover__of_two_operators__closes_the_next_epoch_to_the_same_bytes(
    long_world: LongWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Corrections, a reopening, other terms, a replaced card; attesters remember what they signed.

    A version without the bug that took an overlap then refuses it: it would judge otherwise.
    """
    world, heir = long_world, Heir(long_world)
    story(world, lambda _: corrected(world, monkeypatch))
    (other,) = world.others
    heir.pull(world.ledger, other)
    before = known(world)
    twin = heir.drill.undisturbed(3)
    published = tree(world.evidence.root)
    heir.lose()

    with pytest.raises(TakeoverRefused, match="not all of its events would be accepted"):
        heir.take_over(world.ledger, other)
    with monkeypatch.context() as bug:
        bug.setattr(Recorded, "_require_free", lambda *_, **__: None)
        done = heir.take_over(world.ledger, other)

    assert [(each.facility_id, each.statements, each.said) for each in done.facilities] == [
        (world.facility_id, 3, []),
        (other.facility_id, 3, []),
    ]
    assert known(world) == before
    assert tree(world.evidence.root) == published
    world.post(3)
    assert tree(world.evidence.root) == twin
    assert world.verify().ok


def test_takeover__state_that_chain_or_evidence_contradict__is_refused_by_name(
    long_world: LongWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, heir = long_world, Heir(long_world)
    story(world, lambda _: corrected(world, monkeypatch))
    (other,) = world.others
    heir.pull(world.ledger, other)
    heir.lose()
    kept = heir.kept(world.ledger)
    whole = kept.state_file.read_bytes()
    state = json.loads(whole)
    asked, opened = state["replacements"], state["reopenings"]
    (gone,) = heir.published.glob("facility-1/superseded/epoch-00000-*/lines.csv")
    monkeypatch.setattr(Recorded, "_require_free", lambda *_, **__: None)
    changes: tuple[tuple[dict[str, Any], str], ...] = (
        ({"replacements": []}, "lacks the replacement from epoch 3"),
        ({"replacements": [asked[0] | {"new": device(60), "card": device(60)}]}, "other names"),
        ({"reopenings": []}, "epoch 0: it cannot be closed again"),
        ({"reopenings": [opened[0], opened[0] | {"reopened_at_s": 1}]}, "no fault on-chain"),
        ({"reopenings": [opened[0] | {"first_epoch": 1}]}, "no fault on-chain"),
    )

    for change, why in changes:
        kept.state_file.write_bytes(whole)
        change_state(kept, **change)
        with pytest.raises(TakeoverRefused, match=why) as found:
            heir.take_over(world.ledger, other)
        assert found.value.context["facility_id"] == world.facility_id
        assert heir.is_empty()
    kept.state_file.write_bytes(whole)
    change_file(gone, lambda data: data + b"x")
    with pytest.raises(TakeoverRefused, match=r"superseded.*lines.csv: has other bytes"):
        heir.take_over(world.ledger, other)
    change_file(gone, lambda data: data[:-1])
    done = heir.take_over(world.ledger, without=(other.facility_id,))
    assert [each.facility_id for each in done.facilities] == [world.facility_id]
    world.post(3)
