"""ATTACKS 51: no clock alone closes an epoch, on a real chain with the worker's own round."""

from dataclasses import dataclass
from itertools import pairwise

import pytest

from api.chain.client import ChainClient
from api.db import work
from api.db.facilities import known_facility_row
from api.db.session import reading, transaction
from api.domain.units import FacilityId
from api.epochs.closing import Pace
from api.epochs.times import Times
from api.epochs.worker import Round
from tests.factories import DAY_S, GRACE_S, HOUR_S, START_S
from tests.launching import launch
from tests.world import World

pytestmark = pytest.mark.chain

CUT_S = START_S + DAY_S + GRACE_S


@dataclass
class Machine:
    """A machine's clocks, and a worker that goes by them and by the chain."""

    world: World
    wall_s: int = CUT_S
    passed_s: float = 0.0
    confirmations: int = 0

    def times(self) -> Times:
        return Times(
            self.world.client,
            wall=lambda: self.wall_s,
            confirmations=self.confirmations,
            monotonic=lambda: self.passed_s,
        )

    def round(self) -> Round:
        return self.world.worker(times=self.times()).run_once()


def _why(done: Round) -> str:
    """The sentence of a round that closed nothing."""
    [failed] = done.not_done
    assert failed.step == "time"
    return failed.reason


@pytest.fixture
def machine(world: World) -> Machine:
    """At the cut-off of the first of three epochs, by every clock."""
    world.at_cut_off(0)
    return Machine(world)


def test_round__both_clocks_past_the_cut_off__closes_that_epoch(machine: Machine) -> None:
    done = machine.round()

    assert (done.closed, done.failed) == (1, False)


@pytest.mark.parametrize("days", [-40, 40])
def test_round__wall_clock_jumps__closes_nothing_and_names_both_times(
    machine: Machine, days: int
) -> None:
    """The negative control of the design: a wall clock's word alone freezes nothing."""
    machine.wall_s += days * DAY_S
    wrong = machine.round()
    machine.wall_s -= days * DAY_S
    right = machine.round()

    assert wrong.closed == 0
    assert "2026-01-02T01:00:00Z" in _why(wrong)
    assert ("2026-02-11T01" if days > 0 else "2025-11-23T01") in _why(wrong)
    assert (right.closed, right.failed) == (1, False)


def test_round__chain_jumps__closes_nothing(machine: Machine) -> None:
    """Nor does a block from the future, of one node."""
    machine.world.at(40 * DAY_S)

    done = machine.round()

    assert done.closed == 0
    assert "behind the chain" in _why(done)


def test_round__wall_clock_a_little_behind__waits_for_it(machine: Machine) -> None:
    machine.wall_s = CUT_S - 1
    early = machine.round()
    machine.wall_s = CUT_S

    assert (early.closed, early.failed, machine.round().closed) == (0, False, 1)


def test_round__newest_block_past_the_cut_off__waits_for_a_final_one(machine: Machine) -> None:
    machine.confirmations = 2
    early = machine.round()
    machine.world.chain.rpc("anvil_mine", "0x2")

    assert (early.closed, machine.round().closed) == (0, 1)


def test_witness__chain_goes_on_faster_than_the_machine__is_none(world: World) -> None:
    """Both clocks of a machine whose NTP and node come from one liar agree, and time did not."""
    world.at(0)
    machine = Machine(world, wall_s=START_S)
    with ChainClient(world.chain.rpc_url):
        times = machine.times()
        first = times.look()
        world.at(2 * DAY_S)
        machine.wall_s = START_S + 2 * DAY_S
        jumped = times.look()
        machine.passed_s = 2.0 * DAY_S
        waited = times.look()

    assert (first.witnessed, jumped.witnessed, waited.witnessed) == (True, False, True)
    assert jumped.clocks.past_s == START_S + 2 * DAY_S


def test_witness__simulated_time__is_none(world: World) -> None:
    assert not Times(world.client, wall=None).look().witnessed


def _hourly(world: World) -> FacilityId:
    """Another facility, of 192 hourly epochs."""
    made = world.ledger.add_facility(
        range(50, 52),
        settlement_token=world.deployment.settlement_token,
        window_end_s=START_S + 8 * DAY_S,
        epoch_length_s=HOUR_S,
    )
    launch(world, made)
    return FacilityId(made)


def _closed(world: World, facility_id: FacilityId) -> int:
    with reading(world.engine) as connection:
        return known_facility_row(connection, facility_id).epochs_closed


def test_round__two_days_of_downtime__closes_all_of_it_piece_by_piece(world: World) -> None:
    """Forty-eight hourly epochs are what normal running needs: both clocks say so."""
    facility_id = _hourly(world)
    world.at(2 * DAY_S + GRACE_S)
    machine = Machine(world, wall_s=START_S + 2 * DAY_S + GRACE_S)
    worker = world.worker(times=machine.times(), pace=Pace(at_once=8, ask_above=20))
    counts = []
    while not counts or worker.run_once().more:
        counts.append(_closed(world, facility_id))
    counts.append(_closed(world, facility_id))

    assert counts[-1] == 48
    assert max(b - a for a, b in pairwise(counts)) <= 8


def test_round__chain_alone_says_that_weeks_passed__asks_first(world: World) -> None:
    """One lying block where the chain is the clock: 192 epochs would take no records any more."""
    facility_id = _hourly(world)
    world.at(40 * DAY_S)
    first = world.worker().run_once()
    second = world.worker().run_once()

    [held] = [failed for failed in first.not_done if failed.facility_id == facility_id]
    assert "only the chain says" in held.reason
    assert f"rentroll queue release {facility_id}" in held.reason
    assert _closed(world, facility_id) == 0
    # Nothing asks again, and the other facility's three epochs are no backlog.
    assert [f for f in second.not_done if f.facility_id == facility_id] == []
    assert _closed(world, FacilityId(world.facility_id)) == 3

    with transaction(world.engine) as connection:
        assert work.release(connection, facility_id, now_s=2**40) == 1
    worker = world.worker(pace=Pace(at_once=100))
    while worker.run_once().more:
        pass
    assert _closed(world, facility_id) == 192


def test_round__never_funded__is_never_closed(world: World) -> None:
    """ATTACKS 55: who registers a facility, or offers it, and no more, gives nobody work."""
    token = world.deployment.settlement_token
    registered = world.ledger.add_facility(range(60, 61), settlement_token=token)
    offered = world.ledger.add_facility(range(62, 63), settlement_token=token)
    world.offer(offered)
    world.at(3 * DAY_S)
    world.worker().run_once()

    assert [_closed(world, FacilityId(i)) for i in (registered, offered)] == [0, 0]
    assert _closed(world, FacilityId(world.facility_id)) == 2
