"""ATTACKS 51: one wrong clock, once, leaves no lasting harm."""

import time
from dataclasses import dataclass

import pytest

from api.clock import AHEAD_S, UNSEEN_S, BoundedClock, running

NOON_S = 1_767_268_800
DAYS_40_S = 40 * 86_400


@dataclass
class Machine:
    """A machine whose wall clock is set, whose monotonic one is not, and its node."""

    wall_s: int = NOON_S
    passed_s: float = 5.0
    block: tuple[int, int] | None = (7, NOON_S - 4)

    def clock(self) -> BoundedClock:
        return BoundedClock(
            lambda: self.block, wall=lambda: self.wall_s, monotonic=lambda: self.passed_s
        )

    def passes(self, seconds: float) -> None:
        """Time passes, in truth."""
        self.wall_s += int(seconds)
        self.passed_s += seconds


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_bounded_clock__right_clock__is_this_machines_time(machine: Machine) -> None:
    clock = machine.clock()
    clock.look()

    assert clock() == NOON_S


def test_bounded_clock__days_ahead__is_two_minutes_beyond_the_block(machine: Machine) -> None:
    clock = machine.clock()
    clock.look()
    machine.wall_s += DAYS_40_S

    assert clock() == NOON_S - 4 + AHEAD_S


def test_bounded_clock__behind_the_chain__is_believed(machine: Machine) -> None:
    """A time that is too early moves nothing: recorded times never fall."""
    clock = machine.clock()
    clock.look()
    machine.wall_s -= DAYS_40_S

    assert clock() == NOON_S - DAYS_40_S


def test_bounded_clock__no_new_block_for_days__goes_on(machine: Machine) -> None:
    clock = machine.clock()
    for _ in range(100):
        clock.look()
        machine.passes(3_600)

    assert clock() == NOON_S + 360_000


def test_bounded_clock__node_gone__goes_on(machine: Machine) -> None:
    clock = machine.clock()
    clock.look()
    machine.block = None
    machine.passes(DAYS_40_S)
    clock.look()

    assert clock() == NOON_S + DAYS_40_S


def test_bounded_clock__no_node_yet__is_this_machines_time(machine: Machine) -> None:
    machine.block = None
    clock = machine.clock()
    clock.look()

    assert clock() == NOON_S


def test_bounded_clock__no_node_since_the_start__is_a_day_beyond_the_index_at_most(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong clock, and a node that is away when the service starts: still no time for ever."""
    monkeypatch.setattr("api.clock._FIRST_S", 0.01)
    machine.block = None
    clock = BoundedClock(
        lambda: machine.block,
        indexed=lambda: NOON_S - 3_600,
        wall=lambda: machine.wall_s,
        monotonic=lambda: machine.passed_s,
    )
    with running(clock):
        right = clock()
        machine.wall_s += DAYS_40_S
        wrong = clock()
        machine.passed_s += 100
        later = clock()

    most_s = NOON_S - 3_600 + UNSEEN_S
    assert (right, wrong, later) == (NOON_S, most_s, most_s + 100)


def test_bounded_clock__node_that_lags__lowers_nothing(machine: Machine) -> None:
    """Behind one address can be several nodes."""
    clock = machine.clock()
    clock.look()
    machine.block = (6, NOON_S - 7_200)
    clock.look()

    assert clock() == NOON_S


def test_bounded_clock__lower_blocks_for_minutes__are_believed(machine: Machine) -> None:
    """One answer was false: a number that no block had yet, at a time long ago."""
    machine.block = (7_000_000, NOON_S - DAYS_40_S)
    clock = machine.clock()
    clock.look()
    machine.block = (8, NOON_S)
    for _ in range(40):
        clock.look()

    assert clock() == NOON_S


def test_running__node_that_answers_nonsense__is_looked_at_again(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([ZeroDivisionError(), None, (7, NOON_S)])

    def newest() -> tuple[int, int] | None:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr("api.clock._PAUSE_S", 0.01)
    clock = BoundedClock(newest, wall=lambda: NOON_S + DAYS_40_S, monotonic=lambda: 0.0)
    with running(clock):
        for _ in range(500):
            if clock() == NOON_S + AHEAD_S:
                break
            time.sleep(0.01)
        assert clock() == NOON_S + AHEAD_S
    assert "looking at the newest block failed" in caplog.text


def test_running__no_node_answers__says_so_and_goes_on(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    machine.block = None
    with running(machine.clock()):
        assert "no node has answered yet" in caplog.text


def test_bounded_clock__newer_block__is_what_counts(machine: Machine) -> None:
    """A block that said too late a time counts until the next one."""
    machine.block = (7, NOON_S + DAYS_40_S)
    clock = machine.clock()
    clock.look()
    machine.block = (8, NOON_S)
    clock.look()
    machine.wall_s += DAYS_40_S

    assert clock() == NOON_S + AHEAD_S


def test_bounded_clock__wrong_and_right_again__says_both_once(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    clock = machine.clock()
    clock.look()
    machine.wall_s += DAYS_40_S
    clock(), clock()
    machine.wall_s -= DAYS_40_S
    clock(), clock()

    assert [r.message.partition(":")[0] for r in caplog.records] == [
        f"this machine's clock is {DAYS_40_S + 4} s ahead of the newest block",
        "this machine's clock agrees with the chain again",
    ]


def test_running__bounded_clock__has_looked_before_the_first_use(machine: Machine) -> None:
    machine.wall_s += DAYS_40_S
    clock = machine.clock()
    with running(clock):
        assert clock() == NOON_S - 4 + AHEAD_S
