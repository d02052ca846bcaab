"""Chaos, short: two runs that hold, and our own code broken, which the judge must see.

`make chaos` is the long form.
"""

from pathlib import Path

import pytest

from tests.chaos.run import Outcome, Plan, run

pytestmark = [pytest.mark.slow, pytest.mark.chain]


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """The order's seed is the trouble's: another one each time, and it can be repeated."""
    return int(request.config.getoption("randomly_seed")) % 2**31


def _controlled(folder: Path, name: str, *, only: tuple[str, ...], things: int) -> Outcome:
    """A run of fixed trouble on code that was changed."""
    plan = Plan(
        seed=7,
        epochs=3,
        facilities=1,
        things=things,
        pause_s=0.3,
        healing_s=30,
        only=only,
        broken=name,
    )
    return run(folder, plan)


@pytest.mark.parametrize("on_postgres", [False, pytest.param(True, marks=pytest.mark.postgres)])
def test_chaos__short__books_are_right(tmp_path: Path, seed: int, on_postgres: bool) -> None:
    plan = Plan(seed=seed, epochs=3, facilities=3, things=8, on_postgres=on_postgres)

    outcome = run(tmp_path, plan)

    assert outcome.problems == [], f"seed {seed}"
    assert outcome.epochs == 9


def test_broadcast__before_it_is_stored__is_seen(tmp_path: Path) -> None:
    """The moment between the two is the same; only the order differs."""
    only = ("kill worker",)
    right = _controlled(tmp_path / "right", "stored first", only=only, things=10)
    wrong = _controlled(tmp_path / "wrong", "broadcast first", only=only, things=10)

    assert right.problems == []
    assert "the database knows nothing" in wrong.problems[0]


def test_cut_off__past_by_the_wall_clock__is_seen(tmp_path: Path) -> None:
    wrong = _controlled(tmp_path, "wall clock", only=("worker ahead",), things=2)

    assert "closed before its cut-off" in wrong.problems[0]


def test_index__without_hashes__is_seen(tmp_path: Path) -> None:
    wrong = _controlled(tmp_path, "no hashes", only=("undo",), things=8)

    assert any("index" in problem for problem in wrong.problems), wrong.problems
