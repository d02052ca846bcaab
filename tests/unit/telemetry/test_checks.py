"""Whether a process gets on, and what a check that is run now and then knows."""

import threading
from collections.abc import Sequence

import pytest

from api.errors import DatabaseUnavailable
from api.telemetry.checked import Checked
from api.telemetry.pulse import Pulse


def test_pulse__without_a_beat__tells_for_how_long() -> None:
    now = [0.0]
    pulse = Pulse(600, clock=lambda: now[0])

    now[0] = 600
    assert pulse.problem() is None
    now[0] = 601
    assert pulse.problem() == "no round has ended for 601 s"
    pulse.beat()
    assert pulse.problem() is None


def test_checked__before_after_and_long_after__says_what_it_knows() -> None:
    now, problems = [0.0], ["a"]
    checked = Checked(lambda: problems, stale_s=30, clock=lambda: now[0])

    assert checked.problems() == ("not checked yet",)
    checked.run()
    assert checked.problems() == ("a",)
    problems.clear()
    checked.run()
    assert checked.problems() == ()
    now[0] = 31
    assert checked.problems() == ("no check has ended for 31 s",)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (DatabaseUnavailable("the database does not answer"), "the database does not answer"),
        (ValueError("secret=1"), "the check itself failed: ValueError"),
    ],
)
def test_checked__check_that_fails__is_a_problem(error: Exception, said: str) -> None:
    def check() -> Sequence[str]:
        raise error

    checked = Checked(check)
    checked.run()

    assert checked.problems() == (said,)


def test_checked__that_hangs__does_not_hold_up_the_end() -> None:
    hang, seen = threading.Event(), threading.Event()

    def check() -> Sequence[str]:
        seen.set()
        hang.wait(60)
        return ()

    checked = Checked(check)
    with checked.running():
        assert seen.wait(10)
        assert checked.problems() == ("not checked yet",)

    assert checked.problems() == ("it is ending",)
    hang.set()
