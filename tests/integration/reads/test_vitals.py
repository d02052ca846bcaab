"""Numbers for monitoring: each follows from what happened, on a real chain."""

import time

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from sqlalchemy import update

from api.db.session import reading, transaction
from api.db.tables.outbox import intents
from api.domain.transactions import IntentState
from api.reads.vitals import Vital, read_vitals
from api.telemetry.vitals import NAMES, Vitals
from scripts.dev.stack import RELAYER
from tests.factories import DAY_S, HOUR_S
from tests.world import World, wallet


def _vitals(world: World, *, now_s: int | None = None) -> dict[tuple[str, ...], float]:
    with reading(world.engine) as connection:
        now_s = world.clock() if now_s is None else now_s
        found = read_vitals(connection, now_s=now_s, wall_s=int(time.time()))
    assert {vital.name for vital in found} <= NAMES.keys()
    for vital in found:
        assert len(vital.labels) == len(NAMES[vital.name][1]), vital
    return {(vital.name, *vital.labels): float(vital.value) for vital in found}


@pytest.mark.chain
def test_vitals__epoch_over_posted_and_next__tell_how_late_it_is(world: World) -> None:
    facility = str(world.facility_id)
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, 2 * HOUR_S))
    world.at_cut_off(0)
    cut_s = world.clock()
    world.round()

    late = _vitals(world, now_s=cut_s + 500)
    world.attest()
    world.round()
    posted = _vitals(world, now_s=cut_s + 500)

    assert late["facility_overdue_seconds", facility] == 500
    assert late["index_state", "following"] == 1
    assert late["index_state", "halted"] == 0
    assert late["index_behind_blocks",] == 0
    assert late["index_unseen_seconds",] < 3_600
    assert ("facility_newest_posting_timestamp_seconds", facility) not in late
    assert posted["facility_overdue_seconds", facility] == 0
    newest_s = posted["facility_newest_posting_timestamp_seconds", facility]
    assert cut_s <= newest_s <= world.clock()
    # A day later the second epoch is over, and nobody posts it.
    assert _vitals(world, now_s=cut_s + DAY_S + 7)["facility_overdue_seconds", facility] == 7


@pytest.mark.chain
def test_vitals__nothing_mined__tell_of_open_intents_and_their_age(world: World) -> None:
    world.at_cut_off(0)
    world.round()
    world.attest()
    world.chain.rpc("evm_setAutomine", False)

    world.worker().run_once()
    sent_s = world.clock()
    found = _vitals(world, now_s=sent_s + 900)

    assert found["intents", "post", "sent"] == 1
    assert found["oldest_intent_seconds",] >= 900
    relayer = wallet(RELAYER).address
    assert found["open_nonces", relayer] == 1
    assert found["nonce_gap", relayer] == 0
    world.chain.rpc("evm_setAutomine", True)


@pytest.mark.chain
def test_vitals__refused_and_due_no_more__are_no_alarm_for_ever(world: World) -> None:
    """What became another's, or void, stays refused in its row, and nobody need look at it."""
    world.at_cut_off(0)
    world.round()
    world.attest()
    world.chain.rpc("evm_setAutomine", False)
    world.worker().run_once()
    with transaction(world.engine) as connection:
        refused = {"state": IntentState.REFUSED, "due_at_s": world.clock()}
        connection.execute(update(intents).where(intents.c.kind == "post").values(refused))

    due = _vitals(world, now_s=world.clock() + 600)
    left_alone = _vitals(world, now_s=world.clock() + 3_600)

    assert due["intents", "post", "refused"] == 1
    assert due["oldest_intent_seconds",] >= 600
    assert ("intents", "post", "refused") not in left_alone
    world.chain.rpc("evm_setAutomine", True)


def test_vitals__scraped__are_named_with_their_age_and_not_when_stale() -> None:
    now = [0.0]
    registry = CollectorRegistry()
    vitals = Vitals(lambda: [Vital("refusals", 2, ("0xab",))], clock=lambda: now[0])
    registry.register(vitals)

    assert b"rentroll_" not in generate_latest(registry)
    vitals.look()
    now[0] = 90
    fresh = generate_latest(registry).decode()
    now[0] = 150
    stale = generate_latest(registry).decode()

    assert 'rentroll_refusals{attester="0xab"} 2.0' in fresh
    assert "rentroll_vitals_age_seconds 90.0" in fresh
    assert "rentroll_refusals" not in stale
    assert "rentroll_vitals_age_seconds 150.0" in stale


def test_vitals__that_cannot_be_read__grow_old_and_nothing_ends() -> None:
    registry = CollectorRegistry()

    def broken() -> list[Vital]:
        raise RuntimeError

    vitals = Vitals(broken)
    with vitals.running(registry):
        vitals.look()

        assert b"rentroll_" not in generate_latest(registry)
