"""ATTACKS 51: no clock alone closes an epoch, on a real chain with the worker's own round."""

from dataclasses import dataclass

import pytest

from api.chain.client import ChainClient
from api.epochs.times import Times
from api.epochs.worker import Round
from tests.factories import DAY_S, GRACE_S, START_S
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
