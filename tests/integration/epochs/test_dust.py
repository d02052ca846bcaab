"""Dust: rent of next to nothing does not make the relayer pay for a settlement each time."""

from itertools import pairwise

import pytest

from api.epochs.outbox import Policy
from scripts.dev.stack import CHALLENGE_WINDOW_S
from tests.factories import DAY_S, GRACE_S, HOUR_S
from tests.outboxes import SENDER, sent_by
from tests.world import World

pytestmark = pytest.mark.chain

LEAST = 500_000
WAIT_S = DAY_S // 2
POLICY = Policy(settle_least_micros=LEAST, settle_longest_wait_s=WAIT_S)


@pytest.fixture
def posted(world: World) -> World:
    """A world whose first statement, of two dollars, is final; no rent came yet."""
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, 2 * HOUR_S))
    world.post(0)
    world.at_finality(0)
    return world


def _round(world: World) -> list[str]:
    done = world.worker(policy=POLICY).run_once()
    assert [o.error for o in done.outcomes if o.error] == []
    return [o.kind for o in done.outcomes if o.kind == "settle"]


def test_settle__a_millionth_again_and_again__waits_for_more(posted: World) -> None:
    """F15 of the findings: 15 payments of a millionth made 14 settlements."""
    first = posted.client.head().number + 1
    for _ in range(5):
        posted.pay(1)
        assert _round(posted) == []
    assert sent_by(posted, SENDER, first=first) == []

    posted.pay(LEAST)

    assert _round(posted) == ["settle"]
    assert posted.settled == LEAST + 5


def test_settle__dust_for_the_longest_wait__once_a_wait_and_no_more(posted: World) -> None:
    posted.pay(1)
    assert _round(posted) == []
    start_s = 2 * DAY_S - HOUR_S
    times = []
    for quarter in range(9):
        # A minute more: blocks follow each other by the seconds that a slow machine takes.
        posted.at(start_s + quarter * (WAIT_S // 4 + 60))
        posted.pay(1)
        times += [quarter for _ in _round(posted)]

    # Since its first rent, then since each settlement: nine payments, never two in one wait.
    assert len(times) in (2, 3)
    assert all(later - earlier >= 4 for earlier, later in pairwise(times))


def test_settle__last_epochs_and_closing__take_all(posted: World) -> None:
    posted.pay(1)
    for epoch in (1, 2):
        posted.at_cut_off(epoch)
        posted.worker(policy=POLICY).run_once()
        posted.attest()
        posted.worker(policy=POLICY).run_once()
    posted.at(3 * DAY_S + GRACE_S + CHALLENGE_WINDOW_S)

    _round(posted)

    assert posted.settled == 1
